package plate

import (
	"math"
	"strings"
)

const (
	maxText     = 10  // characters of the longest plate, one mark of junk included
	maxPatterns = 256 // of one region: the width of a mask
)

// mask is a set of patterns.
type mask [maxPatterns / 64]uint64

func (m mask) and(o mask) mask { return mask{m[0] & o[0], m[1] & o[1], m[2] & o[2], m[3] & o[3]} }
func (m mask) empty() bool     { return m[0]|m[1]|m[2]|m[3] == 0 }
func (m mask) has(i int) bool  { return m[i/64]>>(i%64)&1 != 0 }
func (m *mask) set(i int)      { m[i/64] |= 1 << (i % 64) }

// pattern is one form that plates take. In its shape, lower-case letters are
// sets and everything else stands for itself, ~ for a mark that is dropped:
//
//	p a province    d a digit    l a letter    c a letter but I and O
//	n a letter or digit    x a letter or digit but I and O
//	e a new-energy letter (GA 36-2018: D A B C E for electric, F G H J K for others)
type pattern struct {
	shape  string
	region string                    // cn, eu, us, br
	class  string                    // of PlateRead.Class; "" where the form does not say
	weight float64                   // natural logarithm of how common the form is against its region's commonest
	accept func(text []rune) float64 // further weight for a text of this shape (may be nil)
}

func set(shape rune) string {
	switch shape {
	case 'p':
		return provinces
	case 'd':
		return digits
	case 'l':
		return letters
	case 'c':
		return strings.NewReplacer("I", "", "O", "").Replace(letters)
	case 'n':
		return digits + letters
	case 'x':
		return digits + strings.NewReplacer("I", "", "O", "").Replace(letters)
	case 'e':
		return "DABCEFGHJK"
	}
	return string(shape)
}

// syntax is the set of patterns of a region, ready for the decoder.
type syntax struct {
	china    bool    // Chinese characters are part of the number
	stacks   bool    // numbers on two lines are common
	first    variant // how a line is cut out for the first time
	patterns []pattern
	all      mask
	allow    [maxText][]mask // position, symbol → patterns that allow it there
	ends     [maxText + 1]mask
}

func compile(first variant, patterns []pattern) *syntax {
	if len(patterns) > maxPatterns {
		panic("plate: more patterns than a mask holds")
	}
	s := &syntax{patterns: patterns, first: first}
	for _, p := range patterns {
		s.china = s.china || p.region == "cn"
		s.stacks = s.stacks || p.region == "cn" || p.region == "eu" || p.region == "br"
	}
	for i := range s.allow {
		s.allow[i] = make([]mask, len(symbolRunes))
	}
	for i, p := range patterns {
		s.all.set(i)
		shape := []rune(p.shape)
		for at, c := range shape {
			for _, r := range set(c) {
				s.allow[at][symbolIndex[r]].set(i)
			}
		}
		s.ends[len(shape)].set(i)
	}
	return s
}

// alive returns the patterns that the symbols are a beginning of.
func (s *syntax) alive(text []int16) mask {
	m := s.all
	for i, c := range text {
		if i == maxText {
			return mask{}
		}
		m = m.and(s.allow[i][c])
	}
	return m
}

// best returns the pattern that accepts the whole text with the greatest weight,
// or -1, and that weight.
func (s *syntax) best(text []int16) (int, float64) {
	if len(text) > maxText {
		return -1, math.Inf(-1)
	}
	m := s.alive(text).and(s.ends[len(text)])
	if m.empty() {
		return -1, math.Inf(-1)
	}
	best, weight := -1, math.Inf(-1)
	var runes []rune
	for i, p := range s.patterns {
		if !m.has(i) {
			continue
		}
		w := p.weight
		if p.accept != nil {
			if runes == nil {
				runes = toRunes(text)
			}
			w += p.accept(runes)
		}
		if w > weight {
			best, weight = i, w
		}
	}
	return best, weight
}

// toRunes returns the text that the symbols spell, without junk.
func toRunes(text []int16) []rune {
	r := make([]rune, 0, len(text))
	for _, c := range text {
		if symbolRunes[c] != junk {
			r = append(r, symbolRunes[c])
		}
	}
	return r
}

// Regions lists what Read accepts as a region.
func Regions() []string { return []string{"cn", "eu", "us", "br", "any"} }

var syntaxes = map[string]*syntax{
	"cn":  compile(variant{0.05, 0.05, 0, 1.0}, chinese),
	"eu":  compile(variant{0, 0.25, 0, 1.2}, european),
	"us":  compile(variant{0.2, 0.2, -0.1, 1.2}, american),
	"br":  compile(variant{0, 0, 0, 1.2}, brazilian),
	"any": compile(variant{0.05, 0.05, 0, 1.2}, join(chinese, brazilian, european, american)),
}

func join(lists ...[]pattern) (all []pattern) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
