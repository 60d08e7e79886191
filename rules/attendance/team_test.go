package attendance

import (
	"testing"
	"time"

	"gatehouse"
)

// Joining a team in the middle of its cycle does not move the cycle.
func TestForMemberKeepsTheCycle(t *testing.T) {
	e := gatehouse.RosterEntry{Kind: gatehouse.StandingRoster, Group: "night", From: "2026-11-02", Pattern: []gatehouse.ShiftID{"a", "b", "", "c"}}
	own, ok := ForMember(e, "2026-11-04", "2026-11-20")
	if !ok || own.From != "2026-11-04" || own.Until != "2026-11-20" {
		t.Fatalf("%+v, %v", own, ok)
	}
	for d := gatehouse.Date("2026-11-04"); d <= "2026-11-12"; d = next(d) {
		whole, part := shiftOn(e, d), shiftOn(own, d)
		if whole != part {
			t.Errorf("on %s the team has %q and its member %q", d, whole, part)
		}
	}
	if _, ok := ForMember(gatehouse.RosterEntry{From: "2026-11-02", Until: "2026-11-03"}, "2026-11-04", ""); ok {
		t.Error("an entry that ended before counts")
	}
}

func next(d gatehouse.Date) gatehouse.Date {
	n, _ := dayOf(d)
	return (n + 1).date()
}

func shiftOn(e gatehouse.RosterEntry, d gatehouse.Date) gatehouse.ShiftID {
	shifts := map[gatehouse.ShiftID]gatehouse.Shift{}
	for _, s := range e.Pattern {
		shifts[s] = gatehouse.Shift{ID: s, Kind: gatehouse.OpenShift, Due: 60}
	}
	n, _ := dayOf(d)
	got, _ := Input{Roster: []gatehouse.RosterEntry{e}, Shifts: shifts, Zone: time.UTC}.planned(n)
	return got.id
}

// Each day is counted under the rules that were in force on it, and each once.
func TestWithRulesThatChange(t *testing.T) {
	who := gatehouse.RandomID()
	in := Input{Subject: who, From: "2026-11-02", Until: "2026-11-05", Zone: time.UTC, Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	for day := 2; day <= 5; day++ {
		for _, hour := range []int{8, 18} {
			at := time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC)
			dir := gatehouse.In
			if hour == 18 {
				dir = gatehouse.Out
			}
			in.Punches = append(in.Punches, gatehouse.Punch{ID: gatehouse.NewID(at), Subject: who, Direction: dir, At: at, Made: at})
		}
	}
	late := gatehouse.AttendanceRules{Name: "late", Overtime: []gatehouse.OvertimeTier{{Code: "overtime", Scope: gatehouse.OverDay, After: 480, Rate: 15000}}}
	for _, c := range []struct {
		from     gatehouse.Date
		overtime int
	}{{"", 480}, {"2026-10-01", 480}, {"2026-11-02", 480}, {"2026-11-04", 240}, {"2026-11-05", 120}, {"2026-11-06", 0}} {
		sheet, err := WithRules(in, []RulesFrom{{c.from, late}})
		if err != nil {
			t.Fatal(err)
		}
		overtime, all := 0, 0
		for _, x := range Totals(sheet) {
			all += x.Minutes
			if x.Code == "overtime" {
				overtime += x.Minutes
			}
		}
		if overtime != c.overtime || all != 2400 || len(sheet.Days) != 4 {
			t.Errorf("from %q: %d of overtime, %d in all, %d days", c.from, overtime, all, len(sheet.Days))
		}
	}
	if _, err := WithRules(Input{From: "2026-11-05", Until: "2026-11-02", Zone: time.UTC}, nil); gatehouse.ErrorCode(err) != "attendance.period" {
		t.Errorf("a period that ends before it begins: %v", err)
	}
}
