package parking

import (
	"slices"
	"time"

	"gatehouse"
)

// minutes of a day as a wall clock shows them, also on days that last 23 or 25 hours.
const dayMinutes = 24 * 60

// date is a day of the local calendar.
type date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date{y, m, d}
}

// plus moves by whole days. Noon in UTC is the same day whatever the calendar does.
func (d date) plus(days int) date {
	return dateOf(time.Date(d.year, d.month, d.day+days, 12, 0, 0, 0, time.UTC))
}

// kind says whether the day is one of the version's holidays, or which weekday.
func kind(v *gatehouse.TariffVersion, d date) gatehouse.DayKind {
	for _, h := range v.Holidays {
		if h.Month == d.month && h.Day == d.day && (h.Year == 0 || h.Year == d.year) {
			return gatehouse.OnHolidays
		}
	}
	return gatehouse.DayKind(time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC).Weekday())
}

// instants returns when a wall clock in zone shows the minute of the day: once as a
// rule, twice where clocks go back, and where they skip it, the moment they do.
func instants(d date, minute int, zone *time.Location) []time.Time {
	t := time.Date(d.year, d.month, d.day, 0, minute, 0, 0, zone)
	if minute == dayMinutes {
		d, minute = d.plus(1), 0
	}
	shows := func(u time.Time) bool { return dateOf(u) == d && u.Hour()*60+u.Minute() == minute }
	begin, end := t.ZoneBounds()
	if !shows(t) {
		// Go gives a time on one side of the gap; its near end is when clocks were set.
		if end.IsZero() || !begin.IsZero() && t.Sub(begin) < end.Sub(t) {
			return []time.Time{begin}
		}
		return []time.Time{end}
	}
	both := []time.Time{t}
	for _, change := range []time.Time{begin, end} {
		if change.IsZero() {
			continue
		}
		_, before := change.Add(-time.Second).Zone()
		_, after := change.Zone()
		for _, shift := range []int{before - after, after - before} {
			if u := t.Add(time.Duration(shift) * time.Second); u != t && shift != 0 && shows(u) && !slices.ContainsFunc(both, u.Equal) {
				both = append(both, u)
			}
		}
	}
	slices.SortFunc(both, time.Time.Compare)
	return both
}

// occurrence is one time that a period takes place: an evening, a night, a day.
type occurrence struct {
	period int  // index into the plan's
	began  date // the local day on which it began
}

// calendar answers what holds when, for one plan.
type calendar struct {
	v      *gatehouse.TariffVersion
	plan   *gatehouse.Plan
	bounds []int // minutes of the day at which a period may begin or end, sorted
}

func newCalendar(v *gatehouse.TariffVersion, plan *gatehouse.Plan) *calendar {
	bounds := []int{0}
	for _, p := range plan.Periods {
		bounds = append(bounds, p.From%dayMinutes, p.Until%dayMinutes)
	}
	slices.Sort(bounds)
	return &calendar{v, plan, slices.Compact(bounds)}
}

// at returns the occurrence that holds at t.
func (c *calendar) at(t time.Time) occurrence {
	local := t.In(c.v.Zone)
	d := dateOf(local)
	return c.on(d, kind(c.v, d), local.Hour()*60+local.Minute())
}

func (c *calendar) on(d date, k gatehouse.DayKind, minute int) occurrence {
	for i, p := range c.plan.Periods {
		if !slices.Contains(p.Days, k) || !holds(p, minute) {
			continue
		}
		// What holds after midnight began the evening before, if that was such a day too.
		if before := d.plus(-1); p.Until <= p.From && minute < p.Until && slices.Contains(p.Days, kind(c.v, before)) {
			return occurrence{i, before}
		}
		return occurrence{i, d}
	}
	// Check refuses a plan with a gap; a period that costs nothing is the mild answer.
	return occurrence{-1, d}
}

// holds reports whether a day of the period's has the minute in it.
func holds(p gatehouse.Period, minute int) bool {
	if p.From < p.Until {
		return p.From <= minute && minute < p.Until
	}
	return minute < p.Until || p.From <= minute
}

// ends returns when o, which holds at t, is over.
func (c *calendar) ends(o occurrence, t time.Time) time.Time {
	first := dateOf(t.In(c.v.Zone))
	// An occurrence is over by the midnight after the next, and two days more are
	// looked at than any can last.
	for days := range 4 {
		d := first.plus(days)
		var next []time.Time
		for _, b := range c.bounds {
			next = append(next, instants(d, b, c.v.Zone)...)
		}
		slices.SortFunc(next, time.Time.Compare)
		for _, u := range next {
			if u.After(t) && c.at(u) != o {
				return u
			}
		}
	}
	return t.Add(24 * time.Hour)
}

// dayOf returns the day that t counts to, where days begin at a minute after midnight.
func dayOf(t time.Time, begins int, zone *time.Location) date {
	local := t.In(zone)
	d := dateOf(local)
	if local.Hour()*60+local.Minute() < begins {
		return d.plus(-1)
	}
	return d
}
