package sim

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
	"gatehouse/actuate"
	"gatehouse/actuate/actuatetest"
)

func TestActuator(t *testing.T) {
	actuatetest.Run(t, func(t *testing.T) actuatetest.Rig {
		var mu sync.Mutex
		var step Step
		var away bool
		var commands atomic.Int32
		g := New(Config{Gates: []gatehouse.GateID{"door"}, Script: func(gatehouse.OpenCommand) Step {
			mu.Lock()
			defer mu.Unlock()
			if away {
				return Step{Outcome: gatehouse.Unreachable}
			}
			commands.Add(1)
			return step
		}})
		t.Cleanup(func() { _ = g.Close() })
		return actuatetest.Rig{
			Actuator: g, Gate: "door",
			Answer:   func(o gatehouse.Outcome, after time.Duration) { mu.Lock(); defer mu.Unlock(); step = Step{o, after} },
			Commands: func() int { return int(commands.Load()) },
			Away:     func(b bool) { mu.Lock(); defer mu.Unlock(); away = b },
		}
	})
}

func TestStateFollowsHold(t *testing.T) { synctest.Test(t, testStateFollowsHold) }

func testStateFollowsHold(t *testing.T) {
	g := New(Config{Gates: []gatehouse.GateID{"door"}, Script: func(gatehouse.OpenCommand) Step {
		return Step{Outcome: gatehouse.NotPassed, After: 20 * time.Millisecond}
	}})
	defer g.Close()
	is := func(want string) {
		t.Helper()
		for range 100 {
			if g.State("door").State == want {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("state %+v, want %s", g.State("door"), want)
	}
	is(actuate.GateClosed)
	c := gatehouse.OpenCommand{Gate: "door", Passage: gatehouse.RandomID(), Hold: 400 * time.Millisecond, ConfirmWithin: time.Second}
	first := g.Open(context.Background(), c)
	is(actuate.GateOpen)
	<-first
	if g.State("door").State != actuate.GateOpen {
		t.Error("the gate shut before its hold was over, and nobody had passed")
	}
	is(actuate.GateClosed)
}

// TestShares checks the random behaviour against what was asked for.
func TestShares(t *testing.T) { synctest.Test(t, testShares) } // or a busy machine makes some late

func testShares(t *testing.T) {
	g := New(Config{NotPassed: 0.2, Silent: 0.1, Away: 0.1, PassMin: time.Millisecond, PassMax: 2 * time.Millisecond, Seed: 7})
	defer g.Close()
	const n = 1000
	var got []<-chan gatehouse.Confirmation
	for range n {
		got = append(got, g.Open(context.Background(), gatehouse.OpenCommand{Gate: "any", Passage: gatehouse.RandomID(), ConfirmWithin: 100 * time.Millisecond}))
	}
	count := map[gatehouse.Outcome]int{}
	for _, ch := range got {
		count[(<-ch).Outcome]++
	}
	// Three standard deviations of 1000 draws are at most 4.7 %.
	for outcome, share := range map[gatehouse.Outcome]float64{gatehouse.Passed: 0.6, gatehouse.NotPassed: 0.2, gatehouse.Unconfirmed: 0.1, gatehouse.Unreachable: 0.1} {
		if d := float64(count[outcome])/n - share; d < -0.05 || d > 0.05 {
			t.Errorf("%d of %d %s, want %.0f %%", count[outcome], n, outcome, 100*share)
		}
	}
}
