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

// VerifyAuditFile opens the audit log of the vault in dir for verifying. A log that
// cannot be opened for damage is a finding in report, and no file, not an error.
func VerifyAuditFile(ctx context.Context, dir string, gate *GateKey, report *auditlog.Report) (*AuditFile, error) {
	f, err := OpenAuditFile(ctx, dir, gate)
	switch gatehouse.ErrorCode(err) {
	case "store.damaged", "store.key", "filekey.missing", "filekey.damaged", "gatekey.wrong", "vault.key_damaged", "vault.key_changed":
		report.AddError(err)
		return nil, nil
	}
	return f, err
}

// AuditVerify is Vault.AuditVerify. It changes nothing but the write-ahead log, whose
// content goes into the database.
func (f *AuditFile) AuditVerify(ctx context.Context, checks AuditChecks) (AuditResult, error) {
	return f.verify(ctx, f.keys, f.dir, checks, nil)
}

// Inspect closes the file and looks at the bytes that SQLite never reads, which only a
// file that nobody has open allows. Errors: store.damaged, and those of Close.
func (f *AuditFile) Inspect() error {
	if err := f.Close(); err != nil {
		return err
	}
	return sealeddb.Inspect(filepath.Join(f.dir, auditFile), f.key)
}

// AuditCursor is Vault.AuditCursor.
func (f *AuditFile) AuditCursor(ctx context.Context) (uint64, error) { return f.cursor(ctx) }

// AuditGate is Vault.AuditGate.
func (f *AuditFile) AuditGate(ctx context.Context, after uint64) ([]FollowedLeaf, error) {
	return f.gate(ctx, after)
}

// Prove is Vault.Prove; Begin must have been called.
func (f *AuditFile) Prove(ctx context.Context, index int64) (auditlog.Proof, error) {
	return f.prove(ctx, index)
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

// AuditForget is Vault.AuditForget; Begin must have been called.
func (f *AuditFile) AuditForget(ctx context.Context, origin string) error {
	return f.forget(ctx, origin)
}
