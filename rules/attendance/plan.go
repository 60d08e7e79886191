package attendance

import (
	"slices"

	"gatehouse"
)

// plan is what one day asks of somebody, in moments.
type plan struct {
	day            day
	kind           gatehouse.DayClass
	ordinary       gatehouse.DayClass // what it is where it is no holiday
	shift          *gatehouse.Shift   // nil for none
	clock          *clock
	zone           string // its name; "" for the site's
	parts, core    []span
	due            int
	clash, unknown bool

	// begins is when the day's punches begin, and punches are those between it and the next
	// day's.
	begins  gatehouse.Minute
	punches []punch
}

type span struct{ from, until gatehouse.Minute }

func (s span) minutes() int { return int(max(0, s.until-s.from)) }

func (s span) and(o span) span { return span{max(s.from, o.from), min(s.until, o.until)} }

func (s span) empty() bool { return s.until <= s.from }

// plan makes the days' plans, and where one day's punches end and the next one's begin.
func (c *calculation) plan() {
	c.zone = clock{zone: c.Zone}
	c.holidays = make(map[day]gatehouse.DayClass, len(c.Calendar.Days))
	for _, d := range c.Calendar.Days {
		if n, ok := dayOf(d.Date); ok {
			c.holidays[n] = d.Kind
		}
	}
	roster := c.entries()
	clocks := map[string]*clock{"": &c.zone}
	c.shifts = map[gatehouse.ShiftID]*gatehouse.Shift{}
	start := c.first - warmUp - margin
	c.plans = make([]plan, 0, c.last+1-start+1)
	for d := start; d <= c.last+1; d++ {
		c.plans = append(c.plans, c.planDay(d, roster, clocks))
	}
	c.begin()
}

// entry is a roster entry with its days.
type entry struct {
	*gatehouse.RosterEntry
	from, until day
	cycle       day // a day on which the pattern begins
	rank        int
}

// entries are the roster's, those that go before others first. The order of the input
// does not matter.
func (c *calculation) entries() []entry {
	var out []entry
	for i := range c.Roster {
		e := &c.Roster[i]
		if e.Group == "" && e.Who != c.Subject || len(e.Pattern) == 0 {
			continue
		}
		from, ok := dayOf(e.From)
		if !ok {
			continue
		}
		until := day(1 << 30)
		if e.Until != "" {
			if until, ok = dayOf(e.Until); !ok {
				continue
			}
		}
		rank := 2
		switch {
		case e.Kind == gatehouse.SwapRoster:
			rank = 0
		case e.Group == "":
			rank = 1
		}
		cycle, ok := cycleOf(e, from)
		if !ok {
			continue
		}
		out = append(out, entry{e, from, until, cycle, rank})
	}
	slices.SortStableFunc(out, func(a, b entry) int { return a.rank - b.rank })
	return out
}

// cycleOf is a day on which an entry's pattern begins.
func cycleOf(e *gatehouse.RosterEntry, from day) (day, bool) {
	if e.Cycle == "" {
		return from, true
	}
	return dayOf(e.Cycle)
}

