package client

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// Why explains whether somebody may pass a gate at a moment.
func (c *Client) Why(ctx context.Context, r wire.WhyRequest) (wire.Why, error) {
	var out wire.Why
	err := c.ask(ctx, http.MethodPost, "/admin/v1/why", r, &out)
	return out, err
}
