package sealeddb_test

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/internal/sealeddb"
)

// A database is rewritten again and again while others write and read: nothing that
// was committed is lost, no reader sees anything but rows, and the file is under the
// new key alone.
func TestRewriteWhileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	key := newKey(t)
	db := open(t, sealeddb.Options{Path: path, Key: key})
	for i := range 40 {
		insert(t, db, bytes.Repeat([]byte{byte(i)}, 5000))
	}
	var committed, read atomic.Int64
	committed.Store(40)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	running := func() bool {
		select {
		case <-stop:
			return false
		default:
			return true
		}
	}
	for range 2 {
		wg.Go(func() {
			for running() {
				insert(t, db, bytes.Repeat([]byte{7}, 300))
				committed.Add(1)
			}
		})
	}
	for range 4 { // more than there are connections
		wg.Go(func() {
			for running() {
				least := committed.Load()
				var n int64
				if err := db.Readers().QueryRow(`SELECT count(*) FROM notes`).Scan(&n); err != nil || n < least {
					t.Errorf("%d rows, %v; %d were committed before", n, err, least)
					return
				}
				read.Add(1)
			}
		})
	}
	for range 5 {
		fresh := newKey(t)
		held, err := db.Rewrite(t.Context(), fresh)
		if err != nil {
			t.Fatal(err)
		}
		if old, err := sealeddb.Fits(path, key); err != nil || old {
			t.Fatalf("the old key still fits (%v)", err)
		}
		if fits, err := sealeddb.Fits(path, fresh); err != nil || !fits {
			t.Fatalf("the new key does not fit (%v)", err)
		}
		key = fresh
		t.Logf("commits waited %v", held)
	}
	close(stop)
	wg.Wait()
	if got := count(t, db); int64(got) != committed.Load() || read.Load() == 0 {
		t.Errorf("%d rows, %d were committed; %d reads", got, committed.Load(), read.Load())
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, sealeddb.Options{Path: path, Key: key})
	if got := count(t, db); int64(got) != committed.Load() {
		t.Errorf("%d rows after opening it again", got)
	}
	if left, _ := filepath.Glob(path + "-rewrite*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A large database is rewritten page by page while others commit to it, and nothing
// of what they commit is lost.
func TestRewriteLargeWhileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	key := newKey(t)
	db := open(t, sealeddb.Options{Path: path, Key: key})
	for range 12 {
		var bodies [][]byte
		for i := range 400 {
			bodies = append(bodies, bytes.Repeat([]byte{byte(i)}, 4500))
		}
		insert(t, db, bodies...)
	}
	var committed atomic.Int64
	committed.Store(12 * 400)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				insert(t, db, bytes.Repeat([]byte{7}, 300+n%5000))
				committed.Add(1)
				if n%50 == 0 {
					if _, err := db.Checkpoint(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 3 {
		fresh := newKey(t)
		before := committed.Load()
		held, err := db.Rewrite(t.Context(), fresh)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d commits meanwhile, the last of them waited %v", committed.Load()-before, held)
		if fits, err := sealeddb.Fits(path, fresh); err != nil || !fits {
			t.Fatalf("the new key does not fit (%v)", err)
		}
		if fits, err := sealeddb.Fits(path, key); err != nil || fits {
			t.Fatalf("the old key fits still (%v)", err)
		}
		key = fresh
		if err := db.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	if got := count(t, db); int64(got) != committed.Load() {
		t.Errorf("%d rows, %d were committed", got, committed.Load())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, sealeddb.Options{Path: path, Key: key})
	if got := count(t, db); int64(got) != committed.Load() || db.Check(t.Context()) != nil {
		t.Errorf("%d rows after opening it again", got)
	}
}

// Where somebody reads on and on the file is left as it is, and goes on being of use.
func TestRewriteGivesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	key := newKey(t)
	db := open(t, sealeddb.Options{Path: path, Key: key})
	insert(t, db, []byte("one"))
	tx, err := db.Readers().BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow(`SELECT count(*) FROM notes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	_, err = db.Rewrite(t.Context(), newKey(t))
	wantCode(t, err, "store.busy")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	insert(t, db, []byte("two"))
	if fits, err := sealeddb.Fits(path, key); err != nil || !fits || count(t, db) != 2 {
		t.Errorf("%v %v", fits, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Rewrite(ctx, newKey(t)); err == nil {
		t.Error("it was rewritten after its caller had gone")
	}
	insert(t, db, []byte("three"))
}
