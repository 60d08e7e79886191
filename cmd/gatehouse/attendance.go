package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// AttendanceCmd is about hours worked.
type AttendanceCmd struct {
	Plans   HoursPlansCmd   `cmd:"" help:"Show shifts, teams, rosters and rules."`
	Changes HoursChangesCmd `cmd:"" help:"List every version of them, the newest first."`
	Shift   ShiftSetCmd     `cmd:"" help:"Make or replace a shift."`
	Team    TeamSetCmd      `cmd:"" help:"Make or rename a team."`
	Member  MemberSetCmd    `cmd:"" help:"Put somebody into a team for some days."`
	Roster  RosterCmd       `cmd:"" help:"Plan the days of a team or of one person."`
	Rules   HoursRulesCmd   `cmd:"" help:"Let rules count from a day on: a law's preset, or a file."`
	Holiday HoursHolidayCmd `cmd:"" name:"holidays" help:"Take a place's public holidays for the site's calendar."`
	Leave   LeaveCmd        `cmd:"" help:"Kinds of leave, requests and balances."`
	Remove  PlanRemoveCmd   `cmd:"" help:"Take a part out of the plans."`

	People      HoursPeopleCmd      `cmd:"" help:"Everybody's hours of some days, by badge label."`
	Show        HoursShowCmd        `cmd:"" help:"Somebody's timesheet, with what made each minute what it is."`
	Differences HoursDifferencesCmd `cmd:"" help:"What became of somebody's hours since their period was closed."`
	Punch       HoursPunchCmd       `cmd:"" help:"Enter a punch for somebody."`
	Import      HoursImportCmd      `cmd:"" help:"Import punches of another system from a CSV file."`
	Corrections CorrectionsCmd      `cmd:"" help:"List requests to have hours put right."`
	Correct     CorrectCmd          `cmd:"" help:"Ask for a correction in somebody's name; somebody else decides it."`
	Approve     CorrectionYesCmd    `cmd:"" help:"Approve a correction."`
	Refuse      CorrectionNoCmd     `cmd:"" help:"Refuse a correction."`

	Swap SwapCmd `cmd:"" help:"Shifts that people want to exchange: both agree on their own pages, somebody else decides."`

	Periods     PeriodsCmd     `cmd:"" help:"List pay periods that were closed."`
	Close       PeriodCloseCmd `cmd:"" help:"End changes of a period's hours."`
	Lock        PeriodLockCmd  `cmd:"" help:"Say that a closed period was paid."`
	Reopen      PeriodOpenCmd  `cmd:"" help:"Ask to reopen a period; a second person agrees, in the console or here."`
	Export      PayExportCmd   `cmd:"" help:"A closed period's hours as a file for a payroll program: two people, encrypted."`
	Scheme      PaySchemeCmd   `cmd:"" help:"Set the pay scheme: how each earnings code becomes money."`
	Pay         WagesCmd       `cmd:"" help:"What people are paid by, sealed; pay runs, payslips and files with amounts."`
	Performance PerformanceCmd `cmd:"" help:"Punctuality, absence and overtime by team; small teams are hidden."`
}

// HoursPlansCmd shows the book of hours.
type HoursPlansCmd struct{}

// Run shows it.
func (HoursPlansCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.HoursPlans, error) { return a.HoursPlans(ctx) }, out.hoursPlans)
}

func (o *Out) hoursPlans(p wire.HoursPlans) {
	o.Say("version %d", p.Version)
	for _, s := range p.Shifts {
		o.Say("shift   %-20s  %-8s  %s", s.ID, s.Kind, strings.Join(s.Parts, " "))
	}
	for _, t := range p.Teams {
		o.Say("team    %-20s  %5d members  %s", t.ID, t.Members, t.Title)
	}
	for _, m := range p.Members {
		o.Say("member  %s  %s in %s from %s until %s", m.ID, m.Person, m.Team, m.From, last(m.Until))
	}
	for _, e := range p.Roster {
		o.Say("roster  %s  %s%s from %s until %s: %s", e.ID, e.Team, e.Person, e.From, last(e.Until), pattern(e.Shifts))
	}
	for _, r := range p.Rules {
		o.Say("rules   from %s: %s", r.From, r.Name)
	}
	if p.Calendar.Name != "" {
		o.Say("calendar %s, %d days", p.Calendar.Name, len(p.Calendar.Days))
	}
	for _, k := range p.LeaveKinds {
		o.Say("leave   %-20s  %s a year  %s", k.ID, gatehouse.HoursMinutes(k.PerYear), k.Title)
	}
}

