package server

import (
	"cmp"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"gatehouse"
)

// CarParkConfig is one car park: its spaces, and the lanes that lead in and out.
type CarParkConfig struct {
	ID       string        `yaml:"id"`
	Name     string        `yaml:"name"`
	Capacity int           `yaml:"capacity"`
	Entries  []string      `yaml:"entries"`
	Exits    []string      `yaml:"exits"`
	Longest  time.Duration `yaml:"longest_stay"`
	Tariff   string        `yaml:"tariff"`
	// Apart are spaces, of capacity, for one class of vehicle alone.
	Apart map[string]int `yaml:"apart"`
	Keep  string         `yaml:"keep_places"` // none, reservations, quotas
	Full  string         `yaml:"when_full"`   // refuse, queue
	Who   string         `yaml:"visitors"`    // all, enrolled
	Sign  SignConfig     `yaml:"sign"`
}

// SignConfig says how a sign in front of a car park is told what it shows.
type SignConfig struct {
	Kind   string `yaml:"kind"`   // none, http, mqtt
	URL    string `yaml:"url"`    // http: the sign; mqtt: the broker
	Device string `yaml:"device"` // whose sealed address, with credentials, is used
	Topic  string `yaml:"topic"`  // mqtt: retained
	Method string `yaml:"method"` // http
	Body   string `yaml:"body"`   // what is sent; "" is a JSON object
	// FreeAgain is how many spaces are free before a sign that showed full shows free again.
	FreeAgain int `yaml:"free_again"`
}

func (c SignConfig) check() error {
	errs := []error{oneOf("sign.kind", c.Kind, "none", "http", "mqtt")}
	if c.FreeAgain < 1 || c.FreeAgain > maxCapacity {
		errs = append(errs, fmt.Errorf("sign.free_again: it is %d and may be 1 to %d", c.FreeAgain, maxCapacity))
	}
	if c.Kind == "mqtt" && c.Topic == "" {
		errs = append(errs, fmt.Errorf("sign.topic: a sign behind a broker has one"))
	}
	if c.Kind != "none" && (c.URL != "" || c.Device == "") {
		errs = append(errs, checkURL("sign.url", c.URL))
	}
	return errors.Join(errs...)
}

// The bounds of a car park.
const (
	maxCapacity = 100_000
	minLongest  = time.Hour
	maxLongest  = 400 * 24 * time.Hour
)

// UnmarshalYAML fills in a car park's defaults before its own options.
func (c *CarParkConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain CarParkConfig
	p := plain{Longest: 30 * 24 * time.Hour, Keep: string(gatehouse.KeepReservations), Full: "refuse", Who: "all", Sign: SignConfig{Kind: "none", FreeAgain: 3}}
	err := unmarshal(&p)
	*c = CarParkConfig(p)
	return err
}

func (c CarParkConfig) carPark() gatehouse.CarPark {
	gates := func(names []string) (ids []gatehouse.GateID) {
		for _, n := range names {
			ids = append(ids, gatehouse.GateID(n))
		}
		return ids
	}
	p := gatehouse.CarPark{ID: c.ID, Name: c.Name, Capacity: c.Capacity, Entries: gates(c.Entries), Exits: gates(c.Exits), Longest: c.Longest, Tariff: c.Tariff}
	p.Closed = c.Who == "enrolled"
	p.Keeps, p.Queues, p.Apart = gatehouse.Keeping(c.Keep), c.Full == "queue", map[gatehouse.VehicleClass]int{}
	for class, n := range c.Apart {
		p.Apart[gatehouse.VehicleClass(class)] = n
	}
	if p.Name == "" {
		p.Name = c.ID
	}
	return p
}

// check refuses a car park that cannot work. lanes are the site's lanes, and those that
// another car park has are gone from it afterwards: a lane leads into one car park.
func (c CarParkConfig) check(lanes map[string]bool) error {
	if err := gatehouse.CheckName(c.ID); err != nil {
		return fmt.Errorf("id: use 1 to 40 lower-case letters, digits and hyphens")
	}
	if c.Tariff != "" && gatehouse.CheckName(c.Tariff) != nil {
		return fmt.Errorf("tariff: %q cannot name a tariff", c.Tariff)
	}
	switch {
	case utf8.RuneCountInString(c.Name) > 80:
		return fmt.Errorf("name: at most 80 characters")
	case c.Capacity < 1 || c.Capacity > maxCapacity:
		return fmt.Errorf("capacity: it is %d and may be 1 to %d", c.Capacity, maxCapacity)
	case c.Longest < minLongest || c.Longest > maxLongest:
		return fmt.Errorf("longest_stay: it is %v and may be %v to %v", c.Longest, minLongest, maxLongest)
	case len(c.Entries) == 0 || len(c.Exits) == 0:
		return fmt.Errorf("entries, exits: a car park needs a lane in and a lane out")
	}
	apart := 0
	for class, n := range c.Apart {
		if gatehouse.CheckName(class) != nil || class == string(gatehouse.Car) || n < 1 || n > c.Capacity {
			return fmt.Errorf("apart: %q: %d is no number of spaces of a class besides car", class, n)
		}
		apart += n
	}
	if apart > c.Capacity {
		return fmt.Errorf("apart: %d spaces are more than the capacity", apart)
	}
	// What was made without a file (a demo, a test) leaves these out.
	if err := errors.Join(oneOf("keep_places", cmp.Or(c.Keep, "none"), "none", "reservations", "quotas"), oneOf("when_full", cmp.Or(c.Full, "refuse"), "refuse", "queue"), oneOf("visitors", cmp.Or(c.Who, "all"), "all", "enrolled")); err != nil {
		return err
	}
	if c.Sign != (SignConfig{}) {
		if err := c.Sign.check(); err != nil {
			return err
		}
	}
	for _, list := range [][]string{c.Entries, c.Exits} {
		for _, gate := range list {
			if !lanes[gate] {
				return fmt.Errorf("entries, exits: %q is no lane of `gates`, or belongs to two car parks or directions", gate)
			}
			delete(lanes, gate)
		}
	}
	return nil
}
