package vault

import (
	"context"
	"crypto/hpke"
	"database/sql"
	"slices"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// heldRow is what a legal hold has under the vault key: its own key, or a row of a day
// that expired and is held.
type heldRow struct {
	chainRow
	hold gatehouse.ID // zero for the hold's own key
}

// resealHeld moves what holds keep to a new key, limit rows in a transaction. There is
// little of it, so it is done in one go when the chains are through. Rows that do not
// open are counted and left.
func (k *keyStore) resealHeld(ctx context.Context, from privateKeys, to hpke.PublicKey, limit int) (moved, damaged int, err error) {
	all, err := k.heldRows(ctx, from)
	if err != nil {
		return 0, 0, err
	}
	for rows := range slices.Chunk(all, limit) {
		resealed := rows[:0:0]
		for _, r := range rows {
			seed, err := r.openSeed(from)
			if err != nil {
				damaged++
				continue
			}
			if r.chainRow, err = r.sealedAnew(to, seed); err != nil {
				return moved, damaged, err
			}
			resealed = append(resealed, r)
		}
		err := k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for _, r := range resealed {
				statement := `UPDATE held_chains SET recipient = ?, enc = ?, sealed = ? WHERE org = ? AND site = ? AND id = ? AND hold = ?`
				args := []any{r.Recipient, r.Enc, r.Sealed, string(r.Org), string(r.Site), r.ID[:], r.hold[:]}
				if r.hold.IsZero() {
					// One that has ended meanwhile keeps nothing any more.
					statement, args = `UPDATE holds SET recipient = ?, enc = ?, sealed = ? WHERE org = ? AND site = ? AND id = ? AND lifted = 0`, args[:6]
				}
				if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return moved, damaged, err
		}
		moved += len(resealed)
	}
	return moved, damaged, nil
}

// heldRows reads what is sealed to one of the keys.
func (k *keyStore) heldRows(ctx context.Context, keys privateKeys) ([]heldRow, error) {
	var all []heldRow
	for name := range keys {
		rows, err := k.db.Readers().QueryContext(ctx, `SELECT 'hold', org, site, id, x'', subject, '', day, recipient, enc, sealed FROM holds WHERE recipient = ?1
			UNION ALL SELECT 'day', org, site, id, hold, x'', class, day, recipient, enc, sealed FROM held_chains WHERE recipient = ?1`, name)
		if err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
		for rows.Next() {
			var r heldRow
			var id, hold, subject []byte
			if err := rows.Scan(&r.Kind, &r.Org, &r.Site, &id, &hold, &subject, &r.Class, &r.Day, &r.Recipient, &r.Enc, &r.Sealed); err != nil {
				rows.Close()
				return nil, sealeddb.Wrap(keyStoreFile, err)
			}
			copy(r.ID[:], id)
			copy(r.hold[:], hold)
			copy(r.Subject[:], subject)
			all = append(all, r)
		}
		err = rows.Err()
		rows.Close()
		if err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
	}
	return all, nil
}
