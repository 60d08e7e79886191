package child

import (
	"context"
	"net"
	"sync"
	"time"
)

// Limits bound what one connection may cost.
type Limits struct {
	MaxFrame   int // a message in either direction, in bytes
	Concurrent int // requests that are worked on at a time; more wait in the socket
	// Memory is how many bytes of requests may be under way; it MUST be MaxFrame at
	// least. 0: no limit of its own.
	Memory int
	// Idle ends a connection over which nothing came for so long (a Remote sends
	// something every Beat), Stall one that takes longer over one message, in either
	// direction. 0: no limit.
	Idle, Stall time.Duration
}

// ServeConn answers the requests of another machine on a connection that was
// accepted from it, which it closes. It returns nil when the other side closes, and
// otherwise why it ended: ctx's error, an exceeded limit, a frame that is none. h is
// asked about every request, also about the one with which a Remote finds out
// whether it is served (see Request.Ready).
func ServeConn(ctx context.Context, sock net.Conn, h Handler, limits Limits) error {
	return serve(ctx, sock, h, limits)
}

// Ready reports whether this is the question with which a Remote begins, and which it
// repeats while it has no other: its answer is empty.
func (r *Request) Ready() bool { return r.Method == readyMethod }

// allowance is how many bytes may be held at a time. One goroutine takes, any give
// back. A nil one has no end.
type allowance struct {
	mu    sync.Mutex
	free  int
	given chan struct{} // holds one
}

func newAllowance(n int) *allowance { return &allowance{free: n, given: make(chan struct{}, 1)} }

// take waits until n bytes are free.
func (a *allowance) take(ctx context.Context, n int) error {
	if a == nil {
		return nil
	}
	for {
		a.mu.Lock()
		ok := a.free >= n
		if ok {
			a.free -= n
		}
		a.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-a.given:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *allowance) give(n int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	a.free += n
	a.mu.Unlock()
	select {
	case a.given <- struct{}{}:
	default:
	}
}
