package gatehouse

import (
	"context"
	"time"
)

// OpenCommand tells a gate to open.
type OpenCommand struct {
	Gate    GateID
	Passage ID
	Hold    time.Duration // how long it stays open
	// ConfirmWithin is how long to wait for the sensor.
	ConfirmWithin time.Duration
}

// Confirmation is what the gate's sensor said, or that it did not.
type Confirmation struct {
	Outcome Outcome // Passed, NotPassed, Tailgated, Unconfirmed or Unreachable
	At      time.Time
}

// Actuator opens a gate and waits for its sensor.
type Actuator interface {
	// Open sends the command and returns at once with a channel that yields exactly
	// one Confirmation, at the latest ConfirmWithin after the command was
	// delivered (Unconfirmed) or could not be (Unreachable), and is closed then. It
	// MUST be safe for concurrent use and MUST NOT open twice for one passage id.
	Open(ctx context.Context, c OpenCommand) <-chan Confirmation
}

// GateState is what a gate reports of itself.
type GateState struct {
	Gate   GateID
	State  string // open, closed, fault, unknown
	Camera string // ok, stalled, down, none
	Since  time.Time
}
