package sealeddb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// Pages shows what lies in the file and in its log, whatever the tables say, and
// OpenAsIs the tables without knowing the schema.
func TestPagesShowEverything(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "a.db"), [32]byte{7}
	schema := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (b TEXT);\n")}}
	d, err := Open(t.Context(), Options{Path: path, Key: key, Migrations: schema})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO a VALUES ('marked value')`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	shows := func(file string) (found bool) {
		if err := Pages(file, key, func(b []byte) error { found = found || bytes.Contains(b, []byte("marked value")); return nil }); err != nil {
			t.Error(err)
		}
		return found
	}
	if !shows(path + "-wal") {
		t.Error("the log does not show what was committed into it")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if !shows(path) {
		t.Error("the file does not show what was committed")
	}
	if err := Pages(path+"-wal", key, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a log that is not there: %v", err)
	}
	raw, err := OpenAsIs(path, key)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var got string
	if err := raw.Readers().QueryRowContext(t.Context(), `SELECT b FROM a`).Scan(&got); err != nil || got != "marked value" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := OpenAsIs(path, [32]byte{8}); err == nil {
		t.Error("a wrong key opened it")
	}
}
