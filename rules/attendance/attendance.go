// Package attendance turns punches into hours: pure functions over values. A recalculation
// depends on nothing but its input, is the same in whatever order the punches arrived,
// and gives the same days whatever period they are asked for in.
//
// Every minute between a day's first and last paired punch is one entry's, which names
// the two punches and the rule. What is not certain is an exception for a person, and no
// minute: a missing punch is never guessed.
package attendance

import (
	"slices"
	"time"

	"gatehouse"
)

// Input is all that somebody's hours depend on.
type Input struct {
	Subject gatehouse.SubjectID
	// From and Until are the days that are asked for, both included.
	From, Until gatehouse.Date
	// Punches in any order, at least those within Reach. One that is there twice counts once.
	Punches []gatehouse.Punch
	// Roster are the entries of the subject and of their groups.
	Roster   []gatehouse.RosterEntry
	Shifts   map[gatehouse.ShiftID]gatehouse.Shift
	Rules    gatehouse.AttendanceRules
	Calendar gatehouse.WorkCalendar
	Leave    []gatehouse.Leave
	// Zone is the site's time zone; Zones has those that roster entries name.
	Zone  *time.Location
	Zones map[string]*time.Location
	// Now is the moment that is calculated at: a shift that has not ended lacks nothing yet,
	// and a punch after it is none.
	Now time.Time
}

// MostDays is the longest period that is calculated at once.
const MostDays = 800

// defaultLongest is how long somebody may be there at a stretch where the rules do not say.
const defaultLongest = 16 * 60

// The bounds of a site's figures, in minutes.
const (
	mostGrace   = 240
	mostLongest = 2880
	mostBegins  = 720
)

// Reach says which punches a recalculation needs: weeks are counted whole, and a shift
// may end on the day after. Errors: attendance.period.
func Reach(in Input) (from, until time.Time, err error) {
	first, last, err := in.days()
	if err != nil {
		return time.Time{}, time.Time{}, err
	}
	return (first - 3).midnight(in.Zone), (last + 3).midnight(in.Zone), nil
}

// days gives the first day whose hours have to be known, and the last.
func (in Input) days() (first, last day, err error) {
	from, ok := dayOf(in.From)
	until, ok2 := dayOf(in.Until)
	if !ok || !ok2 || until < from || until-from >= MostDays || in.Zone == nil {
		return 0, 0, gatehouse.Errorf("attendance.period", "give two dates as 2026-11-01, not more than 800 days apart, and a time zone", "there is no such period")
	}
	first = from.weekStart(in.Rules.WeekBegins)
	if n := in.Rules.Limits.AverageWeeks; n > 1 {
		first -= day(7 * (n - 1))
	}
	if in.Rules.Limits.OvertimeMonth > 0 {
		first = min(first, from.monthStart().weekStart(in.Rules.WeekBegins))
	}
	return first, until, nil
}

// Recalculate gives the hours of a period. Errors: attendance.period; whatever else is
// wrong with the input is an exception of its day, and Check finds it beforehand.
func Recalculate(in Input) (gatehouse.Timesheet, error) {
	sheet, _, err := recalculate(in)
	return sheet, err
}

// Never is when nothing of hours changes by time alone.
const Never gatehouse.Minute = 1 << 60

// recalculate says besides from which minute on the hours are others by time alone: a shift
// will have ended, a week will be over.
func recalculate(in Input) (gatehouse.Timesheet, gatehouse.Minute, error) {
	first, last, err := in.days()
	if err != nil {
		return gatehouse.Timesheet{}, Never, err
	}
	from, _ := dayOf(in.From)
	c := calculation{Input: in, from: from, first: first, last: last, now: gatehouse.MinuteOf(in.Now), next: Never}
	c.Rules = meaningful(c.Rules)
	c.plan()
	c.sortPunches()
	c.assign()
	sheet := gatehouse.Timesheet{Subject: in.Subject, From: in.From, Until: in.Until, Rules: in.Rules.Name, Days: make([]gatehouse.TimesheetDay, 0, last-from+1)}
	for i := range c.plans[margin : len(c.plans)-1] {
		d := c.day(margin + i)
		if c.plans[margin+i].day >= from {
			sheet.Days = append(sheet.Days, d)
		}
	}
	return sheet, c.next, nil
}

