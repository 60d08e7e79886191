package vault

import (
	"context"
	"crypto/hpke"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/custody"

	"filippo.io/age"
)

// A key bundle is an age file (https://age-encryption.org/v1) with one recipient, the
// vault's public key; its stanza is
//
//	-> gatehouse-vault NAME ENC
//	   the file key, sealed by HPKE as a chain's seed is, info labelBundle
//
// NAME is the public key's short name, ENC the encapsulated key in base64. Its
// plaintext is the length of the head in 4 bytes, big-endian; the head (bundleHead) as
// JSON; and the key store's file as it lay in the vault process's directory.
const (
	bundleVersion = 1
	stanzaType    = "gatehouse-vault"
	maxHead       = 16 << 20
)

type bundleHead struct {
	Version      int               `json:"version"`
	ID           gatehouse.ID      `json:"id"`
	At           time.Time         `json:"at"`
	Expires      time.Time         `json:"expires"`
	Manifest     []byte            `json:"manifest"` // SHA-256
	Files        map[string][]byte `json:"files"`
	KeyStore     []byte            `json:"key_store"`
	KeyStoreSize int64             `json:"key_store_size"`
	Genesis      []byte            `json:"genesis,omitempty"` // of a vault that was never unsealed, see control.go
}

// bundleRecipient seals an age file key to the vault.
type bundleRecipient struct{ public hpke.PublicKey }

// Wrap implements age.Recipient.
func (r *bundleRecipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	enc, sender, err := hpke.NewSender(r.public, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(labelBundle))
	if err != nil {
		return nil, err
	}
	sealed, err := sender.Seal(nil, fileKey)
	if err != nil {
		return nil, err
	}
	return []*age.Stanza{{Type: stanzaType, Args: []string{publicKeyName(r.public), base64.RawStdEncoding.EncodeToString(enc)}, Body: sealed}}, nil
}

// methodUnbundle opens a bundle's file key on a machine where no vault runs yet.
const methodUnbundle = "unbundle" // header unbundleRequest, attachments: the credential's secret, enc, sealed; reply: the file key

type unbundleRequest struct {
	Dir  string
	Key  string // the name of the key that the bundle is sealed to
	With shown
}

// BundleOptions say how to open a bundle.
type BundleOptions struct {
	Dir  string // holds the vault.key and vault.pub that were stored with the bundle
	With gatehouse.Credential
	Exec []string // the vault process's command line, as in Options
	Log  *slog.Logger
}

// Bundle is an open key bundle; its key store is read once.
type Bundle struct {
	gatehouse.BundleContent
	key     [32]byte
	size    int64
	store   io.Reader
	genesis []byte
}

// OpenBundle opens a bundle with the vault's credential. The private key is in a vault
// process for the moment that this takes, and in no other. Errors: vault.passphrase,
// vault.credential, vault.key_damaged, vault.missing, backup.damaged, backup.other_vault, vault.unavailable.
func OpenBundle(ctx context.Context, o BundleOptions, sealed io.Reader) (*Bundle, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	process, err := child.Start(ctx, child.Spec{Name: "vault", Exec: o.Exec, Log: o.Log, MaxFrame: maxMessage, Env: append([]string{"GOTRACEBACK=none"}, custody.Environ()...)})
	if err != nil {
		return nil, err
	}
	defer process.Stop()
	return readBundle(sealed, &unbundler{ctx, process, dir, o.With})
}

// readBundle opens a bundle up to its key store. Errors: the identity's, backup.damaged.
func readBundle(sealed io.Reader, with age.Identity) (*Bundle, error) {
	plain, err := age.Decrypt(sealed, with)
	if err != nil {
		if gatehouse.ErrorCode(err) != "" {
			return nil, err
		}
		return nil, errBundle(err)
	}
	var length [4]byte
	if _, err := io.ReadFull(plain, length[:]); err != nil {
		return nil, errBundle(err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxHead {
		return nil, errBundle(errors.New("its head is too long"))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(plain, b); err != nil {
		return nil, errBundle(err)
	}
	var head bundleHead
	err = json.Unmarshal(b, &head)
	clear(b)
	if err != nil || head.Version != bundleVersion || len(head.KeyStore) != 32 || len(head.Manifest) != 32 {
		return nil, errBundle(errors.New("its head is malformed"))
	}
	open := &Bundle{BundleContent: gatehouse.BundleContent{ID: head.ID, At: head.At, Expires: head.Expires, Manifest: [32]byte(head.Manifest), Files: map[string][32]byte{}},
		key: [32]byte(head.KeyStore), size: head.KeyStoreSize, store: plain, genesis: head.Genesis}
	for name, key := range head.Files {
		if len(key) != 32 {
			return nil, errBundle(errors.New("its head is malformed"))
		}
		open.Files[name] = [32]byte(key)
	}
	return open, nil
}

func errBundle(err error) error {
	return gatehouse.Errorf("backup.damaged", "use another backup", "a key bundle is damaged: %w", err)
}

// unbundler is the age identity that asks a vault process.
type unbundler struct {
	ctx     context.Context
	process *child.Process
	dir     string
	with    gatehouse.Credential
}

// Unwrap implements age.Identity.
func (u *unbundler) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		if s.Type != stanzaType || len(s.Args) != 2 {
			continue
		}
		enc, err := base64.RawStdEncoding.DecodeString(s.Args[1])
		if err != nil {
			return nil, errBundle(err)
		}
		blobs, err := callWith(u.ctx, u.process.Call, methodUnbundle, unbundleRequest{u.dir, s.Args[0], show(u.with)}, []gatehouse.Credential{u.with}, [][]byte{enc, s.Body}, nil)
		if err != nil {
			return nil, err
		}
		if len(blobs) != 1 {
			return nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no key")
		}
		return blobs[0], nil
	}
	return nil, age.ErrIncorrectIdentity
}

// unbind keeps what opens bundles and what opens a vault apart: the caller of the first
// names files of its own, and the second holds the private key.
func (s *service) unbind() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.release != nil {
		return gatehouse.Errorf("vault.in_use", "open bundles with `gatehouse restore` and `gatehouse backup verify`, which have a process of their own", "this process has a vault open: it opens no bundles")
	}
	s.unbound = true
	return nil
}

