// Package passage is the main path: capture → reading → decision → commit →
// actuate → confirm. Read this file from the top; each step has a file of its own.
package passage

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/access"
)

// Sight takes what a camera's tracker knows of one face or plate so far. It returns
// settled true once the track has led to a passage (or waits for a second factor),
// so that the tracker stops asking; until then better frames may come. since is when
// the work on this sighting began: the receipt of its last frame, or the moment at
// which the track was found to have ended.
func (f *Flow) Sight(ctx context.Context, device gatehouse.Device, s gatehouse.Sighting, since time.Time) (p *gatehouse.Passage, settled bool, err error) {
	a, err := f.arrivalOf(device, s.Last, f.recognize(s), s.Pictures)
	if err != nil {
		return nil, true, err
	}
	a.since = since
	if a.reading.Known {
		f.Sealer.Prepare(f.Site.Place, a.reading.Subject, gatehouse.PassageClass)
	}
	decision, certain := f.decide(ctx, &a, s)
	if !s.Final && !certain {
		return nil, false, nil
	}
	p, err = f.pass(ctx, a, decision)
	return p, true, err
}

// Show takes a card number, PIN or QR text that somebody showed to a reader.
func (f *Flow) Show(ctx context.Context, device gatehouse.Device, c gatehouse.Capture) (*gatehouse.Passage, error) {
	a, err := f.arrivalOf(device, c.Received, f.verify(c), nil)
	if err != nil {
		return nil, err
	}
	if f.atLane(a.gate) && a.reading.Kind == gatehouse.QRReading && !a.reading.Known {
		return f.showAtLane(ctx, a, c)
	}
	return f.pass(ctx, a, access.Decide(f.facts(a)))
}

// decide asks the access rules, or the car park whose lane it is.
func (f *Flow) decide(ctx context.Context, a *arrival, s gatehouse.Sighting) (d gatehouse.Decision, certain bool) {
	if f.atLane(a.gate) && s.Kind == gatehouse.PlateReading {
		return f.decideAtLane(ctx, a, gatehouse.Mark{Plate: s.Plate}, s.Last.Sub(s.First), s.Final)
	}
	d = access.Decide(f.facts(*a))
	return d, access.Certain(d)
}

// pass turns a decided arrival into a passage: commit first, then actuate, so that
// no gate opens unrecorded. It returns nil while the arrival waits for a second factor.
func (f *Flow) pass(ctx context.Context, a arrival, d gatehouse.Decision) (*gatehouse.Passage, error) {
	undo := func() {}
	if !a.parking { // a car park's lane has rules of its own
		a, d = f.join(a, d)
		if d.Reason == gatehouse.NeedSecondFactor && f.wait(ctx, a, d) {
			return nil, nil
		}
		a, d, undo = f.reserve(a, d)
	}
	ctx = context.WithoutCancel(ctx) // who hangs up now has passed all the same
	p, err := f.commit(ctx, a, d)
	if err != nil {
		return f.unrecorded(ctx, a, p, err, undo)
	}
	f.Feed.Committed(p, a.pictures)
	if p.Decision.Grant {
		f.actuate(ctx, a.gate, p)
	}
	return &p, nil
}
