package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/passage"
	"gatehouse/flow/stay"
)

// A stay is charged by the minutes of the clock, so one of a moment that begins before a full
// minute and ends behind it is of one: the grace keeps that free, too.
const hourly = `
tariff: centre
currency: EUR
time_zone: UTC
versions:
  - from: 2020-01-01
    grace: 1m
    exit_within: 15m
    plans:
      - classes: [car]
        periods: [{steps: [{block: 1h, price: 2.00}]}]
`

// carPark is a site with a car park of three spaces and nothing else.
func carPark(t *testing.T) Config {
	t.Helper()
	c := testConfig(t)
	lane := func(id, direction string) GateConfig {
		g := DefaultGate()
		g.ID, g.Name, g.Kind, g.Direction, g.Actuator.Kind, g.RepeatWithin = id, id, "lane", direction, "none", 0
		return g
	}
	c.Gates = []GateConfig{lane("entry", "in"), lane("exit", "out")}
	c.Parking = []CarParkConfig{{ID: "centre", Name: "Centre", Capacity: 3, Entries: []string{"entry"}, Exits: []string{"exit"}, Longest: 24 * time.Hour, Tariff: "centre"}}
	return c
}

// cash is books in memory: what the site's books will be.
type cash struct {
	mu     sync.Mutex
	paid   map[gatehouse.ID][]gatehouse.Payment
	booked map[gatehouse.ID]int64
}

func newCash() *cash {
	return &cash{paid: map[gatehouse.ID][]gatehouse.Payment{}, booked: map[gatehouse.ID]int64{}}
}

func (c *cash) PaymentsOf(_ context.Context, _ gatehouse.Place, stay gatehouse.ID) ([]gatehouse.Payment, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paid[stay], nil
}

func (c *cash) BookCharge(_ context.Context, _ gatehouse.Place, stay gatehouse.ID, _ time.Time, charge gatehouse.Charge) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.booked[stay] = charge.Total.Minor
	return nil
}

func (c *cash) pay(stay gatehouse.ID, minor int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paid[stay] = append(c.paid[stay], gatehouse.Payment{ID: gatehouse.RandomID(), At: time.Now(), Amount: gatehouse.Money{Minor: minor, Currency: "EUR"}})
}

// read lets a lane's camera read a plate, well, some time ago.
func read(t *testing.T, s *Server, gate gatehouse.GateID, text string, ago time.Duration) gatehouse.Passage {
	t.Helper()
	at := time.Now().Add(-ago)
	device := gatehouse.Device{Place: s.Place(), ID: gatehouse.DeviceID("camera-" + string(gate)), Gate: gate}
	p, _, err := s.flow.Sight(t.Context(), device, gatehouse.Sighting{Kind: gatehouse.PlateReading, First: at, Last: at, Frames: 5, Final: true,
		Plate: gatehouse.PlateRead{Text: text, Raw: text, Confidence: 0.995}}, time.Now())
	if err != nil || p == nil {
		t.Fatalf("%s at %s: %v, %v", text, gate, p, err)
	}
	return *p
}

// eventually waits for what follows the log.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

func (s *Server) stayState(id gatehouse.ID) gatehouse.StayState {
	r, err := s.store.StayOf(context.Background(), s.Place(), id)
	if err != nil {
		return ""
	}
	return r.State
}

func followed(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.followStays(ctx) }()
	t.Cleanup(func() { cancel(); <-done; s.wait.Wait() })
}

