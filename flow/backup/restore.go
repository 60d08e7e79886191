package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"gatehouse"
)

// Machine is the bare machine that a backup is restored onto. Every method may be
// called again after a kill and then goes on where it was.
type Machine interface {
	// Begin takes the place for the restore of one backup. Errors: restore.newer,
	// restore.not_empty, restore.other (another restore was begun here).
	Begin(ctx context.Context, m Manifest) error
	// OpenBundle opens a key bundle with the vault's credential. private is nil for one
	// that does not hold the wrapped private key: restore.keyring where the machine does
	// not have that from elsewhere.
	OpenBundle(ctx context.Context, private, public []byte, sealed io.Reader) (OpenBundle, error)
	// Install writes the key store and the vault's key files.
	Install(ctx context.Context, b OpenBundle) error
	// Has reports whether the file was restored already.
	Has(name string) bool
	// PutDatabase writes a database under a fresh key.
	PutDatabase(ctx context.Context, name string, s gatehouse.Snapshot) error
	// Replay brings everything up to the erasure list, before anything is served.
	Replay(ctx context.Context, list []gatehouse.Removal) error
	Blobs() gatehouse.BlobStore
	// Noise reports whether nobody can open a picture any more, as of whoever was erased.
	Noise(ctx context.Context, sealed []byte) (bool, error)
	// NamedBlobs calls f for the pictures that the restored databases name.
	NamedBlobs(ctx context.Context, f func(gatehouse.BlobID) error) error
	// LogRoot is the root of the restored audit log at a size.
	LogRoot(ctx context.Context, size int64) ([32]byte, error)
	// Rebuild makes the working set from its escrow.
	Rebuild(ctx context.Context, progress func(done int)) (items, lost int, err error)
	// Finish writes into the log where the key bundles are, and until when, which a log
	// from before they were made does not know; then it lets the site start.
	Finish(ctx context.Context, bundles []gatehouse.KeyBundle) error
}

// OpenBundle is an open key bundle.
type OpenBundle interface {
	Content() gatehouse.BundleContent
	// ErasureList reads the list out of its key store.
	ErasureList(ctx context.Context) ([]gatehouse.Removal, error)
	Close() error
}

// Wish says what to restore.
type Wish struct {
	Data, Keys gatehouse.ObjectTarget
	Verify     Verify
	At         time.Time // the newest backup that is not later; zero for the newest
	// Known is what is known from elsewhere (a witness, a note) about the newest erasure
	// list; nil for nothing.
	Known *gatehouse.ErasureList
	// Signer is the installation whose backups count; nil where there is only one.
	Signer   []byte
	Progress func(Progress)
}

// Restored is what a restore did.
type Restored struct {
	Backup   gatehouse.ID `json:"backup"`
	At       time.Time    `json:"at"`
	Pictures int          `json:"pictures"`
	Missing  int          `json:"pictures_missing"`
	Items    int          `json:"working_items"`
	Erased   int          `json:"erasure_list"`
	Log      int64        `json:"audit_log_size"`
	Seconds  float64      `json:"duration_s"`
}

// Restore restores a backup. Errors: restore.nothing, restore.bundle_missing,
// restore.erasure_list, restore.log_differs, restore.incomplete (all is done, and some
// pictures are gone), backup.damaged, the machine's and the targets'.
func Restore(ctx context.Context, w Wish, m Machine) (Restored, error) {
	began := time.Now()
	manifests, bundles, err := w.found(ctx)
	if err != nil {
		return Restored{}, err
	}
	chosen, bundle, newest, required, err := w.choose(manifests, bundles)
	if err != nil {
		return Restored{}, err
	}
	if err := m.Begin(ctx, chosen.Manifest); err != nil {
		return Restored{}, err
	}
	w.Progress(Progress{Stage: "keys"})
	removals, err := w.install(ctx, m, chosen, bundle, newest, required)
	if err != nil {
		return Restored{}, err
	}
	out := Restored{Backup: chosen.ID, At: chosen.At, Erased: len(removals), Log: chosen.Log.Size}
	w.Progress(Progress{Stage: "erasure list", Total: int64(len(removals))})
	if err := m.Replay(ctx, removals); err != nil {
		return out, err
	}
	if out.Pictures, out.Missing, err = w.pictures(ctx, m, chosen); err != nil {
		return out, err
	}
	root, err := m.LogRoot(ctx, chosen.Log.Size)
	if err != nil {
		return out, err
	}
	if Sum(root) != chosen.Log.Root {
		return out, gatehouse.Errorf("restore.log_differs", "use another backup; find out who can write to the target", "the restored audit log is not the one that was backed up")
	}
	out.Items, _, err = m.Rebuild(ctx, func(done int) { w.Progress(Progress{Stage: "working set", Done: int64(done)}) })
	if err != nil {
		return out, err
	}
	if err := m.Finish(ctx, w.recorded(bundles)); err != nil {
		return out, err
	}
	out.Seconds = time.Since(began).Seconds()
	if out.Missing > 0 {
		return out, gatehouse.Errorf("restore.incomplete", "the site can be started; `gatehouse backup verify` names them", "everything was restored except %d pictures that the target does not have, or has damaged", out.Missing)
	}
	return out, nil
}

