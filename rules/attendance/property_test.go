package attendance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// zones in which clocks change at different hours, by an hour and by half an hour, on both
// halves of the earth, and one in which they do not.
var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "America/St_Johns", "Pacific/Auckland"}

// drawInput draws four weeks around a change of the clocks, with every kind of shift and
// rule, and punches that are mostly sensible.
func drawInput(t *rapid.T) Input {
	loc := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
	start := rapid.SampledFrom([]gatehouse.Date{"2026-03-02", "2026-03-23", "2026-09-21", "2026-10-19", "2026-10-26", "2026-04-01"}).Draw(t, "start")
	from, _ := dayOf(start)
	in := Input{Subject: worker, From: start, Until: (from + 27).date(), Zone: loc, Now: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)}
	long := gatehouse.Shift{ID: "long", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 18 * 60, Until: 18*60 + 1440}}}
	in.Shifts = shifts(office, night, split, flex, open, long)
	names := []gatehouse.ShiftID{"office", "night", "split", "flex", "open", "long", ""}
	if rapid.IntRange(0, 4).Draw(t, "rostered") > 0 {
		in.Roster = []gatehouse.RosterEntry{{Kind: gatehouse.StandingRoster, Who: worker, From: "2020-01-06", FollowsCalendar: rapid.Bool().Draw(t, "follows"),
			Pattern: rapid.SliceOfN(rapid.SampledFrom(names), 1, 9).Draw(t, "pattern")}}
	}
	mode := rapid.SampledFrom([]gatehouse.RoundMode{gatehouse.ToNearest, gatehouse.ToLater, gatehouse.ToEarlier})
	step := rapid.SampledFrom([]int{0, 5, 6, 15, 30, 60})
	grace := rapid.IntRange(0, 20)
	in.Rules = gatehouse.AttendanceRules{
		Pairing:         rapid.SampledFrom([]gatehouse.Pairing{gatehouse.ByDirection, gatehouse.FirstLast, gatehouse.Toggling}).Draw(t, "pairing"),
		DuplicateWithin: rapid.IntRange(0, 5).Draw(t, "duplicate"), WeekBegins: time.Weekday(rapid.IntRange(0, 6).Draw(t, "week")),
		RoundIn: gatehouse.PunchRounding{To: step.Draw(t, "in"), Mode: mode.Draw(t, "inmode")}, RoundOut: gatehouse.PunchRounding{To: step.Draw(t, "out"), Mode: mode.Draw(t, "outmode")},
		GraceIn: gatehouse.PunchGrace{Early: grace.Draw(t, "a"), Late: grace.Draw(t, "b")}, GraceOut: gatehouse.PunchGrace{Early: grace.Draw(t, "c"), Late: grace.Draw(t, "d")},
		InShiftOnly: rapid.Bool().Draw(t, "only"), DayBegins: rapid.SampledFrom([]int{0, 240}).Draw(t, "daybegins"),
		HolidaysByClock: rapid.Bool().Draw(t, "byclock"), Overtime: China().Overtime,
		Limits: gatehouse.WorkLimits{DailyRest: 660, WeeklyRest: 2100, WeekMost: 2880, AverageWeeks: rapid.IntRange(0, 3).Draw(t, "average"), OvertimeDay: 180, OvertimeMonth: rapid.SampledFrom([]int{0, 36 * 60}).Draw(t, "month"), BreakAfter: 360},
	}
	if rapid.Bool().Draw(t, "california") {
		in.Rules.Overtime = California().Overtime
	}
	for range rapid.IntRange(0, 3).Draw(t, "holidays") {
		d := from + day(rapid.IntRange(0, 27).Draw(t, "holiday"))
		in.Calendar.Days = append(in.Calendar.Days, gatehouse.CalendarDay{Date: d.date(), Kind: rapid.SampledFrom([]gatehouse.DayClass{gatehouse.HolidayDay, gatehouse.RestDay, gatehouse.WorkDay}).Draw(t, "kind")})
	}
	slices.SortFunc(in.Calendar.Days, func(a, b gatehouse.CalendarDay) int { return compareText(string(a.Date), string(b.Date)) })
	in.Calendar.Days = slices.CompactFunc(in.Calendar.Days, func(a, b gatehouse.CalendarDay) bool { return a.Date == b.Date })
	for i := range rapid.IntRange(0, 3).Draw(t, "leaves") {
		at := (from + day(rapid.IntRange(0, 27).Draw(t, "leave"))).midnight(loc)
		in.Leave = append(in.Leave, gatehouse.Leave{ID: id(9000 + i), Subject: worker, From: at.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "leavefrom")) * time.Hour), Until: at.Add(30 * time.Hour), Code: "leave"})
	}
	// Punches go on where the last ended, so that pairs of all lengths come about.
	at := (from - 4).midnight(loc).Add(6 * time.Hour)
	way := gatehouse.In
	for n := 1; at.Before((from + 31).midnight(loc)); n++ {
		p := gatehouse.Punch{ID: id(n), Subject: worker, Direction: way, At: at, Site: "hq", Made: at}
		if rapid.IntRange(0, 19).Draw(t, "odd") == 0 {
			p.Direction = rapid.SampledFrom([]gatehouse.Direction{gatehouse.In, gatehouse.Out, ""}).Draw(t, "way")
		}
		if rapid.IntRange(0, 19).Draw(t, "missing") > 0 {
			in.Punches = append(in.Punches, p)
		}
		step := rapid.SampledFrom([]int{1, 30, 240, 480, 530, 600, 900}).Draw(t, "gap")
		at = at.Add(time.Duration(step*60+rapid.IntRange(0, 900).Draw(t, "seconds")) * time.Second)
		if way == gatehouse.In {
			way = gatehouse.Out
		} else {
			way = gatehouse.In
		}
	}
	return in
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Between a day's first and last paired punch every minute is one entry's; what is credited
// lies outside of the pairs; and the day's hours are what its entries say.
func TestMinutesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, d := range calculate(t, drawInput(t)).Days {
			at := map[gatehouse.ID]gatehouse.Minute{}
			first, last := gatehouse.Minute(1<<60), gatehouse.Minute(-1<<60)
			for _, u := range d.Punches {
				at[u.Punch] = u.At
			}
			worked := 0
			type gap struct{ in, out gatehouse.ID }
			pairs := map[gap]int{}
			for _, e := range d.Entries {
				if e.Minutes() <= 0 {
					t.Fatalf("%s: an entry of %d minutes: %+v", d.Date, e.Minutes(), e)
				}
				if e.Rule.Sentence("en", e.N) == string(e.Rule) {
					t.Fatalf("%s: rule %q has no sentence", d.Date, e.Rule)
				}
				if e.Paid() {
					worked += e.Minutes()
				}
				if e.Kind == gatehouse.OnLeave {
					continue
				}
				in, known := at[e.In]
				out, known2 := at[e.Out]
				if !known || !known2 {
					t.Fatalf("%s: an entry names punches that the day does not have: %+v", d.Date, e)
				}
				first, last = min(first, in), max(last, out)
				if e.Kind == gatehouse.Credited {
					if e.From < out && e.Until > in {
						t.Fatalf("%s: credited within the pair: %+v", d.Date, e)
					}
					continue
				}
				if e.From < in || e.Until > out {
					t.Fatalf("%s: an entry outside of its punches: %+v", d.Date, e)
				}
				pairs[gap{e.In, e.Out}] += e.Minutes()
			}
			sum := 0
			for g, n := range pairs {
				if want := int(at[g.out] - at[g.in]); n != want {
					t.Fatalf("%s: a pair of %d minutes has entries of %d", d.Date, want, n)
				}
				sum += n
			}
			if len(pairs) > 0 && sum != int(last-first) {
				t.Fatalf("%s: %d minutes explained of %d", d.Date, sum, last-first)
			}
			if worked != d.Worked {
				t.Fatalf("%s: worked %d, its entries %d", d.Date, d.Worked, worked)
			}
		}
	})
}

