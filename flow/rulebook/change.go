package rulebook

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// The change methods take who asks (an account's id, or "admin-socket") and the revision
// that they saw: 0 makes a part that must not be there yet, Any overwrites. Beside those
// that each names, they fail with rules.exists, rules.changed, rules.name,
// rules.too_many, and the store's.

// PutGroup makes or renames a group. Errors: rules.title.
func (b *Book) PutGroup(ctx context.Context, by string, was uint64, g gatehouse.Group) error {
	title, err := plainTitle(g.Title)
	if err != nil {
		return err
	}
	g.Title = title
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		had, there := b.groups[g.ID]
		if err := fits(string(g.ID), was, there, had.Revision, len(b.groups), maxGroups); err != nil {
			return err
		}
		return put(c, gatehouse.GroupKind, string(g.ID), groupBody{&g})
	})
}

// RemoveGroup forgets a group and who was in it. Errors: rules.unknown, rules.in_use for
// one that rules name.
func (b *Book) RemoveGroup(ctx context.Context, by string, id gatehouse.GroupID) error {
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		if _, there := b.groups[id]; !there {
			return unknown("group")
		}
		if n := len(b.ofGroup[id]); n > 0 {
			return gatehouse.Errorf("rules.in_use", "remove them first", "%d rules are about the group", n)
		}
		c.Event, c.Kind, c.ID = gatehouse.RuleRemoved, gatehouse.GroupKind, string(id)
		return nil
	})
}

// AddMembers puts enrolled people and vehicles into a group. Errors: rules.unknown,
// rules.members, store.not_found.
func (b *Book) AddMembers(ctx context.Context, by string, id gatehouse.GroupID, members []gatehouse.SubjectID) error {
	return b.changeMembers(ctx, by, gatehouse.MembersAdded, id, members)
}

// RemoveMembers takes them out again; one that is not in it is passed over. Errors: as
// AddMembers.
func (b *Book) RemoveMembers(ctx context.Context, by string, id gatehouse.GroupID, members []gatehouse.SubjectID) error {
	return b.changeMembers(ctx, by, gatehouse.MembersRemoved, id, members)
}

func (b *Book) changeMembers(ctx context.Context, by string, event gatehouse.RuleEvent, id gatehouse.GroupID, members []gatehouse.SubjectID) error {
	if len(members) == 0 || len(members) > MaxMembers {
		return gatehouse.Errorf("rules.members", fmt.Sprintf("name 1 to %d at a time", MaxMembers), "%d members cannot be changed at once", len(members))
	}
	var records [][]byte
	for _, m := range members {
		s, err := b.Subjects.Subject(ctx, b.Place, m)
		if err != nil || s.Status == gatehouse.ErasedStatus {
			return gatehouse.Errorf("store.not_found", "`gatehouse people` lists who is enrolled", "there is no such subject here")
		}
		records = append(records, s.Record)
	}
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		if _, there := b.groups[id]; !there {
			return unknown("group")
		}
		c.Event, c.Kind, c.ID, c.Members = event, gatehouse.GroupKind, string(id), members
		return nil
	}, records...)
}

// PutRule makes or replaces a rule. Errors: rules.unknown for a group, gate or schedule
// that is not there, rules.gates, rules.days.
func (b *Book) PutRule(ctx context.Context, by string, was uint64, r gatehouse.AccessRule) error {
	r.Gates = gatehouse.SomeGates(r.Gates...).List()
	if len(r.Gates) == 0 || len(r.Gates) > 1 && slices.Contains(r.Gates, "*") {
		return gatehouse.Errorf("rules.gates", "name the gates, or * alone for every one", "a rule counts at some gates or at every one")
	}
	for _, g := range r.Gates {
		if g != "*" && !b.HasGate(g) {
			return gatehouse.Errorf("rules.unknown", "use ids from `gates` in gatehouse.yml, or *", "there is no gate %q", g)
		}
	}
	for _, d := range []gatehouse.Date{r.From, r.Until} {
		if _, err := gatehouse.ParseDate(string(d)); d != "" && err != nil {
			return err
		}
	}
	if r.From != "" && r.Until != "" && r.Until < r.From {
		return gatehouse.Errorf("rules.days", "give a last day that is not before the first", "the rule would end before it begins")
	}
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		had, there := b.rules[r.ID]
		if err := fits(string(r.ID), was, there, had.Revision, len(b.rules), maxRules); err != nil {
			return err
		}
		if _, there := b.groups[r.Group]; !there {
			return unknown("group")
		}
		if _, there := b.calendar.Schedules[r.Schedule]; !there && r.Schedule != always {
			return unknown("schedule")
		}
		return put(c, gatehouse.AccessKind, string(r.ID), ruleBody{&r})
	})
}

