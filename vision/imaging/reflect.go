package imaging

// ReflectEdges fills what lies outside the rectangle from (x0, y0) up to but not
// including (x1, y1) with the mirror image of what lies inside, in place. A model
// that was trained on pictures with surroundings sees neither a black border, which
// looks like a screen's, nor a changed scale. An empty rectangle changes nothing.
func ReflectEdges(m *RGB, x0, y0, x1, y1 int) {
	x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, m.W), min(y1, m.H)
	if x0 >= x1 || y0 >= y1 {
		return
	}
	for y := y0; y < y1; y++ {
		row := m.Pix[3*m.W*y : 3*m.W*(y+1)]
		for x := range x0 {
			copy(row[3*x:3*x+3], row[3*reflected(x, x0, x1):])
		}
		for x := x1; x < m.W; x++ {
			copy(row[3*x:3*x+3], row[3*reflected(x, x0, x1):])
		}
	}
	for y := range m.H {
		if y < y0 || y >= y1 {
			copy(m.Pix[3*m.W*y:3*m.W*(y+1)], m.Pix[3*m.W*reflected(y, y0, y1):])
		}
	}
}

// reflected folds a position back into lo ≤ v < hi; the edge pixel itself repeats.
func reflected(v, lo, hi int) int {
	n := hi - lo
	v = (v - lo) % (2 * n)
	if v < 0 {
		v += 2 * n
	}
	if v >= n {
		v = 2*n - 1 - v
	}
	return lo + v
}
