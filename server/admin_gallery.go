package server

import (
	"context"

	"gatehouse/api/wire"
)

// RotateGallery implements api.GalleryAdmin.
func (a admin) RotateGallery(ctx context.Context) (wire.RotateGalleryResponse, error) {
	var out wire.RotateGalleryResponse
	err := a.enroll.Alone(ctx, func(ctx context.Context) (err error) {
		// Begun is finished: a caller who hangs up leaves no gallery under two seeds.
		out.Templates, err = a.working.Rekey(context.WithoutCancel(ctx))
		return err
	})
	if err == nil {
		err = a.vault.NoteKey(context.WithoutCancel(ctx), "gallery rotated", "gallery")
		a.log.Info("the gallery has a new secret rotation", "templates", out.Templates)
	}
	return out, err
}
