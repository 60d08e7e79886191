// Package backup copies a site to targets that can only be added to, while it serves,
// and restores it onto a bare machine.
//
// A backup is: the parts of the database files that changed, the sealed pictures that
// are new, a key bundle at another target, and last of all the manifest, which names
// all of it. What was interrupted leaves objects that the next backup uses, and no
// manifest. The working set is in no backup: the vault rebuilds it from its escrow.
package backup

import (
	"context"
	"crypto/sha256"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
)

// How long a bundle is locked by its storage; when, counted from the end of its upload,
// the storage begins to drop it; and how long that takes. S3 rounds each time of a
// lifecycle rule up to the next midnight (UTC) and hides an object before its version
// expires a day later: a day each
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html).
const (
	LockedFor  = 14 * 24 * time.Hour
	DroppedIn  = 30 * 24 * time.Hour
	DropMargin = 3 * 24 * time.Hour
	PartSize   = 4 << 20
	bundlePart = 16 << 20
	workers    = 8
)

// Files are the site's database files.
type Files interface {
	BackupFiles(ctx context.Context) ([]gatehouse.BackupFile, error)
	Snapshot(ctx context.Context, name string, f func(gatehouse.Snapshot) error) error
}

// Vault is what a backup needs of the vault, sealed or not.
type Vault interface {
	FreezeLog(ctx context.Context, f func(gatehouse.Snapshot, gatehouse.LogState) error) error
	SealBundle(ctx context.Context, c gatehouse.BundleContent, f func(io.Reader) error) error
	SignBackup(ctx context.Context, digest [32]byte) (public, signature []byte, err error)
	ErasureList(ctx context.Context) (gatehouse.ErasureList, error)
	LogRoot(ctx context.Context, size int64) ([32]byte, error)
	RecordBundle(ctx context.Context, b gatehouse.KeyBundle) error
	RecordBackup(ctx context.Context, id gatehouse.ID, manifest [32]byte) error
}

// Ports are what a backup needs of the rest.
type Ports struct {
	Place      gatehouse.Place
	Data, Keys gatehouse.ObjectTarget
	Files      Files
	Blobs      gatehouse.BlobStore
	Vault      Vault
	// KeyFiles are the wrapped private key and the public key. The private key is nil
	// where the vault is on another machine, which alone has it: then it is in no bundle.
	KeyFiles func() (private, public []byte, err error)
	Verify   Verify
	Now      func() time.Time // nil: time.Now
}

// Flow makes one site's backups.
type Flow struct {
	Ports
	mu sync.Mutex
}

// New returns a flow over its ports.
func New(p Ports) *Flow {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Flow{Ports: p}
}

