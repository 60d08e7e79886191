package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// Letterbox gives a key of the vault process to seal one credential to.
func (c *Client) Letterbox(ctx context.Context) (wire.Letterbox, error) {
	var out wire.Letterbox
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/letterbox", nil, &out)
	return out, err
}

// seal seals credentials that are not sealed yet, each to a letterbox of its own: the
// server passes them on and cannot read them.
func (c *Client) seal(ctx context.Context, with ...*wire.Credential) error {
	for _, w := range with {
		if w.Sealed || w.Credential().IsZero() {
			continue
		}
		box, err := c.Letterbox(ctx)
		if err != nil {
			return err
		}
		sealed, err := w.Credential().Seal(gatehouse.Letterbox(box))
		if err != nil {
			return err
		}
		*w = wire.Shown(sealed)
	}
	return nil
}

// UnsealWith opens the vault with any credential for at most d, of which parts of a
// second do not count.
func (c *Client) UnsealWith(ctx context.Context, with gatehouse.Credential, d time.Duration) (wire.VaultStatus, error) {
	r := wire.UnsealWithRequest{With: wire.Shown(with), Seconds: int(d / time.Second)}
	var out wire.VaultStatus
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/unseal", r, &out)
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
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/check", r, &out)
	return out, err
}

// AddSlot lets another credential open the vault key.
func (c *Client) AddSlot(ctx context.Context, r wire.AddSlotRequest) (wire.AddSlotResponse, error) {
	var out wire.AddSlotResponse
	if err := c.seal(ctx, &r.With, &r.New); err != nil {
		return out, err
	}
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/slots", r, &out)
	return out, err
}

// RemoveSlot takes a slot away.
func (c *Client) RemoveSlot(ctx context.Context, id string, r wire.RemoveSlotRequest) error {
	var out struct{}
	if err := c.seal(ctx, &r.With); err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, "/admin/v1/keys/slots/"+url.PathEscape(id)+"/remove", r, &out)
}

// SplitKey makes shares of the vault key.
func (c *Client) SplitKey(ctx context.Context, r wire.SplitRequest) (wire.SplitResponse, error) {
	var out wire.SplitResponse
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
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
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/rotate/vault", r, &out)
	return out, err
}

// RotateVaultBatch does a part of a rotation.
func (c *Client) RotateVaultBatch(ctx context.Context, r wire.RotateBatchRequest) (wire.RotateBatchResponse, error) {
	var out wire.RotateBatchResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/rotate/vault/batch", r, &out)
	return out, err
}
