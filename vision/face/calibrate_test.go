package face

import (
	"math"
	"math/rand/v2"
	"testing"

	"gatehouse"
)

func TestCalibrateKeepsItsBudgetOnFreshScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sample := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(rng.NormFloat64() * 0.09)
		}
		return out
	}
	c, err := Calibrate(sample(200_000), 0.01)
	if err != nil {
		t.Fatal(err)
	}
	const gallery, strangers = 200, 5000
	th := c.Threshold(gallery)
	accepted := 0
	for range strangers {
		for _, s := range sample(gallery) {
			if s >= th {
				accepted++
				break
			}
		}
	}
	if fpir := float64(accepted) / strangers; fpir < 0.004 || fpir > 0.02 {
		t.Errorf("FPIR %.4f at threshold %.3f, budget 0.01", fpir, th)
	}
}

func TestCalibrateRefusesWhatItCannotFit(t *testing.T) {
	if _, err := Calibrate(make([]float32, 1000), 0.01); gatehouse.ErrorCode(err) != "calibrate.too_few" {
		t.Errorf("1,000 pairs: %v", err)
	}
	if _, err := Calibrate(make([]float32, 100_000), 0.01); gatehouse.ErrorCode(err) != "calibrate.degenerate" {
		t.Errorf("all the same: %v", err)
	}
	scores := make([]float32, 100_000)
	for i := range scores {
		scores[i] = float32(math.NaN())
	}
	if _, err := Calibrate(scores, 0.01); err == nil {
		t.Error("NaN scores are accepted")
	}
}
