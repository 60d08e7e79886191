package imaging

import "math"

// Homography maps points of one plane to another: (x, y, 1) times the row-major
// 3×3 matrix, divided by the third coordinate. The last element is 1.
type Homography [9]float64

// Apply maps one point.
func (h *Homography) Apply(x, y float64) (float64, float64) {
	w := h[6]*x + h[7]*y + h[8]
	if math.Abs(w) < 1e-12 {
		w = math.Copysign(1e-12, w)
	}
	return (h[0]*x + h[1]*y + h[2]) / w, (h[3]*x + h[4]*y + h[5]) / w
}

// RectToQuad returns the homography that takes the rectangle (0,0)–(w,h) to the
// quadrilateral q: corners clockwise from the top left, each {x, y}. It is the
// closed form of P. Heckbert, "Fundamentals of Texture Mapping and Image
// Warping" (1989), section 2.2.3. ok is false where q has no area or its corners
// do not bound a convex region.
func RectToQuad(w, h float64, q [4][2]float64) (hm Homography, ok bool) {
	if w <= 0 || h <= 0 {
		return hm, false
	}
	sign := 0.0
	for i := range q {
		a, b, c := q[i], q[(i+1)%4], q[(i+2)%4]
		cross := (b[0]-a[0])*(c[1]-b[1]) - (b[1]-a[1])*(c[0]-b[0])
		if math.IsNaN(cross) || math.Abs(cross) < 1e-9 || sign*cross < 0 {
			return hm, false
		}
		sign = math.Copysign(1, cross)
	}
	dx1, dy1 := q[1][0]-q[2][0], q[1][1]-q[2][1]
	dx2, dy2 := q[3][0]-q[2][0], q[3][1]-q[2][1]
	sx := q[0][0] - q[1][0] + q[2][0] - q[3][0]
	sy := q[0][1] - q[1][1] + q[2][1] - q[3][1]
	den := dx1*dy2 - dx2*dy1
	g := (sx*dy2 - dx2*sy) / den
	k := (dx1*sy - sx*dy1) / den
	return Homography{
		(q[1][0] - q[0][0] + g*q[1][0]) / w, (q[3][0] - q[0][0] + k*q[3][0]) / h, q[0][0],
		(q[1][1] - q[0][1] + g*q[1][1]) / w, (q[3][1] - q[0][1] + k*q[3][1]) / h, q[0][1],
		g / w, k / h, 1,
	}, true
}