func last(d gatehouse.Date) string {
	if d == "" {
		return "further notice"
	}
	return string(d)
}

// pattern writes shifts as people do: a hyphen is a day off.
func pattern(shifts []gatehouse.ShiftID) string {
	words := make([]string, len(shifts))
	for i, s := range shifts {
		if words[i] = string(s); s == "" {
			words[i] = "-"
		}
	}
	return strings.Join(words, " ")
}

func shiftsOf(words []string) (out []gatehouse.ShiftID) {
	for _, w := range words {
		if w == "-" {
			w = ""
		}
		out = append(out, gatehouse.ShiftID(w))
	}
	return out
}

// HoursChangesCmd lists versions.
type HoursChangesCmd struct{}

// Run lists them.
func (HoursChangesCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PlanChanges, error) { return a.PlanChanges(ctx, 0) }, func(got wire.PlanChanges) {
		for _, c := range got.Changes {
			out.Say("%6d  %s  %-7s  %-8s  %s  by %s", c.Version, c.At.Local().Format(time.DateTime), c.Event, c.Kind, c.ID, c.By)
		}
	})
}

// put carries out a change of the plans.
func put(ctx context.Context, out *Out, r wire.PlanRequest) error {
	return answer(ctx, out, func(a api.Admin) (wire.PlanResponse, error) { return a.PutPlan(ctx, r) }, func(got wire.PlanResponse) {
		out.Say("version %d of the plans counts%s", got.Version, map[bool]string{true: ": " + got.ID}[got.ID != ""])
	})
}

// ShiftSetCmd makes a shift.
type ShiftSetCmd struct {
	Shift string   `arg:"" help:"The shift's id: early."`
	At    []string `sep:"none" help:"A part as 08:00-16:30; a night as 22:00-06:00. Several make a split shift. A flexible shift's frame." placeholder:"SPAN"`
	Kind  string   `default:"fixed" enum:"fixed,flexible,open" help:"fixed, flexible or open."`
	Core  []string `sep:"none" help:"Of a flexible shift: when somebody must be there." placeholder:"SPAN"`
	Due   int      `help:"Minutes that are due, of flexible and open shifts."`
	Break []string `sep:"none" help:"A break at a time, as 12:00-12:30, or of so many minutes after so many of work, as 30/360." placeholder:"BREAK"`
	Title string   `help:"What people call it."`
}

// Run makes it.
func (cmd ShiftSetCmd) Run(ctx context.Context, out *Out) error {
	s := wire.Shift{ID: gatehouse.ShiftID(cmd.Shift), Kind: gatehouse.ShiftKind(cmd.Kind), Parts: cmd.At, Core: cmd.Core, Due: cmd.Due, Title: cmd.Title}
	for _, b := range cmd.Break {
		one := wire.ShiftBreak{At: b}
		if strings.Contains(b, "/") {
			one.At = ""
			if _, err := fmt.Sscanf(b, "%d/%d", &one.Minutes, &one.After); err != nil {
				return gatehouse.Errorf("shift.span", "write 12:00-12:30, or 30/360", "this is no break")
			}
		}
		s.Breaks = append(s.Breaks, one)
	}
	return put(ctx, out, wire.PlanRequest{Shift: &s})
}

// TeamSetCmd makes a team.
type TeamSetCmd struct {
	Team  string `arg:"" help:"The team's id: line-1."`
	Title string `help:"What people call it; nobody's name."`

	CostCentre string `help:"The cost centre that its people's hours are charged to." placeholder:"CENTRE"`
	Project    string `help:"The project that they are charged to." placeholder:"PROJECT"`
}

// Run makes it.
func (cmd TeamSetCmd) Run(ctx context.Context, out *Out) error {
	return put(ctx, out, wire.PlanRequest{Team: &wire.Team{ID: gatehouse.GroupID(cmd.Team), Title: cmd.Title, CostCentre: cmd.CostCentre, Project: cmd.Project}})
}

// DaysArg are a first and a last day.
type DaysArg struct {
	From  string `required:"" help:"The first day: 2026-12-01." placeholder:"DATE"`
	Until string `help:"The last day." placeholder:"DATE"`
}

func (d DaysArg) from() gatehouse.Date  { return gatehouse.Date(d.From) }
func (d DaysArg) until() gatehouse.Date { return gatehouse.Date(d.Until) }

// MemberSetCmd puts somebody into a team.
type MemberSetCmd struct {
	Team   string `arg:"" help:"The team."`
	Person string `arg:"" help:"Their badge label or id."`
	DaysArg
}

