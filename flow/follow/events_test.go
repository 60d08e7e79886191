package follow

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

var here = gatehouse.Place{Org: "acme", Site: "north"}

// history is a log of passages, and what their rows say.
type history struct {
	mu     sync.Mutex
	leaves []Leaf
	rows   map[gatehouse.ID]gatehouse.Passage
	reads  int // of the log
}

func (h *history) add(gate gatehouse.GateID, place gatehouse.Place) gatehouse.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := time.Unix(1_800_000_000, 0)
	p := gatehouse.Passage{Place: place, ID: gatehouse.NewID(at), Gate: gate, At: at}
	h.rows[p.ID] = p
	position := uint64(1)
	if n := len(h.leaves); n > 0 {
		position = h.leaves[n-1].Position + 3
	}
	h.leaves = append(h.leaves, Leaf{position, gatehouse.PassageLeaf(p, nil, nil)},
		Leaf{position + 1, gatehouse.SubjectLeaf(gatehouse.Subject{Place: place, Kind: gatehouse.PersonSubject}, at)},
		Leaf{position + 2, gatehouse.OutcomeLeaf(gatehouse.PassageOutcome{Place: place, ID: p.ID, Outcome: gatehouse.Passed, At: at})})
	return p.ID
}

func (h *history) Leaves(_ context.Context, after uint64, f func(uint64, []byte) error) error {
	h.mu.Lock()
	all := slices.Clone(h.leaves)
	h.reads++
	h.mu.Unlock()
	for _, l := range all {
		if l.Position > after {
			if err := f(l.Position, l.Leaf); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *history) Passage(_ context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.rows[id]
	if !ok || p.Place != place {
		return gatehouse.StoredPassage{}, gatehouse.Errorf("store.not_found", "", "none")
	}
	return gatehouse.StoredPassage{Passage: p}, nil
}

// read takes everything behind a position.
func read(t *testing.T, e *Events, position uint64) (got []string) {
	t.Helper()
	for {
		events, until, err := e.After(t.Context(), position)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range events {
			if one.Position <= position {
				t.Fatalf("%d is told again behind %d", one.Position, position)
			}
			position = one.Position
			got = append(got, fmt.Sprint(one.Kind, " ", one.Passage.ID))
		}
		if position = until; until >= e.Newest() {
			return got
		}
	}
}

// Whoever reads from anywhere is told everything behind it, once and in order, whether it
// lies in memory or in the log.
func TestEventsFromAnywhere(t *testing.T) {
	h := &history{rows: map[gatehouse.ID]gatehouse.Passage{}}
	var want []string
	var positions []uint64
	tell := func(n int) {
		for range n {
			id := h.add("front-door", here)
			want = append(want, fmt.Sprint(PassageEvent, " ", id), fmt.Sprint(OutcomeEvent, " ", id))
			last := len(h.leaves)
			positions = append(positions, h.leaves[last-3].Position, h.leaves[last-1].Position)
			h.add("front-door", gatehouse.Place{Org: "acme", Site: "south"}) // another site's are nobody's here
		}
	}
	tell(700)
	e := NewEvents(Decoder{Place: here, Passages: h}, h, h.leaves[len(h.leaves)-1].Position)
	if got := read(t, e, 0); !slices.Equal(got, want) {
		t.Fatalf("of before the start: %d events, want %d", len(got), len(want))
	}
	changed := e.Changed()
	tell(remembered/2 + 300) // more than is remembered
	if _, err := CatchUp(t.Context(), h, e); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told of a change")
	}
	for _, i := range []int{0, 1, 699, 1399, 1400, 1500, len(want) - remembered - 1, len(want) - remembered, len(want) - remembered + 1, len(want) - 2, len(want) - 1} {
		if got := read(t, e, positions[i]); !slices.Equal(got, want[i+1:]) {
			t.Errorf("behind event %d: %d events, want %d", i, len(got), len(want)-i-1)
		}
	}
	before := h.reads
	for range 50 {
		read(t, e, positions[len(want)-10])
	}
	if h.reads != before {
		t.Errorf("readers that are nearly there read the log %d times", h.reads-before)
	}
	if len(e.recent) > remembered {
		t.Errorf("%d events are in memory", len(e.recent))
	}
}

// What has expired, or is no passage of this place, is no event and stops nothing.
func TestEventsOfWhatIsGone(t *testing.T) {
	h := &history{rows: map[gatehouse.ID]gatehouse.Passage{}}
	gone := h.add("front-door", here)
	there := h.add("front-door", here)
	delete(h.rows, gone)
	h.leaves = append(h.leaves, Leaf{99, []byte("no leaf")})
	e := NewEvents(Decoder{Place: here, Passages: h}, h, 0)
	if _, err := CatchUp(t.Context(), h, e); err != nil {
		t.Fatal(err)
	}
	if got := read(t, e, 0); len(got) != 2 || got[0] != fmt.Sprint(PassageEvent, " ", there) || e.Newest() != 99 {
		t.Errorf("told %q, newest %d", got, e.Newest())
	}
}
