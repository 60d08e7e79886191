package vault

import (
	"context"
	"crypto/hpke"
	"database/sql"
	"slices"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// sealedToKey counts the rows that a key's private half opens: of chains, of holds, and of
// what holds kept when it expired.
const sealedToKey = `SELECT (SELECT count(*) FROM chains WHERE recipient = ?1)
	+ (SELECT count(*) FROM holds WHERE recipient = ?1) + (SELECT count(*) FROM held_chains WHERE recipient = ?1)`

// pin lets the key store be used with a public key too.
func (k *keyStore) pin(ctx context.Context, key hpke.PublicKey) error {
	return k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { return pin(ctx, tx, key) })
}

// unpin takes keys' pins away if no row names them, and says how many do.
func (k *keyStore) unpin(ctx context.Context, names []string) (left int, err error) {
	err = k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, name := range names {
			var n int
			if err := tx.QueryRowContext(ctx, sealedToKey, name).Scan(&n); err != nil {
				return err
			}
			left += n
		}
		if left > 0 {
			return nil
		}
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, `DELETE FROM public_keys WHERE name = ?`, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && left == 0 {
		_, err = k.db.Checkpoint(ctx) // the old seals leave the log too
	}
	return left, err
}

// sealedToAny counts the rows that are sealed to one of the keys.
func (k *keyStore) sealedToAny(ctx context.Context, names []string) (all int, err error) {
	for _, name := range names {
		n, err := k.sealedTo(ctx, name)
		if err != nil {
			return 0, err
		}
		all += n
	}
	return all, nil
}

// sealedTo counts the rows that are sealed to a key.
func (k *keyStore) sealedTo(ctx context.Context, name string) (n int, err error) {
	err = k.db.Readers().QueryRowContext(ctx, sealedToKey, name).Scan(&n)
	return n, sealeddb.Wrap(keyStoreFile, err)
}

// numberedRow is a row and its number in the table, which orders the walk.
type numberedRow struct {
	chainRow
	number int64
}

// reseal moves up to limit rows behind after to a new key, in one transaction, and
// says which row was the last; 0 at the end. The encapsulations are made outside the
// transaction: the gate waits for no more than the writing. A row that was deleted
// meanwhile stays deleted.
func (k *keyStore) reseal(ctx context.Context, from privateKeys, to hpke.PublicKey, after int64, limit int) (moved int, last int64, damaged int, err error) {
	rows, err := k.rowsOf(ctx, from, after, limit)
	if err != nil || len(rows) == 0 {
		return 0, 0, 0, err
	}
	last = rows[len(rows)-1].number
	resealed := make([]chainRow, 0, len(rows))
	for _, r := range rows {
		seed, err := r.openSeed(from)
		if err != nil {
			damaged++
			continue
		}
		row, err := r.sealedAnew(to, seed)
		if err != nil {
			return 0, 0, 0, err
		}
		resealed = append(resealed, row)
	}
	err = k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		update, err := tx.PrepareContext(ctx, `UPDATE chains SET recipient = ?, enc = ?, sealed = ? WHERE org = ? AND site = ? AND id = ? AND recipient <> ?`)
		if err != nil {
			return err
		}
		defer update.Close()
		for i := range resealed {
			r := &resealed[i]
			result, err := update.ExecContext(ctx, r.Recipient, r.Enc, r.Sealed, string(r.Org), string(r.Site), r.ID[:], r.Recipient)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			moved += int(n)
		}
		return nil
	})
	return moved, last, damaged, err
}

// sealedAnew is the row with its seed sealed to another key; the seed is zeroed.
func (r *chainRow) sealedAnew(to hpke.PublicKey, seed []byte) (chainRow, error) {
	row := *r
	row.Recipient = publicKeyName(to)
	err := row.sealSeed(to, seed)
	clear(seed)
	if err != nil {
		err = gatehouse.Errorf("vault.failed", "try again", "a chain cannot be sealed to the new key: %w", err)
	}
	return row, err
}

// rowsOf reads rows that are sealed to one of the keys, by number.
func (k *keyStore) rowsOf(ctx context.Context, keys privateKeys, after int64, limit int) ([]numberedRow, error) {
	var all []numberedRow
	for name := range keys {
		rows, err := k.db.Readers().QueryContext(ctx, `SELECT rowid, org, site, id, kind, subject, class, day, recipient, enc, sealed FROM chains
			WHERE recipient = ? AND rowid > ? ORDER BY rowid LIMIT ?`, name, after, limit)
		if err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
		for rows.Next() {
			var r numberedRow
			var id, subject []byte
			if err := rows.Scan(&r.number, &r.Org, &r.Site, &id, &r.Kind, &subject, &r.Class, &r.Day, &r.Recipient, &r.Enc, &r.Sealed); err != nil {
				rows.Close()
				return nil, sealeddb.Wrap(keyStoreFile, err)
			}
			copy(r.ID[:], id)
			copy(r.Subject[:], subject)
			all = append(all, r)
		}
		err = rows.Err()
		rows.Close()
		if err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
	}
	slices.SortFunc(all, func(a, b numberedRow) int { return int(a.number - b.number) })
	return all[:min(len(all), limit)], nil
}
