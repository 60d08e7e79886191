// Package actuate opens gates. Its folders are the ways to do that: a simulated
// gate, a relay that is asked over HTTP, and one that listens to an MQTT broker.
// This package holds what they share: one command for one passage, whoever asks.
package actuate

import (
	"context"
	"sync"
	"time"

	"gatehouse"
)

// Actuator is a gatehouse.Actuator that also knows how its gates are.
type Actuator interface {
	gatehouse.Actuator
	// State is what is known of a gate; its State is unknown for a gate that this
	// actuator does not have, and its Camera is left empty.
	State(gate gatehouse.GateID) gatehouse.GateState
	// Close ends what is under way: every channel yields its Confirmation.
	Close() error
}

// The states of a gate.
const (
	GateOpen    = "open"
	GateClosed  = "closed"
	GateFault   = "fault"
	GateUnknown = "unknown"
)

// DefaultConfirm is how long a sensor may take where a command does not say.
const DefaultConfirm = 10 * time.Second

// remembered is how long a passage's confirmation is kept to answer the same
// command again. Nobody asks after that: a decision is minutes old at most.
const remembered = time.Hour

// Desk sees to it that a passage opens its gate once. The zero value is ready; it
// is safe for concurrent use.
type Desk struct {
	mu     sync.Mutex
	orders map[gatehouse.ID]*order
	pruned time.Time
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	closed bool
}

type order struct {
	made time.Time
	done chan struct{}
	what gatehouse.Confirmation
}

// Open runs f once for the command's passage and returns a channel that yields its
// result and is closed then. A second command for the same passage runs nothing and
// yields the same result. The context that f gets ends with the first command's,
// and with the desk; c.ConfirmWithin is set.
func (d *Desk) Open(ctx context.Context, c gatehouse.OpenCommand, f func(ctx context.Context, c gatehouse.OpenCommand) gatehouse.Confirmation) <-chan gatehouse.Confirmation {
	if c.ConfirmWithin <= 0 {
		c.ConfirmWithin = DefaultConfirm
	}
	out := make(chan gatehouse.Confirmation, 1)
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	if d.closed {
		out <- gatehouse.Confirmation{Outcome: gatehouse.Unreachable, At: now}
		close(out)
		return out
	}
	d.prune(now)
	o := d.orders[c.Passage]
	if o == nil {
		o = &order{made: now, done: make(chan struct{})}
		d.orders[c.Passage] = o
		ctx, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(d.ctx, cancel)
		d.work.Go(func() {
			defer cancel()
			defer stop()
			o.what = f(ctx, c)
			if o.what.At.IsZero() {
				o.what.At = time.Now()
			}
			close(o.done)
		})
	}
	d.work.Go(func() {
		<-o.done
		out <- o.what
		close(out)
	})
	return out
}

// Close ends every command under way and waits for that.
func (d *Desk) Close() {
	d.mu.Lock()
	d.init()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.work.Wait()
}

func (d *Desk) init() {
	if d.orders == nil {
		d.orders = map[gatehouse.ID]*order{}
		d.ctx, d.cancel = context.WithCancel(context.Background())
	}
}

// prune forgets old passages, at most once a minute.
func (d *Desk) prune(now time.Time) {
	if now.Sub(d.pruned) < time.Minute {
		return
	}
	d.pruned = now
	for id, o := range d.orders {
		if now.Sub(o.made) > remembered {
			delete(d.orders, id)
		}
	}
}

// States keeps what is known of gates. The zero value is ready; it is safe for
// concurrent use.
type States struct {
	mu    sync.Mutex
	gates map[gatehouse.GateID]gatehouse.GateState
}

// Set notes a gate's state at the moment now.
func (s *States) Set(gate gatehouse.GateID, state string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates == nil {
		s.gates = map[gatehouse.GateID]gatehouse.GateState{}
	}
	if s.gates[gate].State != state {
		s.gates[gate] = gatehouse.GateState{Gate: gate, State: state, Since: now}
	}
}

// Get returns a gate's state, unknown for a gate that none was set for.
func (s *States) Get(gate gatehouse.GateID) gatehouse.GateState {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.gates[gate]; ok {
		return g
	}
	return gatehouse.GateState{Gate: gate, State: GateUnknown}
}

// Signal is what a gate's sensor said.
type Signal struct {
	Passage gatehouse.ID      // zero where the sensor does not know it
	Outcome gatehouse.Outcome // Passed, NotPassed or Tailgated
	At      time.Time
}

// Sensors hands signals to the commands that wait for them. The zero value is
// ready; it is safe for concurrent use.
type Sensors struct {
	mu      sync.Mutex
	waiting map[gatehouse.GateID][]*Wait
}

// Wait is one command that waits for its gate's sensor.
type Wait struct {
	C       chan Signal // yields at most one signal
	passage gatehouse.ID
}

// Expect registers a command. It must be called before the command is sent, since
// a sensor may be faster than the relay's acknowledgement; done must be called.
func (s *Sensors) Expect(c gatehouse.OpenCommand) (w *Wait, done func()) {
	w = &Wait{C: make(chan Signal, 1), passage: c.Passage}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = map[gatehouse.GateID][]*Wait{}
	}
	s.waiting[c.Gate] = append(s.waiting[c.Gate], w)
	return w, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.remove(c.Gate, w)
	}
}

// Sense gives a signal to the command of its passage, or to the gate's oldest where
// the signal names none. false: nobody waits for it.
func (s *Sensors) Sense(gate gatehouse.GateID, g Signal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.waiting[gate] {
		if g.Passage.IsZero() || g.Passage == w.passage {
			w.C <- g
			s.remove(gate, w)
			return true
		}
	}
	return false
}

func (s *Sensors) remove(gate gatehouse.GateID, w *Wait) {
	left := s.waiting[gate]
	for i := range left {
		if left[i] == w {
			s.waiting[gate] = append(left[:i:i], left[i+1:]...)
			break
		}
	}
	if len(s.waiting[gate]) == 0 {
		delete(s.waiting, gate)
	}
}
