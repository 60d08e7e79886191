package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/timesheet"
	"gatehouse/rules/attendance"
)

// PeopleHours implements api.Hours.
func (a admin) PeopleHours(ctx context.Context, from, until gatehouse.Date) (wire.PeopleHours, error) {
	out := wire.PeopleHours{From: from, Until: until, People: []wire.PersonHours{}}
	list, err := a.hours.People(ctx, from, until)
	for _, p := range list {
		out.People = append(out.People, wire.PersonHours{Person: p.Subject, Label: a.label(p.Subject), Team: p.Team, Due: p.Due, Worked: p.Worked, Overtime: p.Overtime, Exceptions: len(p.Exceptions)})
	}
	return out, err
}

// closing is the state with which the period of some days was closed. Errors:
// period.unknown.
func (s *Server) closing(ctx context.Context, from, until gatehouse.Date) (timesheet.AsOf, error) {
	periods, err := s.hours.Periods(ctx)
	if err != nil {
		return timesheet.AsOf{}, err
	}
	for _, p := range periods {
		if p.From <= from && until <= p.Until {
			return timesheet.AsOf{Version: p.Version, At: p.Closed}, nil
		}
	}
	return timesheet.AsOf{}, gatehouse.Errorf("period.unknown", "see `gatehouse attendance periods`", "no period with these days was closed")
}

// Timesheet implements api.Hours.
func (a admin) Timesheet(ctx context.Context, id gatehouse.SubjectID, from, until gatehouse.Date, closed bool) (wire.Timesheet, error) {
	if err := a.lookedAt(ctx, id); err != nil {
		return wire.Timesheet{}, err
	}
	return a.sheet(ctx, id, from, until, closed)
}

func (a admin) sheet(ctx context.Context, id gatehouse.SubjectID, from, until gatehouse.Date, closed bool) (wire.Timesheet, error) {
	var as timesheet.AsOf
	var err error
	if closed {
		if as, err = a.closing(ctx, from, until); err != nil {
			return wire.Timesheet{}, err
		}
	}
	v, err := a.hours.Sheet(ctx, id, from, until, as)
	if err != nil {
		return wire.Timesheet{}, err
	}
	return wireTimesheet(v, a.label(id)), nil
}

func wireTimesheet(v timesheet.View, label string) wire.Timesheet {
	out := wire.Timesheet{Person: v.Sheet.Subject, Label: label, From: v.Sheet.From, Until: v.Sheet.Until, Version: v.Version, At: v.At, Rules: v.Sheet.Rules, Days: []wire.TimesheetDay{}, Totals: []wire.CodeTotal{}}
	for _, d := range v.Sheet.Days {
		day := wire.TimesheetDay{Date: d.Date, Kind: d.Kind, Shift: d.Shift, Due: d.Due, Worked: d.Worked, Entries: []wire.TimeEntry{}, Exceptions: []wire.HoursException{}, Punches: []wire.Punch{}}
		for _, e := range d.Entries {
			day.Entries = append(day.Entries, wire.TimeEntry{Kind: e.Kind, Code: e.Code, Rate: e.Rate, TimeOff: e.TimeOff, From: e.From.Time(), Until: e.Until.Time(), Minutes: e.Minutes(), In: e.In, Out: e.Out,
				Rule: e.Rule, Because: e.Rule.Sentence("en", e.N)})
		}
		for _, e := range d.Exceptions {
			day.Exceptions = append(day.Exceptions, wire.HoursException{Kind: e.Kind, Minutes: e.Minutes, Limit: e.Limit, Punch: e.Punch, Means: e.Sentence("en")})
		}
		for _, u := range d.Punches {
			p := v.Punches[u.Punch]
			day.Punches = append(day.Punches, wire.Punch{ID: u.Punch, At: p.At, Direction: p.Direction, Source: p.Source, Gate: p.Gate, Use: u.Use, Corrects: p.Corrects, Request: p.Request})
		}
		out.Days = append(out.Days, day)
	}
	for _, t := range v.Totals {
		out.Totals = append(out.Totals, wire.CodeTotal(t))
	}
	return out
}

