package gallery

import "math"

// A code is a unit vector rounded to int8 with a scale of its own: value ≈
// scale·code. With y the vector, ŷ = scale·code and e = y-ŷ, for any x and its x̂:
//
//	x·y - x̂·ŷ = x·e + (x-x̂)·ŷ,  so  |x·y - x̂·ŷ| ≤ |x||e| + |x-x̂||ŷ|
//
// by Cauchy and Schwarz. That bound is what lets the scan drop a row without ever
// dropping the answer.
type code struct {
	scale float32
	err   float32 // |e|, rounded up
	norm  float32 // |ŷ|, rounded up
}

// slack covers the rounding of the float32 arithmetic on values of magnitude
// about 1 (a few times 2⁻²⁴ each), and that of dot's result.
const slack = 4e-6

// up rounds a float64 bound to float32 without making it smaller.
func up(v float64) float32 { return float32(v * (1 + 1e-6)) }

// encode writes the code of unit vector v to dst, which is at least as long; the
// rest of dst becomes zero.
func encode[T int8 | int16](dst []T, v []float32) code {
	var peak float32
	for _, x := range v {
		peak = max(peak, x, -x)
	}
	scale := peak / 127
	var errSq, normSq float64
	for i, x := range v {
		q := math.RoundToEven(float64(x) / float64(scale))
		q = min(max(q, -127), 127)
		dst[i] = T(q)
		hat := q * float64(scale)
		e := float64(x) - hat
		errSq += e * e
		normSq += hat * hat
	}
	clear(dst[len(v):])
	return code{scale: scale, err: up(math.Sqrt(errSq)), norm: up(math.Sqrt(normSq))}
}

// unit returns v scaled to length 1, ok false where it has none or is not finite.
func unit(v []float32) ([]float32, bool) {
	var sq float64
	for _, x := range v {
		sq += float64(x) * float64(x)
	}
	length := math.Sqrt(sq)
	if !(length > 1e-12) || math.IsInf(length, 1) {
		return nil, false
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / length)
	}
	return out, true
}
