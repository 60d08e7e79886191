package gallery

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"gatehouse"

	"pgregory.net/rapid"
)

var here = gatehouse.Place{Org: "acme", Site: "hq"}

func id(n int) (i gatehouse.ID) {
	i[0], i[1], i[2], i[15] = byte(n), byte(n>>8), byte(n>>16), 1
	return i
}

func random(r *rand.Rand, dims int) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	u, _ := unit(v)
	return u
}

// noisy moves v by noise of the given length, as another photo of one face does.
func noisy(r *rand.Rand, v []float32, noise float64) []float32 {
	n := random(r, len(v))
	out := make([]float32, len(v))
	for i := range v {
		out[i] = v[i] + float32(noise)*n[i]
	}
	return out
}

// naive is an exact search written as plainly as it can be.
func naive(subjects []gatehouse.SubjectID, vectors [][]float32, x []float32) gatehouse.Match {
	x, _ = unit(x)
	m := gatehouse.Match{Similarity: -2, Second: -1}
	for i, v := range vectors {
		u, _ := unit(v)
		if s := dot(x, u); s > m.Similarity {
			m.Subject, m.Similarity = subjects[i], s
		}
	}
	for i, v := range vectors {
		u, _ := unit(v)
		if s := dot(x, u); subjects[i] != m.Subject && s > m.Second {
			m.Second = s
		}
	}
	return m
}

// TestNearestIsExact is the promise of the package: the answer, its similarity and
// the runner-up are those of a plain exact search, whatever the vectors.
func TestNearestIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := rapid.SampledFrom([]int{1, 2, 31, 32, 33, 100, 128, 512}).Draw(t, "dims")
		n := rapid.IntRange(1, 120).Draw(t, "rows")
		people := rapid.IntRange(1, n).Draw(t, "people")
		kind := rapid.SampledFrom([]string{"random", "near", "equal", "spiky", "signs"}).Draw(t, "kind")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		base := random(r, dims)
		draw := func() []float32 {
			switch kind {
			case "near": // all within the codes' rounding of each other
				return noisy(r, base, 1e-3)
			case "equal":
				if r.IntN(2) == 0 {
					return base
				}
				return noisy(r, base, 1e-7)
			case "spiky": // one number takes the whole scale, the rest rounds to nothing
				v := noisy(r, base, 0.1)
				v[r.IntN(dims)] = float32(1000 * (r.IntN(2)*2 - 1))
				return v
			case "signs":
				v := make([]float32, dims)
				for i := range v {
					v[i] = float32(r.IntN(2)*2 - 1)
				}
				return v
			}
			return random(r, dims)
		}
		g := New(dims)
		var subjects []gatehouse.SubjectID
		var vectors [][]float32
		for i := range n {
			v, s := draw(), id(r.IntN(people))
			subjects, vectors = append(subjects, s), append(vectors, v)
			if err := g.Add(here, s, id(i), v); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			x := draw()
			want := naive(subjects, vectors, x)
			got, ok := g.Nearest(here, x)
			exact, _ := g.NearestExact(here, x)
			if !ok || got != want || exact != want {
				t.Fatalf("%s: Nearest %+v, NearestExact %+v, want %+v", kind, got, exact, want)
			}
		}
	})
}

func TestAgreementOverChunks(t *testing.T) {
	const n, dims = 3*perChunk + 17, 128
	r := rand.New(rand.NewPCG(3, 3))
	g := New(dims)
	var vectors [][]float32
	for i := range n {
		v := random(r, dims)
		vectors = append(vectors, v)
		if err := g.Add(here, id(i/2), id(i), v); err != nil {
			t.Fatal(err)
		}
	}
	if g.Size(here) != n {
		t.Fatalf("size %d, want %d", g.Size(here), n)
	}
	for k := range 200 {
		x := noisy(r, vectors[r.IntN(n)], 1.2)
		got, _ := g.Nearest(here, x)
		want, _ := g.NearestExact(here, x)
		if got != want {
			t.Fatalf("query %d: %+v, want %+v", k, got, want)
		}
	}
}

