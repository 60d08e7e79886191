package drill

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
)

// remove erases some of whom was planted, with certificates: nothing of them may be
// found in any compartment, and a copy of their sealed records that somebody made before
// may open no more.
func (d *drill) remove(ctx context.Context) error {
	d.say("erasing subjects")
	ids := d.cast.leave()
	if err := d.remember(ctx, ids); err != nil {
		return err
	}
	admin := d.server.Admin()
	for _, id := range ids {
		e, err := admin.Erase(ctx, wire.EraseRequest{Subject: id, Reason: d.cast.nextReason()})
		if err != nil {
			return err
		}
		found, err := admin.CheckErasure(ctx, e)
		if err != nil {
			return err
		}
		for _, f := range found.Findings {
			d.report.find("erased", f)
		}
		d.report.Erased++
	}
	_, err := admin.RunRetention(ctx)
	return err
}

// remember keeps the sealed records of who is erased next.
func (d *drill) remember(ctx context.Context, ids []gatehouse.SubjectID) error {
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return err
	}
	file := filepath.Join(d.config.Data, "db", "site.db")
	key, err := gate.FileKey(file)
	if err != nil {
		return err
	}
	work := filepath.Join(d.root, "work.db")
	defer os.Remove(work)
	if err := copyDatabase(ctx, file, work); err != nil {
		return err
	}
	db, err := sealeddb.OpenAsIs(work, key)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, id := range ids {
		var packed []byte
		if err := db.Readers().QueryRowContext(ctx, `SELECT record FROM subjects WHERE id = ?`, id[:]).Scan(&packed); err != nil {
			return err
		}
		parts, err := gatehouse.UnpackRecord(packed)
		if err != nil {
			return err
		}
		for field, sealed := range map[string][]byte{"name": parts.Name, "national_id": parts.NationalID, "record": parts.Rest} {
			if len(sealed) > 0 {
				d.forgotten = append(d.forgotten, gatehouse.SealedRef{Where: gatehouse.SealContext{Place: d.place(), Table: "subjects", Row: id, Field: field}, Sealed: sealed})
			}
		}
		if err := d.rememberBuyers(ctx, db, id); err != nil {
			return err
		}
	}
	return nil
}

// rememberBuyers keeps whom the invoices of a subject's accounts are made out to.
func (d *drill) rememberBuyers(ctx context.Context, db *sealeddb.DB, holder gatehouse.SubjectID) error {
	rows, err := db.Readers().QueryContext(ctx, `SELECT id, body FROM parking_items WHERE kind = ? AND subject = ?`, string(gatehouse.DriverAccountItem), holder[:])
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var body []byte
		if err := rows.Scan(&text, &body); err != nil {
			return err
		}
		id, err := gatehouse.ParseID(text)
		if err != nil {
			return err
		}
		var a gatehouse.DriverAccount
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		if len(a.Buyer) > 0 {
			d.forgotten = append(d.forgotten, gatehouse.SealedRef{Where: gatehouse.BuyerContext(d.place(), id), Sealed: a.Buyer})
		}
	}
	return rows.Err()
}

// tryForgotten asks the unsealed vault for values whose keys are gone.
func (d *drill) tryForgotten(ctx context.Context, v gatehouse.Opener, proof []byte, kind string, refs []gatehouse.SealedRef) error {
	plain, err := d.openAll(ctx, v, kind, proof, refs)
	if err != nil {
		return err
	}
	d.report.Forgotten += len(refs)
	for i, p := range plain {
		if p != nil {
			d.report.ForgottenOpened++
			d.report.find(kind, fmt.Sprintf("a sealed %s opens in its own place", refs[i].Where.Field))
		}
	}
	return nil
}

// tryExpired takes the days' keys away on the copy, as the retention does once a day is
// over (the vault expires none that is younger, so that a drill cannot wait for it), and
// asks for what was sealed under them and opened before.
func (d *drill) tryExpired(ctx context.Context, gate *vault.GateKey, root string, details []gatehouse.SealedRef) error {
	err := d.changeKeyStore(ctx, gate, root, func(db *sealeddb.DB) error {
		return db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM chains WHERE kind = 'day' AND class = ?`, string(gatehouse.PassageClass))
			for _, held := range []string{"held_items", "held_chains"} { // a hold keeps keys of its own
				if err == nil {
					_, err = tx.ExecContext(ctx, "DELETE FROM "+held)
				}
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	v, proof, done, err := d.openVault(ctx, gate, root)
	if err != nil {
		return err
	}
	defer done()
	return d.tryForgotten(ctx, v, proof, "expired", details)
}
