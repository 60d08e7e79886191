package server

import (
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
	p := plain{Longest: 30 * 24 * time.Hour}
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
