package follow

import (
	"context"
	"slices"
	"sync"
	"time"

	"gatehouse"
)

// EventKind says what an event tells.
type EventKind string

// The kinds of event: they tell of passages alone, under opaque ids.
const (
	PassageEvent EventKind = "passage" // one was recorded
	OutcomeEvent EventKind = "outcome" // what became of one at the gate is known
)

// Event is one thing that happened at a gate, as other programs are told of it.
type Event struct {
	Position uint64 // in the committed log
	At       time.Time
	Kind     EventKind
	// Passage is as it was when it was read: an erasure meanwhile has replaced its subject.
	Passage gatehouse.Passage
}

// Passages reads one passage: store.not_found where it has expired.
type Passages interface {
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
}

// Decoder makes events of a place's leaves.
type Decoder struct {
	Place    gatehouse.Place
	Passages Passages
}

// Decode returns the events that some leaves are; most kinds of leaf are none.
func (d Decoder) Decode(ctx context.Context, leaves []Leaf) ([]Event, error) {
	var out []Event
	for _, l := range leaves {
		e, ok, err := d.one(ctx, l)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, e)
		}
	}
	return out, nil
}

func (d Decoder) one(ctx context.Context, l Leaf) (e Event, ok bool, err error) {
	kind, at, parts, err := gatehouse.LeafParts(l.Leaf)
	if err != nil || len(parts) < 3 || gatehouse.OrgID(parts[0]) != d.Place.Org || gatehouse.SiteID(parts[1]) != d.Place.Site || len(parts[2]) != len(gatehouse.ID{}) {
		return e, false, nil // none of a passage
	}
	e = Event{Position: l.Position, At: at}
	switch kind {
	case gatehouse.PassageLeafKind:
		e.Kind = PassageEvent
	case gatehouse.OutcomeLeafKind:
		e.Kind = OutcomeEvent
	default:
		return e, false, nil
	}
	stored, err := d.Passages.Passage(ctx, d.Place, gatehouse.ID(parts[2]))
	if gatehouse.ErrorCode(err) == "store.not_found" {
		return e, false, nil // it has expired
	}
	e.Passage = stored.Passage
	return e, err == nil, err
}

// remembered is how many events are kept in memory for readers that are nearly there.
const remembered = 4096

// Events are what happened, for any number of readers: those that are nearly up to date
// read memory, and the others the log. It is a Sink that keeps nothing over a restart, and
// safe for concurrent use.
type Events struct {
	decoder Decoder
	log     Log

	mu      sync.Mutex
	recent  []Event // the last ones, oldest first
	floor   uint64  // every event behind it is in recent
	newest  uint64  // the last leaf's position that was dealt with
	changed chan struct{}
}

// NewEvents returns events that begin behind a position; what was before it is read from
// the log.
func NewEvents(d Decoder, log Log, from uint64) *Events {
	return &Events{decoder: d, log: log, floor: from, newest: from, changed: make(chan struct{})}
}

// Cursor implements Sink.
func (e *Events) Cursor(context.Context) (uint64, error) { return e.Newest(), nil }

// Deal implements Sink.
func (e *Events) Deal(ctx context.Context, leaves []Leaf) error {
	events, err := e.decoder.Decode(ctx, leaves)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recent = append(e.recent, events...)
	if over := len(e.recent) - remembered; over > 0 {
		e.floor = e.recent[over-1].Position
		e.recent = slices.Clone(e.recent[over:])
	}
	e.newest = leaves[len(leaves)-1].Position
	close(e.changed)
	e.changed = make(chan struct{})
	return nil
}

// Newest is the last position that is known.
func (e *Events) Newest() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.newest
}

// Changed is closed when there is something behind Newest.
func (e *Events) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// After returns events behind a position, oldest first and about Batch at most, and up to
// where that is all. Where until is Newest there is nothing more yet.
func (e *Events) After(ctx context.Context, position uint64) (events []Event, until uint64, err error) {
	e.mu.Lock()
	newest, inMemory := e.newest, position >= e.floor
	if inMemory {
		i, _ := slices.BinarySearchFunc(e.recent, position+1, func(one Event, p uint64) int {
			switch {
			case one.Position < p:
				return -1
			case one.Position > p:
				return 1
			}
			return 0
		})
		events = slices.Clone(e.recent[i:min(len(e.recent), i+Batch)])
		until = newest
		if i+Batch < len(e.recent) {
			until = events[len(events)-1].Position
		}
	}
	e.mu.Unlock()
	if inMemory {
		return events, max(until, position), nil
	}
	var leaves []Leaf
	stop := gatehouse.Errorf("follow.enough", "", "enough was read")
	err = e.log.Leaves(ctx, position, func(at uint64, leaf []byte) error {
		if at > newest || len(leaves) == Batch {
			return stop
		}
		leaves = append(leaves, Leaf{at, leaf})
		return ctx.Err()
	})
	if err != nil && gatehouse.ErrorCode(err) != "follow.enough" {
		return nil, position, err
	}
	if len(leaves) == 0 {
		return nil, newest, nil
	}
	until = newest
	if len(leaves) == Batch {
		until = leaves[len(leaves)-1].Position
	}
	events, err = e.decoder.Decode(ctx, leaves)
	return events, until, err
}
