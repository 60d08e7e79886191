package client

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
)

// ImportCheck checks a table and enrols nobody.
func (c *Client) ImportCheck(ctx context.Context, r wire.ImportRequest) (wire.ImportStatus, error) {
	var out wire.ImportStatus
	err := c.ask(ctx, http.MethodPost, "/admin/v1/imports", r, &out)
	return out, err
}

// Import says how far an import is.
func (c *Client) Import(ctx context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	var out wire.ImportStatus
	err := c.ask(ctx, http.MethodGet, "/admin/v1/imports/"+id.String(), nil, &out)
	return out, err
}

// ImportStart runs an import, or goes on with one that was stopped.
func (c *Client) ImportStart(ctx context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	var out wire.ImportStatus
	err := c.ask(ctx, http.MethodPost, "/admin/v1/imports/"+id.String()+"/start", nil, &out)
	return out, err
}

// ImportStop stops an import after the row that it is at.
func (c *Client) ImportStop(ctx context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	var out wire.ImportStatus
	err := c.ask(ctx, http.MethodPost, "/admin/v1/imports/"+id.String()+"/stop", nil, &out)
	return out, err
}
