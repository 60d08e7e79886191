package vault

import (
	"context"
	"crypto/hpke"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/index"
)

// The search index and its key. Both can be lost: the index is built again from the log.
const (
	indexFile    = "index.db"
	indexKeyFile = "index.key"
)

const (
	labelIndexKey = "gatehouse/index/key/v1"   // vault seed -> the key that wraps the index's file key; also begins its AAD
	labelQuery    = "gatehouse/index/query/v1" // vault seed -> the key of the digests of what was searched for
)

// The index's key file:
//
//	offset  size      what
//	0       1         version, 1
//	1       12        nonce, random
//	13      32 or 64  AES-256-GCM of the file's random key, or of the old and the new
//	                  one while the file is being rewritten
//	…       16        its tag
//
// The wrapping key comes from the vault's private seed. Sealing to the public key would
// hide the file key as well, but whoever can write to the directory could then put a
// key of their own there and have the index filled under it.
const (
	indexKeyVersion = 1
	indexKeyHead    = 1 + nonceSize
)

// vaultSecret derives a secret of the unsealed vault's own.
func vaultSecret(private hpke.PrivateKey, label string) ([32]byte, error) {
	seed, err := private.Bytes() // the key's own bytes: clearing them would make it another key
	if err != nil {
		return [32]byte{}, err
	}
	return expand(seed, label), nil
}

func indexKeyAAD(private hpke.PrivateKey) []byte {
	return bind([]byte(labelIndexKey), private.PublicKey().Bytes())
}

// readIndexKeys gives the keys that the index may be under: one, or two where a
// rewriting was interrupted. fs.ErrNotExist is in the chain where there is no key file;
// index.key_damaged is one that is not this vault's.
func readIndexKeys(dir string, private hpke.PrivateKey) (keys [][32]byte, err error) {
	b, err := os.ReadFile(filepath.Join(dir, indexKeyFile))
	if err != nil {
		return nil, err
	}
	wrapping, err := vaultSecret(private, labelIndexKey)
	if err != nil {
		return nil, err
	}
	defer clear(wrapping[:])
	damaged := gatehouse.Errorf("index.key_damaged", "the index is built again from the log", "the search index's key file is damaged or another vault's")
	if len(b) < indexKeyHead || b[0] != indexKeyVersion {
		return nil, damaged
	}
	plain, err := newAEAD(wrapping[:]).Open(nil, b[1:indexKeyHead], b[indexKeyHead:], indexKeyAAD(private))
	if err != nil || len(plain)%32 != 0 || len(plain) == 0 || len(plain) > 64 {
		return nil, damaged
	}
	defer clear(plain)
	for rest := plain; len(rest) > 0; rest = rest[32:] {
		keys = append(keys, [32]byte(rest))
	}
	return keys, nil
}

func writeIndexKeys(dir string, private hpke.PrivateKey, keys ...[32]byte) error {
	wrapping, err := vaultSecret(private, labelIndexKey)
	if err != nil {
		return err
	}
	defer clear(wrapping[:])
	var plain []byte
	for _, key := range keys {
		plain = append(plain, key[:]...)
	}
	defer clear(plain)
	b := make([]byte, indexKeyHead)
	b[0] = indexKeyVersion
	random(b[1:])
	b = newAEAD(wrapping[:]).Seal(b, b[1:indexKeyHead], plain, indexKeyAAD(private))
	if err := writeDurably(filepath.Join(dir, indexKeyFile), b, true); err != nil {
		return fileKeyFailed(err)
	}
	return nil
}

// openIndex opens the index in dir, or makes it. One that is lost, damaged or another
// vault's is begun anew, and follows the log from its first leaf. key is the one that
// it is under, for the caller to keep.
func openIndex(ctx context.Context, dir string, private hpke.PrivateKey) (x *index.Index, key [32]byte, err error) {
	x, key, err = openIndexFile(ctx, dir, private)
	switch gatehouse.ErrorCode(err) {
	case "index.key_damaged", "store.key", "store.damaged":
		child.NewLog().Warn("the search index cannot be used; it is built again from the log", "code", gatehouse.ErrorCode(err))
		if err := dropIndex(dir); err != nil {
			return nil, key, err
		}
		return openIndexFile(ctx, dir, private)
	}
	return x, key, err
}

func openIndexFile(ctx context.Context, dir string, private hpke.PrivateKey) (x *index.Index, key [32]byte, err error) {
	path := filepath.Join(dir, indexFile)
	keys, err := readIndexKeys(dir, private)
	if errors.Is(err, fs.ErrNotExist) {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return nil, key, gatehouse.Errorf("index.key_damaged", "the index is built again from the log", "the search index's key file is missing")
		}
		keys = make([][32]byte, 1)
		random(keys[0][:])
		err = writeIndexKeys(dir, private, keys...)
	}
	if err != nil {
		return nil, key, err
	}
	for _, key = range keys {
		if x, err = index.Open(ctx, path, key); gatehouse.ErrorCode(err) != "store.key" {
			break
		}
	}
	if err == nil && len(keys) > 1 {
		// A rewriting was interrupted. The other key opens nothing but its unfinished copy.
		if err = sealeddb.DropCopy(path); err == nil {
			err = writeIndexKeys(dir, private, key)
		}
	}
	if err != nil && x != nil {
		err = errors.Join(err, x.Close())
		x = nil
	}
	return x, key, err
}

// rewriteIndex puts a closed index under a fresh key, so that nothing that was removed
// is in any page of it. It gives the new key.
func rewriteIndex(ctx context.Context, dir string, private hpke.PrivateKey, old [32]byte) (fresh [32]byte, err error) {
	random(fresh[:])
	if err := writeIndexKeys(dir, private, old, fresh); err != nil {
		return fresh, err
	}
	if err := sealeddb.Rewrite(ctx, filepath.Join(dir, indexFile), old, fresh); err != nil {
		return fresh, err
	}
	return fresh, writeIndexKeys(dir, private, fresh)
}

// indexFiles are all that the index leaves in a directory.
var indexFiles = append([]string{indexKeyFile, indexFile, indexFile + "-wal", indexFile + "-shm", indexFile + "-journal"}, sealeddb.CopyFiles(indexFile)...)

// dropIndex removes the index and its key.
func dropIndex(dir string) error {
	for _, name := range indexFiles {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileKeyFailed(err)
		}
	}
	return syncDir(dir)
}
