package attendance

import "gatehouse"

// punctuality compares the day with its plan. Where a punch is missing it says no more
// than what is known.
func (c *calculation) punctuality(p *plan, d *gatehouse.TimesheetDay, un unpairedPunches) {
	say := func(kind gatehouse.ExceptionKind, minutes, limit int) {
		d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: kind, Minutes: minutes, Limit: limit})
	}
	if p.shift == nil {
		if d.Worked > 0 && len(c.Roster) > 0 && !p.clash && !p.unknown {
			say(gatehouse.Unplanned, d.Worked, 0)
		}
		return
	}
	nobody := len(c.pairs) == 0 && !un.any
	if p.shift.Kind != gatehouse.FixedShift && p.due > 0 {
		over := p.clock.at(p.day+1, 0)
		if len(p.parts) > 0 {
			over = p.parts[len(p.parts)-1].until
		}
		switch {
		case d.Due <= 0 || !c.passed(over):
		case nobody:
			say(gatehouse.Absent, d.Due, 0)
			return
		case d.Worked < d.Due && !un.any:
			say(gatehouse.ShortDay, d.Due-d.Worked, d.Due)
		}
	}
	required := p.core
	if p.shift.Kind == gatehouse.FixedShift {
		required = p.parts
	}
	absent, away := 0, 0
	for _, r := range required {
		for _, piece := range c.notOnLeave(r) {
			a, w := c.piece(piece, un, say)
			absent, away = absent+a, away+w
		}
	}
	if absent > 0 {
		if nobody && p.shift.Kind == gatehouse.FixedShift {
			absent = min(absent, d.Due)
		}
		say(gatehouse.Absent, absent, 0)
	}
	if allowed := allowance(p.shift.Breaks); away > allowed {
		say(gatehouse.AwayTime, away, allowed)
	}
}

// piece says what of a required span was missed: at its begin, at its end, all of it, or
// in the middle.
func (c *calculation) piece(r span, un unpairedPunches, say func(gatehouse.ExceptionKind, int, int)) (absent, away int) {
	first, last, covered := gatehouse.Minute(1<<60), gatehouse.Minute(-1<<60), 0
	for _, q := range c.pairs {
		if s := r.and(span{q.in, q.out}); !s.empty() {
			first, last, covered = min(first, s.from), max(last, s.until), covered+s.minutes()
		}
	}
	if un.firstIn != 0 {
		first = min(first, max(un.firstIn, r.from))
	}
	grace := c.Rules.GraceIn.Late
	if first < r.until && (un.unknown == 0 || un.unknown > first) {
		if late := int(first - r.from); late > grace {
			say(gatehouse.LateIn, late, grace)
		}
	}
	if un.any || !c.passed(r.until) {
		return 0, 0
	}
	if covered == 0 {
		return r.minutes(), 0
	}
	early := int(r.until - last)
	if early > c.Rules.GraceOut.Early {
		say(gatehouse.EarlyOut, early, c.Rules.GraceOut.Early)
	}
	return 0, int(last-first) - covered
}

// notOnLeave is what of a required span no leave excuses.
func (c *calculation) notOnLeave(r span) []span {
	rest := []span{r}
	for _, l := range c.leave {
		var out []span
		for _, s := range rest {
			cut := s.and(l)
			if cut.empty() {
				out = append(out, s)
				continue
			}
			for _, x := range []span{{s.from, cut.from}, {cut.until, s.until}} {
				if !x.empty() {
					out = append(out, x)
				}
			}
		}
		rest = out
	}
	return rest
}

// allowance is how long a shift's breaks are together.
func allowance(breaks []gatehouse.ShiftBreak) (n int) {
	for _, b := range breaks {
		if b.Until > b.From {
			n += b.Until - b.From
		} else {
			n += b.Minutes
		}
	}
	return n
}
