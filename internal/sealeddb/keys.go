package sealeddb

import (
	"crypto/rand"
	"encoding/hex"
	"sync"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"
	"lukechampine.com/adiantum/hbsh"

	cipher "lukechampine.com/adiantum"
)

// vfsName is the name under which SQLite finds the guarded, encrypting file system.
const vfsName = "gatehouse-sealed"

var (
	keys  = &keyring{byName: map[string][32]byte{}}
	guard = newGuardVFS(vfs.Find(""))
)

func init() { vfs.Register(vfsName, scrubVFS{adiantum.Wrap(guard, keys)}) }

// keyring holds the keys of the open databases under random names. A connection
// is opened with the name where SQLite expects a passphrase, so that no key is
// ever part of a URI, a pragma, an error text or SQLite's own memory.
type keyring struct {
	mu     sync.Mutex
	byName map[string][32]byte
}

func (k *keyring) add(key [32]byte) (name string) {
	name = rand.Text()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byName[name] = key
	return name
}

func (k *keyring) remove(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.byName, name)
}

// KDF implements adiantum.HBSHCreator: it looks the name up. Temporary files have
// none and get a random key.
func (k *keyring) KDF(name string) []byte {
	if name == "" {
		key := make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			panic("the system has no randomness: " + err.Error())
		}
		return key
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.byName[name]
	if !ok {
		return nil
	}
	return key[:]
}

// HBSH implements adiantum.HBSHCreator.
func (k *keyring) HBSH(key []byte) *hbsh.HBSH {
	if len(key) != 32 {
		return nil
	}
	return cipher.New(key)
}

// ParseKey reads a key from 64 hexadecimal digits, as key files hold it. It fails
// with store.key and never repeats what it was given.
func ParseKey(s string) ([32]byte, error) {
	var key [32]byte
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(key) {
		return [32]byte{}, errKeyForm()
	}
	copy(key[:], b)
	return key, nil
}

func (k *keyring) get(name string) [32]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byName[name]
}