// Progress says how far something is, in bytes or pictures.
type Progress struct {
	Stage string `json:"stage"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // 0 where it is not known
}

// Report is what a backup did.
type Report struct {
	ID       gatehouse.ID `json:"id"`
	At       time.Time    `json:"at"`
	Objects  int64        `json:"objects_added"`
	Bytes    int64        `json:"bytes_added"`
	Pictures int          `json:"pictures"`
	Bundle   string       `json:"bundle"`
	Expires  time.Time    `json:"bundle_expires"`
	Seconds  float64      `json:"duration_s"`
}

// run is one backup on its way.
type run struct {
	*Flow
	known    map[Sum]bool // parts that are at the target
	manifest Manifest
	keys     map[string][32]byte
	progress func(Progress)
	objects  atomic.Int64
	bytes    atomic.Int64
}

// Run makes a backup. Errors: backup.running, backup.other_site, those of the targets,
// of the stores and of the vault; then there is no new backup, and the next one goes on
// with what was written.
func (f *Flow) Run(ctx context.Context, progress func(Progress)) (Report, error) {
	if !f.mu.TryLock() {
		return Report{}, gatehouse.Errorf("backup.running", "wait until it has ended", "a backup is being made already")
	}
	defer f.mu.Unlock()
	began := time.Now()
	previous, err := f.previous(ctx)
	if err != nil {
		return Report{}, err
	}
	r := &run{Flow: f, known: map[Sum]bool{}, keys: map[string][32]byte{}, progress: progress}
	at := f.Now().UTC().Truncate(time.Millisecond)
	if previous != nil {
		if !at.After(previous.At) {
			at = previous.At.Add(time.Millisecond) // a clock that was set back: the newest stays the newest
		}
		for _, db := range previous.Databases {
			for _, part := range db.Parts {
				r.known[part] = true
			}
		}
	}
	r.manifest = Manifest{Format: format, ID: gatehouse.NewID(at), At: at, Org: f.Place.Org, Site: f.Place.Site}
	if previous != nil {
		r.manifest.Previous = &previous.Sum
	}
	// The order counts. A leaf is in the gate's files before the log has it, pictures are
	// on disk before the passages that name them, and the keys are in the key store before
	// what they seal: so what names is copied first, and all that it names is there then.
	var bundle gatehouse.KeyBundle
	for _, step := range []func() error{
		func() error { return r.log(ctx) },
		func() error { return r.databases(ctx, previous) },
		func() error { return r.pictures(ctx, previous) },
		func() (err error) { bundle, err = r.finish(ctx); return err },
	} {
		if err := step(); err != nil {
			return Report{}, err
		}
	}
	report := Report{ID: r.manifest.ID, At: at, Objects: r.objects.Load(), Bytes: r.bytes.Load(), Bundle: r.manifest.Bundle, Expires: bundle.Expires, Seconds: time.Since(began).Seconds()}
	for _, l := range r.manifest.Lists {
		report.Pictures += l.Count
	}
	return report, nil
}

// previous is the newest backup of this installation's own: what it names is taken to
// be there. Others' are passed over, unless there are no other.
func (f *Flow) previous(ctx context.Context) (*Found, error) {
	// Asked for first of all: it is in the audit log that the backup copies, so that a
	// restored site goes on under the same name.
	own, _, err := f.Vault.SignBackup(ctx, [32]byte{})
	if err != nil {
		return nil, err
	}
	previous, foreign, err := newestManifest(ctx, f.Data, f.Verify, own)
	if err != nil {
		return nil, err
	}
	if previous == nil && foreign || previous != nil && (previous.Org != f.Place.Org || previous.Site != f.Place.Site) {
		return nil, gatehouse.Errorf("backup.other_site", "give every site a target (or prefix) of its own", "another site's backups lie at this target")
	}
	return previous, nil
}

// Last is the time of the newest backup, zero where there is none.
func (f *Flow) Last(ctx context.Context) (time.Time, error) {
	previous, err := f.previous(ctx)
	if err != nil || previous == nil {
		return time.Time{}, err
	}
	return previous.At, nil
}

func (r *run) databases(ctx context.Context, previous *Found) error {
	files, err := r.Files.BackupFiles(ctx)
	if err != nil {
		return err
	}
	for i, file := range files {
		r.progress(Progress{Stage: "databases", Done: int64(i), Total: int64(len(files))})
		name := "db/" + file.Name
		if old := previous.database(name); old != nil && old.Stamp == file.Stamp {
			r.manifest.Databases = append(r.manifest.Databases, *old)
			r.keys[name] = file.Key
			continue
		}
		err := r.Files.Snapshot(ctx, file.Name, func(s gatehouse.Snapshot) error {
			r.keys[name] = s.Key
			return r.cut(ctx, Database{Name: name, Size: s.Size, Stamp: file.Stamp}, s)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *Found) database(name string) *Database {
	if m == nil {
		return nil
	}
	for i := range m.Databases {
		if m.Databases[i].Name == name {
			return &m.Databases[i]
		}
	}
	return nil
}

func (r *run) log(ctx context.Context) error {
	r.progress(Progress{Stage: "audit log"})
	return r.Vault.FreezeLog(ctx, func(s gatehouse.Snapshot, state gatehouse.LogState) error {
		r.manifest.Log = Log{Size: state.Size, Root: state.Root}
		return r.cut(ctx, Database{Name: "vault/audit.db", Size: s.Size}, s)
	})
}

// cut stores a file in parts; those that are at the target are not sent again. A part
// that did not change is the same bytes as before, since a page's ciphertext follows
// from its key, its place and its content.
func (r *run) cut(ctx context.Context, db Database, file io.Reader) error {
	buffer := make([]byte, PartSize)
	for left := db.Size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := buffer[:min(left, PartSize)]
		if _, err := io.ReadFull(file, part); err != nil {
			return err
		}
		left -= int64(len(part))
		sum := Sum(sha256.Sum256(part))
		db.Parts = append(db.Parts, sum)
		if r.known[sum] {
			continue
		}
		if err := r.put(ctx, r.Data, partName(sum), part); err != nil {
			return err
		}
		r.count(len(part))
		r.known[sum] = true
		r.progress(Progress{Stage: db.Name, Done: db.Size - left, Total: db.Size})
	}
	r.manifest.Databases = append(r.manifest.Databases, db)
	return nil
}

func (r *run) count(bytes int) {
	r.objects.Add(1)
	r.bytes.Add(int64(bytes))
}

func (f *Flow) put(ctx context.Context, target gatehouse.ObjectTarget, name string, b []byte) error {
	return target.Put(ctx, name, b, time.Time{})
}

// pictures stores the sealed pictures that the target does not have.
func (r *run) pictures(ctx context.Context, previous *Found) error {
	var lists []List
	if previous != nil {
		lists = previous.Lists
	}
	stored, err := readLists(ctx, r.Data, lists)
	if err != nil {
		return err
	}
	var fresh []gatehouse.BlobID
	var kept []picture
	err = r.Blobs.EachBlob(ctx, func(id gatehouse.BlobID, _ time.Time) error {
		if p, ok := stored[id]; ok {
			kept = append(kept, p)
		} else {
			fresh = append(fresh, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	added, err := each(ctx, fresh, func(ctx context.Context, id gatehouse.BlobID) (*picture, error) {
		b, err := r.Blobs.Blob(ctx, id)
		if gatehouse.ErrorCode(err) == "store.not_found" { // expired meanwhile
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if err := r.put(ctx, r.Data, blobName(id), b); err != nil {
			return nil, err
		}
		r.count(len(b))
		return &picture{ID: id, Size: int64(len(b)), Sum: sha256.Sum256(b)}, nil
	}, func(done int) { r.progress(Progress{Stage: "pictures", Done: int64(done), Total: int64(len(fresh))}) })
	if err != nil {
		return err
	}
	if len(lists) >= maxLists {
		lists, added = nil, append(added, kept...)
	}
	put, err := r.putLists(ctx, added)
	r.manifest.Lists = append(append([]List{}, lists...), put...)
	return err
}

// each works on the items several at a time and stops at the first error; a result
// that is nil is left out.
func each[In any, Out any](ctx context.Context, items []In, f func(context.Context, In) (*Out, error), progress func(done int)) ([]Out, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		mu   sync.Mutex
		out  []Out
		done int
		next atomic.Int64
		wait sync.WaitGroup
	)
	for range min(workers, len(items)) {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				got, err := f(ctx, items[i])
				if err != nil {
					stop(err)
					return
				}
				mu.Lock()
				if got != nil {
					out = append(out, *got)
				}
				done++
				progress(done)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return out, context.Cause(ctx)
}
