package vault

import (
	"bytes"
	"context"
	"crypto/hpke"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"

	"gatehouse/vault/custody"
	"golang.org/x/sys/unix"
)

// keyring is the file vault.key, JSON: the generations of the vault's key pair, oldest
// first. Each key's 32-byte seed lies in one or more slots, as in LUKS: whatever opens
// one of them opens the key. More than one key that is not retired means that a rotation
// was begun and not finished; the last is the one that it leads to.
type keyring struct {
	Version int        `json:"version"`
	Keys    []*ringKey `json:"keys"`
}

// ringKey is one generation. A retired key has no slots any more: nobody can open it.
type ringKey struct {
	Name    string     `json:"name"`   // see publicKeyName
	Public  []byte     `json:"public"` // 1,216 bytes
	Created time.Time  `json:"created"`
	Retired *time.Time `json:"retired"`
	Slots   []keySlot  `json:"slots"`
}

// keySlot is the seed, wrapped for the purpose slotPurpose.
type keySlot struct {
	ID      string                   `json:"id"` // 8 hexadecimal digits
	Kind    gatehouse.CredentialKind `json:"kind"`
	Label   string                   `json:"label"` // in people's words; stands here in clear
	Created time.Time                `json:"created"`
	Data    []byte                   `json:"data"`
}

// Limits of a keyring, against a planted file.
const (
	keyringVersion = 1
	maxKeyring     = 1 << 20
	maxRingKeys    = 64
	maxSlots       = 16 // of one key
	maxLabel       = 60 // bytes
)

// ageHeader begins the vault.key of the first version: one passphrase slot and no more.
const ageHeader = "age-encryption.org/v1\n"

const keyringLock = "vault.key.lock"

func newRingKey() (key *ringKey, seed [seedSize]byte, err error) {
	private, err := kem().GenerateKey()
	if err != nil {
		return nil, seed, err
	}
	b, err := private.Bytes()
	if err != nil {
		return nil, seed, err
	}
	copy(seed[:], b)
	clear(b)
	return ringKeyOf(private.PublicKey()), seed, nil
}

func ringKeyOf(public hpke.PublicKey) *ringKey {
	return &ringKey{Name: publicKeyName(public), Public: public.Bytes(), Created: time.Now().UTC().Truncate(time.Second)}
}

// slotPurpose binds a slot to its key.
func slotPurpose(name string) string { return "vault/" + name }

// publish makes the key the one that is sealed to.
func (k *ringKey) publish(dir string) error {
	return writeDurably(filepath.Join(dir, publicKeyFile), []byte(publicKeyText(k.Public)), true)
}

// publicKeyText is what stands in vault.pub.
func publicKeyText(public []byte) string {
	return labelVaultKey + base64.StdEncoding.EncodeToString(public) + "\n"
}

// publishKey is publish for a key of a rotation.
func publishKey(dir string, key hpke.PublicKey) error {
	if err := ringKeyOf(key).publish(dir); err != nil {
		return keyringFailed(err)
	}
	return nil
}

// addSlot wraps the seed for c. Errors: vault.slots_full, custody's.
func (k *ringKey) addSlot(ctx context.Context, seed [seedSize]byte, c gatehouse.Credential, label string) (id string, err error) {
	if len(k.Slots) >= maxSlots {
		return "", gatehouse.Errorf("vault.slots_full", "remove one that nobody needs", "the vault key has %d slots already", maxSlots)
	}
	w, err := wrapperOf(c, custody.NewWork())
	if err != nil {
		return "", err
	}
	data, err := w.Wrap(ctx, seed, slotPurpose(k.Name))
	if err != nil {
		return "", err
	}
	var b [4]byte
	random(b[:])
	id = hex.EncodeToString(b[:])
	k.Slots = append(k.Slots, keySlot{ID: id, Kind: c.Kind, Label: label, Created: time.Now().UTC().Truncate(time.Second), Data: data})
	return id, nil
}

// open tries c at the slots of its kind; the caller zeroes the seed. Errors:
// vault.no_slot, vault.passphrase, vault.credential, vault.key_damaged, custody's.
func (k *ringKey) open(ctx context.Context, c gatehouse.Credential) (seed [seedSize]byte, slot *keySlot, err error) {
	w, err := wrapperOf(c, 0)
	if err != nil {
		return seed, nil, err
	}
	err = gatehouse.Errorf("vault.no_slot", "see `gatehouse keys status`; somebody who can open the vault adds one with `gatehouse keys add-slot`", "the vault key %s has no slot for a %s", k.Name, c.Kind.Name())
	for i := range k.Slots {
		if k.Slots[i].Kind != c.Kind {
			continue
		}
		seed, failure := w.Unwrap(ctx, k.Slots[i].Data, slotPurpose(k.Name))
		if failure == nil {
			if failure = k.matches(seed); failure == nil {
				return seed, &k.Slots[i], nil
			}
			clear(seed[:])
		}
		// A credential that fits no slot is wrong, even where one of them is damaged too.
		if code := gatehouse.ErrorCode(failure); code == "custody.credential" || !wrongCredential(err) {
			err = slotError(c.Kind, failure)
		}
	}
	return [seedSize]byte{}, nil, err
}

// matches makes sure that a seed is this key's.
func (k *ringKey) matches(seed [seedSize]byte) error {
	private, err := kem().NewPrivateKey(seed[:])
	if err == nil && subtle.ConstantTimeCompare(private.PublicKey().Bytes(), k.Public) == 1 {
		return nil
	}
	return gatehouse.Errorf("vault.key_damaged", "restore vault.key from its copy", "a slot of the keyring holds another key than it says")
}

