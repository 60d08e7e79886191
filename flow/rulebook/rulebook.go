// Package rulebook is the verb of who may pass where and when, beside what lies on each
// badge: groups, their rules, schedules and holidays. A change is an audit leaf and a
// version, written in one transaction; the gates know of it when the change returns.
package rulebook

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// Ports are what a rule book needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Store    gatehouse.RuleStore
	Subjects Subjects
	// Fixed are the schedules of gatehouse.yml, which can be used and not changed.
	Fixed map[string]gatehouse.Schedule
	// HasGate reports whether the site has a gate.
	HasGate func(gatehouse.GateID) bool
	// Granted says how many badges have a grant of their own within a schedule.
	Granted func(schedule string) int
	Now     func() time.Time
}

// Subjects tells who is enrolled.
type Subjects interface {
	// Subject fails with store.not_found.
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
}

// Any in the place of a revision changes a part whatever its revision is, and makes it
// where it is not there.
const Any = ^uint64(0)

// The bounds of what is kept.
const (
	maxGroups    = 1000
	maxRules     = 5000
	maxSchedules = 500
	maxHolidays  = 2000
	maxWindows   = 100
	maxDays      = 400
	// MaxMembers is how many members one change adds or removes at most.
	MaxMembers = 1000
)

// Book is a site's rule book. All methods are safe for concurrent use.
type Book struct {
	Ports
	writes sync.Mutex // one change after the other

	mu        sync.RWMutex
	version   uint64
	groups    map[gatehouse.GroupID]gatehouse.Group
	rules     map[gatehouse.RuleID]gatehouse.AccessRule
	schedules map[string]gatehouse.Schedule // without Fixed
	members   map[gatehouse.GroupID]map[gatehouse.SubjectID]struct{}
	// What decisions look at: replaced as a whole, since readers keep it.
	calendar gatehouse.Calendar
	ofGroup  map[gatehouse.GroupID][]gatehouse.AccessRule
	groupsOf map[gatehouse.SubjectID][]gatehouse.GroupID
}

// Load reads the book. Errors: rules.damaged, and the store's.
func Load(ctx context.Context, p Ports) (*Book, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Granted == nil {
		p.Granted = func(string) int { return 0 }
	}
	b := &Book{Ports: p}
	return b, b.Reload(ctx)
}

// Reload reads the book again: somebody in it was erased, or their data was restored.
func (b *Book) Reload(ctx context.Context) error {
	b.writes.Lock()
	defer b.writes.Unlock()
	stored, err := b.Store.Rules(ctx, b.Place)
	if err != nil {
		return err
	}
	fresh := &Book{Ports: b.Ports, version: stored.Version, groups: map[gatehouse.GroupID]gatehouse.Group{}, rules: map[gatehouse.RuleID]gatehouse.AccessRule{}, schedules: map[string]gatehouse.Schedule{},
		members: map[gatehouse.GroupID]map[gatehouse.SubjectID]struct{}{}, groupsOf: map[gatehouse.SubjectID][]gatehouse.GroupID{},
		calendar: gatehouse.Calendar{Holidays: map[gatehouse.Date]gatehouse.Holiday{}}}
	for _, item := range stored.Items {
		if err := fresh.take(item); err != nil {
			return err
		}
	}
	for group, ids := range stored.Members {
		fresh.join(group, ids)
	}
	fresh.index()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version, b.groups, b.rules, b.schedules, b.members = fresh.version, fresh.groups, fresh.rules, fresh.schedules, fresh.members
	b.calendar, b.ofGroup, b.groupsOf = fresh.calendar, fresh.ofGroup, fresh.groupsOf
	return nil
}

// take reads one part.
func (b *Book) take(item gatehouse.RuleItem) (err error) {
	switch item.Kind {
	case gatehouse.GroupKind:
		g := gatehouse.Group{ID: gatehouse.GroupID(item.ID), Revision: item.Revision}
		err = decode(item.Body, &groupBody{&g})
		b.groups[g.ID] = g
	case gatehouse.AccessKind:
		r := gatehouse.AccessRule{ID: gatehouse.RuleID(item.ID), Revision: item.Revision}
		err = decode(item.Body, &ruleBody{&r})
		b.rules[r.ID] = r
	case gatehouse.ScheduleKind:
		s := gatehouse.Schedule{Name: item.ID, Revision: item.Revision}
		err = decode(item.Body, &scheduleBody{&s})
		b.schedules[s.Name] = s
	case gatehouse.HolidayKind:
		h := gatehouse.Holiday{Date: gatehouse.Date(item.ID), Revision: item.Revision}
		err = decode(item.Body, &holidayBody{&h})
		b.calendar.Holidays[h.Date] = h
	default:
		err = damaged()
	}
	return err
}

func damaged() error {
	return gatehouse.Errorf("rules.damaged", "this version cannot read it", "a part of the rule book is malformed")
}

// index makes what decisions look at. Called with mu held, or before others know b.
func (b *Book) index() {
	b.calendar.Schedules = maps.Clone(b.schedules)
	for name, s := range b.Fixed { // the file's count where both have one
		b.calendar.Schedules[name] = s
	}
	b.ofGroup = map[gatehouse.GroupID][]gatehouse.AccessRule{}
	for _, id := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[id]
		b.ofGroup[r.Group] = append(b.ofGroup[r.Group], r)
	}
}

