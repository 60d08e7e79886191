// Package feed holds what is live: Ring, the pictures of the last minutes, and
// Hub, which tells every open page what has just happened. Both exist only in
// memory. Nothing that goes through the hub is personal: names and plates are lent
// to each page by the vault.
package feed

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// Kind says what an event tells.
type Kind string

// The kinds of event.
const (
	Committed Kind = "committed" // a passage was recorded
	Updated   Kind = "updated"   // its outcome is known
	GateKind  Kind = "gate"      // a gate's or camera's state changed
	Health    Kind = "health"    // faces became available or unavailable
	Vault     Kind = "vault"     // the vault was sealed or unsealed: what is shown must be asked for again
	Alarm     Kind = "alarm"     // an alarm was raised or acknowledged
	Resync    Kind = "resync"    // events were lost: read everything again
)

// Event is one thing that happened.
type Event struct {
	ID      string // what an SSE client sends back as Last-Event-ID
	Kind    Kind
	Passage gatehouse.Passage   // Committed, Updated
	Gate    gatehouse.GateState // GateKind
	At      time.Time           // when the hub was told
	seq     uint64
}

// history is how many events a returning page may have missed, and bufferLimit how
// many a slow one may leave waiting; beyond either it reads everything again.
const (
	history     = 1024
	bufferLimit = 512
)

// Hub passes events to its subscriptions and remembers the gates' latest states.
// No publisher ever waits for a subscriber. It is safe for concurrent use.
type Hub struct {
	boot string // tells this run's event ids from an earlier run's
	now  func() time.Time

	mu       sync.Mutex
	seq      uint64
	past     []Event // the last events, oldest first
	subs     map[*Subscription]struct{}
	gates    map[gatehouse.GateID]gatehouse.GateState
	facesOff bool
}

// NewHub returns a hub. now is the clock; nil means time.Now.
func NewHub(now func() time.Time) *Hub {
	if now == nil {
		now = time.Now
	}
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return &Hub{boot: hex.EncodeToString(b[:]), now: now,
		subs: map[*Subscription]struct{}{}, gates: map[gatehouse.GateID]gatehouse.GateState{}}
}

// PassageCommitted tells that p is durable. Call it after the commit, never before.
func (h *Hub) PassageCommitted(p gatehouse.Passage) { h.publish(Event{Kind: Committed, Passage: p}) }

// PassageUpdated tells that p's outcome is known.
func (h *Hub) PassageUpdated(p gatehouse.Passage) { h.publish(Event{Kind: Updated, Passage: p}) }

// SetGate records a gate's state and tells it where it differs from the last one.
func (h *Hub) SetGate(s gatehouse.GateState) {
	h.mu.Lock()
	was, known := h.gates[s.Gate]
	h.gates[s.Gate] = s
	h.mu.Unlock()
	if !known || was.State != s.State || was.Camera != s.Camera {
		h.publish(Event{Kind: GateKind, Gate: s})
	}
}

// Gates returns the latest state of every gate that reported one, by gate id.
func (h *Hub) Gates() []gatehouse.GateState {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]gatehouse.GateState, 0, len(h.gates))
	for _, s := range h.gates {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b gatehouse.GateState) int { return strings.Compare(string(a.Gate), string(b.Gate)) })
	return out
}

// SetFaces records whether faces can be recognized now.
func (h *Hub) SetFaces(available bool) {
	h.mu.Lock()
	changed := h.facesOff == available
	h.facesOff = !available
	h.mu.Unlock()
	if changed {
		h.publish(Event{Kind: Health})
	}
}

// Faces reports whether faces can be recognized now; true until told otherwise.
func (h *Hub) Faces() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.facesOff
}

// VaultChanged tells that the vault was sealed or unsealed.
func (h *Hub) VaultChanged() { h.publish(Event{Kind: Vault}) }

// AlarmsChanged tells that an alarm was raised or acknowledged.
func (h *Hub) AlarmsChanged() { h.publish(Event{Kind: Alarm}) }

func (h *Hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	e.seq, e.ID, e.At = h.seq, h.id(h.seq), h.now()
	if len(h.past) >= 2*history {
		h.past = slices.Clone(h.past[len(h.past)-history:])
	}
	h.past = append(h.past, e)
	for s := range h.subs {
		s.offer(e)
	}
}

func (h *Hub) id(seq uint64) string { return h.boot + "-" + strconv.FormatUint(seq, 10) }

// LastID is the id of the latest event; a page that was read after it can
// subscribe from it and misses nothing.
func (h *Hub) LastID() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.id(h.seq)
}

// Subscribe begins a subscription behind the event with the id lastID ("" for only
// what is new). An id of an earlier run, or one too old, begins with a Resync.
// The caller must Close it.
func (h *Hub) Subscribe(lastID string) *Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &Subscription{hub: h, ready: make(chan struct{}, 1)}
	h.subs[s] = struct{}{}
	if lastID == "" {
		return s
	}
	boot, n, _ := strings.Cut(lastID, "-")
	seq, err := strconv.ParseUint(n, 10, 64)
	tooOld := seq < h.seq && (len(h.past) == 0 || h.past[0].seq > seq+1)
	if err != nil || boot != h.boot || seq > h.seq || tooOld {
		s.lost = true
		s.wake()
		return s
	}
	for _, e := range h.past {
		if e.seq > seq {
			s.offer(e)
		}
	}
	return s
}

// Subscription is one reader's place in the feed, with a buffer of its own.
type Subscription struct {
	hub   *Hub
	ready chan struct{}
	// Guarded by the hub's lock.
	waiting []Event
	lost    bool
}

// Ready receives when there is something to Take.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns what has come since the last Take, oldest first. Where the reader
// was too slow it is a single Resync.
func (s *Subscription) Take() []Event {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	events := s.waiting
	s.waiting = nil
	if s.lost {
		s.lost = false
		return []Event{{ID: s.hub.id(s.hub.seq), Kind: Resync, At: s.hub.now(), seq: s.hub.seq}}
	}
	return events
}

// TakeWithin waits for something, then gather longer for what comes with it, and
// takes it all; so a burst costs a page one update. It returns nil when ctx ends.
func (s *Subscription) TakeWithin(ctx context.Context, gather time.Duration) []Event {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.ready:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(gather):
		}
		if events := s.Take(); len(events) > 0 {
			return events
		}
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
}

// offer is called with the hub's lock held.
func (s *Subscription) offer(e Event) {
	if len(s.waiting) >= bufferLimit {
		s.waiting, s.lost = nil, true
	}
	if !s.lost {
		s.waiting = append(s.waiting, e)
	}
	s.wake()
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
