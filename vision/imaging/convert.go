package imaging

import (
	"image"
	"image/color"
)

// matrix is a YCbCr to RGB conversion in 16.16 fixed point: Y' = ys·(Y-y0), then
// R = Y' + rv·V, G = Y' - gu·U - gv·V, B = Y' + bu·U with U, V centred on 128.
type matrix struct{ y0, ys, rv, gu, gv, bu int32 }

var (
	// jfif is full-range BT.601 as JPEG uses it (JFIF 1.02).
	jfif = matrix{0, 65536, 91881, 22554, 46802, 116130}
	// bt601 and bt709 are the studio-range matrices of ITU-R BT.601-7 and BT.709-6.
	bt601 = matrix{16, 76309, 104597, 25675, 53279, 132201}
	bt709 = matrix{16, 76309, 117489, 13975, 34925, 138438}
)

// clamp8 turns a 16.16 value into a byte.
func clamp8(v int32) byte {
	if uint32(v) < 0x1000000 {
		return byte(v >> 16)
	}
	return byte(^(v >> 31)) // 0 below, 255 above
}

// rowYCbCr converts one row; each chroma sample serves 1<<shift pixels.
func (k *matrix) rowYCbCr(dst, ys, cb, cr []byte, shift uint) {
	const half = 1 << 15
	if shift == 1 {
		n := len(ys) / 2
		for i := range n {
			u, v := int32(cb[i])-128, int32(cr[i])-128
			r, g, b := k.rv*v+half, half-k.gu*u-k.gv*v, k.bu*u+half
			y := ys[2*i : 2*i+2 : 2*i+2]
			d := dst[6*i : 6*i+6 : 6*i+6]
			y0, y1 := (int32(y[0])-k.y0)*k.ys, (int32(y[1])-k.y0)*k.ys
			d[0], d[1], d[2] = clamp8(y0+r), clamp8(y0+g), clamp8(y0+b)
			d[3], d[4], d[5] = clamp8(y1+r), clamp8(y1+g), clamp8(y1+b)
		}
		if len(ys)&1 == 0 {
			return
		}
		// an odd last column, by the loop below
		dst, ys, cb, cr, shift = dst[6*n:], ys[2*n:], cb[n:], cr[n:], 0
	}
	for i, yy := range ys {
		u, v := int32(cb[i>>shift])-128, int32(cr[i>>shift])-128
		y := (int32(yy)-k.y0)*k.ys + half
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = clamp8(y+k.rv*v), clamp8(y-k.gu*u-k.gv*v), clamp8(y+k.bu*u)
	}
}

func fromYCbCr(m *image.YCbCr) *RGB {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := New(w, h)
	var shift uint
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		shift = 1
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		shift = 2
	}
	for y := range h {
		yo := m.YOffset(m.Rect.Min.X, m.Rect.Min.Y+y)
		co := m.COffset(m.Rect.Min.X, m.Rect.Min.Y+y)
		cw := (w + 1<<shift - 1) >> shift
		jfif.rowYCbCr(out.Pix[3*w*y:3*w*(y+1)], m.Y[yo:yo+w], m.Cb[co:co+cw], m.Cr[co:co+cw], shift)
	}
	return out
}

// FromYUV420 converts one frame of raw planar 4:2:0 video (w×h luma, then the two
// chroma planes of ceil(w/2)×ceil(h/2)), studio range, as `ffmpeg -pix_fmt yuv420p
// -f rawvideo` writes it. Frames of 720 lines or more are taken as BT.709, smaller
// ones as BT.601, which is what players assume of streams that do not say.
func FromYUV420(w, h int, pix []byte) (*RGB, error) {
	cw, ch := (w+1)/2, (h+1)/2
	if w <= 0 || h <= 0 || len(pix) != w*h+2*cw*ch {
		return nil, fail(CodeDamaged, "give each frame's size with its bytes", "%d bytes are no %d×%d frame of 4:2:0 video", len(pix), w, h)
	}
	k := &bt601
	if h >= 720 {
		k = &bt709
	}
	out := New(w, h)
	cb, cr := pix[w*h:], pix[w*h+cw*ch:]
	for y := range h {
		c := y / 2 * cw
		k.rowYCbCr(out.Pix[3*w*y:3*w*(y+1)], pix[w*y:w*(y+1)], cb[c:c+cw], cr[c:c+cw], 1)
	}
	return out, nil
}

// FromImage converts a standard image; transparency is laid over white.
func FromImage(m image.Image) *RGB {
	r := m.Bounds()
	w, h := r.Dx(), r.Dy()
	if ycc, ok := m.(*image.YCbCr); ok {
		return fromYCbCr(ycc)
	}
	var palette [256][3]byte
	if p, ok := m.(*image.Paletted); ok {
		palette = opaque(p.Palette)
	}
	out := New(w, h)
	for y := range h {
		dst := out.Pix[3*w*y : 3*w*(y+1)]
		switch m := m.(type) {
		case *image.Gray:
			for x, v := range m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):][:w] {
				d := dst[3*x : 3*x+3 : 3*x+3]
				d[0], d[1], d[2] = v, v, v
			}
		case *image.RGBA: // premultiplied
			src := m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):][:4*w]
			for x := range w {
				s, d := src[4*x:4*x+4:4*x+4], dst[3*x:3*x+3:3*x+3]
				white := 255 - s[3]
				d[0], d[1], d[2] = s[0]+white, s[1]+white, s[2]+white
			}
		case *image.NRGBA:
			src := m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):][:4*w]
			for x := range w {
				s, d := src[4*x:4*x+4:4*x+4], dst[3*x:3*x+3:3*x+3]
				d[0], d[1], d[2] = overWhite(s[0], s[3]), overWhite(s[1], s[3]), overWhite(s[2], s[3])
			}
		case *image.CMYK:
			src := m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):][:4*w]
			for x := range w {
				s, d := src[4*x:4*x+4:4*x+4], dst[3*x:3*x+3:3*x+3]
				d[0], d[1], d[2] = color.CMYKToRGB(s[0], s[1], s[2], s[3])
			}
		case *image.Paletted:
			for x, v := range m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):][:w] {
				copy(dst[3*x:3*x+3], palette[v][:])
			}
		default: // 16 bits a channel, and whatever else there may be
			for x := range w {
				c := color.NRGBA64Model.Convert(m.At(r.Min.X+x, r.Min.Y+y)).(color.NRGBA64)
				a := byte(c.A >> 8)
				dst[3*x], dst[3*x+1], dst[3*x+2] = overWhite(byte(c.R>>8), a), overWhite(byte(c.G>>8), a), overWhite(byte(c.B>>8), a)
			}
		}
	}
	return out
}

// overWhite blends a straight-alpha channel with white.
func overWhite(v, a byte) byte {
	return byte((uint32(v)*uint32(a) + 255*uint32(255-a) + 127) / 255)
}

// opaque lays a palette over white; indices beyond its end are black.
func opaque(p color.Palette) (out [256][3]byte) {
	for i, c := range p[:min(len(p), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		out[i] = [3]byte{overWhite(n.R, n.A), overWhite(n.G, n.A), overWhite(n.B, n.A)}
	}
	return out
}

// ToImage returns a copy as a standard image.
func (m *RGB) ToImage() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		s, d := m.Pix[3*i:3*i+3:3*i+3], out.Pix[4*i:4*i+4:4*i+4]
		d[0], d[1], d[2], d[3] = s[0], s[1], s[2], 255
	}
	return out
}
