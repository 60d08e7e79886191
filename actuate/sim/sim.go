// Package sim is a gate that exists in memory only, for the demo and for tests. It
// opens, and after a while somebody has passed or has not.
package sim

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/actuate"
)

// Step is what a simulated gate does after one command.
type Step struct {
	// Outcome is Passed or NotPassed; Unconfirmed for a sensor that stays silent,
	// Unreachable for a gate that the command does not reach.
	Outcome gatehouse.Outcome
	// After is when the sensor says so, from the command on. What is later than the
	// command's ConfirmWithin is Unconfirmed.
	After time.Duration
}

// Config says how the gates behave. The zero value passes everybody after a second
// or two.
type Config struct {
	Gates []gatehouse.GateID // that exist; nil: every gate does
	// NotPassed, Silent and Away are the shares (0..1) of commands after which nobody
	// passes, the sensor stays silent, or the gate is not reached.
	NotPassed, Silent, Away float64
	// PassMin and PassMax bound the time until somebody passes; 0: 0.8 s and 2 s.
	PassMin, PassMax time.Duration
	Seed             uint64 // of the randomness: the same seed behaves the same
	// Script, where set, decides instead.
	Script func(gatehouse.OpenCommand) Step
}

// Gates is an actuator over simulated gates.
type Gates struct {
	cfg    Config
	gates  map[gatehouse.GateID]bool
	desk   actuate.Desk
	states actuate.States

	mu   sync.Mutex
	rand *rand.Rand
	held map[gatehouse.GateID]int // how many commands hold a gate open
}

var _ actuate.Actuator = (*Gates)(nil)

// New makes closed gates.
func New(c Config) *Gates {
	if c.PassMax <= 0 {
		c.PassMin, c.PassMax = 800*time.Millisecond, 2*time.Second
	}
	c.PassMin = min(c.PassMin, c.PassMax)
	g := &Gates{cfg: c, rand: rand.New(rand.NewPCG(c.Seed, 1)), gates: map[gatehouse.GateID]bool{}, held: map[gatehouse.GateID]int{}}
	for _, id := range c.Gates {
		g.gates[id] = true
		g.states.Set(id, actuate.GateClosed, time.Now())
	}
	return g
}

// Open opens a gate; see gatehouse.Actuator. It shuts when its Hold is over, or
// when somebody has passed.
func (g *Gates) Open(ctx context.Context, c gatehouse.OpenCommand) <-chan gatehouse.Confirmation {
	return g.desk.Open(ctx, c, g.open)
}

// State is open or closed; unknown for a gate that does not exist.
func (g *Gates) State(gate gatehouse.GateID) gatehouse.GateState { return g.states.Get(gate) }

// Close ends what is under way.
func (g *Gates) Close() error { g.desk.Close(); return nil }

func (g *Gates) open(ctx context.Context, c gatehouse.OpenCommand) gatehouse.Confirmation {
	if ctx.Err() != nil {
		return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
	}
	s := g.step(c)
	if s.Outcome == gatehouse.Unreachable {
		return gatehouse.Confirmation{Outcome: gatehouse.Unreachable}
	}
	g.hold(c.Gate, 1)
	shut := time.AfterFunc(max(c.Hold, 0), func() { g.hold(c.Gate, -1) })
	wait, outcome := s.After, s.Outcome
	if wait > c.ConfirmWithin || outcome == gatehouse.Unconfirmed {
		wait, outcome = c.ConfirmWithin, gatehouse.Unconfirmed
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		outcome = gatehouse.Unconfirmed
	}
	if outcome == gatehouse.Passed && shut.Stop() {
		g.hold(c.Gate, -1)
	}
	return gatehouse.Confirmation{Outcome: outcome}
}

// hold counts the commands that keep a gate open.
func (g *Gates) hold(gate gatehouse.GateID, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held[gate] += n
	state := actuate.GateClosed
	if g.held[gate] > 0 {
		state = actuate.GateOpen
	}
	g.states.Set(gate, state, time.Now())
}

func (g *Gates) step(c gatehouse.OpenCommand) Step {
	if len(g.gates) > 0 && !g.gates[c.Gate] {
		return Step{Outcome: gatehouse.Unreachable}
	}
	if g.cfg.Script != nil {
		return g.cfg.Script(c)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	after := g.cfg.PassMin + time.Duration(g.rand.Float64()*float64(g.cfg.PassMax-g.cfg.PassMin))
	switch p := g.rand.Float64(); {
	case p < g.cfg.Away:
		return Step{Outcome: gatehouse.Unreachable}
	case p < g.cfg.Away+g.cfg.Silent:
		return Step{Outcome: gatehouse.Unconfirmed}
	case p < g.cfg.Away+g.cfg.Silent+g.cfg.NotPassed:
		// The gate notices when it shuts again.
		return Step{Outcome: gatehouse.NotPassed, After: max(c.Hold, after)}
	}
	return Step{Outcome: gatehouse.Passed, After: after}
}
