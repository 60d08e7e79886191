package attendance

import "gatehouse"

// limits warns where a law's limits are passed. Rest is measured by the punches as they
// were made: neither grace nor rounding makes it longer.
func (c *calculation) limits(p *plan, d *gatehouse.TimesheetDay) {
	l := c.Rules.Limits
	say := func(kind gatehouse.ExceptionKind, minutes, limit int) {
		d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: kind, Minutes: minutes, Limit: limit})
	}
	before := c.lastOut
	for _, q := range c.pairs {
		if q.tooLong {
			continue
		}
		if rest := int(q.in - before); before != 0 && rest < l.DailyRest {
			say(gatehouse.DailyRest, max(0, rest), l.DailyRest)
		}
		before = 0 // only the day's first coming ends a night's rest
		c.week.rest = max(c.week.rest, int(q.in-c.week.free))
		c.week.free = max(c.week.free, q.out)
	}
	for _, q := range c.pairs {
		if !q.tooLong {
			c.lastOut = max(c.lastOut, q.out)
		}
	}
	if l.DayMost > 0 && d.Worked > l.DayMost {
		say(gatehouse.DayLimit, d.Worked, l.DayMost)
	}
	if run := c.longestRun(l.BreakLeast); l.BreakAfter > 0 && run > l.BreakAfter {
		say(gatehouse.BreakMissing, run, l.BreakAfter)
	}
	c.overtimeLimits(p, d, say)
	if end := c.zone.at(c.week.start+7, 0); p.day == c.week.start+6 && p.day >= c.first && c.passed(end) {
		c.endWeek(end, say)
	}
}

func (c *calculation) endWeek(end gatehouse.Minute, say func(gatehouse.ExceptionKind, int, int)) {
	l := c.Rules.Limits
	if rest := max(c.week.rest, int(end-c.week.free)); rest < l.WeeklyRest {
		say(gatehouse.WeeklyRest, rest, l.WeeklyRest)
	}
	c.weeks = append(c.weeks, c.week.worked)
	n := max(1, l.AverageWeeks)
	if l.WeekMost == 0 || len(c.weeks) < n {
		return
	}
	sum := 0
	for _, w := range c.weeks[len(c.weeks)-n:] {
		sum += w
	}
	if sum > n*l.WeekMost {
		say(gatehouse.WeekLimit, sum/n, l.WeekMost)
	}
}

func (c *calculation) overtimeLimits(p *plan, d *gatehouse.TimesheetDay, say func(gatehouse.ExceptionKind, int, int)) {
	l := c.Rules.Limits
	over := 0
	for _, e := range d.Entries {
		if e.Paid() && e.Code != gatehouse.Regular {
			over += e.Minutes()
		}
	}
	// A day's limit is about longer working days; a month's about all of it, rest days and
	// holidays included (China: Ministry of Labour [1997] No. 271 on Labour Law art. 41).
	if l.OvertimeDay > 0 && c.extended > l.OvertimeDay {
		say(gatehouse.OvertimeLimit, c.extended, l.OvertimeDay)
	}
	if l.OvertimeMonth == 0 {
		return
	}
	if month := int(p.day.monthStart()); month != c.month {
		c.month, c.monthOver = month, 0
	}
	c.monthOver += over
	if over > 0 && c.monthOver > l.OvertimeMonth {
		say(gatehouse.OvertimeLimit, c.monthOver, l.OvertimeMonth)
	}
}

// longestRun is how long was worked without a break of at least so many minutes.
func (c *calculation) longestRun(least int) (longest int) {
	run := 0
	for _, g := range c.segments {
		switch {
		case g.counts():
			run += g.minutes()
			longest = max(longest, run)
		case g.kind == gatehouse.Pause && g.minutes() >= least:
			run = 0
		}
	}
	return longest
}
