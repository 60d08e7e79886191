package vault

import (
	"context"
	"crypto/hpke"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

// A key pair that several sites share is rotated for all of them. Each site's vault
// process pins the new key first; only when all did does vault.pub become that key, for
// a process that finds a key there which it has not pinned does not start. And the old
// key leaves the keyring when the last of them needs it no more. Whoever carries that
// out (vault/machine) may be killed between any two steps, and begins again.

// PrepareRotation does a shared rotation's first steps at one site: the keyring has the
// new key, made by the first site that is asked, and this site's key store takes rows for
// it. Errors: Rotate's.
func (d Desk) PrepareRotation(ctx context.Context, operator string, with gatehouse.Credential) (r Rotation, err error) {
	_, err = d.with(ctx, methodPrepareRotation, request(operator, with), with, &r)
	return r, err
}

func (s *service) handlePrepareRotation(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	if !s.shared {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "this vault's key pair is its own")
	}
	var reply Rotation
	err := s.rotating(ctx, r, func(begun Rotation, _ hpke.PublicKey, _ openKeys) error {
		reply = begun
		return nil
	})
	return reply, nil, err
}

// Pinned fails with vault.rotation where the site's key store takes no rows for the
// named key.
func (v *Vault) Pinned(ctx context.Context, name string) error {
	_, err := v.process.Call(ctx, methodPinned, name, nil, nil)
	return err
}

func (s *service) handlePinned(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var name string
	if err := r.Decode(&name); err != nil {
		return nil, nil, err
	}
	names, err := s.keys.pins(ctx)
	if err == nil && !slices.Contains(names, name) {
		err = gatehouse.Errorf("vault.rotation", "run the command again: it prepares the site too", "a site's key store does not know the new vault key yet")
	}
	return nil, nil, err
}

// PublishRotation makes the key of an unfinished rotation the one that is sealed to, and
// gives vault.pub's new text. Every site's process must have pinned it. Errors:
// vault.rotation, vault.missing, vault.key_damaged, store.full, vault.failed.
func PublishRotation(dir, name string) (public string, err error) {
	err = changeKeyring(dir, func(ring *keyring) error {
		active := ring.active()
		to := active[len(active)-1]
		if to.Name != name {
			return gatehouse.Errorf("vault.rotation", "run the command again", "another rotation was begun meanwhile")
		}
		public = publicKeyText(to.Public)
		if err := to.publish(dir); err != nil {
			return keyringFailed(err)
		}
		return nil
	})
	return public, err
}

// published fails with vault.rotation unless vault.pub is the new key already.
func (s *service) published(to hpke.PublicKey) error {
	public, err := readPublicKey(s.room.dir)
	if err == nil && publicKeyName(public) != publicKeyName(to) {
		err = gatehouse.Errorf("vault.rotation", "run the command again", "not all sites were prepared for the new vault key")
	}
	return err
}

// renewGenesis seals what says of a site that is paired later that its vault was never
// unsealed under the new key, which is the first of keys.
func (s *service) renewGenesis(keys openKeys) error {
	if !s.shared {
		return nil // the control was sealed anew
	}
	if _, err := os.Lstat(filepath.Join(s.room.dir, genesisFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for i, k := range keys {
		is, err := isGenesis(s.room.dir, k.seed[:])
		switch {
		case err != nil:
			return err
		case is && i == 0:
			return nil
		case is:
			if err := writeGenesis(s.room.dir, keys.seed()); err != nil {
				return keyringFailed(err)
			}
			return nil
		}
	}
	return nil // it is of another key altogether: it says nothing
}

// Retire makes sure that the site's key store holds nothing for other keys than the named
// one, and writes into its log that those are retired. Errors: vault.rotation, and the
// store's.
func (v *Vault) Retire(ctx context.Context, keep string) error {
	_, err := v.process.Call(ctx, methodRetire, keep, nil, nil)
	return err
}

func (s *service) handleRetire(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var keep string
	if err := r.Decode(&keep); err != nil {
		return nil, nil, err
	}
	names, err := s.keys.pins(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Equal(names, []string{keep}) {
		return nil, nil, gatehouse.Errorf("vault.rotation", "run the command again", "a site's key store takes rows for the old vault key still")
	}
	ring, err := readKeyring(s.room.dir)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range ring.active() {
		if k.Name == keep {
			continue
		}
		if err := s.recordKey(ctx, "retired", k.Name); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, nil
}

// FinishRotation retires every key of the keyring in dir but the named one, which must be
// the last: their slots are destroyed. Every site must have been asked (Vault.Retire).
// Errors: vault.rotation, vault.missing, vault.key_damaged, store.full, vault.failed.
func FinishRotation(dir, keep string) error {
	now := time.Now().UTC().Truncate(time.Second)
	return changeKeyring(dir, func(ring *keyring) error {
		active := ring.active()
		if active[len(active)-1].Name != keep {
			return gatehouse.Errorf("vault.rotation", "run the command again", "another rotation was begun meanwhile")
		}
		for _, k := range active[:len(active)-1] {
			k.Retired, k.Slots = &now, []keySlot{}
		}
		return nil
	})
}

// pins names the keys that the key store takes rows for.
func (k *keyStore) pins(ctx context.Context) (names []string, err error) {
	rows, err := k.db.Readers().QueryContext(ctx, `SELECT name FROM public_keys ORDER BY name`)
	if err != nil {
		return nil, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
		names = append(names, name)
	}
	return names, sealeddb.Wrap(keyStoreFile, rows.Err())
}
