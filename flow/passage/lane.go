package passage

import (
	"context"
	"time"

	"gatehouse"
)

// atLane reports whether the gate is a car park's.
func (f *Flow) atLane(g gatehouse.Gate) bool { return f.Parking != nil && f.Parking.Lane(g.ID) }

// decideAtLane asks the car park. What the vehicle showed goes with the arrival: the mark is
// kept before the passage is committed, so that what follows the log finds it.
func (f *Flow) decideAtLane(ctx context.Context, a *arrival, m gatehouse.Mark, seen time.Duration, final bool) (gatehouse.Decision, bool) {
	a.parking, a.mark = true, m
	return f.Parking.At(ctx, gatehouse.AtLane{Gate: a.gate, Mark: m, Known: a.reading.Known, Subject: a.reading.Subject, Seen: seen, Final: final, At: a.received})
}

// showAtLane takes a ticket that somebody showed at a car park's lane: a QR code that is
// nobody's. Cards and people's own codes are for the access rules there, too.
func (f *Flow) showAtLane(ctx context.Context, a arrival, c gatehouse.Capture) (*gatehouse.Passage, error) {
	d, _ := f.decideAtLane(ctx, &a, gatehouse.Mark{Ticket: gatehouse.TicketCode(c.Secret.Reveal())}, 0, true)
	return f.pass(ctx, a, d)
}

// LetOut opens a lane for a vehicle that waits there and has paid, or whose driver took a
// ticket: a passage like any other, committed first. What cannot be recorded opens nothing; whoever asks can ask
// again. Errors: gate.unknown, and those of sealing and the store.
func (f *Flow) LetOut(ctx context.Context, l gatehouse.LetOut) (gatehouse.Passage, error) {
	gate, ok := f.Site.Gates[l.Gate]
	if !ok || !f.atLane(gate) {
		return gatehouse.Passage{}, gatehouse.Errorf("gate.unknown", "name the gate in gatehouse.yml", "there is no such lane of a car park")
	}
	now := f.Now()
	a := arrival{gate: gate, received: now, since: now, parking: true, mark: l.Mark, stay: l.Stay,
		reading: gatehouse.Reading{Kind: gatehouse.PlateReading, Subject: l.Subject, Known: l.Known, Confidence: l.Mark.Plate.Confidence, Plate: l.Mark.Plate, At: now}}
	if l.Mark.Ticket != "" {
		a.reading.Kind, a.reading.Confidence = gatehouse.QRReading, 1
	}
	ctx = context.WithoutCancel(ctx) // who hangs up now has paid all the same
	p, err := f.commit(ctx, a, gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: l.Rule})
	if err != nil {
		f.Log.Error("a vehicle that waits could not be let through", "gate", gate.ID, "code", gatehouse.ErrorCode(err))
		return gatehouse.Passage{}, err
	}
	f.Feed.Committed(p, nil)
	f.actuate(ctx, gate, p)
	return p, nil
}
