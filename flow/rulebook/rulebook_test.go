package rulebook_test

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
	"gatehouse/flow/rulebook"
	"gatehouse/rules/access"
	"gatehouse/store/sqlite"
)

var (
	place = gatehouse.Place{Org: "acme", Site: "hq"}
	noon  = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) // a Thursday
)

// shelf is a rule book on a store of its own.
type shelf struct {
	*testing.T
	*rulebook.Book
	store *sqlite.Store
	ports rulebook.Ports
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Key: func(string) ([32]byte, error) { return [32]byte{1}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s := &shelf{T: t, store: store, ports: rulebook.Ports{Place: place, Store: store, Subjects: store, Now: func() time.Time { return noon },
		Fixed:   map[string]gatehouse.Schedule{"office-hours": {Name: "office-hours", OnHolidays: true, Windows: []gatehouse.Window{{Day: time.Thursday, From: 420, Until: 1140}}}},
		HasGate: func(id gatehouse.GateID) bool { return id == "front-door" || id == "back-door" },
		Granted: func(schedule string) int { return map[string]int{"granted": 2}[schedule] }}}
	s.Book, err = rulebook.Load(t.Context(), s.ports)
	s.must(err)
	return s
}

func (s *shelf) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *shelf) want(err error, code string) {
	s.Helper()
	if gatehouse.ErrorCode(err) != code {
		s.Errorf("got %v, want %s", err, code)
	}
}

func (s *shelf) enrol() gatehouse.SubjectID {
	s.Helper()
	sub := gatehouse.Subject{Place: place, ID: gatehouse.RandomID(), Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: noon, Record: []byte("sealed")}
	s.must(s.store.PutSubject(s.Context(), gatehouse.SubjectCommit{Subject: sub, Leaf: gatehouse.SubjectLeaf(sub, noon)}))
	return sub.ID
}

// decide asks what a gate would do with somebody who has no grant of their own.
func (s *shelf) decide(id gatehouse.SubjectID, gate gatehouse.GateID, at time.Time) gatehouse.Decision {
	f := access.Facts{Gate: gatehouse.Gate{ID: gate}, Now: at, Badge: &gatehouse.Badge{Subject: id, Kind: gatehouse.PersonSubject, Status: gatehouse.Active},
		Reading: gatehouse.Reading{Kind: gatehouse.CardReading, Known: true}}
	f.Rules, f.Calendar = s.Of(id)
	return access.Decide(f)
}

// fill makes a group with a rule at the front door.
func (s *shelf) fill(schedule string) gatehouse.SubjectID {
	s.Helper()
	ctx, id := s.Context(), s.enrol()
	s.must(s.PutGroup(ctx, "chief", 0, gatehouse.Group{ID: "cleaners", Title: "Night cleaning"}))
	s.must(s.AddMembers(ctx, "chief", "cleaners", []gatehouse.SubjectID{id}))
	s.must(s.PutRule(ctx, "chief", 0, gatehouse.AccessRule{ID: "front", Group: "cleaners", Gates: []gatehouse.GateID{"front-door"}, Schedule: schedule}))
	return id
}

// Each change counts at the gates when it returns, and after a restart.
func TestChangesCountAtOnce(t *testing.T) {
	s := newShelf(t)
	ctx := t.Context()
	id := s.fill("office-hours")
	want := func(gate gatehouse.GateID, at time.Time, reason gatehouse.Reason) {
		t.Helper()
		if d := s.decide(id, gate, at); d.Reason != reason {
			t.Errorf("%s at %v: %+v, want %s", gate, at, d, reason)
		}
	}
	want("front-door", noon, gatehouse.Granted)
	want("back-door", noon, gatehouse.NotHere)
	want("front-door", noon.Add(12*time.Hour), gatehouse.OutsideHours)
	if d := s.decide(id, "front-door", noon); d.Rule != "rule front of cleaners at front-door, office-hours, version 3" {
		t.Errorf("granted by %q", d.Rule)
	}
	s.must(s.PutSchedule(ctx, "chief", 0, gatehouse.Schedule{Name: "nights", Windows: []gatehouse.Window{{Day: time.Thursday, From: 1320, Until: 1800}}}))
	s.must(s.PutRule(ctx, "chief", 3, gatehouse.AccessRule{ID: "front", Group: "cleaners", Gates: []gatehouse.GateID{"*"}, Schedule: "nights"}))
	want("front-door", noon, gatehouse.OutsideHours)
	want("back-door", noon.Add(16*time.Hour), gatehouse.Granted)
	s.must(s.PutHoliday(ctx, "chief", gatehouse.Holiday{Date: "2026-11-26", Title: "Thanksgiving"}))
	want("back-door", noon.Add(16*time.Hour), gatehouse.OutsideHours)
	s.must(s.PutRule(ctx, "chief", rulebook.Any, gatehouse.AccessRule{ID: "front", Group: "cleaners", Gates: []gatehouse.GateID{"*"}, Schedule: "office-hours"}))
	want("back-door", noon, gatehouse.Granted) // gatehouse.yml's schedules know no holidays
	s.must(s.RemoveHoliday(ctx, "chief", "2026-11-26"))

	again, err := rulebook.Load(ctx, s.ports)
	s.must(err)
	if diff := cmp.Diff(s.List(), again.List()); diff != "" {
		t.Errorf("after a restart (-before +after):\n%s", diff)
	}
	rules, calendar := s.Of(id)
	rulesAgain, calendarAgain := again.Of(id)
	if !reflect.DeepEqual(rules, rulesAgain) || !reflect.DeepEqual(calendar, calendarAgain) {
		t.Error("after a restart decisions rest on something else")
	}

	s.must(s.RemoveMembers(ctx, "chief", "cleaners", []gatehouse.SubjectID{id}))
	want("back-door", noon, gatehouse.NotHere)
	s.must(s.AddMembers(ctx, "chief", "cleaners", []gatehouse.SubjectID{id}))
	s.must(s.RemoveRule(ctx, "chief", "front"))
	want("back-door", noon, gatehouse.NotHere)
	s.must(s.RemoveGroup(ctx, "chief", "cleaners"))
	if len(s.GroupsOf(id)) != 0 {
		t.Error("somebody is in a group that is gone")
	}
}

