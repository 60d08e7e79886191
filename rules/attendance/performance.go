package attendance

import (
	"math"
	"slices"
	"strings"

	"gatehouse"
)

// SmallGroup is how many people a group has at least whose figures are shown: of fewer, a
// figure would be somebody's.
const SmallGroup = 5

// TeamFigures are a team's hours of some days. They add up over people, and rank nobody.
type TeamFigures struct {
	Team   gatehouse.GroupID
	People int
	// Hidden says that the team is too small: all else is zero.
	Hidden                bool
	Planned               int // shifts that were due
	Late, Early, Missed   int // shifts with it
	LateMinutes           int
	Due, Worked, Overtime int // minutes
	OnLeave               int // minutes
	Days                  []StaffingDay
}

// StaffingDay is how many people a day was planned with, and how many came.
type StaffingDay struct {
	Date              gatehouse.Date
	Planned, Came     int
	Overtime, Minutes int
}

// Figures are one person's part of a team's, small enough to be remembered for everybody.
// They are shown to nobody but within a team's.
type Figures struct {
	sum  TeamFigures // without days
	days []figuresDay
}

// figuresDay is one day of Figures; no day has as many minutes as an int16 holds.
type figuresDay struct {
	planned, came     bool
	minutes, overtime int16
}

// TeamPart are one person's figures, and the team that they count for.
type TeamPart struct {
	Team gatehouse.GroupID
	Figures
}

// Performance adds figures of the days from first on up by team, in the order of their
// names, and over all of them. Teams of fewer than SmallGroup people are hidden, and are in
// no sum: with the sum and the other teams, one hidden team's figures would be known.
func Performance(first gatehouse.Date, people []TeamPart) (teams []TeamFigures, all TeamFigures) {
	byTeam := map[gatehouse.GroupID]*TeamFigures{}
	begin, _ := dayOf(first)
	for _, p := range people {
		f := byTeam[p.Team]
		if f == nil {
			f = &TeamFigures{Team: p.Team}
			byTeam[p.Team] = f
		}
		for i := len(f.Days); i < len(p.days); i++ {
			f.Days = append(f.Days, StaffingDay{Date: (begin + day(i)).date()})
		}
		f.add(&p.sum)
		for i, d := range p.days {
			f.Days[i].add(d)
		}
	}
	for team, f := range byTeam {
		if f.People < SmallGroup {
			teams = append(teams, TeamFigures{Team: team, People: f.People, Hidden: true})
			continue
		}
		teams = append(teams, *f)
		all.merge(f)
	}
	slices.SortFunc(teams, func(a, b TeamFigures) int { return strings.Compare(string(a.Team), string(b.Team)) })
	slices.SortFunc(all.Days, func(a, b StaffingDay) int { return strings.Compare(string(a.Date), string(b.Date)) })
	return teams, all
}

// FiguresOf are those of one person's timesheet.
func FiguresOf(s gatehouse.Timesheet) Figures {
	f := Figures{sum: TeamFigures{People: 1}, days: make([]figuresDay, len(s.Days))}
	for i := range s.Days {
		f.count(&s.Days[i], &f.days[i])
	}
	return f
}

func (f *Figures) count(d *gatehouse.TimesheetDay, one *figuresDay) {
	sum := &f.sum
	if d.Shift != "" && d.Due > 0 {
		sum.Planned++
		one.planned = true
		one.came = d.Worked > 0 || len(d.Punches) > 0 // a missing punch is no absence
	}
	sum.Due += d.Due
	sum.Worked += d.Worked
	one.minutes = int16(min(d.Worked, math.MaxInt16))
	over := 0
	for _, e := range d.Entries {
		switch {
		case e.Paid() && e.Code != gatehouse.Regular && e.Code != "":
			over += e.Minutes()
		case e.Kind == gatehouse.OnLeave:
			sum.OnLeave += e.Minutes()
		}
	}
	sum.Overtime += over
	one.overtime = int16(min(over, math.MaxInt16))
	var late, early, missed bool
	for _, e := range d.Exceptions {
		switch e.Kind {
		case gatehouse.LateIn:
			late = true
			sum.LateMinutes += e.Minutes
		case gatehouse.EarlyOut:
			early = true
		case gatehouse.Absent:
			missed = true
		}
	}
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	count(&sum.Late, late)
	count(&sum.Early, early)
	count(&sum.Missed, missed)
}

func (s *StaffingDay) add(d figuresDay) {
	if d.planned {
		s.Planned++
	}
	if d.came {
		s.Came++
	}
	s.Minutes += int(d.minutes)
	s.Overtime += int(d.overtime)
}

// add adds what is no day's.
func (f *TeamFigures) add(o *TeamFigures) {
	f.People += o.People
	for _, n := range [][2]*int{{&f.Planned, &o.Planned}, {&f.Late, &o.Late}, {&f.Early, &o.Early}, {&f.Missed, &o.Missed}, {&f.LateMinutes, &o.LateMinutes}, {&f.Due, &o.Due},
		{&f.Worked, &o.Worked}, {&f.Overtime, &o.Overtime}, {&f.OnLeave, &o.OnLeave}} {
		*n[0] += *n[1]
	}
}

// merge adds another team's figures.
func (f *TeamFigures) merge(o *TeamFigures) {
	f.add(o)
	for _, d := range o.Days {
		i := slices.IndexFunc(f.Days, func(x StaffingDay) bool { return x.Date == d.Date })
		if i < 0 {
			f.Days = append(f.Days, d)
			continue
		}
		x := &f.Days[i]
		x.Planned, x.Came, x.Overtime, x.Minutes = x.Planned+d.Planned, x.Came+d.Came, x.Overtime+d.Overtime, x.Minutes+d.Minutes
	}
}