// join puts subjects into a group. Called as index.
func (b *Book) join(group gatehouse.GroupID, ids []gatehouse.SubjectID) {
	if b.members[group] == nil {
		b.members[group] = map[gatehouse.SubjectID]struct{}{}
	}
	for _, id := range ids {
		if _, there := b.members[group][id]; there {
			continue
		}
		b.members[group][id] = struct{}{}
		b.groupsOf[id] = append(slices.Clone(b.groupsOf[id]), group)
		slices.Sort(b.groupsOf[id])
	}
}

// leave takes subjects out of a group. Called as index.
func (b *Book) leave(group gatehouse.GroupID, ids []gatehouse.SubjectID) {
	for _, id := range ids {
		delete(b.members[group], id)
		b.groupsOf[id] = slices.DeleteFunc(slices.Clone(b.groupsOf[id]), func(g gatehouse.GroupID) bool { return g == group })
		if len(b.groupsOf[id]) == 0 {
			delete(b.groupsOf, id)
		}
	}
}

// Of gives the rules of the groups that a subject is in, and when what is open. Neither
// may be altered.
func (b *Book) Of(id gatehouse.SubjectID) ([]gatehouse.AccessRule, gatehouse.Calendar) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	switch groups := b.groupsOf[id]; len(groups) {
	case 0:
		return nil, b.calendar
	case 1:
		return b.ofGroup[groups[0]], b.calendar
	default:
		var all []gatehouse.AccessRule
		for _, g := range groups {
			all = append(all, b.ofGroup[g]...)
		}
		return all, b.calendar
	}
}

// Shadowed names the schedules that gatehouse.yml has as well, whose own windows do not
// count.
func (b *Book) Shadowed() (names []string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for name := range b.schedules {
		if _, fixed := b.Fixed[name]; fixed {
			names = append(names, name)
		}
	}
	return names
}

// Listing is the whole book but for who is in the groups.
type Listing struct {
	Version   uint64
	Groups    []Counted
	Rules     []gatehouse.AccessRule
	Schedules []gatehouse.Schedule // those of gatehouse.yml have no revision
	Holidays  []gatehouse.Holiday
}

// Counted is a group, and how many are in it.
type Counted struct {
	gatehouse.Group
	Members int
}

// List gives the book, each part by its name.
func (b *Book) List() Listing {
	b.mu.RLock()
	defer b.mu.RUnlock()
	l := Listing{Version: b.version}
	for _, id := range slices.Sorted(maps.Keys(b.groups)) {
		l.Groups = append(l.Groups, Counted{b.groups[id], len(b.members[id])})
	}
	for _, id := range slices.Sorted(maps.Keys(b.rules)) {
		l.Rules = append(l.Rules, b.rules[id])
	}
	for _, name := range slices.Sorted(maps.Keys(b.calendar.Schedules)) {
		l.Schedules = append(l.Schedules, b.calendar.Schedules[name])
	}
	for _, date := range slices.Sorted(maps.Keys(b.calendar.Holidays)) {
		l.Holidays = append(l.Holidays, b.calendar.Holidays[date])
	}
	return l
}

// Groups are all groups, by id.
func (b *Book) Groups() []gatehouse.Group {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.SortedFunc(maps.Values(b.groups), func(x, y gatehouse.Group) int { return strings.Compare(string(x.ID), string(y.ID)) })
}

// Group returns a group.
func (b *Book) Group(id gatehouse.GroupID) (gatehouse.Group, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	g, ok := b.groups[id]
	return g, ok
}

// Rule returns a rule.
func (b *Book) Rule(id gatehouse.RuleID) (gatehouse.AccessRule, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	r, ok := b.rules[id]
	return r, ok
}

// Schedule returns a schedule, also one of gatehouse.yml.
func (b *Book) Schedule(name string) (gatehouse.Schedule, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	s, ok := b.calendar.Schedules[name]
	return s, ok
}

// Members lists who is in a group, by id, behind after; limit 0 stands for all.
func (b *Book) Members(group gatehouse.GroupID, after gatehouse.SubjectID, limit int) []gatehouse.SubjectID {
	b.mu.RLock()
	ids := slices.Collect(maps.Keys(b.members[group]))
	b.mu.RUnlock()
	compare := func(x, y gatehouse.SubjectID) int { return bytes.Compare(x[:], y[:]) }
	ids = slices.DeleteFunc(ids, func(id gatehouse.SubjectID) bool { return !after.IsZero() && compare(id, after) <= 0 })
	slices.SortFunc(ids, compare)
	if limit > 0 && len(ids) > limit {
		ids = ids[:limit]
	}
	return ids
}

// GroupsOf names the groups that a subject is in.
func (b *Book) GroupsOf(id gatehouse.SubjectID) []gatehouse.Group {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []gatehouse.Group
	for _, g := range b.groupsOf[id] {
		out = append(out, b.groups[g])
	}
	slices.SortFunc(out, func(x, y gatehouse.Group) int {
		return cmp.Or(strings.Compare(x.Title, y.Title), strings.Compare(string(x.ID), string(y.ID)))
	})
	return out
}

// Changes are the book's versions, the newest first, below before (0: all); limit is 1
// to 1000.
func (b *Book) Changes(ctx context.Context, before uint64, limit int) ([]gatehouse.RuleChange, error) {
	return b.Store.RuleChanges(ctx, b.Place, before, limit)
}
