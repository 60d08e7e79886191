package imaging

import (
	"bytes"
	"image"
	"image/jpeg"
)

// EncodeJPEG returns the picture as a baseline JPEG (4:2:0) of the given quality,
// 1 to 100. It carries no metadata.
func EncodeJPEG(m *RGB, quality int) ([]byte, error) {
	if m.W < 1 || m.H < 1 || m.W > 65535 || m.H > 65535 {
		return nil, fail(CodeUnsupported, "JPEG holds 1 to 65535 pixels a side", "a picture of %d×%d pixels cannot become a JPEG", m.W, m.H)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m.ycbcr(), &jpeg.Options{Quality: min(max(quality, 1), 100)}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ycbcr converts to full-range 4:2:0, for which the standard encoder has a fast
// path. Chroma is the mean of its 2×2 pixels.
func (m *RGB) ycbcr() *image.YCbCr {
	out := image.NewYCbCr(image.Rect(0, 0, m.W, m.H), image.YCbCrSubsampleRatio420)
	for cy := range (m.H + 1) / 2 {
		y0 := 2 * cy
		y1 := min(y0+1, m.H-1)
		r0, r1 := m.Pix[3*m.W*y0:3*m.W*(y0+1)], m.Pix[3*m.W*y1:3*m.W*(y1+1)]
		l0, l1 := out.Y[out.YStride*y0:][:m.W], out.Y[out.YStride*y1:][:m.W]
		cb, cr := out.Cb[out.CStride*cy:], out.Cr[out.CStride*cy:]
		for cx := range (m.W + 1) / 2 {
			x0 := 2 * cx
			x1 := min(x0+1, m.W-1)
			a, b := r0[3*x0:3*x0+3:3*x0+3], r0[3*x1:3*x1+3:3*x1+3]
			c, d := r1[3*x0:3*x0+3:3*x0+3], r1[3*x1:3*x1+3:3*x1+3]
			l0[x0], l0[x1] = luma(a[0], a[1], a[2]), luma(b[0], b[1], b[2])
			l1[x0], l1[x1] = luma(c[0], c[1], c[2]), luma(d[0], d[1], d[2])
			r := int32(a[0]) + int32(b[0]) + int32(c[0]) + int32(d[0])
			g := int32(a[1]) + int32(b[1]) + int32(c[1]) + int32(d[1])
			u := int32(a[2]) + int32(b[2]) + int32(c[2]) + int32(d[2])
			// JFIF 1.02, in 1/65536, over four pixels
			cb[cx] = clamp8((-11059*r - 21709*g + 32768*u + 4*(128<<16+1<<15)) >> 2)
			cr[cx] = clamp8((32768*r - 27439*g - 5329*u + 4*(128<<16+1<<15)) >> 2)
		}
	}
	return out
}

// luma is BT.601 full-range luminance (JFIF 1.02).
func luma(r, g, b byte) byte {
	return byte((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}