// passed reports whether it is t or later. It is the only way to ask what time it is, so
// that what is to come is known.
func (c *calculation) passed(t gatehouse.Minute) bool {
	if c.now >= t {
		return true
	}
	c.next = min(c.next, t)
	return false
}

// meaningful is the rules with nothing in place of figures that CheckRules refuses: they
// must not move a day out of the calendar.
func meaningful(r gatehouse.AttendanceRules) gatehouse.AttendanceRules {
	for _, n := range []*int{&r.DuplicateWithin, &r.TravelWithin, &r.GraceIn.Early, &r.GraceIn.Late, &r.GraceOut.Early, &r.GraceOut.Late} {
		if *n < 0 || *n > mostGrace {
			*n = 0
		}
	}
	for _, x := range []*gatehouse.PunchRounding{&r.RoundIn, &r.RoundOut} {
		if x.To < 0 || x.To > 60 || x.To > 0 && 60%x.To != 0 {
			x.To = 0
		}
	}
	if r.Longest <= 0 || r.Longest > mostLongest {
		r.Longest = defaultLongest
	}
	if r.DayBegins < 0 || r.DayBegins > mostBegins {
		r.DayBegins = 0
	}
	return r
}

// margin is how many days before the first are planned: what was worked late on them may
// reach into it, and daily rest looks back at them.
const margin = 1

// warmUp is how many days before the first are calculated besides.
const warmUp = 2

// calculation is one recalculation at work.
type calculation struct {
	Input
	from, first, last day
	now, next         gatehouse.Minute // next is the first to come that was asked for
	zone              clock

	plans    []plan // from first-warmUp-margin to last+1
	punches  []punch
	holidays map[day]gatehouse.DayClass
	shifts   map[gatehouse.ShiftID]*gatehouse.Shift // nil for what cannot be worked

	// What carries over from day to day.
	week    weekCount
	counted gatehouse.Minute // until here minutes are counted: none is twice
	// countedBefore is what counted was before the day.
	countedBefore gatehouse.Minute
	lastOut       gatehouse.Minute
	extended      int   // the day's overtime on a working day
	weeks         []int // worked, of whole weeks
	monthOver     int   // overtime of the calendar month so far
	month         int

	// Scratch, used again for each day.
	pairs    []pair
	segments []segment
	spare    []segment
	leave    []span
}

// weekCount is what a week has come to.
type weekCount struct {
	start   day
	regular int
	worked  int
	streak  int // days in a row from its first
	rest    int // the longest piece without work
	free    gatehouse.Minute
}

// day calculates the day of c.plans[i].
func (c *calculation) day(i int) gatehouse.TimesheetDay {
	p := &c.plans[i]
	c.beginWeek(p)
	d := gatehouse.TimesheetDay{Date: p.day.date(), Kind: p.kind}
	if p.clash {
		d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: gatehouse.RosterClash})
	}
	if p.unknown {
		d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: gatehouse.ShiftUnknown})
	}
	if p.shift != nil {
		d.Shift = p.shift.ID
	}
	c.countedBefore = c.counted
	unpaired := c.pair(p, &d)
	c.count(p)
	c.takeBreaks(p)
	d.Due = p.due - c.takeLeave(p, &d)
	c.classify(p, &d)
	c.punctuality(p, &d, unpaired)
	c.limits(p, &d)
	slices.SortStableFunc(d.Entries, byTime)
	return d
}

func byTime(a, b gatehouse.TimeEntry) int {
	switch {
	case a.From != b.From:
		return int(a.From - b.From)
	case a.Until != b.Until:
		return int(a.Until - b.Until)
	}
	return 0
}
