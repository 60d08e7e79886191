package gallery

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"gatehouse"
)

func seedOf(n byte) (seed [32]byte) { seed[0] = n; return seed }

// Turning keeps lengths and angles, and turning back undoes it, in every dimension.
func TestRotationIsOrthogonal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, dims := range []int{1, 2, 3, 31, 100, 128, 512} {
		m := newRotation(seedOf(1), dims)
		for range 20 {
			a, b := random(r, dims), random(r, dims)
			x, y := m.turn(a), m.turn(b)
			if math.Abs(float64(dot(a, b)-dot(x, y))) > 1e-6 || math.Abs(float64(dot(x, x)-1)) > 1e-6 {
				t.Fatalf("%d dims: a cosine of %v became %v", dims, dot(a, b), dot(x, y))
			}
			for i, v := range m.turnBack(x) {
				if math.Abs(float64(v-a[i])) > 1e-6 {
					t.Fatalf("%d dims: turned back, %v is %v", dims, a[i], v)
				}
			}
		}
	}
}

// The stored templates of one person in two galleries, or before and after a rekey, are
// no more alike than those of two people: of 512 numbers, cosines of N(0, 1/512).
func TestTemplatesOfTwoGalleriesDoNotCompare(t *testing.T) {
	const dims, n = 512, 400
	r := rand.New(rand.NewPCG(2, 9))
	g := New(dims)
	var sum, sumSq, worst float64
	for range n {
		v := random(r, dims)
		c := float64(dot(g.Turn(v, [32]byte{}, seedOf(1)), g.Turn(v, [32]byte{}, seedOf(2))))
		sum, sumSq, worst = sum+c, sumSq+c*c, max(worst, math.Abs(c))
	}
	mean, dev := sum/n, math.Sqrt(sumSq/n)
	if math.Abs(mean) > 0.01 || dev > 0.06 || dev < 0.03 || worst > 0.25 {
		t.Errorf("cosines between galleries: mean %.3f, deviation %.3f (random is %.3f), worst %.3f", mean, dev, 1/math.Sqrt(dims), worst)
	}
	// Nor do sparse vectors keep their shape, which one round would leave them.
	v := make([]float32, dims)
	v[3] = 1
	var peak float32
	for _, x := range newRotation(seedOf(3), dims).turn(v) {
		peak = max(peak, x, -x)
	}
	if peak > 0.3 {
		t.Errorf("a single number was spread to %.2f at most: it can be told", peak)
	}
}

// A rekey changes no answer, however often, and searches go on meanwhile.
func TestRotateKeepsEveryAnswer(t *testing.T) {
	const dims, n = 128, perChunk + 100
	r := rand.New(rand.NewPCG(3, 9))
	g, plain := New(dims), New(dims)
	g.Rotate(here, seedOf(1))
	var vectors [][]float32
	for i := range n {
		v := random(r, dims)
		vectors = append(vectors, v)
		for gallery, stored := range map[*Gallery][]float32{g: g.Turn(v, [32]byte{}, seedOf(1)), plain: v} {
			if err := gallery.Add(here, id(i/2), id(i), stored); err != nil {
				t.Fatal(err)
			}
		}
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(4, 9))
			for range 300 {
				x := noisy(r, vectors[r.IntN(n)], 1)
				got, ok := g.Nearest(here, x)
				want, _ := plain.Nearest(here, x)
				if !ok || got.Subject != want.Subject || math.Abs(float64(got.Similarity-want.Similarity)) > 2e-6 || math.Abs(float64(got.Second-want.Second)) > 2e-6 {
					t.Errorf("turned %+v %v, plain %+v", got, ok, want)
					return
				}
			}
		})
	}
	for k := range 6 {
		g.Rotate(here, seedOf(byte(2+k)))
	}
	wg.Wait()
	g.Remove(here, id(3))
	plain.Remove(here, id(3))
	if g.Size(here) != plain.Size(here) {
		t.Errorf("%d templates, want %d", g.Size(here), plain.Size(here))
	}
	if got, exact := mustNearest(g, vectors[99]), mustExact(g, vectors[99]); got != exact {
		t.Errorf("Nearest %+v, NearestExact %+v", got, exact)
	}
	if s := g.Similarities(here, vectors[99], id(49)); len(s) != 2 || s[0] < 0.99999 {
		t.Errorf("similarities %v", s)
	}
}

func mustNearest(g *Gallery, x []float32) gatehouse.Match { m, _ := g.Nearest(here, x); return m }
func mustExact(g *Gallery, x []float32) gatehouse.Match   { m, _ := g.NearestExact(here, x); return m }

func TestRotateOverwritesTheOldTemplates(t *testing.T) {
	g := New(32)
	r := rand.New(rand.NewPCG(5, 9))
	_ = g.Add(here, id(1), id(1), random(r, 32))
	old := g.sites[here]
	vectors := old.chunks[0].vectors
	g.Rotate(here, seedOf(1))
	for _, v := range vectors {
		if v != 0 {
			t.Fatal("a template under the old rotation is still in memory")
		}
	}
}

func BenchmarkTurn512(b *testing.B) {
	m, v := newRotation(seedOf(1), 512), random(rand.New(rand.NewPCG(6, 9)), 512)
	for b.Loop() {
		m.turn(v)
	}
}
