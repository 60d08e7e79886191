package simulate

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"time"

	"gatehouse"
	"gatehouse/flow/books"
	"gatehouse/flow/follow"
	"gatehouse/flow/passage"
	"gatehouse/flow/stay"
	"gatehouse/rules/parking"
	"gatehouse/rules/parking/pairing"
	"gatehouse/store/sqlite"
)

// ParkingOptions is the time of a car park that is simulated, through the product's own
// lanes, store and stays.
type ParkingOptions struct {
	Seed    uint64
	Days    float64
	Traffic Traffic
	Misreads
	// Missed is the share of entries, and of exits, that no camera saw.
	Missed float64
	// Prepaid is the share of drivers who pay before they drive to the exit, on their phone;
	// Failing the share of payments that fail and are tried again a minute later. Mistyped is the
	// share of the plates that they type with one wrong character.
	Prepaid, Failing, Mistyped float64
	// Attended is after which time a person has attached an exit that was not paired.
	Attended time.Duration
	// Dir is where the site lies meanwhile: it is made and removed. "" for one in memory.
	Dir string
	// Progress is told how many visits have ended; nil tells nobody.
	Progress func(done, all int)
}

// ParkingResult is what became of it. Revenue is in minor units.
type ParkingResult struct {
	Stays         int `json:"stays"`
	Paired        int `json:"paired"`
	Ambiguous     int `json:"ambiguous"`
	UnpairedExits int `json:"unpaired_exits"`
	WronglyPaired int `json:"wrongly_paired"`
	// RevenueExpected is what the stays that were paired cost by their true times;
	// RevenueBooked what the books have for them.
	RevenueExpected int64 `json:"revenue_expected"`
	RevenueBooked   int64 `json:"revenue_booked"`
	// FinedWrongly counts drivers who were asked for money that they did not owe, or were
	// kept though they had paid.
	FinedWrongly int `json:"fined_wrongly"`

	Differ     int    `json:"booked_differently"` // paired stays whose booking is not what they cost
	Corrected  int    `json:"corrected"`          // paired though the texts differ
	Misread    int    `json:"misread"`            // of both gates' readings
	TurnedAway int    `json:"turned_away"`        // the car park was full, or seemed so
	Alarms     int    `json:"plate_twice"`        // entries of a plate that is inside
	Attached   int    `json:"attached"`           // by a person, later
	LetOut     int    `json:"let_out_by_hand"`    // an operator opened the exit
	Currency   string `json:"currency"`
	// Reasons are why exits were left to a person.
	Reasons map[string]int `json:"left_to_a_person"`
}

// simTariff is what the simulated car park charges.
const simTariff = `
tariff: simulated
currency: EUR
time_zone: Europe/Berlin
versions:
  - from: 2020-01-01
    grace: 10m
    exit_within: 15m
    tax: {name: VAT, percent: 19, added: false}
    plans:
      - classes: [car]
        periods:
          - {name: day, hours: 07:00-20:00, steps: [{block: 30m, price: 1.20, for: 2h}, {block: 1h, price: 2.00}], cap: 14.00}
          - {name: night, hours: 20:00-07:00, flat: 4.00}
        caps: [{per: 24h, amount: 18.00}]
`

// world is the simulated site while it runs.
type world struct {
	o       ParkingOptions
	rng     *rand.Rand
	now     time.Time
	store   *sqlite.Store
	flow    *passage.Flow
	stays   *stay.Stays
	books   *books.Books
	version gatehouse.TariffVersion
	visits  []*visit
	events  events
	planned int
	lanes   []*exitLane
	queue   []*visit // vehicles behind those at the exits
	result  ParkingResult
	place   gatehouse.Place
	helping bool // an operator opens an exit
}

// visit is one vehicle's, with what became of it.
type visit struct {
	Visit
	n       int
	stay    gatehouse.ID // the entry passage's
	entered time.Time
	paid    time.Time // when the payment that settled it was made
	lane    *exitLane
	expect  time.Time // until when it is charged
}

type exitLane struct {
	gate gatehouse.GateID
	busy bool
}

