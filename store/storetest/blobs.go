package storetest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

// RunBlobs tests a blob store. fresh makes an empty one and returns what opens it,
// again and again.
func RunBlobs(t *testing.T, fresh func(t *testing.T) (open func() gatehouse.BlobStore)) {
	check := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("blobs come back as they were", func(t *testing.T) {
		open := fresh(t)
		store := open()
		blobs := map[gatehouse.BlobID][]byte{}
		for _, size := range []int{0, 1, 4096, 100_000, 3 << 20} {
			id := gatehouse.RandomID()
			blobs[id] = noise(size)
			check(t, store.PutBlob(t.Context(), id, blobs[id]))
		}
		store = open()
		for id, want := range blobs {
			got, err := store.Blob(t.Context(), id)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes came back as %d (%v)", len(want), len(got), err)
			}
		}
	})
	t.Run("a blob is replaced whole, deleted once", func(t *testing.T) {
		store := fresh(t)()
		id := gatehouse.RandomID()
		check(t, store.PutBlob(t.Context(), id, noise(1000)))
		check(t, store.PutBlob(t.Context(), id, []byte("short")))
		if got, err := store.Blob(t.Context(), id); err != nil || string(got) != "short" {
			t.Errorf("%q %v", got, err)
		}
		for range 2 {
			check(t, store.DeleteBlob(t.Context(), id))
			if _, err := store.Blob(t.Context(), id); gatehouse.ErrorCode(err) != "store.not_found" {
				t.Errorf("a deleted blob: %v", err)
			}
		}
	})
	t.Run("what cannot be is refused", func(t *testing.T) {
		store := fresh(t)()
		if err := store.PutBlob(t.Context(), gatehouse.BlobID{}, nil); gatehouse.ErrorCode(err) != "store.invalid" {
			t.Errorf("the zero id: %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		id := gatehouse.RandomID()
		if err := store.PutBlob(ended, id, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that had ended: %v", err)
		}
		if _, err := store.Blob(t.Context(), id); gatehouse.ErrorCode(err) != "store.not_found" {
			t.Errorf("a blob that was refused: %v", err)
		}
	})
	t.Run("all blobs are listed, with their time", func(t *testing.T) {
		store := fresh(t)()
		before := time.Now().Add(-time.Minute)
		want := map[gatehouse.BlobID]bool{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 10 {
					id := gatehouse.RandomID()
					if err := store.PutBlob(t.Context(), id, noise(500)); err != nil {
						t.Error(err)
					}
					mu.Lock()
					want[id] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		check(t, store.EachBlob(t.Context(), func(id gatehouse.BlobID, written time.Time) error {
			if !want[id] || written.Before(before) || written.After(time.Now().Add(time.Minute)) {
				t.Errorf("blob %v written %v", id, written)
			}
			delete(want, id)
			return nil
		}))
		if len(want) != 0 {
			t.Errorf("%d blobs were not listed", len(want))
		}
		stop := errors.New("enough")
		err := store.EachBlob(t.Context(), func(gatehouse.BlobID, time.Time) error { return stop })
		if !errors.Is(err, stop) || gatehouse.ErrorCode(err) != "" {
			t.Errorf("the caller's error came back as %v", err)
		}
	})
}
