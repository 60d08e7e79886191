package track

import (
	"cmp"
	"math"
	"slices"

	"gatehouse"
)

func hypot(x, y float64) float64 { return math.Hypot(x, y) }

func centre(b gatehouse.Box) (x, y float64) {
	return float64(b.X) + float64(b.W)/2, float64(b.Y) + float64(b.H)/2
}

// shared is the area that two boxes have in common, in pixels.
func shared(a, b gatehouse.Box) float64 {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return float64(w) * float64(h)
}

func area(b gatehouse.Box) float64 { return float64(b.W) * float64(b.H) }

// iou is the area that two boxes share over the area that they cover, 0..1.
func iou(a, b gatehouse.Box) float64 {
	s := shared(a, b)
	if s == 0 {
		return 0
	}
	return s / (area(a) + area(b) - s)
}

// covered is the area that two boxes share over that of the smaller, 0..1.
func covered(a, b gatehouse.Box) float64 {
	s := shared(a, b)
	if s == 0 {
		return 0
	}
	return s / min(area(a), area(b))
}

// sizes is the smaller over the larger mean side of two boxes, 0..1.
func sizes(a, b gatehouse.Box) float64 {
	x, y := float64(a.W+a.H), float64(b.W+b.H)
	if x <= 0 || y <= 0 {
		return 0
	}
	return min(x, y) / max(x, y)
}

// pair is one way to carry on a track: with observation seen, worth score.
type pair struct {
	track, seen int
	score       float64
}

// assign picks the best pairs, each track and each observation at most once.
// Greedy is as good as optimal here: two faces are hardly ever within reach of
// the same two tracks with nearly equal scores.
func assign(pairs []pair) []pair {
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(-cmp.Compare(a.score, b.score), cmp.Compare(a.track, b.track), cmp.Compare(a.seen, b.seen))
	})
	tracks, seen := map[int]bool{}, map[int]bool{}
	var out []pair
	for _, p := range pairs {
		if !tracks[p.track] && !seen[p.seen] {
			tracks[p.track], seen[p.seen] = true, true
			out = append(out, p)
		}
	}
	return out
}

// cosine is the similarity of two unit vectors, -1..1; ok is false where either
// is missing or they are of different models.
func cosine(a, b []float32) (sim float32, ok bool) {
	if len(a) == 0 || len(a) != len(b) {
		return 0, false
	}
	for i := range a {
		sim += a[i] * b[i]
	}
	return sim, true
}

// median of the scores; 0 for none.
func median(scores []float32) float32 {
	if len(scores) == 0 {
		return 0
	}
	s := slices.Clone(scores)
	slices.Sort(s)
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
