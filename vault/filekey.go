package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse"
)

// fileKeySuffix names the file beside a database that holds its wrapped key.
const fileKeySuffix = ".key"

// A wrapped key, as it stands in a file:
//
//	offset  size  what
//	0       1     version, 1
//	1       4     name of the gate key that wraps it
//	5       12    nonce, random
//	17      32    AES-256-GCM of the file key, under HKDF(gate key, label)
//	49      16    its tag
//
// The AAD is length-prefixed (label with version, path inside the data directory
// with slashes), so that one file's key does not pass for another's.
const (
	wrapVersion  = 1
	wrapHead     = 1 + 4 + nonceSize
	wrappedBytes = wrapHead + 32 + tagSize
)

// FileKey returns the random key of one database file, which lies inside the data
// directory; file is absolute, or relative to the data directory. The first call for a file makes the key and puts it, wrapped by the
// gate key, into "<file>.key", durable before the caller can write a byte of the
// database. A database without its key file is never given a new one. Errors:
// filekey.missing, filekey.damaged, filekey.outside, gatekey.wrong, store.full,
// filekey.failed.
func (g *GateKey) FileKey(file string) (key [32]byte, err error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(g.dataDir, file)
	}
	aad, err := g.wrapAAD(file)
	if err != nil {
		return key, err
	}
	if key, changed, err := g.inForce(file, aad); err != nil || changed {
		return key, err
	}
	for {
		wrapped, err := os.ReadFile(file + fileKeySuffix)
		if err == nil {
			return g.unwrap(wrapped, aad)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return key, fileKeyFailed(err)
		}
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			return key, gatehouse.Errorf("filekey.missing", "restore "+filepath.Base(file)+fileKeySuffix+" from a backup, beside the database",
				"the key of %s is not there", filepath.Base(file))
		}
		random(key[:])
		g.made.RLock()
		err = writeDurably(file+fileKeySuffix, g.wrap(key, aad), false)
		g.made.RUnlock()
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return [32]byte{}, fileKeyFailed(err)
		}
		// Somebody else was faster: theirs is the key.
	}
}

func (g *GateKey) wrap(key [32]byte, aad []byte) []byte {
	g = g.current()
	b := make([]byte, wrapHead, wrappedBytes)
	b[0] = wrapVersion
	copy(b[1:], g.name[:])
	random(b[5:wrapHead])
	wrapping := expand(g.key[:], labelWrap)
	defer clear(wrapping[:])
	return newAEAD(wrapping[:]).Seal(b, b[5:wrapHead], key[:], aad)
}

func (g *GateKey) unwrap(b, aad []byte) (key [32]byte, err error) {
	damaged := gatehouse.Errorf("filekey.damaged", "restore the key file from a backup", "a database's key file is damaged")
	if len(b) != wrappedBytes || b[0] != wrapVersion {
		return key, damaged
	}
	if g = g.named(b[1:5]); g == nil {
		return key, gatehouse.Errorf("gatekey.wrong", "use the gate key file that this data directory was made with", "a database's key is wrapped by another gate key")
	}
	wrapping := expand(g.key[:], labelWrap)
	defer clear(wrapping[:])
	plain, err := newAEAD(wrapping[:]).Open(nil, b[5:wrapHead], b[wrapHead:], aad)
	if err != nil {
		return key, damaged
	}
	copy(key[:], plain)
	clear(plain)
	return key, nil
}

// wrapAAD binds a wrapped key to the file's place inside the data directory, so
// that a directory may be moved as a whole and its files may not be exchanged.
func (g *GateKey) wrapAAD(file string) ([]byte, error) {
	path, err := realPath(file)
	if err != nil {
		return nil, fileKeyFailed(err)
	}
	rel, err := filepath.Rel(g.dataDir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, gatehouse.Errorf("filekey.outside", "this is a fault of the program", "%s is not in the data directory", filepath.Base(file))
	}
	return bind([]byte(labelWrap), []byte(filepath.ToSlash(rel))), nil
}
