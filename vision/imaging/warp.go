package imaging

import (
	"math"

	"gatehouse"
)

// Affine maps a point: x' = A·x + B·y + C, y' = D·x + E·y + F.
type Affine struct{ A, B, C, D, E, F float64 }

// Apply maps one point.
func (t Affine) Apply(x, y float64) (float64, float64) {
	return t.A*x + t.B*y + t.C, t.D*x + t.E*y + t.F
}

// Invert returns the inverse map; ok is false where there is none.
func (t Affine) Invert() (inv Affine, ok bool) {
	det := t.A*t.E - t.B*t.D
	if math.Abs(det) < 1e-12 || math.IsNaN(det) || math.IsInf(det, 0) {
		return Affine{}, false
	}
	a, b, d, e := t.E/det, -t.B/det, -t.D/det, t.A/det
	return Affine{a, b, -a*t.C - b*t.F, d, e, -d*t.C - e*t.F}, true
}

// Similarity returns the rotation, uniform scale and shift that bring the points
// of from nearest to those of to in the least-squares sense (Umeyama 1991, in two
// dimensions and without reflection). ok is false for fewer than two distinct
// points or different lengths.
func Similarity(from, to []gatehouse.Point) (t Affine, ok bool) {
	n := float64(len(from))
	if len(from) < 2 || len(from) != len(to) {
		return Affine{}, false
	}
	var mx, my, mu, mv float64
	for i := range from {
		mx, my = mx+float64(from[i].X)/n, my+float64(from[i].Y)/n
		mu, mv = mu+float64(to[i].X)/n, mv+float64(to[i].Y)/n
	}
	var a, b, norm float64
	for i := range from {
		x, y := float64(from[i].X)-mx, float64(from[i].Y)-my
		u, v := float64(to[i].X)-mu, float64(to[i].Y)-mv
		a += x*u + y*v
		b += x*v - y*u
		norm += x*x + y*y
	}
	if !(norm > 1e-9) || !(a*a+b*b > 0) {
		return Affine{}, false
	}
	a, b = a/norm, b/norm
	return Affine{A: a, B: -b, C: mu - a*mx + b*my, D: b, E: a, F: mv - b*mx - a*my}, true
}

// Warp fills a w×h picture: its pixel (x, y) is what lies at t(x, y) of m, by
// bilinear interpolation; black outside. Where the map shrinks m to less than
// half, m's part is area-averaged first, so that nothing aliases.
func Warp(m *RGB, t Affine, w, h int) *RGB {
	out := New(w, h)
	if m.W == 0 || m.H == 0 || w == 0 || h == 0 {
		return out
	}
	if k := min(int(math.Sqrt(math.Abs(t.A*t.E-t.B*t.D))+0.25), 16); k >= 2 {
		m, t = shrinkPart(m, t, w, h, k)
		if m == nil {
			return out
		}
	}
	// 16.16 fixed point; positions are clamped so that they cannot overflow.
	const one = 1 << 16
	fix := func(v float64) int64 { return int64(math.Round(min(max(v, -1e6), 1e6) * one)) }
	dx, dy := fix(t.A), fix(t.D)
	stride := 3 * m.W
	for y := range h {
		sx, sy := t.Apply(0, float64(y))
		px, py := fix(sx), fix(sy)
		dst := out.Pix[3*w*y : 3*w*(y+1)]
		for x := 0; x < w; x, px, py = x+1, px+dx, py+dy {
			ix, iy := int(px>>16), int(py>>16)
			fx, fy := uint32(px>>8)&255, uint32(py>>8)&255
			d := dst[3*x : 3*x+3 : 3*x+3]
			if uint(ix) < uint(m.W-1) && uint(iy) < uint(m.H-1) {
				p := m.Pix[iy*stride+3*ix:]
				a, b := p[:6:6], p[stride:stride+6:stride+6]
				w00, w01, w10, w11 := (256-fx)*(256-fy), fx*(256-fy), (256-fx)*fy, fx*fy
				d[0] = byte((uint32(a[0])*w00 + uint32(a[3])*w01 + uint32(b[0])*w10 + uint32(b[3])*w11 + 1<<15) >> 16)
				d[1] = byte((uint32(a[1])*w00 + uint32(a[4])*w01 + uint32(b[1])*w10 + uint32(b[4])*w11 + 1<<15) >> 16)
				d[2] = byte((uint32(a[2])*w00 + uint32(a[5])*w01 + uint32(b[2])*w10 + uint32(b[5])*w11 + 1<<15) >> 16)
				continue
			}
			if ix < -1 || iy < -1 || ix >= m.W || iy >= m.H {
				continue
			}
			m.edge(d, ix, iy, fx, fy)
		}
	}
	return out
}

// edge interpolates where some of the four neighbours lie outside (black).
func (m *RGB) edge(d []byte, ix, iy int, fx, fy uint32) {
	var sum [3]uint32
	for j := range 2 {
		for i := range 2 {
			x, y := ix+i, iy+j
			if x < 0 || y < 0 || x >= m.W || y >= m.H {
				continue
			}
			wx, wy := 256-fx, 256-fy
			if i == 1 {
				wx = fx
			}
			if j == 1 {
				wy = fy
			}
			p := m.Pix[3*(y*m.W+x):]
			for c := range 3 {
				sum[c] += uint32(p[c]) * wx * wy
			}
		}
	}
	for c := range 3 {
		d[c] = byte((sum[c] + 1<<15) >> 16)
	}
}

// shrinkPart area-averages, by the whole factor k, the part of m that the warp
// will look at, and returns it with the map that belongs to it; nil where the
// warp sees nothing of m.
func shrinkPart(m *RGB, t Affine, w, h, k int) (*RGB, Affine) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range [4][2]float64{{0, 0}, {float64(w), 0}, {0, float64(h)}, {float64(w), float64(h)}} {
		x, y := t.Apply(c[0], c[1])
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	within := func(v float64, n int) int { return int(min(max(v, 0), float64(n))) }
	pad := float64(2 * k)
	bx, by := within(x0-pad, m.W), within(y0-pad, m.H)
	bw, bh := (within(x1+pad, m.W)-bx)/k, (within(y1+pad, m.H)-by)/k
	if bw < 1 || bh < 1 {
		return nil, t
	}
	out := boxShrink(m, bx, by, bw, bh, k)
	f := float64(k)
	// The centre of a small pixel lies at (k-1)/2 of its first big pixel.
	shift := (f - 1) / 2
	return out, Affine{
		A: t.A / f, B: t.B / f, C: (t.C - float64(bx) - shift) / f,
		D: t.D / f, E: t.E / f, F: (t.F - float64(by) - shift) / f,
	}
}

// Mirror returns the picture with left and right exchanged.
func Mirror(m *RGB) *RGB { return Orient(m, 2) }
