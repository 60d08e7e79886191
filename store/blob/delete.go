package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"gatehouse"
)

// deleters is how many directories are worked on at a time: a file system removes
// files of different directories side by side, and its journal makes them durable
// together.
const deleters = 16

// DeleteBlobs deletes many blobs, and is durable when it returns nil. Those that are
// not there are deleted.
func (d *Directory) DeleteBlobs(ctx context.Context, ids []gatehouse.BlobID) error {
	files := map[string][]string{}
	for _, id := range ids {
		dir, file := d.path(id)
		files[dir] = append(files[dir], filepath.Base(file))
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	dirs := make(chan string)
	for range min(deleters, len(files)) {
		wg.Go(func() {
			for dir := range dirs {
				err := ctx.Err()
				if err == nil {
					err = deleteIn(dir, files[dir])
				}
				if err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for dir := range files {
		dirs <- dir
	}
	close(dirs)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return failed("blobs could not be deleted", err)
	}
	return nil
}

// deleteIn deletes files of one directory, durably.
func deleteIn(dir string, names []string) error {
	deleted := false
	for _, name := range names {
		switch err := os.Remove(filepath.Join(dir, name)); {
		case err == nil:
			deleted = true
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if !deleted {
		return nil
	}
	return syncDir(dir)
}