func (c *calculation) planDay(d day, roster []entry, clocks map[string]*clock) plan {
	p := plan{day: d, clock: &c.zone}
	special := c.holidays[d]
	var found *entry
	for i := range roster {
		e := &roster[i]
		if d < e.from || d > e.until {
			continue
		}
		if found == nil {
			found = e
		} else if e.rank == found.rank {
			p.clash = p.clash || e.of(d) != found.of(d) || e.Zone != found.Zone || e.FollowsCalendar != found.FollowsCalendar
		}
	}
	var id gatehouse.ShiftID
	if found != nil && !p.clash {
		id = found.of(d)
		if found.FollowsCalendar {
			switch {
			case special == gatehouse.HolidayDay || special == gatehouse.RestDay:
				id = ""
			case special == gatehouse.WorkDay && id == "":
				id = found.first()
			}
		}
	}
	switch {
	case found != nil && id != "":
		p.ordinary = gatehouse.WorkDay
	case found != nil && !p.clash:
		p.ordinary = gatehouse.RestDay
	case special == gatehouse.RestDay || special == gatehouse.WorkDay:
		p.ordinary = special
	case slices.Contains(c.Calendar.Weekend, d.weekday()):
		p.ordinary = gatehouse.RestDay
	default:
		p.ordinary = gatehouse.WorkDay
	}
	if p.kind = p.ordinary; special == gatehouse.HolidayDay {
		p.kind = gatehouse.HolidayDay
	}
	if id == "" {
		return p
	}
	shift := c.shift(id)
	if shift == nil {
		p.unknown = true
		return p
	}
	if zone := found.Zone; zone != "" {
		if clocks[zone] == nil {
			loc := c.Zones[zone]
			if loc == nil {
				p.unknown = true
				return p
			}
			clocks[zone] = &clock{zone: loc}
		}
		p.clock, p.zone = clocks[zone], zone
	}
	p.shift = shift
	p.parts = spans(p.clock, d, shift.Parts)
	p.core = spans(p.clock, d, shift.Core)
	p.due = shift.Due
	if shift.Kind == gatehouse.FixedShift {
		p.due = 0
		for _, s := range p.parts {
			p.due += s.minutes()
		}
		p.due -= unpaidBreaks(shift.Breaks, p.due)
	}
	return p
}

// shift is the shift of that id; nil where there is none that can be worked.
func (c *calculation) shift(id gatehouse.ShiftID) *gatehouse.Shift {
	if s, asked := c.shifts[id]; asked {
		return s
	}
	var found *gatehouse.Shift
	if s, ok := c.Shifts[id]; ok && checkShift(s) == "" {
		found = &s
	}
	c.shifts[id] = found
	return found
}

// of is the entry's shift of a day; "" for a day off.
func (e *entry) of(d day) gatehouse.ShiftID {
	n := len(e.Pattern)
	return e.Pattern[(int(d-e.cycle)%n+n)%n]
}

// first is the pattern's first shift; "" where it has days off alone.
func (e *entry) first() gatehouse.ShiftID {
	for _, s := range e.Pattern {
		if s != "" {
			return s
		}
	}
	return ""
}

func spans(c *clock, d day, parts []gatehouse.ShiftPart) []span {
	if len(parts) == 0 {
		return nil
	}
	out := make([]span, len(parts))
	for i, p := range parts {
		out[i] = span{c.at(d, p.From), c.at(d, p.Until)}
	}
	return out
}

// unpaidBreaks is what a shift's breaks take of planned minutes.
func unpaidBreaks(breaks []gatehouse.ShiftBreak, planned int) (n int) {
	for _, b := range breaks {
		switch {
		case b.Paid:
		case b.Until > b.From:
			n += b.Until - b.From
		default:
			n += max(0, min(b.Minutes, planned-n-b.After))
		}
	}
	return n
}

// reachOut is how far from a shift punches still belong to it where the day before or
// after has none: half of the night's rest.
const reachOut = 6 * 60

// begin sets where each day's punches begin: between two shifts in the middle, else at
// the rules' hour, or as far from the one shift as it reaches.
func (c *calculation) begin() {
	for i := range c.plans {
		p := &c.plans[i]
		p.begins = c.zone.at(p.day, c.Rules.DayBegins)
		if len(p.parts) > 0 {
			p.begins = min(p.begins, p.parts[0].from-reachOut)
		}
		if i == 0 {
			continue
		}
		before := &c.plans[i-1]
		if len(before.parts) > 0 {
			end := before.parts[len(before.parts)-1].until
			if len(p.parts) > 0 {
				start := p.parts[0].from
				p.begins = end + (start-end)/2
			} else {
				p.begins = max(p.begins, end+reachOut)
			}
		}
		// Shifts of two time zones may lie anywhere to each other.
		p.begins = max(p.begins, before.begins)
	}
}
