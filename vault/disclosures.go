package vault

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// disclosureLog is the durable record of every opening.
type disclosureLog struct{ db *sealeddb.DB }

func openDisclosureLog(ctx context.Context, dir string, key [32]byte) (*disclosureLog, error) {
	db, err := openVaultDB(ctx, dir, disclosuresFile, key, "disclosures")
	if err != nil {
		return nil, err
	}
	return &disclosureLog{db: db}, nil
}

// write records d; it is on disk when write returns nil.
func (l *disclosureLog) write(ctx context.Context, d gatehouse.Disclosure) error {
	items, err := json.Marshal(d.Items)
	if err != nil {
		return err
	}
	return l.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO disclosures (id, at, operator, purpose, reason, items, units) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			d.ID[:], d.At.UnixMilli(), d.Operator, d.Purpose, d.Reason, string(items), d.Units)
		return err
	})
}

// list gives the newest disclosures first, those before a cursor if it is set.
func (l *disclosureLog) list(ctx context.Context, before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error) {
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	rows, err := l.db.Readers().QueryContext(ctx, `SELECT id, at, operator, purpose, reason, items, units FROM disclosures WHERE id < ? ORDER BY id DESC LIMIT ?`, before[:], limit)
	if err != nil {
		return nil, sealeddb.Wrap(disclosuresFile, err)
	}
	defer rows.Close()
	var list []gatehouse.Disclosure
	for rows.Next() {
		var d gatehouse.Disclosure
		var id []byte
		var at int64
		var items string
		if err := rows.Scan(&id, &at, &d.Operator, &d.Purpose, &d.Reason, &items, &d.Units); err != nil {
			return nil, sealeddb.Wrap(disclosuresFile, err)
		}
		copy(d.ID[:], id)
		d.At = time.UnixMilli(at).UTC()
		if err := json.Unmarshal([]byte(items), &d.Items); err != nil {
			return nil, gatehouse.Errorf("store.damaged", "restore it from a backup", "a row of the disclosure log cannot be read: %w", err)
		}
		list = append(list, d)
	}
	return list, sealeddb.Wrap(disclosuresFile, rows.Err())
}

// units is what opening one value costs of a budget: an ID number 50, a name 1, a
// record or picture 10.
func units(where gatehouse.SealContext) int {
	switch where.Field {
	case "national_id":
		return 50
	case "name":
		return 1
	}
	return 10
}
