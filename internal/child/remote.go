package child

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// RemoteSpec says which machine to call and how.
type RemoteSpec struct {
	// Name begins the codes of errors; Called stands in their sentences: "the vault at
	// HOST:PORT".
	Name, Called string
	// Dial connects and makes sure who is at the other end. It is called again after
	// every end of a connection.
	Dial func(ctx context.Context) (net.Conn, error)
	// DialLimit is how long Dial and the first answer may take. 0: ten seconds.
	DialLimit time.Duration
	// CallLimit is how long any call may run before the connection counts as dead,
	// whatever deadline the caller has. 0: one minute.
	CallLimit time.Duration
	// Beat is how often an answer is asked for, so that a machine that went without a
	// word is found out. 0: fifteen seconds.
	Beat time.Duration
	// MaxFrame bounds a message in either direction, in bytes. 0: 64 MiB.
	MaxFrame int
	// OnState, if set, hears of every change, in order, from one goroutine; it must
	// return quickly and must not call Stop.
	OnState func(Status)
	Log     *slog.Logger // nil: slog.Default()
}

// Remote is a connection to another machine that is made again whenever it ends. Its
// methods are safe for concurrent use.
type Remote struct {
	link
	spec   RemoteSpec
	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once
}

// Connect begins to connect and returns at once: a machine that is away must not
// keep its caller from starting.
func Connect(spec RemoteSpec) *Remote {
	for d, fallback := range map[*time.Duration]time.Duration{&spec.DialLimit: 10 * time.Second, &spec.CallLimit: time.Minute, &spec.Beat: 15 * time.Second} {
		if *d <= 0 {
			*d = fallback
		}
	}
	if spec.MaxFrame <= 0 {
		spec.MaxFrame = 64 << 20
	}
	if spec.Log == nil {
		spec.Log = defaultLog()
	}
	r := &Remote{link: newLink(spec.Name, spec.Called, spec.OnState), spec: spec, done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go r.keep()
	return r
}

// Stop ends the connection; calls that are under way fail. It returns when nothing
// of it is left; more than once is fine.
func (r *Remote) Stop() {
	r.once.Do(r.cancel)
	<-r.done
}

// Reconnect ends the connection, if there is one; another is made at once.
func (r *Remote) Reconnect() {
	r.mu.Lock()
	c := r.conn
	r.mu.Unlock()
	if c != nil {
		c.fail(errReconnect)
	}
}

var errReconnect = errors.New("it is connected anew")

// keep keeps one connection. Many gates come back at once when a machine does, so
// each waits a little differently.
func (r *Remote) keep() {
	defer close(r.done)
	backoff, said := firstBackoff, ""
	for restarts := 0; ; restarts++ {
		began := time.Now()
		err := r.connected(restarts)
		if r.ctx.Err() != nil {
			r.set(Status{State: Stopped, Restarts: restarts, Reason: said}, nil)
			return
		}
		if time.Since(began) >= steadyAfter {
			backoff = firstBackoff
		}
		if errors.Is(err, errReconnect) {
			r.set(Status{State: Starting, Restarts: restarts}, nil)
			continue
		}
		if why := reason(err); why != said { // a machine that stays away is said once
			r.spec.Log.Warn("there is no connection to another machine; it is tried again and again", "machine", r.called, "reason", why)
			said = why
		}
		r.set(Status{State: Down, Restarts: restarts, Reason: said}, nil)
		select {
		case <-time.After(backoff/2 + rand.N(backoff)):
		case <-r.ctx.Done():
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// connected dials and returns when the connection has ended, saying why.
func (r *Remote) connected(restarts int) error {
	ctx, cancel := context.WithTimeout(r.ctx, r.spec.DialLimit)
	defer cancel()
	sock, err := r.spec.Dial(ctx)
	if err != nil {
		return err
	}
	defer sock.Close()
	c := newConn(r.name, r.called, r.spec.MaxFrame, r.spec.CallLimit, sock)
	defer c.fail(errStopped)
	if _, err := c.call(ctx, readyMethod, nil, nil, nil); err != nil {
		if broken := c.failure(); broken != nil {
			err = broken
		}
		return err
	}
	r.set(Status{State: Up, Restarts: restarts, Reason: r.Status().Reason}, c)
	r.spec.Log.Info("connected to another machine", "machine", r.called)
	beat := time.NewTicker(r.spec.Beat)
	defer beat.Stop()
	for {
		select {
		case <-c.broken:
			return c.failure()
		case <-r.ctx.Done():
			return r.ctx.Err()
		case <-beat.C:
			if err := r.listen(c); err != nil {
				return err
			}
		}
	}
}

// listen asks for a sign of life.
func (r *Remote) listen(c *conn) error {
	ctx, cancel := context.WithTimeout(r.ctx, r.spec.Beat)
	defer cancel()
	_, err := c.call(ctx, readyMethod, nil, nil, nil)
	if err == nil {
		return nil
	}
	if broken := c.failure(); broken != nil {
		return broken
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("it gave no sign of life")
	}
	c.fail(err)
	return err
}