// No minute is paid twice, within a day or over several, whatever the clocks do.
func TestNoMinuteIsPaidTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var paid []gatehouse.TimeEntry
		for _, d := range calculate(t, drawInput(t)).Days {
			for _, e := range d.Entries {
				if e.Paid() || e.Kind == gatehouse.OnLeave {
					paid = append(paid, e)
				}
			}
		}
		slices.SortFunc(paid, func(a, b gatehouse.TimeEntry) int { return int(a.From - b.From) })
		for i := 1; i < len(paid); i++ {
			if paid[i].From < paid[i-1].Until {
				t.Fatalf("paid twice:\n%+v\n%+v", paid[i-1], paid[i])
			}
		}
	})
}

// The same punches in another order, some of them twice, give the same timesheet; and a
// part of the period, asked for alone, the same days.
func TestRecalculationIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		want := calculate(t, in)
		r := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "order")))
		shuffle := func(n int, swap func(i, j int)) { r.Shuffle(n, swap) }
		again := in
		again.Punches = append(slices.Clone(in.Punches), in.Punches[:len(in.Punches)/3]...)
		again.Leave, again.Rules.Overtime = slices.Clone(in.Leave), slices.Clone(in.Rules.Overtime)
		shuffle(len(again.Punches), func(i, j int) { again.Punches[i], again.Punches[j] = again.Punches[j], again.Punches[i] })
		shuffle(len(again.Leave), func(i, j int) { again.Leave[i], again.Leave[j] = again.Leave[j], again.Leave[i] })
		if diff := cmp.Diff(want, calculate(t, again)); diff != "" {
			t.Fatalf("in another order:\n%s", diff)
		}
		if d := Differences(want, calculate(t, again)); len(d) > 0 {
			t.Fatalf("differences of equals: %+v", d)
		}
		from, until := rapid.IntRange(0, 27).Draw(t, "partfrom"), 0
		until = rapid.IntRange(from, 27).Draw(t, "partuntil")
		part := in
		part.From, part.Until = want.Days[from].Date, want.Days[until].Date
		lo, hi, err := Reach(part)
		if err != nil {
			t.Fatal(err)
		}
		part.Punches = nil
		for _, p := range in.Punches {
			if !p.At.Before(lo) && p.At.Before(hi) {
				part.Punches = append(part.Punches, p)
			}
		}
		if diff := cmp.Diff(want.Days[from:until+1], calculate(t, part).Days); diff != "" {
			t.Fatalf("%s to %s alone:\n%s", part.From, part.Until, diff)
		}
	})
}

