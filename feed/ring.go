package feed

import (
	"context"
	"sync"
	"time"

	"gatehouse"
)

// MaxAge is the longest that a picture may stay in a Ring. The design grants the
// ring ten minutes a gate; a longer wish is cut to it.
const MaxAge = 10 * time.Minute

// DefaultRingBytes is how much a Ring holds unless a site asks for another size.
const DefaultRingBytes = 64 << 20

// Ring holds the pictures of the last minutes in memory, by passage, and the
// latest still of every gate. Nothing of it is written anywhere. A picture leaves
// by age, or when the ring is full: then the oldest passage of the gate that holds
// the most goes first, so that a busy gate cannot empty a quiet one. It is safe
// for concurrent use.
type Ring struct {
	age   time.Duration
	limit int
	now   func() time.Time

	mu     sync.Mutex
	size   int // bytes of all pictures and stills
	gates  map[gatehouse.GateID]*shelf
	byPass map[gatehouse.ID]*entry
}

type shelf struct {
	entries []*entry // oldest first
	size    int
	still   gatehouse.Picture
	stillAt time.Time
}

type entry struct {
	gate     gatehouse.GateID
	passage  gatehouse.ID
	pictures []gatehouse.Picture
	size     int
	at       time.Time // when it was put
}

// NewRing returns a ring that keeps pictures for age (at most MaxAge; 0 means
// MaxAge) and at most limit bytes (0 means DefaultRingBytes). now is the clock;
// nil means time.Now.
func NewRing(age time.Duration, limit int, now func() time.Time) *Ring {
	if age <= 0 || age > MaxAge {
		age = MaxAge
	}
	if limit <= 0 {
		limit = DefaultRingBytes
	}
	if now == nil {
		now = time.Now
	}
	return &Ring{age: age, limit: limit, now: now,
		gates: map[gatehouse.GateID]*shelf{}, byPass: map[gatehouse.ID]*entry{}}
}

// Put keeps a passage's pictures, best first. Pictures that alone would not fit
// are left out; a second Put for the same passage replaces the first.
func (r *Ring) Put(gate gatehouse.GateID, passage gatehouse.ID, pictures []gatehouse.Picture) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	r.drop(r.byPass[passage])
	e := &entry{gate: gate, passage: passage, at: r.now()}
	for _, p := range pictures {
		if len(p.JPEG) > 0 && e.size+sizeOf(p) <= r.limit {
			e.pictures = append(e.pictures, p)
			e.size += sizeOf(p)
		}
	}
	if len(e.pictures) == 0 {
		return
	}
	r.makeRoom(e.size)
	s := r.shelf(gate)
	s.entries = append(s.entries, e)
	s.size += e.size
	r.size += e.size
	r.byPass[passage] = e
}

// PutStill replaces the gate's latest still.
func (r *Ring) PutStill(gate gatehouse.GateID, p gatehouse.Picture) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	s := r.shelf(gate)
	r.dropStill(s)
	if len(p.JPEG) == 0 || sizeOf(p) > r.limit {
		return
	}
	r.makeRoom(sizeOf(p))
	s.still, s.stillAt = p, r.now()
	s.size += sizeOf(p)
	r.size += sizeOf(p)
}

// Pictures returns the passage's pictures, best first; nil when they are gone. The
// JPEG bytes are shared and must not be changed.
func (r *Ring) Pictures(passage gatehouse.ID) []gatehouse.Picture {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	if e := r.byPass[passage]; e != nil {
		return e.pictures
	}
	return nil
}

// Count returns how many pictures of the passage are here.
func (r *Ring) Count(passage gatehouse.ID) int { return len(r.Pictures(passage)) }

// Still returns the gate's latest still; ok is false when there is none.
func (r *Ring) Still(gate gatehouse.GateID) (p gatehouse.Picture, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	s := r.gates[gate]
	if s == nil || s.stillAt.IsZero() {
		return gatehouse.Picture{}, false
	}
	return s.still, true
}

// Forget drops a passage's pictures at once, for an erasure.
func (r *Ring) Forget(passage gatehouse.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(r.byPass[passage])
}

// Bytes is the size of everything held.
func (r *Ring) Bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	return r.size
}

// Run drops what is too old until ctx ends: a gate at which nothing happens must
// not keep its last visitor's picture.
func (r *Ring) Run(ctx context.Context) {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			r.Bytes()
		}
	}
}

func (r *Ring) shelf(gate gatehouse.GateID) *shelf {
	s := r.gates[gate]
	if s == nil {
		s = &shelf{}
		r.gates[gate] = s
	}
	return s
}

// sweep drops by age. Entries are in the order they were put.
func (r *Ring) sweep() {
	oldest := r.now().Add(-r.age)
	for _, s := range r.gates {
		for len(s.entries) > 0 && !s.entries[0].at.After(oldest) {
			r.drop(s.entries[0])
		}
		if !s.stillAt.IsZero() && !s.stillAt.After(oldest) {
			r.dropStill(s)
		}
	}
}

// makeRoom drops passages, then stills, until n more bytes fit.
func (r *Ring) makeRoom(n int) {
	for r.size+n > r.limit {
		var fullest *shelf
		for _, s := range r.gates {
			if len(s.entries) > 0 && (fullest == nil || s.size > fullest.size) {
				fullest = s
			}
		}
		if fullest != nil {
			r.drop(fullest.entries[0])
			continue
		}
		for _, s := range r.gates {
			r.dropStill(s)
		}
		return
	}
}

func (r *Ring) drop(e *entry) {
	if e == nil {
		return
	}
	s := r.gates[e.gate]
	for i, x := range s.entries {
		if x == e {
			s.entries[i] = nil
			s.entries = append(s.entries[:i], s.entries[i+1:]...)
			break
		}
	}
	s.size -= e.size
	r.size -= e.size
	delete(r.byPass, e.passage)
}

func (r *Ring) dropStill(s *shelf) {
	s.size -= sizeOf(s.still)
	r.size -= sizeOf(s.still)
	s.still, s.stillAt = gatehouse.Picture{}, time.Time{}
}

func sizeOf(p gatehouse.Picture) int { return len(p.JPEG) + len(p.Thumb) }
