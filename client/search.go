package client

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// Search searches the archive.
func (c *Client) Search(ctx context.Context, r wire.SearchRequest) (wire.SearchResponse, error) {
	var out wire.SearchResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/search", r, &out)
	return out, err
}
