package vault

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"

	"filippo.io/age"
)

// What a backup asks of the vault process. All of it works while the vault is sealed.
const (
	methodFreezeLog   = "freeze-log"   // reply frozenReply: the audit file's ciphertext as a stream
	methodSealBundle  = "seal-bundle"  // header gatehouse.BundleContent without keys, attachments: the keys; reply frozenReply
	methodSign        = "sign"         // attachment: a digest; reply and attachments: public key, signature
	methodErasureList = "erasure-list" // reply gatehouse.ErasureList
	methodLogRoot     = "log-root"     // header rootRequest; reply gatehouse.LogState
	methodBackupDone  = "backup-done"  // header doneRequest
)

type frozenReply struct {
	Stream uint64
	Size   int64              // bytes; 0 where it is not known before
	Log    gatehouse.LogState // freeze-log
}

type bundleRequest struct {
	Content gatehouse.BundleContent // Files empty
	Names   []string                // of the attached keys
}

type doneRequest struct {
	Event  string // written, restored
	ID     gatehouse.ID
	Digest [32]byte
}

func (s *service) snapshotHandlers() map[string]child.Handler {
	return map[string]child.Handler{
		methodFreezeLog: s.handleFreezeLog, methodSealBundle: s.handleSealBundle, methodSign: s.handleSign,
		methodErasureList: s.handleErasureList, methodLogRoot: s.handleLogRoot, methodBackupDone: s.handleBackupDone,
	}
}

// FreezeLog calls f with the audit file as it stands at a moment and with the state of
// the log in it. The key stays in the vault process, which puts it into the next
// bundle. Errors: f's, vault.unavailable, vault.timeout, vault.busy, and the store's.
func (v *Vault) FreezeLog(ctx context.Context, f func(gatehouse.Snapshot, gatehouse.LogState) error) error {
	var reply frozenReply
	if _, err := v.process.Call(ctx, methodFreezeLog, nil, nil, &reply); err != nil {
		return err
	}
	r := &remote{ctx: ctx, vault: v, stream: reply.Stream}
	return errors.Join(f(gatehouse.Snapshot{Reader: r, Size: reply.Size}, reply.Log), r.end())
}

// SealBundle calls f with a key bundle: the key store as it stands now, and c, sealed
// to the vault's public key (bundle.go has the form). Errors: as FreezeLog's.
func (v *Vault) SealBundle(ctx context.Context, c gatehouse.BundleContent, f func(io.Reader) error) error {
	request := bundleRequest{Content: c}
	request.Content.Files = nil
	var keys [][]byte
	for name, key := range c.Files {
		request.Names, keys = append(request.Names, name), append(keys, key[:])
	}
	var reply frozenReply
	if _, err := v.process.Call(ctx, methodSealBundle, request, keys, &reply); err != nil {
		return err
	}
	r := &remote{ctx: ctx, vault: v, stream: reply.Stream}
	return errors.Join(f(r), r.end())
}

// SignBackup signs the digest of a manifest with the installation's own key, and gives
// the public half too.
func (v *Vault) SignBackup(ctx context.Context, digest [32]byte) (public, signature []byte, err error) {
	blobs, err := v.process.Call(ctx, methodSign, nil, [][]byte{digest[:]}, nil)
	if err == nil && (len(blobs) != 2 || len(blobs[0]) != ed25519.PublicKeySize || len(blobs[1]) != ed25519.SignatureSize) {
		err = gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no signature")
	}
	if err != nil {
		return nil, nil, err
	}
	return blobs[0], blobs[1], nil
}

// ErasureList says which list the key store has.
func (v *Vault) ErasureList(ctx context.Context) (gatehouse.ErasureList, error) {
	var list gatehouse.ErasureList
	_, err := v.process.Call(ctx, methodErasureList, nil, nil, &list)
	return list, err
}

// RecordBackup notes in the log that a backup is complete: its id and its manifest's
// digest.
func (v *Vault) RecordBackup(ctx context.Context, id gatehouse.ID, manifest [32]byte) error {
	_, err := v.process.Call(ctx, methodBackupDone, doneRequest{"written", id, manifest}, nil, nil)
	return err
}

// RecordRestore notes in the restored log which backup it came from.
func (v *Vault) RecordRestore(ctx context.Context, id gatehouse.ID) error {
	_, err := v.process.Call(ctx, methodBackupDone, doneRequest{Event: "restored", ID: id}, nil, nil)
	return err
}

// PublicKeyFile is vault.pub of a gate whose vault is on another machine: what of the
// key pair is on this one. Errors: vault.missing.
func PublicKeyFile(dir string) ([]byte, error) {
	if _, err := readPublicKey(dir); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, publicKeyFile))
	if err != nil {
		return nil, gatehouse.Errorf("vault.failed", "check who may read the vault's directory", "the vault's public key cannot be read: %w", err)
	}
	return b, nil
}

