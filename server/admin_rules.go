package server

import (
	"context"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/rulebook"
)

// Rules implements api.RulesAdmin.
func (a admin) Rules(context.Context) (wire.Rules, error) {
	l := a.rules.List()
	out := wire.Rules{Version: l.Version, Groups: []wire.Group{}, Rules: []wire.AccessRule{}, Schedules: []wire.Schedule{}, Holidays: []wire.Holiday{}}
	for _, g := range l.Groups {
		out.Groups = append(out.Groups, wire.Group{ID: g.ID, Title: g.Title, Members: g.Members})
	}
	for _, r := range l.Rules {
		out.Rules = append(out.Rules, wire.AccessRule{ID: r.ID, Group: r.Group, Gates: r.Gates, Schedule: r.Schedule, From: r.From, Until: r.Until, Revision: &r.Revision})
	}
	for _, s := range l.Schedules {
		out.Schedules = append(out.Schedules, wireSchedule(s))
	}
	for _, h := range l.Holidays {
		out.Holidays = append(out.Holidays, wire.Holiday{Date: h.Date, Title: h.Title})
	}
	return out, nil
}

func wireSchedule(s gatehouse.Schedule) wire.Schedule {
	out := wire.Schedule{Name: s.Name, Windows: append([]string{}, s.Lines()...), Days: []string{}, OnHolidays: s.OnHolidays, File: s.Revision == 0, Revision: &s.Revision}
	for _, d := range s.Days {
		out.Days = append(out.Days, d.String())
	}
	return out
}

// after gives the book after a change.
func (a admin) after(ctx context.Context, err error) (wire.Rules, error) {
	if err != nil {
		return wire.Rules{}, err
	}
	return a.Rules(ctx)
}

// from is the revision that a request was made from.
func from(revision *uint64) uint64 {
	if revision == nil {
		return rulebook.Any
	}
	return *revision
}

const changesPage = 200

// RuleChanges implements api.RulesAdmin.
func (a admin) RuleChanges(ctx context.Context, before uint64) (wire.RuleChanges, error) {
	found, err := a.rules.Changes(ctx, before, changesPage+1)
	out := wire.RuleChanges{Changes: []wire.RuleChange{}}
	if len(found) > changesPage {
		found = found[:changesPage]
		out.Next = found[changesPage-1].Version
	}
	for _, c := range found {
		out.Changes = append(out.Changes, wire.RuleChange{Version: c.Version, At: c.At, By: c.By, Event: c.Event, Kind: c.Kind, ID: c.ID, Members: c.Members})
	}
	return out, err
}

// PutGroup implements api.RulesAdmin.
func (a admin) PutGroup(ctx context.Context, r wire.GroupRequest) (wire.Rules, error) {
	return a.after(ctx, a.rules.PutGroup(ctx, socketOperator, from(r.Revision), gatehouse.Group{ID: r.ID, Title: r.Title}))
}

// RemoveGroup implements api.RulesAdmin.
func (a admin) RemoveGroup(ctx context.Context, id string) (wire.Rules, error) {
	return a.after(ctx, a.rules.RemoveGroup(ctx, socketOperator, gatehouse.GroupID(id)))
}

const membersPage = 1000

// Members implements api.RulesAdmin.
func (a admin) Members(_ context.Context, id string, after gatehouse.SubjectID) (wire.Members, error) {
	if _, ok := a.rules.Group(gatehouse.GroupID(id)); !ok {
		return wire.Members{}, gatehouse.Errorf("rules.unknown", "see `gatehouse group list`", "there is no such group")
	}
	ids := a.rules.Members(gatehouse.GroupID(id), after, membersPage+1)
	out := wire.Members{Members: append([]gatehouse.SubjectID{}, ids[:min(len(ids), membersPage)]...)}
	if len(ids) > membersPage {
		out.Next = ids[membersPage-1]
	}
	return out, nil
}

// ChangeMembers implements api.RulesAdmin.
func (a admin) ChangeMembers(ctx context.Context, id string, r wire.MembersRequest) (wire.Rules, error) {
	var err error
	if len(r.Remove) > 0 {
		err = a.rules.RemoveMembers(ctx, socketOperator, gatehouse.GroupID(id), r.Remove)
	}
	if err == nil && (len(r.Add) > 0 || len(r.Remove) == 0) {
		err = a.rules.AddMembers(ctx, socketOperator, gatehouse.GroupID(id), r.Add)
	}
	return a.after(ctx, err)
}

// PutRule implements api.RulesAdmin.
func (a admin) PutRule(ctx context.Context, r wire.AccessRule) (wire.Rules, error) {
	return a.after(ctx, a.rules.PutRule(ctx, socketOperator, from(r.Revision),
		gatehouse.AccessRule{ID: r.ID, Group: r.Group, Gates: r.Gates, Schedule: r.Schedule, From: r.From, Until: r.Until}))
}

// RemoveRule implements api.RulesAdmin.
func (a admin) RemoveRule(ctx context.Context, id string) (wire.Rules, error) {
	return a.after(ctx, a.rules.RemoveRule(ctx, socketOperator, gatehouse.RuleID(id)))
}

// PutSchedule implements api.RulesAdmin.
func (a admin) PutSchedule(ctx context.Context, r wire.Schedule) (wire.Rules, error) {
	s, err := gatehouse.ParseSchedule(r.Name, r.Windows, r.Days, r.OnHolidays)
	if err == nil {
		err = a.rules.PutSchedule(ctx, socketOperator, from(r.Revision), s)
	}
	return a.after(ctx, err)
}

// RemoveSchedule implements api.RulesAdmin.
func (a admin) RemoveSchedule(ctx context.Context, name string) (wire.Rules, error) {
	return a.after(ctx, a.rules.RemoveSchedule(ctx, socketOperator, name))
}

// PutHoliday implements api.RulesAdmin.
func (a admin) PutHoliday(ctx context.Context, r wire.Holiday) (wire.Rules, error) {
	return a.after(ctx, a.rules.PutHoliday(ctx, socketOperator, gatehouse.Holiday{Date: r.Date, Title: r.Title}))
}

// RemoveHoliday implements api.RulesAdmin.
func (a admin) RemoveHoliday(ctx context.Context, date string) (wire.Rules, error) {
	return a.after(ctx, a.rules.RemoveHoliday(ctx, socketOperator, gatehouse.Date(date)))
}
