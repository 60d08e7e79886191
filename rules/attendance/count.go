package attendance

import "gatehouse"

// segment is a span of the day on its way to becoming an entry.
type segment struct {
	span
	kind    gatehouse.EntryKind
	rule    gatehouse.TimeRule
	n       int
	in, out gatehouse.ID
}

func (s segment) counts() bool { return s.kind == gatehouse.Worked || s.kind == gatehouse.Credited }

// count makes the day's pairs into segments: what counts, what does not, and what lies
// between. Beginning and end follow grace, then rounding; a minute that an earlier pair
// has counted is not counted again.
func (c *calculation) count(p *plan) {
	c.segments = c.segments[:0]
	add := func(from, until gatehouse.Minute, kind gatehouse.EntryKind, rule gatehouse.TimeRule, n int, in, out gatehouse.ID) {
		if from < until {
			c.segments = append(c.segments, segment{span{from, until}, kind, rule, n, in, out})
		}
	}
	for k, q := range c.pairs {
		if k > 0 {
			b := c.pairs[k-1]
			add(b.out, q.in, gatehouse.Pause, gatehouse.RulePunchedBreak, 0, b.outID, q.inID)
		}
		if q.tooLong {
			add(q.in, q.out, gatehouse.Uncounted, gatehouse.RuleTooLong, c.Rules.Longest, q.inID, q.outID)
			continue
		}
		in, inRule, inN := c.comesAt(p, q.in)
		out, outRule, outN := c.goesAt(p, q.out)
		switch {
		case in >= q.out:
			add(q.in, q.out, gatehouse.Uncounted, inRule, inN, q.inID, q.outID)
			continue
		case out <= q.in:
			add(q.in, q.out, gatehouse.Uncounted, outRule, outN, q.inID, q.outID)
			continue
		}
		add(q.in, in, gatehouse.Uncounted, inRule, inN, q.inID, q.outID)
		start := max(in, c.counted)
		add(max(in, q.in), min(start, q.out), gatehouse.Uncounted, gatehouse.RuleCountedBefore, 0, q.inID, q.outID)
		add(start, min(q.in, out), gatehouse.Credited, inRule, inN, q.inID, q.outID)
		add(max(start, q.in), min(out, q.out), gatehouse.Worked, gatehouse.RulePaired, 0, q.inID, q.outID)
		add(max(q.out, start), out, gatehouse.Credited, outRule, outN, q.inID, q.outID)
		add(max(out, start), q.out, gatehouse.Uncounted, outRule, outN, q.inID, q.outID)
		c.counted = max(c.counted, out)
	}
	c.keepWithin(p)
}

// comesAt is from when coming at m counts, and why.
func (c *calculation) comesAt(p *plan, m gatehouse.Minute) (gatehouse.Minute, gatehouse.TimeRule, int) {
	if p.shift != nil && p.shift.Kind == gatehouse.FixedShift {
		for _, s := range p.parts {
			if n, ok := within(m, s.from, c.Rules.GraceIn); ok {
				return s.from, gatehouse.RuleGraceIn, n
			}
		}
	}
	return p.clock.round(m, c.Rules.RoundIn), gatehouse.RuleRoundIn, c.Rules.RoundIn.To
}

// goesAt is until when going at m counts, and why.
func (c *calculation) goesAt(p *plan, m gatehouse.Minute) (gatehouse.Minute, gatehouse.TimeRule, int) {
	if p.shift != nil && p.shift.Kind == gatehouse.FixedShift {
		for _, s := range p.parts {
			if n, ok := within(m, s.until, c.Rules.GraceOut); ok {
				return s.until, gatehouse.RuleGraceOut, n
			}
		}
	}
	return p.clock.round(m, c.Rules.RoundOut), gatehouse.RuleRoundOut, c.Rules.RoundOut.To
}

// within reports whether m lies within the grace around at, and how much that is on m's side.
func within(m, at gatehouse.Minute, g gatehouse.PunchGrace) (int, bool) {
	if m < at {
		return g.Early, int(at-m) <= g.Early
	}
	return g.Late, int(m-at) <= g.Late
}

// keepWithin takes away what lies outside of where work counts, and the gaps of a split
// shift where punches cannot tell who stayed.
func (c *calculation) keepWithin(p *plan) {
	if p.shift == nil || len(p.parts) == 0 {
		return
	}
	first, last := p.parts[0].from, p.parts[len(p.parts)-1].until
	all := span{-1 << 60, 1 << 60}
	switch {
	case p.shift.Kind == gatehouse.FlexibleShift:
		c.carve(span{all.from, first}, -1, gatehouse.Uncounted, gatehouse.RuleOutsideFrame, 0)
		c.carve(span{last, all.until}, -1, gatehouse.Uncounted, gatehouse.RuleOutsideFrame, 0)
	case c.Rules.InShiftOnly:
		c.carve(span{all.from, first}, -1, gatehouse.Uncounted, gatehouse.RuleOutsideShift, 0)
		c.carve(span{last, all.until}, -1, gatehouse.Uncounted, gatehouse.RuleOutsideShift, 0)
	}
	if p.shift.Kind == gatehouse.FixedShift && (c.Rules.InShiftOnly || c.Rules.Pairing == gatehouse.FirstLast) {
		for k := 1; k < len(p.parts); k++ {
			c.carve(span{p.parts[k-1].until, p.parts[k].from}, -1, gatehouse.Pause, gatehouse.RuleSplit, 0)
		}
	}
}

// carve makes at most n counted minutes (-1: all) within s into another kind, the first
// ones; credited minutes just go, since nobody punched them. It returns how many it took.
func (c *calculation) carve(s span, n int, kind gatehouse.EntryKind, rule gatehouse.TimeRule, figure int) (taken int) {
	if n == 0 || s.empty() {
		return 0
	}
	out := c.spare[:0]
	for _, g := range c.segments {
		cut := g.and(s)
		if !g.counts() || cut.empty() || taken == n {
			out = append(out, g)
			continue
		}
		if n >= 0 {
			cut.until = min(cut.until, cut.from+gatehouse.Minute(n-taken))
		}
		taken += cut.minutes()
		if g.from < cut.from {
			left := g
			left.until = cut.from
			out = append(out, left)
		}
		if g.kind == gatehouse.Worked {
			out = append(out, segment{cut, kind, rule, figure, g.in, g.out})
		}
		if cut.until < g.until {
			right := g
			right.from = cut.until
			out = append(out, right)
		}
	}
	c.spare, c.segments = c.segments, out
	return taken
}
