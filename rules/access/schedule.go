package access

import (
	"time"

	"gatehouse"
)

const minutesADay = 24 * 60

// Open reports whether the schedule holds at the moment now, which is in the site's time
// zone: what counts is what the clock on the wall says. A window begins with its first
// minute and ends before its last; one that goes over midnight belongs to the day on
// which it begins. A schedule that does not exist is closed.
func Open(name string, c gatehouse.Calendar, now time.Time) bool {
	if name == Always {
		return true
	}
	s, ok := c.Schedules[name]
	if !ok {
		return false
	}
	minute := now.Hour()*60 + now.Minute()
	return holds(s, c, noon(now), minute) || holds(s, c, noon(now).AddDate(0, 0, -1), minute+minutesADay)
}

// noon is a moment of t's day that its calendar has, whatever its clock is set to, for
// counting days.
func noon(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
}

// holds reports whether one of the day's spans has the minute after its midnight.
func holds(s gatehouse.Schedule, c gatehouse.Calendar, day time.Time, minute int) bool {
	for _, span := range spansOf(s, c, day) {
		if span.From <= minute && minute < span.Until {
			return true
		}
	}
	return false
}

// spansOf are the spans that begin on a day: those of the date itself, or the week's
// where it is no holiday.
func spansOf(s gatehouse.Schedule, c gatehouse.Calendar, day time.Time) (spans []gatehouse.Span) {
	date := gatehouse.DateOf(day)
	for _, d := range s.Days {
		if d.Date == date {
			return d.Spans
		}
	}
	if _, holiday := c.Holidays[date]; holiday && !s.OnHolidays {
		return nil
	}
	for _, w := range s.Windows {
		if w.Day == day.Weekday() {
			spans = append(spans, gatehouse.Span{From: w.From, Until: w.Until})
		}
	}
	return spans
}

// lookAhead is how many days Next looks at: more than a year, for a schedule that holds
// on one date.
const lookAhead = 400

// Next is the first whole minute after now at which the schedule holds; zero where it
// holds now or does not within 400 days.
func Next(name string, c gatehouse.Calendar, now time.Time) time.Time {
	s, ok := c.Schedules[name]
	if !ok || Open(name, c, now) {
		return time.Time{}
	}
	for days := range lookAhead {
		day := noon(now).AddDate(0, 0, days)
		var first time.Time
		for _, span := range spansOf(s, c, day) {
			if at := opening(name, c, day, span, now); !at.IsZero() && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
		if !first.IsZero() {
			return first
		}
	}
	return time.Time{}
}

// opening is the first minute of a day's span that is after now and at which the schedule
// holds; zero for none.
func opening(name string, c gatehouse.Calendar, day time.Time, span gatehouse.Span, now time.Time) time.Time {
	y, m, d := day.Date()
	for minute := span.From; minute < span.Until; minute++ {
		for _, at := range moments(time.Date(y, m, d, 0, minute, 0, 0, time.UTC), now.Location()) {
			if at.After(now) && Open(name, c, at) {
				return at
			}
		}
	}
	return time.Time{}
}

// moments are when the clock on the wall shows a minute, in order: once, and not at all or
// twice where the clock is put forward or back. Clocks are moved by an hour, and by half of
// one at Lord Howe.
func moments(wall time.Time, local *time.Location) (all []time.Time) {
	y, m, d := wall.Date()
	near := time.Date(y, m, d, wall.Hour(), wall.Minute(), 0, 0, local)
	for _, by := range []time.Duration{-time.Hour, -30 * time.Minute, 0, 30 * time.Minute, time.Hour} {
		at := near.Add(by)
		if ay, am, ad := at.Date(); ay == y && am == m && ad == d && at.Hour() == wall.Hour() && at.Minute() == wall.Minute() {
			all = append(all, at)
		}
	}
	return all
}

// CheckWindow refuses what is no span of a day. It fails with schedule.window.
func CheckWindow(s gatehouse.Span) error {
	if s.From < 0 || s.From >= minutesADay || s.Until <= s.From || s.Until > s.From+minutesADay {
		return gatehouse.Errorf("schedule.window", "write it as 07:00-19:00; 22:00-06:00 goes over midnight", "this is no span of a day")
	}
	return nil
}
