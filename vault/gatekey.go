package vault

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"gatehouse"
)

// CheckFile is the file in the data directory that tells which gate key belongs to
// it: a data directory that has it was in use. It holds a value derived from the
// key, from which the key does not follow.
const CheckFile = "gate.check"

// gateKeySize is the length of the gate key's file: random bytes and nothing else.
const gateKeySize = 32

// GateKey is the key of the working set and of the database files' keys. The gate
// has it from boot, without a person; it does not open the archive. Its methods are
// safe for concurrent use.
type GateKey struct {
	dataDir string // absolute, symlinks resolved
	key     [gateKeySize]byte
	name    [4]byte  // which key this is; stands in everything sealed under it
	custody Custody  // in force
	tables  sync.Map // table -> cipher.AEAD

	source   GateSource              // where it is kept
	next     atomic.Pointer[GateKey] // the key that replaces this one, see gaterotate.go
	rotating atomic.Bool
	made     sync.RWMutex // held for reading while a database's first key is wrapped and written

	changing sync.Mutex // one database's key at a time
}

// CreateGateKey makes a new gate key where source says (see GateSource): in a file (mode
// 0600, durable), which must lie outside dataDir and whose directory must exist, or
// wrapped by a token or TPM. Errors: gatekey.inside, gatekey.exists, gatekey.source,
// gatekey.credential (only systemd makes those), gatekey.failed, and custody's.
func CreateGateKey(dataDir, source string) error {
	var key [gateKeySize]byte
	random(key[:])
	defer clear(key[:])
	return ParseGateSource(source).store(dataDir, key)
}

// OpenGateKey reads the gate key for a data directory, which must exist, from where
// source says (see GateSource). The first key that a data directory is opened with is the
// one that it belongs to from then on. Errors: gatekey.missing, gatekey.inside,
// gatekey.permissions (more than the owner may read it, or the owner is another user),
// gatekey.malformed, gatekey.wrong, gatekey.failed, and custody's.
func OpenGateKey(dataDir, source string) (*GateKey, error) {
	realDir, err := realPath(dataDir)
	if err != nil {
		return nil, gatehouse.Errorf("gatekey.failed", "check `data` in the configuration", "the data directory cannot be found: %w", err)
	}
	g := &GateKey{dataDir: realDir, source: ParseGateSource(source)}
	if g.custody, err = g.source.load(realDir, &g.key); err != nil {
		return nil, err
	}
	g.setName()
	if err := g.resumeRotation(); err != nil {
		return nil, err
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	return g, nil
}

func (g *GateKey) setName() {
	name := expand(g.key[:], labelKeyName)
	copy(g.name[:], name[:])
}

// check compares the key with the data directory's check value. Where that is
// missing (a new directory, or one restored without it) the key must open the file
// keys that lie there, or a wrong key would become the right one.
func (g *GateKey) check() error {
	wrong := gatehouse.Errorf("gatekey.wrong", "use the gate key file that this data directory was made with", "this gate key does not belong to this data directory")
	want := g.checkValue()
	path := filepath.Join(g.dataDir, CheckFile)
	got, err := os.ReadFile(path)
	if err == nil {
		if subtle.ConstantTimeCompare(got, []byte(want)) != 1 {
			return wrong
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return gatehouse.Errorf("gatekey.failed", "check the data directory", "the gate key's check value cannot be read: %w", err)
	}
	sidecar, err := g.anyFileKey()
	if err == nil && sidecar != "" {
		_, err = g.FileKey(strings.TrimSuffix(sidecar, fileKeySuffix))
	}
	if err == nil {
		if err = writeDurably(path, []byte(want), false); errors.Is(err, fs.ErrExist) {
			return g.check() // another process was faster
		}
	}
	if err != nil && gatehouse.ErrorCode(err) == "" {
		err = gatehouse.Errorf("gatekey.failed", "check that the data directory can be written", "the gate key's check value cannot be written: %w", err)
	}
	return err
}

// checkValue is what the check file of this key's data directory holds.
func (g *GateKey) checkValue() string {
	value := expand(g.key[:], labelCheck)
	return hex.EncodeToString(value[:16]) + "\n"
}

// anyFileKey finds one wrapped file key in the data directory, "" for none.
func (g *GateKey) anyFileKey() (found string, err error) {
	err = filepath.WalkDir(g.dataDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".db"+fileKeySuffix) {
			found = path
			return fs.SkipAll
		}
		return err
	})
	return found, err
}

// outside resolves both paths' symbolic links, and fails with gatekey.inside where
// file lies under dir then. Neither has to exist yet. What was judged is what must
// be opened: the paths that come back.
func outside(dir, file string) (realDir, realFile string, err error) {
	failed := func(err error) (string, string, error) {
		return "", "", gatehouse.Errorf("gatekey.failed", "check both paths", "it cannot be told where the gate key lies: %w", err)
	}
	if realDir, err = realPath(dir); err != nil {
		return failed(err)
	}
	if realFile, err = realPath(file); err != nil {
		return failed(err)
	}
	rel, err := filepath.Rel(realDir, realFile)
	if err != nil {
		return failed(err)
	}
	if filepath.IsLocal(rel) {
		return "", "", gatehouse.Errorf("gatekey.inside", "keep it elsewhere, best on other media: whoever copies the data directory must not get the key",
			"the gate key lies inside the data directory")
	}
	return realDir, realFile, nil
}

// realPath resolves symbolic links as far as the path exists.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	if target, linkErr := os.Readlink(abs); linkErr == nil { // a link whose target is not there yet
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(abs), target)
		}
		return realPath(target)
	}
	parent := filepath.Dir(abs)
	if parent == abs {
		return "", err
	}
	if parent, err = realPath(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(abs)), nil
}