// slotError gives custody's errors the vault's codes.
func slotError(kind gatehouse.CredentialKind, err error) error {
	switch gatehouse.ErrorCode(err) {
	case "custody.credential":
		if kind == gatehouse.PassphraseCredential {
			return errPassphrase()
		}
		return gatehouse.Errorf("vault.credential", "try again; every attempt is counted", "this %s does not open the vault: %s", kind.Name(), sentence(err))
	case "custody.damaged":
		return gatehouse.Errorf("vault.key_damaged", "restore vault.key from its copy", "a slot of the keyring does not open: %s", sentence(err))
	}
	return err
}

// sentence is what an error says, without its code and hint.
func sentence(err error) string {
	var e *gatehouse.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// wrongCredential reports whether what was shown was not the right one.
func wrongCredential(err error) bool {
	code := gatehouse.ErrorCode(err)
	return code == "vault.passphrase" || code == "vault.credential"
}

// find returns the key of a name, nil for none.
func (r *keyring) find(name string) *ringKey {
	for _, k := range r.Keys {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// active are the keys that are not retired, oldest first.
func (r *keyring) active() []*ringKey {
	return slices.DeleteFunc(slices.Clone(r.Keys), func(k *ringKey) bool { return k.Retired != nil })
}

// readKeyring reads vault.key. Errors: vault.missing, vault.key_damaged.
func readKeyring(dir string) (*keyring, error) {
	f, err := os.Open(filepath.Join(dir, privateKeyFile))
	if err != nil {
		return nil, gatehouse.Errorf("vault.missing", "restore vault.key from its copy, or combine the shares: gatehouse keys combine", "the vault's keyring cannot be read: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyring+1))
	if err == nil && bytes.HasPrefix(b, []byte(ageHeader)) {
		return firstKeyring(dir, b)
	}
	ring := &keyring{}
	if err == nil {
		err = parseKeyring(b, ring)
	}
	if err != nil {
		return nil, gatehouse.Errorf("vault.key_damaged", "restore vault.key from its copy, or combine the shares: gatehouse keys combine", "the vault's keyring is damaged: %w", err)
	}
	return ring, nil
}

// parseKeyring refuses what this version did not write. Its errors quote nothing.
func parseKeyring(b []byte, ring *keyring) error {
	if len(b) > maxKeyring || json.Unmarshal(b, ring) != nil {
		return errors.New("it is no keyring")
	}
	if ring.Version != keyringVersion {
		return errors.New("it is of another version of the program")
	}
	if len(ring.Keys) == 0 || len(ring.Keys) > maxRingKeys {
		return errors.New("it holds no key, or too many")
	}
	ids := map[string]bool{}
	for _, k := range ring.Keys {
		if k == nil {
			return errors.New("a key is missing")
		}
		public, err := kem().NewPublicKey(k.Public)
		if err != nil || publicKeyName(public) != k.Name || ids[k.Name] || len(k.Slots) > maxSlots {
			return errors.New("a key does not fit its name")
		}
		ids[k.Name] = true
		for _, s := range k.Slots {
			if s.ID == "" || ids[s.ID+"/"+k.Name] {
				return errors.New("a slot has no id of its own")
			}
			ids[s.ID+"/"+k.Name] = true
		}
	}
	return nil
}

// firstKeyring is the keyring that a vault.key of the first version stands for.
func firstKeyring(dir string, wrapped []byte) (*keyring, error) {
	public, err := readPublicKey(dir)
	if err != nil {
		return nil, err
	}
	k := ringKeyOf(public)
	if info, err := os.Stat(filepath.Join(dir, privateKeyFile)); err == nil {
		k.Created = info.ModTime().UTC().Truncate(time.Second)
	}
	k.Slots = []keySlot{{ID: "00000001", Kind: gatehouse.PassphraseCredential, Created: k.Created, Data: wrapped}}
	return &keyring{Version: keyringVersion, Keys: []*ringKey{k}}, nil
}

// write puts the keyring in its place, durably; without replace it fails with
// fs.ErrExist where there is one.
func (r *keyring) write(dir string, replace bool) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return writeDurably(filepath.Join(dir, privateKeyFile), append(b, '\n'), replace)
}

// changeKeyring lets f change the keyring and writes it where f returns nil. One at a
// time does so, of all processes. Errors: those of readKeyring and f, vault.failed.
func changeKeyring(dir string, f func(*keyring) error) error {
	unlock, err := lockKeyring(dir)
	if err != nil {
		return err
	}
	defer unlock()
	ring, err := readKeyring(dir)
	if err != nil {
		return err
	}
	if err := f(ring); err != nil {
		return err
	}
	if err := ring.write(dir, true); err != nil {
		return keyringFailed(err)
	}
	return nil
}

func keyringFailed(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return gatehouse.Errorf("store.full", "free some space; nothing was changed", "the disk is full, the keyring could not be written: %w", err)
	}
	return gatehouse.Errorf("vault.failed", "check that the vault's directory can be written; the keyring was not changed", "the keyring cannot be written: %w", err)
}

// lockKeyring waits for its turn: nobody holds the lock longer than a slot takes.
func lockKeyring(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, keyringLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, gatehouse.Errorf("vault.missing", "check `data` in gatehouse.yml", "the vault's directory is not there")
		}
		return nil, keyringFailed(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, keyringFailed(err)
	}
	return func() { f.Close() }, nil
}
