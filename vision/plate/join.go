package plate

import "math"

// Number plates that the detector breaks up: side by side where an emblem or a
// wide gap is in the middle, one above the other on two-line plates.

const maxJoins = 4 // pairs tried in a pass

// adjoining reports whether b continues a to the right on the same line.
func adjoining(a, b line) bool {
	d := b.c.sub(a.c)
	along, across := d.dot(a.u), math.Abs(d.dot(a.v()))
	h := max(a.h, b.h)
	gap := along - (a.w+b.w)/2
	return along > 0 && gap > -0.3*h && gap < 1.2*h && across < 0.35*h && min(a.h, b.h) > 0.55*h && a.u.dot(b.u) > 0.95
}

// stacked reports whether a is the upper line of a two-line plate and b the lower.
func stacked(a, b line) bool {
	d := b.c.sub(a.c)
	along, across := math.Abs(d.dot(b.u)), d.dot(b.v())
	h := (a.h + b.h) / 2
	return a.u.dot(b.u) > 0.95 && across > 0.6*h && across < 2.3*h && along < 0.3*b.w &&
		a.h > 0.3*b.h && a.h < 1.4*b.h && a.w > 0.25*b.w && a.w < 1.2*b.w
}

// tall reports whether a detected region may be a two-line plate in one piece.
func tall(l line) bool {
	return l.h >= 30 && l.w >= 0.9*l.h && l.w < 2*l.h && math.Abs(l.u.y) < 0.5
}

// split cuts a tall region into its two lines; the upper is the lower one on
// Chinese plates (60 of 170 mm) and as high as the other on motorcycles'.
func split(l line) []line {
	a, b := l, l
	a.rect = l.grow(0, 0, 0, -0.55*l.h)
	b.rect = l.grow(0, 0, -0.42*l.h, 0)
	return []line{a, b}
}

// join tries pairs of parts that may be one plate and returns those that read as
// one better than their parts do.
func (s *scan) join(parts []*candidate) (out []*candidate, err error) {
	joins := 0
	for i, a := range parts {
		for j, b := range parts {
			if i == j || joins == maxJoins {
				continue
			}
			var c *candidate
			la, lb := a.lines[0], b.lines[0]
			switch {
			case adjoining(la, lb):
				joins++
				qa, qb := la.quad(), lb.quad()
				l := line{rect: minAreaRect(hull(append(qa[:], qb[:]...))), score: min(la.score, lb.score)}
				if !plausible(l) {
					continue
				}
				if c, err = s.try(l); err != nil {
					return nil, err
				}
			case s.syn.stacks && stacked(la, lb):
				joins++
				c = &candidate{lines: []line{la, lb}, cuts: []*emission{a.cuts[0].then(b.cuts[0])}}
				c.judge(s.syn)
			}
			if c != nil && c.region(s.syn) != "" && c.confidence() > max(a.confidence(), b.confidence()) && c.confidence() > hopeless {
				out = append(out, c)
			}
		}
	}
	return out, nil
}