// KeyFiles are the wrapped private key and the public key as they lie in the vault's
// directory: what a bundle needs beside it to be opened.
func KeyFiles(dir string) (private, public []byte, err error) {
	if err := present(dir); err != nil {
		return nil, nil, err
	}
	if private, err = os.ReadFile(filepath.Join(dir, privateKeyFile)); err == nil {
		public, err = os.ReadFile(filepath.Join(dir, publicKeyFile))
	}
	if err != nil {
		return nil, nil, gatehouse.Errorf("vault.failed", "check who may read the vault's directory", "the vault's key files cannot be read: %w", err)
	}
	return private, public, nil
}

func (s *service) handleFreezeLog(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	var reply frozenReply
	frozen, err := s.audit.db.Freeze(ctx, func(ctx context.Context, conn *sql.Conn) (bool, error) {
		var err error
		reply.Log, err = logState(ctx, conn, -1)
		return err == nil, err
	})
	if err != nil {
		return nil, nil, err
	}
	key := frozen.Key
	reply.Size = frozen.Size
	if reply.Stream, err = s.streams.add(frozen); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	s.frozenLog = key
	s.mu.Unlock()
	return reply, nil, nil
}

func (s *service) handleSealBundle(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in bundleRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(in.Names) != len(r.Blobs) {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "every file of a bundle needs its key")
	}
	head := bundleHead{Version: bundleVersion, ID: in.Content.ID, At: in.Content.At, Expires: in.Content.Expires, Manifest: in.Content.Manifest[:], Files: map[string][]byte{}}
	for i, key := range r.Blobs {
		head.Files[in.Names[i]] = key
	}
	s.mu.Lock()
	log := s.frozenLog
	s.mu.Unlock()
	if log == ([32]byte{}) {
		return nil, nil, gatehouse.Errorf("vault.unavailable", "make the backup again", "the vault process was started anew after this backup had copied the audit log")
	}
	head.Files["vault/"+auditFile] = log[:]
	genesis, err := os.ReadFile(filepath.Join(s.guard.dir, genesisFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, gatehouse.Errorf("vault.failed", "check who may read the vault's directory", "the vault's first state cannot be read: %w", err)
	}
	head.Genesis = genesis
	frozen, err := s.keys.db.Freeze(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	head.KeyStore, head.KeyStoreSize = append([]byte(nil), frozen.Key[:]...), frozen.Size
	id, err := s.streams.add(sealBundle(head, frozen, &bundleRecipient{s.room.current()}))
	return frozenReply{Stream: id}, nil, err
}

// sealBundle encrypts head and key store while it is read.
func sealBundle(head bundleHead, store io.ReadCloser, to age.Recipient) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		err := func() error {
			plain, err := json.Marshal(head)
			if err != nil {
				return err
			}
			defer clear(plain)
			w, err := age.Encrypt(in, to)
			if err != nil {
				return err
			}
			if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(plain)))); err != nil {
				return err
			}
			if _, err := w.Write(plain); err != nil {
				return err
			}
			if _, err := io.Copy(w, store); err != nil {
				return err
			}
			return w.Close()
		}()
		_ = in.CloseWithError(errors.Join(err, store.Close())) // never fails
	}()
	return out
}

func (s *service) handleSign(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	if len(r.Blobs) != 1 || len(r.Blobs[0]) != sha256.Size {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a digest has 32 bytes")
	}
	seed, err := s.audit.backupSigner(ctx)
	if err != nil {
		return nil, nil, err
	}
	private := ed25519.NewKeyFromSeed(seed)
	clear(seed)
	defer clear(private)
	public, _ := private.Public().(ed25519.PublicKey)
	return nil, [][]byte{public, ed25519.Sign(private, append([]byte(labelBackup), r.Blobs[0]...))}, nil
}

// VerifyBackup checks what SignBackup signed.
func VerifyBackup(public, digest, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, append([]byte(labelBackup), digest...), signature)
}

// backupSigner reads the seed, or makes it at the first backup.
func (a *auditDB) backupSigner(ctx context.Context) (seed []byte, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT seed FROM backup_signer`).Scan(&seed)
	if !errors.Is(err, sql.ErrNoRows) {
		return seed, sealeddb.Wrap(auditFile, err)
	}
	seed = make([]byte, ed25519.SeedSize)
	random(seed)
	public, _ := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	name := sha256.Sum256(public)
	leaf := gatehouse.EventLeaf(gatehouse.KeyLeafKind, time.Now(), backupSignerMade, string(name[:]))
	_, err = a.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO backup_signer (one, seed) VALUES (1, ?) ON CONFLICT DO NOTHING`, seed); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT seed FROM backup_signer`).Scan(&seed)
	})
	return seed, err
}

func (s *service) handleErasureList(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	list, err := s.keys.removals(ctx, 0, -1)
	if err != nil {
		return nil, nil, err
	}
	return gatehouse.DigestRemovals(list), nil, nil
}

func (s *service) handleBackupDone(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in doneRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if in.Event != "written" && in.Event != "restored" {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "there is no such event")
	}
	_, err := s.audit.record(ctx, gatehouse.EventLeaf(gatehouse.BackupLeafKind, time.Now(), in.Event, in.ID.String(), string(in.Digest[:])), nil)
	return nil, nil, err
}
