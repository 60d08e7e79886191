package demo

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/timesheet"
	"gatehouse/rules/attendance"
	"gatehouse/server"
)

// teamSize is how many of the cast work in the shift team: enough that its figures may be
// shown.
const teamSize = 8

// The people of the demo's office. Their accounts are nobody's: nobody signs in with them.
var (
	planner = timesheet.Actor{Account: gatehouse.AccountID{15: 0xD1}}
	foreman = timesheet.Actor{Account: gatehouse.AccountID{15: 0xD2}}
	clerk   = timesheet.Actor{Account: gatehouse.AccountID{15: 0xD3}}
)

// hours gives the demo site a shift team and its last three weeks, at the first start. In
// each of them somebody came late, somebody stayed, and a punch was missed. The first was
// put right, closed and paid; the second waits for a decision; in this one, which the pages
// show first, it was approved. The doors' passages of today add to it.
func (c *cast) hours(ctx context.Context, s *server.Server, k Keys, passphrase []byte) error {
	h := s.Hours()
	if len(h.List().Shifts) > 0 || len(c.people) < teamSize {
		return nil
	}
	now := time.Now().In(s.Location())
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, s.Location())
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	weeks := []teamWeek{{monday: monday.AddDate(0, 0, -14), missed: 1, late: 2, stayed: 3, approved: true}, {monday: monday.AddDate(0, 0, -7), missed: 1, late: 2, stayed: 3}, {monday: monday, approved: true}}
	team := c.people[:teamSize]
	if err := planHours(ctx, h, team, gatehouse.DateOf(weeks[0].monday)); err != nil {
		return err
	}
	for _, w := range weeks {
		if err := w.play(ctx, s, team, now); err != nil {
			return err
		}
	}
	from, until := gatehouse.DateOf(weeks[0].monday), gatehouse.DateOf(weeks[0].monday.AddDate(0, 0, 6))
	if err := setPay(ctx, s, team, from, gatehouse.DateOf(weeks[0].monday.AddDate(0, 0, 3))); err != nil {
		return err
	}
	if _, err := h.Close(ctx, clerk, from, until); err != nil {
		return err
	}
	o, err := newOffice(k)
	if err == nil {
		err = o.exportHours(ctx, s, from, until)
	}
	if err == nil {
		err = o.pay(ctx, s, passphrase, from, until)
	}
	if err != nil {
		return err
	}
	_, err = s.Admin().AddAccount(ctx, wire.AccountAddRequest{Login: workerLogin, Roles: []string{string(gatehouse.Employee)}})
	if err == nil {
		_, err = s.Admin().SetAccountPerson(ctx, workerLogin, wire.AccountPersonRequest{Person: team[1].label})
	}
	return err
}

// workerLogin is the account of one of the team, who looks at their own hours.
const workerLogin = "worker-2"

// planHours makes the shift, the team, its roster and the rules.
func planHours(ctx context.Context, h *timesheet.Hours, team []*person, from gatehouse.Date) error {
	rules := attendance.China()
	rules.Name, rules.DuplicateWithin = "demo", 2
	rules.Pairing = gatehouse.FirstLast // the demo's door has one direction
	rules.GraceIn, rules.GraceOut = gatehouse.PunchGrace{Early: 20, Late: 5}, gatehouse.PunchGrace{Early: 5, Late: 10}
	steps := []func() error{
		func() error {
			return h.PutShift(ctx, planner, 0, gatehouse.Shift{ID: "early", Title: "Early shift", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 360, Until: 870}}, Breaks: []gatehouse.ShiftBreak{{From: 600, Until: 630}}})
		},
		func() error {
			return h.PutTeam(ctx, planner, 0, gatehouse.Team{ID: "assembly", Title: "Assembly", CostCentre: "4711", Project: "pumps"})
		},
		func() error { return h.PutRules(ctx, planner, 0, from, rules) },
		func() error {
			return h.PutLeaveKind(ctx, planner, 0, gatehouse.LeaveKind{ID: "annual", Title: "Annual leave", Code: "leave", PerYear: 24 * 480})
		},
		func() error {
			_, err := h.PutRoster(ctx, planner, gatehouse.RosterEntry{Group: "assembly", From: from, Pattern: []gatehouse.ShiftID{"early", "early", "early", "early", "early", "", ""}})
			return err
		},
	}
	for _, p := range team {
		steps = append(steps, func() error {
			_, err := h.PutMember(ctx, planner, gatehouse.TeamMember{Team: "assembly", Who: p.id, From: from})
			return err
		})
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// teamWeek is a week of the team: on which of its days, Monday being 0, the first person's
// going is missing, the second came late, and the third stayed.
type teamWeek struct {
	monday               time.Time
	missed, late, stayed int
	approved             bool // what was asked for the missing punch
}

// play imports the week until now, as another system would have kept it, everybody a few
// minutes early, and asks for the punch that is missing.
func (w teamWeek) play(ctx context.Context, s *server.Server, team []*person, now time.Time) error {
	r := wire.PunchImportRequest{Layout: time.RFC3339, In: "in", Out: "out"}
	add := func(p *person, at time.Time, way string) {
		if at.Before(now.Add(-time.Minute)) {
			r.Rows = append(r.Rows, wire.PunchRow{Line: len(r.Rows) + 1, Person: p.label, At: at.Format(time.RFC3339), Direction: way})
		}
	}
	for i, p := range team {
		for day := range 5 {
			come, leave := at(w.monday, day, 5, 48+i), at(w.monday, day, 14, 31+i)
			switch {
			case i == 1 && day == w.late:
				come = at(w.monday, day, 6, 24)
			case i == 2 && day == w.stayed:
				leave = at(w.monday, day, 17, 5)
			}
			add(p, come, "in")
			if i != 0 || day != w.missed {
				add(p, leave, "out")
			}
		}
	}
	if len(r.Rows) == 0 {
		return nil // a Monday before dawn
	}
	got, err := s.Admin().ImportPunches(ctx, r)
	if err == nil && len(got.Problems) > 0 {
		err = gatehouse.Errorf("demo.hours", "report it", "the demo's punches are refused: line %d: %s", got.Problems[0].Line, got.Problems[0].Code)
	}
	missing := at(w.monday, w.missed, 14, 30)
	if err != nil || missing.After(now) {
		return err
	}
	asked, err := s.Hours().Ask(ctx, planner, timesheet.Asked{Who: team[0].id, Kind: gatehouse.AddPunch, At: missing, Direction: gatehouse.Out, Reason: "The reader was dark when I left."})
	if err == nil && w.approved {
		_, err = s.Hours().Decide(ctx, foreman, asked.ID, true)
	}
	return err
}

func at(monday time.Time, day, hour, minute int) time.Time {
	return time.Date(monday.Year(), monday.Month(), monday.Day()+day, hour, minute, 0, 0, monday.Location())
}