func wireDifferences(list []gatehouse.TimesheetDifference) []wire.HoursDifference {
	out := []wire.HoursDifference{}
	for _, d := range list {
		one := wire.HoursDifference{Date: d.Date, Code: d.Code, Exception: d.Exception, Before: d.Before, After: d.After, Punches: d.Punches, Rules: d.Rules}
		if one.Punches == nil {
			one.Punches = []gatehouse.ID{}
		}
		if one.Rules == nil {
			one.Rules = []gatehouse.TimeRule{}
		}
		out = append(out, one)
	}
	return out
}

// HoursDifferences implements api.Hours.
func (a admin) HoursDifferences(ctx context.Context, id gatehouse.SubjectID, from, until gatehouse.Date, version uint64, at time.Time) (wire.HoursDifferences, error) {
	since := timesheet.AsOf{Version: version, At: at}
	err := a.lookedAt(ctx, id)
	if err == nil && at.IsZero() {
		since, err = a.closing(ctx, from, until)
	}
	if err != nil {
		return wire.HoursDifferences{}, err
	}
	list, err := a.hours.Difference(ctx, id, from, until, since)
	return wire.HoursDifferences{Since: since.Version, At: since.At, Differences: wireDifferences(list)}, err
}

// LeaveBalances implements api.Hours.
func (a admin) LeaveBalances(ctx context.Context, id gatehouse.SubjectID) (wire.LeaveBalances, error) {
	if err := a.hours.Known(ctx, id); err != nil {
		return wire.LeaveBalances{}, err
	}
	list, err := a.hours.Balances(ctx, id)
	out := wire.LeaveBalances{Balances: []wire.LeaveBalance{}}
	for _, b := range list {
		out.Balances = append(out.Balances, wire.LeaveBalance{Kind: b.Kind, Accrued: b.Accrued, Carried: b.Carried, Taken: b.Taken, Left: b.Left()})
	}
	return out, err
}

// EnterPunch implements api.Hours.
func (a admin) EnterPunch(ctx context.Context, r wire.PunchRequest) error {
	who, err := a.person(ctx, r.Person)
	if err == nil {
		err = a.hours.Enter(ctx, a.actor(ctx), who, r.At, r.Direction)
	}
	a.committed()
	return err
}

func (a admin) correction(c gatehouse.TimeCorrection) wire.Correction {
	return wire.Correction{ID: c.ID, Person: c.Subject, Label: a.label(c.Subject), Kind: c.Kind, Punch: c.Punch, At: c.At, Direction: c.Direction, By: c.By, Made: c.Made, State: c.State, DecidedBy: c.DecidedBy, Decided: c.Decided}
}

// Corrections implements api.Hours.
func (a admin) Corrections(ctx context.Context, state gatehouse.CorrectionState, before gatehouse.ID, limit int) (wire.Corrections, error) {
	out := wire.Corrections{Corrections: []wire.Correction{}}
	list, err := a.hours.Corrections(ctx, gatehouse.TimesQuery{State: state, Before: before, Limit: limit})
	if err != nil {
		return out, err
	}
	for _, c := range list {
		one := a.correction(c)
		diff, err := a.hours.Preview(ctx, c.ID)
		if err != nil {
			return out, err
		}
		if len(diff) > 0 {
			one.Preview = wireDifferences(diff)
		}
		out.Corrections = append(out.Corrections, one)
	}
	if len(list) == limit {
		out.Next = list[len(list)-1].ID
	}
	return out, nil
}

// AskCorrection implements api.Hours.
func (a admin) AskCorrection(ctx context.Context, r wire.CorrectionAsk) (wire.Correction, error) {
	who, err := a.person(ctx, r.Person)
	if err != nil {
		return wire.Correction{}, err
	}
	return a.ask(ctx, who, r)
}

func (a admin) ask(ctx context.Context, who gatehouse.SubjectID, r wire.CorrectionAsk) (wire.Correction, error) {
	c, err := a.hours.Ask(ctx, a.actor(ctx), timesheet.Asked{Who: who, Kind: r.Kind, Punch: r.Punch, At: r.At, Direction: r.Direction, Reason: r.Reason})
	a.committed()
	if err != nil {
		return wire.Correction{}, err
	}
	return a.correction(c), nil
}

