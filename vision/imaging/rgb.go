// Package imaging holds what vision does to pixels: decoding untrusted bytes,
// resizing, warping, cropping, encoding. Pure Go, no model.
package imaging

// RGB is a packed 8-bit image: three bytes a pixel, rows of 3*W bytes without gaps.
type RGB struct {
	W, H int
	Pix  []byte // len 3*W*H
}

// New returns a black image of w×h pixels.
func New(w, h int) *RGB { return &RGB{W: w, H: h, Pix: make([]byte, 3*w*h)} }
