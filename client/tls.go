package client

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// Authority shows the site's own certificate authority.
func (c *Client) Authority(ctx context.Context) (wire.Authority, error) {
	var out wire.Authority
	err := c.ask(ctx, http.MethodGet, "/admin/v1/tls/authority", nil, &out)
	return out, err
}

// MakeAuthority makes it.
func (c *Client) MakeAuthority(ctx context.Context, r wire.AuthorityRequest) (wire.Authority, error) {
	var out wire.Authority
	err := c.ask(ctx, http.MethodPost, "/admin/v1/tls/authority", r, &out)
	return out, err
}
