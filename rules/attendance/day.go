package attendance

import (
	"time"

	"gatehouse"
)

// day is a date as days since 1970-01-01.
type day int32

// dayOf reads a date; false for what is none.
func dayOf(d gatehouse.Date) (day, bool) {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return 0, false
	}
	return day(t.Unix() / 86400), true
}

func (d day) civil() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

func (d day) date() gatehouse.Date { return gatehouse.DateOf(d.civil()) }

// weekday is counted from the days themselves: 1970-01-01 was a Thursday.
func (d day) weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

func (d day) weekStart(begins time.Weekday) day {
	return d - day((int(d.weekday())-int(begins)+7)%7)
}

func (d day) monthStart() day { return d - day(d.civil().Day()-1) }

func (d day) midnight(zone *time.Location) time.Time {
	t := d.civil()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// clock tells the time of a place. It remembers the offset of a stretch of time without
// a change, since asking the zone for each minute costs more than the rest of a day.
type clock struct {
	zone        *time.Location
	from, until int64 // seconds between which offset holds
	offset      gatehouse.Minute
}

// offsetAt is how many minutes local time is ahead of UTC.
func (c *clock) offsetAt(m gatehouse.Minute) gatehouse.Minute {
	s := int64(m) * 60
	if s >= c.from && s < c.until {
		return c.offset
	}
	t := time.Unix(s, 0).In(c.zone)
	_, off := t.Zone()
	start, end := t.ZoneBounds()
	c.from, c.until = -1<<62, 1<<62
	if !start.IsZero() {
		c.from = start.Unix()
	}
	if !end.IsZero() {
		c.until = end.Unix()
	}
	c.offset = gatehouse.Minute(off / 60)
	return c.offset
}

// at is the moment at which the clock on the wall shows so many minutes after the day's
// midnight (RFC 5545 3.3.5): the first where it shows that twice; where it skips that, as
// much later as it skips.
func (c *clock) at(d day, minute int) gatehouse.Minute {
	naive := gatehouse.Minute(d)*1440 + gatehouse.Minute(minute)
	before := c.offsetAt(naive - 1440)
	m := naive - before
	if c.offsetAt(m) == before {
		return m
	}
	after := c.offsetAt(naive + 1440)
	if later := naive - after; c.offsetAt(later) == after {
		return later
	}
	return m
}

// local is the day that a moment falls on.
func (c *clock) local(m gatehouse.Minute) day {
	n := m + c.offsetAt(m)
	if n < 0 {
		n -= 1439
	}
	return day(n / 1440)
}

// round moves a moment to a multiple of r.To minutes of the clock on the wall.
func (c *clock) round(m gatehouse.Minute, r gatehouse.PunchRounding) gatehouse.Minute {
	if r.To <= 1 {
		return m
	}
	to := gatehouse.Minute(r.To)
	over := (m + c.offsetAt(m)) % to
	switch {
	case over == 0 || r.Mode == gatehouse.ToEarlier:
		return m - over
	case r.Mode == gatehouse.ToLater || 2*over >= to:
		return m - over + to
	}
	return m - over
}
