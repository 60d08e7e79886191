// Package mqtt opens gates through an MQTT broker.
//
// A command must never reach a gate late. So there is no queue: a command is sent
// on the connection that stands at that moment or not at all; the session is clean,
// so the broker keeps nothing for us; each connection has a client of its own, so
// nothing unacknowledged is sent again after a reconnect; and a connection on which
// a command was not acknowledged in time is reset with what is still in its buffers.
package mqtt

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/actuate"
)

// Back-off between two connections.
const (
	backoffMin = 500 * time.Millisecond
	backoffMax = 30 * time.Second
)

// Broker is an actuator over an MQTT broker.
type Broker struct {
	cfg     Config
	desk    actuate.Desk
	states  actuate.States
	sensors actuate.Sensors
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	link    *link                       // nil while there is no connection
	changed chan struct{}               // closed when link does
	online  map[gatehouse.GateID]bool   // of the gates with an availability topic
	said    map[gatehouse.GateID]string // what the state topic said last
	odd     uint64
}

var _ actuate.Actuator = (*Broker)(nil)

// New checks the configuration and begins to connect. A broker that is away is no
// error: it is tried again, and gates are unreachable until then. Errors:
// mqtt.bad_address, mqtt.bad_topic.
func New(c Config) (*Broker, error) {
	c.Gates = maps.Clone(c.Gates)
	if err := c.check(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Broker{cfg: c, stop: stop, online: map[gatehouse.GateID]bool{}, said: map[gatehouse.GateID]string{}, changed: make(chan struct{})}
	b.work.Go(func() { b.run(ctx) })
	return b, nil
}

// Open tells the gate to open; see gatehouse.Actuator. A command that the broker
// did not accept within Config.Deliver is Unreachable.
func (b *Broker) Open(ctx context.Context, c gatehouse.OpenCommand) <-chan gatehouse.Confirmation {
	return b.desk.Open(ctx, c, b.open)
}

// State is what the gate's state topic says; fault while the broker or the device
// is away.
func (b *Broker) State(gate gatehouse.GateID) gatehouse.GateState { return b.states.Get(gate) }

// Connected says whether the broker is there.
func (b *Broker) Connected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.link != nil
}

// Ignored counts the messages that were no signal: malformed, late, or nobody's.
func (b *Broker) Ignored() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.odd
}

// Close ends what is under way and says offline.
func (b *Broker) Close() error {
	b.desk.Close()
	b.stop()
	b.work.Wait()
	return nil
}

func (b *Broker) open(ctx context.Context, c gatehouse.OpenCommand) gatehouse.Confirmation {
	topics, ok := b.cfg.Gates[c.Gate]
	if !ok || ctx.Err() != nil {
		return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
	}
	wait, done := b.sensors.Expect(c)
	defer done()
	within := min(b.cfg.Deliver, c.ConfirmWithin)
	deliver, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	l := b.ready(deliver, c.Gate)
	if l == nil {
		slog.Warn("a gate is unreachable", "gate", c.Gate, "passage", c.Passage, "code", "mqtt.unreachable")
		return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
	}
	expires, _ := deliver.Deadline()
	acked := l.publish(topics.Command, command(topics.Payload, c, expires))
	// The sensor may be faster than the broker's acknowledgement, and says more.
	select {
	case s := <-wait.C:
		return confirmed(s)
	case err := <-acked:
		if err != nil {
			b.fail(l, c, err)
			return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
		}
	case <-deliver.Done():
		// Whether the command still lies here or at the broker is not known; what lies
		// here must not go out later.
		b.fail(l, c, deliver.Err())
		return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
	}
	t := time.NewTimer(c.ConfirmWithin)
	defer t.Stop()
	select {
	case s := <-wait.C:
		return confirmed(s)
	case <-t.C:
	case <-ctx.Done():
	}
	return gatehouse.Confirmation{Outcome: gatehouse.Unconfirmed}
}

func confirmed(s actuate.Signal) gatehouse.Confirmation {
	return gatehouse.Confirmation{Outcome: s.Outcome, At: s.At}
}

func (b *Broker) fail(l *link, c gatehouse.OpenCommand, err error) {
	slog.Warn("the broker did not take a command", "gate", c.Gate, "passage", c.Passage, "code", "mqtt.unreachable", "error", err)
	l.reset()
}

// ready waits for a connection on which the gate can be told, nil where ctx ends
// first.
func (b *Broker) ready(ctx context.Context, gate gatehouse.GateID) *link {
	for {
		b.mu.Lock()
		l, changed := b.link, b.changed
		there := b.cfg.Gates[gate].Availability == "" || b.online[gate]
		b.mu.Unlock()
		if l != nil && there {
			return l
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// set notes the connection, nil for none, and wakes who waits for one.
func (b *Broker) set(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.link = l
	if l == nil { // what is retained comes again with the next connection
		clear(b.online)
		clear(b.said)
	}
	b.wake()
	for gate := range b.cfg.Gates {
		b.refresh(gate, time.Now())
	}
}

// refresh works a gate's state out; it must be called under mu.
func (b *Broker) refresh(gate gatehouse.GateID, now time.Time) {
	state := b.said[gate]
	switch {
	case b.link == nil || (b.cfg.Gates[gate].Availability != "" && !b.online[gate]):
		state = actuate.GateFault
	case state == "":
		state = actuate.GateUnknown
	}
	b.states.Set(gate, state, now)
}

// wake must be called under mu.
func (b *Broker) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// run keeps a connection until ctx ends.
func (b *Broker) run(ctx context.Context) {
	b.set(nil)
	for wait := backoffMin; ; wait = min(2*wait, backoffMax) {
		l, err := dial(ctx, b.cfg, b.topics(), b.receive)
		if err == nil {
			began := time.Now()
			b.set(l)
			select {
			case <-l.lost:
			case <-ctx.Done():
				b.set(nil)
				l.close()
				return
			}
			b.set(nil)
			l.reset()
			if time.Since(began) > backoffMax {
				wait = backoffMin
			}
			err = gatehouse.Errorf("mqtt.lost", "it is being connected to again", "the connection to the broker was lost")
		}
		if ctx.Err() != nil {
			return
		}
		slog.Warn("the MQTT broker is away", "code", gatehouse.ErrorCode(err), "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// topics are those to listen to, each once.
func (b *Broker) topics() []string {
	var all []string
	for _, t := range b.cfg.Gates {
		for _, topic := range []string{t.Sensor, t.State, t.Availability} {
			if topic != "" {
				all = append(all, topic)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// receive takes one message. Several gates may share a topic.
func (b *Broker) receive(topic string, payload []byte, retained bool) {
	now := time.Now()
	used := false
	for gate, t := range b.cfg.Gates {
		if topic == t.State && topic != "" {
			used = true
			b.note(gate, now, func() { b.said[gate] = parseState(payload) })
		}
		if topic == t.Availability && topic != "" {
			used = true
			b.note(gate, now, func() { b.online[gate] = parseOnline(payload) })
		}
		// A retained message is from before, and confirms nothing.
		if topic == t.Sensor && topic != "" && !retained {
			if s, ok := parseSignal(payload); ok {
				s.At = now
				used = b.sensors.Sense(gate, s) || used
			}
		}
	}
	if !used {
		b.mu.Lock()
		b.odd++
		b.mu.Unlock()
	}
}

func (b *Broker) note(gate gatehouse.GateID, now time.Time, f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.refresh(gate, now)
	b.wake()
}
