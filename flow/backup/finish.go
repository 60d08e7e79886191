package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"gatehouse"
)

// arriving is how long a key bundle, some megabytes, may take to arrive before its end is
// noted anew; without it, every certificate of meanwhile would have to be given again.
const arriving = time.Hour

// finish writes the key bundle and the manifest. The bundle is noted in the log before
// it is written, so that an erasure at any later moment knows of it, and again if it
// arrived later than that allows for: storage counts from there.
func (r *run) finish(ctx context.Context) (gatehouse.KeyBundle, error) {
	r.progress(Progress{Stage: "key bundle"})
	// Its time is that at which the key store is read, not the backup's beginning: what was
	// erased before is not in it.
	at := r.now().UTC().Truncate(time.Millisecond)
	b := gatehouse.KeyBundle{ID: gatehouse.NewID(at), At: at, Target: r.Keys.String(), Expires: goneBy(at.Add(arriving))}
	folder := folderOf(b.At, b.ID)
	r.manifest.Bundle = folder
	list, err := r.Vault.ErasureList(ctx)
	if err != nil {
		return b, err
	}
	r.manifest.Erased = Erased{Count: list.Count, Sum: list.Digest}
	manifest, sum, err := r.sign(ctx, r.manifest)
	if err != nil {
		return b, err
	}
	if err := r.Vault.RecordBundle(ctx, b); err != nil {
		return b, err
	}
	index := BundleIndex{Format: format, ID: b.ID, At: b.At, Expires: b.Expires, Manifest: sum, Erased: r.manifest.Erased}
	store := func(name string, content []byte) error {
		index.Objects = append(index.Objects, BundleObject{Name: name, Size: int64(len(content)), Sum: sha256.Sum256(content)})
		r.count(len(content))
		return r.Keys.Put(ctx, folder+"/"+name, content, at.Add(LockedFor))
	}
	private, public, err := r.KeyFiles()
	if err != nil {
		return b, err
	}
	if private != nil {
		if err := store(privateName, private); err != nil {
			return b, err
		}
	}
	if err := store(publicName, public); err != nil {
		return b, err
	}
	err = r.Vault.SealBundle(ctx, gatehouse.BundleContent{ID: b.ID, At: b.At, Expires: b.Expires, Manifest: sum, Files: r.keys}, func(sealed io.Reader) error {
		buffer := make([]byte, bundlePart)
		for n := 0; ; n++ {
			got, err := io.ReadFull(sealed, buffer)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				return err
			}
			if err := store(bundlePartName(n), buffer[:got]); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return b, err
	}
	if end := goneBy(r.now()); end.After(b.Expires) {
		b.Expires, index.Expires = end, end
		if err := r.Vault.RecordBundle(ctx, b); err != nil {
			return b, err
		}
	}
	object, _, err := r.sign(ctx, index)
	if err != nil {
		return b, err
	}
	if err := r.Keys.Put(ctx, folder+"/bundle.json", object, at.Add(LockedFor)); err != nil {
		return b, err
	}
	if err := r.put(ctx, r.Data, manifestPrefix+folderOf(r.manifest.At, r.manifest.ID)+".json", manifest); err != nil {
		return b, err
	}
	r.count(len(manifest) + len(object))
	r.objects.Add(1)
	return b, r.Vault.RecordBackup(ctx, r.manifest.ID, sum)
}

// now is the clock's time, and the backup's own where the clock was set back: a bundle's end
// is never before its beginning, and the storage, which has its own clock, keeps it as long.
func (r *run) now() time.Time {
	if now := r.Now(); now.After(r.manifest.At) {
		return now
	}
	return r.manifest.At
}

// goneBy is when a bundle that has arrived at its target by then is gone from it.
func goneBy(arrived time.Time) time.Time {
	return arrived.UTC().Truncate(time.Millisecond).Add(DroppedIn + DropMargin)
}
