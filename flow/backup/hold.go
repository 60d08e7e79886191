package backup

import (
	"bytes"
	"context"
	"strings"
	"time"

	"gatehouse"
)

// Held is what a hold did.
type Held struct {
	Bundle    string // its folder
	Until     time.Time
	Postponed int // certificates of erasures that are final no sooner
}

// Hold keeps the newest key bundle until a later date than its own, for an outage in
// which no backup can be made: without it no backup could be restored any more after 30
// days. note writes it into the log first, so that no certificate says an earlier end
// than the storage keeps; whatever is interrupted is repeated. Errors:
// restore.bundle_missing where there is no bundle, note's, and the target's.
func (f *Flow) Hold(ctx context.Context, until time.Time, note func(ctx context.Context, bundle gatehouse.ID, until time.Time) (postponed int, err error)) (Held, error) {
	if !f.mu.TryLock() {
		return Held{}, gatehouse.Errorf("backup.running", "wait until it has ended", "a backup is being made")
	}
	defer f.mu.Unlock()
	until = until.UTC().Truncate(time.Second)
	newest, err := f.newestBundle(ctx)
	if err != nil {
		return Held{}, err
	}
	if !until.After(newest.Expires) {
		return Held{}, gatehouse.Errorf("hold.until", "give a later date; a hold cannot be shortened", "the key bundle is kept until %s already", newest.Expires.Format(time.DateOnly))
	}
	held := Held{Bundle: newest.Folder, Until: until}
	if held.Postponed, err = note(ctx, newest.ID, until); err != nil {
		return Held{}, err
	}
	object, _, err := f.sign(ctx, BundleHold{Format: format, Bundle: newest.Folder, Until: until})
	if err != nil {
		return held, err
	}
	for _, o := range newest.Objects {
		if err := f.Keys.Keep(ctx, newest.Folder+"/"+o.Name, until); err != nil {
			return held, err
		}
	}
	if err := f.Keys.Keep(ctx, newest.Folder+"/bundle.json", until); err != nil {
		return held, err
	}
	name := newest.Folder + "/" + holdPrefix + strings.ToLower(until.Format("20060102T150405Z")) + ".json"
	return held, f.Keys.Put(ctx, name, object, until)
}

// newestBundle is the last one of this installation's own.
func (f *Flow) newestBundle(ctx context.Context) (newest FoundBundle, err error) {
	own, _, err := f.Vault.SignBackup(ctx, [32]byte{})
	if err != nil {
		return newest, err
	}
	bundles, _, err := KeyBundles(ctx, f.Keys, f.Verify)
	if err != nil {
		return newest, err
	}
	for _, b := range bundles {
		if bytes.Equal(b.Signer, own) {
			newest = b
		}
	}
	if newest.Folder == "" {
		return newest, gatehouse.Errorf("restore.bundle_missing", "make a backup first", "there is no key bundle at the target that could be held")
	}
	return newest, nil
}
