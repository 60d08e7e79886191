package sealeddb

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"
)

// slowFile writes a block in two halves with a pause between them.
type slowFile struct {
	vfs.File
	data [2]atomic.Uint32
	err  error
}

func (f *slowFile) WriteAt(p []byte, _ int64) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	f.data[0].Store(uint32(p[0]))
	time.Sleep(time.Millisecond)
	f.data[1].Store(uint32(p[0]))
	return len(p), nil
}

func (f *slowFile) ReadAt(p []byte, _ int64) (int, error) {
	p[0], p[1] = byte(f.data[0].Load()), byte(f.data[1].Load())
	return len(p), nil
}

func (f *slowFile) Truncate(int64) error    { return f.err }
func (f *slowFile) Sync(vfs.SyncFlag) error { return f.err }
func (f *slowFile) Close() error            { return nil }

// TestGuardKeepsBlocksWhole reads through one handle while another writes.
func TestGuardKeepsBlocksWhole(t *testing.T) {
	file, lock := &slowFile{}, &fileLock{}
	writer, reader := &guardFile{File: file, lock: lock}, &guardFile{File: file, lock: lock}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(stop)
		for i := range 100 {
			if _, err := writer.WriteAt([]byte{byte(i)}, 0); err != nil {
				t.Error(err)
			}
		}
	})
	reads := 0
	for done := false; !done; reads++ {
		var block [2]byte
		if _, err := reader.ReadAt(block[:], 0); err != nil || block[0] != block[1] {
			t.Fatalf("a block half written: %v (%v)", block, err)
		}
		select {
		case <-stop:
			done = true
		default:
		}
	}
	wg.Wait()
	if reads < 10 {
		t.Errorf("only %d reads beside the writes", reads)
	}
}

func TestGuardSharesOneLockAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	steps := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (b);\n")}}
	db, err := Open(t.Context(), Options{Path: path, Key: [32]byte{1}, Migrations: steps})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Readers().Exec(`SELECT * FROM a`); err != nil {
		t.Fatal(err)
	}
	users := func(path string) int {
		guard.mu.Lock()
		defer guard.mu.Unlock()
		if lock := guard.files[path]; lock != nil {
			return lock.users
		}
		return 0
	}
	for _, file := range []string{path, path + "-wal"} {
		if n := users(file); n != 2 {
			t.Errorf("%d connections share the lock of %s, want the writer and a reader", n, filepath.Base(file))
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + "-wal"} {
		if n := users(file); n != 0 {
			t.Errorf("%d users of %s are left", n, filepath.Base(file))
		}
	}
}

func TestFullDiskIsTold(t *testing.T) {
	for _, c := range []struct {
		err  error
		full bool
	}{{syscall.ENOSPC, true}, {syscall.EDQUOT, true}, {syscall.EIO, false}} {
		f := &guardFile{File: &slowFile{err: c.err}, lock: &fileLock{}}
		_, writeErr := f.WriteAt([]byte{1}, 0)
		for what, err := range map[string]error{"write": writeErr, "truncate": f.Truncate(0), "sync": f.Sync(0)} {
			// A tagged error hides its cause from errors.Is until SQLite returns it.
			if full := !errors.Is(err, c.err); full != c.full || err.Error() != c.err.Error() {
				t.Errorf("%s: %v was passed on as %v, tagged %v", what, c.err, err, full)
			}
		}
	}
	if got := diskFull(nil); got != nil {
		t.Errorf("nil became %v", got)
	}
}
