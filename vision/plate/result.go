package plate

import (
	"math"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/vision/imaging"
)

// A reading counts from this confidence on. The thresholds differ because the
// syntaxes do: a Chinese text has a province and a fixed form, which chance text
// has not; elsewhere almost any letters and digits are a plate somewhere. Forms
// that say little need more, the less common the more.
const (
	acceptChinese  = 0.12
	acceptOther    = 0.30
	acceptAgreed   = 0.23
	acceptUncommon = 0.55 // weight -2 and below
	acceptRare     = 0.72 // weight -3 and below
)

const maxCandidates = 5

// accepted reports whether the candidate's best text is a reading.
func (s *scan) accepted(c *candidate) bool {
	region := c.region(s.syn)
	if region == "" {
		return false
	}
	need := acceptOther
	if region == "cn" {
		need = acceptChinese
	} else if !slices.ContainsFunc(c.cuts, func(e *emission) bool { return strings.ContainsAny(e.raw, digits) }) {
		return false // a word that could be spelt with 0 and 1
	}
	// Several cuts that agree need less.
	if len(c.cuts) > 1 && c.sure(s.syn) {
		need = min(need, acceptAgreed)
	}
	if p := s.syn.patterns[c.texts[0].pattern]; !strings.ContainsRune(p.shape, junk) {
		switch {
		case p.weight <= -3:
			need = acceptRare
		case p.weight <= -2 && region != "cn":
			need = acceptUncommon
		}
	}
	return c.confidence() >= need
}

// seen turns what was found into plates: one text a place, best first.
func (s *scan) seen() []gatehouse.PlateSeen {
	slices.SortStableFunc(s.found, func(a, b *candidate) int { return descending(a.confidence(), b.confidence()) })
	var out []gatehouse.PlateSeen
	for _, c := range s.found {
		if !s.accepted(c) {
			continue
		}
		q := c.quad()
		box, text := q.bounds(s.img.W, s.img.H), string(c.text())
		if box.W < 1 || box.H < 1 || slices.ContainsFunc(out, func(o gatehouse.PlateSeen) bool {
			return o.Read.Text == text || overlap(o.Box, box) > 0.4
		}) {
			continue
		}
		read := gatehouse.PlateRead{
			Text: text, Raw: c.cuts[0].raw,
			Region: c.region(s.syn), Class: s.syn.patterns[c.texts[0].pattern].class,
			Confidence: c.confidence(), Chars: c.chars(s.syn),
		}
		if read.Class == "" && read.Region == "cn" {
			read.Class = colourClass(s.img, q)
		}
		for _, h := range c.texts[1:] {
			if s.syn.patterns[h.pattern].region != "" && len(read.Candidates) < maxCandidates {
				p := math.Exp(h.score-c.texts[0].score) * c.confidence()
				read.Candidates = append(read.Candidates, gatehouse.PlateCandidate{Text: string(toRunes(h.text)), Confidence: p})
			}
		}
		out = append(out, gatehouse.PlateSeen{Box: box, Quad: q.points(), Read: read})
	}
	return out
}

// chars returns the best text's characters, each with its probability against
// every other character that the syntax allows in its place, all else equal.
func (c *candidate) chars(syn *syntax) []gatehouse.CharRead {
	text := slices.Clone(c.texts[0].text)
	tops := c.tops()
	var out []gatehouse.CharRead
	for i, own := range text {
		if symbolRunes[own] == junk {
			continue
		}
		_, weight := syn.best(text)
		base := c.weigh(text, weight, tops)
		sum := 1.0
		for other := range symbolRunes {
			if int16(other) == own || symbolRunes[other] == junk || !c.shows(other) {
				continue
			}
			text[i] = int16(other)
			if p, w := syn.best(text); p >= 0 {
				sum += math.Exp(c.weigh(text, w, tops) - base)
			}
		}
		text[i] = own
		out = append(out, gatehouse.CharRead{Char: symbolRunes[own], Confidence: 1 / sum})
	}
	return out
}

// shows reports whether any cut gives the symbol a chance at any step.
func (c *candidate) shows(sym int) bool {
	for _, e := range c.cuts {
		for t := range e.steps() {
			if e.at(t)[sym] > 1e-3 {
				return true
			}
		}
	}
	return false
}

// colourClass names a Chinese plate's class by its background: blue (small cars),
// yellow (large vehicles), green (new energy), white (police, military), black
// (embassies, formerly foreigners). The commonest colour of a grid of samples
// wins; characters cover less than half of a plate.
func colourClass(img *imaging.RGB, q quad) string {
	names := [...]string{"cn-blue", "cn-yellow", "cn-new-energy", "cn-white", "cn-black"}
	var votes [len(names)]int
	const nx, ny = 40, 12
	for j := range ny {
		for i := range nx {
			u, v := (float64(i)+0.5)/nx, (float64(j)+0.5)/ny
			p := q[0].lerp(q[1], u).lerp(q[3].lerp(q[2], u), v)
			x, y := int(p.x), int(p.y)
			if x < 0 || y < 0 || x >= img.W || y >= img.H {
				continue
			}
			at := 3 * (y*img.W + x)
			r, g, b := int(img.Pix[at]), int(img.Pix[at+1]), int(img.Pix[at+2])
			high, low := max(r, g, b), min(r, g, b)
			switch {
			case 4*(high-low) < high || high < 30: // saturation below 1/4, or too dark to tell
				if high > 110 {
					votes[3]++
				} else {
					votes[4]++
				}
			case b == high:
				votes[0]++
			case g == high && 10*r < 9*g:
				votes[2]++
			default:
				votes[1]++
			}
		}
	}
	// White and black are the characters' colours too: a coloured background wins
	// from a quarter of the samples on.
	best := 0
	for k := range 3 {
		if votes[k] > votes[best] {
			best = k
		}
	}
	if 4*votes[best] < nx*ny {
		best = 3
		if votes[4] > votes[3] {
			best = 4
		}
	}
	return names[best]
}
