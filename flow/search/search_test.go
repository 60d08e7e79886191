package search

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
)

var place = gatehouse.Place{Org: "acme", Site: "north"}

// site is a store, its log, and a vault with its index.
type site struct {
	passages map[gatehouse.ID]gatehouse.StoredPassage
	subjects []gatehouse.Subject
	leaves   [][]byte
	looks    int // how often all subjects were read

	sealed  bool
	state   gatehouse.IndexState
	indexed []gatehouse.ID
	fail    error

	asked  []gatehouse.SearchRequest
	answer gatehouse.SearchAnswer
}

func (s *site) Passage(_ context.Context, p gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	got, ok := s.passages[id]
	if !ok || p != place {
		return got, gatehouse.Errorf("store.not_found", "", "gone")
	}
	return got, nil
}

func (s *site) Subject(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	i := slices.IndexFunc(s.subjects, func(o gatehouse.Subject) bool { return o.ID == id })
	if i < 0 {
		return gatehouse.Subject{}, gatehouse.Errorf("store.not_found", "", "gone")
	}
	return s.subjects[i], nil
}

func (s *site) Subjects(_ context.Context, _ gatehouse.Place, after gatehouse.SubjectID, limit int) (page []gatehouse.Subject, err error) {
	s.looks++
	slices.SortFunc(s.subjects, func(a, b gatehouse.Subject) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, o := range s.subjects {
		if bytes.Compare(o.ID[:], after[:]) > 0 && len(page) < limit {
			page = append(page, o)
		}
	}
	return page, nil
}

func (s *site) Leaves(_ context.Context, after uint64, f func(uint64, []byte) error) error {
	for i, l := range s.leaves {
		if position := uint64(10 * (i + 1)); position > after {
			if err := f(position, l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *site) Newest(context.Context) (uint64, error) { return uint64(10 * len(s.leaves)), nil }

func (s *site) IndexState(context.Context) (gatehouse.IndexState, error) {
	if s.sealed {
		return gatehouse.IndexState{}, gatehouse.Errorf("vault.sealed", "", "sealed")
	}
	return s.state, nil
}

func (s *site) Index(_ context.Context, b gatehouse.IndexBatch) error {
	if s.sealed {
		return gatehouse.Errorf("vault.sealed", "", "sealed")
	}
	if b.From != s.state.Position {
		return gatehouse.Errorf("index.position", "", "another position")
	}
	if s.fail != nil {
		return s.fail
	}
	s.state = gatehouse.IndexState{Position: b.To, Until: b.Until}
	for _, p := range b.Passages {
		s.indexed = append(s.indexed, p.Passage.ID)
	}
	for _, o := range b.Subjects {
		s.indexed = append(s.indexed, o.ID)
	}
	return nil
}

func (s *site) WithProof(ctx context.Context, operator string, f func(context.Context, string, []byte) error) error {
	if s.sealed {
		return gatehouse.Errorf("vault.sealed", "", "sealed")
	}
	return f(ctx, "site/"+operator, []byte("proof"))
}

func (s *site) Search(_ context.Context, r gatehouse.SearchRequest) (gatehouse.SearchAnswer, error) {
	s.asked = append(s.asked, r)
	return s.answer, s.fail
}

func newSite() *site { return &site{passages: map[gatehouse.ID]gatehouse.StoredPassage{}} }

func (s *site) pass() gatehouse.ID {
	p := gatehouse.Passage{Place: place, ID: gatehouse.NewID(time.Now()), At: time.Now(), Gate: "front-door", Decision: gatehouse.Decision{Grant: true}}
	s.passages[p.ID] = gatehouse.StoredPassage{Passage: p, Detail: []byte("sealed")}
	s.leaves = append(s.leaves, gatehouse.PassageLeaf(p, []byte("sealed"), nil))
	return p.ID
}

func (s *site) enrol(record string) gatehouse.SubjectID {
	o := gatehouse.Subject{Place: place, ID: gatehouse.RandomID(), Kind: gatehouse.PersonSubject, Record: []byte(record)}
	s.subjects = append(s.subjects, o)
	s.leaves = append(s.leaves, gatehouse.SubjectLeaf(o, time.Now()))
	return o.ID
}

func (s *site) follow(t *testing.T, f *Feeder) {
	t.Helper()
	if _, err := follow.CatchUp(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
}

func TestFeederFeedsWhatTheLogSays(t *testing.T) {
	s := newSite()
	f := &Feeder{Place: place, Index: s, Store: s}
	s.sealed = true
	ana, first := s.enrol("a"), s.pass()
	if _, err := follow.CatchUp(t.Context(), s, f); !errors.Is(err, follow.ErrLater) || f.Current() {
		t.Fatalf("while sealed: %v", err)
	}
	s.sealed = false
	gone := s.pass()
	delete(s.passages, gone) // its month has expired
	elsewhere := gatehouse.Passage{Place: gatehouse.Place{Org: "acme", Site: "south"}, ID: gatehouse.NewID(time.Now())}
	s.leaves = append(s.leaves, gatehouse.PassageLeaf(elsewhere, nil, nil), gatehouse.DeviceLeaf(gatehouse.Device{Place: place, ID: "cam"}, time.Now()))
	s.follow(t, f)
	if !slices.Equal(s.indexed, []gatehouse.ID{first, ana}) || s.state.Position != 50 || s.state.Until.IsZero() || !f.Current() {
		t.Fatalf("indexed %v, %+v", s.indexed, s.state)
	}
	// A record that was replaced is fed once, as it is now.
	s.leaves = append(s.leaves, gatehouse.SubjectLeaf(gatehouse.Subject{Place: place, ID: ana, Record: []byte("b")}, time.Now()))
	s.subjects[0].Record = []byte("c")
	s.leaves = append(s.leaves, gatehouse.SubjectLeaf(s.subjects[0], time.Now()))
	bo := s.enrol("bo")
	s.indexed, s.looks = nil, 0
	s.follow(t, f)
	if !slices.Equal(s.indexed, []gatehouse.ID{ana, bo}) || s.looks != 1 {
		t.Errorf("indexed %v after reading all subjects %d times", s.indexed, s.looks)
	}
	s.follow(t, f)
	if len(s.indexed) != 2 || !f.Current() {
		t.Errorf("again: %v", s.indexed)
	}
}

// A batch that failed is fed again, whatever became of it.
func TestFeederGoesOnFromTheIndex(t *testing.T) {
	s := newSite()
	f := &Feeder{Place: place, Index: s, Store: s}
	first := s.pass()
	s.fail = errors.New("a fault of the disk")
	if _, err := follow.CatchUp(t.Context(), s, f); err == nil || f.Current() {
		t.Error("the failure is not told")
	}
	s.fail = nil
	s.follow(t, f)
	second := s.pass()
	s.follow(t, f)
	s.state = gatehouse.IndexState{} // lost, and begun anew
	s.follow(t, f)
	if !slices.Equal(s.indexed, []gatehouse.ID{first, second, first, second}) {
		t.Errorf("indexed %v", s.indexed)
	}
}

// While more than one batch is behind, the index is not current.
func TestFeederSaysWhenItIsBehind(t *testing.T) {
	s := newSite()
	f := &Feeder{Place: place, Index: s, Store: s}
	for range follow.Batch {
		s.pass()
	}
	s.follow(t, f)
	if f.Current() {
		t.Error("behind a full batch there may be more")
	}
	s.follow(t, f)
	s.follow(t, f)
	if !f.Current() {
		t.Error("there is nothing more")
	}
}

func TestSearchJoinsMetadata(t *testing.T) {
	s := newSite()
	ana, id := s.enrol("a"), s.pass()
	gone := gatehouse.NewID(time.Now())
	s.answer = gatehouse.SearchAnswer{Next: "1.2", Hits: []gatehouse.SearchHit{
		{Kind: gatehouse.PassageHit, ID: id, Subject: ana, Text: "Ana"}, {Kind: gatehouse.PassageHit, ID: gone}, {Kind: gatehouse.RecordHit, ID: ana}}}
	p := Ports{Place: place, Vault: s, Proofs: s, Store: s}
	got, err := p.Search(t.Context(), Asked{Operator: "console", Role: "guard", Reason: "case 7"}, gatehouse.SearchQuery{Name: "ana", Limit: 10})
	if err != nil || len(got.Found) != 3 || got.Next != "1.2" {
		t.Fatalf("%+v, %v", got, err)
	}
	if f := got.Found[0]; f.Passage == nil || f.Passage.Gate != "front-door" || f.Text != "Ana" || f.Record != nil {
		t.Errorf("the passage is %+v", f)
	}
	if got.Found[1].Passage != nil || got.Found[2].Record == nil || got.Found[2].Record.ID != ana {
		t.Errorf("the others are %+v", got.Found[1:])
	}
	if r := s.asked[0]; r.Operator != "site/console" || r.Role != "guard" || r.Reason != "case 7" || string(r.Proof) != "proof" || r.Query.Place != place {
		t.Errorf("the vault was asked %+v", r)
	}
	s.sealed = true
	if _, err := p.Search(t.Context(), Asked{}, gatehouse.SearchQuery{}); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Error(err)
	}
}

// duringLeaves looks at the feeder between its cursor and the first leaf.
type duringLeaves struct {
	*site
	look func()
}

func (d duringLeaves) Leaves(ctx context.Context, after uint64, f func(uint64, []byte) error) error {
	d.look()
	return d.site.Leaves(ctx, after, f)
}

// An index that has not been looked at since the start, or since the vault was sealed, is
// not current, whatever its position: rows may be missing.
func TestFeederIsNotCurrentBeforeItHasLooked(t *testing.T) {
	s := newSite()
	f := &Feeder{Place: place, Index: s, Store: s}
	log := duringLeaves{s, func() {
		if f.Current() {
			t.Error("current before the log was read")
		}
	}}
	catchUp := func() {
		t.Helper()
		if _, err := follow.CatchUp(t.Context(), log, f); err != nil && !errors.Is(err, follow.ErrLater) {
			t.Fatal(err)
		}
	}
	s.enrol("a")
	catchUp() // the index is empty, as after a rotation of the vault key
	s.follow(t, f)
	s.follow(t, f) // the cursor stands still
	s.sealed = true
	catchUp()
	s.enrol("b")
	s.sealed = false
	catchUp()
	if !f.Current() {
		t.Error("all is in the index")
	}
}

// An answer is current by what the index says of itself when it is asked: one that was
// thrown away since the feeder looked last does not find what it did.
func TestAnAnswerIsAsCurrentAsTheIndex(t *testing.T) {
	s := newSite()
	s.enrol("a")
	s.pass()
	f := &Feeder{Place: place, Index: s, Store: s}
	s.follow(t, f)
	ports := Ports{Place: place, Vault: s, Proofs: s, Store: s}
	ask := func() bool {
		t.Helper()
		s.answer.Position = s.state.Position
		got, err := ports.Search(t.Context(), Asked{Operator: "op", Reason: "r"}, gatehouse.SearchQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return got.Current
	}
	if !ask() {
		t.Error("an index that has dealt with everything is not current")
	}
	s.state = gatehouse.IndexState{} // the vault was sealed, and begins a new one
	if ask() || !f.Current() {
		t.Error("an index that was begun anew is current")
	}
	s.pass()
	s.follow(t, f)
	if !ask() {
		t.Error("an index that has caught up is not current")
	}
}