// RemoveRule forgets a rule. Errors: rules.unknown.
func (b *Book) RemoveRule(ctx context.Context, by string, id gatehouse.RuleID) error {
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		if _, there := b.rules[id]; !there {
			return unknown("rule")
		}
		c.Event, c.Kind, c.ID = gatehouse.RuleRemoved, gatehouse.AccessKind, string(id)
		return nil
	})
}

// always is the schedule that everybody may use and nobody makes.
const always = "always"

// PutSchedule makes or replaces a schedule. Errors: rules.fixed for a name that
// gatehouse.yml has, schedule.window, rules.days.
func (b *Book) PutSchedule(ctx context.Context, by string, was uint64, s gatehouse.Schedule) error {
	if _, fixed := b.Fixed[s.Name]; fixed || s.Name == always {
		return gatehouse.Errorf("rules.fixed", "choose another name, or change it in gatehouse.yml", "the schedule %s is not changed here", s.Name)
	}
	s, err := checked(s)
	if err != nil {
		return err
	}
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		had, there := b.schedules[s.Name]
		if err := fits(s.Name, was, there, had.Revision, len(b.schedules), maxSchedules); err != nil {
			return err
		}
		return put(c, gatehouse.ScheduleKind, s.Name, scheduleBody{&s})
	})
}

// RemoveSchedule forgets a schedule. Errors: rules.unknown, rules.fixed, rules.in_use for
// one that rules or badges name.
func (b *Book) RemoveSchedule(ctx context.Context, by string, name string) error {
	if _, fixed := b.Fixed[name]; fixed {
		return gatehouse.Errorf("rules.fixed", "remove it in gatehouse.yml", "the schedule %s is not changed here", name)
	}
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		if _, there := b.schedules[name]; !there {
			return unknown("schedule")
		}
		uses := b.Granted(name)
		for _, r := range b.rules {
			if r.Schedule == name {
				uses++
			}
		}
		if uses > 0 {
			return gatehouse.Errorf("rules.in_use", "give them another one first", "%d rules and grants are within the schedule", uses)
		}
		c.Event, c.Kind, c.ID = gatehouse.RuleRemoved, gatehouse.ScheduleKind, name
		return nil
	})
}

// PutHoliday makes or renames a holiday. Errors: date.malformed, rules.title.
func (b *Book) PutHoliday(ctx context.Context, by string, h gatehouse.Holiday) error {
	title, err := plainTitle(h.Title)
	if err == nil {
		h.Date, err = gatehouse.ParseDate(string(h.Date))
	}
	if err != nil {
		return err
	}
	h.Title = title
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		if _, there := b.calendar.Holidays[h.Date]; !there && len(b.calendar.Holidays) >= maxHolidays {
			return tooMany(maxHolidays)
		}
		return put(c, gatehouse.HolidayKind, string(h.Date), holidayBody{&h})
	})
}

// RemoveHoliday makes a day like any other. Errors: rules.unknown.
func (b *Book) RemoveHoliday(ctx context.Context, by string, d gatehouse.Date) error {
	return b.change(ctx, by, func(c *gatehouse.RuleChange) error {
		if _, there := b.calendar.Holidays[d]; !there {
			return unknown("holiday")
		}
		c.Event, c.Kind, c.ID = gatehouse.RuleRemoved, gatehouse.HolidayKind, string(d)
		return nil
	})
}

