package passage

import (
	"context"
	"time"

	"gatehouse"
)

// actuate opens the gate of a granted passage and waits for the sensor in the
// background.
func (f *Flow) actuate(ctx context.Context, g gatehouse.Gate, p gatehouse.Passage) {
	actuator := f.Actuator(g.ID)
	if actuator == nil {
		return
	}
	ctx = context.WithoutCancel(ctx) // a client that hangs up does not shut the door
	confirmed := actuator.Open(ctx, gatehouse.OpenCommand{Gate: g.ID, Passage: p.ID, Hold: g.Policy.Hold, ConfirmWithin: g.Policy.ConfirmWithin})
	f.after.Go(func() {
		c, ok := <-confirmed
		if !ok {
			c = gatehouse.Confirmation{Outcome: gatehouse.Unconfirmed, At: f.Now()}
		}
		f.confirm(ctx, p, c)
	})
}

// confirm records what the sensor said. The gate is open already, so a store that
// fails is tried again a few times and then left pending, which is the truth.
func (f *Flow) confirm(ctx context.Context, p gatehouse.Passage, c gatehouse.Confirmation) {
	o := gatehouse.PassageOutcome{Place: p.Place, ID: p.ID, Outcome: c.Outcome, At: c.At}
	o.Leaf = gatehouse.OutcomeLeaf(o)
	var err error
	for _, pause := range []time.Duration{0, 100 * time.Millisecond, time.Second, 5 * time.Second} {
		time.Sleep(pause)
		if err = f.Store.CommitOutcome(ctx, o); err == nil {
			p.Outcome, p.OutcomeAt = o.Outcome, o.At
			f.Feed.Changed(p)
			return
		}
	}
	f.Log.Error("an outcome could not be recorded", "passage", p.ID, "code", gatehouse.ErrorCode(err))
}
