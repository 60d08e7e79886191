package rulebook_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/rulebook"
	"gatehouse/rules/access"
)

// large is the store of a site with 100,000 people, each in two of 1,000 groups, and five
// rules a group; changes cost nothing.
type large struct{ stored gatehouse.StoredRules }

func (l large) Rules(context.Context, gatehouse.Place) (gatehouse.StoredRules, error) {
	return l.stored, nil
}
func (large) ChangeRules(context.Context, gatehouse.RuleChange) error { return nil }
func (large) RuleChanges(context.Context, gatehouse.Place, uint64, int) ([]gatehouse.RuleChange, error) {
	return nil, nil
}
func (large) Subject(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	return gatehouse.Subject{ID: id}, nil
}

func newLarge(b *testing.B) (*rulebook.Book, []gatehouse.SubjectID) {
	b.Helper()
	l := large{gatehouse.StoredRules{Version: 1, Members: map[gatehouse.GroupID][]gatehouse.SubjectID{}}}
	put := func(kind gatehouse.RuleKind, id, body string) {
		l.stored.Items = append(l.stored.Items, gatehouse.RuleItem{Kind: kind, ID: id, Revision: 1, Body: []byte(body)})
	}
	put(gatehouse.ScheduleKind, "day", `{"windows":[{"day":4,"from":420,"until":1140}]}`)
	for g := range 1000 {
		put(gatehouse.GroupKind, fmt.Sprintf("group-%d", g), `{"title":"x"}`)
		for r := range 5 {
			put(gatehouse.AccessKind, fmt.Sprintf("rule-%d-%d", g, r), fmt.Sprintf(`{"group":"group-%d","gates":["gate-%d"],"schedule":"day"}`, g, r))
		}
	}
	ids := make([]gatehouse.SubjectID, 100_000)
	for i := range ids {
		ids[i] = gatehouse.RandomID()
		for _, g := range []int{i % 1000, (i*7 + 1) % 1000} {
			name := gatehouse.GroupID(fmt.Sprintf("group-%d", g))
			l.stored.Members[name] = append(l.stored.Members[name], ids[i])
		}
	}
	book, err := rulebook.Load(b.Context(), rulebook.Ports{Place: place, Store: l, Subjects: l, HasGate: func(gatehouse.GateID) bool { return true }, Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	return book, ids
}

// BenchmarkDecide is a whole decision that the last rule of the second group grants.
func BenchmarkDecide(b *testing.B) {
	book, ids := newLarge(b)
	f := access.Facts{Gate: gatehouse.Gate{ID: "gate-4"}, Now: noon, Badge: &gatehouse.Badge{Kind: gatehouse.PersonSubject, Status: gatehouse.Active}, Reading: gatehouse.Reading{Kind: gatehouse.CardReading, Known: true}}
	for i := 0; b.Loop(); i++ {
		f.Rules, f.Calendar = book.Of(ids[i%len(ids)])
		if !access.Decide(f).Grant {
			b.Fatal("denied")
		}
	}
}

// BenchmarkPutRule is a change of one rule, without the disk's part of it.
func BenchmarkPutRule(b *testing.B) {
	book, _ := newLarge(b)
	for b.Loop() {
		if err := book.PutRule(b.Context(), "x", rulebook.Any, gatehouse.AccessRule{ID: "rule-0-0", Group: "group-0", Gates: []gatehouse.GateID{"gate-0"}, Schedule: "day"}); err != nil {
			b.Fatal(err)
		}
	}
}
