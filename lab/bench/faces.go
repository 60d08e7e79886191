// Package bench measures speed: of the 1:N match alone, and of the whole path from
// a decoded face capture to the committed decision.
package bench

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"gatehouse"
	"gatehouse/vision/face"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

// portrait is one of the demo's portraits, described.
type portrait struct {
	picture  *imaging.RGB
	template []float32
}

// portraits describes up to limit of the portraits among the assets. Errors:
// bench.portraits where there are none, and those of the eyes.
func portraits(ctx context.Context, eyes gatehouse.Eyes, limit int) ([]portrait, error) {
	files, err := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	if err != nil || len(files) == 0 {
		return nil, gatehouse.Errorf("bench.portraits", "run `make assets`", "there are no portraits to measure with")
	}
	slices.Sort(files)
	var all []portrait
	for _, f := range files {
		if len(all) == limit {
			break
		}
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, gatehouse.Errorf("bench.portraits", "run `make assets`", "a portrait cannot be read: %w", err)
		}
		obs, err := eyes.See(ctx, gatehouse.Image{Format: gatehouse.JPEG, Bytes: data}, gatehouse.Look{Faces: true, Templates: true})
		if err != nil {
			return nil, err
		}
		i := face.Main(obs.Faces, obs.Width, obs.Height)
		if i < 0 || obs.Faces[i].Template == nil {
			continue
		}
		m, err := imaging.Decode(data, imaging.DefaultLimits)
		if err != nil {
			return nil, err
		}
		all = append(all, portrait{m, obs.Faces[i].Template})
	}
	if len(all) == 0 {
		return nil, gatehouse.Errorf("bench.portraits", "run `make assets`", "no face is seen in any portrait")
	}
	return all, nil
}

// crowd makes n templates out of real ones: each is a real template with noise of
// the given length (1 is as long as the template itself), scaled to unit length.
// Many lie close together then, which is harder for a search than random vectors.
func crowd(r *rand.Rand, real [][]float32, n int, noise float64) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = noisy(r, real[i%len(real)], noise)
	}
	return out
}

func noisy(r *rand.Rand, template []float32, noise float64) []float32 {
	out := make([]float32, len(template))
	each := noise / math.Sqrt(float64(len(template)))
	var sum float64
	for i, v := range template {
		x := float64(v) + each*r.NormFloat64()
		out[i] = float32(x)
		sum += x * x
	}
	k := float32(1 / math.Sqrt(sum))
	for i := range out {
		out[i] *= k
	}
	return out
}

// percentile is the nearest-rank percentile (0..1) of times in milliseconds,
// rounded to a thousandth.
func percentile(ms []float64, p float64) float64 {
	s := slices.Clone(ms)
	slices.Sort(s)
	at := int(math.Ceil(p*float64(len(s)))) - 1
	return math.Round(s[min(max(at, 0), len(s)-1)]*1000) / 1000
}
