package face

import (
	"math"

	"gatehouse/vision/imaging"
)

// describe returns the unit-length template of one aligned face. Adding the
// template of the mirror image would double the time for nothing that could be
// measured: on 469 probes mates lay 7.17 impostor deviations from impostors with it
// and 7.12 without, and the error rates did not differ within their intervals. At a
// door the next frame is worth more (Fuse).
func (e *Engine) describe(aligned *imaging.RGB) ([]float32, error) {
	mean, std := [3]float32{127.5, 127.5, 127.5}, [3]float32{128, 128, 128}
	in := imaging.Planar(e.planes(3*alignedSide*alignedSide), relight(aligned), imaging.OrderBGR, mean, std)
	out, err := run(e.template, in, 1, 3, alignedSide, alignedSide)
	if err != nil {
		return nil, err
	}
	t := out[0].Data
	Normalize(t)
	return t, nil
}

// Normalize scales a template to unit length in place; a zero vector stays zero.
func Normalize(t []float32) {
	var sum float64
	for _, v := range t {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return
	}
	k := float32(1 / math.Sqrt(sum))
	for i := range t {
		t[i] *= k
	}
}

// Fuse returns the unit-length mean of the templates of one face in several frames,
// each weighted (for example by its sharpness); nil for none. It is closer to
// another photo of the same person than the single frames are on average. Weights
// may be nil: all alike.
func Fuse(templates [][]float32, weights []float32) []float32 {
	var sum []float32
	for i, t := range templates {
		w := float32(1)
		if i < len(weights) {
			w = weights[i]
		}
		if sum == nil {
			sum = make([]float32, len(t))
		}
		for j := range min(len(t), len(sum)) {
			sum[j] += w * t[j]
		}
	}
	Normalize(sum)
	return sum
}

// Similarity is the dot product of two unit templates, -1 to 1.
func Similarity(a, b []float32) float32 {
	var sum float32
	for i, v := range a[:min(len(a), len(b))] {
		sum += v * b[i]
	}
	return sum
}
