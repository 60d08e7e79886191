// Package child runs a part of the program in a process of its own: the same
// binary, executed again with a hidden argument, talking over an inherited
// socketpair. Native code that decodes pictures, and the vault that holds the
// private key, live in such processes: a crash there stops no door, and what is in
// their memory is in no other.
//
// The parent calls Start, then Call from any number of goroutines; a child that
// dies is started again. The child calls Serve, which returns when the parent goes
// away. Requests and replies are frames (frame.go) with a JSON header and raw
// attachments. Linux only: it relies on the parent-death signal.
//
// The same calls go to another machine: there Connect (remote.go) keeps a connection
// that its caller dials, and ServeConn (serveconn.go) answers on it.
package child

import (
	"context"
	"encoding/json"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Spec says which child to run and how.
type Spec struct {
	// Name is the child's short name ("vision", "vault"). It begins the codes of
	// the errors that the supervisor makes (see Call).
	Name string
	// Exec is the command line. Empty: this executable with the one argument
	// "__NAME".
	Exec []string
	// Env is added to the reduced environment (see environ), as "KEY=value".
	Env []string
	// CallLimit is how long any call may run before the child counts as hung and is
	// killed, whatever deadline the caller has. 0: one minute.
	CallLimit time.Duration
	// StartLimit is how long the child may take from exec until it serves and Init
	// returned. 0: one minute.
	StartLimit time.Duration
	// StopLimit is how long Stop waits for calls that are under way before it
	// kills. 0: five seconds.
	StopLimit time.Duration
	// MaxFrame bounds a message in either direction, in bytes. 0: 64 MiB. The child
	// learns it from its environment.
	MaxFrame int
	// Init, if set, is called after every start, before any other call is let
	// through; it sends the child what it needs to work. An error kills the child;
	// Start returns it, and a restart backs off and tries again.
	Init func(ctx context.Context, call CallFunc) error
	// OnState, if set, hears of every change, in order, from one goroutine; it must
	// return quickly and must not call Stop.
	OnState func(Status)
	// Log receives the child's stderr line by line, and the supervisor's own words.
	// nil: slog.Default().
	Log *slog.Logger
}

// CallFunc is the shape of Call.
type CallFunc func(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error)

// State is where a child, or a connection to another machine, is in its life.
type State string

// Whoever fails goes from Up to Down, waits for its back-off there, and is
// started again.
const (
	Starting State = "starting"
	Up       State = "up"
	Down     State = "down"
	Stopped  State = "stopped"
)

// Status is what is known of a child, or of a connection to another machine.
type Status struct {
	State    State
	PID      int       // of a child that is Starting or Up; otherwise 0
	Since    time.Time // when State began
	Restarts int       // how often it was started again
	Reason   string    // why it went down last; "" before the first time
}

// Restarts wait firstBackoff, doubling to lastBackoff; a child that stayed up for
// steadyAfter begins again at the first.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	steadyAfter  = 30 * time.Second
)

// Process is a supervised child. Its methods are safe for concurrent use.
type Process struct {
	link
	spec Spec
	stop chan struct{} // closed by Stop
	done chan struct{} // closed when the supervisor has ended
	once sync.Once
}

// Start runs the child and returns when it serves and Init has returned; ctx
// bounds this first start only. It fails with NAME.unavailable where the
// executable cannot be run or does not come to serve, or with Init's error; then
// no child is left. Afterwards the child is kept running until Stop.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	spec, err := spec.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Process{link: newLink(spec.Name, "the "+spec.Name+" process", spec.OnState), spec: spec, stop: make(chan struct{}), done: make(chan struct{})}
	first := make(chan error, 1)
	go p.supervise(first)
	select {
	case err := <-first:
		if err != nil {
			<-p.done
			return nil, err
		}
		return p, nil
	case <-ctx.Done():
		p.Stop()
		return nil, p.errorf("unavailable", "it was not given the time to start", "the %s process did not start in time: %w", spec.Name, ctx.Err())
	}
}

// Stop lets the calls that are under way finish, up to StopLimit, and ends the
// child. It returns when the child is gone; more than once is fine.
func (p *Process) Stop() {
	p.once.Do(func() { close(p.stop) })
	<-p.done
}

// supervise keeps one child running. The parent-death signal follows the thread
// that forked, so the goroutine stays on one thread for the child's whole life.
func (p *Process) supervise(first chan<- error) {
	defer close(p.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	backoff := firstBackoff
	for restarts := 0; ; restarts++ {
		began := time.Now()
		stopped, err := p.runOnce(restarts, func() {
			if first != nil {
				first <- nil
				first = nil
			}
		})
		if stopped || first != nil {
			p.set(Status{State: Stopped, Restarts: restarts, Reason: reason(err)}, nil)
			if first != nil {
				if err == nil {
					err = p.errorf("unavailable", "the program is ending", "the %s process was stopped", p.spec.Name)
				}
				first <- err
			}
			return
		}
		if time.Since(began) >= steadyAfter {
			backoff = firstBackoff
		}
		p.spec.Log.Error("a child process ended and is started again", "child", p.spec.Name, "reason", reason(err), "wait", backoff)
		p.set(Status{State: Down, Restarts: restarts, Reason: reason(err)}, nil)
		select {
		case <-time.After(backoff):
		case <-p.stop:
			p.set(Status{State: Stopped, Restarts: restarts, Reason: reason(err)}, nil)
			return
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimSpace(err.Error())
}

// encodeHeader gives the JSON form of a header; nil has none.
func encodeHeader(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}
