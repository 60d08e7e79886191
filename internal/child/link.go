package child

import (
	"context"
	"errors"
	"sync"
	"time"

	"gatehouse"
)

// link is what calls go through: a connection that comes and goes. A Process has
// one to its child, a Remote one to another machine.
type link struct {
	name    string // begins the codes of errors
	called  string // in sentences: "the vault process"
	onState func(Status)

	mu      sync.Mutex
	status  Status
	conn    *conn         // nil unless Up
	changed chan struct{} // closed and replaced at each change of state
}

func newLink(name, called string, onState func(Status)) link {
	return link{name: name, called: called, onState: onState, status: Status{State: Starting, Since: time.Now()}, changed: make(chan struct{})}
}

// Call sends one request and waits for its reply. header is encoded as JSON; reply
// receives the reply's JSON header (nil to ignore it); the reply's attachments are
// returned. Neither header nor blobs may change until Call returns.
//
// Errors: NAME.unavailable at once while the other side is away, or when it goes
// during the call (the request may or may not have been carried out); NAME.timeout
// when ctx ends first; NAME.protocol for a message that cannot be decoded;
// NAME.too_large for a request or reply over the limit; NAME.failed for a handler's
// error without a code; otherwise the handler's own error with its code, message and
// hint.
func (l *link) Call(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error) {
	l.mu.Lock()
	c := l.conn
	l.mu.Unlock()
	if c == nil {
		return nil, l.Away()
	}
	return c.call(ctx, method, header, blobs, reply)
}

// Status returns the state now.
func (l *link) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Wait returns when the other side is up. It fails with NAME.unavailable when ctx
// ends first or after Stop.
func (l *link) Wait(ctx context.Context) error {
	for {
		l.mu.Lock()
		state, changed, c := l.status.State, l.changed, l.conn
		l.mu.Unlock()
		switch {
		case state == Up && c.failure() == nil: // otherwise whoever keeps the link is about to notice
			return nil
		case state == Stopped:
			return l.errorf("unavailable", "the program is ending", "%s was stopped", l.called)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return l.away(ctx.Err())
		}
	}
}

// Away is what a call fails with while nobody is there, and says why that is.
func (l *link) Away() error { return l.away(nil) }

func (l *link) away(err error) error {
	const hint = "it is tried again by itself; see the log for why it ended"
	if why := l.Status().Reason; err == nil && why != "" {
		err = errors.New(why)
	}
	if err == nil {
		return l.errorf("unavailable", hint, "%s is not there", l.called)
	}
	return l.errorf("unavailable", hint, "%s is not there: %w", l.called, err)
}

// set publishes a state and, while Up, the connection that calls go to.
func (l *link) set(s Status, c *conn) {
	s.Since = time.Now()
	l.mu.Lock()
	l.status, l.conn = s, c
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	if l.onState != nil {
		l.onState(s)
	}
}

func (l *link) errorf(code, hint, format string, args ...any) *gatehouse.Error {
	return gatehouse.Errorf(l.name+"."+code, hint, format, args...)
}
