package attendance

import "gatehouse"

// takeBreaks deducts the shift's unpaid breaks, as far as they were not punched. One that
// is not fixed takes no more than was worked beyond After, so that staying longer never
// makes a day shorter.
func (c *calculation) takeBreaks(p *plan) {
	if p.shift == nil || len(p.shift.Breaks) == 0 {
		return
	}
	punched := c.punchedBreaks(p)
	for _, b := range p.shift.Breaks {
		if b.Paid {
			continue
		}
		if b.Until > b.From {
			s := span{p.clock.at(p.day, b.From), p.clock.at(p.day, b.Until)}
			had := min(punched, s.minutes())
			punched -= had
			c.carve(s, s.minutes()-had, gatehouse.Pause, gatehouse.RuleFixedBreak, 0)
			continue
		}
		had := min(punched, b.Minutes)
		punched -= had
		if from, over := c.after(b.After); over > 0 {
			c.carve(span{from, 1 << 60}, b.Minutes-had, gatehouse.Pause, gatehouse.RuleBreakAfter, b.After)
		}
	}
}

// punchedBreaks are the day's minutes between going and coming back, save those between
// the parts of a split shift.
func (c *calculation) punchedBreaks(p *plan) (n int) {
	for _, g := range c.segments {
		if g.rule != gatehouse.RulePunchedBreak {
			continue
		}
		n += g.minutes()
		for k := 1; k < len(p.parts); k++ {
			if between := g.and(span{p.parts[k-1].until, p.parts[k].from}); p.shift.Kind == gatehouse.FixedShift && !between.empty() {
				n -= between.minutes()
			}
		}
	}
	return n
}

// after is the moment at which so many minutes were counted, and how many follow it.
func (c *calculation) after(minutes int) (from gatehouse.Minute, over int) {
	sum := 0
	for _, g := range c.segments {
		if !g.counts() {
			continue
		}
		if over == 0 && sum+g.minutes() > minutes {
			from = g.from + gatehouse.Minute(max(0, minutes-sum))
		}
		sum += g.minutes()
		over = max(0, sum-minutes)
	}
	return from, over
}

// takeLeave adds the day's leave and returns how many due minutes it excuses. What was
// worked in spite of it is no leave: nothing is paid twice.
func (c *calculation) takeLeave(p *plan, d *gatehouse.TimesheetDay) (excused int) {
	c.leave = c.leave[:0]
	if p.shift == nil || len(c.Leave) == 0 {
		return 0
	}
	required := p.parts
	if len(required) == 0 {
		required = []span{{p.clock.at(p.day, 0), p.clock.at(p.day+1, 0)}}
	}
	for _, l := range c.sortedLeave() {
		if l.Subject != c.Subject {
			continue
		}
		s := span{gatehouse.MinuteOf(l.From), gatehouse.MinuteOf(l.Until)}
		for _, r := range required {
			whole := s.and(r)
			if whole.empty() {
				continue
			}
			for _, free := range c.without(whole) {
				free.until = min(free.until, free.from+gatehouse.Minute(p.due-excused))
				if free.empty() {
					continue
				}
				excused += free.minutes()
				c.counted = max(c.counted, free.until)
				d.Entries = append(d.Entries, gatehouse.TimeEntry{Kind: gatehouse.OnLeave, Code: l.Code, Rate: regularRate, From: free.from, Until: free.until, In: l.ID, Rule: gatehouse.RuleLeave})
			}
			c.leave = append(c.leave, whole)
		}
	}
	return excused
}

// without is what of s neither counts as worked nor is leave already.
func (c *calculation) without(s span) []span {
	rest := []span{s}
	take := func(x span) {
		var out []span
		for _, r := range rest {
			if cut := r.and(x); cut.empty() {
				out = append(out, r)
			} else {
				out = append(out, span{r.from, cut.from}, span{cut.until, r.until}) // empty ones are passed over
			}
		}
		rest = out
	}
	for _, g := range c.segments {
		if g.counts() {
			take(g.span)
		}
	}
	for _, l := range c.leave {
		take(l)
	}
	take(span{-1 << 60, c.countedBefore})
	return rest
}
