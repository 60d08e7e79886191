package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
)

// The car park's lanes and cameras.
const (
	parkIn        gatehouse.GateID   = "car-park-in"
	parkOut       gatehouse.GateID   = "car-park-out"
	parkInCamera  gatehouse.DeviceID = "car-park-in-camera"
	parkOutCamera gatehouse.DeviceID = "car-park-out-camera"
)

// The acts at a car park.
const (
	Parks  Act = "parks"  // a visitor comes in
	Leaves Act = "leaves" // and leaves again, having paid
	// LeavesUnpaid is who pays when the exit says so.
	LeavesUnpaid Act = "leaves_unpaid"
)

// parkTariff has prices by the minute, since minutes stand for hours here.
const parkTariff = `tariff: demo
currency: EUR
time_zone: UTC
versions:
  - from: 2020-01-01
    exit_within: 15m
    validations: 1
    tax: {name: VAT, percent: 19, added: false}
    plans:
      - classes: [car]
        periods:
          - {name: any, steps: [{block: 1m, price: 1.20, for: 10m}, {block: 5m, price: 2.00}]}
        caps: [{per: 24h, amount: 18.00}]
`

// withParking adds a car park of a few spaces.
func withParking(c *server.Config) {
	for id, name := range map[gatehouse.GateID]string{parkIn: "Car park entry", parkOut: "Car park exit"} {
		g := server.DefaultGate()
		g.ID, g.Name, g.Kind, g.From, g.To, g.Actuator.Kind, g.RepeatWithin = string(id), name, "lane", "street", "car-park", "simulated", 2*time.Second
		if id == parkOut {
			g.From, g.To, g.Direction = "car-park", "street", "out"
		}
		c.Gates = append(c.Gates, g)
	}
	for id, gate := range map[gatehouse.DeviceID]gatehouse.GateID{parkInCamera: parkIn, parkOutCamera: parkOut} {
		d := server.DefaultDevice()
		d.ID, d.Gate = string(id), string(gate)
		c.Devices = append(c.Devices, d)
	}
	c.Parking = []server.CarParkConfig{{ID: "demo", Name: "Visitors", Capacity: 12, Entries: []string{string(parkIn)}, Exits: []string{string(parkOut)}, Longest: 2 * time.Hour, Tariff: "demo"}}
	c.Paying.Stripe, c.Paying.Seller.Name = true, "Demo Car Parks"
	c.Paying.Kiosks = []string{"127.0.0.1", "::1"} // all drivers of the demo have this machine's address
}

// putTariff stores the car park's tariff, once.
func putTariff(ctx context.Context, s *server.Server) error {
	all, err := s.Admin().Tariffs(ctx)
	if err == nil && len(all.Tariffs) == 0 {
		_, err = s.Admin().PutTariff(ctx, wire.TariffRequest{File: parkTariff})
	}
	return err
}

// The demo's shop, and what it gives: minutes stand for hours.
const (
	shopName    = "Bakery"
	shopMinutes = 2
)

// members gives the first two enrolled vehicles passes, once: a month, and one with money on it
// that was paid at the desk; and there is a shop.
func (c *cast) members(ctx context.Context, admin api.Admin) error {
	if len(c.vehicles) < 2 {
		return nil
	}
	rights, err := admin.Rights(ctx)
	if err != nil || len(rights.Rights) > 0 {
		return err
	}
	now := time.Now().UTC()
	if _, err := admin.PutPass(ctx, wire.PassRequest{Vehicle: c.vehicles[0].id, Kind: gatehouse.SeasonPass, Name: "Monthly", From: now, Until: now.AddDate(0, 1, 0), Price: &wire.Money{Minor: 11900, Currency: "EUR"}, Tax: 1900}); err != nil {
		return err
	}
	purse, err := admin.PutPass(ctx, wire.PassRequest{Vehicle: c.vehicles[1].id, Kind: gatehouse.ValuePass, Name: "Prepaid", From: now, Currency: "EUR"})
	if err != nil {
		return err
	}
	id, err := gatehouse.ParseID(purse.ID)
	if err != nil {
		return err
	}
	money := wire.Money{Minor: 5000, Currency: "EUR"}
	order, err := admin.OrderPass(ctx, wire.PassOrderRequest{Pass: id, Amount: &money})
	if err == nil {
		_, err = admin.TakePayment(ctx, wire.BooksPaymentRequest{Stay: order.ID, Way: "cash", Amount: money})
	}
	if err == nil {
		_, err = admin.PutShop(ctx, wire.ShopRequest{Name: shopName, Kind: gatehouse.TimeValidation, Minutes: shopMinutes, PerStay: 1, PerDay: 50})
	}
	return err
}