// DecideCorrection implements api.Hours.
func (a admin) DecideCorrection(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Correction, error) {
	c, err := a.hours.Decide(ctx, a.actor(ctx), id, d.Approve)
	a.committed()
	if err != nil {
		return wire.Correction{}, err
	}
	return a.correction(c), nil
}

func (a admin) leave(l gatehouse.LeaveRequest) wire.LeaveRequest {
	return wire.LeaveRequest{ID: l.ID, Person: l.Subject, Label: a.label(l.Subject), Kind: l.Kind, From: l.From, Until: l.Until, By: l.By, Made: l.Made, Steps: len(l.Approvals), Of: a.hours.LeaveSteps(l.Kind), State: l.State, DecidedBy: l.DecidedBy, Decided: l.Decided}
}

// LeaveRequests implements api.Hours.
func (a admin) LeaveRequests(ctx context.Context, state gatehouse.CorrectionState, before gatehouse.ID, limit int) (wire.LeaveRequests, error) {
	out := wire.LeaveRequests{Leave: []wire.LeaveRequest{}}
	list, err := a.hours.LeaveRequests(ctx, gatehouse.TimesQuery{State: state, Before: before, Limit: limit})
	for _, l := range list {
		out.Leave = append(out.Leave, a.leave(l))
	}
	if len(list) == limit {
		out.Next = list[len(list)-1].ID
	}
	return out, err
}

// AskLeave implements api.Hours.
func (a admin) AskLeave(ctx context.Context, r wire.LeaveAsk) (wire.LeaveRequest, error) {
	who, err := a.person(ctx, r.Person)
	if err != nil {
		return wire.LeaveRequest{}, err
	}
	return a.askLeave(ctx, who, r)
}

func (a admin) askLeave(ctx context.Context, who gatehouse.SubjectID, r wire.LeaveAsk) (wire.LeaveRequest, error) {
	l, err := a.hours.AskLeave(ctx, a.actor(ctx), who, r.Kind, r.From, r.Until, r.Reason)
	a.committed()
	if err != nil {
		return wire.LeaveRequest{}, err
	}
	return a.leave(l), nil
}

// DecideLeave implements api.Hours.
func (a admin) DecideLeave(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.LeaveRequest, error) {
	l, err := a.hours.DecideLeave(ctx, a.actor(ctx), id, d.Approve)
	a.committed()
	if err != nil {
		return wire.LeaveRequest{}, err
	}
	return a.leave(l), nil
}

func wirePeriod(p gatehouse.StoredPeriod) wire.PayPeriod {
	return wire.PayPeriod{From: p.From, Until: p.Until, State: p.State, Version: p.Version, Closed: p.Closed, Waits: !p.Asked.IsZero()}
}

// PayPeriods implements api.Hours.
func (a admin) PayPeriods(ctx context.Context) (wire.PayPeriods, error) {
	list, err := a.hours.Periods(ctx)
	out := wire.PayPeriods{Periods: []wire.PayPeriod{}}
	for _, p := range list {
		out.Periods = append(out.Periods, wirePeriod(p))
	}
	return out, err
}

// ClosePeriod implements api.Hours.
func (a admin) ClosePeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error) {
	p, err := a.hours.Close(ctx, a.actor(ctx), r.From, r.Until)
	a.committed()
	return wirePeriod(p), err
}

// LockPeriod implements api.Hours.
func (a admin) LockPeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error) {
	p, err := a.hours.Lock(ctx, a.actor(ctx), r.From, r.Until)
	a.committed()
	return wirePeriod(p), err
}

// ReopenPeriod implements api.Hours.
func (a admin) ReopenPeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error) {
	p, err := a.hours.Reopen(ctx, a.actor(ctx), r.From, r.Until)
	a.committed()
	return wirePeriod(p), err
}

