package server

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/console"
	"gatehouse/flow/timesheet"
	"gatehouse/rules/attendance"
)

var (
	_ api.Hours    = admin{}
	_ api.OwnHours = admin{}
)

// actor is who asks, for hours: an account and the person who has it, a program's token,
// or the admin socket.
func (a admin) actor(ctx context.Context) timesheet.Actor {
	if s, ok := auth.SessionFrom(ctx); ok {
		return console.ActorOf(s)
	}
	if t, ok := auth.TokenFrom(ctx); ok {
		return timesheet.Actor{Account: t.ID}
	}
	return timesheet.Actor{Account: gatehouse.SocketAccount, Roles: gatehouse.PeopleRoles}
}

// person finds who a request means, by badge label or id. Errors: subject.unknown,
// subject.several.
func (a admin) person(ctx context.Context, text string) (gatehouse.SubjectID, error) {
	return pages{a.Server}.Find(ctx, strings.TrimSpace(text))
}

// SetAccountPerson implements api.AccountsAdmin.
func (a admin) SetAccountPerson(ctx context.Context, login string, r wire.AccountPersonRequest) (wire.Account, error) {
	one, err := a.byLogin(login)
	var person gatehouse.SubjectID
	if err == nil && strings.TrimSpace(r.Person) != "" {
		person, err = a.person(ctx, r.Person)
	}
	if err == nil {
		err = a.accounts.SetPerson(ctx, a.operator, one.ID, person)
	}
	if err != nil {
		return wire.Account{}, err
	}
	one, _ = a.accounts.Account(one.ID)
	return a.account(one), nil
}

// HoursPlans implements api.Hours.
func (a admin) HoursPlans(context.Context) (wire.HoursPlans, error) {
	l := a.hours.List()
	out := wire.HoursPlans{Version: l.Version, Shifts: []wire.Shift{}, Teams: []wire.Team{}, Members: []wire.TeamMember{}, Roster: []wire.RosterEntry{}, Rules: []wire.HoursRules{}, LeaveKinds: []wire.LeaveKind{}, Earnings: []wire.Earning{},
		Presets: slices.Sorted(maps.Keys(attendance.Presets())), Calendar: wireCalendar(l.Calendar)}
	for _, s := range l.Shifts {
		out.Shifts = append(out.Shifts, wireShift(s))
	}
	for _, t := range l.Teams {
		out.Teams = append(out.Teams, wire.Team{ID: t.ID, Title: t.Title, CostCentre: t.CostCentre, Project: t.Project, Members: t.Members})
	}
	for _, m := range l.Members {
		out.Members = append(out.Members, wire.TeamMember{ID: m.ID, Team: m.Team, Person: m.Who.String(), From: m.From, Until: m.Until})
	}
	for _, e := range l.Roster {
		one := wire.RosterEntry{ID: e.ID, Team: e.Group, From: e.From, Until: e.Until, Shifts: e.Pattern, Cycle: e.Cycle, FollowsCalendar: e.FollowsCalendar, Zone: e.Zone}
		if !e.Who.IsZero() {
			one.Person = e.Who.String()
		}
		out.Roster = append(out.Roster, one)
	}
	for _, r := range l.Rules {
		out.Rules = append(out.Rules, wireHoursRules(r))
	}
	for _, k := range l.Leave {
		out.LeaveKinds = append(out.LeaveKinds, wire.LeaveKind(k))
	}
	for _, e := range l.Earnings {
		out.Earnings = append(out.Earnings, wire.Earning{Code: e.Code, Title: e.Title, Kind: e.Kind, Formula: e.Formula, Rounding: e.Rounding})
	}
	for name, m := range l.Figures {
		if out.Figures == nil {
			out.Figures = map[string]wire.Money{}
		}
		out.Figures[name] = wire.Money(m)
	}
	return out, nil
}

func spansOf(parts []gatehouse.ShiftPart) (out []string) {
	for _, p := range parts {
		out = append(out, p.String())
	}
	return out
}

