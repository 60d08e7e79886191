package simulate

import "math/rand/v2"

// rightQuantiles are how sure the reader is of a character that it read right, of 2,280
// characters of single pictures (docs/measurements.md, Parking): share, confidence.
var rightQuantiles = [][2]float64{{0, 0.70}, {0.001, 0.75}, {0.005, 0.845}, {0.01, 0.894}, {0.02, 0.941}, {0.05, 0.968}, {0.10, 0.973}, {0.25, 0.985}, {0.50, 0.9935}, {1, 1}}

func rightConfidence(rng *rand.Rand) float64 {
	x := rng.Float64()
	for i := 1; i < len(rightQuantiles); i++ {
		a, b := rightQuantiles[i-1], rightQuantiles[i]
		if x <= b[0] {
			return a[1] + (b[1]-a[1])*(x-a[0])/(b[0]-a[0])
		}
	}
	return 1
}

// wrongConfidence is that of a wrong character, where it shows: 0.72 to 0.99 in the same
// pictures.
func wrongConfidence(rng *rand.Rand) float64 { return 0.70 + 0.29*rng.Float64() }
