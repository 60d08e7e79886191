package vault

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

const (
	methodRecordBundle = "bundle"  // header gatehouse.KeyBundle
	methodBundles      = "bundles" // reply []gatehouse.KeyBundle
)

// maxTarget bounds the name of a backup's target in the log, in bytes.
const maxTarget = 1000

// RecordBundle writes down that a key bundle went to a target, and when it is gone from
// there: erasures are final no sooner. It is called before the key store is read for it.
// Recorded again, a bundle keeps the later end, and certificates of erasures since it was
// made get a new entry where they said a sooner one. Errors: bundle.invalid, vault.unavailable, vault.timeout, and the store's.
func (v *Vault) RecordBundle(ctx context.Context, b gatehouse.KeyBundle) error {
	_, err := v.process.Call(ctx, methodRecordBundle, b, nil, nil)
	return err
}

// Bundles lists the key bundles that were recorded, oldest first. Errors:
// vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Bundles(ctx context.Context) ([]gatehouse.KeyBundle, error) {
	var list []gatehouse.KeyBundle
	_, err := v.process.Call(ctx, methodBundles, nil, nil, &list)
	return list, err
}

func (s *service) bundleHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodRecordBundle: s.handleRecordBundle, methodBundles: s.handleBundles, methodHoldBundle: s.handleHoldBundle}
}

func (s *service) handleRecordBundle(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var b gatehouse.KeyBundle
	if err := r.Decode(&b); err != nil {
		return nil, nil, err
	}
	if b.ID.IsZero() || b.At.IsZero() || !b.Expires.After(b.At) || len(b.Target) > maxTarget {
		return nil, nil, gatehouse.Errorf("bundle.invalid", "this is a fault of the program", "a key bundle has an id, a time, a target and a later end")
	}
	s.destroying.Lock() // no erasure is certified meanwhile
	defer s.destroying.Unlock()
	return nil, nil, s.audit.recordBundle(ctx, b)
}

// recordBundle writes the bundle's row, its leaf, and the certificates that it postpones.
func (a *auditDB) recordBundle(ctx context.Context, b gatehouse.KeyBundle) error {
	known := b.Seen
	if !known {
		if err := a.db.Readers().QueryRowContext(ctx, `SELECT count(*) > 0 FROM bundles WHERE id = ?`, b.ID[:]).Scan(&known); err != nil {
			return sealeddb.Wrap(auditFile, err)
		}
	}
	var later []gatehouse.ErasureCertificate
	if known {
		var err error
		if later, err = a.finalBefore(ctx, b.ID, b.At.UnixMilli(), b.Expires.UnixMilli()); err != nil {
			return err
		}
	}
	entries := []entry{{leaf: gatehouse.EventLeaf(gatehouse.BackupLeafKind, time.Now(), bundleRecorded, b.ID.String(), strconv.FormatInt(b.Expires.UnixMilli(), 10))}}
	for _, c := range later {
		entries = append(entries, entry{leaf: c.Leaf()})
	}
	_, err := a.commit(ctx, entries, func(ctx context.Context, tx *sql.Tx) error {
		for i, c := range later {
			if _, err := tx.ExecContext(ctx, `UPDATE erasures SET final_at = ?, leaf = ? WHERE id = ?`, c.FinalAt.UnixMilli(), a.tree.Size()+1+int64(i), c.ID[:]); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO bundles (id, at, target, expires, recorded) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET expires = max(expires, excluded.expires)`, b.ID[:], b.At.UnixMilli(), b.Target, b.Expires.UnixMilli(), a.tree.Size())
		return err
	})
	return err
}

func (s *service) handleBundles(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	rows, err := s.audit.db.Readers().QueryContext(ctx, `SELECT id, at, target, expires FROM bundles ORDER BY at, id`)
	if err != nil {
		return nil, nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	list := []gatehouse.KeyBundle{}
	for rows.Next() {
		var b gatehouse.KeyBundle
		var id []byte
		var at, expires int64
		if err := rows.Scan(&id, &at, &b.Target, &expires); err != nil {
			return nil, nil, sealeddb.Wrap(auditFile, err)
		}
		copy(b.ID[:], id)
		b.At, b.Expires = time.UnixMilli(at).UTC(), time.UnixMilli(expires).UTC()
		list = append(list, b)
	}
	return list, nil, sealeddb.Wrap(auditFile, rows.Err())
}

// lastBundle is when the last of the bundles is gone; zero where there is none.
func (a *auditDB) lastBundle(ctx context.Context) (time.Time, error) {
	var last sql.NullInt64
	err := a.db.Readers().QueryRowContext(ctx, `SELECT max(expires) FROM bundles`).Scan(&last)
	if err != nil || !last.Valid {
		return time.Time{}, sealeddb.Wrap(auditFile, err)
	}
	return time.UnixMilli(last.Int64).UTC(), nil
}
