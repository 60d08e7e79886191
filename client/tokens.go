package client

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse/api/wire"
)

// AddToken makes an access token; the answer holds what the program shows, this once.
func (c *Client) AddToken(ctx context.Context, r wire.TokenAddRequest) (wire.TokenAddResponse, error) {
	var out wire.TokenAddResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/tokens", r, &out)
	return out, err
}

// Tokens lists the access tokens.
func (c *Client) Tokens(ctx context.Context) (wire.TokensResponse, error) {
	var out wire.TokensResponse
	err := c.ask(ctx, http.MethodGet, "/admin/v1/tokens", nil, &out)
	return out, err
}

// RevokeToken refuses a token from the next request on.
func (c *Client) RevokeToken(ctx context.Context, name string) error {
	var out struct{}
	return c.ask(ctx, http.MethodDelete, "/admin/v1/tokens/"+url.PathEscape(name), nil, &out)
}