// Differences add up: what they say of a code is what the totals became. So do parts,
// however the days and places cut them.
func TestDifferencesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		before := calculate(t, in)
		if len(in.Punches) > 0 {
			i := rapid.IntRange(0, len(in.Punches)-1).Draw(t, "gone")
			in.Punches = slices.Delete(slices.Clone(in.Punches), i, i+1)
		}
		in.Rules.InShiftOnly = !in.Rules.InShiftOnly
		after := calculate(t, in)
		sum := map[gatehouse.EarningsCode]int{}
		for _, x := range Totals(before) {
			sum[x.Code] += x.Minutes
		}
		for _, d := range Differences(before, after) {
			sum[d.Code] += d.After - d.Before
		}
		for _, x := range Totals(after) {
			sum[x.Code] -= x.Minutes
		}
		for code, n := range sum {
			if code != "" && n != 0 {
				t.Fatalf("%s is off by %d minutes", code, n)
			}
		}
		var all []gatehouse.CodeTotal
		for _, p := range Parts(after, func(day gatehouse.Date, e gatehouse.TimeEntry) (gatehouse.Date, gatehouse.Where) {
			return day[:7], gatehouse.Where{Site: gatehouse.SiteID(day[9:]), Project: string(e.Kind)}
		}) {
			all = append(all, p.Totals...)
		}
		for _, x := range Totals(after) {
			for _, y := range all {
				if x.Code == y.Code && x.Rate == y.Rate && x.TimeOff == y.TimeOff {
					x.Minutes -= y.Minutes
				}
			}
			if x.Minutes != 0 {
				t.Fatalf("the parts of %s are off by %d minutes", x.Code, x.Minutes)
			}
		}
	})
}