// Performance implements api.Hours.
func (a admin) Performance(ctx context.Context, from, until gatehouse.Date) (wire.Performance, error) {
	teams, all, err := a.hours.Performance(ctx, from, until)
	out := wire.Performance{From: from, Until: until, Least: attendance.SmallGroup, Teams: []wire.TeamFigures{}, All: wireFigures(all)}
	for _, t := range teams {
		out.Teams = append(out.Teams, wireFigures(t))
	}
	return out, err
}

func wireFigures(f attendance.TeamFigures) wire.TeamFigures {
	return wire.TeamFigures{Team: f.Team, People: f.People, Hidden: f.Hidden, Planned: f.Planned, Late: f.Late, Early: f.Early, Missed: f.Missed, LateMinutes: f.LateMinutes, Due: f.Due, Worked: f.Worked, Overtime: f.Overtime, OnLeave: f.OnLeave}
}

// own is the person whose account asks. Errors: hours.nobody.
func (a admin) own(ctx context.Context) (timesheet.Actor, error) {
	by := a.actor(ctx)
	if by.Person.IsZero() {
		return by, gatehouse.Errorf("hours.nobody", "`gatehouse account person` says whose an account is", "this account belongs to nobody who is enrolled")
	}
	return by, nil
}

// OwnTimesheet implements api.OwnHours.
func (a admin) OwnTimesheet(ctx context.Context, from, until gatehouse.Date) (wire.Timesheet, error) {
	by, err := a.own(ctx)
	if err != nil {
		return wire.Timesheet{}, err
	}
	return a.sheet(ctx, by.Person, from, until, false)
}

// ClockNow implements api.OwnHours.
func (a admin) ClockNow(ctx context.Context, r wire.PunchRequest) error {
	err := a.hours.Clock(ctx, a.actor(ctx), r.Direction)
	a.committed()
	return err
}

// AskOwnCorrection implements api.OwnHours.
func (a admin) AskOwnCorrection(ctx context.Context, r wire.CorrectionAsk) (wire.Correction, error) {
	by, err := a.own(ctx)
	if err != nil {
		return wire.Correction{}, err
	}
	return a.ask(ctx, by.Person, r)
}

// AskOwnLeave implements api.OwnHours.
func (a admin) AskOwnLeave(ctx context.Context, r wire.LeaveAsk) (wire.LeaveRequest, error) {
	by, err := a.own(ctx)
	if err != nil {
		return wire.LeaveRequest{}, err
	}
	return a.askLeave(ctx, by.Person, r)
}

func wireExport(e gatehouse.PayExport) wire.PayExport {
	return wire.PayExport{ID: e.ID, From: e.From, Until: e.Until, Format: e.Format, Recipients: e.Recipients, By: e.By, Made: e.Made, ApprovedBy: e.ApprovedBy, Approved: e.Approved, Written: e.Written}
}

// PayExports implements api.Hours.
func (a admin) PayExports(ctx context.Context) (wire.PayExports, error) {
	list, err := a.hours.Exports(ctx)
	out := wire.PayExports{Exports: []wire.PayExport{}}
	for _, e := range list {
		out.Exports = append(out.Exports, wireExport(e))
	}
	return out, err
}

// AskPayExport implements api.Hours.
func (a admin) AskPayExport(ctx context.Context, r wire.PayExportAsk) (wire.PayExport, error) {
	e, err := a.hours.AskExport(ctx, a.actor(ctx), r.From, r.Until, r.Format, r.Recipients)
	a.committed()
	return wireExport(e), err
}

// ApprovePayExport implements api.Hours.
func (a admin) ApprovePayExport(ctx context.Context, id gatehouse.ID) (wire.PayExport, error) {
	e, err := a.hours.ApproveExport(ctx, a.actor(ctx), id)
	a.committed()
	return wireExport(e), err
}

// PayExportFile implements api.Hours.
func (a admin) PayExportFile(ctx context.Context, id gatehouse.ID) (out wire.PayExportFile, err error) {
	out.Name, out.Sealed, out.SHA256, err = a.payFile(ctx, a.actor(ctx), id)
	a.committed()
	return out, err
}
