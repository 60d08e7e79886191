package vault

import (
	"context"
	"encoding/binary"
	"sync"

	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"
)

// removalName keeps the name of the key store's erasure list up to date: its rows are
// only ever added.
type removalName struct {
	keys *keyStore

	mu   sync.Mutex
	list *auditlog.RemovalList
	last int64 // the number of the last row in it
}

func newRemovalName(keys *keyStore) *removalName {
	return &removalName{keys: keys, list: auditlog.NewRemovalList()}
}

// removals names the list as it is now.
func (r *removalName) removals(ctx context.Context) (auditlog.Removals, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := eachRemoval(ctx, r.keys, r.last, func(n int64, parts ...[]byte) {
		r.list.Add(parts...)
		r.last = n
	})
	return r.list.Removals(), err
}

// eachRemoval calls f for every row behind n, in order; its parts are what the
// list's digest is over.
func eachRemoval(ctx context.Context, keys *keyStore, after int64, f func(n int64, parts ...[]byte)) error {
	rows, err := keys.db.Readers().QueryContext(ctx, `SELECT n, at, org, site, kind, subject, class, day FROM removals WHERE n > ? ORDER BY n`, after)
	if err != nil {
		return sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var n, at int64
		var org, site, kind, subject, class, day []byte
		if err := rows.Scan(&n, &at, &org, &site, &kind, &subject, &class, &day); err != nil {
			return sealeddb.Wrap(keyStoreFile, err)
		}
		f(n, binary.BigEndian.AppendUint64(nil, uint64(at)), org, site, kind, subject, class, day)
	}
	return sealeddb.Wrap(keyStoreFile, rows.Err())
}
