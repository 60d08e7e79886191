package client

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// patient is the client without a limit of its own: what it asks for takes as long as
// it takes, and the context ends it.
func (c *Client) patient() *Client {
	p, h := *c, *c.http
	h.Timeout = 0
	p.http = &h
	return &p
}

// Backup makes a backup and returns when it is complete.
func (c *Client) Backup(ctx context.Context) (wire.Backup, error) {
	var out wire.Backup
	err := c.patient().ask(ctx, http.MethodPost, "/admin/v1/backups", nil, &out)
	return out, err
}

// BackupProgress says how far the backup or check that runs now is.
func (c *Client) BackupProgress(ctx context.Context) (wire.BackupProgress, error) {
	var out wire.BackupProgress
	err := c.ask(ctx, http.MethodGet, "/admin/v1/backups/progress", nil, &out)
	return out, err
}

// Backups lists what the targets hold.
func (c *Client) Backups(ctx context.Context) (wire.BackupList, error) {
	var out wire.BackupList
	err := c.patient().ask(ctx, http.MethodGet, "/admin/v1/backups", nil, &out)
	return out, err
}

// HoldBackup keeps the newest key bundle until a later date.
func (c *Client) HoldBackup(ctx context.Context, r wire.BackupHoldRequest) (wire.BackupHold, error) {
	var out wire.BackupHold
	err := c.patient().ask(ctx, http.MethodPost, "/admin/v1/backups/hold", r, &out)
	return out, err
}

// VerifyBackups reads every object of every backup again.
func (c *Client) VerifyBackups(ctx context.Context, r wire.BackupVerifyRequest) (wire.BackupCheck, error) {
	var out wire.BackupCheck
	err := c.patient().ask(ctx, http.MethodPost, "/admin/v1/backups/verify", r, &out)
	return out, err
}