func TestSeveralTemplatesReplaceRemove(t *testing.T) {
	g := New(4)
	other := gatehouse.Place{Org: "acme", Site: "depot"}
	add := func(p gatehouse.Place, subject, row int, v ...float32) {
		t.Helper()
		if err := g.Add(p, id(subject), id(row), v); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := g.Nearest(here, []float32{1, 0, 0, 0}); ok {
		t.Fatal("an empty gallery gave a match")
	}
	add(here, 1, 10, 2, 0, 0, 0) // lengths do not count
	add(here, 1, 11, 0, 1, 0, 0)
	m, ok := g.Nearest(here, []float32{0.9, 0.1, 0, 0})
	if !ok || m.Subject != id(1) || m.Second != -1 {
		t.Fatalf("a second template of the same subject must not be Second: %+v", m)
	}
	add(here, 2, 20, 0, 0, 1, 0)
	m, _ = g.Nearest(here, []float32{0, 0.8, 0.6, 0})
	if m.Subject != id(1) || math.Abs(float64(m.Similarity)-0.8) > 1e-6 || math.Abs(float64(m.Second)-0.6) > 1e-6 {
		t.Fatalf("got %+v, want subject 1 at 0.8 before 0.6", m)
	}
	if s := g.Similarities(here, []float32{0, 1, 0, 0}, id(1)); len(s) != 2 || s[0] != 1 || s[1] != 0 {
		t.Fatalf("similarities %v, want [1 0]", s)
	}
	if _, ok := g.Nearest(other, []float32{1, 0, 0, 0}); ok || g.Size(other) != 0 || g.Similarities(other, []float32{1, 0, 0, 0}, id(1)) != nil {
		t.Fatal("one site's templates are seen from another")
	}
	add(here, 2, 11, 0, 0, 0, 1) // row 11 changes hands
	if g.Size(here) != 3 || len(g.Similarities(here, []float32{0, 1, 0, 0}, id(1))) != 1 {
		t.Fatal("a row that was there already was not replaced")
	}
	if n := g.Remove(here, id(1)); n != 1 || g.Size(here) != 2 {
		t.Fatalf("removed %d, %d left; want 1 and 2", n, g.Size(here))
	}
	if m, _ := g.Nearest(here, []float32{1, 0, 0, 0.1}); m.Subject != id(2) {
		t.Fatalf("a removed subject was found: %+v", m)
	}
	if g.Remove(here, id(1)) != 0 || g.Remove(other, id(1)) != 0 {
		t.Fatal("removed what was not there")
	}
}

// TestRemoveKeepsTheOthers removes over chunk borders and compares with a gallery
// that never held the removed.
func TestRemoveKeepsTheOthers(t *testing.T) {
	const n, dims = 2*perChunk + 5, 32
	r := rand.New(rand.NewPCG(5, 5))
	g, want := New(dims), New(dims)
	for i := range n {
		v, subject := random(r, dims), i%7
		_ = g.Add(here, id(subject), id(i), v)
		if subject != 3 && subject != 6 {
			_ = want.Add(here, id(subject), id(i), v)
		}
	}
	g.Remove(here, id(3))
	g.Remove(here, id(6))
	if g.Size(here) != want.Size(here) {
		t.Fatalf("size %d, want %d", g.Size(here), want.Size(here))
	}
	for range 100 {
		x := random(r, dims)
		a, _ := g.Nearest(here, x)
		b, _ := want.NearestExact(here, x)
		if a != b {
			t.Fatalf("after removing: %+v, want %+v", a, b)
		}
	}
	// What was removed is gone from memory, too.
	s := g.sites[here]
	last := s.chunks[len(s.chunks)-1]
	for i := s.n % perChunk * dims; i < len(last.vectors); i++ {
		if last.vectors[i] != 0 {
			t.Fatal("a removed template is still in memory")
		}
	}
	for i := range 7 {
		g.Remove(here, id(i))
	}
	if _, ok := g.Nearest(here, random(r, dims)); ok || g.Size(here) != 0 || len(s.chunks) != 0 {
		t.Fatal("an emptied gallery is not empty")
	}
}

func TestMalformedTemplates(t *testing.T) {
	g := New(3)
	if err := g.Add(here, id(1), id(1), []float32{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, v := range map[string][]float32{
		"nil": nil, "short": {1, 2}, "long": {1, 2, 3, 4}, "zero": {0, 0, 0}, "nan": {1, nan, 0}, "inf": {inf, 0, 0}, "tiny": {1e-20, 0, 0},
	} {
		if err := g.Add(here, id(2), id(2), v); !errors.Is(err, &gatehouse.Error{Code: "template.malformed"}) {
			t.Errorf("%s: Add gave %v", name, err)
		}
		if m, ok := g.Nearest(here, v); ok {
			t.Errorf("%s: matched %+v", name, m)
		}
		if g.Similarities(here, v, id(1)) != nil {
			t.Errorf("%s: has similarities", name)
		}
	}
	if g.Size(here) != 1 {
		t.Error("a malformed template was added")
	}
}

// TestSearchWhileAdding is for the race detector, and for a search that sees a
// half-added row.
func TestSearchWhileAdding(t *testing.T) {
	const dims = 64
	g := New(dims)
	r := rand.New(rand.NewPCG(7, 7))
	known := random(r, dims)
	_ = g.Add(here, id(1), id(1), known)
	var wg sync.WaitGroup
	wg.Go(func() {
		r := rand.New(rand.NewPCG(8, 8))
		for i := range 2 * perChunk {
			_ = g.Add(here, id(2+i), id(2+i), random(r, dims))
			if i%100 == 99 {
				g.Remove(here, id(2+i))
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for range 300 {
				if m, ok := g.Nearest(here, known); !ok || m.Subject != id(1) || m.Similarity < 0.999 {
					t.Errorf("lost a subject while others were added: %+v %v", m, ok)
					return
				}
			}
		})
	}
	wg.Wait()
}

func benchmarkNearest(b *testing.B, search func(*Gallery, gatehouse.Place, []float32) (gatehouse.Match, bool), noise float64) {
	const n, dims = 100_000, 512
	r := rand.New(rand.NewPCG(1, 1))
	g := New(dims)
	for i := range n {
		_ = g.Add(here, id(i), id(i), random(r, dims))
	}
	s := g.sites[here]
	queries := make([][]float32, 64)
	for i := range queries {
		c, k := s.at(r.IntN(n))
		queries[i] = noisy(r, c.vector(k, dims), noise)
	}
	i := 0
	for b.Loop() {
		search(g, here, queries[i%len(queries)])
		i++
	}
}

func BenchmarkNearest100k(b *testing.B)         { benchmarkNearest(b, (*Gallery).Nearest, 1) }
func BenchmarkNearest100kStranger(b *testing.B) { benchmarkNearest(b, (*Gallery).Nearest, 100) }
func BenchmarkNearestExact100k(b *testing.B)    { benchmarkNearest(b, (*Gallery).NearestExact, 1) }
