package eval

import (
	"math"
	"slices"
)

// wilson is Wilson's score interval of k in n at 95 % (Wilson 1927): unlike the
// normal approximation it holds for shares near 0 and small n. [0, 1] for n = 0.
func wilson(k, n int) Interval {
	if n == 0 {
		return Interval{0, 1}
	}
	const z = 1.959964 // the normal distribution's 97.5 % quantile
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Interval{round4(max(0, centre-half)), round4(min(1, centre+half))}
}

// share is k of n, rounded to four digits; 0 for n = 0.
func share(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return round4(float64(k) / float64(n))
}

func round4(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// percentile is the nearest-rank percentile (0..1) of the values, rounded to a
// hundredth; 0 for none.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Clone(values)
	slices.Sort(s)
	at := int(math.Ceil(p*float64(len(s)))) - 1
	return math.Round(s[min(max(at, 0), len(s)-1)]*100) / 100
}

// thresholdAt returns the least similarity t such that at most the share rate of
// the strangers' best similarities is t or above.
func thresholdAt(strangers []float32, rate float64) float32 {
	s := slices.Clone(strangers)
	slices.Sort(s)
	slices.Reverse(s)
	allowed := int(math.Floor(rate*float64(len(s)) + 1e-9))
	if allowed >= len(s) {
		return -1
	}
	return math.Nextafter32(s[allowed], 2)
}
