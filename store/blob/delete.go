package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"

	"gatehouse"
)

// syncers is how many directories are made durable at a time: the file system's
// journal serves them together.
const syncers = 16

// DeleteBlobs deletes many blobs, and is durable when it returns nil. Those that are
// not there are deleted.
func (d *Directory) DeleteBlobs(ctx context.Context, ids []gatehouse.BlobID) error {
	touched := map[string]bool{}
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		dir, file := d.path(id)
		err := os.Remove(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return failed("a blob could not be deleted", err)
		}
		touched[dir] = true
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	places := make(chan string)
	for range min(syncers, len(touched)) {
		wg.Go(func() {
			for dir := range places {
				if err := syncDir(dir); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for dir := range touched {
		places <- dir
	}
	close(places)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return failed("the deletion of blobs could not be made durable", err)
	}
	return nil
}
