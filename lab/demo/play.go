package demo

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
)

// Act is what an arrival stages.
type Act string

// The acts. Expected says what the product should decide.
const (
	Enrolled   Act = "enrolled"   // an enrolled person with their card, or an enrolled car
	NoCard     Act = "no_card"    // an enrolled person who forgot the card
	Stranger   Act = "stranger"   // nobody who is enrolled
	ReplayShow Act = "replay"     // an enrolled person's portrait on a phone
	SuspendedA Act = "suspended"  // somebody whose access is suspended
	Unreadable Act = "unreadable" // a plate under mud
)

// Expected lists the reasons that would be right for an act.
func (a Act) Expected() []gatehouse.Reason {
	switch a {
	case Enrolled:
		return []gatehouse.Reason{gatehouse.Granted}
	case NoCard:
		return []gatehouse.Reason{gatehouse.NeedSecondFactor}
	case ReplayShow:
		return []gatehouse.Reason{gatehouse.NotLive, gatehouse.NeedSecondFactor, gatehouse.Unknown, gatehouse.LowConfidence}
	case SuspendedA:
		return []gatehouse.Reason{gatehouse.Suspended}
	case Parks:
		return []gatehouse.Reason{gatehouse.Granted}
	case Leaves:
		return []gatehouse.Reason{gatehouse.Granted, gatehouse.StayUnclear, gatehouse.NoStay}
	case LeavesUnpaid:
		return []gatehouse.Reason{gatehouse.PaymentOwed, gatehouse.StayUnclear, gatehouse.NoStay}
	}
	return []gatehouse.Reason{gatehouse.Unknown, gatehouse.LowConfidence}
}

// A camera of the demo gives 5 frames a second, and an arrival takes so many.
const (
	frameTime     = 200 * time.Millisecond
	framesAtDoor  = 9
	framesAtLane  = 8
	cardAfterFace = 600 * time.Millisecond
)

// play stages arrivals at both gates.
type play struct {
	Options
	cast   *cast
	studio map[gatehouse.DeviceID]*stage
	server *server.Server
	driver *driver
	letOut *atomic.Int64 // when the car park's exit opened last, Unix nanoseconds
}

// run plays all gates until the arrivals are over or ctx ends.
func (p *play) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { p.at(ctx, 3, p.door, scene.Empty(false), p.studio[doorCamera]) })
	all.Go(func() { p.at(ctx, 4, p.lane, scene.Empty(true), p.studio[laneCamera]) })
	if p.Parking {
		all.Go(func() { p.park(ctx) })
	}
	all.Wait()
	// The last tracks still have to end and the last second factors to lapse.
	pause(ctx, 8*time.Second)
}

// at stages one gate's arrivals, with an empty picture in between.
func (p *play) at(ctx context.Context, stream uint64, arrive func(context.Context, *rand.Rand), empty []byte, st *stage) {
	r := rand.New(rand.NewPCG(p.Seed, stream))
	for n := 0; ctx.Err() == nil && (p.Arrivals == 0 || n < p.Arrivals); n++ {
		arrive(ctx, r)
		for end := time.Now().Add(p.Pause); time.Now().Before(end) && ctx.Err() == nil; {
			st.show(empty)
			pause(ctx, 500*time.Millisecond)
		}
	}
}

// door stages one arrival at the door.
func (p *play) door(ctx context.Context, r *rand.Rand) {
	who, act := p.cast.people[r.IntN(len(p.cast.people))], Enrolled
	look := scene.RandomLook(r)
	frames := func() [][]byte { return scene.Person(who.portrait, look, framesAtDoor, r) }
	switch x := r.Float64(); {
	case who.suspended || x < 0.06:
		for _, q := range p.cast.people {
			if q.suspended {
				who, act = q, SuspendedA
			}
		}
	case x < 0.20:
		who, act = p.cast.others[r.IntN(len(p.cast.others))], Stranger
	case x < 0.29:
		act = ReplayShow
		frames = func() [][]byte { return scene.Replay(who.portrait, look, framesAtDoor, r) }
	case x < 0.36:
		act = NoCard
	}
	p.film(ctx, p.studio[doorCamera], frames())
	if act == Enrolled {
		pause(ctx, cardAfterFace)
		// Errors are the server's to log; the console shows what became of it.
		_, _ = p.server.Post(ctx, gatehouse.Capture{Device: doorReader, Gate: door, Kind: gatehouse.CardCapture, Received: time.Now(), Secret: gatehouse.Secret(who.card)})
	}
	p.tell(Arrival{Gate: door, Act: act, Label: who.label, At: time.Now()})
}

// lane stages one arrival at the lane.
func (p *play) lane(ctx context.Context, r *rand.Rand) {
	v, act := p.cast.vehicles[r.IntN(len(p.cast.vehicles))], Enrolled
	switch x := r.Float64(); {
	case v.suspended:
		act = SuspendedA
	case x < 0.2:
		v, act = p.cast.visitors[r.IntN(len(p.cast.visitors))], Stranger
	case x < 0.32:
		act = Unreadable
	}
	p.film(ctx, p.studio[laneCamera], p.cast.plates.Car(v.plate, v.class, v.paint, act == Unreadable, scene.RandomLook(r), framesAtLane, r))
	p.tell(Arrival{Gate: lane, Act: act, Label: v.label, At: time.Now()})
}

// film shows frames at the camera's pace.
func (p *play) film(ctx context.Context, st *stage, frames [][]byte) {
	for _, f := range frames {
		begun := time.Now()
		if ctx.Err() != nil || !st.show(f) {
			return
		}
		pause(ctx, frameTime-time.Since(begun))
	}
}

func (p *play) tell(a Arrival) {
	if p.Arrived != nil {
		p.Arrived(a)
	}
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
