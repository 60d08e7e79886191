package vault

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse"

	"filippo.io/age"
)

// The files of the vault's directory.
const (
	privateKeyFile = "vault.key" // the private key, wrapped by a passphrase
	publicKeyFile  = "vault.pub" // the public key, which seals
	keyStoreFile   = "keys.db"
	auditFile      = "audit.db"
)

// kem is the hybrid post-quantum KEM that chains' seeds are sealed with:
// MLKEM768-X25519 (X-Wing). Whoever records ciphertexts today and has a quantum
// computer later must break ML-KEM too.
func kem() hpke.KEM { return hpke.MLKEM768X25519() }

// seedSize is the length of the private key in its serialized form.
const seedSize = 32

// MinPassphrase is the least length of a vault passphrase, in bytes: about three
// short words, the least that a work factor like scryptWork can still defend.
const MinPassphrase = 12

// scryptWork is the passphrase's work factor as log2 N: about a second and 256 MB
// on a small machine, age's own default.
var scryptWork = 18

// maxScryptWork bounds what a planted key file can make an unseal cost.
const maxScryptWork = 20

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

// Init makes the vault's key pair in dir, which it makes too (mode 0700): the
// public key in vault.pub, the private key in vault.key, an age file that any age
// program decrypts with the passphrase. Who loses both the passphrase and its
// copies loses the archive. A vault.pub without a vault.key is what an Init that was
// interrupted left, and is replaced. Errors: vault.exists, vault.passphrase_short,
// vault.failed.
func Init(dir, passphrase string) error {
	if len(passphrase) < MinPassphrase {
		return gatehouse.Errorf("vault.passphrase_short", "use several random words", "the vault's passphrase has fewer than %d characters", MinPassphrase)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return initFailed(err)
	}
	for _, name := range []string{privateKeyFile, keyStoreFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return gatehouse.Errorf("vault.exists", "use it; if vault.key was lost, restore its copy: a new key would not open what is sealed already", "there is a vault already (%s)", name)
		}
	}
	private, err := kem().GenerateKey()
	if err != nil {
		return initFailed(err)
	}
	seed, err := private.Bytes()
	if err != nil {
		return initFailed(err)
	}
	defer clear(seed)
	wrapped, err := wrapSeed(seed, passphrase)
	if err != nil {
		return initFailed(err)
	}
	if err := writeGenesis(dir, seed); err != nil {
		return initFailed(err)
	}
	// The private key goes last: with it the vault exists.
	public := []byte(labelVaultKey + base64.StdEncoding.EncodeToString(private.PublicKey().Bytes()) + "\n")
	if err := writeDurably(filepath.Join(dir, publicKeyFile), public, true); err != nil {
		return initFailed(err)
	}
	if err := writeDurably(filepath.Join(dir, privateKeyFile), wrapped, false); err != nil {
		return initFailed(err)
	}
	return nil
}

func initFailed(err error) error {
	return gatehouse.Errorf("vault.failed", "check that its directory can be written and has space", "the vault cannot be made: %w", err)
}

// wrapSeed encrypts version (1), KEM id (2 bytes) and seed to a passphrase.
func wrapSeed(seed []byte, passphrase string) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(scryptWork)
	plain := binary.BigEndian.AppendUint16([]byte{1}, kem().ID())
	plain = append(plain, seed...)
	defer clear(plain)
	var b bytes.Buffer
	w, err := age.Encrypt(&b, recipient)
	if err != nil {
		return nil, err
	}
	if _, err = w.Write(plain); err != nil {
		return nil, err
	}
	if err = w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unwrapSeed undoes wrapSeed; the caller zeroes the seed. Errors: vault.passphrase,
// vault.key_damaged.
func unwrapSeed(wrapped []byte, passphrase string) ([]byte, error) {
	damaged := func(err error) error {
		return gatehouse.Errorf("vault.key_damaged", "restore vault.key from its copy", "the vault's key file is damaged: %w", err)
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil { // an empty passphrase
		return nil, errPassphrase()
	}
	identity.SetMaxWorkFactor(maxScryptWork)
	r, err := age.Decrypt(bytes.NewReader(wrapped), identity)
	var mismatch *age.NoIdentityMatchError
	switch {
	case errors.As(err, &mismatch):
		return nil, errPassphrase()
	case err != nil:
		return nil, damaged(err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, 1024))
	if err != nil {
		return nil, damaged(err)
	}
	if len(plain) != 1+2+seedSize || plain[0] != 1 || binary.BigEndian.Uint16(plain[1:]) != kem().ID() {
		clear(plain)
		return nil, damaged(errors.New("it holds no key of this kind"))
	}
	return plain[3:], nil
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
		encoded, ok := strings.CutPrefix(strings.TrimSuffix(string(b), "\n"), labelVaultKey)
		if !ok {
			err = errors.New("it does not begin as it should")
		} else if b, err = base64.StdEncoding.DecodeString(encoded); err == nil {
			var public hpke.PublicKey
			if public, err = kem().NewPublicKey(b); err == nil {
				return public, nil
			}
		}
	}
	return nil, gatehouse.Errorf("vault.key_damaged", "restore vault.pub from its copy", "the vault's public key cannot be read: %w", err)
}

// publicKeyName is a short name of a public key: 16 hexadecimal digits of its SHA-256.
func publicKeyName(public hpke.PublicKey) string {
	d := sha256.Sum256(public.Bytes())
	return hex.EncodeToString(d[:8])
}