func partsOf(texts []string) (out []gatehouse.ShiftPart, err error) {
	for _, s := range texts {
		p, err := gatehouse.ParseShiftPart(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func wireShift(s gatehouse.Shift) wire.Shift {
	out := wire.Shift{ID: s.ID, Title: s.Title, Kind: s.Kind, Parts: spansOf(s.Parts), Core: spansOf(s.Core), Due: s.Due}
	for _, b := range s.Breaks {
		one := wire.ShiftBreak{After: b.After, Minutes: b.Minutes, Paid: b.Paid}
		if b.Until > b.From {
			one.At = gatehouse.ShiftPart{From: b.From, Until: b.Until}.String()
		}
		out.Breaks = append(out.Breaks, one)
	}
	return out
}

func shiftOf(w wire.Shift) (s gatehouse.Shift, err error) {
	s = gatehouse.Shift{ID: w.ID, Title: w.Title, Kind: w.Kind, Due: w.Due}
	if s.Parts, err = partsOf(w.Parts); err != nil {
		return s, err
	}
	if s.Core, err = partsOf(w.Core); err != nil {
		return s, err
	}
	for _, b := range w.Breaks {
		one := gatehouse.ShiftBreak{After: b.After, Minutes: b.Minutes, Paid: b.Paid}
		if b.At != "" {
			p, err := gatehouse.ParseShiftPart(b.At)
			if err != nil {
				return s, err
			}
			// A break after midnight of a night shift is on the day after its begin.
			if len(s.Parts) > 0 && p.Until <= s.Parts[0].From && s.Parts[len(s.Parts)-1].Until > 1440 {
				p.From, p.Until = p.From+1440, p.Until+1440
			}
			one.From, one.Until = p.From, p.Until
		}
		s.Breaks = append(s.Breaks, one)
	}
	return s, nil
}

func wireHoursRules(f attendance.RulesFrom) wire.HoursRules {
	r := f.Rules
	out := wire.HoursRules{From: f.From, Name: r.Name, Source: r.Source, Pairing: r.Pairing, DuplicateWithin: r.DuplicateWithin, TravelWithin: r.TravelWithin, Longest: r.Longest, DayBegins: r.DayBegins,
		InShiftOnly: r.InShiftOnly, WeekBegins: int(r.WeekBegins), HolidaysByClock: r.HolidaysByClock}
	for _, x := range []struct {
		from gatehouse.PunchRounding
		to   **wire.PunchRounding
	}{{r.RoundIn, &out.RoundIn}, {r.RoundOut, &out.RoundOut}} {
		if x.from != (gatehouse.PunchRounding{}) {
			*x.to = &wire.PunchRounding{To: x.from.To, Mode: x.from.Mode}
		}
	}
	for _, x := range []struct {
		from gatehouse.PunchGrace
		to   **wire.PunchGrace
	}{{r.GraceIn, &out.GraceIn}, {r.GraceOut, &out.GraceOut}} {
		if x.from != (gatehouse.PunchGrace{}) {
			*x.to = &wire.PunchGrace{Early: x.from.Early, Late: x.from.Late}
		}
	}
	for _, t := range r.Overtime {
		out.Overtime = append(out.Overtime, wire.OvertimeTier(t))
	}
	if r.Limits != (gatehouse.WorkLimits{}) {
		l := wire.WorkLimits(r.Limits)
		out.Limits = &l
	}
	return out
}

func rulesOf(w wire.HoursRules) (r gatehouse.AttendanceRules, err error) {
	if w.Preset != "" {
		preset, ok := attendance.Presets()[w.Preset]
		if !ok {
			return r, gatehouse.Errorf("hours.rules", "use one of "+strings.Join(slices.Sorted(maps.Keys(attendance.Presets())), ", "), "there is no such preset")
		}
		return preset, nil
	}
	r = gatehouse.AttendanceRules{Name: w.Name, Source: w.Source, Pairing: w.Pairing, DuplicateWithin: w.DuplicateWithin, TravelWithin: w.TravelWithin, Longest: w.Longest, DayBegins: w.DayBegins, InShiftOnly: w.InShiftOnly,
		WeekBegins: time.Weekday(w.WeekBegins), HolidaysByClock: w.HolidaysByClock}
	if w.WeekBegins < 0 || w.WeekBegins > 6 {
		return r, gatehouse.Errorf("hours.rules", "weekdays are 0 (Sunday) to 6", "there is no such weekday")
	}
	if w.RoundIn != nil {
		r.RoundIn = gatehouse.PunchRounding{To: w.RoundIn.To, Mode: w.RoundIn.Mode}
	}
	if w.RoundOut != nil {
		r.RoundOut = gatehouse.PunchRounding{To: w.RoundOut.To, Mode: w.RoundOut.Mode}
	}
	if w.GraceIn != nil {
		r.GraceIn = gatehouse.PunchGrace{Early: w.GraceIn.Early, Late: w.GraceIn.Late}
	}
	if w.GraceOut != nil {
		r.GraceOut = gatehouse.PunchGrace{Early: w.GraceOut.Early, Late: w.GraceOut.Late}
	}
	for _, t := range w.Overtime {
		r.Overtime = append(r.Overtime, gatehouse.OvertimeTier(t))
	}
	if w.Limits != nil {
		r.Limits = gatehouse.WorkLimits(*w.Limits)
	}
	return r, nil
}

func wireCalendar(c gatehouse.WorkCalendar) wire.WorkCalendar {
	out := wire.WorkCalendar{Name: c.Name, Source: c.Source}
	for _, d := range c.Days {
		out.Days = append(out.Days, wire.CalendarDay(d))
	}
	for _, w := range c.Weekend {
		out.Weekend = append(out.Weekend, int(w))
	}
	return out
}

func calendarOf(w wire.WorkCalendar) gatehouse.WorkCalendar {
	c := gatehouse.WorkCalendar{Name: w.Name, Source: w.Source}
	for _, d := range w.Days {
		c.Days = append(c.Days, gatehouse.CalendarDay(d))
	}
	for _, n := range w.Weekend {
		c.Weekend = append(c.Weekend, time.Weekday(n))
	}
	return c
}

// PutPlan implements api.Hours.
func (a admin) PutPlan(ctx context.Context, r wire.PlanRequest) (wire.PlanResponse, error) {
	by, was := a.actor(ctx), from(r.Revision)
	var id string
	var err error
	parts := 0
	for _, there := range []bool{r.Shift != nil, r.Team != nil, r.Member != nil, r.Roster != nil, r.Rules != nil, r.Calendar != nil, r.LeaveKind != nil, r.Earnings != nil, r.Figures != nil} {
		if there {
			parts++
		}
	}
	if parts != 1 {
		return wire.PlanResponse{}, gatehouse.Errorf("request.malformed", "put one of shift, team, member, roster, rules, calendar, leave_kind, earnings and figures", "this puts %d parts", parts)
	}
	switch {
	case r.Shift != nil:
		var s gatehouse.Shift
		if s, err = shiftOf(*r.Shift); err == nil {
			id, err = string(s.ID), a.hours.PutShift(ctx, by, was, s)
		}
	case r.Team != nil:
		id, err = string(r.Team.ID), a.hours.PutTeam(ctx, by, was, gatehouse.Team{ID: r.Team.ID, Title: r.Team.Title, CostCentre: r.Team.CostCentre, Project: r.Team.Project})
	case r.Member != nil:
		m := gatehouse.TeamMember{ID: r.Member.ID, Team: r.Member.Team, From: r.Member.From, Until: r.Member.Until}
		if m.Who, err = a.person(ctx, r.Member.Person); err == nil {
			m.ID, err = a.hours.PutMember(ctx, by, m)
			id = m.ID.String()
		}
	case r.Roster != nil:
		w := *r.Roster
		e := gatehouse.RosterEntry{ID: w.ID, Group: w.Team, From: w.From, Until: w.Until, Pattern: w.Shifts, Cycle: w.Cycle, FollowsCalendar: w.FollowsCalendar, Zone: w.Zone}
		if w.Person != "" {
			e.Who, err = a.person(ctx, w.Person)
		}
		if err == nil {
			e.ID, err = a.hours.PutRoster(ctx, by, e)
			id = e.ID.String()
		}
	case r.Rules != nil:
		var rules gatehouse.AttendanceRules
		if rules, err = rulesOf(*r.Rules); err == nil {
			id, err = string(r.Rules.From), a.hours.PutRules(ctx, by, was, r.Rules.From, rules)
		}
	case r.Calendar != nil && r.Calendar.Place != "":
		err = a.hours.PutHolidays(ctx, by, was, r.Calendar.Place, r.Calendar.First, r.Calendar.Last)
	case r.Calendar != nil:
		err = a.hours.PutCalendar(ctx, by, was, calendarOf(*r.Calendar))
	case r.LeaveKind != nil:
		id, err = r.LeaveKind.ID, a.hours.PutLeaveKind(ctx, by, was, gatehouse.LeaveKind(*r.LeaveKind))
	case r.Figures != nil:
		figures := map[string]gatehouse.Money{}
		for name, m := range *r.Figures {
			figures[name] = gatehouse.Money(m)
		}
		err = a.hours.PutFigures(ctx, by, was, figures)
	default:
		var scheme []gatehouse.Earning
		for i, e := range r.Earnings {
			scheme = append(scheme, gatehouse.Earning{Code: e.Code, Title: e.Title, Kind: e.Kind, Formula: e.Formula, Rounding: e.Rounding, Line: i + 1})
		}
		err = a.hours.PutEarnings(ctx, by, was, scheme)
	}
	if err != nil {
		return wire.PlanResponse{}, err
	}
	a.committed()
	return wire.PlanResponse{Version: a.hours.List().Version, ID: id}, nil
}

// RemovePlan implements api.Hours.
func (a admin) RemovePlan(ctx context.Context, kind gatehouse.HoursKind, id string) (wire.PlanResponse, error) {
	err := a.hours.Remove(ctx, a.actor(ctx), kind, id)
	a.committed()
	return wire.PlanResponse{Version: a.hours.List().Version, ID: id}, err
}

// PlanChanges implements api.Hours.
func (a admin) PlanChanges(ctx context.Context, before uint64) (wire.PlanChanges, error) {
	found, err := a.hours.Changes(ctx, before, changesPage+1)
	out := wire.PlanChanges{Changes: []wire.PlanChange{}}
	if len(found) > changesPage {
		found = found[:changesPage]
		out.Next = found[changesPage-1].Version
	}
	for _, c := range found {
		out.Changes = append(out.Changes, wire.PlanChange{Version: c.Version, At: c.At, By: c.By, Event: c.Event, Kind: c.Item.Kind, ID: c.Item.ID, Person: c.Item.Subject})
	}
	return out, err
}
