// Package httprelay opens gates through relays that are asked over HTTP, such as
// Shelly and ESPHome ones.
package httprelay

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/actuate"
)

// Relays is an actuator over HTTP relays.
type Relays struct {
	gates   map[gatehouse.GateID]Gate
	client  *http.Client
	desk    actuate.Desk
	states  actuate.States
	sensors actuate.Sensors

	stop   context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex
	urgent map[gatehouse.GateID]int // commands that wait, so that polling is quick
	wake   map[gatehouse.GateID]chan struct{}
}

var _ actuate.Actuator = (*Relays)(nil)

// New checks the configuration and begins to ask the gates that have a Status how
// they are. Errors: relay.bad_address.
func New(c Config) (*Relays, error) {
	r := &Relays{gates: map[gatehouse.GateID]Gate{}, urgent: map[gatehouse.GateID]int{}, wake: map[gatehouse.GateID]chan struct{}{}}
	for id, g := range c.Gates {
		if err := g.Open.check(); err != nil {
			return nil, err
		}
		if g.Status.URL != "" {
			if err := g.Status.check(); err != nil {
				return nil, err
			}
		}
		g.defaults()
		r.gates[id] = g
		r.wake[id] = make(chan struct{}, 1)
	}
	r.client = &http.Client{
		// On a kept connection that breaks, net/http sends a GET, or whatever has an
		// Idempotency-Key, a second time by itself: a second pulse.
		Transport: &http.Transport{TLSClientConfig: c.TLS, DisableKeepAlives: true, DisableCompression: true},
		// Following a redirect would hand the credentials, and the command, to whoever
		// the relay names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	for id, g := range r.gates {
		if g.Status.URL != "" {
			r.work.Go(func() { r.watch(ctx, id, g) })
		}
	}
	return r, nil
}

// Open asks the relay to open; see gatehouse.Actuator.
func (r *Relays) Open(ctx context.Context, c gatehouse.OpenCommand) <-chan gatehouse.Confirmation {
	return r.desk.Open(ctx, c, r.open)
}

// State is what the last answer of the gate's status said; fault where it cannot
// be asked.
func (r *Relays) State(gate gatehouse.GateID) gatehouse.GateState { return r.states.Get(gate) }

// Sense tells what a gate's sensor said, for relays that call back instead of
// being asked. A zero passage means the gate's oldest that waits. false: none does.
func (r *Relays) Sense(gate gatehouse.GateID, s actuate.Signal) bool {
	if s.Outcome != gatehouse.Passed && s.Outcome != gatehouse.NotPassed && s.Outcome != gatehouse.Tailgated {
		return false
	}
	if s.At.IsZero() {
		s.At = time.Now()
	}
	return r.sensors.Sense(gate, s)
}

// Close ends what is under way.
func (r *Relays) Close() error {
	r.desk.Close()
	r.stop()
	r.work.Wait()
	r.client.CloseIdleConnections()
	return nil
}

func (r *Relays) open(ctx context.Context, c gatehouse.OpenCommand) gatehouse.Confirmation {
	gate, ok := r.gates[c.Gate]
	if !ok {
		return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
	}
	wait, done := r.sensors.Expect(c)
	defer done()
	r.hurry(c.Gate, 1)
	defer r.hurry(c.Gate, -1)
	if err := r.deliver(ctx, gate, c); err != nil {
		slog.Warn("a relay did not take a command", "gate", c.Gate, "passage", c.Passage, "code", gatehouse.ErrorCode(err), "error", err)
		return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
	}
	t := time.NewTimer(c.ConfirmWithin)
	defer t.Stop()
	select {
	case s := <-wait.C:
		return gatehouse.Confirmation{Outcome: s.Outcome, At: s.At}
	case <-t.C:
	case <-ctx.Done():
	}
	return gatehouse.Confirmation{Outcome: gatehouse.Unconfirmed}
}

// deliver sends the command, again where that is safe, until ConfirmWithin is over.
// Errors: relay.unreachable, relay.refused, relay.bad_address.
func (r *Relays) deliver(ctx context.Context, g Gate, c gatehouse.OpenCommand) error {
	ctx, cancel := context.WithTimeout(ctx, c.ConfirmWithin)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		safe, err := r.send(ctx, g, c)
		if err == nil || !safe {
			return err
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}

// send makes one request; again says that another may follow.
func (r *Relays) send(ctx context.Context, g Gate, c gatehouse.OpenCommand) (again bool, err error) {
	req, err := g.Open.build(c)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	resp, err := r.client.Do(req.WithContext(ctx))
	if err != nil {
		// The error of net/http quotes the address, and with it perhaps a key.
		var op *net.OpError
		unsent := errors.As(err, &op) && op.Op == "dial"
		return unsent || g.Repeatable, gatehouse.Errorf("relay.unreachable", "check the relay's power, network and address", "a relay cannot be reached")
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode/100 != 2 {
		return g.Repeatable && (resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests),
			gatehouse.Errorf("relay.refused", "check the relay's address and credentials", "a relay answered with status %d", resp.StatusCode)
	}
	return false, nil
}

// hurry counts the commands of a gate that wait for its sensor.
func (r *Relays) hurry(gate gatehouse.GateID, n int) {
	r.mu.Lock()
	r.urgent[gate] += n
	r.mu.Unlock()
	select {
	case r.wake[gate] <- struct{}{}:
	default:
	}
}

// watch asks one gate how it is, quickly while a command waits. Only a change of
// the value is a signal, so that what was true before a command confirms nothing.
func (r *Relays) watch(ctx context.Context, id gatehouse.GateID, g Gate) {
	last, known := "", false
	for {
		v, err := r.ask(ctx, g)
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			known = false
			r.states.Set(id, actuate.GateFault, now)
		default:
			if known && v != last && v != "" {
				switch v {
				case g.Status.Passed:
					r.sensors.Sense(id, actuate.Signal{Outcome: gatehouse.Passed, At: now})
				case g.Status.Tailgated:
					r.sensors.Sense(id, actuate.Signal{Outcome: gatehouse.Tailgated, At: now})
				case g.Status.NotPassed:
					r.sensors.Sense(id, actuate.Signal{Outcome: gatehouse.NotPassed, At: now})
				}
			}
			last, known = v, true
			switch {
			case v == g.Status.Opened && v != "":
				r.states.Set(id, actuate.GateOpen, now)
			case v == g.Status.Closed && v != "":
				r.states.Set(id, actuate.GateClosed, now)
			default:
				r.states.Set(id, actuate.GateUnknown, now)
			}
		}
		r.mu.Lock()
		pause := g.Status.Idle
		if r.urgent[id] > 0 {
			pause = g.Status.Every
		}
		r.mu.Unlock()
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-r.wake[id]:
			t.Stop()
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

func (r *Relays) ask(ctx context.Context, g Gate) (string, error) {
	req, err := g.Status.build(gatehouse.OpenCommand{})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	resp, err := r.client.Do(req.WithContext(ctx))
	if err != nil {
		return "", gatehouse.Errorf("relay.unreachable", "check the relay's power, network and address", "a relay cannot be reached")
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return "", gatehouse.Errorf("relay.refused", "check the status address and credentials", "a relay answered with status %d", resp.StatusCode)
	}
	return value(resp.Body, g.Status.Field)
}
