package blob_test

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/store/blob"

	"golang.org/x/sys/unix"
)

// BenchmarkDeleteBlobs deletes 10,000 pictures of 20 KB that lie on the disk, durably.
func BenchmarkDeleteBlobs(b *testing.B) {
	root := b.TempDir()
	d, err := blob.Open(root)
	if err != nil {
		b.Fatal(err)
	}
	ids, sealed := make([]gatehouse.BlobID, 10_000), make([]byte, 20<<10)
	for b.Loop() {
		b.StopTimer()
		for i := range ids {
			ids[i] = gatehouse.RandomID()
			name := ids[i].String()
			if err := os.MkdirAll(filepath.Join(root, name[:2]), 0o700); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, name[:2], name), sealed, 0o600); err != nil {
				b.Fatal(err)
			}
		}
		dir, err := os.Open(root)
		if err != nil {
			b.Fatal(err)
		}
		if err := unix.Syncfs(int(dir.Fd())); err != nil {
			b.Fatal(err)
		}
		dir.Close()
		b.StartTimer()
		if err := d.DeleteBlobs(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
}
