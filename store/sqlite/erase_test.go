package sqlite_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cipher "lukechampine.com/adiantum"

	"gatehouse"
	"gatehouse/store/sqlite"
)

// change is what the gate key does for a store: it keeps the new key once it is in use.
func (k fileKeys) change(file string, do func([32]byte) error) error {
	var fresh [32]byte
	if _, err := rand.Read(fresh[:]); err != nil {
		return err
	}
	err := do(fresh)
	if err == nil {
		k[file] = fresh
	}
	return err
}

// clearText decrypts every block of a file, whether a page is in use or free.
func clearText(t testing.TB, path string, key [32]byte) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := cipher.New(key[:])
	for at := 0; at+4096 <= len(b); at += 4096 {
		var tweak [8]byte
		binary.LittleEndian.PutUint64(tweak[:], uint64(at))
		c.Decrypt(b[at:at+4096], tweak[:])
	}
	return b
}

// commitFor commits n passages, each subject's spread over all of the time.
func commitFor(t testing.TB, s *sqlite.Store, n int, from time.Time, step time.Duration, subject func(i int) gatehouse.SubjectID) {
	t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				c := newCommit(from.Add(time.Duration(i) * step))
				c.Passage.Subject, c.Passage.Known, c.Detail = subject(i), true, c.Detail[:322]
				if err := s.CommitPassage(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// After an erasure the old id is in no page of any file, free pages and the log
// included, even for who has the files' keys; and after the rewriting neither is the
// record, nor anything that the old keys open.
func TestErasedIDIsInNoPage(t *testing.T) {
	dir, keys := t.TempDir(), fileKeys{}
	open := func() *sqlite.Store {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Key: keys.key, ChangeKey: keys.change})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	s := open()
	subjects := make([]gatehouse.SubjectID, 10)
	for i := range subjects {
		subjects[i] = gatehouse.RandomID()
		sub := gatehouse.Subject{Place: here, ID: subjects[i], Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: noon, Record: bytes.Repeat([]byte("record"), 700)}
		item := gatehouse.WorkingItem{Place: here, Kind: gatehouse.BadgeItem, Subject: subjects[i], Row: subjects[i], Sealed: bytes.Repeat([]byte{9}, 300)}
		if err := s.PutSubject(t.Context(), gatehouse.SubjectCommit{Subject: sub, Leaf: []byte("leaf"), Consents: []gatehouse.Consent{
			{Place: here, Subject: sub.ID, Purpose: gatehouse.FaceAtDoors, Given: noon, How: "terminal"}}}); err != nil {
			t.Fatal(err)
		}
		if err := s.PutWorking(t.Context(), []gatehouse.WorkingItem{item}); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []time.Time{noon, noon.AddDate(0, -1, 0)} {
		commitFor(t, s, 1500, from, time.Minute/4, func(i int) gatehouse.SubjectID { return subjects[i%10] })
	}
	old, stays := subjects[3], subjects[4]
	if _, err := s.ReplaceSubject(t.Context(), here, old, gatehouse.RandomID(), []byte("leaf")); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteWorking(t.Context(), here, old); err != nil {
		t.Fatal(err)
	}
	look := func(files []string, id gatehouse.SubjectID) (found int) {
		for _, file := range files {
			found += bytes.Count(clearText(t, filepath.Join(dir, file), keys[file]), id[:])
			if wal, err := os.Stat(filepath.Join(dir, file+"-wal")); err == nil && wal.Size() > 0 {
				found += bytes.Count(clearText(t, filepath.Join(dir, file+"-wal"), keys[file]), id[:])
			}
		}
		return found
	}
	files, err := s.Files()
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	if look(files, stays) == 0 {
		t.Fatal("the search finds nobody: it would say nothing")
	}
	t.Logf("before the rewriting the old id stands %d times in some page", look(files, old))
	before := keys[sqlite.SiteFile]
	for _, file := range files {
		if _, err := s.Rewrite(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	if n := look(files, old); n != 0 {
		t.Errorf("after the rewriting the old id stands %d times in some page", n)
	}
	if before == keys[sqlite.SiteFile] || bytes.Contains(clearText(t, filepath.Join(dir, sqlite.SiteFile), before), []byte("SQLite")) {
		t.Error("the old key opens site.db still")
	}
	if _, err := s.Rewrite(t.Context(), "gatehouse.lock"); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("what is no database of the store was rewritten: %v", err)
	}
	// The store goes on, now and after opening it again.
	for range 2 {
		if traces, err := s.SubjectTraces(t.Context(), here, stays); err != nil || traces.Passages != 300 {
			t.Fatalf("%+v of somebody who stays, %v", traces, err)
		}
		if err := s.CommitPassage(t.Context(), newCommit(noon)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Check(t.Context()), s.Close()); err != nil {
			t.Fatal(err)
		}
		s = open()
	}
}

// BenchmarkReplaceSubject erases, in metadata, somebody with 10,000 passages among
// 100,000 of a month.
func BenchmarkReplaceSubject(b *testing.B) {
	s := openStore(b, b.TempDir(), fileKeys{})
	for b.Loop() {
		b.StopTimer()
		old, other := gatehouse.RandomID(), gatehouse.RandomID()
		commitFor(b, s, 100_000, noon.Add(-19*24*time.Hour), 20*time.Second, func(i int) gatehouse.SubjectID {
			if i%10 == 0 {
				return old
			}
			return other
		})
		b.StartTimer()
		if n, err := s.ReplaceSubject(b.Context(), here, old, gatehouse.RandomID(), []byte("leaf")); err != nil || n != 10_000 {
			b.Fatal(n, err)
		}
	}
}
