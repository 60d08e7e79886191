package gatehouse

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"time"
)

// ObjectTarget is where backups go: a place to which objects can be added, from which
// they can be read, and where nothing that is there is ever changed. Names are
// slash-separated paths of lower-case letters, digits, dots and hyphens. Errors:
// backup.target_full, backup.denied, backup.unreachable, backup.target_failed.
type ObjectTarget interface {
	// Put adds an object of at most MaxObject bytes. It MUST be durable when Put
	// returns nil, and MUST have been read back: backup.target_lied where the target
	// gives other bytes than it was given. The same object may be put again, which
	// changes nothing; another one under a name that is taken fails with
	// backup.exists. A storage that has locks keeps the object until keepUntil, where
	// that is not zero.
	Put(ctx context.Context, name string, b []byte, keepUntil time.Time) error
	// Keep has a storage that has locks keep an object that is there until a later time;
	// other storages do nothing.
	Keep(ctx context.Context, name string, until time.Time) error
	// Get fails with backup.not_found.
	Get(ctx context.Context, name string) ([]byte, error)
	// List calls f for the objects whose names begin with prefix, in the order of
	// their names.
	List(ctx context.Context, prefix string, f func(Object) error) error
	// String names the target, without any secret.
	String() string
}

// MaxObject is the largest object of a backup, in bytes. What is larger is stored in
// parts.
const MaxObject = 32 << 20

// Object is what a target says about one object.
type Object struct {
	Name string
	Size int64
}

// Snapshot is a database file at one moment, as ciphertext that is a whole database
// under Key. It is read once, from the beginning.
type Snapshot struct {
	io.Reader
	Key  [32]byte // zero where the vault keeps it to itself
	Size int64
}

// LogState is a state of the audit log: its number of leaves and its Merkle root.
type LogState struct {
	Size int64
	Root [32]byte
}

// BackupFile is a database file that a backup copies. While Stamp is the same, so are
// the file and its key.
type BackupFile struct {
	Name  string
	Stamp string
	Key   [32]byte
}

// ErasureList says which erasure list somebody has: how many removals, and their
// digest. A longer list that begins with these is a newer one.
type ErasureList struct {
	Count  int
	Digest [32]byte
}

// DigestRemovals is SHA-256 over the list in its order, as the audit log's checkpoints
// and their witnesses name it: every entry with its length before it, and in it every
// part (time in Unix milliseconds, organization, site, kind, subject, class, day).
func DigestRemovals(list []Removal) ErasureList {
	h := sha256.New()
	prefixed := func(to, part []byte) []byte {
		return append(binary.BigEndian.AppendUint32(to, uint32(len(part))), part...)
	}
	for _, r := range list {
		kind, subject := "subject", r.Subject[:]
		switch {
		case r.Templates():
			kind = "templates"
		case r.Subject.IsZero():
			kind, subject = "day", nil
		}
		var entry []byte
		for _, part := range [][]byte{binary.BigEndian.AppendUint64(nil, uint64(r.At.UnixMilli())), []byte(r.Org), []byte(r.Site), []byte(kind), subject, []byte(r.Class), []byte(r.Day)} {
			entry = prefixed(entry, part)
		}
		h.Write(prefixed(nil, entry))
	}
	return ErasureList{Count: len(list), Digest: [32]byte(h.Sum(nil))}
}

// BundleContent is what a key bundle holds beside the key store.
type BundleContent struct {
	ID          ID
	At, Expires time.Time
	Manifest    [32]byte            // SHA-256 of the manifest that the bundle belongs to
	Files       map[string][32]byte // the keys of the backup's database files, by name
}
