package attendance

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

var worker = gatehouse.SubjectID{1}

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// id makes an id of a number, so that failures can be read.
func id(n int) (out gatehouse.ID) {
	binary.BigEndian.PutUint64(out[8:], uint64(n))
	return out
}

// punches reads "2026-03-02 08:00 in, 17:00 out, +06:00 out": a time alone is on the date
// before it, and with a plus on the day after that.
func punches(zone *time.Location, text string) (out []gatehouse.Punch) {
	date := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == ';' }) {
		f := strings.Fields(word)
		if len(f) == 0 {
			continue
		}
		if strings.Contains(f[0], "-") {
			if date, f = f[0], f[1:]; len(f) == 0 {
				continue
			}
		}
		clock, tomorrow := strings.CutPrefix(f[0], "+")
		at, err := time.ParseInLocation("2006-01-02 15:04", date+" "+clock, zone)
		if err != nil {
			panic(err)
		}
		if tomorrow {
			at = time.Date(at.Year(), at.Month(), at.Day()+1, at.Hour(), at.Minute(), 0, 0, zone)
		}
		p := gatehouse.Punch{ID: id(len(out) + 1), Subject: worker, Source: gatehouse.FromTerminal, Site: "hq", At: at, Made: at}
		if len(f) > 1 {
			p.Direction = gatehouse.Direction(f[1])
		}
		out = append(out, p)
	}
	return out
}

var (
	office = gatehouse.Shift{ID: "office", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 8 * 60, Until: 17 * 60}},
		Breaks: []gatehouse.ShiftBreak{{From: 12 * 60, Until: 13 * 60}}}
	night = gatehouse.Shift{ID: "night", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 22 * 60, Until: 30 * 60}}}
	split = gatehouse.Shift{ID: "split", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 8 * 60, Until: 12 * 60}, {From: 16 * 60, Until: 20 * 60}}}
	flex  = gatehouse.Shift{ID: "flex", Kind: gatehouse.FlexibleShift, Parts: []gatehouse.ShiftPart{{From: 6 * 60, Until: 20 * 60}}, Core: []gatehouse.ShiftPart{{From: 10 * 60, Until: 15 * 60}}, Due: 480,
		Breaks: []gatehouse.ShiftBreak{{After: 360, Minutes: 30}}}
	open = gatehouse.Shift{ID: "open", Kind: gatehouse.OpenShift}
)

func shifts(list ...gatehouse.Shift) map[gatehouse.ShiftID]gatehouse.Shift {
	out := map[gatehouse.ShiftID]gatehouse.Shift{}
	for _, s := range list {
		out[s.ID] = s
	}
	return out
}

// input is a period of somebody who has the shift every day.
func input(zone *time.Location, from, until gatehouse.Date, shift gatehouse.Shift, list []gatehouse.Punch) Input {
	in := Input{Subject: worker, From: from, Until: until, Punches: list, Shifts: shifts(office, night, split, flex, open, shift), Zone: zone,
		Now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	if shift.ID != "" {
		in.Roster = []gatehouse.RosterEntry{{Kind: gatehouse.StandingRoster, Who: worker, From: "2020-01-06", Pattern: []gatehouse.ShiftID{shift.ID}}}
	}
	return in
}

func calculate(t interface{ Fatal(...any) }, in Input) gatehouse.Timesheet {
	s, err := Recalculate(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// say writes a day as its worked minutes, its codes and its exceptions, for comparing.
func say(d gatehouse.TimesheetDay) string {
	var b strings.Builder
	b.WriteString(gatehouse.HoursMinutes(d.Worked))
	for _, t := range Totals(gatehouse.Timesheet{Days: []gatehouse.TimesheetDay{d}}) {
		if t.Code != gatehouse.Regular {
			fmt.Fprintf(&b, " %s=%s", t.Code, gatehouse.HoursMinutes(t.Minutes))
		}
	}
	var list []string
	for _, e := range d.Exceptions {
		s := string(e.Kind)
		if e.Minutes != 0 {
			s += "(" + gatehouse.HoursMinutes(e.Minutes) + ")"
		}
		list = append(list, s)
	}
	slices.Sort(list)
	if len(list) > 0 {
		b.WriteString(" " + strings.Join(list, " "))
	}
	return b.String()
}

func expect(t *testing.T, name string, s gatehouse.Timesheet, want ...string) {
	t.Helper()
	if len(s.Days) != len(want) {
		t.Fatalf("%s: %d days, want %d", name, len(s.Days), len(want))
	}
	for i, d := range s.Days {
		if got := say(d); got != want[i] {
			t.Errorf("%s, %s: %s; want %s", name, d.Date, got, want[i])
			for _, e := range d.Entries {
				t.Logf("  %s–%s %s %s %s %d", e.From.Time().Format("15:04"), e.Until.Time().Format("15:04"), e.Kind, e.Code, e.Rule, e.N)
			}
		}
	}
}
