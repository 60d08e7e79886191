package demo

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/timesheet"
	"gatehouse/rules/attendance"
	"gatehouse/server"

	"filippo.io/age"
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

// hours gives the demo site a shift team and its week before last, at the first start:
// somebody came late, somebody stayed, a punch was missed, asked for and approved; the
// week was closed, and its hours lie as a spreadsheet beside the keys. Last week waits for
// decisions. The doors' passages of today add to it.
func (c *cast) hours(ctx context.Context, s *server.Server, dir string) error {
	h := s.Hours()
	if len(h.List().Shifts) > 0 || len(c.people) < teamSize {
		return nil
	}
	now := time.Now().In(s.Location())
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, s.Location())
	last := today.AddDate(0, 0, -(int(today.Weekday())+6)%7-7) // last week's Monday
	week := last.AddDate(0, 0, -7)
	team := c.people[:teamSize]
	if err := planHours(ctx, h, team, gatehouse.DateOf(week)); err != nil {
		return err
	}
	for _, monday := range []time.Time{week, last} {
		if err := c.punch(ctx, s, team, monday); err != nil {
			return err
		}
	}
	for i, monday := range []time.Time{week, last} {
		asked, err := h.Ask(ctx, planner, timesheet.Asked{Who: team[0].id, Kind: gatehouse.AddPunch, At: at(monday, 1, 14, 30), Direction: gatehouse.Out, Reason: "The reader was dark when I left."})
		if err == nil && i == 0 {
			_, err = h.Decide(ctx, foreman, asked.ID, true)
		}
		if err != nil {
			return err
		}
	}
	from, until := gatehouse.DateOf(week), gatehouse.DateOf(week.AddDate(0, 0, 6))
	if _, err := h.Close(ctx, clerk, from, until); err != nil {
		return err
	}
	return exportHours(ctx, s, dir, from, until)
}

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
		func() error { return h.PutTeam(ctx, planner, 0, gatehouse.Team{ID: "assembly", Title: "Assembly"}) },
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

// punch imports a week, as another system would have kept it: everybody a few minutes
// early, but for one who came late on Wednesday, one who stayed on Thursday, and one whose
// going on Tuesday is missing.
func (c *cast) punch(ctx context.Context, s *server.Server, team []*person, monday time.Time) error {
	r := wire.PunchImportRequest{Layout: time.RFC3339, In: "in", Out: "out"}
	add := func(p *person, at time.Time, way string) {
		r.Rows = append(r.Rows, wire.PunchRow{Line: len(r.Rows) + 1, Person: p.label, At: at.Format(time.RFC3339), Direction: way})
	}
	for i, p := range team {
		for day := range 5 {
			come, leave := at(monday, day, 5, 48+i), at(monday, day, 14, 31+i)
			switch {
			case i == 1 && day == 2:
				come = at(monday, day, 6, 24)
			case i == 2 && day == 3:
				leave = at(monday, day, 17, 5)
			}
			add(p, come, "in")
			if i != 0 || day != 1 {
				add(p, leave, "out")
			}
		}
	}
	got, err := s.Admin().ImportPunches(ctx, r)
	if err == nil && len(got.Problems) > 0 {
		err = gatehouse.Errorf("demo.hours", "report it", "the demo's punches are refused: line %d: %s", got.Problems[0].Line, got.Problems[0].Code)
	}
	return err
}

func at(monday time.Time, day, hour, minute int) time.Time {
	return time.Date(monday.Year(), monday.Month(), monday.Day()+day, hour, minute, 0, 0, monday.Location())
}

// exportHours has two people export the closed week, encrypted to a key of the demo's, and
// opens the file as the payroll office would.
func exportHours(ctx context.Context, s *server.Server, dir string, from, until gatehouse.Date) error {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	e, err := s.Hours().AskExport(ctx, clerk, from, until, gatehouse.PayXLSX, []string{key.Recipient().String()})
	if err == nil {
		_, err = s.Hours().ApproveExport(ctx, foreman, e.ID)
	}
	if err != nil {
		return err
	}
	file, err := s.Admin().PayExportFile(ctx, e.ID)
	if err != nil {
		return err
	}
	r, err := age.Decrypt(bytes.NewReader(file.Sealed), key)
	if err != nil {
		return err
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, "payroll")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, file.Name), file.Sealed, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "hours.xlsx"), plain, 0o600)
}