// Staying a minute longer never makes a day's paid hours fewer.
func TestStayingLongerNeverCosts(t *testing.T) {
	for _, shift := range []gatehouse.Shift{office, flex, open, night} {
		for _, to := range []int{0, 15} {
			last := -1
			for minutes := 1; minutes < 14*60; minutes++ {
				begin := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
				in := input(time.UTC, "2026-03-02", "2026-03-02", shift, []gatehouse.Punch{{ID: id(1), Subject: worker, Direction: gatehouse.In, At: begin},
					{ID: id(2), Subject: worker, Direction: gatehouse.Out, At: begin.Add(time.Duration(minutes) * time.Minute)}})
				in.Rules.RoundOut = gatehouse.PunchRounding{To: to, Mode: gatehouse.ToEarlier}
				worked := calculate(t, in).Days[0].Worked
				if worked < last {
					t.Fatalf("%s: after %d minutes %d count, a minute before %d", shift.ID, minutes, worked, last)
				}
				last = worked
			}
		}
	}
}

// Nothing that may arrive makes a recalculation fail, hang or lose a minute: shifts that
// nobody can work, rosters that contradict each other, figures without a meaning, punches of
// other millennia.
func TestWildInput(t *testing.T) {
	wild := rapid.OneOf(rapid.IntRange(-3000, 3000), rapid.SampledFrom([]int{0, 1, 1440, -1, 1 << 30, -1 << 30}))
	ids := rapid.SampledFrom([]gatehouse.ShiftID{"", "a", "b", "office", "nowhere"})
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Custom(func(t *rapid.T) gatehouse.ShiftPart {
			return gatehouse.ShiftPart{From: wild.Draw(t, "from"), Until: wild.Draw(t, "until")}
		})
		shift := rapid.Custom(func(t *rapid.T) gatehouse.Shift {
			s := gatehouse.Shift{Kind: rapid.SampledFrom([]gatehouse.ShiftKind{"", gatehouse.FixedShift, gatehouse.FlexibleShift, gatehouse.OpenShift}).Draw(t, "kind"), Due: wild.Draw(t, "due"),
				Parts: rapid.SliceOfN(part, 0, 3).Draw(t, "parts"), Core: rapid.SliceOfN(part, 0, 2).Draw(t, "core")}
			for range rapid.IntRange(0, 2).Draw(t, "breaks") {
				s.Breaks = append(s.Breaks, gatehouse.ShiftBreak{From: wild.Draw(t, "bf"), Until: wild.Draw(t, "bu"), After: wild.Draw(t, "ba"), Minutes: wild.Draw(t, "bm"), Paid: rapid.Bool().Draw(t, "paid")})
			}
			return s
		})
		in := drawInput(t)
		in.Shifts = map[gatehouse.ShiftID]gatehouse.Shift{"a": shift.Draw(t, "a"), "b": shift.Draw(t, "b"), "office": office}
		in.Roster = nil
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			in.Roster = append(in.Roster, gatehouse.RosterEntry{Kind: rapid.SampledFrom([]gatehouse.RosterKind{"", gatehouse.StandingRoster, gatehouse.SwapRoster}).Draw(t, "rk"), Who: worker,
				Group: rapid.SampledFrom([]gatehouse.GroupID{"", "g"}).Draw(t, "group"), From: rapid.SampledFrom([]gatehouse.Date{"", "x", "2026-03-10", "2020-01-01", "2199-01-01"}).Draw(t, "f"),
				Until: rapid.SampledFrom([]gatehouse.Date{"", "x", "2026-03-10", "2199-01-01", "2001-01-01"}).Draw(t, "u"), Pattern: rapid.SliceOfN(ids, 0, 4).Draw(t, "p"),
				FollowsCalendar: rapid.Bool().Draw(t, "fc"), Zone: rapid.SampledFrom([]string{"", "UTC", "Nowhere/Town"}).Draw(t, "z")})
		}
		in.Zones = map[string]*time.Location{"UTC": time.UTC, "Nowhere/Town": nil}
		r := &in.Rules
		r.Longest, r.DuplicateWithin, r.TravelWithin, r.DayBegins = wild.Draw(t, "longest"), wild.Draw(t, "dup"), wild.Draw(t, "travel"), wild.Draw(t, "begins")
		r.RoundIn.To, r.RoundOut.To, r.GraceIn.Late, r.GraceOut.Early = wild.Draw(t, "ri"), wild.Draw(t, "ro"), wild.Draw(t, "gl"), wild.Draw(t, "ge")
		for i := range r.Overtime {
			r.Overtime[i].After, r.Overtime[i].Rate = wild.Draw(t, "after"), wild.Draw(t, "rate")
		}
		for i, year := range []int{-5000, 1, 1677, 1969, 2262, 2300, 9999, 99999} {
			in.Punches = append(in.Punches, gatehouse.Punch{ID: id(5000 + i), Subject: worker, Direction: gatehouse.In, At: time.Date(year, 3, 5, 8, 0, 0, 0, time.UTC), Corrects: id(rapid.IntRange(0, 5010).Draw(t, "corrects"))})
		}
		CheckRoster(in.Roster, in.Shifts)
		CheckShifts([]gatehouse.Shift{in.Shifts["a"], in.Shifts["b"]})
		CheckRules(*r)
		sheet := calculate(t, in)
		again := in
		again.Roster, again.Punches = slices.Clone(in.Roster), slices.Clone(in.Punches)
		slices.Reverse(again.Roster)
		slices.Reverse(again.Punches)
		if diff := cmp.Diff(sheet, calculate(t, again)); diff != "" {
			t.Fatalf("in another order:\n%s", diff)
		}
		seen := 0
		for _, d := range sheet.Days {
			seen += len(d.Punches)
			sum := map[[2]gatehouse.ID]int{}
			at := map[gatehouse.ID]gatehouse.Minute{}
			for _, u := range d.Punches {
				at[u.Punch] = u.At
			}
			for _, e := range d.Entries {
				if e.Kind != gatehouse.Credited && e.Kind != gatehouse.OnLeave {
					sum[[2]gatehouse.ID{e.In, e.Out}] += e.Minutes()
				}
			}
			for pair, n := range sum {
				if want := int(at[pair[1]] - at[pair[0]]); n != want {
					t.Fatalf("%s: %d minutes of %d", d.Date, n, want)
				}
			}
		}
		if seen == 0 && len(in.Punches) > 40 {
			t.Fatal("no punch was looked at")
		}
	})
}

