package imaging

import "gatehouse"

// Resize returns the picture at w×h pixels: area-averaged along a side that
// shrinks (so that nothing aliases), bilinear along one that grows. Pixel centres
// are at half integers, as in OpenCV.
func Resize(m *RGB, w, h int) *RGB {
	if w == m.W && h == m.H {
		return &RGB{W: w, H: h, Pix: append([]byte(nil), m.Pix...)}
	}
	out := New(max(w, 0), max(h, 0))
	if w <= 0 || h <= 0 || m.W == 0 || m.H == 0 {
		return out
	}
	if k := m.W / w; k >= 2 && k <= 16 && k*w == m.W && k*h == m.H {
		return boxShrink(m, 0, 0, w, h, k)
	}
	xs, ys := spans(m.W, w), spans(m.H, h)
	// Rows are squeezed horizontally first, each source row once, into a small
	// ring of rows; ys is monotonic.
	rows := make(map[int][]uint16, 4)
	var spare [][]uint16
	acc := make([]uint32, 3*w)
	for y, span := range ys {
		for at, row := range rows {
			if at < span.at {
				spare = append(spare, row)
				delete(rows, at)
			}
		}
		clear(acc)
		for i, weight := range span.weights {
			at := span.at + i
			row := rows[at]
			if row == nil {
				if n := len(spare); n > 0 {
					row, spare = spare[n-1], spare[:n-1]
				} else {
					row = make([]uint16, 3*w)
				}
				squeeze(row, m.Pix[3*m.W*at:3*m.W*(at+1)], xs)
				rows[at] = row
			}
			for j, v := range row {
				acc[j] += uint32(v) * weight
			}
		}
		dst := out.Pix[3*w*y : 3*w*(y+1)]
		for j, v := range acc {
			dst[j] = byte((v + 1<<15) >> 16)
		}
	}
	return out
}

// boxShrink returns w×h means of k×k pixels each, from (x0, y0) on.
func boxShrink(m *RGB, x0, y0, w, h, k int) *RGB {
	out := New(w, h)
	// a mean by multiplication: k ≤ 16 keeps it exact to the rounding
	recip := (1<<24 + uint64(k*k)/2) / uint64(k*k)
	acc := make([]uint32, 3*w)
	for y := range h {
		clear(acc)
		for j := range k {
			at := 3 * ((y0+y*k+j)*m.W + x0)
			addRuns(acc, m.Pix[at:at+3*w*k], k)
		}
		dst := out.Pix[3*w*y : 3*w*(y+1)]
		for i, v := range acc {
			dst[i] = byte((uint64(v)*recip + 1<<23) >> 24)
		}
	}
	return out
}

// addRuns adds the sums of k neighbouring pixels of a row to acc.
func addRuns(acc []uint32, row []byte, k int) {
	switch k {
	case 2:
		for len(acc) >= 3 && len(row) >= 6 {
			a, p := acc[:3:3], row[:6:6]
			a[0] += uint32(p[0]) + uint32(p[3])
			a[1] += uint32(p[1]) + uint32(p[4])
			a[2] += uint32(p[2]) + uint32(p[5])
			acc, row = acc[3:], row[6:]
		}
	case 4:
		for len(acc) >= 3 && len(row) >= 12 {
			a, p := acc[:3:3], row[:12:12]
			a[0] += uint32(p[0]) + uint32(p[3]) + uint32(p[6]) + uint32(p[9])
			a[1] += uint32(p[1]) + uint32(p[4]) + uint32(p[7]) + uint32(p[10])
			a[2] += uint32(p[2]) + uint32(p[5]) + uint32(p[8]) + uint32(p[11])
			acc, row = acc[3:], row[12:]
		}
	default:
		for len(acc) >= 3 && len(row) >= 3*k {
			var r, g, b uint32
			for p := row[:3*k]; len(p) >= 3; p = p[3:] {
				r, g, b = r+uint32(p[0]), g+uint32(p[1]), b+uint32(p[2])
			}
			a := acc[:3:3]
			a[0], a[1], a[2] = a[0]+r, a[1]+g, a[2]+b
			acc, row = acc[3:], row[3*k:]
		}
	}
}