func (s *service) handleUnbundle(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in unbundleRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 3 || !filepath.IsAbs(in.Dir) {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a bundle is opened with a directory, a credential and two parts")
	}
	if err := s.unbind(); err != nil {
		return nil, nil, err
	}
	c, err := s.credential(in.With, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	defer clear(c.Secret)
	public, err := readPublicKey(in.Dir)
	if err != nil {
		return nil, nil, err
	}
	keys, err := s.tries.try(ctx, "restore", c, func() (openKeys, error) { return unwrapKeys(ctx, in.Dir, publicKeyName(public), c) })
	if err != nil {
		return nil, nil, err
	}
	defer keys.clear()
	private, err := kem().NewPrivateKey(keys.from(in.Key).seed())
	if err != nil {
		return nil, nil, err
	}
	other := gatehouse.Errorf("backup.other_vault", "give the target that belongs to this backup", "this key bundle was not sealed to this vault's key")
	recipient, err := hpke.NewRecipient(r.Blobs[1], private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(labelBundle))
	if err != nil {
		return nil, nil, other
	}
	fileKey, err := recipient.Open(nil, r.Blobs[2])
	if err != nil {
		return nil, nil, other
	}
	return nil, [][]byte{fileKey}, nil
}

// Restore writes the bundle's key store into dir, under a new key that the gate key
// wraps. Where one is there already it is left as it is. Errors: backup.damaged, and
// those of FileKey and of writing.
func (b *Bundle) Restore(dir string, gate *GateKey) error {
	path := filepath.Join(dir, keyStoreFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := gate.FileKey(path)
	if err != nil {
		return err
	}
	if len(b.genesis) > 0 {
		if err := writeDurably(filepath.Join(dir, genesisFile), b.genesis, true); err != nil {
			return sealeddb.Wrap(genesisFile, err)
		}
	}
	return sealeddb.Import(path, key, b.store, b.key, b.size)
}

// CopyKeyStore copies a key store that nobody has open to another directory, under a
// key of its own, and what says that its vault was never unsealed. Where one is there
// already it is left as it is.
func CopyKeyStore(from, to string, gate *GateKey) error {
	source, target := filepath.Join(from, keyStoreFile), filepath.Join(to, keyStoreFile)
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	old, err := gate.FileKey(source)
	if err != nil {
		return err
	}
	key, err := gate.FileKey(target)
	if err != nil {
		return err
	}
	switch genesis, err := os.ReadFile(filepath.Join(from, genesisFile)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return sealeddb.Wrap(genesisFile, err)
	default:
		if err := writeDurably(filepath.Join(to, genesisFile), genesis, true); err != nil {
			return sealeddb.Wrap(genesisFile, err)
		}
	}
	f, err := os.Open(source)
	if err != nil {
		return sealeddb.Wrap(source, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sealeddb.Wrap(source, err)
	}
	return sealeddb.Import(target, key, f, old, info.Size())
}

// Removals reads the erasure list of a key store that no vault process has open.
func Removals(ctx context.Context, dir string, gate *GateKey) (list []gatehouse.Removal, err error) {
	err = withKeyStore(ctx, dir, gate, func(k *keyStore) error {
		list, err = k.removals(ctx, 0, -1)
		return err
	})
	return list, err
}

// Replay deletes from a restored key store, which no vault process has open yet, what
// the erasure list names, and takes the list over. It may be repeated.
func Replay(ctx context.Context, dir string, gate *GateKey, list []gatehouse.Removal) error {
	return withKeyStore(ctx, dir, gate, func(k *keyStore) error {
		for len(list) > 0 {
			n := min(len(list), maxListing)
			batch := list[:n]
			list = list[n:]
			_, err := k.delete(ctx, func(exec execFunc) error {
				for _, r := range batch {
					if err := k.remove(exec, r); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func withKeyStore(ctx context.Context, dir string, gate *GateKey, f func(*keyStore) error) error {
	public, err := readPublicKey(dir)
	if err != nil {
		return err
	}
	key, err := gate.FileKey(filepath.Join(dir, keyStoreFile))
	if err != nil {
		return err
	}
	k, err := openKeyStore(ctx, dir, key, public)
	if err != nil {
		return err
	}
	return errors.Join(f(k), k.db.Close())
}
