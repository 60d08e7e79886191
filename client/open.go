package client

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse/api/wire"
)

// OpenGate opens a gate from afar, once that is recorded.
func (c *Client) OpenGate(ctx context.Context, gate string, r wire.OpenRequest) (wire.OpenResponse, error) {
	var out wire.OpenResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/gates/"+url.PathEscape(gate)+"/open", r, &out)
	return out, err
}
