package plate

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"gatehouse/vision/imaging"
)

// How much is spent on a picture. The first pass is nearly as good as one at 960
// pixels in half the time; Chinese scenes more often hold several plates, so they
// get a little more. Where nothing was found there is a second pass for distant
// plates.
const (
	firstSide   = 576
	firstSideCN = 640
	secondSide  = 1024
	closerSide  = 320
	firstZoom   = 1.2 // small pictures are not enlarged more than this
	closerZoom  = 4

	maxReads   = 14 // recognizer runs of a pass before closer looks
	readsAfter = 2  // of those after a plate was found; one more for China
	maxClosers = 4  // closer looks of a pass
	maxCuts    = 6  // of one candidate
)

// variant is a way to cut a line out: margins at its left and right end and at its
// top and bottom as shares of its height, and the stretch of the recognizer's input. Mistakes on different
// cuts differ, so several cuts together are right more often than any of them.
type variant struct{ left, right, y, stretch float64 }

var otherCuts = []variant{{-0.1, -0.1, -0.1, 1.5}, {0.1, 0.1, -0.05, 1.0}, {0, 0, 0.1, 1.5}}

// scan is the work on one picture.
type scan struct {
	r     *Reader
	img   *imaging.RGB
	syn   *syntax
	reads int
	found []*candidate
}

// run looks at the whole picture, then again at a larger scale where it found
// nothing and the picture has more to show.
func (s *scan) run() error {
	side := firstSide
	if s.syn.china {
		side = firstSideCN
	}
	if err := s.pass(side, firstZoom); err != nil {
		return err
	}
	if slices.ContainsFunc(s.found, s.accepted) || max(s.img.W, s.img.H)*4 < side*5 {
		return nil
	}
	return s.pass(secondSide, 1)
}

// pass looks for plates at one scale.
func (s *scan) pass(side int, zoom float64) error {
	lines, err := s.r.detect(s.img, window{0, 0, s.img.W, s.img.H}, side, zoom)
	if err != nil {
		return err
	}
	slices.SortStableFunc(lines, func(a, b line) int { return descending(a.interest(), b.interest()) })
	var doubtful, parts []*candidate
	limit := s.reads + maxReads
	smallest := 0.0 // the height of a line that would be too far behind the plate that was found
	for _, l := range lines {
		if s.reads >= limit || l.h < smallest || s.printed(l) {
			continue
		}
		if !plausible(l) {
			if tall(l) && s.syn.stacks {
				c, err := s.try(split(l)...)
				if err != nil {
					return err
				}
				if c != nil && c.region(s.syn) != "" {
					doubtful = append(doubtful, c)
				}
			}
			continue
		}
		c, err := s.try(l)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		if region := c.region(s.syn); region != "" && region != "cn" && c.sure(s.syn) {
			c.partial = s.r.goesOn(s.img, l.rect, len(c.text()))
		}
		if c.sure(s.syn) {
			s.found = append(s.found, c)
			if c.region(s.syn) != "" {
				smallest = max(smallest, 0.3*l.h)
				after := readsAfter
				if s.syn.china {
					after++
				}
				limit = min(limit, s.reads+after)
				continue
			}
		} else if s.promising(c) {
			doubtful = append(doubtful, c)
		}
		parts = append(parts, c)
	}
	joined, err := s.join(parts)
	if err != nil {
		return err
	}
	doubtful = append(joined, doubtful...)
	slices.SortStableFunc(doubtful, func(a, b *candidate) int { return descending(a.confidence(), b.confidence()) })
	known := slices.ContainsFunc(s.found, s.accepted)
	closers := 0
	for _, c := range doubtful {
		if closers == maxClosers {
			break
		}
		if known && !s.syn.china && c.likely < hopeless || s.covered(c) {
			continue
		}
		closers++
		if err := s.resolve(c); err != nil {
			return err
		}
	}
	return nil
}

// covered reports whether a plate was already read where the candidate lies.
func (s *scan) covered(c *candidate) bool {
	b := c.quad().bounds(s.img.W, s.img.H)
	return slices.ContainsFunc(s.found, func(f *candidate) bool {
		return f.sure(s.syn) && s.accepted(f) && overlap(f.quad().bounds(s.img.W, s.img.H), b) > 0.6
	})
}

// plausible reports whether a line has the size and proportions of a plate's
// text: 440×140 mm and 520×110 mm plates have lines of 3 to 7 times their height.
func plausible(l line) bool {
	return l.h >= 7 && l.w >= 20 && l.w >= 1.5*l.h && l.w <= 7.5*l.h && math.Abs(l.u.y) < 0.72
}

// printed reports whether a line lies where cameras print the date and the time: a
// plate so close to the edge is hardly ever whole.
func (s *scan) printed(l line) bool {
	y := l.c.y / float64(s.img.H)
	return (y < 0.045 || y > 0.955) && l.h < 0.06*float64(s.img.H)
}

// interest orders lines by how much they look like a plate's: large, and of a
// plate's proportions.
func (l line) interest() float64 {
	return l.h * math.Exp(-math.Abs(math.Log(l.w/l.h/3.5)))
}

// try reads lines, one or two from top to bottom, for the first time.
func (s *scan) try(lines ...line) (*candidate, error) {
	c := &candidate{lines: lines}
	if err := s.add(c, s.syn.first); err != nil || len(c.cuts) == 0 {
		return nil, err
	}
	return c, nil
}