// Run puts them in.
func (cmd MemberSetCmd) Run(ctx context.Context, out *Out) error {
	return put(ctx, out, wire.PlanRequest{Member: &wire.TeamMember{Team: gatehouse.GroupID(cmd.Team), Person: cmd.Person, From: cmd.from(), Until: cmd.until()}})
}

// HoursRulesCmd sets rules.
type HoursRulesCmd struct {
	From   string `required:"" help:"The first day on which they count." placeholder:"DATE"`
	Preset string `help:"What a law asks for at least: cn, eu, us or us-ca." placeholder:"LAW" xor:"what"`
	File   string `help:"A JSON file, as 'gatehouse attendance plans --json' shows rules (- for standard input)." placeholder:"FILE" xor:"what"`
}

// Run sets them.
func (cmd HoursRulesCmd) Run(ctx context.Context, out *Out) error {
	r := wire.HoursRules{}
	if cmd.File != "" {
		if err := readJSON(out, cmd.File, &r); err != nil {
			return err
		}
	}
	r.From, r.Preset = gatehouse.Date(cmd.From), cmd.Preset
	return put(ctx, out, wire.PlanRequest{Rules: &r})
}

// HoursHolidayCmd takes a calendar over.
type HoursHolidayCmd struct {
	Place string `arg:"" help:"cn (with its adjusted working days), de-by, us, …"`
	First int    `required:"" help:"The first year."`
	Last  int    `required:"" help:"The last year."`
}

// Run takes it over.
func (cmd HoursHolidayCmd) Run(ctx context.Context, out *Out) error {
	return put(ctx, out, wire.PlanRequest{Calendar: &wire.WorkCalendar{Place: cmd.Place, First: cmd.First, Last: cmd.Last}})
}

// PlanRemoveCmd removes a part.
type PlanRemoveCmd struct {
	Kind string `arg:"" enum:"shift,team,member,roster,rules,calendar,leave,earnings,figures" help:"shift, team, member, roster, rules, calendar, leave, earnings or figures."`
	ID   string `arg:"" help:"Its id, as 'attendance plans' shows it."`
}

// Run removes it.
func (cmd PlanRemoveCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PlanResponse, error) {
		return a.RemovePlan(ctx, gatehouse.HoursKind(cmd.Kind), cmd.ID)
	}, func(got wire.PlanResponse) { out.Say("version %d of the plans counts", got.Version) })
}

// personID is somebody's id, by that or by badge label.
func personID(ctx context.Context, a api.Admin, text string) (gatehouse.SubjectID, error) {
	if id, err := gatehouse.ParseID(text); err == nil {
		return id, nil
	}
	var found []gatehouse.SubjectID
	for after := (gatehouse.SubjectID{}); ; {
		page, err := a.Subjects(ctx, after, 200)
		if err != nil {
			return gatehouse.SubjectID{}, err
		}
		for _, s := range page.Subjects {
			if s.Label == text && s.Kind == gatehouse.PersonSubject {
				found = append(found, s.ID)
			}
		}
		if after = page.Next; after.IsZero() {
			break
		}
	}
	switch len(found) {
	case 0:
		return gatehouse.SubjectID{}, gatehouse.Errorf("subject.unknown", "`gatehouse people` lists who is enrolled", "nobody is enrolled as that")
	case 1:
		return found[0], nil
	}
	return gatehouse.SubjectID{}, gatehouse.Errorf("subject.several", "give the id", "several have this label")
}

// HoursPeopleCmd lists everybody's hours.
type HoursPeopleCmd struct{ DaysArg }

// Run lists them.
func (cmd HoursPeopleCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PeopleHours, error) {
		return a.PeopleHours(ctx, cmd.from(), cmd.lastDay())
	}, func(got wire.PeopleHours) {
		for _, p := range got.People {
			out.Say("%s  %-16s  %-16s  due %6s  worked %6s  overtime %6s  to look at %d", p.Person, p.Label, p.Team, gatehouse.HoursMinutes(p.Due), gatehouse.HoursMinutes(p.Worked), gatehouse.HoursMinutes(p.Overtime), p.Exceptions)
		}
	})
}

// lastDay is the last day, the first one where none was given.
func (d DaysArg) lastDay() gatehouse.Date {
	if d.Until == "" {
		return d.from()
	}
	return d.until()
}

// HoursShowCmd shows a timesheet.
type HoursShowCmd struct {
	Person string `arg:"" help:"Their badge label or id."`
	DaysArg
	Closed bool `help:"As it was when the period was closed."`
}