// A vehicle comes in, owes something at the exit, pays, and the barrier opens: while the
// vault is sealed all the time.
func TestAVehicleParksAndPays(t *testing.T) {
	c := carPark(t)
	c.Gates[1].Actuator.Kind = "simulated"
	s := open(t, c)
	books := newCash()
	s.stays.Books = books
	followed(t, s)
	if _, err := s.stays.PutTariff(t.Context(), []byte(hourly), "chief"); err != nil {
		t.Fatal(err)
	}
	in := read(t, s, "entry", "AB12CDE", 90*time.Minute)
	if !in.Decision.Grant || in.Known {
		t.Fatalf("a visitor is not let in: %+v", in.Decision)
	}
	eventually(t, "the stay is open", func() bool { return s.stayState(in.ID) == gatehouse.StayOpen })
	out := read(t, s, "exit", "AB12CDE", 0)
	if out.Decision.Grant || out.Decision.Reason != gatehouse.PaymentOwed {
		t.Fatalf("who owes is let out: %+v", out.Decision)
	}
	eventually(t, "the vehicle waits", func() bool { return s.stayState(in.ID) == gatehouse.StayWaiting })
	due, err := s.stays.DueOf(t.Context(), s.Place(), in.ID, time.Now())
	if err != nil || due.Due.Minor != 400 {
		t.Fatalf("owes %+v, %v", due, err)
	}
	if err := s.stays.StayPaid(t.Context(), s.Place(), in.ID); err != nil || s.stayState(in.ID) != gatehouse.StayWaiting {
		t.Fatalf("let out though nothing was paid: %v", err)
	}
	books.pay(in.ID, 400)
	began := time.Now()
	for range 2 { // a payment is heard of twice
		if err := s.stays.StayPaid(t.Context(), s.Place(), in.ID); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := s.store.Passages(t.Context(), gatehouse.PassageQuery{Place: s.Place(), Gate: "exit", Only: gatehouse.OnlyGranted, Limit: 5})
	if err != nil || len(opened) != 1 {
		t.Fatalf("opened %d times: %v", len(opened), err)
	}
	t.Logf("opened within %v of the payment", time.Since(began))
	eventually(t, "the stay ended", func() bool { return s.stayState(in.ID) == gatehouse.StayLeft })
	eventually(t, "the charge is booked", func() bool { books.mu.Lock(); defer books.mu.Unlock(); return books.booked[in.ID] == 400 })
	eventually(t, "the stay knows that it is", func() bool {
		r, err := s.store.StayOf(t.Context(), s.Place(), in.ID)
		return err == nil && r.Booked
	})
	r, err := s.store.StayOf(t.Context(), s.Place(), in.ID)
	if err != nil || r.Owed != 0 || !r.Booked || r.ExitPassage != opened[0].ID || r.Charge.Total.Minor != 400 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The lanes answer with a reason each, and nobody is kept because a reading was unclear.
func TestLanesSayWhy(t *testing.T) {
	c := carPark(t)
	s := open(t, c)
	s.stays.Books = newCash()
	followed(t, s)
	if _, err := s.stays.PutTariff(t.Context(), []byte(hourly), "chief"); err != nil {
		t.Fatal(err)
	}
	want := func(p gatehouse.Passage, grant bool, reason gatehouse.Reason) {
		t.Helper()
		if p.Decision.Grant != grant || p.Decision.Reason != reason {
			t.Errorf("%+v, want %v %s", p.Decision, grant, reason)
		}
	}
	inside := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d are inside", n), func() bool { return s.stays.Occupancies()[0].Inside == n })
	}
	want(read(t, s, "entry", "", 0), false, gatehouse.TakeTicket)
	for i, plate := range []string{"AB12CDE", "XY34ZZZ", "KL56MNP"} {
		want(read(t, s, "entry", plate, time.Hour), true, gatehouse.Granted)
		inside(i + 1)
	}
	want(read(t, s, "entry", "QR78STU", 0), false, gatehouse.CarParkFull)
	want(read(t, s, "exit", "AB12CDE", 0), false, gatehouse.PaymentOwed)
	lookalike := read(t, s, "exit", "A8I2CDE", 0) // two characters away: nobody knows
	want(lookalike, true, gatehouse.NoStay)
	eventually(t, "the exit waits for a person", func() bool { return s.stays.Occupancies()[0].Unmatched == 1 })
	inside(3)
	if _, err := s.stays.Attach(t.Context(), stay.Attaching{Exit: lookalike.ID, Stay: s.firstInside(t), By: "chief"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A barrier that was opened for want of a reason not to is no altered passage.
	if r := verify(t, c, VerifyOptions{}); !r.OK {
		t.Errorf("the audit log: %+v", r)
	}
}

func (s *Server) firstInside(t *testing.T) gatehouse.ID {
	t.Helper()
	all, err := s.stays.List(t.Context(), gatehouse.StayFilter{State: gatehouse.InsideStays, Limit: 5})
	if err != nil || len(all) == 0 {
		t.Fatalf("nobody is inside: %v", err)
	}
	return all[len(all)-1].ID
}

// The sign's number is a metric, too.
func TestCarParksAreMetrics(t *testing.T) {
	s := open(t, carPark(t))
	link := run(t, s)
	read(t, s, "entry", "AB12CDE", 0)
	eventually(t, "one is inside", func() bool { return s.stays.Occupancies()[0].Inside == 1 })
	_, body := get(t, link[:strings.Index(link, "/enter/")]+"/metrics")
	for _, want := range []string{`gatehouse_parking_spaces{car_park="centre"} 3`, `gatehouse_parking_inside{car_park="centre"} 1`, `gatehouse_parking_free{car_park="centre"} 2`} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(body, "AB12CDE") {
		t.Error("a plate is in the metrics")
	}
}

// What the follower made is there after a restart, and is made once.
func TestStaysSurviveARestart(t *testing.T) {
	c := carPark(t)
	s := open(t, c)
	if _, err := s.stays.PutTariff(t.Context(), []byte(hourly), "chief"); err != nil {
		t.Fatal(err)
	}
	in := read(t, s, "entry", "AB12CDE", 20*time.Minute) // nothing follows the log yet
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	followed(t, s)
	eventually(t, "the stay is open", func() bool { return s.stayState(in.ID) == gatehouse.StayOpen })
	if n := s.stays.Occupancies()[0].Inside; n != 1 {
		t.Errorf("%d inside", n)
	}
	id, err := s.stays.FindStay(t.Context(), s.Place(), gatehouse.StayQuery{Plate: "ab 12 cde", Entered: time.Now().Add(-25 * time.Minute)}, time.Now())
	if err != nil || id != in.ID {
		t.Errorf("found %v, %v", id, err)
	}
	for name, q := range map[string]gatehouse.StayQuery{
		"another time":  {Plate: "AB12CDE", Entered: time.Now().Add(-2 * time.Hour)},
		"another plate": {Plate: "ZZ99ZZZ", Entered: time.Now().Add(-20 * time.Minute)},
		"nothing":       {},
	} {
		if _, err := s.stays.FindStay(t.Context(), s.Place(), q, time.Now()); gatehouse.ErrorCode(err) != "parking.not_found" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An operator lets somebody in whom the car park turned away; a vehicle without a plate
// takes a ticket, which opens the exit once and never again.
func TestTicketsAndOperators(t *testing.T) {
	c := carPark(t)
	for i := range c.Gates {
		c.Gates[i].Actuator.Kind = "simulated"
	}
	c.Parking[0].Capacity, c.Parking[0].Tariff = 1, ""
	s := open(t, c)
	s.stays.Books = newCash()
	followed(t, s)
	code, err := s.stays.Ticket(t.Context(), "entry", "")
	if err != nil {
		t.Fatal(err)
	}
	inside := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d are inside", n), func() bool { return s.stays.Occupancies()[0].Inside == n })
	}
	inside(1)
	if _, err := s.stays.Ticket(t.Context(), "entry", ""); gatehouse.ErrorCode(err) != "parking.not_admitted" {
		t.Errorf("a ticket for a car park that is full: %v", err)
	}
	if p := read(t, s, "entry", "AB12CDE", 0); p.Decision.Reason != gatehouse.CarParkFull {
		t.Fatalf("%+v", p.Decision)
	}
	remote := func(gate gatehouse.GateID) {
		t.Helper()
		if _, err := s.flow.OpenRemotely(t.Context(), passage.Opening{Gate: gate, Operator: "guard", Reason: "there is a space"}); err != nil {
			t.Fatal(err)
		}
	}
	remote("entry")
	inside(2)
	remote("entry") // nobody stands there any more
	show := func(code gatehouse.Secret) gatehouse.Decision {
		t.Helper()
		p, err := s.flow.Show(t.Context(), gatehouse.Device{Place: s.Place(), ID: "reader", Gate: "exit"}, gatehouse.Capture{Device: "reader", Kind: gatehouse.QRCapture, Received: time.Now(), Secret: code})
		if err != nil {
			t.Fatal(err)
		}
		return p.Decision
	}
	if d := show("made up"); d.Grant || d.Reason != gatehouse.WrongCredential {
		t.Errorf("a ticket that is nobody's: %+v", d)
	}
	if d := show(code); !d.Grant {
		t.Errorf("the ticket: %+v", d)
	}
	eventually(t, "the ticket's vehicle left, and the other is inside", func() bool { o := s.stays.Occupancies()[0]; return o.Inside == 1 && o.Unmatched == 0 })
	if d := show(code); d.Grant || d.Reason != gatehouse.WrongCredential {
		t.Errorf("the ticket again: %+v", d)
	}
	if p := read(t, s, "exit", "AB12CDE", 0); !p.Decision.Grant || p.Decision.Reason != gatehouse.Granted {
		t.Errorf("whom the operator let in: %+v", p.Decision)
	}
	eventually(t, "nobody is inside", func() bool { o := s.stays.Occupancies()[0]; return o.Inside == 0 && o.Unmatched == 0 })
}
