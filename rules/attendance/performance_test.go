package attendance

import (
	"testing"

	"gatehouse"
)

// A team that is too small has no figures, and none of them can be had from the sum.
func TestPerformanceHidesSmallTeams(t *testing.T) {
	day := func(worked int, exceptions ...gatehouse.Exception) gatehouse.Timesheet {
		return gatehouse.Timesheet{Days: []gatehouse.TimesheetDay{{Date: "2026-11-02", Shift: "early", Due: 480, Worked: worked, Exceptions: exceptions,
			Entries: []gatehouse.TimeEntry{{Kind: gatehouse.Worked, Code: gatehouse.Regular, From: 0, Until: gatehouse.Minute(min(worked, 480))}, {Kind: gatehouse.Worked, Code: "overtime-150", From: 480, Until: gatehouse.Minute(max(worked, 480))}}}}}
	}
	var people []TeamPart
	for i := range 6 {
		people = append(people, TeamPart{"large", FiguresOf(day(480+10*i, gatehouse.Exception{Kind: gatehouse.LateIn, Minutes: 7}))})
	}
	for range SmallGroup - 1 {
		people = append(people, TeamPart{"small", FiguresOf(day(0, gatehouse.Exception{Kind: gatehouse.Absent, Minutes: 480}))})
	}
	teams, all := Performance("2026-11-02", people)
	if len(teams) != 2 || teams[0].Team != "large" || teams[1].Team != "small" {
		t.Fatalf("%+v", teams)
	}
	l := teams[0]
	if l.Hidden || l.People != 6 || l.Planned != 6 || l.Late != 6 || l.LateMinutes != 42 || l.Missed != 0 || l.Overtime != 150 || l.Worked != 6*480+150 || len(l.Days) != 1 || l.Days[0] != (StaffingDay{"2026-11-02", 6, 6, 150, 6*480 + 150}) {
		t.Errorf("%+v", l)
	}
	if s := teams[1]; !s.Hidden || s.Planned+s.Missed+s.Due != 0 || s.Days != nil {
		t.Errorf("a small team shows %+v", s)
	}
	if all.People != 6 || all.Missed != 0 || all.Due != l.Due {
		t.Errorf("the sum gives the small team away: %+v", all)
	}
}
