package vault

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

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
	tables  sync.Map // table -> cipher.AEAD

	file string                  // where it is kept
	next atomic.Pointer[GateKey] // the key that replaces this one, see gaterotate.go
	made sync.RWMutex            // held for reading while a database's first key is wrapped and written

	changing sync.Mutex // one database's key at a time
}

// CreateGateKey makes a new gate key in file (mode 0600, durable), which must lie
// outside dataDir: whoever copies the data directory must not get the key with it.
// Its directory must exist. Errors: gatekey.inside, gatekey.exists, gatekey.failed.
func CreateGateKey(dataDir, file string) error {
	_, file, err := outside(dataDir, file)
	if err != nil {
		return err
	}
	key := make([]byte, gateKeySize)
	random(key)
	defer clear(key)
	err = writeDurably(file, key, false)
	switch {
	case errors.Is(err, fs.ErrExist):
		return gatehouse.Errorf("gatekey.exists", "use it, or name another file", "there is a file in the place of the new gate key")
	case err != nil:
		return gatehouse.Errorf("gatekey.failed", "check that the directory exists and can be written", "the gate key cannot be written: %w", err)
	}
	return nil
}

// OpenGateKey reads the gate key for a data directory, which must exist. The first
// key that a data directory is opened with is the one that it belongs to from then
// on. Errors: gatekey.missing, gatekey.inside, gatekey.permissions (more than the
// owner may read it, or the owner is another user), gatekey.malformed,
// gatekey.wrong, gatekey.failed.
func OpenGateKey(dataDir, file string) (*GateKey, error) {
	dataDir, file, err := outside(dataDir, file)
	if err != nil {
		return nil, err
	}
	g := &GateKey{dataDir: dataDir, file: file}
	if err := readGateKey(file, &g.key); err != nil {
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

func readGateKey(file string, key *[gateKeySize]byte) error {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe in its place must not block
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gatehouse.Errorf("gatekey.missing", "plug in or mount what holds it, or correct `gate_key` in the configuration; if it is lost, restore its copy",
			"the gate key file %s is not there", file)
	case err != nil:
		return gatehouse.Errorf("gatekey.failed", "check who may read it", "the gate key cannot be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return gatehouse.Errorf("gatekey.failed", "check the file", "the gate key cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() {
		return gatehouse.Errorf("gatekey.malformed", "name the key's file", "the gate key is no regular file")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return gatehouse.Errorf("gatekey.permissions", "run: chmod 600 on the gate key file", "others than its owner may read the gate key")
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() && owner.Uid != 0 {
		return gatehouse.Errorf("gatekey.permissions", "run: chown on the gate key file, to the user that runs gatehouse", "the gate key belongs to another user")
	}
	b, err := io.ReadAll(io.LimitReader(f, gateKeySize+1))
	defer clear(b)
	if err != nil {
		return gatehouse.Errorf("gatekey.failed", "check the medium that holds it", "the gate key cannot be read: %w", err)
	}
	if len(b) != gateKeySize {
		return gatehouse.Errorf("gatekey.malformed", "restore the file from its copy", "a gate key has 32 bytes, this file does not")
	}
	copy(key[:], b)
	return nil
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
