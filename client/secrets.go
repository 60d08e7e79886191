package client

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse"
	"gatehouse/api/wire"
)

// SetSecret keeps a secret under a name.
func (c *Client) SetSecret(ctx context.Context, name string, value gatehouse.Secret) error {
	var out struct{}
	return c.ask(ctx, http.MethodPut, "/admin/v1/secrets/"+url.PathEscape(name), wire.SecretRequest{Value: value.Reveal()}, &out)
}

// Secrets lists their names and dates.
func (c *Client) Secrets(ctx context.Context) (wire.SecretsResponse, error) {
	var out wire.SecretsResponse
	err := c.ask(ctx, http.MethodGet, "/admin/v1/secrets", nil, &out)
	return out, err
}

// RemoveSecret forgets one.
func (c *Client) RemoveSecret(ctx context.Context, name string) error {
	var out struct{}
	return c.ask(ctx, http.MethodDelete, "/admin/v1/secrets/"+url.PathEscape(name), nil, &out)
}
