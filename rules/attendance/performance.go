package attendance

import (
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

// TeamSheet is one person's timesheet, and the team that it counts for.
type TeamSheet struct {
	Team  gatehouse.GroupID
	Sheet gatehouse.Timesheet
}

// Performance adds timesheets up by team, in the order of their names, and over all of them.
// Teams of fewer than SmallGroup people are hidden, and are in no sum: with the sum and the
// other teams, one hidden team's figures would be known.
func Performance(sheets []TeamSheet) (teams []TeamFigures, all TeamFigures) {
	byTeam := map[gatehouse.GroupID]*TeamFigures{}
	days := map[gatehouse.GroupID]map[gatehouse.Date]*StaffingDay{}
	for _, s := range sheets {
		f := byTeam[s.Team]
		if f == nil {
			f = &TeamFigures{Team: s.Team}
			byTeam[s.Team], days[s.Team] = f, map[gatehouse.Date]*StaffingDay{}
		}
		f.People++
		for i := range s.Sheet.Days {
			d := &s.Sheet.Days[i]
			one := days[s.Team][d.Date]
			if one == nil {
				one = &StaffingDay{Date: d.Date}
				days[s.Team][d.Date] = one
			}
			f.add(d, one)
		}
	}
	for team, f := range byTeam {
		if f.People < SmallGroup {
			teams = append(teams, TeamFigures{Team: team, People: f.People, Hidden: true})
			continue
		}
		for _, d := range days[team] {
			f.Days = append(f.Days, *d)
		}
		slices.SortFunc(f.Days, func(a, b StaffingDay) int { return strings.Compare(string(a.Date), string(b.Date)) })
		teams = append(teams, *f)
		all.merge(f)
	}
	slices.SortFunc(teams, func(a, b TeamFigures) int { return strings.Compare(string(a.Team), string(b.Team)) })
	slices.SortFunc(all.Days, func(a, b StaffingDay) int { return strings.Compare(string(a.Date), string(b.Date)) })
	return teams, all
}

func (f *TeamFigures) add(d *gatehouse.TimesheetDay, one *StaffingDay) {
	if d.Shift != "" && d.Due > 0 {
		f.Planned++
		one.Planned++
		if d.Worked > 0 || len(d.Punches) > 0 { // a missing punch is no absence
			one.Came++
		}
	}
	f.Due += d.Due
	f.Worked += d.Worked
	one.Minutes += d.Worked
	for _, e := range d.Entries {
		switch {
		case e.Paid() && e.Code != gatehouse.Regular && e.Code != "":
			f.Overtime += e.Minutes()
			one.Overtime += e.Minutes()
		case e.Kind == gatehouse.OnLeave:
			f.OnLeave += e.Minutes()
		}
	}
	var late, early, missed bool
	for _, e := range d.Exceptions {
		switch e.Kind {
		case gatehouse.LateIn:
			late = true
			f.LateMinutes += e.Minutes
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
	count(&f.Late, late)
	count(&f.Early, early)
	count(&f.Missed, missed)
}

// merge adds another team's figures.
func (f *TeamFigures) merge(o *TeamFigures) {
	f.People += o.People
	for _, n := range [][2]*int{{&f.Planned, &o.Planned}, {&f.Late, &o.Late}, {&f.Early, &o.Early}, {&f.Missed, &o.Missed}, {&f.LateMinutes, &o.LateMinutes}, {&f.Due, &o.Due},
		{&f.Worked, &o.Worked}, {&f.Overtime, &o.Overtime}, {&f.OnLeave, &o.OnLeave}} {
		*n[0] += *n[1]
	}
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