// Run shows it.
func (cmd HoursShowCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Timesheet, error) {
		id, err := personID(ctx, a, cmd.Person)
		if err != nil {
			return wire.Timesheet{}, err
		}
		return a.Timesheet(ctx, id, cmd.from(), cmd.lastDay(), cmd.Closed)
	}, out.timesheet)
}

func (o *Out) timesheet(t wire.Timesheet) {
	for _, d := range t.Days {
		o.Say("%s  %-8s  %-12s  due %s  worked %s", d.Date, d.Kind, d.Shift, gatehouse.HoursMinutes(d.Due), gatehouse.HoursMinutes(d.Worked))
		for _, e := range d.Entries {
			o.Say("    %s-%s  %6s  %-9s  %-14s  %s", e.From.Local().Format("15:04"), e.Until.Local().Format("15:04"), gatehouse.HoursMinutes(e.Minutes), e.Kind, e.Code, e.Because)
		}
		for _, e := range d.Exceptions {
			o.Say("    ! %s", e.Means)
		}
	}
	for _, c := range t.Totals {
		o.Say("%-20s  %d.%02d %%  %s", c.Code, c.Rate/100, c.Rate%100, gatehouse.HoursMinutes(c.Minutes))
	}
}

// HoursDifferencesCmd shows differences.
type HoursDifferencesCmd struct {
	Person string `arg:"" help:"Their badge label or id."`
	DaysArg
}

// Run shows them.
func (cmd HoursDifferencesCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.HoursDifferences, error) {
		id, err := personID(ctx, a, cmd.Person)
		if err != nil {
			return wire.HoursDifferences{}, err
		}
		return a.HoursDifferences(ctx, id, cmd.from(), cmd.lastDay(), 0, time.Time{})
	}, func(got wire.HoursDifferences) { out.differences(got.Differences) })
}

func (o *Out) differences(list []wire.HoursDifference) {
	if len(list) == 0 {
		o.Say("nothing differs")
	}
	for _, d := range list {
		if d.Exception != "" {
			o.Say("%s  %s: %d, was %d", d.Date, d.Exception, d.After, d.Before)
			continue
		}
		o.Say("%s  %s: %s, was %s", d.Date, d.Code, gatehouse.HoursMinutes(d.After), gatehouse.HoursMinutes(d.Before))
	}
}

// clockTime is a time that somebody gave, in this machine's zone where it names none.
func clockTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, gatehouse.Errorf("hours.time", "write 2026-12-01 08:00, or with its zone 2026-12-01T08:00:00+01:00", "this is no time")
}

// HoursPunchCmd enters a punch.
type HoursPunchCmd struct {
	Person    string `arg:"" help:"Their badge label or id."`
	Direction string `arg:"" enum:"in,out" help:"in or out."`
	At        string `required:"" help:"When: 2026-12-01 08:00." placeholder:"TIME"`
}

// Run enters it.
func (cmd HoursPunchCmd) Run(ctx context.Context, out *Out) error {
	at, err := clockTime(cmd.At)
	if err != nil {
		return err
	}
	return out.withAdmin(ctx, func(a api.Admin) error {
		return a.EnterPunch(ctx, wire.PunchRequest{Person: cmd.Person, At: at, Direction: gatehouse.Direction(cmd.Direction)})
	})
}

// CorrectionsCmd lists correction requests.
type CorrectionsCmd struct {
	State string `default:"requested" enum:"requested,approved,refused,withdrawn,all" help:"requested, approved, refused, withdrawn or all."`
}

// Run lists them.
func (cmd CorrectionsCmd) Run(ctx context.Context, out *Out) error {
	state := gatehouse.CorrectionState(cmd.State)
	if state == "all" {
		state = ""
	}
	return answer(ctx, out, func(a api.Admin) (wire.Corrections, error) {
		return a.Corrections(ctx, state, gatehouse.ID{}, 200)
	}, func(got wire.Corrections) {
		for _, c := range got.Corrections {
			out.correction(c)
			if len(c.Preview) > 0 {
				out.differences(c.Preview)
			}
		}
	})
}

func (o *Out) correction(c wire.Correction) {
	o.Say("%s  %-9s  %-7s  %-16s  %s %s", c.ID, c.State, c.Kind, c.Label, c.At.Local().Format("2006-01-02 15:04"), c.Direction)
}

// CorrectCmd asks for a correction.
type CorrectCmd struct {
	Person    string `arg:"" help:"Their badge label or id."`
	Kind      string `arg:"" enum:"add,move,void,dispute" help:"add, move, void or dispute."`
	Punch     string `help:"Of move and void: the punch's id, as 'attendance show --json' has it." placeholder:"ID"`
	At        string `help:"The right time: 2026-12-01 16:30." placeholder:"TIME"`
	Direction string `enum:"in,out," default:"" help:"in or out."`
	Reason    string `required:"" help:"Why; it is sealed." placeholder:"TEXT"`
}

