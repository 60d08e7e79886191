package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// GalleryAdmin changes the gallery's secret.
type GalleryAdmin interface {
	// RotateGallery gives the gallery a new secret rotation and turns every stored
	// template to it. Errors: store.full, store.failed, enroll.unfinished.
	RotateGallery(ctx context.Context) (wire.RotateGalleryResponse, error)
}

func (a *API) rotateGallery(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.RotateGallery)
}
