package plate

import (
	"math"
	"slices"
)

const (
	beamWidth  = 32
	beamFloor  = 2e-4 // a symbol less probable than this at a step is not tried
	scoreFloor = 1e-4 // probability granted to every symbol at every step when a text is scored
)

// emission is the recognizer's answer for one crop, mapped to the symbols of
// plates: at each step along the line, the probability of each symbol and of no
// symbol (CTC's blank, and whatever counts as a separator).
type emission struct {
	blank []float32
	sym   []float32 // steps × len(symbolRunes)
	raw   string    // the recognizer's own most probable text
	sure  float64   // mean probability of the raw text's characters, 0..1
}

func (e *emission) steps() int { return len(e.blank) }

func (e *emission) at(t int) []float32 {
	n := len(symbolRunes)
	return e.sym[t*n : (t+1)*n]
}

// then joins two lines of text into one, the upper before the lower.
func (e *emission) then(f *emission) *emission {
	gap := make([]float32, len(symbolRunes))
	return &emission{
		blank: slices.Concat(e.blank, []float32{1}, f.blank),
		sym:   slices.Concat(e.sym, gap, f.sym),
		raw:   e.raw + f.raw,
		sure:  min(e.sure, f.sure),
	}
}

// prefix is the beginning of a text in the beam search, with the probability of
// all paths so far that spell it: those that end in a blank and those that do not.
type prefix struct {
	text     [maxText]int16
	n        int
	alive    mask
	pb, pnb  float64
	npb, npn float64
}

func (p *prefix) last() int16 {
	if p.n == 0 {
		return -1
	}
	return p.text[p.n-1]
}

// hypothesis is a text that the syntax accepts.
type hypothesis struct {
	text    []int16
	pattern int
	score   float64 // logarithm of probability and weight
}

// search returns up to n texts that the syntax accepts, best first: a prefix beam
// search (Graves and Jaitly, 2014; Hannun et al., 2014) in which a prefix grows
// only by symbols that at least one pattern allows in that place.
func (e *emission) search(s *syntax, n int) []hypothesis {
	beam := []*prefix{{alive: s.all, pb: 1}}
	type key struct {
		text [maxText]int16
		n    int
	}
	logScale := 0.0
	var tried []int16
	for t := range e.steps() {
		row, blank := e.at(t), float64(e.blank[t])
		tried = tried[:0]
		for c, p := range row {
			if p > beamFloor {
				tried = append(tried, int16(c))
			}
		}
		next := make(map[key]*prefix, 4*len(beam))
		var order []*prefix
		get := func(text [maxText]int16, n int, alive mask) *prefix {
			k := key{text, n}
			p := next[k]
			if p == nil {
				p = &prefix{text: text, n: n, alive: alive}
				next[k] = p
				order = append(order, p)
			}
			return p
		}
		for _, p := range beam {
			stay := get(p.text, p.n, p.alive)
			stay.npb += (p.pb + p.pnb) * max(blank, beamFloor)
			if p.n > 0 {
				stay.npn += p.pnb * float64(max(row[p.last()], scoreFloor))
			}
			if p.n == maxText {
				continue
			}
			for _, c := range tried {
				alive := p.alive.and(s.allow[p.n][c])
				if alive.empty() {
					continue
				}
				from := p.pb + p.pnb
				if c == p.last() {
					from = p.pb
				}
				if from == 0 {
					continue
				}
				text := p.text
				text[p.n] = c
				g := get(text, p.n+1, alive)
				g.npn += from * float64(row[c])
			}
		}
		top := 0.0
		for _, p := range order {
			p.pb, p.pnb, p.npb, p.npn = p.npb, p.npn, 0, 0
			top = max(top, p.pb+p.pnb)
		}
		if top == 0 {
			return nil
		}
		slices.SortStableFunc(order, func(a, b *prefix) int { return descending(a.pb+a.pnb, b.pb+b.pnb) })
		beam = order[:min(beamWidth, len(order))]
		for _, p := range beam {
			p.pb /= top
			p.pnb /= top
		}
		logScale += math.Log(top)
	}
	var out []hypothesis
	for _, p := range beam {
		if p.pb+p.pnb <= 0 {
			continue
		}
		if pat, w := s.best(p.text[:p.n]); pat >= 0 && !math.IsInf(w, -1) {
			out = append(out, hypothesis{slices.Clone(p.text[:p.n]), pat, math.Log(p.pb+p.pnb) + logScale + w})
		}
	}
	slices.SortStableFunc(out, func(a, b hypothesis) int { return descending(a.score, b.score) })
	return out[:min(n, len(out))]
}

func descending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// twin is the symbol that most plate fonts draw alike, or the symbol itself.
var twin = func() []int16 {
	t := make([]int16, len(symbolRunes))
	for i, r := range symbolRunes {
		t[i] = int16(i)
		if o, ok := map[rune]rune{'0': 'O', 'O': '0', '1': 'I', 'I': '1'}[r]; ok {
			t[i] = int16(symbolIndex[o])
		}
	}
	return t
}()

// alike reports whether two texts differ at most in characters that fonts draw
// alike.
func alike(a, b []int16) bool {
	return slices.EqualFunc(a, b, func(x, y int16) bool { return x == y || twin[x] == y })
}

// score returns the logarithm of the probability that the line says the text: the
// sum over all alignments (the forward variable of Graves et al., 2006). With
// twins, characters that fonts draw alike count as the same: how well the picture
// fits the text, whatever else it fits as well.
func (e *emission) score(text []int16, twins bool) float64 {
	const states = 2*maxText + 1
	var alpha, next [states]float64
	n := 2*len(text) + 1
	alpha[0] = 1
	first := true
	total := 0.0
	for t := range e.steps() {
		row := e.at(t)
		top := 0.0
		for s := range n {
			p := float64(max(e.blank[t], scoreFloor))
			if s%2 == 1 {
				c := text[s/2]
				p = float64(max(row[c], scoreFloor))
				if twins {
					p = max(p, float64(row[twin[c]]))
					if symbolRunes[c] == junk {
						p = min(1, p/junkShare)
					}
				}
			}
			from := alpha[s]
			if s > 0 && (!first || s == 1) {
				from += alpha[s-1]
			}
			if s%2 == 1 && s > 1 && text[s/2] != text[s/2-1] && !first {
				from += alpha[s-2]
			}
			next[s] = from * p
			top = max(top, next[s])
		}
		first = false
		if top == 0 {
			return math.Inf(-1)
		}
		for s := range n {
			alpha[s] = next[s] / top
		}
		total += math.Log(top)
	}
	end := alpha[n-1]
	if n > 1 {
		end += alpha[n-2]
	}
	if end == 0 {
		return math.Inf(-1)
	}
	return total + math.Log(end)
}
