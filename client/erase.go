package client

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
)

// Erase erases a subject.
func (c *Client) Erase(ctx context.Context, r wire.EraseRequest) (wire.Erasure, error) {
	var out wire.Erasure
	err := c.ask(ctx, http.MethodPost, "/admin/v1/erasures", r, &out)
	return out, err
}

// Erasing gives the erasures that have not ended.
func (c *Client) Erasing(ctx context.Context) (wire.ErasingResponse, error) {
	return got[wire.ErasingResponse](ctx, c, http.MethodGet, "/admin/v1/erasures", nil)
}

// Erasure gives a certificate once more.
func (c *Client) Erasure(ctx context.Context, id gatehouse.ID) (wire.Erasure, error) {
	var out wire.Erasure
	err := c.ask(ctx, http.MethodGet, "/admin/v1/erasures/"+id.String(), nil, &out)
	return out, err
}

// CheckErasure says what is left of the subject of a certificate.
func (c *Client) CheckErasure(ctx context.Context, e wire.Erasure) (wire.ErasureFindings, error) {
	var out wire.ErasureFindings
	err := c.ask(ctx, http.MethodPost, "/admin/v1/erasures/check", e, &out)
	return out, err
}

// AddHold makes a legal hold.
func (c *Client) AddHold(ctx context.Context, r wire.HoldRequest) (wire.Hold, error) {
	var out wire.Hold
	err := c.ask(ctx, http.MethodPost, "/admin/v1/holds", r, &out)
	return out, err
}

// Holds lists the holds in force.
func (c *Client) Holds(ctx context.Context) (wire.HoldsResponse, error) {
	var out wire.HoldsResponse
	err := c.ask(ctx, http.MethodGet, "/admin/v1/holds", nil, &out)
	return out, err
}

// ExtendHold gives a hold another end.
func (c *Client) ExtendHold(ctx context.Context, id gatehouse.ID, r wire.HoldEndRequest) (wire.HoldsResponse, error) {
	var out wire.HoldsResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/holds/"+id.String()+"/until", r, &out)
	return out, err
}

// LiftHold ends a hold now.
func (c *Client) LiftHold(ctx context.Context, id gatehouse.ID) (wire.HoldsResponse, error) {
	var out wire.HoldsResponse
	err := c.ask(ctx, http.MethodDelete, "/admin/v1/holds/"+id.String(), nil, &out)
	return out, err
}

// Retention says how long the site keeps what.
func (c *Client) Retention(ctx context.Context) (wire.Retention, error) {
	var out wire.Retention
	err := c.ask(ctx, http.MethodGet, "/admin/v1/retention", nil, &out)
	return out, err
}

// RunRetention takes away now what is over its time.
func (c *Client) RunRetention(ctx context.Context) (wire.RetentionReport, error) {
	var out wire.RetentionReport
	err := c.ask(ctx, http.MethodPost, "/admin/v1/retention/run", nil, &out)
	return out, err
}

// Databases lists the encrypted files.
func (c *Client) Databases(ctx context.Context) (wire.DatabasesResponse, error) {
	var out wire.DatabasesResponse
	err := c.ask(ctx, http.MethodGet, "/admin/v1/databases", nil, &out)
	return out, err
}

// RewriteDatabase puts one file under a fresh key.
func (c *Client) RewriteDatabase(ctx context.Context, r wire.RewriteRequest) (wire.Rewritten, error) {
	var out wire.Rewritten
	err := c.ask(ctx, http.MethodPost, "/admin/v1/databases/rewrite", r, &out)
	return out, err
}
