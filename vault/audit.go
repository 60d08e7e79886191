package vault

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/tlog"
)

// auditDB is the vault process's audit file: the disclosures, and the Merkle log of
// every change and disclosure. Whatever the vault process does is a leaf here, in the
// transaction that does it or before it is done.
type auditDB struct {
	db      *sealeddb.DB
	reasons *reasons // seals what operators say

	// pay takes a disclosure's units from the budgets and calls write; set once.
	pay func(ctx context.Context, d gatehouse.Disclosure, write writeFunc) error

	following sync.Mutex // one call at a time adds the gate's leaves

	mu     sync.Mutex     // the log grows in one order
	tree   *auditlog.Tree // of the leaves that are committed
	signer *signer        // nil until begin
}

func openAudit(ctx context.Context, dir string, key [32]byte) (*auditDB, error) {
	db, err := openVaultDB(ctx, dir, auditFile, key, "audit")
	if err != nil {
		return nil, err
	}
	a := &auditDB{db: db}
	if err := a.resume(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return a, nil
}

// resume reads the right edge of the tree, behind which leaves are added.
func (a *auditDB) resume(ctx context.Context) error {
	var size int64
	err := a.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM leaves`).Scan(&size)
	if err == nil {
		a.tree, err = auditlog.Resume(size, hashReader(ctx, a.db.Readers()))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return gatehouse.Errorf("store.damaged", "restore it from a backup", "hashes of the audit log are missing")
	}
	return sealeddb.Wrap(auditFile, err)
}

// entry is a leaf on its way into the log; position is where it stands in the gate's
// own files, 0 for what the vault records itself.
type entry struct {
	position uint64
	leaf     []byte
}

// commit runs also (nil for nothing) and adds the entries to the Merkle log, all in
// one transaction that is durable when commit returns nil, and says which number the
// first of them has.
func (a *auditDB) commit(ctx context.Context, entries []entry, also func(ctx context.Context, tx *sql.Tx) error) (first int64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if first, err = a.add(ctx, entries, also); err == nil && len(entries) > 0 {
		a.signer.grown()
	}
	return first, err
}

// add is commit with the lock held.
func (a *auditDB) add(ctx context.Context, entries []entry, also func(ctx context.Context, tx *sql.Tx) error) (first int64, err error) {
	grown := a.tree.Clone()
	err = a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		return addLeaves(ctx, tx, grown, entries)
	})
	first = a.tree.Size()
	if err == nil {
		a.tree = grown
	}
	return first, err
}

// record is commit of one leaf of the vault's own.
func (a *auditDB) record(ctx context.Context, leaf []byte, also func(ctx context.Context, tx *sql.Tx) error) (int64, error) {
	return a.recordStates(ctx, leaf, nil, also)
}

func addLeaves(ctx context.Context, tx *sql.Tx, tree *auditlog.Tree, entries []entry) error {
	leaf, err := tx.PrepareContext(ctx, `INSERT INTO leaves (n, position, leaf) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer leaf.Close()
	hash, err := tx.PrepareContext(ctx, `INSERT INTO hashes (i, hash) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	defer hash.Close()
	for _, e := range entries {
		n := tree.Size()
		position := sql.NullInt64{Int64: int64(e.position), Valid: e.position > 0}
		if _, err := leaf.ExecContext(ctx, n, position, e.leaf); err != nil {
			return err
		}
		at := tlog.StoredHashIndex(0, n)
		for i, h := range tree.Append(e.leaf) {
			if _, err := hash.ExecContext(ctx, at+int64(i), h[:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// queryer is a transaction or the readers.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func hashReader(ctx context.Context, q queryer) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			var b []byte
			if err := q.QueryRowContext(ctx, `SELECT hash FROM hashes WHERE i = ?`, index).Scan(&b); err != nil {
				return nil, err
			}
			copy(hashes[i][:], b)
		}
		return hashes, nil
	})
}

// disclose takes d's units from the budgets and writes what is left of them, d, its
// leaf, and what also writes; it is on disk when disclose returns nil. Errors:
// vault.budget, vault.canary, vault.sealed, and the store's.
func (a *auditDB) disclose(ctx context.Context, d gatehouse.Disclosure, also func(ctx context.Context, tx *sql.Tx) error) error {
	return a.pay(ctx, d, func(levels stateSealer) error { return a.noteStates(ctx, d, levels, also) })
}

// note writes a disclosure that no budget is spent on: of what is not the vault's to
// open, and bulk releases, which two people approved.
func (a *auditDB) note(ctx context.Context, d gatehouse.Disclosure, also func(ctx context.Context, tx *sql.Tx) error) error {
	return a.noteStates(ctx, d, nil, also)
}

// noteStates is note with the states that the disclosure changes; its leaf commits to
// them.
func (a *auditDB) noteStates(ctx context.Context, d gatehouse.Disclosure, states stateSealer, also func(ctx context.Context, tx *sql.Tx) error) error {
	leaf, write, err := a.noted(ctx, d)
	if err != nil {
		return err
	}
	_, err = a.recordStates(ctx, leaf, states, func(ctx context.Context, tx *sql.Tx) error {
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		return write(ctx, tx)
	})
	return err
}

// alsoFunc is what is written with a leaf, in its transaction.
type alsoFunc = func(ctx context.Context, tx *sql.Tx) error

// noted is the leaf of a disclosure, and what is written with it.
func (a *auditDB) noted(ctx context.Context, d gatehouse.Disclosure) (leaf []byte, also alsoFunc, err error) {
	if d.Items, err = a.aliased(ctx, d.Items); err != nil {
		return nil, nil, err
	}
	items, err := json.Marshal(d.Items)
	if err != nil {
		return nil, nil, err
	}
	reason, err := a.reasons.seal(ctx, a.reasons.of("disclosures", d.ID), d.At, d.Reason)
	if err != nil {
		return nil, nil, err
	}
	return gatehouse.DisclosureLeaf(d, reason), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO disclosures (id, at, operator, role, purpose, reason, items, units) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			d.ID[:], d.At.UnixMilli(), d.Operator, d.Role, d.Purpose, reason, string(items), d.Units)
		return err
	}, nil
}

// disclosures gives the newest first, those before a cursor if it is set.
func (a *auditDB) disclosures(ctx context.Context, before gatehouse.ID, limit int) (list []gatehouse.Disclosure, err error) {
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT id, at, operator, role, purpose, reason, items, units FROM disclosures WHERE id < ? ORDER BY id DESC LIMIT ?`, before[:], limit)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var d gatehouse.Disclosure
		var id, reason []byte
		var at int64
		var items string
		if err := rows.Scan(&id, &at, &d.Operator, &d.Role, &d.Purpose, &reason, &items, &d.Units); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		copy(d.ID[:], id)
		d.At = time.UnixMilli(at).UTC()
		if err := json.Unmarshal([]byte(items), &d.Items); err != nil {
			return nil, gatehouse.Errorf("store.damaged", "restore it from a backup", "a row of the disclosure log cannot be read: %w", err)
		}
		d.ReasonSealed, d.SealedReason = len(reason) > 0, reason
		list = append(list, d)
	}
	return list, sealeddb.Wrap(auditFile, rows.Err())
}
