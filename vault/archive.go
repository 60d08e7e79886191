package vault

import (
	"context"
	"crypto/hpke"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/index"
)

// archive holds the search index while the vault is unsealed. It is opened by the first
// call that needs it and closed when the key is wiped.
type archive struct {
	dir  string
	room *strongroom
	keys *keyStore

	changing sync.Mutex // opening, closing, feeding, removing: one at a time
	applied  int64      // the last removal that the open index has followed

	using sync.RWMutex // open is not closed while somebody uses it
	open  *index.Index // nil while closed
}

// use calls f with the index, which has followed every removal.
func (a *archive) use(ctx context.Context, private privateKeys, f func(*index.Index) error) error {
	if err := a.ready(ctx, private); err != nil {
		return err
	}
	a.using.RLock()
	x := a.open
	err := errSealed()
	if x != nil {
		err = f(x)
	}
	a.using.RUnlock()
	return a.damaged(err, x)
}

// put is use for a batch: no removal comes between its rows and the next use.
func (a *archive) put(ctx context.Context, private privateKeys, f func(*index.Index) error) error {
	if err := a.ready(ctx, private); err != nil {
		return err
	}
	a.changing.Lock()
	x := a.open
	err := errSealed()
	if x != nil {
		if err = f(x); err == nil {
			// Who was erased while the values were being opened is among the rows now.
			err = a.follow(ctx, x)
		}
	}
	a.changing.Unlock()
	return a.damaged(err, x)
}

// openingWait is how long a call waits for an index that is being opened. A large one
// that must be written anew takes longer than a call may.
const openingWait = 15 * time.Second

// ready opens the index if need be, and applies what was removed since.
func (a *archive) ready(ctx context.Context, all privateKeys) error {
	private := all[publicKeyName(a.room.current())]
	if private == nil {
		return errSealed() // a rotation has just begun: the next asker has the new key
	}
	done := make(chan error, 1)
	go func() { done <- a.prepare(context.WithoutCancel(ctx), private) }()
	timer := time.NewTimer(openingWait)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return gatehouse.Errorf("index.opening", "try again in a moment", "the search index is still being opened")
	}
}

func (a *archive) prepare(ctx context.Context, private hpke.PrivateKey) error {
	a.changing.Lock()
	x := a.open
	var err error
	if x == nil {
		// The key may have been wiped since the caller got it; if that happens from here
		// on, close waits for us.
		if _, err = a.room.use(); err == nil && publicKeyName(private.PublicKey()) != publicKeyName(a.room.current()) {
			err = errSealed() // a rotation came between
		}
		if err == nil {
			x, err = a.begin(ctx, private)
		}
	} else {
		err = a.follow(ctx, x)
	}
	a.changing.Unlock()
	return a.damaged(err, x)
}

// begin opens the index, applies every removal there ever was, since the file may be an
// older copy, and writes it anew where something was removed.
func (a *archive) begin(ctx context.Context, private hpke.PrivateKey) (*index.Index, error) {
	x, key, err := openIndex(ctx, a.dir, private)
	if err != nil {
		return nil, err
	}
	defer func() { clear(key[:]) }()
	a.applied = 0
	err = a.follow(ctx, x)
	var p index.Progress
	if err == nil {
		p, err = x.Progress(ctx)
	}
	if err == nil && p.Removed {
		if err = x.Close(); err != nil {
			return nil, err
		}
		if key, err = rewriteIndex(ctx, a.dir, private, key); err != nil {
			return nil, err
		}
		if x, key, err = openIndex(ctx, a.dir, private); err != nil {
			return nil, err
		}
		err = x.Rewritten(ctx)
	}
	a.using.Lock()
	a.open = x
	a.using.Unlock()
	if err != nil && gatehouse.ErrorCode(err) != "index.damaged" { // then the caller gives it up
		return nil, errors.Join(err, a.shut())
	}
	return x, err
}

// removalsAtOnce bounds what one step of follow holds in memory.
const removalsAtOnce = 10_000

