package attendance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// The published rules' own examples, and cases that follow from their words. Each file
// names where they stand.
func TestWorkedExamplesOfPublishedRules(t *testing.T) {
	files, err := filepath.Glob("testdata/law/*.txt")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { example(t, name) })
	}
}

func example(t *testing.T, name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f := map[string]string{}
	for _, line := range strings.Split(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("what is %q?", line)
		}
		f[key] = value
	}
	if f["source"] == "" || !strings.HasPrefix(f["url"], "https://") {
		t.Fatal("an example without its source")
	}
	loc := zone(t, f["zone"])
	rules, ok := Presets()[f["preset"]]
	if !ok {
		t.Fatal("no such preset")
	}
	in := input(loc, gatehouse.Date(f["from"]), gatehouse.Date(f["until"]), gatehouse.Shift{}, punches(loc, f["punches"]))
	in.Rules = rules
	if f["calendar"] == "cn" {
		in.Calendar = ChineseCalendar()
	}
	for _, d := range strings.Fields(f["holidays"]) {
		in.Calendar.Days = append(in.Calendar.Days, gatehouse.CalendarDay{Date: gatehouse.Date(d), Kind: gatehouse.HolidayDay})
	}
	if f["shift"] != "" {
		in.Shifts = shifts(readShift(t, f["shift"]))
		in.Roster = []gatehouse.RosterEntry{{Kind: gatehouse.StandingRoster, Who: worker, From: "2026-01-05", Pattern: []gatehouse.ShiftID{"s"}}}
		if strings.HasPrefix(f["week"], "mon-fri") {
			in.Roster[0].Pattern = []gatehouse.ShiftID{"s", "s", "s", "s", "s", "", ""}
			in.Roster[0].FollowsCalendar = strings.Contains(f["week"], "calendar")
		}
	}
	if to, mode, ok := strings.Cut(f["round"], " "); ok {
		n, _ := strconv.Atoi(to)
		in.Rules.RoundIn = gatehouse.PunchRounding{To: n, Mode: gatehouse.RoundMode(mode)}
		in.Rules.RoundOut = in.Rules.RoundIn
	}
	if f["grace"] != "" {
		if n, err := fmt.Sscanf(f["grace"], "in %d %d, out %d %d", &in.Rules.GraceIn.Early, &in.Rules.GraceIn.Late, &in.Rules.GraceOut.Early, &in.Rules.GraceOut.Late); n != 4 {
			t.Fatal(err)
		}
	}
	s := calculate(t, in)
	var totals, exceptions []string
	for _, x := range Totals(s) {
		totals = append(totals, string(x.Code)+" "+gatehouse.HoursMinutes(x.Minutes))
	}
	for _, d := range s.Days {
		for _, e := range d.Exceptions {
			exceptions = append(exceptions, string(d.Date)+" "+string(e.Kind))
		}
	}
	slices.Sort(totals)
	want := strings.Split(f["totals"], ", ")
	slices.Sort(want)
	if got := strings.Join(totals, ", "); got != strings.Join(want, ", ") {
		t.Errorf("totals: %s; want %s", got, f["totals"])
	}
	if got := strings.Join(exceptions, ", "); got != f["exceptions"] {
		t.Errorf("exceptions: %s; want %s", got, f["exceptions"])
	}
}

var shiftText = regexp.MustCompile(`^(\d+):(\d+)-(\d+):(\d+)(?: break (?:(\d+):(\d+)-(\d+):(\d+)|(\d+) after (\d+)))?$`)

func readShift(t *testing.T, text string) gatehouse.Shift {
	m := shiftText.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("what shift is %q?", text)
	}
	n := make([]int, len(m))
	for i := range m {
		n[i], _ = strconv.Atoi(m[i])
	}
	s := gatehouse.Shift{ID: "s", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: n[1]*60 + n[2], Until: n[3]*60 + n[4]}}}
	switch {
	case m[5] != "":
		s.Breaks = []gatehouse.ShiftBreak{{From: n[5]*60 + n[6], Until: n[7]*60 + n[8]}}
	case m[9] != "":
		s.Breaks = []gatehouse.ShiftBreak{{Minutes: n[9], After: n[10]}}
	}
	return s
}

// Sixteen weeks of 60 hours are beyond 48 on average, but there are no seventeen yet; and
// weeks off in between bring it down again.
func TestTheAverageOfSeventeenWeeks(t *testing.T) {
	warned := func(hours func(week int) int) (weeks []int) {
		in := input(time.UTC, "2026-01-05", "2026-05-31", gatehouse.Shift{}, nil)
		in.Rules = EuropeanUnion()
		for w := range 21 {
			for d := range 5 {
				at := time.Date(2026, 1, 5+7*w+d, 6, 0, 0, 0, time.UTC)
				n := len(in.Punches)
				in.Punches = append(in.Punches, gatehouse.Punch{ID: id(n + 1), Subject: worker, Direction: gatehouse.In, At: at},
					gatehouse.Punch{ID: id(n + 2), Subject: worker, Direction: gatehouse.Out, At: at.Add(time.Duration(hours(w)) * time.Hour / 5)})
			}
		}
		for i, d := range calculate(t, in).Days {
			for _, e := range d.Exceptions {
				if e.Kind == gatehouse.WeekLimit {
					weeks = append(weeks, i/7)
				}
			}
		}
		return weeks
	}
	if got := warned(func(int) int { return 48 }); len(got) > 0 {
		t.Errorf("48 hours a week: warned in weeks %v", got)
	}
	if got, want := warned(func(w int) int { return 55 - 15*(w/18) }), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}; len(got) == 0 || !slices.Contains(want, got[0]) {
		t.Errorf("55 hours a week: warned in weeks %v", got)
	} else if got[0] != 14 {
		t.Errorf("55 hours a week after weeks without work: warned first in week %d", got[0])
	}
}

// The notices' days, counted as they count them.
func TestTheChineseCalendar(t *testing.T) {
	c := ChineseCalendar()
	if !slices.IsSortedFunc(c.Days, func(a, b gatehouse.CalendarDay) int { return strings.Compare(string(a.Date), string(b.Date)) }) {
		t.Error("days are out of order")
	}
	for year, want := range map[string]struct{ holidays, off, work int }{"2025": {13, 28, 5}, "2026": {13, 33, 6}} {
		var holidays, off, work int
		for _, d := range c.Days {
			if !strings.HasPrefix(string(d.Date), year) {
				continue
			}
			n, _ := dayOf(d.Date)
			weekend := n.weekday() == time.Saturday || n.weekday() == time.Sunday
			switch d.Kind {
			case gatehouse.HolidayDay:
				holidays, off = holidays+1, off+1
			case gatehouse.RestDay:
				off++
			case gatehouse.WorkDay:
				work++
				if !weekend {
					t.Errorf("%s is no weekend", d.Date)
				}
			}
		}
		if holidays != want.holidays || off != want.off || work != want.work {
			t.Errorf("%s: %d public holidays, %d days off, %d adjusted working days; want %+v", year, holidays, off, work, want)
		}
	}
}

func TestPresetsNameTheirSources(t *testing.T) {
	for name, r := range Presets() {
		if r.Name != name || r.Source == "" {
			t.Errorf("%s: %q, source %q", name, r.Name, r.Source)
		}
		if found := CheckRules(r); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}
