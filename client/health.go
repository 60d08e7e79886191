package client

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// Health says how the site's parts are doing.
func (c *Client) Health(ctx context.Context) (wire.Health, error) {
	var out wire.Health
	err := c.ask(ctx, http.MethodGet, "/admin/v1/health", nil, &out)
	return out, err
}
