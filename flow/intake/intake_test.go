package intake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

// counter is a desk that enrols in memory; gates are front-door only.
type counter struct {
	mu      sync.Mutex
	in      []Newcomer
	begun   int           // enrolments, with the one that waits
	refuse  string        // a label whose enrolment fails
	waiting chan struct{} // each enrolment takes one from here, if it is not nil
}

func (c *counter) Check(_ context.Context, n Newcomer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range n.Grants {
		if g.Gate != "front-door" {
			return gatehouse.Errorf("grant.unknown_gate", "", "no gate")
		}
	}
	if n.Label == "" || len(n.Label) > 60 {
		return gatehouse.Errorf("enroll.label", "", "no label")
	}
	if n.PIN == "111111" {
		return gatehouse.Errorf("enroll.pin", "", "easy")
	}
	for _, e := range c.in {
		if n.Card != "" && e.Card == n.Card || n.QR != "" && e.QR == n.QR {
			return gatehouse.Errorf("enroll.credential", "", "taken")
		}
	}
	return nil
}

func (c *counter) Enrol(ctx context.Context, _ string, n Newcomer) (gatehouse.SubjectID, error) {
	c.mu.Lock()
	c.begun++
	c.mu.Unlock()
	if c.waiting != nil {
		<-c.waiting
	}
	if err := c.Check(ctx, n); err != nil {
		return gatehouse.SubjectID{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.Label == c.refuse {
		return gatehouse.SubjectID{}, gatehouse.Errorf("store.full", "", "full")
	}
	c.in = append(c.in, n)
	return gatehouse.RandomID(), nil
}

// Groups has two of one title, one whose title is another one's id, and one of two words.
func (c *counter) Groups() []gatehouse.Group {
	return []gatehouse.Group{{ID: "staff", Title: "Staff"}, {ID: "night-cleaning", Title: "Night cleaning"}, {ID: "a", Title: "Visitors"}, {ID: "b", Title: "visitors"}, {ID: "c", Title: "staff"}}
}

func (c *counter) Labels(gatehouse.SubjectKind) map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := map[string]bool{}
	for _, n := range c.in {
		m[n.Label] = true
	}
	return m
}

func table(encoding string, lines ...string) Table {
	t := Table{Header: strings.Split(lines[0], ","), Encoding: encoding}
	for i, l := range lines[1:] {
		t.Rows = append(t.Rows, Row{N: i + 2, Cells: strings.Split(l, ",")})
	}
	return t
}

var people = Options{Kind: gatehouse.PersonSubject, Location: time.UTC}

func TestRowColumnAndCause(t *testing.T) {
	for _, c := range []struct {
		name string
		t    Table
		want []Problem
	}{
		{"a header of nobody's", table("utf-8", "label,shoe size", "B-1,43"), []Problem{{Row: 1, Column: "B", Code: "intake.column"}}},
		{"no label", table("utf-8", "name", "Ana"), []Problem{{Row: 1, Column: "label", Code: "intake.column_missing"}}},
		{"a column twice", table("utf-8", "label,name,姓名", "B-1,Ana,Ana"), []Problem{{Row: 1, Column: "name", Code: "intake.column_twice"}}},
		{"an empty label", table("utf-8", "label,name", ",Ana"), []Problem{{Row: 2, Column: "label", Code: "enroll.label"}}},
		{"two rows of one label", table("utf-8", "label,name", "B-1,Ana", "B-2,Ben", "B-1,Cy"), []Problem{{Row: 4, Column: "label", Code: "intake.twice", Other: 2}}},
		{"two rows of one card", table("utf-8", "label,card", "B-1,7", "B-2,7"), []Problem{{Row: 3, Column: "card", Code: "intake.twice", Other: 2}}},
		{"a date that could be two", table("utf-8", "label,birth_date", "B-1,03/04/1990"), []Problem{{Row: 2, Column: "birth_date", Code: "intake.date_ambiguous"}}},
		{"no date", table("utf-8", "label,出生日期", "B-1,soon"), []Problem{{Row: 2, Column: "birth_date", Code: "intake.date"}}},
		{"a number that was rounded", table("xlsx", "label,national_id", "B-1,1.10105194912E+17"), []Problem{{Row: 2, Column: "national_id", Code: "intake.rounded"}}},
		{"a group that is not there", table("utf-8", "label,group", "B-1,staff", "B-2,Stuff"), []Problem{{Row: 3, Column: "groups", Code: "intake.group"}}},
		{"a title of two groups", table("utf-8", "label,groups", "B-1,Visitors", "B-2,a"), []Problem{{Row: 2, Column: "groups", Code: "intake.group_several"}}},
		{"a gate that is not there", table("utf-8", "label,gates", "B-1,back-door"), []Problem{{Row: 2, Column: "gates", Code: "grant.unknown_gate"}}},
		{"an easy PIN", table("utf-8", "label,pin", "B-1,111111"), []Problem{{Row: 2, Column: "pin", Code: "enroll.pin"}}},
		{"somebody else's QR code", table("utf-8", "label,card,qr", "B-1,fresh,taken"), []Problem{{Row: 2, Column: "qr", Code: "enroll.credential"}}},
		{"all well", table("utf-8", "Badge,姓名,gates", "B-1,Ana,front-door:always"), nil},
	} {
		d := &counter{in: []Newcomer{{Label: "X", Card: "taken", QR: "taken"}}}
		r, err := Check(t.Context(), d, c.t, people)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, r.Problems); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		for _, p := range r.Problems {
			if p.Cause("en") == "" || p.Cause("zh") == p.Cause("en") {
				t.Errorf("%s has no sentence", p.Code)
			}
		}
		if len(d.in) != 1 {
			t.Errorf("%s: a check enrolled somebody", c.name)
		}
	}
	withFormula := table("xlsx", "label,name", "B-1,Ana")
	withFormula.Rows[0].Formulas = []int{1}
	if r, _ := Check(t.Context(), &counter{}, withFormula, people); len(r.Problems) != 1 || r.Problems[0] != (Problem{Row: 2, Column: "name", Code: "intake.formula"}) {
		t.Errorf("a formula: %+v", r.Problems)
	}
}

