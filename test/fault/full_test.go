package fault_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gatehouse"
)

// smallDisk mounts a file system of the given size, in bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Skipf("needs to mount a small file system, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("the small disk is still mounted: %v", err)
		}
	})
	return dir
}

// ballast takes all the space that is left, but for about spare bytes.
func ballast(t *testing.T, dir string, spare int64) (path string) {
	t.Helper()
	path = filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	var size int64
	for {
		if _, err = f.Write(block); err != nil {
			break
		}
		size += int64(len(block))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(max(size-spare, 0)), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDiskFull fills the disk under a running store, at many different moments of a
// commit: each commit is there whole or reported as store.full, and the same store
// goes on once there is space.
func TestDiskFull(t *testing.T) {
	t.Run("pictures beside the database", func(t *testing.T) {
		dir := smallDisk(t, "16m")
		testDiskFull(t, dir, filepath.Join(dir, "blobs"))
	})
	// The database alone meets the end of the disk here.
	t.Run("pictures elsewhere", func(t *testing.T) { testDiskFull(t, smallDisk(t, "16m"), t.TempDir()) })
}

func testDiskFull(t *testing.T, dir, blobs string) {
	keys := newKeys()
	s, err := openStores(t.Context(), dir, blobs, keys)
	if err != nil {
		t.Fatal(err)
	}
	var acknowledged []ack
	at := start.Add(-time.Hour)
	commit := func() error {
		at = at.Add(time.Second)
		id, err := s.commitOne(t.Context(), at)
		if err == nil {
			acknowledged = append(acknowledged, ack{ID: id})
		}
		return err
	}
	for range 20 {
		if err := commit(); err != nil {
			t.Fatal(err)
		}
	}
	for _, spare := range []int64{0, 4 << 10, 12 << 10, 20 << 10, 28 << 10, 40 << 10, 64 << 10, 100 << 10} {
		file := ballast(t, dir, spare)
		var err error
		for range 1000 {
			if err = commit(); err != nil {
				break
			}
		}
		if gatehouse.ErrorCode(err) != "store.full" {
			t.Fatalf("with %d bytes to spare: got %v, want store.full", spare, err)
		}
		if _, err := s.Passages(t.Context(), gatehouse.PassageQuery{Place: here, Limit: 1}); err != nil {
			t.Errorf("reading on a full disk: %v", err)
		}
		// A month that begins on a full disk, and what the office does meanwhile.
		if _, err := s.commitOne(t.Context(), start.Add(time.Hour)); gatehouse.ErrorCode(err) != "store.full" {
			t.Errorf("the first passage of a month: got %v, want store.full", err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if err := commit(); err != nil {
				t.Fatalf("after space was freed: %v", err)
			}
		}
	}
	s.verify(t, acknowledged)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openStores(t.Context(), dir, blobs, keys); err != nil {
		t.Fatal(err)
	}
	s.verify(t, acknowledged)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(blobs, "*", ".tmp-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("half-written blobs are left: %v (%v)", left, err)
	}
}

// TestRestartOnFullDisk stops and starts on a disk without a free byte: nothing is
// lost, and it is readable when it opens.
func TestRestartOnFullDisk(t *testing.T) {
	dir, keys := smallDisk(t, "8m"), newKeys()
	blobs := filepath.Join(dir, "blobs")
	s, err := openStores(t.Context(), dir, blobs, keys)
	if err != nil {
		t.Fatal(err)
	}
	var acknowledged []ack
	for i := range 30 {
		id, err := s.commitOne(t.Context(), start.Add(time.Duration(i-60)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		acknowledged = append(acknowledged, ack{ID: id})
	}
	file := ballast(t, dir, 0)
	closed := s.Close() // may say that the log could not be emptied
	if closed != nil && gatehouse.ErrorCode(closed) != "store.full" {
		t.Errorf("closing on a full disk: %v", closed)
	}
	s, err = openStores(t.Context(), dir, blobs, keys)
	switch {
	case err == nil:
		if got := len(s.passages(t)); got != len(acknowledged) {
			t.Errorf("%d passages on a full disk, want %d", got, len(acknowledged))
		}
		_ = s.Close()
	case gatehouse.ErrorCode(err) != "store.full":
		t.Errorf("opening on a full disk: %v", err)
	}
	t.Logf("closing said %v, opening %v", closed, err)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if s, err = openStores(t.Context(), dir, blobs, keys); err != nil {
		t.Fatal(err)
	}
	s.verify(t, acknowledged)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
