// Package health is how a source of captures is doing: what a guard sees of a
// camera on the live page, and what an operator reads when it fails.
package health

import (
	"sync"
	"time"
)

// State is how a source is doing, in the words of gatehouse.GateState.Camera.
type State string

// The states. A source begins Down and is OK from its first frame on.
const (
	OK      State = "ok"
	Stalled State = "stalled" // connected, and no frame for longer than the source's limit
	Down    State = "down"    // not connected; a camera is being tried again
	Ended   State = "ended"   // a file or folder was read to its end, or the source was closed
)

// Health is a source's condition at one moment.
type Health struct {
	State      State
	Since      time.Time // when State began
	Frames     uint64    // delivered to the reader
	Skipped    uint64    // held back by the motion gate while nothing moved
	Dropped    uint64    // replaced by a newer frame before the reader took them
	Failed     uint64    // pictures that could not be taken: empty, too big, no picture
	Reconnects int       // how often a camera was connected to again
	FPS        float64   // frames decoded per second, over the last 10 s
	LastFrame  time.Time // receipt of the newest frame; zero before the first
	Width      int       // of the newest frame, in pixels; 0 before the first
	Height     int
	Idle       bool     // nothing moves: the motion gate holds frames back
	LastError  string   // why the last connection or picture failed; "" for never
	Lines      []string // the last lines that the decoder said, oldest first, at most 50, without credentials
}

// span is how far back FPS looks.
const span = 10 * time.Second

// Monitor keeps a Health. The zero value is ready. It is safe for concurrent use.
type Monitor struct {
	mu    sync.Mutex
	h     Health
	times []time.Time // of the frames within span
	lines []string
}

// Set changes the state at the moment now.
func (m *Monitor) Set(s State, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(s, now)
}

func (m *Monitor) set(s State, now time.Time) {
	if m.h.State != s {
		m.h.State, m.h.Since = s, now
	}
}

// Update runs f on the health under the monitor's lock; f must not block.
func (m *Monitor) Update(f func(h *Health)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.h)
}

// Frame counts a decoded frame of w×h pixels and makes the source OK.
func (m *Monitor) Frame(w, h int, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(OK, now)
	m.h.LastFrame, m.h.Width, m.h.Height = now, w, h
	if len(m.times) > 1000 {
		m.times = m.times[len(m.times)/2:]
	}
	m.times = append(m.times, now)
}

// Fail notes why something failed. Credentials in it are redacted.
func (m *Monitor) Fail(reason string) {
	reason = Redact(reason)
	m.Update(func(h *Health) { h.LastError = reason })
}

// Line keeps one line that the decoder said, redacted and at most 300 bytes long.
func (m *Monitor) Line(s string) {
	s = Redact(s)
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.lines) == keep {
		m.lines = append(m.lines[:0], m.lines[1:]...)
	}
	m.lines = append(m.lines, s)
}

// keep is how many lines are remembered.
const keep = 50

// Health returns a copy of the condition as of now.
func (m *Monitor) Health(now time.Time) Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.h
	if h.State == "" {
		h.State = Down
	}
	first := 0
	for first < len(m.times) && now.Sub(m.times[first]) > span {
		first++
	}
	m.times = m.times[first:]
	if n := len(m.times); n > 1 {
		// n frames bound n-1 gaps; a source that fell silent counts its silence.
		if d := max(now.Sub(m.times[0]), time.Millisecond); h.State == OK {
			h.FPS = float64(n-1) / min(d, max(m.times[n-1].Sub(m.times[0]), d/2, time.Millisecond)).Seconds()
		}
	}
	h.Lines = append([]string(nil), m.lines...)
	return h
}