// The clock of a place, against the standard library's, around every change of a year.
func TestTheClockOfAPlace(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		c := clock{zone: loc}
		for d, end := day(20454), day(20454+365); d < end; d++ {
			for _, minute := range []int{0, 1, 59, 60, 61, 90, 119, 120, 121, 149, 150, 179, 180, 181, 720, 1439, 1440, 1500} {
				civil := d.civil()
				want := time.Date(civil.Year(), civil.Month(), civil.Day(), 0, minute, 0, 0, loc)
				got := c.at(d, minute)
				shown := got.Time().In(loc)
				exists := want.Hour() == minute/60%24 && want.Minute() == minute%60
				if exists && (shown.Hour() != want.Hour() || shown.Minute() != want.Minute() || shown.YearDay() != want.YearDay()) {
					t.Fatalf("%s %s, minute %d: the clock shows %v", name, d.date(), minute, shown)
				}
				if exists && shown.Add(-time.Hour).Format("15:04") == shown.Format("15:04") {
					t.Fatalf("%s %s, minute %d: the second of two", name, d.date(), minute)
				}
				if !exists && shown.Sub(want).Abs() > time.Hour {
					t.Fatalf("%s %s, minute %d, which is skipped: %v", name, d.date(), minute, shown)
				}
				if l := c.local(got); fmt.Sprint(l.date()) != shown.Format(time.DateOnly) {
					t.Fatalf("%s: %v falls on %s", name, shown, l.date())
				}
			}
		}
	}
}

