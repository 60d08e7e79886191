package vault

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"

	"golang.org/x/mod/sumdb/tlog"
)

// auditDB is the vault process's audit file: the disclosures, and the Merkle log of
// every change and disclosure. Whatever the vault process does is a leaf here, in the
// transaction that does it or before it is done.
type auditDB struct {
	db      *sealeddb.DB
	reasons *reasons // seals what operators say

	mu   sync.Mutex // the log grows in one order
	size int64      // leaves that are committed
}

func openAudit(ctx context.Context, dir string, key [32]byte) (*auditDB, error) {
	db, err := openVaultDB(ctx, dir, auditFile, key, "audit")
	if err != nil {
		return nil, err
	}
	a := &auditDB{db: db}
	if err := db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM leaves`).Scan(&a.size); err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	return a, nil
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
	first = a.size
	err = a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		for i, e := range entries {
			if err := addLeaf(ctx, tx, first+int64(i), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		a.size += int64(len(entries))
	}
	return first, err
}

// record is commit of one leaf of the vault's own.
func (a *auditDB) record(ctx context.Context, leaf []byte, also func(ctx context.Context, tx *sql.Tx) error) (int64, error) {
	return a.commit(ctx, []entry{{leaf: leaf}}, also)
}

func addLeaf(ctx context.Context, tx *sql.Tx, n int64, e entry) error {
	position := sql.NullInt64{Int64: int64(e.position), Valid: e.position > 0}
	if _, err := tx.ExecContext(ctx, `INSERT INTO leaves (n, position, leaf) VALUES (?, ?, ?)`, n, position, e.leaf); err != nil {
		return err
	}
	hashes, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(e.leaf), hashReader(ctx, tx))
	if err != nil {
		return err
	}
	at := tlog.StoredHashIndex(0, n)
	for i, h := range hashes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO hashes (i, hash) VALUES (?, ?)`, at+int64(i), h[:]); err != nil {
			return err
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

// disclose writes d, its leaf, and what also writes; it is on disk when disclose
// returns nil.
func (a *auditDB) disclose(ctx context.Context, d gatehouse.Disclosure, also func(ctx context.Context, tx *sql.Tx) error) error {
	random(d.Salt[:])
	items, err := json.Marshal(d.Items)
	if err != nil {
		return err
	}
	reason, salt := []byte{}, d.Salt[:]
	if d.Reason != "" {
		if reason, err = a.reasons.seal(ctx, d); err != nil {
			return err
		}
		salt = []byte{} // it is sealed with the reason, which could be guessed with it
	}
	_, err = a.record(ctx, gatehouse.DisclosureLeaf(d), func(ctx context.Context, tx *sql.Tx) error {
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO disclosures (id, at, operator, role, purpose, reason, salt, items, units) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			d.ID[:], d.At.UnixMilli(), d.Operator, d.Role, d.Purpose, reason, salt, string(items), d.Units)
		return err
	})
	return err
}

// disclosures gives the newest first, those before a cursor if it is set, and beside
// each its sealed reason, nil for none; see service.openReasons.
func (a *auditDB) disclosures(ctx context.Context, before gatehouse.ID, limit int) (list []gatehouse.Disclosure, sealed [][]byte, err error) {
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT id, at, operator, role, purpose, reason, salt, items, units FROM disclosures WHERE id < ? ORDER BY id DESC LIMIT ?`, before[:], limit)
	if err != nil {
		return nil, nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var d gatehouse.Disclosure
		var id, salt, reason []byte
		var at int64
		var items string
		if err := rows.Scan(&id, &at, &d.Operator, &d.Role, &d.Purpose, &reason, &salt, &items, &d.Units); err != nil {
			return nil, nil, sealeddb.Wrap(auditFile, err)
		}
		copy(d.ID[:], id)
		copy(d.Salt[:], salt)
		d.At = time.UnixMilli(at).UTC()
		if err := json.Unmarshal([]byte(items), &d.Items); err != nil {
			return nil, nil, gatehouse.Errorf("store.damaged", "restore it from a backup", "a row of the disclosure log cannot be read: %w", err)
		}
		switch _, err := parseEnvelope(reason); {
		case len(reason) == 0:
			reason = nil
		case err != nil: // written in clear by an earlier version
			d.Reason, reason = string(reason), nil
		}
		list, sealed = append(list, d), append(sealed, reason)
	}
	return list, sealed, sealeddb.Wrap(auditFile, rows.Err())
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