// choose finds the backup, its bundle, the newest bundle, and what the erasure list
// must at least be.
func (w *Wish) choose(all []Found, bundles []FoundBundle) (chosen *Found, bundle, newest *FoundBundle, required gatehouse.ErasureList, err error) {
	for i := range all {
		if w.At.IsZero() || !all[i].At.After(w.At) {
			chosen = &all[i]
		}
		if all[i].Erased.Count >= required.Count {
			required = gatehouse.ErasureList{Count: all[i].Erased.Count, Digest: all[i].Erased.Sum}
		}
	}
	if chosen == nil {
		return nil, nil, nil, required, gatehouse.Errorf("restore.nothing", "check --from and --at; `gatehouse backup list` shows what is there", "there is no backup of that time at the target")
	}
	for i := range bundles {
		if bundles[i].Folder == chosen.Bundle {
			bundle = &bundles[i]
		}
		newest = &bundles[i]
	}
	if bundle == nil {
		return nil, nil, nil, required, gatehouse.Errorf("restore.bundle_missing", "give the keys target that belongs to this backup, or choose another backup with --at",
			"the key bundle of this backup is not at the keys target: it was dropped after %d days, or never was there", int(DroppedIn.Hours()/24))
	}
	if bundle.Manifest != chosen.Sum {
		return nil, nil, nil, required, damaged("it is not the one that its key bundle belongs to")
	}
	if w.Known != nil && w.Known.Count >= required.Count {
		required = *w.Known
	}
	return chosen, bundle, newest, required, nil
}

// recorded are the bundles as the log names them.
func (w *Wish) recorded(bundles []FoundBundle) (list []gatehouse.KeyBundle) {
	for _, b := range bundles {
		list = append(list, gatehouse.KeyBundle{ID: b.ID, At: b.At, Target: w.Keys.String(), Expires: b.Expires, Seen: true})
	}
	return list
}

// found reads manifests and bundles of the one installation that counts. Whoever stole
// the credential can add what they signed themselves, newest erasure list and all; where
// two have signed, a person has to say which is the right one.
func (w *Wish) found(ctx context.Context) ([]Found, []FoundBundle, error) {
	manifests, _, err := Manifests(ctx, w.Data, w.Verify)
	if err != nil {
		return nil, nil, err
	}
	bundles, _, err := KeyBundles(ctx, w.Keys, w.Verify)
	if err != nil {
		return nil, nil, err
	}
	signer := w.Signer
	foreign := func(by []byte) bool {
		if signer == nil {
			signer = by
		}
		return !bytes.Equal(by, signer)
	}
	before := len(manifests) + len(bundles)
	manifests = slices.DeleteFunc(manifests, func(m Found) bool { return foreign(m.Signer) })
	bundles = slices.DeleteFunc(bundles, func(b FoundBundle) bool { return foreign(b.Signer) })
	if w.Signer == nil && len(manifests)+len(bundles) != before {
		return nil, nil, gatehouse.Errorf("restore.signers", "give --signer, or the note of `gatehouse backup list --json`, which names it", "the backups at the targets were signed by more than one installation")
	}
	return manifests, bundles, nil
}

