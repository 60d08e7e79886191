package blob_test

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/store/blob"
	"gatehouse/store/storetest"
)

func open(t *testing.T, dir string) *blob.Directory {
	t.Helper()
	d, err := blob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	storetest.RunBlobs(t, func(t *testing.T) func() gatehouse.BlobStore {
		dir := filepath.Join(t.TempDir(), "made", "blobs")
		return func() gatehouse.BlobStore { return open(t, dir) }
	})
}

func TestModesAndNames(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	id := gatehouse.RandomID()
	if err := d.PutBlob(t.Context(), id, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, id.String()[:2], id.String()))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, id.String()[:2])); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
}

func TestHalfWrittenIsSwept(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	id := gatehouse.RandomID()
	if err := d.PutBlob(t.Context(), id, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	fan := filepath.Join(dir, id.String()[:2])
	temp, foreign := filepath.Join(fan, ".tmp-123"), filepath.Join(fan, "README")
	for _, path := range []string{temp, foreign, filepath.Join(dir, "notes")} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d = open(t, dir)
	if _, err := os.Stat(temp); !os.IsNotExist(err) {
		t.Error("a half-written file is still there")
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("a file that is not ours was removed")
	}
	if got, err := d.Blob(t.Context(), id); err != nil || string(got) != "sealed" {
		t.Errorf("%q %v", got, err)
	}
}

func TestFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	id := gatehouse.RandomID()
	// A directory stands where the blob belongs, so that the last step fails.
	file := filepath.Join(dir, id.String()[:2], id.String())
	if err := os.MkdirAll(filepath.Join(file, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.PutBlob(t.Context(), id, []byte("sealed")); gatehouse.ErrorCode(err) != "store.failed" {
		t.Errorf("got %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d entries are left (%v), want the obstacle alone", len(entries), err)
	}
}

func BenchmarkPut(b *testing.B) {
	d, err := blob.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	sealed := make([]byte, 40<<10)
	for b.Loop() {
		if err := d.PutBlob(b.Context(), gatehouse.RandomID(), sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// Many are deleted at once; those that are not there, and others, are left alone.
func TestDeleteBlobs(t *testing.T) {
	d, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]gatehouse.BlobID, 600)
	for i := range ids {
		ids[i] = gatehouse.RandomID()
		if err := d.PutBlob(t.Context(), ids[i], []byte("sealed")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := d.DeleteBlobs(t.Context(), append([]gatehouse.BlobID{gatehouse.RandomID()}, ids[:500]...)); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range ids {
		if _, err := d.Blob(t.Context(), id); (gatehouse.ErrorCode(err) == "store.not_found") != (i < 500) {
			t.Fatalf("blob %d: %v", i, err)
		}
	}
}
