package demo

import (
	"sync"
	"time"

	"gatehouse"
	"gatehouse/ingest"
)

// stage is a camera whose frames the demo draws.
type stage struct {
	frames chan gatehouse.Capture
	once   sync.Once
	done   chan struct{}

	mu   sync.Mutex
	last time.Time
}

func newStage() *stage {
	return &stage{frames: make(chan gatehouse.Capture), done: make(chan struct{})}
}

// show sends one frame; it waits for the reader, as a file would.
func (s *stage) show(jpeg []byte) bool {
	now := time.Now()
	s.mu.Lock()
	s.last = now
	s.mu.Unlock()
	select {
	case s.frames <- gatehouse.Capture{Kind: gatehouse.FrameCapture, Received: now, Image: gatehouse.Image{Format: gatehouse.JPEG, Bytes: jpeg}}:
		return true
	case <-s.done:
		return false
	}
}

// Captures implements ingest.Source.
func (s *stage) Captures() <-chan gatehouse.Capture { return s.frames }

// Health implements ingest.Source.
func (s *stage) Health() ingest.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := ingest.Health{State: ingest.OK, LastFrame: s.last}
	if time.Since(s.last) > 10*time.Second {
		h.State = ingest.Stalled
	}
	return h
}

// Err implements ingest.Source.
func (s *stage) Err() error { return nil }

// Close implements ingest.Source.
func (s *stage) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}
