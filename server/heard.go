package server

import (
	"sync"
	"time"

	"gatehouse"
)

// heard is when devices that come to Gatehouse were last there, and how often. It is in
// memory only, and bounded by how many devices there are.
type heard struct {
	mu sync.Mutex
	of map[gatehouse.DeviceID]*visits
}

// visitsWithin is what a rate is taken over.
const visitsWithin = 10 * time.Second

type visits struct {
	last  time.Time
	since time.Time // of the count
	n     int
	rate  float64 // a second, over the last whole span
}

// note counts one capture of a device that was let in.
func (h *heard) note(id gatehouse.DeviceID, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = map[gatehouse.DeviceID]*visits{}
	}
	v := h.of[id]
	if v == nil {
		v = &visits{since: at}
		h.of[id] = v
	}
	v.turn(at)
	v.n++
	v.last = at
}

// turn begins another span where one is over.
func (v *visits) turn(at time.Time) {
	switch age := at.Sub(v.since); {
	case age >= 2*visitsWithin:
		v.rate, v.n, v.since = 0, 0, at
	case age >= visitsWithin:
		v.rate, v.n, v.since = float64(v.n)/age.Seconds(), 0, at
	}
}

// at is when a device was last there, zero for never, and its captures a second.
func (h *heard) at(id gatehouse.DeviceID, now time.Time) (last time.Time, rate float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.of[id]
	if v == nil {
		return last, 0
	}
	v.turn(now)
	return v.last, v.rate
}
