// Package blob keeps sealed files in a directory, one file a blob, under random
// names: 3f/3fa0…, fanned out by the first two hexadecimal digits so that no
// directory grows large. A path is built from an id and from nothing else.
package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gatehouse"
)

// Directory implements gatehouse.BlobStore. Its methods may be used concurrently.
type Directory struct{ root string }

var _ gatehouse.BlobStore = (*Directory)(nil)

// tempPrefix begins the name of a file that is being written.
const tempPrefix = ".tmp-"

// Open makes the directory (mode 0700) where it is not there and removes what a
// crash left half-written. The caller keeps other processes away from it. Errors:
// store.full, store.failed.
func Open(dir string) (*Directory, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed("the directory for blobs could not be made", err)
	}
	d := &Directory{root: dir}
	err := d.eachFile(func(path string, e fs.DirEntry) error {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil {
		return nil, failed("what was half-written could not be removed", err)
	}
	return d, nil
}

// path is where a blob lies.
func (d *Directory) path(id gatehouse.BlobID) (dir, file string) {
	name := id.String()
	dir = filepath.Join(d.root, name[:2])
	return dir, filepath.Join(dir, name)
}

// PutBlob implements gatehouse.BlobStore. A blob that is there is replaced as a
// whole. Errors: store.full, store.failed.
func (d *Directory) PutBlob(ctx context.Context, id gatehouse.BlobID, sealed []byte) error {
	if id.IsZero() {
		return gatehouse.Errorf("store.invalid", "this is a fault of the program that asked", "a blob needs an id")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.put(id, sealed); err != nil {
		return failed("a blob could not be written", err)
	}
	return nil
}

func (d *Directory) put(id gatehouse.BlobID, sealed []byte) (err error) {
	dir, file := d.path(id)
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		if err := syncDir(d.root); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	temp, err := os.CreateTemp(dir, tempPrefix+"*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first error says why; Open removes what cannot be removed now.
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err := temp.Write(sealed); err != nil {
		return errors.Join(err, temp.Close())
	}
	if err := temp.Sync(); err != nil {
		return errors.Join(err, temp.Close())
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), file); err != nil {
		return err
	}
	return syncDir(dir)
}

// Blob implements gatehouse.BlobStore.
func (d *Directory) Blob(ctx context.Context, id gatehouse.BlobID) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	_, file := d.path(id)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, gatehouse.Errorf("store.not_found", "it has expired or was erased", "there is no such blob")
	}
	if err != nil {
		return nil, failed("a blob could not be read", err)
	}
	return b, nil
}

// DeleteBlob implements gatehouse.BlobStore. One that is not there is deleted.
func (d *Directory) DeleteBlob(ctx context.Context, id gatehouse.BlobID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, file := d.path(id)
	err := os.Remove(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return failed("a blob could not be deleted", err)
	}
	return nil
}

// EachBlob implements gatehouse.BlobStore, in no order. Files that are no blobs are
// passed over.
func (d *Directory) EachBlob(ctx context.Context, f func(id gatehouse.BlobID, written time.Time) error) error {
	var stopped error
	err := d.eachFile(func(_ string, e fs.DirEntry) error {
		if stopped = ctx.Err(); stopped != nil {
			return stopped
		}
		id, err := gatehouse.ParseID(e.Name())
		if err != nil || id.String() != e.Name() {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		stopped = f(id, info.ModTime())
		return stopped
	})
	switch {
	case stopped != nil:
		return stopped
	case err != nil:
		return failed("the blobs could not be listed", err)
	}
	return nil
}

// eachFile calls f for the files in the fan-out directories.
func (d *Directory) eachFile(f func(path string, e fs.DirEntry) error) error {
	fans, err := os.ReadDir(d.root)
	if err != nil {
		return err
	}
	for _, fan := range fans {
		if !fan.IsDir() || len(fan.Name()) != 2 {
			continue
		}
		dir := filepath.Join(d.root, fan.Name())
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range files {
			if e.Type().IsRegular() {
				if err := f(filepath.Join(dir, e.Name()), e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// syncDir makes a new name, or its removal, durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func failed(what string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return gatehouse.Errorf("store.full", "free some space; nothing was written", "the disk is full, %s: %w", what, err)
	}
	return gatehouse.Errorf("store.failed", "see the cause, and the system's log for faults of the disk", "%s: %w", what, err)
}
