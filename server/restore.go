package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/flow/backup"
	"gatehouse/flow/enroll"
	"gatehouse/flow/escrow"
	"gatehouse/flow/workingset"
	"gatehouse/gallery"
	"gatehouse/internal/sealeddb"
	"gatehouse/store/blob"
	"gatehouse/store/object"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
	"gatehouse/vision/models"
)

// RestoreOptions say what to restore onto this machine.
type RestoreOptions struct {
	From, Keys string // targets, as in gatehouse.yml
	At         time.Time
	Known      *gatehouse.ErasureList // the newest erasure list that is known from elsewhere
	Signer     []byte                 // whose backups count; nil where only one installation signed
	With       gatehouse.Credential   // what opens the vault
	// Keyring is what `gatehouse keys export` wrote, or a vault.key; nil where the backup
	// holds the wrapped private key itself.
	Keyring  []byte
	Progress func(backup.Progress)
	Log      *slog.Logger

	trial bool
	proof []byte // of a trial with a vault elsewhere
}

// restoreOperator is in whose name the vault is opened for a restore.
const restoreOperator = "restore"

// Restore restores a backup into c.Data, which has to be empty, and makes a new gate
// key at c.GateKey. A restore that was interrupted goes on when it is called again, and
// until it has ended no server starts there. Errors: those of backup.Restore and of the
// targets, gatekey.exists, vault.passphrase, vault.credential, restore.keyring (the backup is of a
// site whose vault was on another machine), restore.elsewhere (c names such a vault),
// vault.bundle.
func Restore(ctx context.Context, c Config, o RestoreOptions) (backup.Restored, error) {
	if err := c.check(); err != nil {
		return backup.Restored{}, err
	}
	if c.Vault.Elsewhere() && (o.Keyring != nil || !o.With.IsZero()) {
		return backup.Restored{}, gatehouse.Errorf("restore.elsewhere", "leave both out, and run `gatehouse vault unseal --rebuild` on the vault's machine; if that machine is lost as well, take `vault.identity` out of the configuration",
			"this configuration's vault lives on another machine, and what opens it belongs nowhere else")
	}
	data, err := object.OpenThere(o.From, givenSecrets{})
	if err != nil {
		return backup.Restored{}, err
	}
	keys, err := object.OpenThere(o.Keys, givenSecrets{})
	if err != nil {
		return backup.Restored{}, err
	}
	return restoreFrom(ctx, c, o, data, keys)
}

func restoreFrom(ctx context.Context, c Config, o RestoreOptions, data, keys gatehouse.ObjectTarget) (_ backup.Restored, err error) {
	m, err := newRestoredSite(c, o.With, o.Log)
	if err != nil {
		return backup.Restored{}, err
	}
	if m.remote, err = c.remote(); err != nil {
		return backup.Restored{}, err
	}
	m.trial, m.proof = o.trial, o.proof
	if o.Keyring != nil {
		if m.keyring, err = vault.Keyring(o.Keyring); err != nil {
			return backup.Restored{}, err
		}
	}
	defer func() { err = errors.Join(err, m.close()) }()
	return backup.Restore(ctx, backup.Wish{Data: data, Keys: keys, Verify: vault.VerifyBackup, At: o.At, Known: o.Known, Signer: o.Signer, Progress: o.Progress}, m)
}

// restoredSite implements backup.Machine over the data directory.
type restoredSite struct {
	config Config
	paths  paths
	with   gatehouse.Credential
	log    *slog.Logger

	keyring []byte // the wrapped private keys, where they were given; nil for the backup's

	unlock func() error
	gate   *vault.GateKey
	store  *sqlite.Store
	blobs  *blob.Directory
	vault  *vault.Vault
	remote *vault.Remote // where the site's vault lives on another machine, see restore_gate.go
	proof  []byte        // of the restore's operator, once the vault is unsealed
	backup gatehouse.ID

	removals []gatehouse.Removal // the newest erasure list

	lastLeaf uint64 // of the restored gate's files, that a living log has
	trial    bool   // beside a site, and thrown away: a living log hears nothing of it
}

var _ backup.Machine = (*restoredSite)(nil)

func newRestoredSite(c Config, with gatehouse.Credential, log *slog.Logger) (*restoredSite, error) {
	// A file's key is asked for by its full path.
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return nil, gatehouse.Errorf("data.unreadable", "name it by its full path", "the data directory cannot be found: %w", err)
	}
	c.Data = data
	return &restoredSite{config: c, paths: pathsOf(c), with: with, log: log}, nil
}

// openBundle is a bundle whose key store lies in a folder of its own.
type openBundle struct {
	*vault.Bundle
	machine *restoredSite
	dir     string
}

