package auth

import (
	"sync"
	"time"
)

// Limiter is a token bucket a key: burst at once, then perSecond. Keys that are
// full again are forgotten. It is safe for concurrent use.
type Limiter struct {
	now       func() time.Time
	perSecond float64
	burst     float64

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the memory that a flood of different keys can take.
const maxBuckets = 4096

// NewLimiter returns a Limiter; now is its clock, time.Now where it is nil.
func NewLimiter(now func() time.Time, perSecond, burst float64) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{now: now, perSecond: perSecond, burst: burst, buckets: map[string]bucket{}}
}

// Allow takes one from key's bucket. Where it is empty, wait is how long until
// there is one again.
func (l *Limiter) Allow(key string) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.level(key)
	if b.left < 1 {
		l.buckets[key] = b
		return false, time.Duration((1 - b.left) / l.perSecond * float64(time.Second))
	}
	b.left--
	l.buckets[key] = b
	return true, 0
}

// Has reports whether there is one in key's bucket, and takes none.
func (l *Limiter) Has(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level(key).left >= 1
}

// Level is what a key's bucket holds after a Take, and how long it takes to be full.
type Level struct {
	Left int
	Full time.Duration
}

// Take is Allow that says how the bucket stands.
func (l *Limiter) Take(key string) (_ Level, ok bool, wait time.Duration) {
	ok, wait = l.Allow(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.level(key)
	return Level{Left: int(b.left), Full: time.Duration((l.burst - b.left) / l.perSecond * float64(time.Second))}, ok, wait
}

// level is key's bucket as it stands now.
func (l *Limiter) level(key string) bucket {
	now := l.now()
	b, known := l.buckets[key]
	if !known {
		if len(l.buckets) >= maxBuckets {
			l.forgetFull(now)
		}
		return bucket{left: l.burst, at: now}
	}
	if d := now.Sub(b.at); d > 0 {
		b.left = min(l.burst, b.left+d.Seconds()*l.perSecond)
		b.at = now
	}
	return b
}

func (l *Limiter) forgetFull(now time.Time) {
	for k, b := range l.buckets {
		if b.left+now.Sub(b.at).Seconds()*l.perSecond >= l.burst {
			delete(l.buckets, k)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}
