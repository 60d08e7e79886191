package auth

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"gatehouse"
)

// backoff locks out who fails too often: behind the free attempts each further one
// doubles the wait, from backoffFirst to backoffMost. A key is forgotten backoffMemory
// after its last attempt. Whether there is an account behind a key plays no part.
type backoff struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*strikes
}

type strikes struct {
	n           int
	last, until time.Time
}

// The lock-out. An address may belong to a whole office, so it has more attempts.
const (
	freePerAccount = 5
	freePerAddress = 20
	backoffFirst   = 2 * time.Second
	backoffMost    = 15 * time.Minute
	backoffMemory  = time.Hour
	maxBackoff     = 8192
)

func newBackoff(now func() time.Time) *backoff {
	return &backoff{now: now, all: map[string]*strikes{}}
}

// attempt counts an attempt before it is looked at, so that many at once are as many in a
// row. ok is false while the key waits; such an attempt is not counted.
func (b *backoff) attempt(key string, free int) (ok bool, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	s := b.all[key]
	if s == nil {
		if len(b.all) >= maxBackoff {
			b.sweep(now)
		}
		s = &strikes{}
		b.all[key] = s
	} else if now.Sub(s.last) >= backoffMemory {
		*s = strikes{}
	}
	if wait = s.until.Sub(now); wait > 0 {
		return false, wait
	}
	s.n++
	s.last = now
	if over := s.n - free; over >= 0 {
		s.until = now.Add(min(backoffMost, backoffFirst<<min(over, 16)))
	}
	return true, 0
}

// succeed forgets a key's failures.
func (b *backoff) succeed(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, key)
}

// sweep makes room: what nobody tries any more goes first, then what was tried longest
// ago.
func (b *backoff) sweep(now time.Time) {
	var oldest string
	var at time.Time
	for k, s := range b.all {
		if now.Sub(s.last) >= backoffMemory {
			delete(b.all, k)
		} else if at.IsZero() || s.last.Before(at) {
			oldest, at = k, s.last
		}
	}
	if len(b.all) >= maxBackoff {
		delete(b.all, oldest)
	}
}

// addressOf names where a request comes from: an address, or the /64 that one owner of
// IPv6 addresses has at least.
func addressOf(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	if ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}

// refusals counts attempts that were refused, for the audit log: the first at once, those
// of the minute after it together, so that nobody fills the log by failing.
type refusals struct {
	mu      sync.Mutex
	count   int
	written time.Time
}

// refusalsEvery is how often a leaf about them is written at most.
const refusalsEvery = time.Minute

// refused counts one and answers with it. Which part was wrong is not said.
func (a *Auth) refused(ctx context.Context) error {
	a.refusals.mu.Lock()
	a.refusals.count++
	a.refusals.mu.Unlock()
	a.NoteRefusals(ctx)
	return gatehouse.Errorf("auth.refused", "try again, or ask an administrator for an invitation", "this did not sign anybody in")
}

// NoteRefusals writes the leaf about refused attempts that is due. The server calls it
// every minute and at its end.
func (a *Auth) NoteRefusals(ctx context.Context) {
	if a.o.Log == nil {
		return
	}
	r := &a.refusals
	r.mu.Lock()
	defer r.mu.Unlock()
	now := a.o.Now()
	if r.count == 0 || !r.written.IsZero() && now.Sub(r.written) < refusalsEvery {
		return
	}
	// Counted again the next time where it cannot be written now.
	if a.o.Log.WriteLeaf(context.WithoutCancel(ctx), gatehouse.RefusedLeaf(now, a.o.Place, r.count)) == nil {
		r.count, r.written = 0, now
	}
}
