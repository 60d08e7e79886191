package main

import (
	"context"

	"gatehouse/api"
	"gatehouse/api/wire"
)

// RotateGalleryCmd gives the gallery a new secret rotation.
type RotateGalleryCmd struct{}

// Run turns every stored template, in the running server or in the store.
func (RotateGalleryCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.RotateGalleryResponse, error) { return a.RotateGallery(ctx) },
		func(r wire.RotateGalleryResponse) {
			out.Say("the gallery has a new secret rotation: %d templates were turned, without new photos", r.Templates)
		})
}
