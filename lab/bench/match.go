package bench

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"

	"gatehouse"
	"gatehouse/gallery"
)

// Match are the figures of the 1:N search.
type Match struct {
	N       int     `json:"n"`
	Dims    int     `json:"dims"`
	Threads int     `json:"threads"` // that one search uses
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	// Agreement is the share of queries whose best match (who, and how similar)
	// equals that of a search which compares every template in float32.
	Agreement float64 `json:"agreement"`
	Queries   int     `json:"queries"`
}

// The gallery's templates lie this far from a real face's, and the queries as far
// from an enrolled one (of lengths; two pictures of one person are about 0.6 alike).
const (
	galleryNoise = 0.9
	queryNoise   = 0.7
)

// benchSeed turns the galleries that are measured, as every site's are.
var benchSeed = [32]byte{1}

// RunMatch measures searches among n templates made of the portraits' real ones.
func RunMatch(ctx context.Context, eyes gatehouse.Eyes, n, queries int) (Match, error) {
	if n < 1 || queries < 1 {
		return Match{}, gatehouse.Errorf("bench.size", "ask for 1 or more", "there is nothing to measure")
	}
	known, err := portraits(ctx, eyes, 148)
	if err != nil {
		return Match{}, err
	}
	var real [][]float32
	for _, p := range known {
		real = append(real, p.template)
	}
	return match(ctx, real, n, queries)
}

func match(ctx context.Context, real [][]float32, n, queries int) (Match, error) {
	r := rand.New(rand.NewPCG(1, 2))
	dims, place := len(real[0]), gatehouse.Place{Org: "bench", Site: "bench"}
	g := gallery.New(dims)
	g.Rotate(place, benchSeed)
	for _, t := range crowd(r, real, n, galleryNoise) {
		if err := g.Add(place, gatehouse.RandomID(), gatehouse.RandomID(), g.Turn(t, [32]byte{}, benchSeed)); err != nil {
			return Match{}, err
		}
	}
	runtime.GC() // the making of the gallery is not what is measured
	res := Match{N: n, Dims: dims, Threads: 1, Queries: queries}
	var ms []float64
	agree := 0
	for range queries {
		if err := ctx.Err(); err != nil {
			return Match{}, err
		}
		q := noisy(r, real[r.IntN(len(real))], queryNoise)
		began := time.Now()
		fast, _ := g.Nearest(place, q)
		ms = append(ms, float64(time.Since(began).Nanoseconds())/1e6)
		if exact, _ := g.NearestExact(place, q); exact == fast {
			agree++
		}
	}
	res.P50, res.P99 = percentile(ms, 0.50), percentile(ms, 0.99)
	res.Agreement = float64(agree) / float64(queries)
	return res, nil
}
