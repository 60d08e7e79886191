package vault

import (
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"gatehouse"
)

// The files of the vault's directory.
const (
	privateKeyFile = "vault.key" // the keyring: private keys, wrapped by what opens their slots
	publicKeyFile  = "vault.pub" // the public key, which seals
	// replacedKeysFile is on a gate whose vault is elsewhere: the texts of vault.pub that
	// rotations have replaced, oldest first.
	replacedKeysFile = "vault.pub.before"
	keyStoreFile     = "keys.db"
	auditFile        = "audit.db"
)

// kem is the hybrid post-quantum KEM that chains' seeds are sealed with:
// MLKEM768-X25519 (X-Wing). Whoever records ciphertexts today and has a quantum
// computer later must break ML-KEM too.
func kem() hpke.KEM { return hpke.MLKEM768X25519() }

// seedSize is the length of the private key in its serialized form.
const seedSize = 32

// MinPassphrase is the least length of a vault passphrase, in bytes: about three
// short words, the least that a work factor like custody.DefaultWork can still defend.
const MinPassphrase = 12

// Exists reports whether a vault was made in dir.
func Exists(dir string) (bool, error) {
	_, err := os.Lstat(filepath.Join(dir, privateKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// present fails with vault.missing where dir holds no vault.
func present(dir string) error {
	exists, err := Exists(dir)
	switch {
	case err != nil:
		return gatehouse.Errorf("vault.failed", "check who may read the vault's directory", "the vault cannot be looked for: %w", err)
	case !exists:
		return gatehouse.Errorf("vault.missing", "make it at first start, or restore the vault's directory from its copy", "there is no vault here: its private key (vault.key) is missing")
	}
	return nil
}

// Init makes the vault's key pair in dir, which it makes too (mode 0700), with one slot
// that a passphrase opens: see InitWith.
func Init(dir, passphrase string) error {
	return InitWith(context.Background(), dir, gatehouse.Passphrase([]byte(passphrase)), "")
}

// InitWith makes the vault's key pair in dir, which it makes too (mode 0700): the public
// key in vault.pub, the private key in the keyring vault.key, in one slot that c opens.
// Who loses what opens its slots, and their copies, loses the archive. A vault.pub
// without a vault.key is what an Init that was interrupted left, and is replaced. Errors:
// vault.exists, vault.passphrase_short, vault.label, vault.failed, and custody's.
func InitWith(ctx context.Context, dir string, c gatehouse.Credential, label string) error {
	if err := checkNewCredential(c, label); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return initFailed(err)
	}
	for _, name := range []string{privateKeyFile, keyStoreFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return gatehouse.Errorf("vault.exists", "use it; if vault.key was lost, restore its copy: a new key would not open what is sealed already", "there is a vault already (%s)", name)
		}
	}
	key, seed, err := newRingKey()
	defer clear(seed[:])
	if err != nil {
		return initFailed(err)
	}
	if _, err := key.addSlot(ctx, seed, c, label); err != nil {
		return err
	}
	if err := writeGenesis(dir, seed[:]); err != nil {
		return initFailed(err)
	}
	// The private key goes last: with it the vault exists.
	if err := key.publish(dir); err != nil {
		return initFailed(err)
	}
	ring := &keyring{Version: keyringVersion, Keys: []*ringKey{key}}
	if err := ring.write(dir, false); err != nil {
		return initFailed(err)
	}
	return nil
}

// checkNewCredential refuses what should not open a vault from now on.
func checkNewCredential(c gatehouse.Credential, label string) error {
	if c.Kind == gatehouse.PassphraseCredential && len(c.Secret) < MinPassphrase {
		return gatehouse.Errorf("vault.passphrase_short", "use several random words", "the vault's passphrase has fewer than %d characters", MinPassphrase)
	}
	if len(label) > maxLabel || strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return gatehouse.Errorf("vault.label", "say in a few words what it is, for example \"safe, blue envelope\"", "a slot's label has at most %d printable characters", maxLabel)
	}
	return nil
}

func initFailed(err error) error {
	return gatehouse.Errorf("vault.failed", "check that its directory can be written and has space", "the vault cannot be made: %w", err)
}

func errPassphrase() error {
	return gatehouse.Errorf("vault.passphrase", "try again; every attempt is counted", "the passphrase is wrong")
}

// readPublicKey reads vault.pub. Errors: vault.missing, vault.key_damaged.
func readPublicKey(dir string) (hpke.PublicKey, error) {
	b, err := os.ReadFile(filepath.Join(dir, publicKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, gatehouse.Errorf("vault.missing", "make it at first start, or restore the vault's directory", "there is no vault here")
	}
	if err == nil {
		var public hpke.PublicKey
		if public, err = parsePublicKey(b); err == nil {
			return public, nil
		}
	}
	return nil, gatehouse.Errorf("vault.key_damaged", "restore vault.pub from its copy", "the vault's public key cannot be read: %w", err)
}

func parsePublicKey(b []byte) (hpke.PublicKey, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSuffix(string(b), "\n"), labelVaultKey)
	if !ok {
		return nil, errors.New("it does not begin as it should")
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	return kem().NewPublicKey(raw)
}

// publicKeyName is a short name of a public key: 16 hexadecimal digits of its SHA-256.
func publicKeyName(public hpke.PublicKey) string {
	d := sha256.Sum256(public.Bytes())
	return hex.EncodeToString(d[:8])
}