// install restores keys and databases, and gives the newest erasure list.
func (w *Wish) install(ctx context.Context, m Machine, chosen *Found, bundle, newest *FoundBundle, required gatehouse.ErasureList) ([]gatehouse.Removal, error) {
	// The newest list first: without it nothing is restored.
	latest, err := w.open(ctx, m, newest)
	if err != nil {
		return nil, err
	}
	defer func() { _ = latest.Close() }()
	list, err := latest.ErasureList(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range []gatehouse.ErasureList{required, {Count: newest.Erased.Count, Digest: newest.Erased.Sum}} {
		if len(list) < r.Count || gatehouse.DigestRemovals(list[:r.Count]) != r {
			return nil, gatehouse.Errorf("restore.erasure_list", "give the keys target that holds the newest bundle: somebody who was erased would come back",
				"the newest erasure list is not there: one of %d entries is known, and the newest key bundle holds %d", r.Count, len(list))
		}
	}
	open := latest
	if bundle.Folder != newest.Folder {
		if open, err = w.open(ctx, m, bundle); err != nil {
			return nil, err
		}
		defer func() { _ = open.Close() }()
	}
	content := open.Content()
	if Sum(content.Manifest) != chosen.Sum {
		return nil, damaged("it is not the one that its key bundle belongs to")
	}
	if err := m.Install(ctx, open); err != nil {
		return nil, err
	}
	for _, db := range chosen.Databases {
		if m.Has(db.Name) {
			continue
		}
		key, ok := content.Files[db.Name]
		if !ok {
			return nil, damaged("the key bundle lacks a database's key")
		}
		parts := &reader{ctx: ctx, target: w.Data, progress: func(done int64) { w.Progress(Progress{Stage: db.Name, Done: done, Total: db.Size}) }}
		for _, sum := range db.Parts {
			parts.objects = append(parts.objects, BundleObject{Name: partName(sum), Sum: sum})
		}
		if err := m.PutDatabase(ctx, db.Name, gatehouse.Snapshot{Reader: parts, Key: key, Size: db.Size}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// open reads a bundle's objects and has it opened.
func (w *Wish) open(ctx context.Context, m Machine, b *FoundBundle) (OpenBundle, error) {
	object := func(name string) ([]byte, error) {
		i := slices.IndexFunc(b.Objects, func(o BundleObject) bool { return o.Name == name })
		if i < 0 {
			return nil, nil
		}
		return getSum(ctx, w.Keys, b.Folder+"/"+name, b.Objects[i].Sum)
	}
	private, err := object(privateName)
	if err != nil {
		return nil, err
	}
	public, err := object(publicName)
	if err != nil {
		return nil, err
	}
	if public == nil {
		return nil, damaged("a key bundle lacks " + publicName)
	}
	return m.OpenBundle(ctx, private, public, &reader{ctx: ctx, target: w.Keys, objects: b.parts(), progress: func(int64) {}})
}

// parts are the bundle's sealed content, in order.
func (b *FoundBundle) parts() (list []BundleObject) {
	for n := 0; ; n++ {
		i := slices.IndexFunc(b.Objects, func(o BundleObject) bool { return o.Name == bundlePartName(n) })
		if i < 0 {
			return list
		}
		o := b.Objects[i]
		o.Name = b.Folder + "/" + o.Name
		list = append(list, o)
	}
}

// reader reads objects one behind the other, each against its digest.
type reader struct {
	ctx      context.Context
	target   gatehouse.ObjectTarget
	objects  []BundleObject
	current  []byte
	done     int64
	progress func(done int64)
}

func (r *reader) Read(b []byte) (int, error) {
	for len(r.current) == 0 {
		if len(r.objects) == 0 {
			return 0, io.EOF
		}
		var err error
		if r.current, err = getSum(r.ctx, r.target, r.objects[0].Name, r.objects[0].Sum); err != nil {
			return 0, err
		}
		r.done += int64(len(r.current))
		r.progress(r.done)
		r.objects = r.objects[1:]
	}
	n := copy(b, r.current)
	r.current = r.current[n:]
	return n, nil
}

// pictures restores those that the restored databases name and that are not there yet,
// and leaves out what nobody can open: the pictures of whoever was erased since.
func (w *Wish) pictures(ctx context.Context, m Machine, chosen *Found) (total, missing int, err error) {
	stored, err := readLists(ctx, w.Data, chosen.Lists)
	if err != nil {
		return 0, 0, err
	}
	there := map[gatehouse.BlobID]bool{}
	if err := m.Blobs().EachBlob(ctx, func(id gatehouse.BlobID, _ time.Time) error { there[id] = true; return nil }); err != nil {
		return 0, 0, err
	}
	var wanted []picture
	err = m.NamedBlobs(ctx, func(id gatehouse.BlobID) error {
		p, ok := stored[id]
		switch {
		case !ok: // deleted at the site before the backup came to it
			return nil
		case !there[id]:
			wanted = append(wanted, p)
		}
		total++
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	var left atomic.Int64
	lost, err := each(ctx, wanted, func(ctx context.Context, p picture) (*picture, error) {
		b, err := w.Data.Get(ctx, blobName(p.ID))
		if gatehouse.ErrorCode(err) == "backup.not_found" || err == nil && sha256.Sum256(b) != p.Sum {
			return &p, nil
		}
		if err != nil {
			return nil, err
		}
		if noise, err := m.Noise(ctx, b); noise || err != nil {
			if noise {
				left.Add(1)
			}
			return nil, err
		}
		return nil, m.Blobs().PutBlob(ctx, p.ID, b)
	}, func(done int) { w.Progress(Progress{Stage: "pictures", Done: int64(done), Total: int64(len(wanted))}) })
	return total - len(lost) - int(left.Load()), len(lost), err
}
