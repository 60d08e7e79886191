package passage

import (
	"context"
	"strings"
	"time"

	"gatehouse"
)

// owed is a passage that happened while it could not be recorded. It is written
// when that works again, without its pictures.
type owed struct {
	arrival  arrival
	decision gatehouse.Decision
}

// owedMost bounds the memory that a long outage takes.
const owedMost = 1000

// unrecorded deals with a passage that could not be committed. The site's policy
// for the gate decides: fail secure keeps it shut, fail safe opens it for whoever
// would have been let in. Either way people are told at once, and the passage is
// recorded with this reason as soon as that works again.
func (f *Flow) unrecorded(ctx context.Context, a arrival, p gatehouse.Passage, cause error, undo func()) (*gatehouse.Passage, error) {
	wasGranted := p.Decision.Grant
	p.Decision = gatehouse.Decision{Grant: wasGranted && a.gate.Policy.FailSafe, Reason: reasonFor(cause), Rule: "failure policy at " + string(a.gate.ID)}
	f.Log.Error("a passage could not be recorded", "gate", a.gate.ID, "reason", p.Decision.Reason, "code", gatehouse.ErrorCode(cause), "opened", p.Decision.Grant)
	f.Feed.Unrecorded(p, cause)
	if !p.Decision.Grant {
		undo()
	}
	a.pictures, a.late, a.id = nil, true, p.ID
	f.owe(ctx, owed{a, p.Decision})
	if p.Decision.Grant {
		if actuator := f.Actuator(a.gate.ID); actuator != nil {
			actuator.Open(context.WithoutCancel(ctx), gatehouse.OpenCommand{Gate: a.gate.ID, Passage: p.ID, Hold: a.gate.Policy.Hold, ConfirmWithin: a.gate.Policy.ConfirmWithin})
		}
	}
	return &p, gatehouse.Errorf("passage.unrecorded", "see the disk and the vault; the passage is recorded when they work again", "the passage at %s could not be recorded: %w", a.gate.ID, cause)
}

func reasonFor(err error) gatehouse.Reason {
	code := gatehouse.ErrorCode(err)
	switch {
	case code == "store.full":
		return gatehouse.StorageFull
	case strings.HasPrefix(code, "sealing."), strings.HasPrefix(code, "vault."):
		return gatehouse.SealingFailed
	}
	return gatehouse.StorageFailed
}

// owe remembers what is to be recorded later and sees to it that somebody does.
func (f *Flow) owe(ctx context.Context, o owed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.owed) >= owedMost {
		f.Log.Error("a passage will not be recorded: too many are waiting", "gate", o.arrival.gate.ID, "waiting", owedMost)
		return
	}
	f.owed = append(f.owed, o)
	if !f.settling {
		f.settling = true
		f.after.Go(func() { f.settle(ctx) })
	}
}

// settle writes what is owed, oldest first, until nothing is left or the flow closes.
func (f *Flow) settle(ctx context.Context) {
	for pause := time.Second; ; pause = min(2*pause, 5*time.Second) {
		select {
		case <-f.closing:
			return
		case <-time.After(pause):
		}
		for {
			f.mu.Lock()
			if len(f.owed) == 0 {
				f.settling = false
				f.mu.Unlock()
				return
			}
			next := f.owed[0]
			f.mu.Unlock()
			p, err := f.commit(ctx, next.arrival, next.decision)
			if err != nil {
				break
			}
			f.Feed.Committed(p, nil)
			f.mu.Lock()
			f.owed = f.owed[1:]
			f.mu.Unlock()
		}
	}
}