// Run asks.
func (cmd CorrectCmd) Run(ctx context.Context, out *Out) error {
	r := wire.CorrectionAsk{Person: cmd.Person, Kind: gatehouse.CorrectionKind(cmd.Kind), Direction: gatehouse.Direction(cmd.Direction), Reason: cmd.Reason}
	var err error
	if cmd.Punch != "" {
		r.Punch, err = gatehouse.ParseID(cmd.Punch)
	}
	if err == nil && cmd.At != "" {
		r.At, err = clockTime(cmd.At)
	}
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Correction, error) { return a.AskCorrection(ctx, r) }, out.correction)
}

// CorrectionArg names a request.
type CorrectionArg struct {
	ID string `arg:"" help:"The request's id."`
}

func (c CorrectionArg) decide(ctx context.Context, out *Out, approve bool) error {
	id, err := gatehouse.ParseID(c.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Correction, error) {
		return a.DecideCorrection(ctx, id, wire.TimeDecision{Approve: approve})
	}, out.correction)
}

// CorrectionYesCmd approves.
type CorrectionYesCmd struct{ CorrectionArg }

// Run approves it.
func (cmd CorrectionYesCmd) Run(ctx context.Context, out *Out) error {
	return cmd.decide(ctx, out, true)
}

// CorrectionNoCmd refuses.
type CorrectionNoCmd struct{ CorrectionArg }

// Run refuses it.
func (cmd CorrectionNoCmd) Run(ctx context.Context, out *Out) error {
	return cmd.decide(ctx, out, false)
}

// PeriodsCmd lists periods.
type PeriodsCmd struct{}

// Run lists them.
func (PeriodsCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PayPeriods, error) { return a.PayPeriods(ctx) }, func(got wire.PayPeriods) {
		for _, p := range got.Periods {
			out.period(p)
		}
	})
}

func (o *Out) period(p wire.PayPeriod) {
	o.Say("%s until %s  %-6s  version %d, %s%s", p.From, p.Until, p.State, p.Version, p.Closed.Local().Format(time.DateTime), map[bool]string{true: "  a second person has to agree to reopen it"}[p.Waits])
}

// PeriodArg names a period.
type PeriodArg struct {
	From  string `arg:"" help:"The first day."`
	Until string `arg:"" help:"The last day."`
}

func (p PeriodArg) change(ctx context.Context, out *Out, do func(api.Admin, context.Context, wire.PeriodRequest) (wire.PayPeriod, error)) error {
	return answer(ctx, out, func(a api.Admin) (wire.PayPeriod, error) {
		return do(a, ctx, wire.PeriodRequest{From: gatehouse.Date(p.From), Until: gatehouse.Date(p.Until)})
	}, out.period)
}

// PeriodCloseCmd closes a period.
type PeriodCloseCmd struct{ PeriodArg }

// Run closes it.
func (cmd PeriodCloseCmd) Run(ctx context.Context, out *Out) error {
	return cmd.change(ctx, out, api.Admin.ClosePeriod)
}

// PeriodLockCmd locks a period.
type PeriodLockCmd struct{ PeriodArg }

// Run locks it.
func (cmd PeriodLockCmd) Run(ctx context.Context, out *Out) error {
	return cmd.change(ctx, out, api.Admin.LockPeriod)
}

// PeriodOpenCmd reopens a period.
type PeriodOpenCmd struct{ PeriodArg }

// Run reopens it.
func (cmd PeriodOpenCmd) Run(ctx context.Context, out *Out) error {
	return cmd.change(ctx, out, api.Admin.ReopenPeriod)
}

// PerformanceCmd shows teams' figures.
type PerformanceCmd struct{ DaysArg }

// Run shows them.
func (cmd PerformanceCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Performance, error) {
		return a.Performance(ctx, cmd.from(), cmd.lastDay())
	}, func(got wire.Performance) {
		for _, t := range append(got.Teams, got.All) {
			name := string(t.Team)
			if name == "" {
				name = "(no team)"
			}
			if t.Hidden {
				out.Say("%-16s  hidden: fewer than %d people", name, got.Least)
				continue
			}
			out.Say("%-16s  %4d people  %5d shifts  late %d (%s)  early %d  missed %d  overtime %s", name, t.People, t.Planned, t.Late, gatehouse.HoursMinutes(t.LateMinutes), t.Early, t.Missed, gatehouse.HoursMinutes(t.Overtime))
		}
	})
}
