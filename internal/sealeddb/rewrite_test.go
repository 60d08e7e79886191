package sealeddb_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/internal/sealeddb"
)

func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	oldKey, newKey := newKey(t), newKey(t)
	db := open(t, sealeddb.Options{Path: path, Key: oldKey})
	for i := range 40 {
		insert(t, db, bytes.Repeat([]byte{byte(i)}, 5000))
	}
	// Nobody may have it open.
	if err := sealeddb.Rewrite(t.Context(), path, oldKey, newKey); err == nil {
		t.Fatal("a database that is open was replaced")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A crash before the swap leaves a copy behind, which is no hindrance.
	if err := os.WriteFile(path+"-rewrite", []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, sealeddb.Rewrite(t.Context(), path, newKey, oldKey), "store.key")
	if err := sealeddb.Rewrite(t.Context(), path, oldKey, newKey); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]bool{}
	for ; len(before) >= 4096; before = before[4096:] {
		blocks[string(before[:4096])] = true
	}
	for at := 0; at+4096 <= len(after); at += 4096 {
		if blocks[string(after[at:at+4096])] {
			t.Errorf("the block at %d is still under the old key", at)
		}
	}
	_, err = sealeddb.Open(t.Context(), sealeddb.Options{Path: path, Key: oldKey, Migrations: notes})
	wantCode(t, err, "store.key")
	db = open(t, sealeddb.Options{Path: path, Key: newKey})
	if got := count(t, db); got != 40 {
		t.Errorf("%d rows after rewriting, want 40", got)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	insert(t, db, []byte("more"))
	if entries, _ := filepath.Glob(filepath.Join(dir, "*-rewrite*")); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}
