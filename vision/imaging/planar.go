package imaging

// Order is the order in which a model takes the colour channels.
type Order int

// Colour orders.
const (
	OrderRGB Order = iota
	OrderBGR
)

// Planar writes the picture into dst as three planes (channel, row, column), the
// layout of one item of an NCHW tensor: (value-mean)/std for each channel, mean
// and std in the order of the planes. It returns dst, allocated if it is shorter
// than 3·W·H.
func Planar(dst []float32, m *RGB, order Order, mean, std [3]float32) []float32 {
	n := m.W * m.H
	if len(dst) < 3*n {
		dst = make([]float32, 3*n)
	}
	for c := range 3 {
		from := c
		if order == OrderBGR {
			from = 2 - c
		}
		var table [256]float32
		for v := range table {
			table[v] = (float32(v) - mean[c]) / std[c]
		}
		plane, src := dst[c*n:(c+1)*n], m.Pix[from:]
		for i := range plane {
			plane[i] = table[src[3*i]]
		}
	}
	return dst
}
