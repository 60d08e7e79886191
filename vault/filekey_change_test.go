package vault

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"gatehouse/internal/sealeddb"
)

// A process that is killed while it rewrites a file leaves a copy under the next key,
// which is on disk as well. Whatever is erased from the file afterwards must not lie on
// there until somebody rewrites that file again.
func TestSettlingDropsTheUnfinishedCopy(t *testing.T) {
	dir, key := t.TempDir(), filepath.Join(t.TempDir(), "gate.key")
	must(t, CreateGateKey(dir, key))
	gate, err := OpenGateKey(dir, key)
	must(t, err)
	path := filepath.Join(dir, "notes.db")
	fileKey, err := gate.FileKey(path)
	must(t, err)
	schema := fstest.MapFS{"00001_notes.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (id INTEGER PRIMARY KEY);\n")}}
	db, err := sealeddb.Open(t.Context(), sealeddb.Options{Path: path, Key: fileKey, Migrations: schema})
	must(t, err)
	must(t, db.Close())
	killed := errors.New("killed")
	left := []string{path + "-rewrite", path + "-rewrite-journal", path + "-rewrite-wal"}
	err = gate.ChangeFileKey(path, func([32]byte) error {
		for _, name := range left {
			must(t, os.WriteFile(name, []byte("half a copy"), 0o600))
		}
		return killed
	})
	if !errors.Is(err, killed) {
		t.Fatal(err)
	}
	gate, err = OpenGateKey(dir, key)
	must(t, err)
	must(t, gate.SettleFileKeys())
	for _, name := range left {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is there still", filepath.Base(name))
		}
	}
	if again, err := gate.FileKey(path); err != nil || again != fileKey {
		t.Errorf("the file's key is another one now: %v", err)
	}
}
