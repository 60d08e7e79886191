package plate

import (
	"math"
	"slices"
)

// candidate is a place that may be a plate, with everything read from it.
type candidate struct {
	lines  []line      // one, or two from top to bottom
	cuts   []*emission // what the recognizer saw in each way of cutting it out
	looked bool        // at close range, so that nothing of it is missing

	upright bool // the slant of its characters was looked for
	partial bool // something like a further character is beside it

	texts  []hypothesis // what it may say, best first; no two alike on the surface
	likely float64      // how well the cuts fit the best text, 0..1
	share  float64      // of the best text among all texts, 0..1
	clear  float64      // the same, texts that fonts draw alike counted as one
}

const (
	nBest    = 6    // texts taken from each cut
	worstCut = 7    // nats by which one cut can speak against a text: it may have missed a character altogether
	hopeless = 0.01 // a fit below which further cuts do not help
)

// confidence is the probability, roughly, that the best text is right, 0..1.
func (c *candidate) confidence() float64 {
	if len(c.texts) == 0 {
		return 0
	}
	return min(1, c.likely*c.share)
}

func (c *candidate) text() []rune {
	if len(c.texts) == 0 {
		return nil
	}
	return toRunes(c.texts[0].text)
}

// region of the pattern that accepts the best text; "" for words and for nothing.
func (c *candidate) region(syn *syntax) string {
	if len(c.texts) == 0 {
		return ""
	}
	return syn.patterns[c.texts[0].pattern].region
}

func (c *candidate) quad() quad {
	if len(c.lines) == 1 {
		return c.lines[0].quad()
	}
	a, b := c.lines[0].quad(), c.lines[1].quad()
	return minAreaRect(hull(append(a[:], b[:]...))).quad()
}

// sure reports whether a further look would be a waste: the picture fits the text
// and fits no other. Outside China, where a part of a text may be a text as well, a
// short one or one that seems to go on is worth a closer look.
func (c *candidate) sure(syn *syntax) bool {
	if len(c.texts) == 0 || !c.looked && c.region(syn) != "cn" && (c.partial || len(c.text()) < 6) {
		return false
	}
	switch len(c.cuts) {
	case 1:
		return c.likely >= 0.8 && c.clear >= 0.85
	case 2, 3:
		return c.likely >= 0.25 && c.clear >= 0.95
	}
	return c.likely >= 0.35 && c.clear >= 0.85
}

// word reports whether the candidate reads as a word or a number that is no plate.
func (c *candidate) word(syn *syntax) bool {
	return len(c.text()) > 3 && c.region(syn) == "" && c.confidence() > 0.4
}

// weigh returns the logarithm of the joint probability of the cuts and a text.
// The cuts are not independent, so their logarithms add up to √n times their mean
// and not n times. tops holds each cut's best score of any text, or nil.
func (c *candidate) weigh(text []int16, weight float64, tops []float64) float64 {
	sum := 0.0
	for i, e := range c.cuts {
		s := e.score(text, false)
		if tops != nil {
			s = max(s, tops[i]-worstCut)
		}
		sum += s
	}
	return weight + sum/math.Sqrt(float64(len(c.cuts)))
}

// tops returns the best score that each cut gives to any of the texts.
func (c *candidate) tops() []float64 {
	tops := make([]float64, len(c.cuts))
	for i, e := range c.cuts {
		tops[i] = math.Inf(-1)
		for _, h := range c.texts {
			tops[i] = max(tops[i], e.score(h.text, false))
		}
	}
	return tops
}

// judge finds the texts that explain all cuts together, and how well they do.
func (c *candidate) judge(syn *syntax) {
	c.texts, c.likely, c.share, c.clear = c.texts[:0], 0, 0, 0
	for _, e := range c.cuts {
		for _, h := range e.search(syn, nBest) {
			if !slices.ContainsFunc(c.texts, func(o hypothesis) bool { return slices.Equal(o.text, h.text) }) {
				c.texts = append(c.texts, h)
			}
		}
	}
	if len(c.texts) == 0 {
		return
	}
	tops := c.tops()
	for i := range c.texts {
		h := &c.texts[i]
		_, weight := syn.best(h.text)
		h.score = c.weigh(h.text, weight, tops)
	}
	slices.SortStableFunc(c.texts, func(a, b hypothesis) int { return descending(a.score, b.score) })

	best := c.texts[0]
	sum, same, twins := 0.0, 0.0, 0.0
	var surface []hypothesis
	for _, h := range c.texts {
		p := math.Exp(h.score - best.score)
		sum += p
		if slices.Equal(toRunes(h.text), toRunes(best.text)) {
			same += p
		}
		if alike(h.text, best.text) || slices.Equal(toRunes(h.text), toRunes(best.text)) {
			twins += p
		}
		if !slices.ContainsFunc(surface, func(o hypothesis) bool { return slices.Equal(toRunes(o.text), toRunes(h.text)) }) {
			surface = append(surface, h)
		}
	}
	c.texts = surface
	c.share, c.clear = same/sum, twins/sum

	// The better half of the cuts says how well the text fits: a cut may be bad
	// for reasons that have nothing to do with the text.
	fits := make([]float64, len(c.cuts))
	for i, e := range c.cuts {
		fits[i] = min(1, math.Exp(e.score(best.text, true)))
	}
	slices.SortFunc(fits, descending)
	n := (len(fits) + 1) / 2
	for _, f := range fits[:n] {
		c.likely += f / float64(n)
	}
}

// known counts the plate characters in what the recognizer said of the last cut.
func (c *candidate) known() int {
	n := 0
	if len(c.cuts) > 0 {
		for _, r := range Normalize(c.cuts[len(c.cuts)-1].raw) {
			if _, ok := symbolIndex[r]; ok {
				n++
			}
		}
	}
	return n
}
