package gallery

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
)

// A rotation is a secret orthogonal matrix: it keeps every cosine within a gallery
// and leaves none between two galleries, so that templates of two sites, or of one
// site before and after a rekey, say nothing of each other (Ratha, Connell and Bolle
// 2001, "cancelable biometrics"). It is no encryption: whoever knows about as many
// templates before and after as they have numbers can solve for it. What keeps
// templates secret is that they are sealed.
//
// The matrix is made of rounds of random signs, a random permutation and a
// Walsh-Hadamard transform (structured orthogonal matrices: Yu et al. 2016,
// arXiv:1610.09072), which costs n·log n instead of n². Three rounds are
// indistinguishable from a random matrix in how they spread cosines. Where dims is
// no power of two, the transform is taken over the first and then over the last
// numbers, as many as the greatest power of two below.
type rotation struct {
	seed   [32]byte
	block  int // a power of two, at most dims
	rounds [rotationRounds]round
}

const rotationRounds = 3

type round struct {
	signs []float64 // 1 or -1
	from  []int32   // the permutation: place i takes what was at from[i]
}

// newRotation derives the matrix from its seed; nil for the zero seed, which turns
// nothing. The same seed and dims give the same matrix on every machine.
func newRotation(seed [32]byte, dims int) *rotation {
	if seed == ([32]byte{}) {
		return nil
	}
	r := &rotation{seed: seed, block: 1 << (bits.Len(uint(dims)) - 1)}
	source := rand.NewChaCha8(seed)
	for i := range r.rounds {
		signs, from := make([]float64, dims), make([]int32, dims)
		for k := range signs {
			signs[k], from[k] = 1-2*float64(source.Uint64()>>63), int32(k)
		}
		// Fisher and Yates, spelled out: what a library's shuffle does may change,
		// and then no stored template would fit any more.
		for k := dims - 1; k > 0; k-- {
			hi, _ := bits.Mul64(source.Uint64(), uint64(k+1))
			from[k], from[hi] = from[hi], from[k]
		}
		r.rounds[i] = round{signs, from}
	}
	return r
}

// turn applies the matrix to v; the same slice comes back for no rotation. The sums
// are made in float64, so that turning again and again loses nothing that shows.
func (r *rotation) turn(v []float32) []float32 {
	if r == nil {
		return v
	}
	w, t := widen(v), make([]float64, len(v))
	for _, round := range r.rounds {
		for i, from := range round.from {
			t[i] = w[from] * round.signs[i]
		}
		hadamard(t[:r.block])
		if r.block < len(t) {
			hadamard(t[len(t)-r.block:])
		}
		w, t = t, w
	}
	return narrow(w)
}

// turnBack applies the inverse.
func (r *rotation) turnBack(v []float32) []float32 {
	if r == nil {
		return v
	}
	w, t := widen(v), make([]float64, len(v))
	for i := len(r.rounds) - 1; i >= 0; i-- {
		if r.block < len(w) {
			hadamard(w[len(w)-r.block:])
		}
		hadamard(w[:r.block])
		for k, from := range r.rounds[i].from {
			t[from] = w[k] * r.rounds[i].signs[k]
		}
		w, t = t, w
	}
	return narrow(w)
}

// hadamard is the orthonormal Walsh-Hadamard transform of v in place, its own
// inverse; len(v) is a power of two.
func hadamard(v []float64) {
	for half := 1; half < len(v); half *= 2 {
		for at := 0; at < len(v); at += 2 * half {
			a, b := v[at:at+half], v[at+half:at+2*half]
			b = b[:len(a)]
			for i := range a {
				a[i], b[i] = a[i]+b[i], a[i]-b[i]
			}
		}
	}
	scale := 1 / math.Sqrt(float64(len(v)))
	for i := range v {
		v[i] *= scale
	}
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

func narrow(w []float64) []float32 {
	v := make([]float32, len(w))
	for i, x := range w {
		v[i] = float32(x)
	}
	return v
}

// rotationOf is newRotation with the last few kept: turning many templates from one
// seed to another needs two of them.
func (g *Gallery) rotationOf(seed [32]byte) *rotation {
	if seed == ([32]byte{}) {
		return nil
	}
	name := binary.BigEndian.Uint64(seed[:])
	if r, ok := g.rotations.Load(name); ok && r.(*rotation).seed == seed {
		return r.(*rotation)
	}
	r := newRotation(seed, g.dims)
	g.rotations.Store(name, r)
	return r
}
