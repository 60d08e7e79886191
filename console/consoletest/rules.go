package consoletest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/rulebook"
)

// ruleStore keeps a rule book in memory.
type ruleStore struct {
	mu      sync.Mutex
	items   map[gatehouse.RuleKind]map[string]gatehouse.RuleItem
	members map[gatehouse.GroupID][]gatehouse.SubjectID
	changes []gatehouse.RuleChange
}

func newRuleStore() *ruleStore {
	return &ruleStore{items: map[gatehouse.RuleKind]map[string]gatehouse.RuleItem{}, members: map[gatehouse.GroupID][]gatehouse.SubjectID{}}
}

func (s *ruleStore) Rules(context.Context, gatehouse.Place) (gatehouse.StoredRules, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := gatehouse.StoredRules{Version: uint64(len(s.changes)), Members: maps.Clone(s.members)}
	for _, kind := range s.items {
		for _, item := range kind {
			out.Items = append(out.Items, item)
		}
	}
	return out, nil
}

func (s *ruleStore) ChangeRules(_ context.Context, c gatehouse.RuleChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	group := gatehouse.GroupID(c.ID)
	switch c.Event {
	case gatehouse.RulePut:
		if s.items[c.Kind] == nil {
			s.items[c.Kind] = map[string]gatehouse.RuleItem{}
		}
		s.items[c.Kind][c.ID] = gatehouse.RuleItem{Kind: c.Kind, ID: c.ID, Revision: c.Version, Body: c.Body}
	case gatehouse.RuleRemoved:
		delete(s.items[c.Kind], c.ID)
		if c.Kind == gatehouse.GroupKind {
			delete(s.members, group)
		}
	case gatehouse.MembersAdded:
		s.members[group] = append(s.members[group], c.Members...)
	case gatehouse.MembersRemoved:
		s.members[group] = slices.DeleteFunc(s.members[group], func(id gatehouse.SubjectID) bool { return slices.Contains(c.Members, id) })
	}
	s.changes = append(s.changes, c)
	return nil
}

func (s *ruleStore) RuleChanges(_ context.Context, _ gatehouse.Place, before uint64, limit int) (out []gatehouse.RuleChange, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.changes) {
		if (before == 0 || c.Version < before) && len(out) < limit {
			out = append(out, c)
		}
	}
	return out, nil
}

// openRules makes an empty rule book, beside a schedule of gatehouse.yml.
func (s *Site) openRules() {
	office := gatehouse.Schedule{Name: "office-hours", OnHolidays: true}
	for day := time.Monday; day <= time.Friday; day++ {
		office.Windows = append(office.Windows, gatehouse.Window{Day: day, From: 7 * 60, Until: 19 * 60})
	}
	var err error
	s.Rules, err = rulebook.Load(context.Background(), rulebook.Ports{Place: Place, Store: newRuleStore(), Subjects: enrolled{s}, Now: s.now,
		Fixed: map[string]gatehouse.Schedule{"office-hours": office}, HasGate: func(id gatehouse.GateID) bool { return id == "front-door" || id == "car-park" }})
	if err != nil {
		panic(err)
	}
}

// enrolled is rulebook.Subjects.
type enrolled struct{ s *Site }

func (e enrolled) Subject(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	if b, ok := e.s.Working.Badge(id); ok {
		return gatehouse.Subject{Place: Place, ID: id, Kind: b.Kind, Status: b.Status}, nil
	}
	return gatehouse.Subject{}, gatehouse.Errorf("store.not_found", "", "there is no such subject here")
}

// SetGrants replaces what somebody is allowed by their badge.
func (s *Site) SetGrants(id gatehouse.SubjectID, grants ...gatehouse.Grant) {
	if b, ok := s.Working.Badge(id); ok {
		b.Grants = grants
		if err := s.Working.PutBadge(context.Background(), b); err != nil {
			panic(err)
		}
	}
}