// forget makes every removal true of the index. Nobody can open the index of a sealed
// vault, so that one is thrown away, and built again from the log at the next unsealing.
func (a *archive) forget(ctx context.Context) error {
	if none, err := a.none(); none || err != nil {
		return err
	}
	if private, err := a.room.use(); err == nil {
		switch err := a.ready(ctx, private); gatehouse.ErrorCode(err) {
		case "index.damaged": // it was thrown away
			return nil
		case "vault.sealed": // meanwhile
		default:
			return err
		}
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	if err := a.shut(); err != nil {
		return err
	}
	return dropIndex(a.dir)
}

// none reports whether there is no index, not even an unfinished one.
func (a *archive) none() (bool, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	if a.open != nil {
		return false, nil
	}
	for _, name := range indexFiles {
		if _, err := os.Lstat(filepath.Join(a.dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return false, sealeddb.Wrap(indexFile, err)
		}
	}
	return true, nil
}

// rekey wraps the index's file key for a new vault key and calls then, with which that key
// comes into use; so the index outlives a rotation. Where none of the keys opens it, it is
// built again.
func (a *archive) rekey(keys openKeys, to hpke.PublicKey, then func() ([]byte, error)) ([]byte, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	var fresh hpke.PrivateKey
	var files [][32]byte
	for _, k := range keys.from(publicKeyName(to)) { // the new one first
		private, err := kem().NewPrivateKey(k.seed[:])
		if err != nil {
			return nil, gatehouse.Errorf("vault.failed", "try again", "a key of the rotation cannot be used: %w", err)
		}
		if fresh == nil {
			fresh = private
		}
		if files, err = readIndexKeys(a.dir, private); err != nil {
			continue // there is none, or it is another key's
		}
		if private != fresh { // or it was done before
			err = writeIndexKeys(a.dir, fresh, files...)
		}
		clear(files)
		if err != nil {
			return nil, err
		}
		break
	}
	return then()
}

// follow applies the removals that the key store has noted since. The caller holds
// a.changing.
func (a *archive) follow(ctx context.Context, x *index.Index) error {
	for {
		removals, last, err := a.keys.removalsAfter(ctx, a.applied, removalsAtOnce)
		if err != nil {
			return err
		}
		if len(removals) == 0 {
			return x.Settle(ctx)
		}
		if _, err := x.Remove(ctx, removals); err != nil {
			return err
		}
		a.applied = last
	}
}

// sealed is close for when the key was wiped.
func (a *archive) sealed() {
	if err := a.close(); err != nil {
		child.NewLog().Warn("the search index could not be closed well", "code", gatehouse.ErrorCode(err))
	}
}

// close closes the index; its key is forgotten.
func (a *archive) close() error {
	a.changing.Lock()
	defer a.changing.Unlock()
	return a.shut()
}

func (a *archive) shut() error {
	a.using.Lock()
	defer a.using.Unlock()
	x := a.open
	if a.open = nil; x == nil {
		return nil
	}
	return x.Close()
}

// damaged gives an index up that turned out to be damaged: it is built again.
func (a *archive) damaged(err error, x *index.Index) error {
	if gatehouse.ErrorCode(err) != "index.damaged" || x == nil {
		return err
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	if a.open == x {
		child.NewLog().Warn("the search index is damaged; it is built again from the log", "code", "index.damaged")
		_ = a.shut() // what a damaged file's end says does not matter
		if err := dropIndex(a.dir); err != nil {
			return err
		}
	}
	return gatehouse.Errorf("index.damaged", "try again when it is built", "the search index was damaged and is built again from the log")
}

// removalsAfter lists what was erased and expired behind number after, at most limit,
// and gives the last one's number.
func (k *keyStore) removalsAfter(ctx context.Context, after int64, limit int) (list []index.Removal, last int64, err error) {
	// No template is in the index.
	rows, err := k.db.Readers().QueryContext(ctx, `SELECT n, org, site, kind, subject, class, day FROM removals WHERE n > ? AND kind <> ? ORDER BY n LIMIT ?`, after, templatesRemoval, limit)
	if err != nil {
		return nil, 0, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r index.Removal
		var kind chainKind
		var subject []byte
		if err := rows.Scan(&last, &r.Org, &r.Site, &kind, &subject, &r.Class, &r.Day); err != nil {
			return nil, 0, sealeddb.Wrap(keyStoreFile, err)
		}
		if kind == subjectChain {
			copy(r.Subject[:], subject)
			r.Class, r.Day = "", ""
		}
		list = append(list, r)
	}
	return list, last, sealeddb.Wrap(keyStoreFile, rows.Err())
}

// removed reports whether a subject was erased.
func (k *keyStore) removed(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) (bool, error) {
	var yes bool
	err := k.db.Readers().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM removals WHERE org = ? AND site = ? AND kind = ? AND subject = ?)`,
		string(place.Org), string(place.Site), string(subjectChain), subject[:]).Scan(&yes)
	return yes, sealeddb.Wrap(keyStoreFile, err)
}
