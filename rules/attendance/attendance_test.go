package attendance

import (
	"slices"
	"testing"
	"time"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

// A day, by pairing, shift and rules; Monday 2026-03-02 everywhere.
func TestADay(t *testing.T) {
	none := gatehouse.Shift{}
	first := func(r *gatehouse.AttendanceRules) { r.Pairing = gatehouse.FirstLast }
	toggle := func(r *gatehouse.AttendanceRules) { r.Pairing = gatehouse.Toggling }
	dup := func(r *gatehouse.AttendanceRules) { r.DuplicateWithin = 3 }
	graced := func(r *gatehouse.AttendanceRules) {
		r.GraceIn, r.GraceOut = gatehouse.PunchGrace{Early: 30, Late: 5}, gatehouse.PunchGrace{Early: 5, Late: 10}
	}
	quarter := func(r *gatehouse.AttendanceRules) {
		r.RoundIn, r.RoundOut = gatehouse.PunchRounding{To: 15, Mode: gatehouse.ToLater}, gatehouse.PunchRounding{To: 15, Mode: gatehouse.ToEarlier}
	}
	rules := func(f ...func(*gatehouse.AttendanceRules)) func(*gatehouse.AttendanceRules) {
		return func(r *gatehouse.AttendanceRules) {
			for _, g := range f {
				g(r)
			}
		}
	}
	for _, c := range []struct {
		name    string
		shift   gatehouse.Shift
		punches string
		rules   func(*gatehouse.AttendanceRules)
		want    string
	}{
		{"by direction", none, "08:00 in, 12:00 out, 13:00 in, 17:00 out", nil, "8:00"},
		{"first and last", none, "08:00, 10:17, 12:00, 17:00", first, "9:00"},
		{"first and last ignore directions", none, "08:00 out, 17:00 in", first, "9:00"},
		{"toggling", none, "08:00, 12:00, 13:00, 17:00", toggle, "8:00"},
		{"toggling, one is missing", none, "08:00, 12:00, 13:00", toggle, "4:00 missing_punch"},
		{"no going", none, "08:00 in", nil, "0:00 missing_out"},
		{"no coming", none, "17:00 out", nil, "0:00 missing_in"},
		{"one punch of unknown direction", none, "17:00", first, "0:00 missing_punch"},
		{"a punch without a direction is not guessed", none, "08:00, 17:00 out", nil, "0:00 missing_in no_direction"},
		{"two comings", none, "08:00 in, 13:00 in, 17:00 out", nil, "4:00 missing_out"},
		{"duplicates", none, "08:00 in, 08:02 in, 17:00 out, 17:03 out", rules(dup), "9:03"},
		{"duplicates do not chain", none, "08:00, 08:02, 08:04, 17:00", rules(toggle, dup), "0:04 missing_punch"},
		{"punched twice, and nothing else", none, "08:00 in, 08:02 in", rules(first, dup), "0:00 missing_out"},
		{"too long", none, "06:00 in, 23:00 out", nil, "0:00 too_long(17:00)"},
		{"nobody came where nobody was planned", none, "", nil, "0:00"},

		{"the shift's break", office, "08:00 in, 17:00 out", nil, "8:00"},
		{"a punched break is not deducted again", office, "08:00 in, 12:00 out, 13:00 in, 17:00 out", nil, "8:00"},
		{"a punched break at another time", office, "08:00 in, 13:00 out, 14:00 in, 17:00 out", nil, "8:00"},
		{"half a break was punched", office, "08:00 in, 12:00 out, 12:30 in, 17:00 out", nil, "8:00"},
		{"a break too long", office, "08:00 in, 12:00 out, 13:30 in, 17:00 out", nil, "7:30 away(1:30)"},
		{"absent", office, "", nil, "0:00 absent(8:00)"},
		{"late", office, "08:20 in, 17:00 out", nil, "7:40 late(0:20)"},
		{"early", office, "08:00 in, 16:30 out", nil, "7:30 early(0:30)"},
		{"late with a missing going: said once, and no more", office, "08:20 in", nil, "0:00 late(0:20) missing_out"},
		{"who may have come in time is not late", office, "12:00 out, 13:00 in, 17:00 out", nil, "4:00 missing_in"},
		{"nor who may have come or gone", office, "17:00", first, "0:00 missing_punch"},
		{"nor by a punch without a direction", office, "08:00, 13:00 in, 17:00 out", nil, "4:00 no_direction"},
		{"late is late, also where a later punch is missing", office, "08:20 in, 12:00 out, 13:00 in", nil, "3:40 late(0:20) missing_out"},
		{"within the grace", office, "08:05 in, 16:55 out", graced, "8:00"},
		{"beyond the grace everything counts as it was", office, "08:06 in, 16:54 out", graced, "7:48 early(0:06) late(0:06)"},
		{"early coming within the grace does not count", office, "07:30 in, 17:10 out", graced, "8:00"},
		{"earlier still is work", office, "07:29 in, 17:11 out", graced, "8:42"},
		{"in the shift only", office, "06:00 in, 19:00 out", func(r *gatehouse.AttendanceRules) { r.InShiftOnly = true }, "8:00"},
		{"rounding by direction", none, "08:01 in, 16:59 out", quarter, "8:30"},
		{"rounding takes all of a short stay", none, "08:01 in, 08:14 out", quarter, "0:00"},
		{"grace goes before rounding", office, "08:05 in, 16:55 out", rules(quarter, graced), "8:00"},

		{"split, worked through", split, "08:00 in, 20:00 out", nil, "12:00"},
		{"split, worked through, by first and last", split, "08:00, 20:00", first, "8:00"},
		{"split, the second part missed", split, "08:00 in, 12:00 out", nil, "4:00 absent(4:00)"},
		{"split, late for the second part", split, "08:00 in, 12:00 out, 16:10 in, 20:00 out", nil, "7:50 late(0:10)"},

		{"flexible", flex, "09:30 in, 18:00 out", nil, "8:00"},
		{"flexible, into the core", flex, "10:15 in, 18:45 out", nil, "8:00 late(0:15)"},
		{"flexible, too short", flex, "09:00 in, 15:30 out", nil, "6:00 short(2:00)"},
		{"flexible, not deducted below what was worked", flex, "09:00 in, 15:10 out", nil, "6:00 short(2:00)"},
		{"flexible, outside of the frame", flex, "05:00 in, 13:00 out", nil, "6:30 early(2:00) short(1:30)"},
		{"open", open, "03:00 in, 04:30 out", nil, "1:30"},
	} {
		in := input(time.UTC, "2026-03-02", "2026-03-02", c.shift, punches(time.UTC, "2026-03-02 "+c.punches))
		if c.rules != nil {
			c.rules(&in.Rules)
		}
		expect(t, c.name, calculate(t, in), c.want)
	}
}

// A night belongs to the evening on which it begins, also where somebody comes early, goes
// late, or has no shift at all.
func TestNights(t *testing.T) {
	in := input(time.UTC, "2026-03-02", "2026-03-03", night, punches(time.UTC, "2026-03-02 21:40 in, +06:20 out; 2026-03-03 21:50 in, +06:05 out"))
	expect(t, "two nights", calculate(t, in), "8:40", "8:15")
	in.Rules.Pairing = gatehouse.FirstLast
	expect(t, "two nights, first and last", calculate(t, in), "8:40", "8:15")
	in = input(time.UTC, "2026-03-02", "2026-03-03", gatehouse.Shift{}, punches(time.UTC, "2026-03-02 20:00 in, +02:00 out"))
	expect(t, "a night without a shift", calculate(t, in), "6:00", "0:00")
	in = input(time.UTC, "2026-03-02", "2026-03-03", office, punches(time.UTC, "2026-03-02 08:00 in, +03:00 out; 2026-03-03 08:00 in, 17:00 out"))
	in.Rules.Longest = 20 * 60
	expect(t, "an office day until three", calculate(t, in), "18:00", "8:00")
}

func TestRosters(t *testing.T) {
	in := input(time.UTC, "2026-03-02", "2026-03-08", gatehouse.Shift{}, nil)
	week := []gatehouse.ShiftID{"office", "office", "office", "office", "office", "", ""}
	in.Roster = []gatehouse.RosterEntry{
		{Kind: gatehouse.SwapRoster, Who: worker, From: "2026-03-07", Until: "2026-03-07", Pattern: []gatehouse.ShiftID{"night"}},
		{Kind: gatehouse.StandingRoster, Group: "staff", From: "2026-01-05", Pattern: week, FollowsCalendar: true},
		{Kind: gatehouse.StandingRoster, Who: worker, From: "2026-03-04", Until: "2026-03-05", Pattern: []gatehouse.ShiftID{"split", "flex"}},
		{Kind: gatehouse.StandingRoster, Who: gatehouse.SubjectID{9}, From: "2026-01-01", Pattern: []gatehouse.ShiftID{"open"}},
	}
	in.Calendar.Days = []gatehouse.CalendarDay{{Date: "2026-03-03", Kind: gatehouse.HolidayDay}, {Date: "2026-03-08", Kind: gatehouse.WorkDay}}
	var got []string
	for _, d := range calculate(t, in).Days {
		got = append(got, string(d.Shift)+" "+string(d.Kind))
	}
	want := []string{"office work", " holiday", "split work", "flex work", "office work", "night work", "office work"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}

	// Two plans that nothing decides between are said, and give no plan.
	in.Roster = append(in.Roster, gatehouse.RosterEntry{Kind: gatehouse.StandingRoster, Who: worker, From: "2026-03-05", Pattern: []gatehouse.ShiftID{"office"}})
	s := calculate(t, in)
	if s.Days[3].Shift != "" || s.Days[3].Exceptions[0].Kind != gatehouse.RosterClash {
		t.Errorf("a clash gave %+v", s.Days[3])
	}
	// Four rotating weeks come back after 28 days.
	var turn []gatehouse.ShiftID
	for range 7 {
		turn = append(turn, "office", "night", "split", "")
	}
	in.Roster = []gatehouse.RosterEntry{{Kind: gatehouse.StandingRoster, Who: worker, From: "2026-03-02", Pattern: turn}}
	in.Until = "2026-04-30"
	s = calculate(t, in)
	for i := range 28 {
		if s.Days[i].Shift != s.Days[i+28].Shift || s.Days[i].Shift != turn[i] {
			t.Errorf("day %d: %s and %s", i, s.Days[i].Shift, s.Days[i+28].Shift)
		}
	}
}

// A shift in another time zone is late by that zone's clock, and a flight has the hours
// that passed.
func TestJourneys(t *testing.T) {
	berlin, tokyo := zone(t, "Europe/Berlin"), zone(t, "Asia/Tokyo")
	in := input(berlin, "2026-03-02", "2026-03-04", office, nil)
	in.Zones = map[string]*time.Location{"Asia/Tokyo": tokyo}
	in.Roster = append(in.Roster, gatehouse.RosterEntry{Kind: gatehouse.SwapRoster, Who: worker, From: "2026-03-03", Until: "2026-03-04", Pattern: []gatehouse.ShiftID{"office"}, Zone: "Asia/Tokyo"})
	a := punches(berlin, "2026-03-02 08:00 in, 13:00 out")
	b := punches(tokyo, "2026-03-03 08:00 in, 17:00 out; 2026-03-04 08:30 in, 17:00 out")
	for i := range b {
		b[i].ID = id(100 + i)
	}
	in.Punches = append(a, b...)
	expect(t, "Berlin, then Tokyo", calculate(t, in), "4:00 early(4:00)", "8:00", "7:30 late(0:30)")
	delete(in.Zones, "Asia/Tokyo")
	if s := calculate(t, in); s.Days[1].Exceptions[0].Kind != gatehouse.ShiftUnknown {
		t.Errorf("a zone that is not there: %+v", s.Days[1])
	}
	// Coming in Tokyo and going in Berlin on the same day: 14 hours passed, whatever the clocks say.
	in = input(berlin, "2026-03-02", "2026-03-02", gatehouse.Shift{}, append(punches(tokyo, "2026-03-02 09:00 in"), gatehouse.Punch{ID: id(9), Subject: worker, Direction: gatehouse.Out,
		At: time.Date(2026, 3, 2, 15, 0, 0, 0, berlin)}))
	expect(t, "a flight", calculate(t, in), "14:00")
}

// Corrections: the newest counts, all versions stay, and what they were made to is said.
func TestCorrections(t *testing.T) {
	list := punches(time.UTC, "2026-03-02 08:00 in")
	in := input(time.UTC, "2026-03-02", "2026-03-02", office, list)
	before := calculate(t, in)
	expect(t, "before", before, "0:00 missing_out")

	r := gatehouse.TimeCorrection{ID: id(50), Subject: worker, Kind: gatehouse.AddPunch, At: time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC), Direction: gatehouse.Out, State: gatehouse.CorrectionRequested, By: id(7)}
	openMonth := gatehouse.PayPeriod{From: "2026-03-01", Until: "2026-03-31", State: gatehouse.OpenPeriod}
	decided := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	if _, err := Decide(r, openMonth, id(7), true, decided); gatehouse.ErrorCode(err) != "correction.own" {
		t.Errorf("decided their own request: %v", err)
	}
	closed, _ := ClosePeriod(openMonth)
	if _, err := Decide(r, closed, id(8), true, decided); gatehouse.ErrorCode(err) != "correction.period" {
		t.Errorf("changed a closed period: %v", err)
	}
	r, err := Decide(r, openMonth, id(8), true, decided)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decide(r, openMonth, id(8), true, decided); gatehouse.ErrorCode(err) != "correction.decided" {
		t.Errorf("decided twice: %v", err)
	}
	p, ok := Correction(r, id(51))
	if !ok {
		t.Fatal("an approved request makes no punch")
	}
	in.Punches = append(in.Punches, p)
	after := calculate(t, in)
	expect(t, "after", after, "8:00")
	want := []gatehouse.TimesheetDifference{
		{Date: "2026-03-02", Code: gatehouse.Regular, After: 480},
		{Date: "2026-03-02", Exception: gatehouse.MissingOut, Before: 1},
	}
	got := Differences(before, after)
	for i := range got {
		if diff := cmp.Diff([]gatehouse.ID{id(1), id(51)}, got[i].Punches); diff != "" {
			t.Error(diff)
		}
		got[i].Punches, got[i].Rules = nil, nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if d := Differences(after, after); len(d) != 0 {
		t.Errorf("a timesheet differs from itself: %+v", d)
	}

	// Moved twice and then voided: the newest decides.
	moved := gatehouse.Punch{ID: id(60), Subject: worker, Corrects: id(1), Direction: gatehouse.In, At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Made: decided}
	again := moved
	again.ID, again.At, again.Made = id(61), moved.At.Add(-30*time.Minute), decided.Add(time.Hour)
	in.Punches = append(in.Punches, again, moved)
	expect(t, "moved", calculate(t, in), "7:30 late(0:30)")
	in.Punches = append(in.Punches, gatehouse.Punch{ID: id(62), Subject: worker, Corrects: id(1), Void: true, At: decided, Made: decided.Add(2 * time.Hour)})
	s := calculate(t, in)
	expect(t, "voided", s, "0:00 missing_in")
	roles := map[gatehouse.PunchRole]int{}
	for _, u := range s.Days[0].Punches {
		roles[u.Use]++
	}
	if roles[gatehouse.Voided] != 1 || roles[gatehouse.Superseded] != 2 || roles[gatehouse.Unpaired] != 1 {
		t.Errorf("versions: %v", roles)
	}
}

func TestPeriods(t *testing.T) {
	p := gatehouse.PayPeriod{State: gatehouse.OpenPeriod}
	if _, err := LockPeriod(p); gatehouse.ErrorCode(err) != "period.state" {
		t.Error("an open period was locked")
	}
	p, _ = ClosePeriod(p)
	p, _ = LockPeriod(p)
	if _, err := ReopenPeriod(p, id(1), id(1)); gatehouse.ErrorCode(err) != "period.two_people" {
		t.Errorf("one person reopened a period: %v", err)
	}
	if p, err := ReopenPeriod(p, id(1), id(2)); err != nil || p.State != gatehouse.OpenPeriod || p.ReopenedBy != [2]gatehouse.AccountID{id(1), id(2)} {
		t.Errorf("%+v %v", p, err)
	}
}

// Leave excuses what was due, is paid once, and not where somebody worked all the same.
func TestLeave(t *testing.T) {
	day := func(from, until int) []gatehouse.Leave {
		at := func(h int) time.Time { return time.Date(2026, 3, 2, h, 0, 0, 0, time.UTC) }
		return []gatehouse.Leave{{ID: id(90), Subject: worker, From: at(from), Until: at(until), Code: "holiday-pay"}}
	}
	in := input(time.UTC, "2026-03-02", "2026-03-02", office, nil)
	in.Leave = day(0, 24)
	expect(t, "a whole day", calculate(t, in), "0:00 holiday-pay=8:00")
	in.Leave = append(in.Leave, day(0, 24)...)
	expect(t, "a whole day, twice", calculate(t, in), "0:00 holiday-pay=8:00")
	in.Leave = day(0, 12)
	in.Punches = punches(time.UTC, "2026-03-02 13:00 in, 17:00 out")
	expect(t, "a morning", calculate(t, in), "4:00 holiday-pay=4:00 late(1:00)")
	in.Punches = punches(time.UTC, "2026-03-02 11:00 in, 17:00 out")
	expect(t, "a morning, and came early", calculate(t, in), "5:00 holiday-pay=3:00")
	in = input(time.UTC, "2026-03-02", "2026-03-02", flex, nil)
	in.Leave = day(0, 24)
	expect(t, "a flexible day", calculate(t, in), "0:00 holiday-pay=8:00")
}

func TestLimits(t *testing.T) {
	in := input(time.UTC, "2026-03-02", "2026-03-08", gatehouse.Shift{}, punches(time.UTC, `2026-03-02 08:00 in, 20:30 out
		2026-03-03 06:00 in, 14:00 out; 2026-03-04 08:00 in, 16:00 out; 2026-03-05 08:00 in, 16:00 out; 2026-03-06 08:00 in, 16:00 out
		2026-03-07 08:00 in, 16:00 out; 2026-03-08 08:00 in, 12:00 out`))
	in.Rules.WeekBegins = time.Monday
	in.Rules.Limits = gatehouse.WorkLimits{DailyRest: 660, WeeklyRest: 2100, WeekMost: 2880, DayMost: 720, BreakAfter: 480, BreakLeast: 15}
	expect(t, "a hard week", calculate(t, in), "12:30 break_missing(12:30) day_limit(12:30)", "8:00 daily_rest(9:30)", "8:00", "8:00", "8:00", "8:00",
		"4:00 week_limit(56:30) weekly_rest(18:00)")
	in.Punches = in.Punches[:10]
	expect(t, "with a Saturday and Sunday off", calculate(t, in), "12:30 break_missing(12:30) day_limit(12:30)", "8:00 daily_rest(9:30)", "8:00", "8:00", "8:00", "0:00", "0:00")
}

func TestTwoSitesAndTheFuture(t *testing.T) {
	list := punches(time.UTC, "2026-03-02 08:00 in, 08:05 in, 17:00 out")
	list[1].Site = "depot"
	in := input(time.UTC, "2026-03-02", "2026-03-02", gatehouse.Shift{}, list)
	in.Rules.TravelWithin = 15
	expect(t, "at two sites", calculate(t, in), "8:55 missing_out two_sites(0:05)")
	in = input(time.UTC, "2026-03-02", "2026-03-02", office, punches(time.UTC, "2026-03-02 08:00 in, 17:00 out"))
	in.Now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	expect(t, "still there, and a punch of this afternoon", calculate(t, in), "0:00 future_punch")
	in.Now = time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)
	in.Punches = nil
	expect(t, "not begun", calculate(t, in), "0:00")
}

