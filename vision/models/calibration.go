package models

import "math"

// Calibration describes the upper tail of a template model's impostor
// similarities, so that a threshold follows from how many false accepts a site
// bears and how many people it compares with. Above Tail, the similarities of two
// different people follow a generalized Pareto distribution (Pickands 1975): the
// share Rate of all pairs lies above Tail, and P(s > Tail+x | s > Tail) =
// (1 + Shape·x/Scale)^(-1/Shape).
type Calibration struct {
	Tail, Rate   float64 // where the tail starts (dot product of unit templates), and the share of pairs above it
	Scale, Shape float64 // of the generalized Pareto distribution; Shape ≤ 0: a tail that ends or decays exponentially
	Pairs        int     // impostor pairs that the figures come from
	// The set that gave them, and what was seen on it at Threshold(Gallery): the share
	// of Strangers taken for somebody, and of Probes not taken for themselves. All
	// zero where only impostor pairs are known.
	Gallery, Strangers, Probes int
	FPIR, FNIR                 float64
	// Budget is the false positive identification rate that a door bears: the share
	// of strangers who are taken for anybody in the whole gallery.
	Budget float64
	// Low bounds the threshold from below: for the smallest galleries a threshold
	// that only counts chance would accept relatives and look-alikes, of whom the
	// pairs of unrelated people hold none.
	Low float64
}

// FalseMatchRate returns the modelled share of impostor pairs above a similarity t;
// Rate for any t below the tail's start.
func (c Calibration) FalseMatchRate(t float64) float64 {
	x := max(t-c.Tail, 0)
	if math.Abs(c.Shape) < 1e-9 {
		return c.Rate * math.Exp(-x/c.Scale)
	}
	base := 1 + c.Shape*x/c.Scale
	if base <= 0 {
		return 0
	}
	return c.Rate * math.Pow(base, -1/c.Shape)
}

// Threshold returns the similarity (dot product of unit templates) from which on
// a face counts as the best match of a gallery of n people: a stranger exceeds it
// with probability Budget, by 1-(1-FMR)^n = Budget. It grows with n.
func (c Calibration) Threshold(n int) float32 {
	fmr := -math.Expm1(math.Log1p(-c.Budget) / float64(max(n, 1)))
	ratio := min(fmr/c.Rate, 1)
	var x float64
	if math.Abs(c.Shape) < 1e-9 {
		x = -c.Scale * math.Log(ratio)
	} else {
		x = c.Scale / c.Shape * (math.Pow(ratio, -c.Shape) - 1)
	}
	return float32(min(max(c.Tail+x, c.Low), 1))
}

// Threshold is the registry's threshold for the template model and a gallery of n
// people (see Calibration.Threshold).
func Threshold(n int) float32 { return FaceCalibration.Threshold(n) }
