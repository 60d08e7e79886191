package backup

import (
	"bytes"
	"context"
	"slices"
	"time"

	"gatehouse"
)

// Finding is one thing that is wrong with a backup.
type Finding struct {
	Code   string `json:"code"`
	Object string `json:"object,omitempty"`
	What   string `json:"what"`
}

// Checked is what Check found.
type Checked struct {
	OK       bool      `json:"ok"`
	Backups  int       `json:"backups"`
	Objects  int       `json:"objects"`
	Bytes    int64     `json:"bytes"`
	Restored bool      `json:"restored"` // restored beside, with the vault's credential
	Findings []Finding `json:"findings"`
}

// maxFindings bounds what is listed; one is enough to distrust a target.
const maxFindings = 100

func finding(object string, err error) Finding {
	return Finding{Code: gatehouse.ErrorCode(err), Object: object, What: err.Error()}
}

func (c *Checked) find(object string, err error) {
	if len(c.Findings) < maxFindings {
		c.Findings = append(c.Findings, finding(object, err))
	}
}

// Check reads every object of every backup that the two targets hold and compares it
// with its digest; the manifests with their signatures and with each other; and the
// state of the audit log in each with the log as it is now. It needs no credential of
// the vault. What it finds is in the answer; an error says that it could not look.
func (f *Flow) Check(ctx context.Context, progress func(Progress)) (Checked, error) {
	c := Checked{Findings: []Finding{}}
	own, _, err := f.Vault.SignBackup(ctx, [32]byte{})
	if err != nil {
		return c, err
	}
	bundles, badBundles, err := KeyBundles(ctx, f.Keys, f.Verify)
	if err != nil {
		return c, err
	}
	manifests, bad, err := Manifests(ctx, f.Data, f.Verify)
	if err != nil {
		return c, err
	}
	c.Findings = append(append(c.Findings, badBundles...), bad...)
	manifests = slices.DeleteFunc(manifests, func(m Found) bool {
		foreign := !bytes.Equal(m.Signer, own)
		if foreign {
			c.find("manifest of "+m.ID.String(), damaged("somebody else signed it"))
		}
		return foreign
	})
	bundles = slices.DeleteFunc(bundles, func(b FoundBundle) bool {
		foreign := !bytes.Equal(b.Signer, own)
		if foreign {
			c.find(b.Folder, damaged("somebody else signed it"))
		}
		return foreign
	})
	if err := f.checkOverdue(ctx, &c, bundles); err != nil {
		return c, err
	}
	c.Backups = len(manifests)
	objects := map[string]Sum{}
	byFolder := map[string]*FoundBundle{}
	for i := range bundles {
		byFolder[bundles[i].Folder] = &bundles[i]
	}
	for i := range manifests {
		m := &manifests[i]
		if err := f.checkManifest(ctx, m, manifests[:i]); err != nil {
			c.find("manifest of "+m.ID.String(), err)
		}
		// A bundle may have been dropped; one that is there must be the backup's.
		if b := byFolder[m.Bundle]; b != nil && b.Manifest != m.Sum {
			c.find(m.Bundle, damaged("the key bundle belongs to another manifest"))
		} else if b == nil && i == len(manifests)-1 {
			c.find(m.Bundle, gatehouse.Errorf("restore.bundle_missing", "make a backup now", "the newest backup has no key bundle"))
		}
		for _, db := range m.Databases {
			for _, sum := range db.Parts {
				objects[partName(sum)] = sum
			}
		}
		for _, l := range m.Lists {
			objects[listName(l.Sum)] = l.Sum
		}
	}
	if len(manifests) == 0 {
		c.find("", gatehouse.Errorf("restore.nothing", "run `gatehouse backup`", "there is no backup at the target"))
		return c.unless(nil)
	}
	pictures, err := readLists(ctx, f.Data, manifests[len(manifests)-1].Lists)
	if err != nil {
		return c.unless(err)
	}
	for _, p := range byID(pictures) {
		objects[blobName(p.ID)] = p.Sum
	}
	if err := f.checkObjects(ctx, &c, f.Data, objects, progress); err != nil {
		return c, err
	}
	keys := map[string]Sum{}
	for _, b := range bundles {
		for _, o := range b.Objects {
			keys[b.Folder+"/"+o.Name] = o.Sum
		}
	}
	if err := f.checkObjects(ctx, &c, f.Keys, keys, progress); err != nil {
		return c, err
	}
	return c.unless(nil)
}

// checkOverdue finds the bundles that storage should have dropped. Erasures are not final
// while one is there, so the log is told that it was seen.
func (f *Flow) checkOverdue(ctx context.Context, c *Checked, bundles []FoundBundle) error {
	now := f.Now()
	for _, b := range bundles {
		if now.Before(b.Expires) {
			continue
		}
		c.find(b.Folder, gatehouse.Errorf("bundle.overdue", "see docs/backup.md for the bucket's lifecycle rules, with NoncurrentVersionExpiration; of a directory run `gatehouse backup prune`",
			"this key bundle should be gone since %s, and no erasure is final while it is there", b.Expires.Format(time.DateOnly)))
		seen := gatehouse.KeyBundle{ID: b.ID, At: b.At, Target: f.Keys.String(), Expires: now.Add(DropMargin), Seen: true}
		if err := f.Vault.RecordBundle(ctx, seen); err != nil {
			return err
		}
	}
	return nil
}

// unless turns damage into a finding.
func (c *Checked) unless(err error) (Checked, error) {
	if isDamage(err) {
		c.find("", err)
		err = nil
	}
	c.OK = err == nil && len(c.Findings) == 0
	return *c, err
}

func (f *Flow) checkManifest(ctx context.Context, m *Found, before []Found) error {
	if n := len(before); n > 0 && (m.Previous == nil || *m.Previous != before[n-1].Sum) {
		return damaged("it does not follow the one before it: one was taken away, or put in")
	}
	root, err := f.Vault.LogRoot(ctx, m.Log.Size)
	if err != nil {
		return err
	}
	if Sum(root) != m.Log.Root {
		return gatehouse.Errorf("audit.rolled_back", "compare with the witness", "the audit log is not the one that was backed up")
	}
	return nil
}

// checkObjects reads objects several at a time.
func (f *Flow) checkObjects(ctx context.Context, c *Checked, target gatehouse.ObjectTarget, objects map[string]Sum, progress func(Progress)) error {
	names := make([]string, 0, len(objects))
	for name := range objects {
		names = append(names, name)
	}
	type result struct {
		name string
		size int64
		err  error
	}
	results, err := each(ctx, names, func(ctx context.Context, name string) (*result, error) {
		b, err := getSum(ctx, target, name, objects[name])
		if err != nil && !isDamage(err) {
			return nil, err
		}
		return &result{name, int64(len(b)), err}, nil
	}, func(done int) {
		progress(Progress{Stage: "objects", Done: int64(done), Total: int64(len(names))})
	})
	for _, r := range results {
		c.Objects++
		c.Bytes += r.size
		if r.err != nil {
			c.find(r.name, r.err)
		}
	}
	return err
}
