package imaging

import "gatehouse"

// Hide makes what the box shows unrecognizable, in place: the part is averaged
// down to at most 6 cells along its longer side and spread out again smoothly.
// The detail is gone from the bytes and not merely softened, so no sharpening
// brings it back.
func Hide(m *RGB, box gatehouse.Box) {
	box = Clip(box, m.W, m.H)
	if box.W == 0 {
		return
	}
	const cells = 6
	long := max(box.W, box.H)
	small := Resize(Crop(m, box), max(cells*box.W/long, 1), max(cells*box.H/long, 1))
	paste(m, Resize(small, box.W, box.H), box.X, box.Y)
}

// Blur softens the box in place by three passes of a box filter of the given
// radius in pixels, which is near to a Gaussian of sigma = radius (Wells 1986).
func Blur(m *RGB, box gatehouse.Box, radius int) {
	box = Clip(box, m.W, m.H)
	if box.W == 0 || radius < 1 {
		return
	}
	part := Crop(m, box)
	for range 3 {
		part = boxBlurTransposed(boxBlurTransposed(part, radius), radius)
	}
	paste(m, part, box.X, box.Y)
}

// boxBlurTransposed blurs along rows and returns the transpose, so that two calls
// blur both ways and walk memory in rows each time. Edges repeat.
func boxBlurTransposed(m *RGB, radius int) *RGB {
	out := New(m.H, m.W)
	n := uint32(2*radius + 1)
	for y := range m.H {
		row := m.Pix[3*m.W*y : 3*m.W*(y+1)]
		for c := range 3 {
			at := func(x int) uint32 { return uint32(row[3*min(max(x, 0), m.W-1)+c]) }
			var sum uint32
			for x := -radius; x <= radius; x++ {
				sum += at(x)
			}
			for x := range m.W {
				out.Pix[3*(x*m.H+y)+c] = byte((sum + n/2) / n)
				sum += at(x+radius+1) - at(x-radius)
			}
		}
	}
	return out
}

func paste(m, part *RGB, x, y int) {
	for j := range part.H {
		copy(m.Pix[3*((y+j)*m.W+x):], part.Pix[3*part.W*j:3*part.W*(j+1)])
	}
}