// add reads the candidate in one more way and judges it again.
func (s *scan) add(c *candidate, v variant) error {
	var whole *emission
	for _, l := range c.lines {
		s.reads++
		r := l.grow(v.left*l.h, v.right*l.h, v.y*l.h, v.y*l.h)
		e, err := s.r.recognize(s.img, r.quad(), v.stretch, s.syn.china)
		if err != nil || e == nil {
			return err
		}
		if whole == nil {
			whole = e
		} else {
			whole = whole.then(e)
		}
	}
	c.cuts = append(c.cuts, whole)
	c.judge(s.syn)
	return nil
}

// promising reports whether a closer look at the candidate may find a plate. What
// the recognizer is sure is a word, a sentence, a date or a time of day is none.
func (s *scan) promising(c *candidate) bool {
	n, raw := c.known(), c.cuts[0].raw
	if n < 3 || n > maxText || c.cuts[0].sure < 0.4 || c.word(s.syn) {
		return false
	}
	digit := strings.ContainsAny(raw, digits)
	separated := strings.ContainsAny(raw, ":-/.")
	switch {
	case s.syn.china:
		return digit && (len(c.texts) > 0 || !separated)
	case !digit:
		return n >= 5 && n <= 8 && c.cuts[0].sure < 0.9
	case !strings.ContainsFunc(raw, unicode.IsLetter):
		return !separated
	}
	return true
}

// resolve spends more time on an uncertain candidate: the detector once more on
// its surroundings, enlarged, where it separates the number from what is printed
// around it; for China the place where the province should be; and further cuts.
func (s *scan) resolve(c *candidate) error {
	// Large characters gain little from a closer look, small ones most.
	if c.lines[0].h >= 40 || len(c.lines) > 1 {
		if err := s.more(c, 2); err != nil {
			return err
		}
	}
	if !c.sure(s.syn) && len(c.lines) == 1 {
		d, err := s.closer(c)
		if err != nil {
			return err
		}
		if d != nil {
			if len(d.lines) == 1 {
				d.cuts = append(d.cuts, c.cuts...)
				d.judge(s.syn)
			}
			c = d
		}
	}
	c.looked = true
	if s.syn.china && !c.sure(s.syn) {
		var err error
		if c, err = s.extend(c); err != nil {
			return err
		}
	}
	if err := s.more(c, len(otherCuts)); err != nil {
		return err
	}
	s.found = append(s.found, c)
	return nil
}

// more adds cuts while the candidate is uncertain but worth it: one with the
// characters set upright if they lean, and up to n others.
func (s *scan) more(c *candidate, n int) error {
	if len(c.lines) == 1 && !c.upright && !c.sure(s.syn) && len(c.texts) > 0 {
		c.upright = true
		if slant := s.r.slant(s.img, c.lines[0].rect); math.Abs(slant) >= leastSlant {
			l := c.lines[0]
			l.slant = slant
			c.lines = []line{l}
			if err := s.add(c, s.syn.first); err != nil {
				return err
			}
		}
	}
	for _, v := range otherCuts[:n] {
		if c.sure(s.syn) || len(c.texts) == 0 || len(c.cuts) >= maxCuts || c.word(s.syn) || c.likely < hopeless {
			return nil
		}
		if err := s.add(c, v); err != nil {
			return err
		}
	}
	return nil
}

// closer runs the detector on the surroundings of a candidate and returns what
// the candidate is at close range, or nil.
func (s *scan) closer(c *candidate) (*candidate, error) {
	l := c.lines[0]
	b := l.quad().bounds(s.img.W, s.img.H)
	mx, my := int(max(0.35*float64(b.W), 1.5*l.h)), int(0.7*l.h)
	x0, y0 := max(0, b.X-mx), max(0, b.Y-my)
	x1, y1 := min(s.img.W, b.X+b.W+mx), min(s.img.H, b.Y+b.H+my)
	if x1 <= x0 || y1 <= y0 {
		return nil, nil
	}
	lines, err := s.r.detect(s.img, window{x0, y0, x1 - x0, y1 - y0}, closerSide, closerZoom)
	if err != nil {
		return nil, err
	}
	best, size := -1, 0.0
	for i, d := range lines {
		if !plausible(d) || d.h < 0.4*l.h || overlap(d.quad().bounds(s.img.W, s.img.H), b) < 0.5 {
			continue
		}
		if a := d.w * d.h; a > size {
			best, size = i, a
		}
	}
	if best < 0 {
		return nil, nil
	}
	d, err := s.try(lines[best])
	if err != nil || d == nil || !s.syn.stacks || d.sure(s.syn) {
		return d, err
	}
	for _, above := range lines {
		if !stacked(above, lines[best]) {
			continue
		}
		two, err := s.try(above, lines[best])
		if err != nil {
			return nil, err
		}
		if two != nil && two.region(s.syn) != "" && two.confidence() > d.confidence() {
			return two, nil
		}
	}
	return d, nil
}

// extend looks where the detector saw only a part of a Chinese plate: the
// province is often too faint for it, and the first or last character may be.
func (s *scan) extend(c *candidate) (*candidate, error) {
	n := c.known()
	if n < 3 || n > 6 || len(c.lines) > 1 {
		return c, nil
	}
	l := c.lines[0]
	pitch := l.w / float64(n)
	missing := float64(7-n) * pitch
	if raw := []rune(Normalize(c.cuts[len(c.cuts)-1].raw)); unicode.Is(unicode.Han, raw[0]) {
		l.rect = l.grow(0.1*pitch, missing, 0, 0)
	} else {
		l.rect = l.grow(missing, 0.1*pitch, 0, 0)
	}
	d, err := s.try(l)
	if err != nil || d == nil || d.confidence() < c.confidence() {
		return c, err
	}
	d.looked = true
	return d, nil
}
