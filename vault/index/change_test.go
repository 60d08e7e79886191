package index

import (
	"context"
	"testing"
	"time"

	"gatehouse"
)

// A record that is replaced is found by what it says now, and by nothing else.
func TestReplacedRecord(t *testing.T) {
	s := &site{index: newIndex(t)}
	id := gatehouse.RandomID()
	s.put(t, recordOf(id, Fields{Name: "Ana Silva", Phone: "5551234"}), passageOf(1, id, ""))
	s.put(t, recordOf(id, Fields{Name: "Ana Costa", Phone: "5559876"}))
	if got := all(t, s.index, gatehouse.SearchQuery{Name: "costa"}, 10); len(got) != 2 {
		t.Errorf("the new name finds %d", len(got))
	}
	for _, q := range []gatehouse.SearchQuery{{Name: "silva"}, {Phone: "5551234"}} {
		if got := all(t, s.index, q, 10); len(got) != 0 {
			t.Errorf("the old record finds %d", len(got))
		}
	}
	if n := count(t, s.index, `SELECT count(*) FROM terms WHERE text = 'silva'`); n != 0 {
		t.Error("the old name is still a term")
	}
}

func count(t testing.TB, x *Index, query string) (n int) {
	t.Helper()
	must(t, x.db.Readers().QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

func TestRemove(t *testing.T) {
	s := &site{index: newIndex(t)}
	ana, bo := gatehouse.RandomID(), gatehouse.RandomID()
	s.put(t, recordOf(ana, Fields{Name: "Ana Silva"}), recordOf(bo, Fields{Name: "Bo Silva"}), passageOf(1, ana, "AAA111"), passageOf(2, bo, "BBB222"), passageOf(2*86400, bo, "CCC333"))
	if p, err := s.index.Progress(t.Context()); err != nil || p.Removed || p.Position != 5 {
		t.Errorf("progress %+v, %v", p, err)
	}
	n, err := s.index.Remove(t.Context(), []Removal{{Place: place, Subject: ana}, {Place: other, Subject: bo}, {Place: place, Subject: gatehouse.RandomID()}})
	must(t, err)
	if n != 2 {
		t.Errorf("%d docs were removed", n)
	}
	for _, q := range []gatehouse.SearchQuery{{Name: "ana"}, {Plate: "AAA111"}} {
		if got := all(t, s.index, q, 10); len(got) != 0 {
			t.Errorf("found %d of the erased", len(got))
		}
	}
	if got := all(t, s.index, gatehouse.SearchQuery{Name: "silva"}, 10); len(got) != 3 {
		t.Errorf("of the other %d", len(got))
	}
	if n := count(t, s.index, `SELECT count(*) FROM terms WHERE text IN ('ana', 'AAA111')`); n != 0 {
		t.Error("a term of the erased is left")
	}
	if p, err := s.index.Progress(t.Context()); err != nil || !p.Removed {
		t.Errorf("progress %+v, %v", p, err)
	}
	n, err = s.index.Remove(t.Context(), []Removal{{Place: place, Class: gatehouse.PassageClass, Day: began.Format(time.DateOnly)}})
	must(t, err)
	if got := all(t, s.index, gatehouse.SearchQuery{Name: "bo"}, 10); n != 1 || len(got) != 2 {
		t.Errorf("%d removed, %d left", n, len(got))
	}
	must(t, s.index.Rewritten(t.Context()))
	if n, err = s.index.Remove(t.Context(), []Removal{{Place: place, Subject: ana}}); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	if p, err := s.index.Progress(t.Context()); err != nil || p.Removed {
		t.Errorf("nothing was removed, and %+v, %v", p, err)
	}
}

// A batch that comes twice, or out of turn, changes nothing.
func TestPositions(t *testing.T) {
	s := &site{index: newIndex(t)}
	s.put(t, passageOf(1, gatehouse.RandomID(), "AAA111"))
	ctx := context.Background()
	again := []Entry{passageOf(2, gatehouse.RandomID(), "AAA111")}
	for _, span := range [][2]uint64{{0, 1}, {0, 2}, {2, 3}, {1, 1}} {
		wantCode(t, s.index.Put(ctx, span[0], span[1], began, again), "index.position")
	}
	if got := all(t, s.index, gatehouse.SearchQuery{Plate: "AAA111"}, 10); len(got) != 1 {
		t.Errorf("%d docs", len(got))
	}
}
