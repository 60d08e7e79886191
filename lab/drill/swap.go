package drill

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
)

// swapped is how many values of each kind are exchanged: two, and one ID number, so that
// the drill stays within an operator's budget of an hour.
const swapped = 2

// swap exchanges ciphertexts on a copy of the stopped copy and asks the real vault and
// the real gate key to open them in their new places: none may open. That they open in
// their own is tried first, or their not opening would prove nothing.
func (d *drill) swap(ctx context.Context) error {
	d.say("exchanging ciphertexts between rows")
	root := filepath.Join(d.root, "swapped")
	if err := copyTree(ctx, d.config.Data, root, false); err != nil {
		return err
	}
	gate, err := vault.OpenGateKey(root, d.gateKey)
	if err != nil {
		return err
	}
	if err := d.swapWorking(ctx, gate, filepath.Join(root, "db", "working.db")); err != nil {
		return err
	}
	if !d.unsealed {
		return nil
	}
	groups, err := sealedValues(ctx, gate, root)
	if err != nil {
		return err
	}
	if err := d.swapSealed(ctx, gate, root, groups); err != nil {
		return err
	}
	if err := d.swapKeyRows(ctx, gate, root, groups); err != nil {
		return err
	}
	return d.tryExpired(ctx, gate, root, groups["detail"])
}

// swapWorking tries every working item in the place of the next of its kind, and in
// that of another kind.
func (d *drill) swapWorking(ctx context.Context, gate *vault.GateKey, file string) error {
	items, err := storedItems(ctx, gate, file)
	if err != nil {
		return err
	}
	for i, item := range items {
		if _, err := gate.OpenWorking(item.Context(), item.Sealed); err != nil {
			return gatehouse.Errorf("drill.swap", "this is a fault of the drill, or of the working set", "an item of the working set does not open in its own place: %w", err)
		}
		for _, step := range []int{1, len(items) / 2} {
			other := items[(i+step)%len(items)]
			if step%len(items) == 0 {
				continue
			}
			d.report.Swaps++
			if _, err := gate.OpenWorking(other.Context(), item.Sealed); err == nil {
				d.swapOpened("a " + string(item.Kind) + " of the working set in another's place")
			}
		}
	}
	return nil
}

func (d *drill) swapOpened(what string) {
	d.report.SwapsOpened++
	d.report.find("swapped ciphertext", what+" opens")
}

