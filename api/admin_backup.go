package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// BackupAdmin is about backups. Errors: backup.*, and those of the stores.
type BackupAdmin interface {
	// Backup makes one, and answers when it is complete.
	Backup(ctx context.Context) (wire.Backup, error)
	BackupProgress(ctx context.Context) (wire.BackupProgress, error)
	Backups(ctx context.Context) (wire.BackupList, error)
	// HoldBackup keeps the newest key bundle longer: hold.until, vault.reason, vault.sealed,
	// restore.bundle_missing.
	HoldBackup(ctx context.Context, r wire.BackupHoldRequest) (wire.BackupHold, error)
	// VerifyBackups reads everything again: vault.passphrase.
	VerifyBackups(ctx context.Context, r wire.BackupVerifyRequest) (wire.BackupCheck, error)
}

func (a *API) backup(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusCreated, a.o.Admin.Backup)
}

func (a *API) backupProgress(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.BackupProgress)
}

func (a *API) backups(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Backups)
}

func (a *API) holdBackup(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.HoldBackup)
}

func (a *API) verifyBackups(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, a.o.Admin.VerifyBackups)
}
