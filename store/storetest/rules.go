package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gatehouse"
)

// ruleChanges makes changes that follow each other.
type ruleChanges struct {
	*suite
	version uint64
}

func (r *ruleChanges) next(event gatehouse.RuleEvent, kind gatehouse.RuleKind, id string, body []byte, members ...gatehouse.SubjectID) gatehouse.RuleChange {
	c := gatehouse.RuleChange{Place: here, Version: r.version + 1, At: noon, By: "somebody", Event: event, Kind: kind, ID: id, Body: body, Members: members}
	c.Leaf = gatehouse.RuleLeaf(c)
	return c
}

func (r *ruleChanges) change(event gatehouse.RuleEvent, kind gatehouse.RuleKind, id string, body []byte, members ...gatehouse.SubjectID) gatehouse.RuleChange {
	r.Helper()
	c := r.next(event, kind, id, body, members...)
	r.must(r.ChangeRules(r.ctx(), c))
	r.version++
	return c
}

func testRules(t *testing.T, s *suite) {
	r := &ruleChanges{suite: s}
	empty, err := s.Rules(s.ctx(), here)
	s.must(err)
	if empty.Version != 0 || len(empty.Items) != 0 || len(empty.Members) != 0 {
		t.Errorf("a fresh store has rules: %+v", empty)
	}
	one, two := newSubject(here), newSubject(here)
	s.must(s.PutSubject(s.ctx(), one))
	s.must(s.PutSubject(s.ctx(), two))
	a, b := one.Subject.ID, two.Subject.ID
	var made []gatehouse.RuleChange
	made = append(made,
		r.change(gatehouse.RulePut, gatehouse.GroupKind, "staff", []byte(`1`)),
		r.change(gatehouse.RulePut, gatehouse.AccessKind, "day", []byte(`2`)),
		r.change(gatehouse.RulePut, gatehouse.ScheduleKind, "day", []byte(`3`)),
		r.change(gatehouse.MembersAdded, gatehouse.GroupKind, "staff", nil, a, b),
		r.change(gatehouse.MembersAdded, gatehouse.GroupKind, "staff", nil, a),
		r.change(gatehouse.RulePut, gatehouse.AccessKind, "day", []byte(`4`)),
		r.change(gatehouse.RuleRemoved, gatehouse.ScheduleKind, "day", nil),
		r.change(gatehouse.MembersRemoved, gatehouse.GroupKind, "staff", nil, b))
	leaves := len(s.leaves(0))

	// What does not fit writes nothing.
	stale := r.next(gatehouse.RulePut, gatehouse.GroupKind, "late", []byte(`1`))
	stale.Version--
	s.wantCode(s.ChangeRules(s.ctx(), stale), "rules.changed")
	stale.Version += 2
	s.wantCode(s.ChangeRules(s.ctx(), stale), "rules.changed")
	s.wantCode(s.ChangeRules(s.ctx(), r.next(gatehouse.MembersAdded, gatehouse.GroupKind, "staff", nil, b, gatehouse.RandomID())), "store.not_found")
	s.wantCode(s.ChangeRules(s.ctx(), r.next(gatehouse.MembersAdded, gatehouse.GroupKind, "nobody", nil, b)), "store.not_found")
	unsigned := r.next(gatehouse.RulePut, gatehouse.GroupKind, "x", []byte(`1`))
	unsigned.Leaf = nil
	s.wantCode(s.ChangeRules(s.ctx(), unsigned), "store.invalid")
	s.wantCode(s.ChangeRules(s.ctx(), r.next(gatehouse.RulePut, gatehouse.GroupKind, "x", nil)), "store.invalid")
	if got := len(s.leaves(0)); got != leaves || leaves != len(made)+2 {
		t.Errorf("%d leaves, then %d; want %d", leaves, got, len(made)+2)
	}

	s.reopen()
	r.suite = s
	want := gatehouse.StoredRules{Version: uint64(len(made)), Members: map[gatehouse.GroupID][]gatehouse.SubjectID{"staff": {a}},
		Items: []gatehouse.RuleItem{{Kind: gatehouse.GroupKind, ID: "staff", Revision: 1, Body: []byte(`1`)}, {Kind: gatehouse.AccessKind, ID: "day", Revision: 6, Body: []byte(`4`)}}}
	got, err := s.Rules(s.ctx(), here)
	s.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if elsewhere, err := s.Rules(s.ctx(), there); err != nil || elsewhere.Version != 0 || len(elsewhere.Items)+len(elsewhere.Members) != 0 {
		t.Errorf("another site sees %+v, %v", elsewhere, err)
	}
	var before uint64
	for i := len(made) - 1; i >= 0; i -= 3 { // pages of three, the newest first
		page, err := s.RuleChanges(s.ctx(), here, before, 3)
		s.must(err)
		if len(page) != min(3, i+1) {
			t.Fatalf("a page of %d before %d", len(page), before)
		}
		for n, c := range page {
			if diff := cmp.Diff(made[i-n], c, cmpopts.IgnoreFields(gatehouse.RuleChange{}, "Leaf"), cmpopts.SortSlices(func(x, y gatehouse.ID) bool { return string(x[:]) < string(y[:]) })); diff != "" {
				t.Errorf("change %d (-made +got):\n%s", c.Version, diff)
			}
		}
		before = page[len(page)-1].Version
	}

	// A group that goes takes its members along.
	r.change(gatehouse.RuleRemoved, gatehouse.GroupKind, "staff", nil)
	r.change(gatehouse.RulePut, gatehouse.GroupKind, "staff", []byte(`5`))
	if got, err := s.Rules(s.ctx(), here); err != nil || len(got.Members) != 0 {
		t.Errorf("a new group has members of an old one: %+v, %v", got.Members, err)
	}
}

// Erasing somebody takes them out of every group and puts another id into its history.
func testRulesForget(t *testing.T, s *suite) {
	r := &ruleChanges{suite: s}
	gone, stays := newSubject(here), newSubject(here)
	s.must(s.PutSubject(s.ctx(), gone))
	s.must(s.PutSubject(s.ctx(), stays))
	r.change(gatehouse.RulePut, gatehouse.GroupKind, "staff", []byte(`1`))
	r.change(gatehouse.MembersAdded, gatehouse.GroupKind, "staff", nil, gone.Subject.ID, stays.Subject.ID)
	old, fresh := gone.Subject.ID, gatehouse.RandomID()
	if traces, err := s.SubjectTraces(s.ctx(), here, old); err != nil || traces.Rules != 2 {
		t.Errorf("before: %+v, %v", traces, err)
	}
	_, err := s.ReplaceSubject(s.ctx(), here, old, fresh, []byte("leaf"))
	s.must(err)
	if traces, err := s.SubjectTraces(s.ctx(), here, old); err != nil || traces != (gatehouse.SubjectTraces{}) {
		t.Errorf("after: %+v, %v", traces, err)
	}
	got, err := s.Rules(s.ctx(), here)
	s.must(err)
	if m := got.Members["staff"]; len(m) != 1 || m[0] != stays.Subject.ID {
		t.Errorf("the group has %v", m)
	}
	changes, err := s.RuleChanges(s.ctx(), here, 0, 1)
	s.must(err)
	for _, id := range changes[0].Members {
		if id != fresh && id != stays.Subject.ID {
			t.Errorf("the history names %s", id)
		}
	}
	s.wantCode(s.ChangeRules(s.ctx(), r.next(gatehouse.MembersAdded, gatehouse.GroupKind, "staff", nil, fresh)), "store.not_found")
}
