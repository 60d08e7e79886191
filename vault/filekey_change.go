package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/internal/sealeddb"
)

// freshKeySuffix names the file that holds a database's next key while the database
// is being rewritten under it. It is removed by becoming "<file>.key", and never
// otherwise: whoever was interrupted may have rewritten the database already.
const freshKeySuffix = fileKeySuffix + ".new"

// ChangeFileKey gives a database file a fresh key: change rewrites the database under
// it (sealeddb.Rewrite). Both keys are on disk before change is called and until it
// has returned, so that after a crash at any moment FileKey returns the one that the
// file is under; a change that failed is repeated with the same fresh key. One change
// at a time. Errors: those of FileKey and of change.
func (g *GateKey) ChangeFileKey(file string, change func(fresh [32]byte) error) error {
	if !filepath.IsAbs(file) {
		file = filepath.Join(g.dataDir, file)
	}
	g.changing.Lock()
	defer g.changing.Unlock()
	aad, err := g.wrapAAD(file)
	if err != nil {
		return err
	}
	if _, err := g.settle(file, aad); err != nil {
		return err
	}
	fresh, pending, err := g.freshKey(file, aad)
	if err != nil {
		return err
	}
	defer clear(fresh[:])
	if !pending {
		random(fresh[:])
		if err := writeDurably(file+freshKeySuffix, g.wrap(fresh, aad), true); err != nil {
			return fileKeyFailed(err)
		}
	}
	changed := change(fresh)
	_, err = g.settle(file, aad)
	return errors.Join(changed, err)
}

// freshKey is the key that a rewrite was begun with and has not come into force yet.
func (g *GateKey) freshKey(file string, aad []byte) (key [32]byte, pending bool, err error) {
	wrapped, err := os.ReadFile(file + freshKeySuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return key, false, nil
	}
	if err != nil {
		return key, false, fileKeyFailed(err)
	}
	key, err = g.unwrap(wrapped, aad)
	return key, err == nil, err
}

// inForce returns the fresh key if the database is under it already.
func (g *GateKey) inForce(file string, aad []byte) (key [32]byte, yes bool, err error) {
	key, pending, err := g.freshKey(file, aad)
	if err != nil || !pending {
		return [32]byte{}, false, err
	}
	yes, err = sealeddb.Fits(file, key)
	if !yes {
		clear(key[:])
	}
	return key, yes, err
}

// settle makes the fresh key the database's key where the database is under it.
func (g *GateKey) settle(file string, aad []byte) (changed bool, err error) {
	_, yes, err := g.inForce(file, aad)
	if err != nil || !yes {
		return false, err
	}
	if err := os.Rename(file+freshKeySuffix, file+fileKeySuffix); err != nil {
		return false, fileKeyFailed(err)
	}
	return true, fileKeyFailedOrNil(syncDir(filepath.Dir(file)))
}

func fileKeyFailedOrNil(err error) error {
	if err == nil {
		return nil
	}
	return fileKeyFailed(err)
}

// SettleFileKeys finishes what a crash in the middle of ChangeFileKey left: in every
// "<file>.key" stands the key that the file is under, and there is no unfinished copy:
// what is erased from the file afterwards would be in it still. The caller has the data
// directory for itself.
func (g *GateKey) SettleFileKeys() error {
	return filepath.WalkDir(g.dataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.HasSuffix(path, freshKeySuffix) {
			return err
		}
		file := strings.TrimSuffix(path, freshKeySuffix)
		aad, err := g.wrapAAD(file)
		if err == nil {
			_, err = g.settle(file, aad)
		}
		if err == nil {
			err = sealeddb.DropCopy(file)
		}
		return err
	})
}
