package server

import (
	"context"
	"runtime"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/console"

	"golang.org/x/sys/unix"
)

// history keeps how the site did over the last hours, in memory: numbers, and nothing
// about anybody. Prometheus keeps them longer (/metrics).
type history struct {
	mu              sync.Mutex
	granted, denied int           // since the last sample
	latency         time.Duration // their sum
	samples         []console.HealthSample
}

// A sample is taken every sampleEvery, and maxSamples are kept: eight hours.
const (
	sampleEvery = 30 * time.Second
	maxSamples  = 960
)

func (h *history) passage(p gatehouse.Passage) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.Decision.Grant {
		h.granted++
	} else {
		h.denied++
	}
	h.latency += p.Latency
}

// add takes what was counted into a sample.
func (h *history) add(s console.HealthSample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Granted, s.Denied = h.granted, h.denied
	if n := h.granted + h.denied; n > 0 {
		s.LatencyMS = float64(h.latency.Microseconds()) / 1000 / float64(n)
	}
	h.granted, h.denied, h.latency = 0, 0, 0
	if len(h.samples) >= maxSamples {
		h.samples = h.samples[:copy(h.samples, h.samples[1:])]
	}
	h.samples = append(h.samples, s)
}

func (h *history) all() []console.HealthSample {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]console.HealthSample{}, h.samples...)
}

// sample takes one now and then.
func (s *Server) sample(ctx context.Context, waiting func() int) {
	beat := time.NewTicker(sampleEvery)
	defer beat.Stop()
	for {
		s.history.add(s.sampled(ctx, waiting()))
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

func (s *Server) sampled(ctx context.Context, waiting int) console.HealthSample {
	out := console.HealthSample{At: time.Now(), Waiting: waiting}
	for _, c := range s.cameraHealth() {
		out.FPS += c.FPS
		out.CameraLagMS = max(out.CameraLagMS, float64(c.LagMS))
	}
	out.AuditLag = s.auditHealth(ctx).Lag
	out.FreeBytes, out.DiskBytes = diskOf(s.config.Data)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	out.HeapBytes = int64(m.HeapInuse)
	st, err := s.vault.Status(ctx)
	out.Unsealed = err == nil && !st.Sealed
	return out
}

// diskOf is what is free of the file system that a path lies on, and its size; 0 where it
// cannot be told.
func diskOf(path string) (free, size int64) {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return 0, 0
	}
	block := int64(st.Bsize) //nolint:unconvert // the types differ between systems
	return int64(st.Bavail) * block, int64(st.Blocks) * block
}
