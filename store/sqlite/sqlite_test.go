package sqlite_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store/sqlite"
	"gatehouse/store/storetest"
)

// fileKeys makes a key for each file and remembers it.
type fileKeys map[string][32]byte

func (k fileKeys) key(file string) ([32]byte, error) {
	key, ok := k[file]
	if !ok {
		if _, err := rand.Read(key[:]); err != nil {
			return key, err
		}
		k[file] = key
	}
	return key, nil
}

func openStore(t testing.TB, dir string, keys fileKeys) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Key: keys.key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() storetest.Engine {
		dir, keys := t.TempDir(), fileKeys{}
		return func() storetest.Engine { return openStore(t, dir, keys) }
	})
}

var (
	here = gatehouse.Place{Org: "acme", Site: "north"}
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

func newCommit(at time.Time) gatehouse.PassageCommit {
	p := gatehouse.Passage{Place: here, ID: gatehouse.NewID(at), Gate: "front-door", Device: "camera-1", Direction: gatehouse.In, At: at,
		Kind: gatehouse.FaceReading, Subject: gatehouse.RandomID(), Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted},
		Outcome: gatehouse.Pending}
	detail := make([]byte, 4096)
	_, _ = rand.Read(detail)
	evidence := []gatehouse.Evidence{{Blob: gatehouse.RandomID(), Kind: gatehouse.CropEvidence}}
	return gatehouse.PassageCommit{Passage: p, Detail: detail, Evidence: evidence, Leaf: gatehouse.PassageLeaf(p, detail, evidence)}
}

func TestFilesByMonthAndMode(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, fileKeys{})
	for _, at := range []time.Time{noon, noon.AddDate(0, 1, 0)} {
		if err := s.CommitPassage(t.Context(), newCommit(at)); err != nil {
			t.Fatal(err)
		}
	}
	// A question about a month that is not there makes no file.
	if _, err := s.Passage(t.Context(), here, gatehouse.NewID(noon.AddDate(1, 0, 0))); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Error(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", e.Name(), info.Mode(), err)
		}
	}
	if got := strings.Join(names, " "); got != "2026-11.db 2026-12.db books.db gatehouse.lock site.db working.db" {
		t.Errorf("the directory holds %s", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir, keys := t.TempDir(), fileKeys{}
	s := openStore(t, dir, keys)
	if err := s.CommitPassage(t.Context(), newCommit(noon)); err != nil {
		t.Fatal(err)
	}
	open := func(keys fileKeys) error {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Key: keys.key})
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	if err := open(keys); gatehouse.ErrorCode(err) != "store.locked" {
		t.Errorf("a second store on one directory: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for file := range keys {
		wrong := fileKeys{}
		for f, k := range keys {
			if f != file {
				wrong[f] = k
			}
		}
		if err := open(wrong); gatehouse.ErrorCode(err) != "store.key" || !strings.Contains(err.Error(), file) {
			t.Errorf("a wrong key of %s: %v", file, err)
		}
	}
	missing := sqlite.Options{Dir: dir, Key: func(string) ([32]byte, error) { return [32]byte{}, os.ErrNotExist }}
	if _, err := sqlite.Open(t.Context(), missing); gatehouse.ErrorCode(err) != "store.key" || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no key to be had: %v", err)
	}
	if err := os.Truncate(filepath.Join(dir, "2026-11.db"), 100); err != nil {
		t.Fatal(err)
	}
	if err := open(keys); gatehouse.ErrorCode(err) != "store.damaged" {
		t.Errorf("a file that was cut: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "2026-11.db")); err != nil {
		t.Fatal(err)
	}
	if err := open(keys); err != nil {
		t.Errorf("nothing keeps the store from opening now: %v", err)
	}
}

// TestOldSiteFile puts back a site.db from before: positions that months hold are
// not given out again.
func TestOldSiteFile(t *testing.T) {
	dir, keys := t.TempDir(), fileKeys{}
	if err := openStore(t, dir, keys).Close(); err != nil {
		t.Fatal(err)
	}
	site := filepath.Join(dir, "site.db")
	old, err := os.ReadFile(site)
	if err != nil {
		t.Fatal(err)
	}
	commit := func() {
		s := openStore(t, dir, keys)
		if err := s.CommitPassage(t.Context(), newCommit(noon)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	commit()
	commit()
	if err := os.WriteFile(site, old, 0o600); err != nil {
		t.Fatal(err)
	}
	commit()
	var positions []uint64
	s := openStore(t, dir, keys)
	if err := s.Leaves(t.Context(), 0, func(p uint64, _ []byte) error { positions = append(positions, p); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(positions) != 3 || positions[0] >= positions[1] || positions[1] >= positions[2] {
		t.Errorf("positions %v", positions)
	}
}