func TestSwaps(t *testing.T) {
	mate := gatehouse.SubjectID{2}
	who := func(who gatehouse.SubjectID, pattern ...gatehouse.ShiftID) Input {
		in := input(time.UTC, "2026-03-02", "2026-03-03", gatehouse.Shift{}, nil)
		in.Subject = who
		in.Roster = []gatehouse.RosterEntry{{Kind: gatehouse.StandingRoster, Who: who, From: "2026-03-02", Pattern: pattern}}
		return in
	}
	shiftsOf := func(in Input, extra []gatehouse.RosterEntry) string {
		in.Roster = append(slices.Clone(in.Roster), extra...)
		s := calculate(t, in)
		return string(s.Days[0].Shift + "," + s.Days[1].Shift)
	}
	n := 0
	newID := func() gatehouse.ID { n++; return id(n) }
	s := gatehouse.ShiftSwap{First: worker, Second: mate, FirstDay: "2026-03-02", SecondDay: "2026-03-03"}
	if _, err := ApproveSwap(s, id(9)); gatehouse.ErrorCode(err) != "swap.agreed" {
		t.Errorf("without their word: %v", err)
	}
	s.Agreed = [2]gatehouse.AccountID{id(1), id(2)}
	if _, err := ApproveSwap(s, id(2)); gatehouse.ErrorCode(err) != "swap.own" {
		t.Errorf("by one of them: %v", err)
	}
	if _, err := Swap(s, who(worker, "office", ""), who(mate, "", "night"), newID); gatehouse.ErrorCode(err) != "swap.approved" {
		t.Errorf("not approved: %v", err)
	}
	s, err := ApproveSwap(s, id(9))
	if err != nil {
		t.Fatal(err)
	}
	a, b := who(worker, "office", ""), who(mate, "", "night")
	entries, err := Swap(s, a, b, newID)
	if err != nil {
		t.Fatal(err)
	}
	if got := shiftsOf(a, entries) + ";" + shiftsOf(b, entries); got != ",night;office," {
		t.Errorf("after the swap: %s", got)
	}
	s.SecondDay = s.FirstDay
	a, b = who(worker, "office"), who(mate, "night")
	if entries, err = Swap(s, a, b, newID); err != nil || shiftsOf(a, entries)+";"+shiftsOf(b, entries) != "night,office;office,night" {
		t.Errorf("the same day: %v %v", entries, err)
	}
	s.SecondDay = "2026-03-03"
	if _, err = Swap(s, a, b, newID); gatehouse.ErrorCode(err) != "swap.two_shifts" {
		t.Errorf("two shifts on a day: %v", err)
	}
	if _, err = Swap(s, who(worker, ""), b, newID); gatehouse.ErrorCode(err) != "swap.nothing" {
		t.Errorf("nothing to give: %v", err)
	}
}
