package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/backup"
)

// Backup implements api.BackupAdmin.
func (a admin) Backup(ctx context.Context) (wire.Backup, error) {
	r, err := a.Server.Backup(ctx)
	return wire.Backup(r), err
}

// BackupProgress implements api.BackupAdmin.
func (a admin) BackupProgress(context.Context) (wire.BackupProgress, error) {
	p, running := a.backups.now()
	return wire.BackupProgress{Running: running, Stage: p.Stage, Done: p.Done, Total: p.Total}, nil
}

// HoldBackup implements api.BackupAdmin.
func (a admin) HoldBackup(ctx context.Context, r wire.BackupHoldRequest) (wire.BackupHold, error) {
	operator, proof, err := a.lease()
	if err != nil {
		return wire.BackupHold{}, err
	}
	f, err := a.backupFlow()
	if err != nil {
		return wire.BackupHold{}, err
	}
	held, err := f.Hold(ctx, r.Until, func(ctx context.Context, bundle gatehouse.ID, until time.Time) (int, error) {
		return a.vault.HoldBundle(ctx, bundle, until, operator, r.Reason, proof)
	})
	return wire.BackupHold(held), err
}

// Backups implements api.BackupAdmin.
func (a admin) Backups(ctx context.Context) (wire.BackupList, error) {
	out := wire.BackupList{Backups: []wire.BackupEntry{}}
	f, err := a.backupFlow()
	if err != nil {
		return out, err
	}
	own, _, err := a.vault.SignBackup(ctx, [32]byte{})
	if err != nil {
		return out, err
	}
	out.Signer = hex.EncodeToString(own)
	manifests, _, err := backup.Manifests(ctx, f.Data, f.Verify)
	if err != nil {
		return out, err
	}
	bundles, _, err := backup.KeyBundles(ctx, f.Keys, f.Verify)
	if err != nil {
		return out, err
	}
	there := map[string]backup.FoundBundle{}
	for _, b := range bundles {
		there[b.Folder] = b
	}
	for _, m := range manifests {
		if !bytes.Equal(m.Signer, own) {
			continue
		}
		b, ok := there[m.Bundle]
		entry := wire.BackupEntry{ID: m.ID, At: m.At, Bundle: m.Bundle, Keys: ok, Expires: b.Expires}
		for _, db := range m.Databases {
			entry.Bytes += db.Size
		}
		for _, l := range m.Lists {
			entry.Pictures += l.Count
		}
		out.Backups = append(out.Backups, entry)
	}
	list, err := a.vault.ErasureList(ctx)
	out.Erased = wire.ErasureList{Count: list.Count, SHA256: hex.EncodeToString(list.Digest[:])}
	return out, err
}

// VerifyBackups implements api.BackupAdmin.
func (a admin) VerifyBackups(ctx context.Context, r wire.BackupVerifyRequest) (wire.BackupCheck, error) {
	c, err := a.Server.VerifyBackups(ctx, r.With.Credential())
	out := wire.BackupCheck{OK: c.OK, Backups: c.Backups, Objects: c.Objects, Bytes: c.Bytes, Restored: c.Restored, Findings: []wire.BackupFinding{}}
	for _, f := range c.Findings {
		out.Findings = append(out.Findings, wire.BackupFinding(f))
	}
	return out, err
}
