package attendance

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"gatehouse"
)

// Problem is what is wrong with an input, and where. It quotes nothing personal.
type Problem struct {
	Line   int    // of the table; 0 for none
	Code   string // stable: "shift.length"
	Reason string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Code + ": " + p.Reason
	}
	return "line " + strconv.Itoa(p.Line) + ": " + p.Code + ": " + p.Reason
}

// CheckShifts finds shifts that nobody could work, in the order of the table.
func CheckShifts(shifts []gatehouse.Shift) (found []Problem) {
	seen := map[gatehouse.ShiftID]bool{}
	for _, s := range shifts {
		if err := gatehouse.CheckName(string(s.ID)); err != nil {
			found = append(found, Problem{s.Line, "shift.name", "use 1 to 40 lower-case letters, digits and hyphens"})
		} else if seen[s.ID] {
			found = append(found, Problem{s.Line, "shift.twice", "shift " + string(s.ID) + " is there twice"})
		}
		seen[s.ID] = true
		if why := checkShift(s); why != "" {
			found = append(found, Problem{s.Line, "shift.malformed", "shift " + string(s.ID) + " " + why})
		}
	}
	return found
}

// checkShift says what is wrong with a shift; "" for nothing.
func checkShift(s gatehouse.Shift) string {
	switch {
	case s.Kind != gatehouse.FixedShift && s.Kind != gatehouse.FlexibleShift && s.Kind != gatehouse.OpenShift:
		return "is neither fixed, flexible nor open"
	case s.Kind == gatehouse.OpenShift && len(s.Parts)+len(s.Core) > 0:
		return "is open and has times"
	case s.Kind == gatehouse.OpenShift && (s.Due < 0 || s.Due > 1440):
		return "is due for less than nothing or more than 24 hours"
	case s.Kind == gatehouse.OpenShift:
		return checkBreaks(s, 0, 2880)
	case len(s.Parts) == 0:
		return "has no times"
	case s.Kind == gatehouse.FlexibleShift && len(s.Parts) > 1:
		return "is flexible and has several frames"
	}
	end := -1
	for _, p := range s.Parts {
		switch {
		case p.From < 0 || p.From >= 2880 || p.Until < 0:
			return "has a time that is no time of the day"
		case p.Until == p.From:
			return "has a part of zero hours"
		case p.Until < p.From:
			return "has a part that ends before it begins: write the end of a night as 24 hours more"
		case p.From < end:
			return "has parts that overlap or are out of order"
		}
		end = p.Until
	}
	if s.Parts[0].From >= 1440 {
		return "begins on the day after"
	}
	if long := end - s.Parts[0].From; long > 1440 {
		return fmt.Sprintf("spans %s hours: 24 are the most", gatehouse.HoursMinutes(long))
	}
	for _, k := range s.Core {
		if k.Until <= k.From || k.From < s.Parts[0].From || k.Until > end {
			return "has a core outside of its frame"
		}
	}
	if s.Kind == gatehouse.FlexibleShift && (s.Due < 1 || s.Due > end-s.Parts[0].From) {
		return "is due for nothing, or for more than its frame holds"
	}
	if s.Kind == gatehouse.FixedShift && len(s.Core) > 0 {
		return "is fixed and has a core"
	}
	return checkBreaks(s, s.Parts[0].From, end)
}

func checkBreaks(s gatehouse.Shift, from, until int) string {
	for _, b := range s.Breaks {
		fixed := b.From != 0 || b.Until != 0
		switch {
		case fixed && (b.Until <= b.From || b.From < from || b.Until > until):
			return "has a break outside of its times"
		case fixed && s.Kind == gatehouse.OpenShift:
			return "is open and has a break at a fixed time"
		case !fixed && (b.Minutes <= 0 || b.Minutes > 480 || b.After < 0):
			return "has a break of no length"
		}
	}
	return ""
}

