package client

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// RotateGallery gives the gallery a new secret rotation, without new photos.
func (c *Client) RotateGallery(ctx context.Context) (wire.RotateGalleryResponse, error) {
	var out wire.RotateGalleryResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/gallery/rotate", nil, &out)
	return out, err
}
