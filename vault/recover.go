package vault

import (
	"bytes"
	"context"
	"crypto/hpke"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/vault/shares"
)

// Recover combines shares and gives the vault key that they are of a new slot, which c
// opens; it works on the vault's files alone. Where the keyring is lost it is made anew,
// and so is vault.pub: whether that key is the key store's own shows when that is
// opened. It says which key it is. Errors: package shares', shares.other_key (of a key
// that is not this vault's), vault.passphrase_short, vault.label, vault.slots_full,
// vault.key_damaged, vault.missing (no vault was ever here), vault.failed, custody's.
func Recover(ctx context.Context, dir string, all []shares.Share, c gatehouse.Credential, label string) (name string, err error) {
	if err := checkNewCredential(c, label); err != nil {
		return "", err
	}
	seed, err := shares.Combine(all)
	if err != nil {
		return "", err
	}
	defer clear(seed[:])
	private, err := kem().NewPrivateKey(seed[:])
	if err != nil {
		return "", gatehouse.Errorf("shares.damaged", "use other shares", "the shares do not give a key: %w", err)
	}
	key := ringKeyOf(private.PublicKey())
	if key.Name != all[0].KeyName() {
		return "", gatehouse.Errorf("shares.damaged", "use other shares; one of them was altered", "the shares do not give the key that they are of")
	}
	err = changeKeyring(dir, func(ring *keyring) error {
		known := ring.find(key.Name)
		if known == nil || known.Retired != nil {
			return otherKey(key.Name)
		}
		_, err := known.addSlot(ctx, seed, c, label)
		return err
	})
	if gatehouse.ErrorCode(err) == "vault.missing" && errors.Is(err, fs.ErrNotExist) {
		err = remake(ctx, dir, key, seed, c, label)
	}
	return key.Name, err
}

func otherKey(name string) error {
	return gatehouse.Errorf("shares.other_key", "use the shares that were made last; `gatehouse keys status` names this vault's key", "these are shares of the key %s, which is not in use here", name)
}

// remake writes a keyring where there is none.
func remake(ctx context.Context, dir string, key *ringKey, seed [seedSize]byte, c gatehouse.Credential, label string) error {
	unlock, err := lockKeyring(dir)
	if err != nil {
		return err
	}
	defer unlock()
	public, err := readPublicKey(dir)
	switch {
	case gatehouse.ErrorCode(err) == "vault.missing":
		if err := key.publish(dir); err != nil {
			return keyringFailed(err)
		}
	case err != nil:
		return err
	case publicKeyName(public) != key.Name:
		return otherKey(key.Name)
	}
	if _, err := key.addSlot(ctx, seed, c, label); err != nil {
		return err
	}
	ring := &keyring{Version: keyringVersion, Keys: []*ringKey{key}}
	if err := ring.write(dir, false); err != nil {
		return keyringFailed(err)
	}
	return nil
}

// maxBundle bounds a bundle that is read.
const maxBundle = 4 << 20

func errKeyringBundle() error {
	return gatehouse.Errorf("vault.bundle", "give the file that `gatehouse keys export` wrote", "this is no keyring bundle, or it is damaged")
}

// parseBundle reads what Export wrote. Errors: vault.bundle.
func parseBundle(b []byte) (in bundle, public hpke.PublicKey, err error) {
	if len(b) > maxBundle || json.Unmarshal(b, &in) != nil || in.Format != bundleFormat {
		return in, nil, errKeyringBundle()
	}
	if public, err = parsePublicKey(in.Public); err != nil {
		return in, nil, errKeyringBundle()
	}
	ring := &keyring{}
	if !bytes.HasPrefix(in.Keyring, []byte(ageHeader)) && (parseKeyring(in.Keyring, ring) != nil || ring.find(publicKeyName(public)) == nil) {
		return in, nil, errKeyringBundle()
	}
	return in, public, nil
}

// Keyring takes the wrapped private keys out of what Export wrote, or out of a vault.key
// as it lies in a vault's directory. Errors: vault.bundle.
func Keyring(b []byte) (private []byte, err error) {
	if in, _, err := parseBundle(b); err == nil {
		return in.Keyring, nil
	}
	if bytes.HasPrefix(b, []byte(ageHeader)) || parseKeyring(b, &keyring{}) == nil {
		return b, nil
	}
	return nil, errKeyringBundle()
}

// ImportKeyring puts the keyring and public key of a bundle (Vault.Export) into dir,
// where no keyring is: an existing one is never replaced. It says which key is the
// current one. Errors: vault.exists, vault.bundle, vault.key_changed (vault.pub here is
// of another key), vault.failed.
func ImportKeyring(dir string, b []byte) (name string, err error) {
	in, public, err := parseBundle(b)
	if err != nil {
		return "", err
	}
	name = publicKeyName(public)
	unlock, err := lockKeyring(dir)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Lstat(filepath.Join(dir, privateKeyFile)); !errors.Is(err, fs.ErrNotExist) {
		return "", gatehouse.Errorf("vault.exists", "move it away first if it is damaged", "there is a keyring already (%s)", privateKeyFile)
	}
	here, err := readPublicKey(dir)
	switch {
	case gatehouse.ErrorCode(err) == "vault.missing":
		if err := writeDurably(filepath.Join(dir, publicKeyFile), in.Public, true); err != nil {
			return "", keyringFailed(err)
		}
	case err != nil:
		return "", err
	case publicKeyName(here) != name:
		return "", gatehouse.Errorf("vault.key_changed", "give the bundle that was exported last", "the bundle is of the key %s, and vault.pub of the key %s", name, publicKeyName(here))
	}
	if err := writeDurably(filepath.Join(dir, privateKeyFile), in.Keyring, false); err != nil {
		return "", keyringFailed(err)
	}
	return name, nil
}
