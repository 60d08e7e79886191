package imaging

// Grey is a packed 8-bit luminance picture.
type Grey struct {
	W, H int
	Pix  []byte // len W*H
}

// ToGrey returns the luminance (BT.601, full range) of every pixel.
func ToGrey(m *RGB) *Grey {
	out := &Grey{W: m.W, H: m.H, Pix: make([]byte, m.W*m.H)}
	src := m.Pix
	for i := range out.Pix {
		s := src[:3:3]
		out.Pix[i] = luma(s[0], s[1], s[2])
		src = src[3:]
	}
	return out
}

// Mean returns the mean luminance, 0..255; 0 for an empty picture.
func (g *Grey) Mean() float32 {
	var sum int64
	for _, v := range g.Pix {
		sum += int64(v)
	}
	return float32(float64(sum) / float64(max(len(g.Pix), 1)))
}

// LaplacianVariance returns the variance of the 4-neighbour Laplacian over the
// inner pixels: small for a blurred picture (Pech-Pacheco et al. 2000). It depends
// on the picture's size, so compare only pictures that were brought to the same.
func (g *Grey) LaplacianVariance() float32 {
	if g.W < 3 || g.H < 3 {
		return 0
	}
	var sum, squares int64
	for y := 1; y < g.H-1; y++ {
		up, row, down := g.Pix[(y-1)*g.W:y*g.W], g.Pix[y*g.W:(y+1)*g.W], g.Pix[(y+1)*g.W:(y+2)*g.W]
		for x := 1; x < len(row)-1; x++ {
			v := int64(up[x]) + int64(down[x]) + int64(row[x-1]) + int64(row[x+1]) - 4*int64(row[x])
			sum += v
			squares += v * v
		}
	}
	n := float64((g.W - 2) * (g.H - 2))
	mean := float64(sum) / n
	return float32(float64(squares)/n - mean*mean)
}
