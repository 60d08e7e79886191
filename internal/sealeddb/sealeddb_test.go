package sealeddb_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// notes is a schema in two steps.
var notes = fstest.MapFS{
	"00001_notes.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (id INTEGER PRIMARY KEY, body BLOB NOT NULL);\n")},
	"00002_kind.sql":  {Data: []byte("-- +goose Up\nALTER TABLE notes ADD COLUMN kind TEXT NOT NULL DEFAULT '';\n")},
}

var firstStep = fstest.MapFS{"00001_notes.sql": notes["00001_notes.sql"]}

func newKey(t testing.TB) (key [32]byte) {
	t.Helper()
	if _, err := rand.Read(key[:]); err != nil {
		t.Fatal(err)
	}
	return key
}

func open(t testing.TB, o sealeddb.Options) *sealeddb.DB {
	t.Helper()
	if o.Migrations == nil {
		o.Migrations = notes
	}
	db, err := sealeddb.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func insert(t testing.TB, db *sealeddb.DB, bodies ...[]byte) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		for _, b := range bodies {
			if _, err := tx.ExecContext(ctx, `INSERT INTO notes (body) VALUES (?)`, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, db *sealeddb.DB) (n int) {
	t.Helper()
	if err := db.Readers().QueryRowContext(t.Context(), `SELECT count(*) FROM notes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func TestNothingInClear(t *testing.T) {
	dir := t.TempDir()
	key := newKey(t)
	marker := []byte("MARKER-that-must-not-be-found")
	db := open(t, sealeddb.Options{Path: filepath.Join(dir, "a.db"), Key: key})
	for range 50 {
		insert(t, db, bytes.Repeat(marker, 100))
	}
	look := func(when string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, needle := range [][]byte{marker, []byte("SQLite format"), []byte("CREATE TABLE"), key[:]} {
				if bytes.Contains(b, needle) {
					t.Errorf("%s: %s holds %.12q in clear", when, e.Name(), needle)
				}
			}
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(e.Name(), "-shm") {
				t.Errorf("%s: %s is readable by others: %v", when, e.Name(), info.Mode())
			}
		}
	}
	look("while open")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	look("after closing")
	if got := count(t, open(t, sealeddb.Options{Path: filepath.Join(dir, "a.db"), Key: key})); got != 50 {
		t.Errorf("%d rows after reopening, want 50", got)
	}
}

func TestDeletedRowsLeaveNoPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, sealeddb.Options{Path: path, Key: newKey(t)})
	insert(t, db, bytes.Repeat([]byte{7}, 1<<20))
	if err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM notes`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	emptied, err := db.Checkpoint(t.Context())
	if err != nil || !emptied {
		t.Fatal(emptied, err)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log still has content: %v %v", info, err)
	}
	for pragma, want := range map[string]int{"secure_delete": 1, "synchronous": 2, "foreign_keys": 0, "temp_store": 2, "busy_timeout": 5000} {
		var got int
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got)
		})
		if err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", pragma, got, err, want)
		}
	}
}

func TestWrongKeyHarmsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	key := newKey(t)
	db := open(t, sealeddb.Options{Path: path, Key: key})
	insert(t, db, []byte("a"), []byte("b"))
	// A copy as kill -9 would leave it: the rows are in the log alone.
	crashed := filepath.Join(t.TempDir(), "a.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wrong := newKey(t)
	_, err := sealeddb.Open(t.Context(), sealeddb.Options{Path: crashed, Key: wrong, Migrations: notes})
	wantCode(t, err, "store.key")
	if got := count(t, open(t, sealeddb.Options{Path: crashed, Key: key})); got != 2 {
		t.Errorf("%d rows under the right key after a try with a wrong one, want 2", got)
	}
}