// Hours stay what they are until the minute that is said, and only a moment of time makes
// them others.
func TestUntilWhenHoursHold(t *testing.T) {
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		from, _ := dayOf(in.From)
		at := func(name string, after time.Time) time.Time {
			return after.Add(time.Duration(rapid.IntRange(0, 3*24*60).Draw(t, name)) * time.Minute)
		}
		in.Now = at("now", (from + day(rapid.IntRange(0, 27).Draw(t, "day"))).midnight(in.Zone))
		if rapid.IntRange(0, 3).Draw(t, "as it happens") > 0 { // nobody has punched yet in times to come
			in.Punches = slices.DeleteFunc(in.Punches, func(p gatehouse.Punch) bool { return p.At.After(in.Now) })
		}
		rules := []RulesFrom{{From: "2020-01-01", Rules: in.Rules}}
		sheet, next, err := WithRulesUntil(in, rules)
		if err != nil {
			t.Fatal(err)
		}
		if next <= gatehouse.MinuteOf(in.Now) {
			t.Fatalf("it changes at %v, and it is %v", next.Time(), in.Now)
		}
		later := in
		later.Now = at("later", in.Now)
		if later.Now.Before(next.Time()) {
			again, _, err := WithRulesUntil(later, rules)
			if err != nil || !cmp.Equal(sheet, again) {
				t.Fatalf("at %v it is another sheet than at %v, and was to hold until %v: %s", later.Now, in.Now, next.Time(), cmp.Diff(sheet, again))
			}
		}
		if next != Never {
			later.Now = next.Time()
			if again, _, err := WithRulesUntil(later, rules); err == nil && !cmp.Equal(sheet, again) {
				moved++
			}
		}
	})
	if moved == 0 {
		t.Error("time never changed anything: this test would say nothing")
	}
}

// A week without rest is known to be one when it is over, and not before.
func TestAWeekEndsByTimeAlone(t *testing.T) {
	loc := zone(t, "Europe/Berlin")
	in := Input{Subject: worker, From: "2026-11-23", Until: "2026-11-29", Zone: loc, Rules: gatehouse.AttendanceRules{Pairing: gatehouse.ByDirection, WeekBegins: time.Monday, Limits: gatehouse.WorkLimits{WeeklyRest: 2100}}}
	for i := range 7 {
		for k, hour := range []int{8, 18} {
			at := time.Date(2026, 11, 23+i, hour, 0, 0, 0, loc)
			in.Punches = append(in.Punches, gatehouse.Punch{ID: id(2*i + k + 1), Subject: worker, Direction: []gatehouse.Direction{gatehouse.In, gatehouse.Out}[k], At: at, Made: at})
		}
	}
	in.Now = time.Date(2026, 11, 29, 20, 0, 0, 0, loc)
	over := gatehouse.MinuteOf(time.Date(2026, 11, 30, 0, 0, 0, 0, loc))
	if _, next, err := WithRulesUntil(in, []RulesFrom{{From: "2020-01-01", Rules: in.Rules}}); err != nil || next != over {
		t.Errorf("it changes at %v, %v; the week ends at %v", next.Time(), err, over.Time())
	}
}
