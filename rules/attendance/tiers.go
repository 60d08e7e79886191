package attendance

import (
	"bytes"
	"cmp"
	"slices"

	"gatehouse"
)

// regularRate is the rate of regular minutes, in hundredths of a per cent.
const regularRate = 10000

var tierRules = map[gatehouse.OvertimeScope]gatehouse.TimeRule{gatehouse.OverDay: gatehouse.RuleDayTier, gatehouse.OverPlan: gatehouse.RulePlanTier,
	gatehouse.OverWeek: gatehouse.RuleWeekTier, gatehouse.OnRestDay: gatehouse.RuleRestTier, gatehouse.OnHoliday: gatehouse.RuleHolidayTier, gatehouse.SeventhDay: gatehouse.RuleSeventhTier}

// sortedLeave is the leave in an order that does not depend on the input's.
func (c *calculation) sortedLeave() []gatehouse.Leave {
	byStart := func(a, b gatehouse.Leave) int {
		return cmp.Or(a.From.Compare(b.From), a.Until.Compare(b.Until), bytes.Compare(a.ID[:], b.ID[:]))
	}
	if !slices.IsSortedFunc(c.Leave, byStart) {
		c.Leave = slices.Clone(c.Leave)
		slices.SortFunc(c.Leave, byStart)
	}
	return c.Leave
}

// beginWeek begins the count of a new week.
func (c *calculation) beginWeek(p *plan) {
	if start := p.day.weekStart(c.Rules.WeekBegins); start != c.week.start {
		c.week = weekCount{start: start, free: max(c.zone.at(start, 0), c.lastOut)}
	}
}

// classify gives each counted minute of the day its code and makes the segments entries.
func (c *calculation) classify(p *plan, d *gatehouse.TimesheetDay) {
	c.extended = 0
	if len(c.segments) == 0 {
		return
	}
	d.Entries = slices.Grow(d.Entries, len(c.segments)+2)
	seventh := p.day == c.week.start+6 && c.week.streak == 6
	for _, g := range c.segments {
		e := gatehouse.TimeEntry{Kind: g.kind, From: g.from, Until: g.until, In: g.in, Out: g.out, Rule: g.rule, N: g.n}
		if !g.counts() {
			d.Entries = append(d.Entries, e)
			continue
		}
		for from := g.from; from < g.until; {
			kind, until := c.kindAt(p, from, g.until)
			tier, left := c.tierAt(d, kind, seventh)
			n := min(int(until-from), left)
			e.From, e.Until, e.Code, e.Rate, e.TimeOff = from, from+gatehouse.Minute(n), gatehouse.Regular, regularRate, false
			if tier != nil {
				e.Code, e.Rate, e.TimeOff = tier.Code, tier.Rate, tier.TimeOff
				if tier.Scope != gatehouse.OnRestDay && tier.Scope != gatehouse.OnHoliday {
					c.extended += n
				}
			}
			if g.kind == gatehouse.Worked {
				e.Rule, e.N = gatehouse.RulePaired, 0
				if tier != nil {
					e.Rule, e.N = tierRules[tier.Scope], tier.After
				}
			}
			d.Entries = append(d.Entries, e)
			d.Worked += n
			if tier == nil || tier.CountsInWeek {
				c.week.regular += n
			}
			from += gatehouse.Minute(n)
		}
	}
	c.week.worked += d.Worked
	if d.Worked > 0 && c.week.streak == int(p.day-c.week.start) {
		c.week.streak++
	}
}

// kindAt is what kind of day a moment falls on, and until when that holds, at most until.
func (c *calculation) kindAt(p *plan, at, until gatehouse.Minute) (gatehouse.DayClass, gatehouse.Minute) {
	if !c.Rules.HolidaysByClock || len(c.holidays) == 0 {
		return p.kind, until
	}
	on := p.clock.local(at)
	until = min(until, p.clock.at(on+1, 0))
	if c.holidays[on] == gatehouse.HolidayDay {
		return gatehouse.HolidayDay, until
	}
	return p.ordinary, until // a holiday's night shift goes on into another day
}

// tierAt is the dearest tier that the next minute falls under, nil for none, and for how
// many minutes that cannot change.
func (c *calculation) tierAt(d *gatehouse.TimesheetDay, kind gatehouse.DayClass, seventh bool) (best *gatehouse.OvertimeTier, left int) {
	left = 1 << 30
	for i := range c.Rules.Overtime {
		t := &c.Rules.Overtime[i]
		done := d.Worked - t.After
		switch t.Scope {
		case gatehouse.OverDay:
		case gatehouse.OverPlan:
			if d.Shift == "" {
				continue
			}
			done -= d.Due
		case gatehouse.OverWeek:
			done = c.week.regular - t.After
		case gatehouse.OnRestDay:
			if kind != gatehouse.RestDay {
				continue
			}
		case gatehouse.OnHoliday:
			if kind != gatehouse.HolidayDay {
				continue
			}
		case gatehouse.SeventhDay:
			if !seventh {
				continue
			}
		default:
			continue
		}
		if done < 0 {
			left = min(left, -done)
		} else if best == nil || t.Rate > best.Rate {
			best = t
		}
	}
	return best, left
}