// CheckRoster finds entries that name what is not there, and those of one person or group
// that plan the same day differently: nothing decides between them.
func CheckRoster(roster []gatehouse.RosterEntry, shifts map[gatehouse.ShiftID]gatehouse.Shift) (found []Problem) {
	var ok []entry
	for i := range roster {
		e := &roster[i]
		bad := func(code, reason string) { found = append(found, Problem{e.Line, code, reason}) }
		from, isDate := dayOf(e.From)
		until, last := day(1<<30), true
		if e.Until != "" {
			until, last = dayOf(e.Until)
		}
		cycle, begins := cycleOf(e, from)
		switch {
		case !isDate || !last || !begins:
			bad("roster.date", "write dates as 2026-12-25")
		case until < from:
			bad("roster.order", "it ends before it begins")
		case (e.Group == "") == e.Who.IsZero():
			bad("roster.who", "it is for one group or one person")
		case len(e.Pattern) == 0 || len(e.Pattern) > 366:
			bad("roster.pattern", "the pattern has 1 to 366 days")
		case e.Kind != gatehouse.StandingRoster && e.Kind != gatehouse.SwapRoster:
			bad("roster.kind", "it is neither standing nor a swap")
		case slices.ContainsFunc(e.Pattern, func(s gatehouse.ShiftID) bool { _, there := shifts[s]; return s != "" && !there }):
			bad("roster.shift", "it names a shift that is not there")
		default:
			ok = append(ok, entry{RosterEntry: e, from: from, until: until, cycle: cycle})
		}
	}
	for k := range ok {
		for i := range k {
			a, b := &ok[i], &ok[k]
			if a.Kind != b.Kind || a.Group != b.Group || !bytes.Equal(a.Who[:], b.Who[:]) {
				continue
			}
			if d, clash := firstClash(a, b); clash {
				found = append(found, Problem{b.Line, "roster.overlap", fmt.Sprintf("it plans %s differently than line %d does", d.date(), a.Line)})
			}
		}
	}
	return found
}

// firstClash is the first day that two entries plan differently. Two patterns repeat
// together after at most as many days as their lengths multiplied.
func firstClash(a, b *entry) (day, bool) {
	from, until := max(a.from, b.from), min(a.until, b.until)
	until = min(until, from+day(len(a.Pattern)*len(b.Pattern))-1)
	for d := from; d <= until; d++ {
		if a.of(d) != b.of(d) || a.Zone != b.Zone || a.FollowsCalendar != b.FollowsCalendar {
			return d, true
		}
	}
	return 0, false
}

// CheckRules finds figures that mean nothing.
func CheckRules(r gatehouse.AttendanceRules) (found []Problem) {
	bad := func(code, reason string) { found = append(found, Problem{Code: code, Reason: reason}) }
	if !slices.Contains([]gatehouse.Pairing{"", gatehouse.ByDirection, gatehouse.FirstLast, gatehouse.Toggling}, r.Pairing) {
		bad("rules.pairing", "pairing is direction, first_last or toggle")
	}
	for _, x := range []gatehouse.PunchRounding{r.RoundIn, r.RoundOut} {
		if x.To != 0 && (x.To < 0 || x.To > 60 || 60%x.To != 0 || x.Mode != gatehouse.ToNearest && x.Mode != gatehouse.ToLater && x.Mode != gatehouse.ToEarlier) {
			bad("rules.rounding", "round to minutes that divide an hour; nearest, later or earlier")
		}
	}
	for _, n := range []int{r.DuplicateWithin, r.TravelWithin, r.GraceIn.Early, r.GraceIn.Late, r.GraceOut.Early, r.GraceOut.Late} {
		if n < 0 || n > mostGrace {
			bad("rules.minutes", "graces, duplicates and travel are 0 to 240 minutes")
			break
		}
	}
	if r.Longest < 0 || r.Longest > mostLongest || r.DayBegins < 0 || r.DayBegins > mostBegins {
		bad("rules.day", "the longest stay is at most 48 hours, and a day begins between 0:00 and 12:00")
	}
	for _, t := range r.Overtime {
		if _, ok := tierRules[t.Scope]; !ok || t.Code == "" || t.After < 0 || t.Rate < 1 || t.Rate > 100000 {
			bad("rules.overtime", "a tier has a code, a scope, minutes of 0 or more, and a rate between 0.01 % and 1,000 %")
		}
	}
	return found
}