// sealedValues reads some sealed values of each kind, with their places.
func sealedValues(ctx context.Context, gate *vault.GateKey, root string) (map[string][]gatehouse.SealedRef, error) {
	groups := map[string][]gatehouse.SealedRef{}
	files, err := filepath.Glob(filepath.Join(root, "db", "*.db"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		key, err := gate.FileKey(file)
		if err != nil {
			return nil, err
		}
		db, err := sealeddb.OpenAsIs(file, key)
		if err != nil {
			return nil, err
		}
		switch filepath.Base(file) {
		case "working.db", "books.db": // the first by itself; the books hold nothing sealed
		case "site.db":
			err = siteValues(ctx, db, root, groups)
		default:
			err = monthValues(ctx, db, root, groups)
		}
		db.Close()
		if err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// eachSealed calls f for the rows of a query whose columns are organization, site, an id,
// and a value.
func eachSealed(ctx context.Context, db *sealeddb.DB, query string, f func(place gatehouse.Place, id gatehouse.ID, extra string, value []byte)) error {
	rows, err := db.Readers().QueryContext(ctx, query, 2*swapped)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var place gatehouse.Place
		var id, value []byte
		var extra string
		if err := rows.Scan(&place.Org, &place.Site, &id, &extra, &value); err != nil {
			return err
		}
		var i gatehouse.ID
		copy(i[:], id)
		f(place, i, extra, value)
	}
	return rows.Err()
}

func siteValues(ctx context.Context, db *sealeddb.DB, root string, groups map[string][]gatehouse.SealedRef) error {
	err := eachSealed(ctx, db, `SELECT org, site, id, kind, record FROM subjects WHERE kind = 'person' ORDER BY enrolled DESC LIMIT ?`, func(place gatehouse.Place, id gatehouse.ID, _ string, value []byte) {
		parts, err := gatehouse.UnpackRecord(value)
		if err != nil {
			return
		}
		for field, sealed := range map[string][]byte{"name": parts.Name, "national_id": parts.NationalID, "record": parts.Rest} {
			if len(sealed) > 0 {
				groups[field] = append(groups[field], gatehouse.SealedRef{Where: gatehouse.SealContext{Place: place, Table: "subjects", Row: id, Field: field}, Sealed: sealed})
			}
		}
	})
	if err != nil {
		return err
	}
	return pictureValues(ctx, db, root, "photo", `SELECT p.org, p.site, p.blob, p.kind, '' FROM photos p JOIN subjects s ON s.org = p.org AND s.site = p.site AND s.id = p.subject
		ORDER BY s.enrolled DESC LIMIT ?`, groups)
}

func monthValues(ctx context.Context, db *sealeddb.DB, root string, groups map[string][]gatehouse.SealedRef) error {
	err := eachSealed(ctx, db, `SELECT org, site, passage, '', sealed FROM details ORDER BY passage DESC LIMIT ?`, func(place gatehouse.Place, id gatehouse.ID, _ string, value []byte) {
		groups["detail"] = append(groups["detail"], gatehouse.SealedRef{Where: gatehouse.SealContext{Place: place, Table: "passages", Row: id, Field: "detail"}, Sealed: value})
	})
	if err != nil {
		return err
	}
	return pictureValues(ctx, db, root, "evidence", `SELECT org, site, blob, kind, '' FROM evidence ORDER BY passage DESC LIMIT ?`, groups)
}

func pictureValues(ctx context.Context, db *sealeddb.DB, root, what, query string, groups map[string][]gatehouse.SealedRef) error {
	return eachSealed(ctx, db, query, func(place gatehouse.Place, id gatehouse.ID, kind string, _ []byte) {
		name := id.String()
		sealed, err := os.ReadFile(filepath.Join(root, "blobs", name[:2], name))
		if err != nil {
			return // expired or erased
		}
		groups[what] = append(groups[what], gatehouse.SealedRef{Where: gatehouse.SealContext{Place: place, Table: "evidence", Row: id, Field: kind}, Sealed: sealed})
	})
}

// openVault opens the vault of root as the drill's operator; done ends it.
func (d *drill) openVault(ctx context.Context, gate *vault.GateKey, root string) (_ gatehouse.Opener, proof []byte, done func(), err error) {
	v, err := d.openGate(ctx, gate, root)
	if err != nil {
		return nil, nil, nil, err
	}
	done = func() { _ = v.Close() } // a copy that is thrown away
	if proof, err = d.lease(ctx, v); err != nil {
		done()
		return nil, nil, nil, err
	}
	var opener gatehouse.Opener = v
	if d.mutant.opener != nil {
		opener = d.mutant.opener(d, v)
	}
	return opener, proof, done, nil
}

// openAll asks the vault as one of the drill's operators: each part has a budget of its
// own.
func (d *drill) openAll(ctx context.Context, v gatehouse.Opener, part string, proof []byte, refs []gatehouse.SealedRef) ([][]byte, error) {
	return v.Open(ctx, gatehouse.OpenRequest{Operator: d.operator() + "/" + part, Role: "drill-" + part, Proof: proof, Purpose: "drill", Reason: "the theft drill", Refs: refs})
}

// swapSealed gives every value the place of another of its kind, and of another kind.
func (d *drill) swapSealed(ctx context.Context, gate *vault.GateKey, root string, groups map[string][]gatehouse.SealedRef) error {
	v, proof, done, err := d.openVault(ctx, gate, root)
	if err != nil {
		return err
	}
	defer done()
	var moved, last []gatehouse.SealedRef
	var what []string
	for kind, refs := range groups {
		if kind == "national_id" {
			refs = refs[:min(len(refs), 1)]
		}
		if refs, err = d.thatOpen(ctx, v, proof, kind, refs); err != nil {
			return err
		}
		groups[kind] = refs
		for i, ref := range refs {
			if len(refs) > 1 {
				moved, what = append(moved, gatehouse.SealedRef{Where: refs[(i+1)%len(refs)].Where, Sealed: ref.Sealed}), append(what, kind)
			}
			if len(last) > 0 && i == 0 {
				moved, what = append(moved, gatehouse.SealedRef{Where: last[i%len(last)].Where, Sealed: ref.Sealed}), append(what, kind)
			}
		}
		if len(refs) > 0 {
			last = refs
		}
	}
	if err := d.tryForgotten(ctx, v, proof, "erased", d.forgotten); err != nil {
		return err
	}
	plain, err := d.openAll(ctx, v, "moved", proof, moved)
	if err != nil {
		return err
	}
	d.report.Swaps += len(moved)
	for i, p := range plain {
		if p != nil {
			d.swapOpened("a sealed " + what[i] + " in another row")
		}
	}
	return nil
}

// thatOpen keeps the values that open in their own place: others were erased or have
// expired. The drill's own are there, so of every kind there is one at least.
func (d *drill) thatOpen(ctx context.Context, v gatehouse.Opener, proof []byte, kind string, refs []gatehouse.SealedRef) (kept []gatehouse.SealedRef, err error) {
	for _, ref := range refs {
		plain, err := d.openAll(ctx, v, "own", proof, []gatehouse.SealedRef{ref})
		if err != nil {
			return nil, err
		}
		if plain[0] != nil {
			kept = append(kept, ref)
		}
		if len(kept) == swapped {
			return kept, nil
		}
	}
	if len(kept) == 0 {
		return nil, gatehouse.Errorf("drill.swap", "this is a fault of the drill, or the copy is damaged", "no sealed value of the kind %s opens in its own place", kind)
	}
	return kept, nil
}

// swapKeyRows exchanges the sealed seeds of chains in the key store: what was sealed
// under them may open no more.
func (d *drill) swapKeyRows(ctx context.Context, gate *vault.GateKey, root string, groups map[string][]gatehouse.SealedRef) error {
	if err := d.changeKeyStore(ctx, gate, root, func(db *sealeddb.DB) error { return rotateSeeds(ctx, db) }); err != nil {
		return err
	}
	v, proof, done, err := d.openVault(ctx, gate, root)
	if err != nil {
		return err
	}
	defer done()
	for kind, refs := range groups {
		plain, err := d.openAll(ctx, v, "keys", proof, refs)
		if err != nil {
			return err
		}
		d.report.Swaps += len(refs)
		for _, p := range plain {
			if p != nil {
				d.swapOpened(fmt.Sprintf("a sealed %s under another chain's row of the key store", kind))
			}
		}
	}
	return nil
}

// rotateSeeds gives every chain the sealed seed of the chain before it.
func rotateSeeds(ctx context.Context, db *sealeddb.DB) error {
	return db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, enc, sealed FROM chains ORDER BY id`)
		if err != nil {
			return err
		}
		var ids, encs, seeds [][]byte
		for rows.Next() {
			var id, enc, sealed []byte
			if err := rows.Scan(&id, &enc, &sealed); err != nil {
				rows.Close()
				return err
			}
			ids, encs, seeds = append(ids, id), append(encs, enc), append(seeds, sealed)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
		for i, id := range ids {
			from := (i + 1) % len(ids)
			if _, err := tx.ExecContext(ctx, `UPDATE chains SET enc = ?, sealed = ? WHERE id = ?`, encs[from], seeds[from], id); err != nil {
				return err
			}
		}
		return nil
	})
}