// OpenBundle implements backup.Machine.
func (m *restoredSite) OpenBundle(ctx context.Context, private, public []byte, sealed io.Reader) (backup.OpenBundle, error) {
	if m.remote != nil {
		return m.openBundleThere(ctx, sealed)
	}
	if m.keyring != nil {
		private = m.keyring
	}
	if private == nil {
		return nil, gatehouse.Errorf("restore.keyring", "give it with --keyring: what `gatehouse vault keys export` wrote, or vault.key of the vault's machine",
			"the vault of this backup's site was on another machine, and the backup does not hold its wrapped private key")
	}
	folder := filepath.Join(m.paths.data, restoreFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, sealeddb.Wrap(folder, err)
	}
	dir, err := os.MkdirTemp(folder, "bundle-")
	if err != nil {
		return nil, sealeddb.Wrap(folder, err)
	}
	for name, content := range map[string][]byte{"vault.key": private, "vault.pub": public} {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return nil, sealeddb.Wrap(name, err)
		}
	}
	b, err := vault.OpenBundle(ctx, vault.BundleOptions{Dir: dir, With: m.with, Log: m.log}, sealed)
	if err != nil {
		return nil, err
	}
	if err := b.Restore(dir, m.gate); err != nil {
		return nil, err
	}
	return &openBundle{b, m, dir}, nil
}

// Content implements backup.OpenBundle.
func (b *openBundle) Content() gatehouse.BundleContent { return b.BundleContent }

// ErasureList implements backup.OpenBundle.
func (b *openBundle) ErasureList(ctx context.Context) ([]gatehouse.Removal, error) {
	return vault.Removals(ctx, b.dir, b.machine.gate)
}

// Close implements backup.OpenBundle.
func (b *openBundle) Close() error { return os.RemoveAll(b.dir) }

// Install implements backup.Machine. vault.key goes last: with it there is a vault.
func (m *restoredSite) Install(_ context.Context, opened backup.OpenBundle) error {
	if m.remote != nil {
		return nil // the key store lives there
	}
	b, ok := opened.(*openBundle)
	if !ok {
		return errors.New("this bundle was opened elsewhere")
	}
	if err := vault.CopyKeyStore(b.dir, m.paths.vault, m.gate); err != nil {
		return err
	}
	for _, name := range []string{"vault.pub", "vault.key"} {
		content, err := os.ReadFile(filepath.Join(b.dir, name))
		if err == nil {
			err = writeFile(filepath.Join(m.paths.vault, name), content)
		}
		if err != nil {
			return sealeddb.Wrap(name, err)
		}
	}
	return nil
}

// restorable are the database files that a backup may hold.
var restorable = regexp.MustCompile(`^(db/(site|books|\d{4}-\d{2})|vault/audit)\.db$`)

// Has implements backup.Machine.
func (m *restoredSite) Has(name string) bool {
	if m.remote != nil && !ofGate(name) {
		return true
	}
	info, err := os.Stat(filepath.Join(m.paths.data, filepath.FromSlash(name)))
	return err == nil && info.Size() > 0
}

// PutDatabase implements backup.Machine.
func (m *restoredSite) PutDatabase(_ context.Context, name string, s gatehouse.Snapshot) error {
	if !restorable.MatchString(name) {
		return gatehouse.Errorf("backup.damaged", "use another backup", "the backup names a file that belongs into no backup")
	}
	path := filepath.Join(m.paths.data, filepath.FromSlash(name))
	key, err := m.gate.FileKey(path)
	if err != nil {
		return err
	}
	return sealeddb.Import(path, key, s, s.Key, s.Size)
}

// Replay implements backup.Machine; then it opens everything.
func (m *restoredSite) Replay(ctx context.Context, list []gatehouse.Removal) error {
	if m.remote == nil {
		if err := vault.Replay(ctx, m.paths.vault, m.gate, list); err != nil {
			return err
		}
	}
	if err := m.open(ctx); err != nil {
		return err
	}
	m.removals = list
	if err := m.behindTheLog(ctx); err != nil {
		return err
	}
	return m.store.Replay(ctx, list)
}

func (m *restoredSite) open(ctx context.Context) (err error) {
	if m.store, err = sqlite.Open(ctx, sqlite.Options{Dir: m.paths.db, Key: func(file string) ([32]byte, error) { return m.gate.FileKey(filepath.Join("db", file)) }, Log: m.log}); err != nil {
		return err
	}
	if m.blobs, err = blob.Open(m.paths.blobs); err != nil {
		return err
	}
	return m.openVault(ctx)
}

func (m *restoredSite) openVault(ctx context.Context) (err error) {
	if m.vault == nil {
		m.vault, err = vault.Open(ctx, vault.Options{Dir: m.paths.vault, Place: m.config.place(), Gate: m.gate, Remote: m.remote, Log: m.log})
		if err == nil && m.remote != nil {
			waiting, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			err = m.vault.Await(waiting)
		}
	}
	return err
}

func (m *restoredSite) unseal(ctx context.Context) (err error) {
	switch {
	case m.proof != nil:
	case m.remote != nil:
		m.proof, _, err = m.vault.ClaimRebuild(ctx)
	default:
		m.proof, _, err = m.vault.BeginRebuild(ctx, restoreOperator, m.with)
	}
	return err
}

