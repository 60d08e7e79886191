// Package actuatetest is the one suite that every actuator passes: what
// gatehouse.Actuator promises, as tests.
package actuatetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/actuate"
)

// Rig is an actuator and the device behind it, in the test's hands.
type Rig struct {
	Actuator actuate.Actuator
	Gate     gatehouse.GateID // one that the actuator has
	// Answer says what the gate's sensor does after each command that follows.
	// Unconfirmed: nothing.
	Answer func(o gatehouse.Outcome, after time.Duration)
	// Commands is how many times the device was told to open.
	Commands func() int
	// Away takes the device off the network, or brings it back.
	Away func(away bool)
}

// slack is what a busy machine may be late.
const slack = 10 * time.Second

// Run tests the actuators that start makes, a fresh one for each test.
func Run(t *testing.T, start func(t *testing.T) Rig) {
	command := func(r Rig) gatehouse.OpenCommand {
		return gatehouse.OpenCommand{Gate: r.Gate, Passage: gatehouse.NewID(time.Now()), Hold: 300 * time.Millisecond, ConfirmWithin: 2 * time.Second}
	}
	for _, want := range []gatehouse.Outcome{gatehouse.Passed, gatehouse.NotPassed} {
		t.Run(string(want), func(t *testing.T) {
			r := start(t)
			r.Answer(want, 50*time.Millisecond)
			begin := time.Now()
			got := Wait(t, open(t, r, context.Background(), command(r)), slack)
			if got.Outcome != want || got.At.Before(begin) || got.At.After(time.Now()) {
				t.Errorf("got %+v, want %s since %s", got, want, begin)
			}
			if r.Commands() != 1 {
				t.Errorf("%d commands for one passage", r.Commands())
			}
		})
	}
	t.Run("silent sensor", func(t *testing.T) {
		r := start(t)
		r.Answer(gatehouse.Unconfirmed, 0)
		c := command(r)
		c.ConfirmWithin = 700 * time.Millisecond
		begin := time.Now()
		got := Wait(t, open(t, r, context.Background(), c), c.ConfirmWithin+slack)
		if d := time.Since(begin); got.Outcome != gatehouse.Unconfirmed || d < c.ConfirmWithin-50*time.Millisecond {
			t.Errorf("got %+v after %s, want unconfirmed after %s", got, d, c.ConfirmWithin)
		}
		if r.Commands() != 1 {
			t.Errorf("%d commands for one passage", r.Commands())
		}
	})
	t.Run("late sensor", func(t *testing.T) {
		r := start(t)
		r.Answer(gatehouse.Passed, time.Second)
		c := command(r)
		c.ConfirmWithin = 400 * time.Millisecond
		if got := Wait(t, open(t, r, context.Background(), c), c.ConfirmWithin+slack); got.Outcome != gatehouse.Unconfirmed {
			t.Errorf("got %+v, want unconfirmed: the sensor was late", got)
		}
	})
	t.Run("same passage again", func(t *testing.T) {
		r := start(t)
		r.Answer(gatehouse.Passed, 300*time.Millisecond)
		c := command(r)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if got := Wait(t, r.Actuator.Open(context.Background(), c), 3*slack); got.Outcome != gatehouse.Passed {
					t.Errorf("a repeated command gives %+v", got)
				}
			})
		}
		wg.Wait()
		if got := Wait(t, r.Actuator.Open(context.Background(), c), slack); got.Outcome != gatehouse.Passed {
			t.Errorf("a command repeated after its confirmation gives %+v", got)
		}
		if r.Commands() != 1 {
			t.Errorf("%d commands for one passage", r.Commands())
		}
	})
	t.Run("passages in turn", func(t *testing.T) {
		r := start(t)
		r.Answer(gatehouse.Passed, 20*time.Millisecond)
		for range 3 {
			if got := Wait(t, open(t, r, context.Background(), command(r)), slack); got.Outcome != gatehouse.Passed {
				t.Errorf("got %+v", got)
			}
		}
		if r.Commands() != 3 {
			t.Errorf("%d commands for three passages", r.Commands())
		}
	})
	t.Run("away", func(t *testing.T) {
		r := start(t)
		r.Answer(gatehouse.Passed, 20*time.Millisecond)
		r.Away(true)
		c := command(r)
		if got := Wait(t, open(t, r, context.Background(), c), c.ConfirmWithin+slack); got.Outcome != gatehouse.Unreachable {
			t.Errorf("got %+v, want unreachable", got)
		}
		before := r.Commands()
		r.Away(false)
		time.Sleep(time.Second)
		if r.Commands() != before {
			t.Error("a command that was reported unreachable opened the gate later")
		}
		// It works again by itself.
		deadline := time.Now().Add(15 * time.Second)
		for {
			got := Wait(t, open(t, r, context.Background(), command(r)), 3*time.Second+slack)
			if got.Outcome == gatehouse.Passed {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("back for 15 s, and still %+v", got)
			}
			time.Sleep(200 * time.Millisecond)
		}
	})
	t.Run("unknown gate", func(t *testing.T) {
		r := start(t)
		c := command(r)
		c.Gate = "no-such-gate"
		if got := Wait(t, open(t, r, context.Background(), c), c.ConfirmWithin+slack); got.Outcome != gatehouse.Unreachable || r.Commands() != 0 {
			t.Errorf("got %+v and %d commands", got, r.Commands())
		}
		if s := r.Actuator.State(c.Gate); s.State != actuate.GateUnknown || s.Gate != c.Gate {
			t.Errorf("state %+v", s)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		r := start(t)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if got := Wait(t, open(t, r, ctx, command(r)), slack); got.Outcome != gatehouse.Unreachable || r.Commands() != 0 {
			t.Errorf("got %+v and %d commands", got, r.Commands())
		}
	})
	t.Run("closed", func(t *testing.T) {
		r := start(t)
		r.Answer(gatehouse.Unconfirmed, 0)
		c := command(r)
		c.ConfirmWithin = time.Minute
		waiting := open(t, r, context.Background(), c)
		for end := time.Now().Add(slack); r.Commands() == 0 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond) // the device's answer, too
		if err := r.Actuator.Close(); err != nil {
			t.Fatal(err)
		}
		if got := Wait(t, waiting, slack); got.Outcome != gatehouse.Unconfirmed {
			t.Errorf("a command under way when the actuator closed gives %+v", got)
		}
		if got := Wait(t, open(t, r, context.Background(), command(r)), slack); got.Outcome != gatehouse.Unreachable {
			t.Errorf("a closed actuator gives %+v", got)
		}
	})
}

// Address is a place on loopback for a device that goes and comes back: a port that the
// system gives to nobody else meanwhile, since it lies below those of outgoing connections.
func Address(t *testing.T) string {
	t.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// open makes sure that Open returns at once.
func open(t *testing.T, r Rig, ctx context.Context, c gatehouse.OpenCommand) <-chan gatehouse.Confirmation {
	t.Helper()
	begin := time.Now()
	ch := r.Actuator.Open(ctx, c)
	if d := time.Since(begin); d > time.Second { // at once, however busy the machine is; confirmations come later
		t.Errorf("Open took %s", d)
	}
	return ch
}

// Wait returns the one confirmation, and makes sure that it is the only one.
func Wait(t *testing.T, ch <-chan gatehouse.Confirmation, within time.Duration) gatehouse.Confirmation {
	t.Helper()
	select {
	case got, ok := <-ch:
		if !ok {
			t.Error("the channel was closed without a confirmation")
		}
		if _, more := <-ch; more {
			t.Error("more than one confirmation")
		}
		return got
	case <-time.After(within):
		t.Errorf("no confirmation within %s", within)
		return gatehouse.Confirmation{}
	}
}