func TestDamageIsNotBlamedOnTheKey(t *testing.T) {
	key := newKey(t)
	for _, c := range []struct {
		name   string
		damage func(b []byte) []byte
	}{
		{"first page", func(b []byte) []byte { copy(b, make([]byte, 4096)); return b }},
		{"first block cut", func(b []byte) []byte { return b[:1000] }},
		{"one bit of page 1", func(b []byte) []byte { b[200] ^= 1; return b }},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			db := open(t, sealeddb.Options{Path: path, Key: key})
			insert(t, db, make([]byte, 100_000))
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = sealeddb.Open(t.Context(), sealeddb.Options{Path: path, Key: key, Migrations: notes})
			wantCode(t, err, "store.damaged")
		})
	}
	t.Run("a page in the middle", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a.db")
		db := open(t, sealeddb.Options{Path: path, Key: key})
		for range 100 {
			insert(t, db, make([]byte, 3000))
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[20*4096+17] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		wantCode(t, open(t, sealeddb.Options{Path: path, Key: key}).Check(t.Context()), "store.damaged")
	})
}

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	key := newKey(t)
	old := open(t, sealeddb.Options{Path: path, Key: key, Migrations: firstStep})
	insert(t, old, []byte("kept"))
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db := open(t, sealeddb.Options{Path: path, Key: key})
	if got := count(t, db); got != 1 {
		t.Errorf("%d rows after the migration, want 1", got)
	}
	if _, err := db.Readers().Exec(`SELECT kind FROM notes`); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sealeddb.Open(t.Context(), sealeddb.Options{Path: path, Key: key, Migrations: firstStep})
	wantCode(t, err, "store.newer")
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a program that is too old changed the database")
	}
}

func TestErrorsNeverShowTheKey(t *testing.T) {
	key := newKey(t)
	hexKey := strings.Repeat("ab", 31) + "zz"
	_, err := sealeddb.ParseKey(hexKey)
	wantCode(t, err, "store.key")
	if strings.Contains(err.Error(), hexKey[:20]) {
		t.Errorf("the error repeats the key: %v", err)
	}
	if got, err := sealeddb.ParseKey(strings.Repeat("ab", 32)); err != nil || got[31] != 0xab {
		t.Errorf("%x %v", got, err)
	}
	_, err = sealeddb.Open(t.Context(), sealeddb.Options{Path: filepath.Join(t.TempDir(), "none", "a.db"), Key: key, Migrations: notes})
	wantCode(t, err, "store.failed")
	db := open(t, sealeddb.Options{Path: filepath.Join(t.TempDir(), "a.db"), Key: key})
	err = db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `SELECT * FROM nothing`)
		return err
	})
	wantCode(t, err, "store.failed")
	for _, bad := range []string{string(key[:]), "textkey", "vfs="} {
		if strings.Contains(err.Error(), bad) {
			t.Errorf("the error tells too much: %v", err)
		}
	}
}

func TestMustExist(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	_, err := sealeddb.Open(t.Context(), sealeddb.Options{Path: path, Key: newKey(t), Migrations: notes, MustExist: true})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was made")
	}
}

func TestWriteIsAllOrNothing(t *testing.T) {
	db := open(t, sealeddb.Options{Path: filepath.Join(t.TempDir(), "a.db"), Key: newKey(t)})
	sentinel := errors.New("no")
	err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO notes (body) VALUES ('x')`); err != nil {
			return err
		}
		return sentinel
	})
	if !errors.Is(err, sentinel) || count(t, db) != 0 {
		t.Errorf("%v, %d rows", err, count(t, db))
	}
	// A context that ends within the transaction does not tear it.
	ctx, cancel := context.WithCancel(t.Context())
	err = db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO notes (body) VALUES ('1')`); err != nil {
			return err
		}
		cancel()
		_, err := tx.ExecContext(ctx, `INSERT INTO notes (body) VALUES ('2')`)
		return err
	})
	if err != nil || count(t, db) != 2 {
		t.Errorf("%v, %d rows", err, count(t, db))
	}
	if err := db.Write(ctx, func(context.Context, *sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v for a context that had ended", err)
	}
	if _, err := db.Readers().ExecContext(t.Context(), `DELETE FROM notes`); err == nil {
		t.Error("a reader could write")
	}
}

// While a process is being started, it shares the files of the one that starts it: a lock
// that was released does not stay with it.
func TestAReleasedLockStaysWithNobody(t *testing.T) {
	dir := t.TempDir()
	release, err := sealeddb.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	shared := -1
	for _, fd := range open {
		if at, _ := os.Readlink("/proc/self/fd/" + fd.Name()); filepath.Dir(at) == dir {
			n, _ := strconv.Atoi(fd.Name())
			if shared, err = syscall.Dup(n); err != nil {
				t.Fatal(err)
			}
		}
	}
	if shared < 0 {
		t.Fatal("the lock's file was not found")
	}
	defer syscall.Close(shared)
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = sealeddb.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	release, err := sealeddb.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sealeddb.Lock(dir)
	wantCode(t, err, "store.locked")
	if !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("%v does not name the holder", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = sealeddb.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}
