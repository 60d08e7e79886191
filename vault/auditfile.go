package vault

import (
	"context"
	"errors"
	"path/filepath"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"
)

// AuditFile is the audit log of a vault that no process has open, for those who have
// the gate key: to prove and list without a server, and to verify.
type AuditFile struct {
	*auditDB
	keys    *keyStore
	dir     string
	key     [32]byte
	release func() error
}

// OpenAuditFile opens the audit log of the vault in dir. Errors: vault.missing,
// store.locked (a server uses it), and those of FileKey and of opening a database.
func OpenAuditFile(ctx context.Context, dir string, gate *GateKey) (_ *AuditFile, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, gatehouse.Errorf("vault.failed", "name its directory by its full path", "the vault's directory cannot be found: %w", err)
	}
	if err := present(dir); err != nil {
		return nil, err
	}
	f := &AuditFile{dir: dir}
	if f.release, err = lock(ctx, dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	public, err := readPublicKey(dir)
	if err != nil {
		return nil, err
	}
	keysKey, err := gate.FileKey(filepath.Join(dir, keyStoreFile))
	if err != nil {
		return nil, err
	}
	if f.key, err = gate.FileKey(filepath.Join(dir, auditFile)); err != nil {
		return nil, err
	}
	if f.keys, err = openKeyStore(ctx, dir, keysKey, public); err != nil {
		return nil, err
	}
	db, err := openVaultDB(ctx, dir, auditFile, f.key, "audit")
	if err != nil {
		return nil, err
	}
	f.auditDB = &auditDB{db: db}
	return f, nil
}

// Begin makes the log able to sign, which proving what has no checkpoint yet needs.
func (f *AuditFile) Begin(ctx context.Context, place gatehouse.Place) error {
	if err := f.resume(ctx); err != nil {
		return err
	}
	return f.begin(ctx, f.dir, place, newRemovalName(f.keys).removals)
}

// Close closes it. It may be called twice.
func (f *AuditFile) Close() error {
	var err error
	if f.auditDB != nil {
		err = f.auditDB.close()
	}
	if f.keys != nil {
		err = errors.Join(err, f.keys.db.Close())
	}
	if f.release != nil {
		err = errors.Join(err, f.release())
	}
	f.auditDB, f.keys, f.release = nil, nil, nil
	return err
}

// Prove is Vault.Prove; Begin must have been called.
func (f *AuditFile) Prove(ctx context.Context, index int64) (auditlog.Proof, error) {
	return f.prove(ctx, index)
}

// VerifierKey is Vault.VerifierKey.
func (f *AuditFile) VerifierKey(ctx context.Context) (string, error) {
	keys, err := verifierKeys(ctx, f.db.Readers())
	return (&signer{keys: keys}).verifierKeys(), sealeddb.Wrap(auditFile, err)
}

// AuditKeys is Vault.AuditKeys; Begin must have been called.
func (f *AuditFile) AuditKeys(context.Context) (AuditKeys, error) { return f.verifiers(), nil }

// AuditLeaves is Vault.AuditLeaves.
func (f *AuditFile) AuditLeaves(ctx context.Context, q LeafQuery) ([]NumberedLeaf, int64, error) {
	return f.leaves(ctx, q)
}

// FindLeaf is Vault.FindLeaf.
func (f *AuditFile) FindLeaf(ctx context.Context, id gatehouse.ID) (int64, error) {
	return f.find(ctx, id)
}
