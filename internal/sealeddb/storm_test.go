package sealeddb_test

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/sealeddb"
)

// TestReaderStorm reads as fast as it can while rows are committed: without the
// lock between the cipher and the file, readers saw "malformed" in one of five runs
// of six seconds, since the log's frames and the cipher's blocks overlap
// (TestGuardKeepsBlocksWhole shows the same every time).
func TestReaderStorm(t *testing.T) {
	span := 6 * time.Second
	if testing.Short() {
		span = time.Second
	}
	db := open(t, sealeddb.Options{Path: filepath.Join(t.TempDir(), "a.db"), Key: newKey(t), Readers: 4})
	insert(t, db, []byte("first"))
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var wg sync.WaitGroup
	reads := make([]int, 4)
	for r := range reads {
		wg.Go(func() {
			last := 0
			for ctx.Err() == nil {
				var n, bytes int
				err := db.Readers().QueryRow(`SELECT count(*), sum(length(body)) FROM (SELECT body FROM notes ORDER BY id DESC LIMIT 200)`).Scan(&n, &bytes)
				if err != nil {
					t.Errorf("a reader failed: %v", err)
					return
				}
				if n < last {
					t.Errorf("a reader saw %d rows after %d", n, last)
					return
				}
				last = n
				reads[r]++
			}
		})
	}
	commits := 0
	for ctx.Err() == nil {
		insert(t, db, bytes.Repeat([]byte{byte(commits)}, commits%3000))
		commits++
	}
	wg.Wait()
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := count(t, db); got != commits+1 {
		t.Errorf("%d rows, want %d", got, commits+1)
	}
	t.Logf("%d commits beside %v reads", commits, reads)
}