// validate lets the shop give the visitor who came in last what it gives.
func (p *play) validate(ctx context.Context) {
	pause(ctx, 2*time.Second) // the stay is made of the log
	page, err := p.server.Admin().Stays(ctx, wire.StaysQuery{State: gatehouse.InsideStays, Limit: 1})
	if err == nil && len(page.Stays) == 1 && !page.Stays[0].Known {
		_, err = p.server.Admin().ValidateStay(ctx, page.Stays[0].ID, wire.ValidationRequest{Issuer: shopName, Kind: gatehouse.TimeValidation, Minutes: shopMinutes})
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(p.Stderr, "gatehouse:", err)
	}
}

// The cars that are inside at once, and how long one stays at least: minutes stand for hours.
const (
	mostParked = 6
	parksFor   = 40 * time.Second
)

// parkedCar is a visitor's.
type parkedCar struct {
	*vehicle
	since  time.Time
	member bool // has a pass
}

// park lets cars come and go. One thing happens at a time, since the cameras share a
// machine with those of the other gates.
func (p *play) park(ctx context.Context) {
	r := rand.New(rand.NewPCG(p.Seed, 5))
	var inside []parkedCar
	empty := scene.Empty(true)
	for n := 0; ctx.Err() == nil && (p.Arrivals == 0 || n < p.Arrivals); n++ {
		if len(inside) > 0 && (len(inside) >= mostParked || time.Since(inside[0].since) > parksFor) {
			car := inside[0]
			inside = inside[1:]
			if car.member { // the pass pays
				p.drive(ctx, r, parkOut, p.studio[parkOutCamera], car.vehicle, Leaves)
				continue
			}
			p.leave(ctx, car, r.IntN(2) == 0, func(act Act) { p.drive(ctx, r, parkOut, p.studio[parkOutCamera], car.vehicle, act) })
		} else {
			v, member := p.next(r, inside)
			p.drive(ctx, r, parkIn, p.studio[parkInCamera], v, Parks)
			inside = append(inside, parkedCar{v, time.Now(), member})
			if !member && r.IntN(3) == 0 {
				p.validate(ctx)
			}
		}
		for end := time.Now().Add(2 * p.Pause); time.Now().Before(end) && ctx.Err() == nil; {
			p.studio[parkInCamera].show(empty)
			p.studio[parkOutCamera].show(empty)
			pause(ctx, 500*time.Millisecond)
		}
	}
}

// next is who comes in: each fourth has a pass, where one of those is not inside.
func (p *play) next(r *rand.Rand, inside []parkedCar) (v *vehicle, member bool) {
	if r.IntN(4) == 0 {
		for _, v := range p.cast.vehicles[:min(2, len(p.cast.vehicles))] {
			if !slices.ContainsFunc(inside, func(c parkedCar) bool { return c.vehicle == v }) {
				return v, true
			}
		}
	}
	v = &vehicle{paint: paints[r.IntN(len(paints))]}
	v.plate, v.class = plateText(r)
	return v, false
}

func (p *play) drive(ctx context.Context, r *rand.Rand, gate gatehouse.GateID, st *stage, v *vehicle, act Act) {
	p.film(ctx, st, p.cast.plates.Car(v.plate, v.class, v.paint, false, scene.RandomLook(r), framesAtLane, r))
	p.tell(Arrival{Gate: gate, Act: act, At: time.Now()})
}
