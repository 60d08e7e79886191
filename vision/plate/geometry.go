package plate

import (
	"math"
	"slices"

	"gatehouse"
)

// vec is a position or a direction in pixels.
type vec struct{ x, y float64 }

func (a vec) add(b vec) vec             { return vec{a.x + b.x, a.y + b.y} }
func (a vec) sub(b vec) vec             { return vec{a.x - b.x, a.y - b.y} }
func (a vec) mul(s float64) vec         { return vec{a.x * s, a.y * s} }
func (a vec) dot(b vec) float64         { return a.x*b.x + a.y*b.y }
func (a vec) cross(b vec) float64       { return a.x*b.y - a.y*b.x }
func (a vec) len() float64              { return math.Hypot(a.x, a.y) }
func (a vec) lerp(b vec, t float64) vec { return a.add(b.sub(a).mul(t)) }

// rect is a rotated rectangle: its centre, the direction of its reading axis
// (unit length, pointing right), and its extent along and across that axis. With a
// slant it is a parallelogram: its lower edge lies slant×h further along the axis
// than its upper edge.
type rect struct {
	c     vec
	u     vec
	w, h  float64
	slant float64
}

// v is the unit vector across the reading axis, pointing down.
func (r rect) v() vec { return vec{-r.u.y, r.u.x} }

// grow returns the rectangle with margins added, in pixels.
func (r rect) grow(left, right, top, bottom float64) rect {
	down := r.v().add(r.u.mul(r.slant))
	r.c = r.c.add(r.u.mul((right - left) / 2)).add(down.mul((bottom - top) / 2))
	r.w += left + right
	r.h += top + bottom
	return r
}

// quad is four corners, clockwise from the top left.
type quad [4]vec

func (r rect) quad() quad {
	du, dv := r.u.mul(r.w/2), r.v().mul(r.h/2).add(r.u.mul(r.slant*r.h/2))
	return quad{r.c.sub(du).sub(dv), r.c.add(du).sub(dv), r.c.add(du).add(dv), r.c.sub(du).add(dv)}
}

// bounds returns the upright box around the quad, cut to a w×h picture.
func (q quad) bounds(w, h int) gatehouse.Box {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range q {
		x0, x1 = min(x0, p.x), max(x1, p.x)
		y0, y1 = min(y0, p.y), max(y1, p.y)
	}
	l, t := max(0, int(math.Floor(x0))), max(0, int(math.Floor(y0)))
	r, b := min(w, int(math.Ceil(x1))), min(h, int(math.Ceil(y1)))
	return gatehouse.Box{X: l, Y: t, W: max(0, r-l), H: max(0, b-t)}
}

func (q quad) points() (p [4]gatehouse.Point) {
	for i, c := range q {
		p[i] = gatehouse.Point{X: float32(c.x), Y: float32(c.y)}
	}
	return p
}

// hull returns the convex hull of pts (Andrew's monotone chain), which it sorts.
func hull(pts []vec) []vec {
	if len(pts) < 3 {
		return pts
	}
	slices.SortFunc(pts, func(a, b vec) int {
		switch {
		case a.x < b.x || a.x == b.x && a.y < b.y:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	out := make([]vec, 0, 2*len(pts))
	half := func(start int, p vec) {
		for len(out) >= start+2 && out[len(out)-1].sub(out[len(out)-2]).cross(p.sub(out[len(out)-1])) <= 0 {
			out = out[:len(out)-1]
		}
		out = append(out, p)
	}
	for _, p := range pts {
		half(0, p)
	}
	start := len(out) - 1
	for i := len(pts) - 2; i >= 0; i-- {
		half(start, pts[i])
	}
	return out[:len(out)-1]
}

// minAreaRect returns the rotated rectangle of least area around a convex hull;
// one of its sides lies along an edge of the hull (Freeman and Shapira, 1975).
// Its reading axis is the one within 45° of horizontal, unless the rectangle is
// clearly upright text lying on its side, which plates are not.
func minAreaRect(h []vec) rect {
	if len(h) == 0 {
		return rect{u: vec{1, 0}}
	}
	best, area := rect{c: h[0], u: vec{1, 0}}, math.Inf(1)
	for i := range h {
		e := h[(i+1)%len(h)].sub(h[i])
		n := e.len()
		if n == 0 {
			continue
		}
		u := e.mul(1 / n)
		if math.Abs(u.y) > math.Abs(u.x) {
			u = vec{-u.y, u.x}
		}
		if u.x < 0 {
			u = u.mul(-1)
		}
		v := vec{-u.y, u.x}
		a0, a1, b0, b1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
		for _, p := range h {
			a, b := p.dot(u), p.dot(v)
			a0, a1 = min(a0, a), max(a1, a)
			b0, b1 = min(b0, b), max(b1, b)
		}
		if s := (a1 - a0) * (b1 - b0); s < area {
			area = s
			best = rect{c: u.mul((a0 + a1) / 2).add(v.mul((b0 + b1) / 2)), u: u, w: a1 - a0, h: b1 - b0}
		}
	}
	return best
}

// overlap returns how much of the smaller of two boxes lies in the other, 0..1.
func overlap(a, b gatehouse.Box) float64 {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	small := min(a.W*a.H, b.W*b.H)
	if w <= 0 || h <= 0 || small == 0 {
		return 0
	}
	return float64(w*h) / float64(small)
}