// eventKind is what happens next.
type eventKind int

const (
	arrives   eventKind = iota
	paysEarly           // before driving to the exit
	leaves
	pays    // at the exit
	helped  // by an operator
	leftNow // the exit is free again
	attended
)

type event struct {
	at    time.Time
	n     int
	kind  eventKind
	visit *visit
	exit  gatehouse.ID
	lane  *exitLane
}

// events is a heap, by time and then by what was planned first.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *events) Push(x any) { *e = append(*e, x.(event)) }

// Pop implements heap.Interface.
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

func (w *world) plan(e event) {
	w.planned++
	e.n = w.planned
	heap.Push(&w.events, e)
}

// Parking simulates a car park.
func Parking(ctx context.Context, o ParkingOptions) (ParkingResult, error) {
	w := &world{o: o, result: ParkingResult{Reasons: map[string]int{}}, rng: rand.New(rand.NewPCG(o.Seed, 2)), now: time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)}
	close, err := w.open(ctx)
	defer close()
	if err != nil {
		return w.result, err
	}
	end := w.now.Add(time.Duration(o.Days * float64(24*time.Hour)))
	n := 1 + int(end.Sub(w.now)/o.Traffic.Gap)
	for _, v := range o.Traffic.Visits(w.rng, n, w.now) {
		if v.In.Before(end) {
			w.visits = append(w.visits, &visit{Visit: v, n: len(w.visits)})
			w.plan(event{at: v.In, kind: arrives, visit: w.visits[len(w.visits)-1]})
		}
	}
	tidied := w.now
	done := 0
	for len(w.events) > 0 {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		if w.now.Sub(tidied) > 10*time.Minute {
			tidied = w.now
			if err := w.stays.Tidy(ctx); err != nil {
				return w.result, err
			}
		}
		if err := w.happen(ctx, e); err != nil {
			return w.result, err
		}
		if e.kind == leftNow {
			if done++; o.Progress != nil {
				o.Progress(done, len(w.visits))
			}
		}
		if err := ctx.Err(); err != nil {
			return w.result, err
		}
	}
	return w.result, w.books.Check(ctx) // the postings of everything add up to nothing
}

func (w *world) happen(ctx context.Context, e event) error {
	switch e.kind {
	case arrives:
		return w.arrive(ctx, e.visit)
	case paysEarly:
		return w.payEarly(ctx, e.visit)
	case leaves:
		w.queue = append(w.queue, e.visit)
		return w.advance(ctx)
	case pays:
		return w.pay(ctx, e.visit)
	case helped:
		return w.help(ctx, e.visit)
	case leftNow:
		e.lane.busy = false
		return w.advance(ctx)
	case attended:
		return w.attend(ctx, e.exit, e.visit)
	}
	return nil
}

// arrive lets a vehicle come to the entry.
func (w *world) arrive(ctx context.Context, v *visit) error {
	w.result.Stays++
	v.entered = w.now
	if w.rng.Float64() >= w.o.Missed {
		p, err := w.read(ctx, "entry", v.Vehicle)
		if err != nil {
			return err
		}
		if !p.Decision.Grant {
			w.result.Stays--
			w.result.TurnedAway++
			return nil
		}
		v.stay = p.ID
	}
	w.plan(event{at: v.Out, kind: leaves, visit: v})
	if w.rng.Float64() < w.o.Prepaid && v.Out.Sub(w.now) > 4*time.Minute {
		w.plan(event{at: v.Out.Add(-time.Duration(1+w.rng.IntN(3)) * time.Minute), kind: paysEarly, visit: v})
	}
	return nil
}

// read lets a lane's camera read the vehicle, and the stays follow.
func (w *world) read(ctx context.Context, gate gatehouse.GateID, v *Vehicle) (gatehouse.Passage, error) {
	r := w.o.Read(w.rng, v.Plate)
	if r.Text != v.Plate {
		w.result.Misread++
	}
	device := gatehouse.Device{Place: w.place, ID: "camera", Gate: gate}
	p, _, err := w.flow.Sight(ctx, device, gatehouse.Sighting{Kind: gatehouse.PlateReading, First: w.now.Add(-time.Second), Last: w.now, Frames: 8, Final: true, Plate: r}, w.now)
	if err != nil {
		return gatehouse.Passage{}, err
	}
	return *p, w.follow(ctx)
}