// change carries out one change, which describe says, and lets the gates know of it.
// describe may read the book and not alter it: only changes write to it, and writes is held.
func (b *Book) change(ctx context.Context, by string, describe func(*gatehouse.RuleChange) error, records ...[]byte) error {
	b.writes.Lock()
	defer b.writes.Unlock()
	c := gatehouse.RuleChange{Place: b.Place, Version: b.version + 1, At: b.Now().UTC(), By: by}
	if err := describe(&c); err != nil {
		return err
	}
	c.Leaf = gatehouse.RuleLeaf(c, records...)
	if err := b.Store.ChangeRules(ctx, c); err != nil {
		return err
	}
	return b.apply(c)
}

// apply brings memory up to what was stored.
func (b *Book) apply(c gatehouse.RuleChange) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version = c.Version
	switch c.Event {
	case gatehouse.MembersAdded:
		b.join(gatehouse.GroupID(c.ID), c.Members)
		return nil
	case gatehouse.MembersRemoved:
		b.leave(gatehouse.GroupID(c.ID), c.Members)
		return nil
	}
	b.calendar.Holidays = maps.Clone(b.calendar.Holidays) // decisions may look at the former
	if c.Event == gatehouse.RulePut {
		if err := b.take(gatehouse.RuleItem{Kind: c.Kind, ID: c.ID, Revision: c.Version, Body: c.Body}); err != nil {
			return err
		}
	} else {
		b.drop(c)
	}
	b.index()
	return nil
}

func (b *Book) drop(c gatehouse.RuleChange) {
	switch c.Kind {
	case gatehouse.GroupKind:
		id := gatehouse.GroupID(c.ID)
		b.leave(id, slices.Collect(maps.Keys(b.members[id])))
		delete(b.members, id)
		delete(b.groups, id)
	case gatehouse.AccessKind:
		delete(b.rules, gatehouse.RuleID(c.ID))
	case gatehouse.ScheduleKind:
		delete(b.schedules, c.ID)
	case gatehouse.HolidayKind:
		delete(b.calendar.Holidays, gatehouse.Date(c.ID))
	}
}

func put(c *gatehouse.RuleChange, kind gatehouse.RuleKind, id string, body json.Marshaler) (err error) {
	c.Event, c.Kind, c.ID = gatehouse.RulePut, kind, id
	c.Body, err = body.MarshalJSON()
	return err
}

// fits compares what somebody saw of a part with what is there.
func fits(id string, was uint64, there bool, revision uint64, count, most int) error {
	switch {
	case gatehouse.CheckName(id) != nil:
		return gatehouse.Errorf("rules.name", "use 1 to 40 lower-case letters, digits and hyphens, and nobody's name: night-cleaning", "this cannot name a group, rule or schedule")
	case was == 0 && there:
		return gatehouse.Errorf("rules.exists", "choose another name, or change the one that is there", "the name is taken")
	case was != 0 && was != Any && (!there || was != revision):
		return gatehouse.Errorf("rules.changed", "look at it again, then change it", "somebody changed it meanwhile")
	case !there && count >= most:
		return tooMany(most)
	}
	return nil
}

func tooMany(most int) error {
	return gatehouse.Errorf("rules.too_many", "remove those that nobody uses", "there are %d already", most)
}

func unknown(what string) error {
	return gatehouse.Errorf("rules.unknown", "look at the list again", "there is no such %s", what)
}

// plainTitle trims what somebody typed.
func plainTitle(s string) (string, error) {
	s = strings.TrimSpace(s)
	bad := func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }
	if s == "" || utf8.RuneCountInString(s) > gatehouse.MaxTitle || strings.ContainsFunc(s, bad) {
		return "", gatehouse.Errorf("rules.title", fmt.Sprintf("use 1 to %d characters, and nobody's name", gatehouse.MaxTitle), "this is no title")
	}
	return s, nil
}
