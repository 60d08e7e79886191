package face

import (
	"math"
	"slices"

	"gatehouse"
	"gatehouse/vision/models"
)

const (
	// tailShare of the impostor pairs are taken for the tail: enough to fit, few
	// enough that the Pareto law holds.
	tailShare = 0.002
	// minTail is the fewest similarities that a tail is fitted to.
	minTail = 100
	// A negative shape would say that the tail ends where the sample does; beyond the
	// sample, look-alikes exist.
	minShape, maxShape = 0, 0.3
)

// Calibrate fits models.Calibration to the similarities of pairs of different
// people, by probability-weighted moments (Hosking and Wallis 1987). The pairs
// should be what a door meets: one face against each of a gallery, strangers and
// enrolled people alike; scores in any order. budget is the share of strangers
// that a door may take for somebody. Fewer than 50,000 pairs are an error
// (calibrate.too_few), and scores that do not vary (calibrate.degenerate).
func Calibrate(impostorScores []float32, budget float64) (models.Calibration, error) {
	n := len(impostorScores)
	k := int(float64(n) * tailShare)
	if k < minTail {
		return models.Calibration{}, gatehouse.Errorf("calibrate.too_few", "use more people: 250 strangers against 200 enrolled people are enough",
			"%d impostor pairs are too few to fit a tail; %d are needed", n, int(minTail/tailShare))
	}
	sorted := slices.Clone(impostorScores)
	slices.Sort(sorted)
	tail := float64(sorted[n-k-1])
	var a0, a1 float64
	for i, s := range sorted[n-k:] {
		x := float64(s) - tail
		p := (float64(i) + 0.65) / float64(k)
		a0 += x / float64(k)
		a1 += (1 - p) * x / float64(k)
	}
	shape := 0.0
	if d := a0 - 2*a1; d > 0 {
		shape = min(max(2-a0/d, minShape), maxShape)
	}
	scale := a0 * (1 - shape) // so that the mean excess stays what was seen
	if !(scale > 0) || math.IsInf(scale, 0) {
		return models.Calibration{}, gatehouse.Errorf("calibrate.degenerate", "check that the templates are unit length and of different people",
			"the impostor similarities do not vary")
	}
	return models.Calibration{
		Tail: tail, Rate: float64(k) / float64(n), Scale: scale, Shape: shape,
		Pairs: n, Budget: budget, Low: models.FaceCalibration.Low,
	}, nil
}