// Every change is a version and a leaf.
func TestEveryChangeIsWrittenDown(t *testing.T) {
	s := newShelf(t)
	id := s.fill("always")
	changes, err := s.Changes(t.Context(), 0, 10)
	s.must(err)
	if len(changes) != 3 || changes[0].Version != 3 || changes[0].By != "chief" || changes[1].Event != gatehouse.MembersAdded || !slices.Equal(changes[1].Members, []gatehouse.SubjectID{id}) {
		t.Errorf("the history is %+v", changes)
	}
	var leaves []string
	s.must(s.store.Leaves(t.Context(), 0, func(_ uint64, leaf []byte) error {
		kind, _, parts, err := gatehouse.LeafParts(leaf)
		if kind == gatehouse.RuleLeafKind {
			leaves = append(leaves, string(parts[0])+" "+string(parts[3])+" "+string(parts[4])+" "+string(parts[5])+" "+string(parts[6]))
			for _, p := range parts {
				if string(p) == string(id[:]) || string(p) == id.String() {
					t.Error("a leaf names a subject")
				}
			}
		}
		return err
	}))
	if want := []string{"put chief 1 group cleaners", "members-added chief 2 group cleaners", "put chief 3 rule front"}; !slices.Equal(leaves, want) {
		t.Errorf("the leaves say %q", leaves)
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := newShelf(t)
	ctx := t.Context()
	id := s.fill("office-hours")
	rule := func(change func(*gatehouse.AccessRule)) error {
		r := gatehouse.AccessRule{ID: "other", Group: "cleaners", Gates: []gatehouse.GateID{"front-door"}, Schedule: "always"}
		change(&r)
		return s.PutRule(ctx, "chief", 0, r)
	}
	version := s.List().Version
	s.want(s.PutGroup(ctx, "chief", 0, gatehouse.Group{ID: "cleaners", Title: "x"}), "rules.exists")
	s.want(s.PutGroup(ctx, "chief", 7, gatehouse.Group{ID: "cleaners", Title: "x"}), "rules.changed")
	s.want(s.PutGroup(ctx, "chief", 1, gatehouse.Group{ID: "new", Title: "x"}), "rules.changed")
	s.want(s.PutGroup(ctx, "chief", 0, gatehouse.Group{ID: "Anna", Title: "x"}), "rules.name")
	s.want(s.PutGroup(ctx, "chief", 0, gatehouse.Group{ID: "new", Title: "a\nb"}), "rules.title")
	s.want(s.PutGroup(ctx, "chief", 0, gatehouse.Group{ID: "new", Title: " "}), "rules.title")
	s.want(s.RemoveGroup(ctx, "chief", "cleaners"), "rules.in_use")
	s.want(s.RemoveGroup(ctx, "chief", "gone"), "rules.unknown")
	s.want(s.AddMembers(ctx, "chief", "cleaners", []gatehouse.SubjectID{gatehouse.RandomID()}), "store.not_found")
	s.want(s.AddMembers(ctx, "chief", "gone", []gatehouse.SubjectID{id}), "rules.unknown")
	s.want(s.AddMembers(ctx, "chief", "cleaners", nil), "rules.members")
	s.want(s.AddMembers(ctx, "chief", "cleaners", make([]gatehouse.SubjectID, rulebook.MaxMembers+1)), "rules.members")
	s.want(rule(func(r *gatehouse.AccessRule) { r.Group = "gone" }), "rules.unknown")
	s.want(rule(func(r *gatehouse.AccessRule) { r.Gates = []gatehouse.GateID{"gone"} }), "rules.unknown")
	s.want(rule(func(r *gatehouse.AccessRule) { r.Gates = nil }), "rules.gates")
	s.want(rule(func(r *gatehouse.AccessRule) { r.Gates = []gatehouse.GateID{"*", "front-door"} }), "rules.gates")
	s.want(rule(func(r *gatehouse.AccessRule) { r.Schedule = "gone" }), "rules.unknown")
	s.want(rule(func(r *gatehouse.AccessRule) { r.From = "soon" }), "date.malformed")
	s.want(rule(func(r *gatehouse.AccessRule) { r.From, r.Until = "2026-12-02", "2026-12-01" }), "rules.days")
	s.want(s.RemoveRule(ctx, "chief", "gone"), "rules.unknown")
	for _, name := range []string{"office-hours", "always"} {
		s.want(s.PutSchedule(ctx, "chief", rulebook.Any, gatehouse.Schedule{Name: name}), "rules.fixed")
	}
	s.want(s.RemoveSchedule(ctx, "chief", "office-hours"), "rules.fixed")
	for _, w := range []gatehouse.Window{{From: -1, Until: 5}, {From: 5, Until: 5}, {From: 1440, Until: 1500}, {From: 60, Until: 1501}} {
		s.want(s.PutSchedule(ctx, "chief", 0, gatehouse.Schedule{Name: "bad", Windows: []gatehouse.Window{w}}), "schedule.window")
	}
	s.want(s.PutSchedule(ctx, "chief", 0, gatehouse.Schedule{Name: "bad", Days: []gatehouse.SpecialDay{{Date: "2026-12-24"}, {Date: "2026-12-24"}}}), "rules.days")
	s.want(s.PutHoliday(ctx, "chief", gatehouse.Holiday{Date: "christmas", Title: "x"}), "date.malformed")
	if got := s.List().Version; got != version {
		t.Errorf("what was refused made version %d of %d", got, version)
	}

	s.must(s.PutSchedule(ctx, "chief", 0, gatehouse.Schedule{Name: "granted"}))
	s.want(s.RemoveSchedule(ctx, "chief", "granted"), "rules.in_use") // badges name it
	s.must(s.PutSchedule(ctx, "chief", 0, gatehouse.Schedule{Name: "ruled"}))
	s.must(rule(func(r *gatehouse.AccessRule) { r.Schedule = "ruled" }))
	s.want(s.RemoveSchedule(ctx, "chief", "ruled"), "rules.in_use")
	s.must(s.RemoveRule(ctx, "chief", "other"))
	s.must(s.RemoveSchedule(ctx, "chief", "ruled"))
}

// A file's schedule counts where both have one of the name.
func TestTheFileComesFirst(t *testing.T) {
	s := newShelf(t)
	s.must(s.PutSchedule(t.Context(), "chief", 0, gatehouse.Schedule{Name: "nights"}))
	s.ports.Fixed["nights"] = gatehouse.Schedule{Name: "nights", OnHolidays: true}
	again, err := rulebook.Load(t.Context(), s.ports)
	s.must(err)
	if got, _ := again.Schedule("nights"); !got.OnHolidays || !slices.Equal(again.Shadowed(), []string{"nights"}) {
		t.Errorf("%+v, %v", got, again.Shadowed())
	}
}

// Whoever is erased is in no group, in memory as on disk.
func TestErasedMembers(t *testing.T) {
	s := newShelf(t)
	id := s.fill("always")
	_, err := s.store.ReplaceSubject(t.Context(), place, id, gatehouse.RandomID(), []byte("leaf"))
	s.must(err)
	s.must(s.Reload(t.Context()))
	if d := s.decide(id, "front-door", noon); d.Grant || len(s.Members("cleaners", gatehouse.SubjectID{}, 0)) != 0 {
		t.Errorf("still there: %+v", d)
	}
}

// Gates decide while somebody changes the rules.
func TestDecidingWhileItChanges(t *testing.T) {
	s := newShelf(t)
	id := s.fill("always")
	ctx, stop := context.WithCancel(t.Context())
	var gates sync.WaitGroup
	for range 2 {
		gates.Go(func() {
			for ctx.Err() == nil {
				if d := s.decide(id, "front-door", noon); !d.Grant {
					t.Errorf("%+v", d)
					return
				}
			}
		})
	}
	for i := range 20 {
		s.must(s.PutHoliday(t.Context(), "chief", gatehouse.Holiday{Date: gatehouse.DateOf(noon.AddDate(0, 0, i)), Title: "x"}))
		s.must(s.PutGroup(t.Context(), "chief", rulebook.Any, gatehouse.Group{ID: "others", Title: "x"}))
		s.must(s.AddMembers(t.Context(), "chief", "others", []gatehouse.SubjectID{id}))
	}
	stop()
	gates.Wait()
}
