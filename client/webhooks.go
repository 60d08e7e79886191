package client

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse"
	"gatehouse/api/wire"
)

// AddWebhook adds a webhook; the answer holds the secret that signs, this once.
func (c *Client) AddWebhook(ctx context.Context, r wire.WebhookAddRequest) (wire.WebhookAddResponse, error) {
	var out wire.WebhookAddResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/webhooks", r, &out)
	return out, err
}

// Webhooks lists them.
func (c *Client) Webhooks(ctx context.Context) (wire.WebhooksResponse, error) {
	var out wire.WebhooksResponse
	err := c.ask(ctx, http.MethodGet, "/admin/v1/webhooks", nil, &out)
	return out, err
}

// RemoveWebhook forgets one and its messages.
func (c *Client) RemoveWebhook(ctx context.Context, name string) error {
	var out struct{}
	return c.ask(ctx, http.MethodDelete, "/admin/v1/webhooks/"+url.PathEscape(name), nil, &out)
}

// PauseWebhook stops sending to one, or goes on.
func (c *Client) PauseWebhook(ctx context.Context, name string, r wire.WebhookPauseRequest) error {
	var out struct{}
	return c.ask(ctx, http.MethodPut, "/admin/v1/webhooks/"+url.PathEscape(name)+"/paused", r, &out)
}

// TestWebhook sends a test.
func (c *Client) TestWebhook(ctx context.Context, name string) (wire.Delivery, error) {
	var out wire.Delivery
	err := c.ask(ctx, http.MethodPost, "/admin/v1/webhooks/"+url.PathEscape(name)+"/test", nil, &out)
	return out, err
}

// Deliveries lists a webhook's messages, newest first, before a cursor; limit is 1..200.
func (c *Client) Deliveries(ctx context.Context, name string, before gatehouse.ID, limit int) (wire.DeliveriesResponse, error) {
	path := "/admin/v1/webhooks/" + url.PathEscape(name) + "/deliveries?limit=" + itoa(limit)
	if !before.IsZero() {
		path += "&before=" + before.String()
	}
	var out wire.DeliveriesResponse
	err := c.ask(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// ReplayWebhook sends messages again.
func (c *Client) ReplayWebhook(ctx context.Context, name string, r wire.ReplayRequest) (wire.ReplayResponse, error) {
	var out wire.ReplayResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/webhooks/"+url.PathEscape(name)+"/replay", r, &out)
	return out, err
}