func TestDates(t *testing.T) {
	for text, want := range map[string]string{
		"1990-04-03": "1990-04-03 " + FormISO, "1990-4-3": "1990-04-03 " + FormISO, "1990/4/3": "1990-04-03 " + FormSlash, "1990.4.3": "1990-04-03 " + FormDots,
		"1990年4月3日": "1990-04-03 " + FormHan, "19900403": "1990-04-03 " + FormPlain, "3.4.1990": "1990-04-03 " + FormDayDot, "1990-04-03 00:00:00": "1990-04-03 " + FormISO,
		"32966": "1990-04-03 " + FormSerial, "1": "1900-01-01 " + FormSerial, "61": "1900-03-01 " + FormSerial, "32966.5": "1990-04-03 " + FormSerial,
		"3/4/1990": "intake.date_ambiguous", "13/4/1990": "intake.date_ambiguous", "4-3-90": "intake.date_ambiguous",
		"1990-02-30": "intake.date", "tomorrow": "intake.date", "0": "intake.date", "-5": "intake.date", "1e9": "intake.date", "NaN": "intake.date", "1492-10-12": "intake.date", "": "intake.date",
	} {
		day, form, code := parseDate(text, true, false)
		got := code
		if code == "" {
			got = day.Format(time.DateOnly) + " " + form
		}
		if got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
	if day, _, _ := parseDate("31504", true, true); day.Format(time.DateOnly) != "1990-04-03" {
		t.Errorf("counted from 1904: %s", day)
	}
	if _, _, code := parseDate("32966", false, false); code != "intake.date" {
		t.Error("a number in a CSV file counts as a date")
	}
}

// The last day counts, the day after it does not.
func TestWhatARowSays(t *testing.T) {
	d := &counter{}
	j := NewJobs(d, nil)
	defer j.Close()
	s, err := j.Check(t.Context(), "ana", table("utf-8", "label,name,national id,birth_date,gates,first_day,last_day,card", "B-1,Ana,1101,1990-04-03,front-door:office；front-door,2026-01-01,2026-12-31,'0042"), people)
	if err != nil || !s.Report.Clean() || s.Report.Ready != 1 || s.Report.NoGates != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	if want := []DateForm{{"birth_date", FormISO, 1}, {"first_day", FormISO, 1}, {"last_day", FormISO, 1}}; !slices.Equal(want, s.Report.Dates) {
		t.Errorf("dates: %v", s.Report.Dates)
	}
	run(t, j, s.ID)
	want := Newcomer{Label: "B-1", Person: &gatehouse.PersonRecord{Name: "Ana", NationalID: "1101", BirthDate: "1990-04-03"}, Card: "0042",
		Grants: []gatehouse.Grant{{Gate: "front-door", Schedule: "office"}, {Gate: "front-door", Schedule: "always"}}, ValidFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ValidUntil: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	if diff := cmp.Diff([]Newcomer{want}, d.in); diff != "" {
		t.Error(diff)
	}
}

func run(t *testing.T, j *Jobs, id gatehouse.ID) Status {
	t.Helper()
	if _, err := j.Start("ana", id); err != nil {
		t.Fatal(err)
	}
	return ended(t, j, id)
}

func ended(t *testing.T, j *Jobs, id gatehouse.ID) Status {
	t.Helper()
	for range 2000 {
		s, err := j.Status("ana", id)
		if err != nil {
			t.Fatal(err)
		}
		if s.State != Running {
			return s
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("it does not end")
	return Status{}
}

// The same table twice changes nothing; one that was stopped is gone on with.
func TestStoppedGoneOnWithAndRepeated(t *testing.T) {
	lines := []string{"label,name"}
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("B-%d,N", i))
	}
	d := &counter{waiting: make(chan struct{}, 100), refuse: "B-20"}
	j := NewJobs(d, nil)
	defer j.Close()
	s, err := j.Check(t.Context(), "ana", table("utf-8", lines...), people)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Start("ana", s.ID); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		d.waiting <- struct{}{}
	}
	for begun := func() int { d.mu.Lock(); defer d.mu.Unlock(); return d.begun }; begun() < 11; { // it is at the eleventh
		time.Sleep(time.Millisecond)
	}
	if _, err := j.Stop("ana", s.ID); err != nil {
		t.Fatal(err)
	}
	d.waiting <- struct{}{} // the row that it was at is finished
	if s = ended(t, j, s.ID); s.State != Stopped || s.Enrolled != 11 || s.Left() != 29 {
		t.Fatalf("stopped: %+v", s)
	}
	close(d.waiting)
	if s = run(t, j, s.ID); s.State != Done || s.Enrolled != 39 || len(s.Failed) != 1 || s.Failed[0].Row != 22 {
		t.Fatalf("gone on: %+v", s)
	}
	// Again, by another job: only what failed is left.
	d.refuse = ""
	again, _ := j.Check(t.Context(), "ana", table("utf-8", lines...), people)
	if again.Report.There != 39 || again.Report.Ready != 1 {
		t.Errorf("again: %+v", again.Report)
	}
	if again = run(t, j, again.ID); again.Enrolled != 1 || len(d.in) != 40 {
		t.Errorf("again: %+v, %d", again, len(d.in))
	}
	third, _ := j.Check(t.Context(), "ana", table("utf-8", lines...), people)
	if third = run(t, j, third.ID); third.Enrolled != 0 || len(d.in) != 40 {
		t.Errorf("a third time enrolled %d", third.Enrolled)
	}
}

func TestNothingIsRunWithProblemsUnlessTheyAreLeftOut(t *testing.T) {
	d := &counter{}
	j := NewJobs(d, nil)
	defer j.Close()
	bad := table("utf-8", "label,pin", "B-1,111111", "B-2,")
	s, _ := j.Check(t.Context(), "ana", bad, people)
	if _, err := j.Start("ana", s.ID); gatehouse.ErrorCode(err) != "intake.problems" || len(d.in) != 0 {
		t.Errorf("with problems: %v, %d enrolled", err, len(d.in))
	}
	skip := people
	skip.Skip = true
	s, _ = j.Check(t.Context(), "ana", bad, skip)
	if s = run(t, j, s.ID); s.Enrolled != 1 || d.in[0].Label != "B-2" {
		t.Errorf("left out: %+v", s)
	}
}

func TestJobsAreOnesOwnAndAreForgotten(t *testing.T) {
	now := time.Now()
	j := NewJobs(&counter{}, func() time.Time { return now })
	defer j.Close()
	s, _ := j.Check(t.Context(), "ana", table("utf-8", "label", "B-1"), people)
	for what, err := range map[string]error{"status": second(j.Status("ben", s.ID)), "start": second(j.Start("ben", s.ID)), "stop": second(j.Stop("ben", s.ID)), "drop": j.Drop("ben", s.ID)} {
		if gatehouse.ErrorCode(err) != "intake.gone" {
			t.Errorf("another's %s: %v", what, err)
		}
	}
	now = now.Add(keptFor)
	if _, err := j.Status("ana", s.ID); gatehouse.ErrorCode(err) != "intake.gone" || len(j.jobs) != 0 {
		t.Errorf("half an hour later: %v, %d held", err, len(j.jobs))
	}
	for range maxJobs {
		if _, err := j.Check(t.Context(), "ana", table("utf-8", "label", "B-1"), people); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Check(t.Context(), "ana", table("utf-8", "label", "B-1"), people); gatehouse.ErrorCode(err) != "intake.busy" {
		t.Errorf("one too many: %v", err)
	}
}

func second(_ Status, err error) error { return err }

func TestColumnsOfATemplateAreKnown(t *testing.T) {
	for _, kind := range []gatehouse.SubjectKind{gatehouse.PersonSubject, gatehouse.VehicleSubject} {
		for _, name := range Columns(kind) {
			if columnOf(kind, strings.ToUpper(name)) != name {
				t.Errorf("%s is not known", name)
			}
		}
	}
	if columnOf(gatehouse.VehicleSubject, "national_id") != "" {
		t.Error("a vehicle has an ID number")
	}
	if got := Letters(0) + Letters(25) + Letters(26) + Letters(701) + Letters(702); got != "AZAAZZAAA" {
		t.Error(got)
	}
}

// Groups are named by id or title; an id is one group's whatever others are called, and one
// that is named twice is joined once.
func TestGroupsOfARow(t *testing.T) {
	d := &counter{}
	j := NewJobs(d, nil)
	defer j.Close()
	s, err := j.Check(t.Context(), "ana", table("utf-8", "label,分组", "B-1,STAFF; night Cleaning；staff", "B-2,", "B-3,b|c"), people)
	if err != nil || !s.Report.Clean() || s.Report.NoGates != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := j.Start("ana", s.ID); err != nil {
		t.Fatal(err)
	}
	for s.State != Done {
		time.Sleep(time.Millisecond)
		s, _ = j.Status("ana", s.ID)
	}
	var got [][]gatehouse.GroupID
	for _, n := range d.in {
		got = append(got, n.Groups)
	}
	if diff := cmp.Diff([][]gatehouse.GroupID{{"staff", "night-cleaning"}, nil, {"b", "c"}}, got); diff != "" {
		t.Error(diff)
	}
}
