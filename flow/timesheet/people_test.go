package timesheet_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/timesheet"

	"github.com/google/go-cmp/cmp"
)

// counted counts how often everybody's punches are read, and how often one person's.
type counted struct {
	gatehouse.HoursStore
	all, one int
}

func (c *counted) EachPunch(ctx context.Context, place gatehouse.Place, from, until time.Time, f func(gatehouse.Punch) error) error {
	c.all++
	return c.HoursStore.EachPunch(ctx, place, from, until, f)
}

func (c *counted) Punches(ctx context.Context, place gatehouse.Place, who gatehouse.SubjectID, from, until time.Time) ([]gatehouse.Punch, error) {
	c.one++
	return c.HoursStore.Punches(ctx, place, who, from, until)
}

// A list that is looked at again is what calculating it anew gives, whatever was done in
// between; and what changed of one person reads that person's punches alone.
func TestAListOfHoursIsRemembered(t *testing.T) {
	s := open(t)
	reads := &counted{HoursStore: s.store}
	now := time.Date(2026, 11, 25, 7, 30, 0, 0, zone)
	ports := s.ports
	ports.Store, ports.Now = reads, func() time.Time { return now }
	h, err := timesheet.Load(t.Context(), ports)
	s.must(err)
	type figures struct {
		Teams []timesheet.TeamFigures
		All   timesheet.TeamFigures
	}
	teams := func(h *timesheet.Hours) (f figures) {
		t.Helper()
		var err error
		f.Teams, f.All, err = h.Performance(t.Context(), "2026-11-23", "2026-11-29")
		s.must(err)
		return f
	}
	var anew figures // of those who calculated anew last
	fresh := func() []timesheet.PersonHours {
		t.Helper()
		another, err := timesheet.Load(t.Context(), ports)
		s.must(err)
		anew = teams(another)
		list, err := another.People(t.Context(), "2026-11-23", "2026-11-29")
		s.must(err)
		return list
	}
	check := func(what string, all, one int) {
		t.Helper()
		want := fresh()
		reads.all, reads.one = 0, 0
		got, err := h.People(t.Context(), "2026-11-23", "2026-11-29")
		s.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if diff := cmp.Diff(anew, teams(h)); diff != "" {
			t.Errorf("%s, teams' figures: %s", what, diff)
		}
		if reads.all != all || reads.one != one {
			t.Errorf("%s: everybody was read %d times and somebody %d times, want %d and %d", what, reads.all, reads.one, all, one)
		}
	}
	anna, ben := s.enrol(), s.enrol()
	clerk := timesheet.Actor{Account: gatehouse.RandomID()}
	s.must(h.PutShift(t.Context(), clerk, 0, gatehouse.Shift{ID: "day", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 480, Until: 960}}}))
	people := []gatehouse.SubjectID{anna, ben}
	for _, who := range append(people, s.enrol(), s.enrol(), s.enrol()) { // as many as a team has whose figures are shown
		_, err := h.PutRoster(t.Context(), clerk, gatehouse.RosterEntry{Who: who, From: "2026-11-23", Pattern: []gatehouse.ShiftID{"day"}})
		s.must(err)
	}
	s.must(h.PutLeaveKind(t.Context(), clerk, 0, gatehouse.LeaveKind{ID: "annual", Code: "leave"}))
	check("the first time", 1, 0)
	check("again", 0, 0)
	s.must(h.Enter(t.Context(), clerk, anna, now.Add(-24*time.Hour), gatehouse.In))
	check("after a punch", 0, 1)
	c, err := h.Ask(t.Context(), clerk, timesheet.Asked{Who: ben, Kind: gatehouse.AddPunch, At: now.Add(-23 * time.Hour), Direction: gatehouse.In, Reason: "x"})
	s.must(err)
	_, err = h.Decide(t.Context(), timesheet.Actor{Account: gatehouse.RandomID()}, c.ID, true)
	s.must(err)
	check("after a correction", 0, 1)
	l, err := h.AskLeave(t.Context(), clerk, anna, "annual", now.AddDate(0, 0, 1), now.AddDate(0, 0, 2), "x")
	s.must(err)
	_, err = h.DecideLeave(t.Context(), timesheet.Actor{Account: gatehouse.RandomID()}, l.ID, true)
	s.must(err)
	check("after leave", 0, 1)
	now = now.Add(10 * time.Minute)
	check("before anything begins or ends", 0, 0)
	now = now.Add(9 * time.Hour)
	check("after the end of five shifts", 0, 5)
	s.must(h.PutShift(t.Context(), clerk, timesheet.Any, gatehouse.Shift{ID: "day", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 540, Until: 960}}}))
	check("after another plan", 1, 0)
	h.Forget()
	check("after something was forgotten", 1, 0)
	for i := range 60 {
		now = now.Add(time.Duration(rand.IntN(240)) * time.Minute)
		who := people[rand.IntN(2)]
		if rand.IntN(2) == 0 {
			s.must(h.Enter(t.Context(), clerk, who, now.Add(-time.Duration(rand.IntN(600))*time.Minute), []gatehouse.Direction{gatehouse.In, gatehouse.Out}[rand.IntN(2)]))
		}
		got, err := h.People(t.Context(), "2026-11-23", "2026-11-29")
		s.must(err)
		if diff := cmp.Diff(fresh(), got); diff != "" {
			t.Fatalf("step %d: %s", i, diff)
		}
		if diff := cmp.Diff(anew, teams(h)); diff != "" {
			t.Fatalf("step %d, teams' figures: %s", i, diff)
		}
	}
}