// Blobs implements backup.Machine.
func (m *restoredSite) Blobs() gatehouse.BlobStore { return m.blobs }

// NamedBlobs implements backup.Machine.
func (m *restoredSite) NamedBlobs(ctx context.Context, f func(gatehouse.BlobID) error) error {
	return m.store.Blobs(ctx, f)
}

// Noise implements backup.Machine.
func (m *restoredSite) Noise(ctx context.Context, sealed []byte) (bool, error) {
	return m.vault.Noise(ctx, m.config.place(), sealed)
}

// LogRoot implements backup.Machine, from every leaf.
func (m *restoredSite) LogRoot(ctx context.Context, size int64) ([32]byte, error) {
	return m.vault.RecomputeLogRoot(ctx, size)
}

// Rebuild implements backup.Machine.
func (m *restoredSite) Rebuild(ctx context.Context, progress func(done int)) (items, lost int, err error) {
	if err := m.unseal(ctx); err != nil {
		return 0, 0, err
	}
	operator := restoreOperator
	if m.remote == nil {
		defer func() { err = errors.Join(err, m.vault.SealVault(context.WithoutCancel(ctx))) }()
	} else { // the lease is others', too
		operator = siteOperator
	}
	open := func(ctx context.Context, refs []gatehouse.SealedRef) ([][]byte, error) {
		return m.vault.Rebuild(ctx, operator, m.proof, refs)
	}
	return m.copies().Rebuild(ctx, open, vault.MaxRebuild, progress)
}

func (m *restoredSite) copies() *escrow.Store {
	return &escrow.Store{WorkingStore: m.store, Gate: m.gate, Sealer: m.vault, Copies: m.store, Forget: m.vault.ForgetTemplates}
}

// withdraw ends the consents to faces whose templates were forgotten since the backup:
// the backup says that they are in force. Where other photos had only taken the old
// ones' place, somebody is asked once more.
func (m *restoredSite) withdraw(ctx context.Context) error {
	if !slices.ContainsFunc(m.removals, gatehouse.Removal.Templates) {
		return nil
	}
	place := m.config.place()
	template, err := models.Find(models.FaceTemplate)
	if err != nil {
		return err
	}
	working, err := workingset.Load(ctx, place, m.copies(), m.gate, gallery.New(template.Dims))
	if err != nil {
		return err
	}
	for _, r := range m.removals {
		if !r.Templates() || r.Place != place {
			continue
		}
		given, err := m.store.Consents(ctx, place, r.Subject)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(given, func(c gatehouse.Consent) bool { return c.Purpose == gatehouse.FaceAtDoors && c.InForce(r.At) }) {
			continue
		}
		e := enroll.New(enroll.Ports{Place: place, Subjects: m.store, Working: working, Now: func() time.Time { return r.At }})
		if err := e.WithdrawConsent(ctx, r.Subject, gatehouse.FaceAtDoors); err != nil {
			return err
		}
	}
	return nil
}

// Finish implements backup.Machine.
func (m *restoredSite) Finish(ctx context.Context, bundles []gatehouse.KeyBundle) error {
	if m.remote == nil || !m.trial {
		if err := m.withdraw(ctx); err != nil {
			return err
		}
		if err := m.recordBundles(ctx, bundles, time.Now()); err != nil {
			return err
		}
		if err := m.recordRestore(ctx); err != nil {
			return err
		}
	}
	// The marker goes when everything is closed and on disk.
	if err := m.closeStores(); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(m.paths.data, restoreFolder)); err != nil {
		return sealeddb.Wrap(restoreFolder, err)
	}
	if err := os.Remove(filepath.Join(m.paths.data, restoreMarker)); err != nil {
		return sealeddb.Wrap(restoreMarker, err)
	}
	return sealeddb.Wrap(restoreMarker, syncDir(m.paths.data))
}

// recordBundles makes the log know every key bundle that storage still holds. The
// restored log is from before the bundle of its own backup; without them an erasure on
// the restored site would be called final while a bundle still held the keys.
func (m *restoredSite) recordBundles(ctx context.Context, bundles []gatehouse.KeyBundle, now time.Time) error {
	known, err := m.vault.Bundles(ctx)
	if err != nil {
		return err
	}
	until := map[gatehouse.ID]time.Time{}
	for _, b := range known {
		until[b.ID] = b.Expires
	}
	for _, b := range bundles {
		if !b.Expires.After(now) { // overdue, and seen to be there
			b.Expires = now.Add(backup.DropMargin)
		}
		if !b.Expires.Truncate(time.Millisecond).After(until[b.ID]) {
			continue
		}
		if err := m.vault.RecordBundle(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (m *restoredSite) closeStores() error {
	var err error
	if m.vault != nil {
		err = m.vault.Close()
	}
	if m.store != nil {
		err = errors.Join(err, m.store.Close())
	}
	m.vault, m.store = nil, nil
	return err
}

func (m *restoredSite) close() error {
	err := m.closeStores()
	if m.unlock != nil {
		err = errors.Join(err, m.unlock())
	}
	return err
}
