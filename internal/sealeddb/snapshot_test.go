package sealeddb_test

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/sealeddb"
)

// A snapshot that is taken while a writer storms is a whole database, holds exactly
// what was committed before it, and opens under no key but the new one.
func TestFreezeWhileAWriterStorms(t *testing.T) {
	dir := t.TempDir()
	db := open(t, sealeddb.Options{Path: filepath.Join(dir, "a.db"), Key: newKey(t), IdleTime: 5 * time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	var storm sync.WaitGroup
	storm.Go(func() {
		for ctx.Err() == nil {
			_ = db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				// Two rows a transaction: a torn copy would hold an odd number.
				for range 2 {
					if _, err := tx.ExecContext(ctx, `INSERT INTO notes (body) VALUES (randomblob(3000))`); err != nil {
						return err
					}
				}
				_, err := tx.ExecContext(ctx, `UPDATE notes SET body = randomblob(3000) WHERE id % 7 = abs(random()) % 7`)
				return err
			})
		}
	})
	defer storm.Wait()
	defer stop()
	for round := range 5 {
		before := count(t, db)
		frozen, err := db.Freeze(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for grown := count(t, db); count(t, db) < grown+20; { // the file must not move meanwhile
			_, _ = db.Checkpoint(t.Context())
		}
		copied, err := io.ReadAll(frozen)
		if err != nil {
			t.Fatal(err)
		}
		key, oldKey := newKey(t), frozen.Key
		size := frozen.Size
		if err := frozen.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "copy.db")
		if err := sealeddb.Import(path, key, bytes.NewReader(copied), oldKey, size); err != nil {
			t.Fatal(err)
		}
		restored := open(t, sealeddb.Options{Path: path, Key: key})
		if err := restored.Check(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if n := count(t, restored); n < before || n%2 != 0 {
			t.Errorf("round %d: the copy holds %d rows, %d were committed before it", round, n, before)
		}
		_, err = sealeddb.Open(t.Context(), sealeddb.Options{Path: path, Key: oldKey, Migrations: notes})
		wantCode(t, err, "store.key")
	}
}

func TestImportRefuses(t *testing.T) {
	db := open(t, sealeddb.Options{Path: filepath.Join(t.TempDir(), "a.db"), Key: newKey(t)})
	insert(t, db, []byte("x"))
	frozen, err := db.Freeze(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := io.ReadAll(frozen)
	key := frozen.Key
	_ = frozen.Close()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "b.db")
	for what, try := range map[string]func() error{
		"cut": func() error {
			return sealeddb.Import(path, newKey(t), bytes.NewReader(copied[:5000]), key, int64(len(copied)))
		},
		"wrong key": func() error {
			return sealeddb.Import(path, newKey(t), bytes.NewReader(copied), newKey(t), int64(len(copied)))
		},
		"odd": func() error { return sealeddb.Import(path, newKey(t), bytes.NewReader(copied), key, 4097) },
	} {
		t.Run(what, func(t *testing.T) { wantCode(t, try(), "store.damaged") })
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 0 {
		t.Errorf("a refused import left %v", left)
	}
}
