package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// UnsealWith opens the vault with any credential for at most d, which is rounded up to
// minutes.
func (c *Client) UnsealWith(ctx context.Context, with gatehouse.Credential, d time.Duration) (wire.VaultStatus, error) {
	minutes := int((d + time.Minute - 1) / time.Minute)
	var out wire.VaultStatus
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/unseal", wire.UnsealWithRequest{With: wire.Shown(with), Minutes: minutes}, &out)
	return out, err
}

// KeysStatus says which keys the vault has and what opens them.
func (c *Client) KeysStatus(ctx context.Context) (wire.KeysStatus, error) {
	var out wire.KeysStatus
	err := c.ask(ctx, http.MethodGet, "/admin/v1/keys", nil, &out)
	return out, err
}

// CheckKeys looks at every row of the key store.
func (c *Client) CheckKeys(ctx context.Context, r wire.KeysCheckRequest) (wire.KeysCheck, error) {
	var out wire.KeysCheck
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/check", r, &out)
	return out, err
}

// AddSlot lets another credential open the vault key.
func (c *Client) AddSlot(ctx context.Context, r wire.AddSlotRequest) (wire.AddSlotResponse, error) {
	var out wire.AddSlotResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/slots", r, &out)
	return out, err
}

// RemoveSlot takes a slot away.
func (c *Client) RemoveSlot(ctx context.Context, id string, r wire.RemoveSlotRequest) error {
	var out struct{}
	return c.ask(ctx, http.MethodPost, "/admin/v1/keys/slots/"+url.PathEscape(id)+"/remove", r, &out)
}

// SplitKey makes shares of the vault key.
func (c *Client) SplitKey(ctx context.Context, r wire.SplitRequest) (wire.SplitResponse, error) {
	var out wire.SplitResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/split", r, &out)
	return out, err
}

// ExportKeys returns the keyring as a bundle, still wrapped.
func (c *Client) ExportKeys(ctx context.Context) (wire.ExportResponse, error) {
	var out wire.ExportResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/export", struct{}{}, &out)
	return out, err
}

// NoteKey notes what was done to the keyring's files.
func (c *Client) NoteKey(ctx context.Context, r wire.NoteRequest) error {
	var out struct{}
	return c.ask(ctx, http.MethodPost, "/admin/v1/keys/note", r, &out)
}

// RotateVaultKey begins a rotation of the vault key, or goes on with one.
func (c *Client) RotateVaultKey(ctx context.Context, r wire.RotateRequest) (wire.RotateResponse, error) {
	var out wire.RotateResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/rotate/vault", r, &out)
	return out, err
}

// RotateVaultBatch does a part of a rotation.
func (c *Client) RotateVaultBatch(ctx context.Context, r wire.RotateBatchRequest) (wire.RotateBatchResponse, error) {
	var out wire.RotateBatchResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/rotate/vault/batch", r, &out)
	return out, err
}
