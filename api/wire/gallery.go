package wire

// RotateGalleryResponse answers POST /admin/v1/gallery/rotate.
type RotateGalleryResponse struct {
	Templates int `json:"templates"` // that were turned
}
