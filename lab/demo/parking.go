package demo

import (
	"context"
	"math/rand/v2"
	"time"

	"gatehouse"
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

// The cars that are inside at once, and how long one stays at least: minutes stand for hours.
const (
	mostParked = 6
	parksFor   = 40 * time.Second
)

// parkedCar is a visitor's.
type parkedCar struct {
	*vehicle
	since time.Time
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
			p.leave(ctx, car, r.IntN(2) == 0, func(act Act) { p.drive(ctx, r, parkOut, p.studio[parkOutCamera], car.vehicle, act) })
		} else {
			v := &vehicle{paint: paints[r.IntN(len(paints))]}
			v.plate, v.class = plateText(r)
			p.drive(ctx, r, parkIn, p.studio[parkInCamera], v, Parks)
			inside = append(inside, parkedCar{v, time.Now()})
		}
		for end := time.Now().Add(2 * p.Pause); time.Now().Before(end) && ctx.Err() == nil; {
			p.studio[parkInCamera].show(empty)
			p.studio[parkOutCamera].show(empty)
			pause(ctx, 500*time.Millisecond)
		}
	}
}

func (p *play) drive(ctx context.Context, r *rand.Rand, gate gatehouse.GateID, st *stage, v *vehicle, act Act) {
	p.film(ctx, st, p.cast.plates.Car(v.plate, v.class, v.paint, false, scene.RandomLook(r), framesAtLane, r))
	p.tell(Arrival{Gate: gate, Act: act, At: time.Now()})
}
