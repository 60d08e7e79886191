package passage

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/access"
)

// waiter is an arrival that was recognized and still owes a second factor. It
// becomes one passage: granted when the other credential comes, denied when it
// does not.
type waiter struct {
	arrival  arrival
	decision gatehouse.Decision
	lapse    *time.Timer
}

// wait holds the arrival until its second factor comes or the time is over. It
// returns false where the gate does not wait.
func (f *Flow) wait(ctx context.Context, a arrival, d gatehouse.Decision) bool {
	patience := a.gate.Policy.SecondFactorWithin
	if patience <= 0 {
		return false
	}
	key := at{a.gate.ID, a.reading.Subject}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.waiting[key]; ok {
		return true // the same person, seen again: one passage
	}
	w := &waiter{arrival: a, decision: d}
	ctx = context.WithoutCancel(ctx) // the capture's request may be over by then
	f.after.Add(1)
	w.lapse = time.AfterFunc(patience, func() {
		defer f.after.Done()
		if f.remove(key, w) {
			_, _ = f.finish(ctx, w.arrival, w.decision)
		}
	})
	f.waiting[key] = w
	return true
}

// join brings an arrival together with another credential of the same subject
// that waits at the gate, and decides again. A face leads, since it has pictures;
// the other is named beside it. Without a waiter nothing changes.
func (f *Flow) join(a arrival, d gatehouse.Decision) (arrival, gatehouse.Decision) {
	if !a.reading.Known {
		return a, d
	}
	key := at{a.gate.ID, a.reading.Subject}
	f.mu.Lock()
	w, ok := f.waiting[key]
	if !ok || w.arrival.reading.Kind == a.reading.Kind { // the same factor twice is still one factor
		f.mu.Unlock()
		return a, d
	}
	delete(f.waiting, key)
	f.mu.Unlock()
	if w.lapse.Stop() {
		f.after.Done()
	}
	lead, other := w.arrival, a
	if other.reading.Kind == gatehouse.FaceReading {
		lead, other = other, lead
	}
	lead.also = append(lead.also, other.reading.Kind)
	lead.received, lead.since = a.received, a.since
	joined := access.Decide(f.facts(lead))
	if d.Grant && !joined.Grant {
		return a, d // a card that opens alone is not spoilt by the face that came before it
	}
	return lead, joined
}

// remove takes w out of the waiting list; whoever gets true finishes it.
func (f *Flow) remove(key at, w *waiter) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting[key] != w {
		return false
	}
	delete(f.waiting, key)
	return true
}

// lapseAll ends every wait now.
func (f *Flow) lapseAll(ctx context.Context) {
	f.mu.Lock()
	all := f.waiting
	f.waiting = map[at]*waiter{}
	f.mu.Unlock()
	for _, w := range all {
		_, _ = f.finish(ctx, w.arrival, w.decision)
		if w.lapse.Stop() {
			f.after.Done()
		}
	}
}

// finish commits a decision that will not wait any more.
func (f *Flow) finish(ctx context.Context, a arrival, d gatehouse.Decision) (*gatehouse.Passage, error) {
	a.gate.Policy.SecondFactorWithin, a.since = 0, f.Now()
	return f.pass(ctx, a, d)
}