// span says which source pixels, from at on, make one target pixel; the weights
// sum to 256.
type span struct {
	at      int
	weights []uint32
}

// spans works out the spans of a row or column of n pixels that becomes m.
func spans(n, m int) []span {
	out := make([]span, m)
	scale := float64(n) / float64(m)
	for i := range out {
		if scale <= 1 {
			c := (float64(i)+0.5)*scale - 0.5
			at := min(max(int(c+1)-1, 0), n-1) // floor for c > -1
			f := min(max(c-float64(at), 0), 1)
			k := uint32(f*256 + 0.5)
			if at+1 >= n || k == 0 {
				out[i] = span{at, []uint32{256}}
			} else {
				out[i] = span{at, []uint32{256 - k, k}}
			}
			continue
		}
		lo, hi := float64(i)*scale, float64(i+1)*scale
		first, last := int(lo), min(int(hi), n-1)
		s := span{at: first}
		// Cumulated rounding keeps the sum at 256 exactly.
		var sum uint32
		for j := first; j <= last; j++ {
			part := (min(hi, float64(j+1)) - lo) / scale
			c := min(uint32(part*256+0.5), 256)
			if j == last {
				c = 256
			}
			s.weights = append(s.weights, c-sum)
			sum = c
		}
		out[i] = s
	}
	return out
}

// squeeze writes one row's weighted sums (a byte times 256).
func squeeze(dst []uint16, src []byte, xs []span) {
	for x, s := range xs {
		d := dst[3*x : 3*x+3 : 3*x+3]
		p := src[3*s.at:]
		var r, g, b uint32
		for _, w := range s.weights {
			q := p[:3:3]
			r += uint32(q[0]) * w
			g += uint32(q[1]) * w
			b += uint32(q[2]) * w
			p = p[3:]
		}
		d[0], d[1], d[2] = uint16(r), uint16(g), uint16(b)
	}
}

// Crop returns a copy of the part of the picture inside the box, which is first
// clipped to the picture; the result may be empty (0×0).
func Crop(m *RGB, box gatehouse.Box) *RGB {
	box = Clip(box, m.W, m.H)
	out := New(box.W, box.H)
	for y := range box.H {
		at := 3 * ((box.Y+y)*m.W + box.X)
		copy(out.Pix[3*box.W*y:], m.Pix[at:at+3*box.W])
	}
	return out
}

// Clip returns the part of a box that lies inside a w×h picture; an empty box
// (all zero) where there is none.
func Clip(b gatehouse.Box, w, h int) gatehouse.Box {
	x0, y0 := max(b.X, 0), max(b.Y, 0)
	x1, y1 := min(b.X+b.W, w), min(b.Y+b.H, h)
	if x1 <= x0 || y1 <= y0 {
		return gatehouse.Box{}
	}
	return gatehouse.Box{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
}

// CropResize cuts the rectangle x, y, width, height (pixels of the picture, at
// fractions where needed) and brings it to w×h. What lies outside the picture is
// black.
func CropResize(m *RGB, x, y, width, height float64, w, h int) *RGB {
	return Warp(m, Affine{
		A: width / float64(w), C: x + width/float64(w)/2 - 0.5,
		E: height / float64(h), F: y + height/float64(h)/2 - 0.5,
	}, w, h)
}

// Letterbox fits the whole picture into w×h without distortion, in the middle,
// the rest black. A point of the result is scale·p + offset of a point p of the
// picture.
func Letterbox(m *RGB, w, h int) (out *RGB, scale, offsetX, offsetY float64) {
	scale = min(float64(w)/float64(m.W), float64(h)/float64(m.H))
	iw := min(max(int(float64(m.W)*scale+0.5), 1), w)
	ih := min(max(int(float64(m.H)*scale+0.5), 1), h)
	small := Resize(m, iw, ih)
	if iw == w && ih == h {
		return small, scale, 0, 0
	}
	out = New(w, h)
	ox, oy := (w-iw)/2, (h-ih)/2
	for y := range ih {
		copy(out.Pix[3*((oy+y)*w+ox):], small.Pix[3*iw*y:3*iw*(y+1)])
	}
	return out, scale, float64(ox), float64(oy)
}
