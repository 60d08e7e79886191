package attendance

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func codes(found []Problem) string {
	var out []string
	for _, p := range found {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n")
}

func TestShiftsThatNobodyCanWork(t *testing.T) {
	part := func(from, until int) []gatehouse.ShiftPart { return []gatehouse.ShiftPart{{From: from, Until: until}} }
	fixed := func(line int, parts []gatehouse.ShiftPart) gatehouse.Shift {
		return gatehouse.Shift{ID: "x", Kind: gatehouse.FixedShift, Parts: parts, Line: line}
	}
	for name, c := range map[string]struct {
		shift gatehouse.Shift
		want  string
	}{
		"zero hours":         {fixed(3, part(480, 480)), "line 3: shift.malformed: shift x has a part of zero hours"},
		"thirty hours":       {fixed(4, part(480, 480+1800)), "line 4: shift.malformed: shift x spans 30:00 hours: 24 are the most"},
		"thirty in two":      {fixed(5, append(part(0, 300), part(1500, 1800)...)), "line 5: shift.malformed: shift x spans 30:00 hours: 24 are the most"},
		"ends before":        {fixed(6, part(1320, 360)), "line 6: shift.malformed: shift x has a part that ends before it begins: write the end of a night as 24 hours more"},
		"overlapping parts":  {fixed(7, append(part(480, 720), part(700, 900)...)), "line 7: shift.malformed: shift x has parts that overlap or are out of order"},
		"no times":           {fixed(8, nil), "line 8: shift.malformed: shift x has no times"},
		"tomorrow":           {fixed(9, part(1500, 1600)), "line 9: shift.malformed: shift x begins on the day after"},
		"break outside":      {gatehouse.Shift{ID: "x", Kind: gatehouse.FixedShift, Parts: part(480, 960), Breaks: []gatehouse.ShiftBreak{{From: 1000, Until: 1060}}}, "shift.malformed: shift x has a break outside of its times"},
		"core outside":       {gatehouse.Shift{ID: "x", Kind: gatehouse.FlexibleShift, Parts: part(480, 960), Core: part(420, 500), Due: 400}, "shift.malformed: shift x has a core outside of its frame"},
		"more than frame":    {gatehouse.Shift{ID: "x", Kind: gatehouse.FlexibleShift, Parts: part(480, 960), Due: 500}, "shift.malformed: shift x is due for nothing, or for more than its frame holds"},
		"no kind":            {gatehouse.Shift{ID: "x"}, "shift.malformed: shift x is neither fixed, flexible nor open"},
		"a name":             {gatehouse.Shift{ID: "Früh", Kind: gatehouse.OpenShift}, "shift.name: use 1 to 40 lower-case letters, digits and hyphens"},
		"a night is right":   {fixed(0, part(1320, 1800)), ""},
		"24 hours are right": {fixed(0, part(480, 480+1440)), ""},
	} {
		if got := codes(CheckShifts([]gatehouse.Shift{c.shift})); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
	if got := codes(CheckShifts([]gatehouse.Shift{open, open})); got != "shift.twice: shift open is there twice" {
		t.Error(got)
	}
	// A shift that is wrong is none, and is said on its day.
	in := input(time.UTC, "2026-03-02", "2026-03-02", gatehouse.Shift{ID: "x", Kind: gatehouse.FixedShift, Parts: part(480, 480)}, punches(time.UTC, "2026-03-02 08:00 in, 12:00 out"))
	expect(t, "a shift of zero hours", calculate(t, in), "4:00 shift_unknown")
}

func TestRostersThatOverlap(t *testing.T) {
	all := shifts(office, night, open)
	e := func(line int, from, until gatehouse.Date, pattern ...gatehouse.ShiftID) gatehouse.RosterEntry {
		return gatehouse.RosterEntry{Kind: gatehouse.StandingRoster, Who: worker, From: from, Until: until, Pattern: pattern, Line: line}
	}
	group := e(9, "2026-01-01", "", "open")
	group.Who, group.Group = gatehouse.SubjectID{}, "staff"
	swap := e(10, "2026-03-02", "2026-03-02", "night")
	swap.Kind = gatehouse.SwapRoster
	for name, c := range map[string]struct {
		roster []gatehouse.RosterEntry
		want   string
	}{
		"one after another":          {[]gatehouse.RosterEntry{e(2, "2026-01-01", "2026-01-31", "office"), e(3, "2026-02-01", "", "night")}, ""},
		"a day too long":             {[]gatehouse.RosterEntry{e(2, "2026-01-01", "2026-02-01", "office"), e(3, "2026-02-01", "", "night")}, "line 3: roster.overlap: it plans 2026-02-01 differently than line 2 does"},
		"the same twice":             {[]gatehouse.RosterEntry{e(2, "2026-01-01", "", "office"), e(3, "2026-02-01", "", "office")}, ""},
		"patterns that meet late":    {[]gatehouse.RosterEntry{e(2, "2026-01-01", "", "office", "office", "night"), e(3, "2026-01-02", "", "office", "night")}, "line 3: roster.overlap: it plans 2026-01-05 differently than line 2 does"},
		"a group and one of it":      {[]gatehouse.RosterEntry{group, e(2, "2026-01-01", "", "office"), swap}, ""},
		"ends before":                {[]gatehouse.RosterEntry{e(2, "2026-02-01", "2026-01-01", "office")}, "line 2: roster.order: it ends before it begins"},
		"a date in another form":     {[]gatehouse.RosterEntry{e(2, "01.02.2026", "", "office")}, "line 2: roster.date: write dates as 2026-12-25"},
		"a shift that is not there":  {[]gatehouse.RosterEntry{e(2, "2026-02-01", "", "", "late")}, "line 2: roster.shift: it names a shift that is not there"},
		"nobody":                     {[]gatehouse.RosterEntry{{Kind: gatehouse.StandingRoster, From: "2026-01-01", Pattern: []gatehouse.ShiftID{""}, Line: 4}}, "line 4: roster.who: it is for one group or one person"},
		"no pattern, and no meaning": {[]gatehouse.RosterEntry{e(5, "2026-01-01", "")}, "line 5: roster.pattern: the pattern has 1 to 366 days"},
	} {
		if got := codes(CheckRoster(c.roster, all)); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func TestImportsSayWhatIsWrongAndWhere(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	who := map[string]gatehouse.SubjectID{"1001": worker}
	n := 0
	newID := func() gatehouse.ID { n++; return id(n) }
	f := PunchFormat{Layout: "02.01.2006 15:04", Zone: berlin, In: "K", Out: "G", Site: "hq"}
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	rows := []PunchRow{
		{Line: 2, Who: "1001", At: "02.03.2026 08:00", Direction: "K"},
		{Line: 3, Who: "1001", At: "2026-03-02 08:00", Direction: "K"},
		{Line: 4, Who: "1001", At: "03/02/2026 08:00", Direction: "K"},
		{Line: 5, Who: "9", At: "02.03.2026 08:00", Direction: "K"},
		{Line: 6, Who: "1001", At: "02.03.2027 08:00", Direction: "K"},
		{Line: 7, Who: "1001", At: "29.03.2026 02:30", Direction: "K"},
		{Line: 8, Who: "1001", At: "25.10.2026 02:30", Direction: "G"},
		{Line: 9, Who: "1001", At: "02.03.2026 17:00", Direction: "out"},
		{Line: 10, Who: "1001", At: "02.03.2026 08:00", Direction: "K"},
		{Line: 11, Who: "1001", At: "02.03.2026 17:00", Direction: "G", Site: "Lager 2"},
		{Line: 12, Who: "1001", At: "31.02.2026 17:00", Direction: "G"},
		{Line: 13, Who: "1001", At: "02.03.1926 17:00", Direction: "G"},
		{Line: 14, Who: "1001", At: "02.03.2026 17:00", Direction: "G"},
	}
	got, found := FromRows(rows, f, who, now, newID)
	want := `line 3: punch.time: the time is not written as 02.01.2006 15:04
line 4: punch.time: the time is not written as 02.01.2006 15:04
line 5: punch.who: there is nobody with this number
line 6: punch.future: it is in the future
line 7: punch.time: the clock skipped this time, or it is not written as 02.01.2006 15:04
line 8: punch.twice: the clock shows this time twice: say which is meant, with its offset from UTC
line 9: punch.direction: this is neither the word for coming nor that for going
line 10: punch.again: it says the same as line 2
line 11: punch.site: this is no site's name
line 12: punch.time: the time is not written as 02.01.2006 15:04
line 13: punch.time: it is before the year 2000`
	if text := codes(found); text != want {
		t.Errorf("found:\n%s\nwant:\n%s", text, want)
	}
	if len(got) != 2 || got[0].Direction != gatehouse.In || got[1].Direction != gatehouse.Out || !got[0].At.Equal(time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("read %+v", got)
	}
	// One person at two sites, and two people: within the minute always, within the way's length where it is known.
	elsewhere := []PunchRow{{Line: 2, Who: "1001", At: "02.03.2026 08:00", Direction: "K"}, {Line: 3, Who: "1002", At: "02.03.2026 08:00", Direction: "K", Site: "depot"}, {Line: 4, Who: "1001", At: "02.03.2026 08:10", Direction: "K", Site: "depot"}}
	both := map[string]gatehouse.SubjectID{"1001": worker, "1002": id(77)}
	if _, found = FromRows(elsewhere, f, both, now, newID); len(found) != 0 {
		t.Errorf("ten minutes apart: %v", found)
	}
	f.Travel = 15
	if _, found = FromRows(elsewhere, f, both, now, newID); codes(found) != "line 4: punch.two_sites: it is at another site at the same time as line 2 says" {
		t.Errorf("at two sites at once: %v", found)
	}
	f.Layout = time.RFC3339
	if got, found = FromRows([]PunchRow{{Line: 2, Who: "1001", At: "2026-10-25T02:30:00+01:00", Direction: "G"}, {Line: 3, Who: "1001", At: "2026-10-25T02:30:00+02:00", Direction: "G"}}, f, who, now, newID); len(got) != 2 || len(found) != 0 {
		t.Errorf("with an offset: %v %v", got, found)
	}
}

func FuzzFromRows(f *testing.F) {
	f.Add("1001", "02.03.2026 08:00", "K", "02.01.2006 15:04")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, number, at, dir, layout string) {
		now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
		got, found := FromRows([]PunchRow{{Line: 7, Who: number, At: at, Direction: dir}}, PunchFormat{Layout: layout, Zone: time.UTC, In: "K", Out: "G", Site: "hq"}, map[string]gatehouse.SubjectID{"1001": worker}, now, func() gatehouse.ID { return id(1) })
		if len(got)+len(found) != 1 || len(found) == 1 && found[0].Line != 7 || len(got) == 1 && got[0].At.After(now) {
			t.Errorf("%v %v", got, found)
		}
	})
}

func TestBadPeriods(t *testing.T) {
	for _, p := range [][2]gatehouse.Date{{"2026-03-02", "2026-03-01"}, {"02.03.2026", "2026-03-03"}, {"", ""}, {"2020-01-01", "2026-01-01"}} {
		if _, err := Recalculate(input(time.UTC, p[0], p[1], office, nil)); gatehouse.ErrorCode(err) != "attendance.period" {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// Only a granted passage of somebody enrolled at a gate that counts is a punch, and a face
// only with the consent that is for that.
func TestPassagesThatArePunches(t *testing.T) {
	good := gatehouse.Passage{ID: id(1), Gate: "door", Direction: gatehouse.In, Kind: gatehouse.FaceReading, Subject: worker, Known: true, Decision: gatehouse.Decision{Grant: true}, Outcome: gatehouse.Passed,
		At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	c := Counting{Gates: map[gatehouse.GateID]bool{"door": true}, FaceConsent: func(gatehouse.Passage) bool { return true }}
	p, ok := c.Of(good)
	if !ok || p.ID != good.ID || p.Direction != gatehouse.In || !p.At.Equal(good.At) || p.Source != gatehouse.FromPassage {
		t.Fatalf("%+v %t", p, ok)
	}
	for name, change := range map[string]func(*gatehouse.Passage, *Counting){
		"denied":                 func(p *gatehouse.Passage, _ *Counting) { p.Decision.Grant = false },
		"a stranger":             func(p *gatehouse.Passage, _ *Counting) { p.Known = false },
		"another gate":           func(p *gatehouse.Passage, _ *Counting) { p.Gate = "lane" },
		"nobody passed":          func(p *gatehouse.Passage, _ *Counting) { p.Outcome = gatehouse.NotPassed },
		"a vehicle":              func(p *gatehouse.Passage, _ *Counting) { p.Kind = gatehouse.PlateReading },
		"a face without consent": func(_ *gatehouse.Passage, c *Counting) { c.FaceConsent = func(gatehouse.Passage) bool { return false } },
		"nobody was asked":       func(_ *gatehouse.Passage, c *Counting) { c.FaceConsent = nil },
		"the law":                func(_ *gatehouse.Passage, c *Counting) { c.NoFaces = true },
	} {
		p, c := good, c
		change(&p, &c)
		if _, ok := c.Of(p); ok {
			t.Errorf("%s: a punch", name)
		}
	}
	good.Kind, c.NoFaces, c.FaceConsent = gatehouse.CardReading, true, nil
	if _, ok := c.Of(good); !ok {
		t.Error("a card needs no consent for faces")
	}
}