func (w *world) follow(ctx context.Context) error {
	_, err := follow.CatchUp(ctx, w.store, w.stays)
	return err
}

// advance lets the next vehicles drive up to the exits that are free.
func (w *world) advance(ctx context.Context) error {
	for _, lane := range w.lanes {
		if lane.busy || len(w.queue) == 0 {
			continue
		}
		v := w.queue[0]
		w.queue = w.queue[1:]
		lane.busy, v.lane = true, lane
		if err := w.atExit(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// atExit lets a vehicle stand at an exit.
func (w *world) atExit(ctx context.Context, v *visit) error {
	if w.rng.Float64() < w.o.Missed { // the barrier stood open
		w.left(v)
		return nil
	}
	p, err := w.read(ctx, v.lane.gate, v.Vehicle)
	if err != nil {
		return err
	}
	if p.Decision.Grant {
		v.expect = w.now
		return w.out(ctx, v, p)
	}
	if !v.paid.IsZero() && w.now.Before(v.paid.Add(w.version.ExitWithin)) {
		w.result.FinedWrongly++ // paid, and kept
	}
	w.plan(event{at: w.now.Add(time.Duration(15+w.rng.IntN(60)) * time.Second), kind: pays, visit: v})
	return nil
}

// waitingAt is the stay that the lane takes the vehicle for.
func (w *world) waitingAt(ctx context.Context, gate gatehouse.GateID) (gatehouse.ID, error) {
	found, err := w.stays.List(ctx, gatehouse.StayFilter{State: string(gatehouse.StayWaiting), Limit: 100})
	for _, r := range found {
		if r.ExitGate == gate {
			return r.ID, err
		}
	}
	return gatehouse.ID{}, err
}

// pay lets the driver at an exit pay what is asked there.
func (w *world) pay(ctx context.Context, v *visit) error {
	id, err := w.waitingAt(ctx, v.lane.gate)
	if err != nil {
		return err
	}
	if id.IsZero() {
		w.plan(event{at: w.now.Add(3 * time.Minute), kind: helped, visit: v})
		return nil
	}
	if w.rng.Float64() < w.o.Failing {
		w.plan(event{at: w.now.Add(time.Minute), kind: pays, visit: v})
		return nil
	}
	if id != v.stay {
		w.result.FinedWrongly++
	}
	due, err := w.stays.DueOf(ctx, w.place, id, w.now)
	if err != nil {
		return err
	}
	if due.Due.Minor > 0 {
		if err := w.take(ctx, id, due.Due); err != nil {
			return err
		}
		v.paid, v.expect = w.now, w.now
	}
	before, err := w.newest(ctx, v.lane.gate)
	if err != nil {
		return err
	}
	for range 1 + w.rng.IntN(2) { // a payment may be heard of twice
		if err := w.stays.StayPaid(ctx, w.place, id); err != nil {
			return err
		}
	}
	after, err := w.newest(ctx, v.lane.gate)
	if err != nil {
		return err
	}
	if after.ID == before.ID {
		w.plan(event{at: w.now.Add(3 * time.Minute), kind: helped, visit: v})
		return nil
	}
	return w.out(ctx, v, after)
}

// newest is the last vehicle that an exit let out.
func (w *world) newest(ctx context.Context, gate gatehouse.GateID) (gatehouse.Passage, error) {
	found, err := w.store.Passages(ctx, gatehouse.PassageQuery{Place: w.place, Gate: gate, Only: gatehouse.OnlyGranted, Limit: 1})
	if err != nil || len(found) == 0 {
		return gatehouse.Passage{}, err
	}
	return found[0], nil
}

// payEarly lets the driver pay on the way to the car, by the plate and the time of entry.
func (w *world) payEarly(ctx context.Context, v *visit) error {
	around := time.Duration(w.rng.IntN(20)-10) * time.Minute
	typed := w.types(v.Vehicle.Plate)
	id, err := w.stays.FindStay(ctx, w.place, gatehouse.StayQuery{Plate: typed, Entered: v.entered.Add(around)}, w.now)
	if gatehouse.ErrorCode(err) == "parking.not_found" {
		return nil // paid at the exit then
	}
	if err != nil {
		return err
	}
	if id != v.stay {
		w.result.FinedWrongly++
	}
	due, err := w.stays.DueOf(ctx, w.place, id, w.now)
	if err != nil || due.Due.Minor == 0 {
		return err
	}
	if err := w.stays.Says(ctx, id, typed); err != nil {
		return err
	}
	if err := w.take(ctx, id, due.Due); err != nil {
		return err
	}
	v.paid = w.now
	return w.stays.StayPaid(ctx, w.place, id)
}

// types is what a driver types as their plate.
func (w *world) types(plate string) string {
	if w.rng.Float64() >= w.o.Mistyped {
		return plate
	}
	text := []rune(plate)
	text[w.rng.IntN(len(text))] = rune(alnum[w.rng.IntN(len(alnum))])
	return string(text)
}

// help lets an operator open the exit.
func (w *world) help(ctx context.Context, v *visit) error {
	w.result.LetOut++
	w.helping = true
	defer func() { w.helping = false }()
	p, err := w.flow.OpenRemotely(ctx, passage.Opening{Gate: v.lane.gate, Operator: "operator", Reason: "simulated"})
	if err != nil {
		return err
	}
	return w.out(ctx, v, p)
}

// out deals with a vehicle that was let out: what the stays made of it.
func (w *world) out(ctx context.Context, v *visit, p gatehouse.Passage) error {
	w.left(v)
	if err := w.follow(ctx); err != nil {
		return err
	}
	e, err := w.stays.Exit(ctx, p.ID)
	if err != nil {
		return nil // a remote opening that nobody waited for
	}
	switch pairing.State(e.State) {
	case pairing.Paired:
		w.result.Paired++
		if e.Stay != v.stay {
			w.result.WronglyPaired++
			return nil
		}
		if r, err := w.stays.Stay(ctx, e.Stay); err == nil && r.Correction != nil {
			w.result.Corrected++
		}
		if err := w.expect(ctx, v); err != nil {
			return err
		}
	case pairing.Ambiguous:
		w.result.Ambiguous++
	case pairing.Unpaired:
		w.result.UnpairedExits++
	}
	if e.State != string(pairing.Paired) {
		w.result.Reasons[e.Reason]++
		w.plan(event{at: w.now.Add(w.o.Attended), kind: attended, exit: e.ID, visit: v})
	}
	return nil
}

// left frees the exit a few seconds later.
func (w *world) left(v *visit) {
	w.plan(event{at: w.now.Add(5 * time.Second), kind: leftNow, lane: v.lane})
}

// expect adds what a stay costs by its true times: until the payment that settled it, or
// until it left.
func (w *world) expect(ctx context.Context, v *visit) error {
	until := v.expect
	if !v.paid.IsZero() && !until.After(v.paid.Add(w.version.ExitWithin)) {
		until = v.paid
	}
	c, err := parking.Charge(gatehouse.Stay{Entered: v.entered, Class: v.Vehicle.Class}, until, w.version, parking.Rights{})
	if err != nil {
		return err
	}
	w.result.RevenueExpected += c.Total.Minor
	booked, err := w.booked(ctx, v.stay)
	w.result.RevenueBooked += booked
	if booked != c.Total.Minor {
		w.result.Differ++
	}
	return err
}

// attend lets a person look at both pictures, and attach what belongs together.
func (w *world) attend(ctx context.Context, exit gatehouse.ID, v *visit) error {
	_, err := w.stays.Attach(ctx, stay.Attaching{Exit: exit, Stay: v.stay, By: "operator"})
	switch gatehouse.ErrorCode(err) {
	case "":
		w.result.Attached++
		return err
	case "parking.unknown_stay", "parking.does_not_fit":
		return w.stays.Dismiss(ctx, exit, "operator")
	}
	return err
}
