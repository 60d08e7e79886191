package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gatehouse"
)

// Vehicle is one that is made up.
type Vehicle struct {
	Plate string
	Class gatehouse.VehicleClass
	Look  gatehouse.Appearance
	Fleet bool
}

// Visit is one vehicle's time in the car park.
type Visit struct {
	Vehicle *Vehicle
	In, Out time.Time
}

// Traffic is how many come, and which.
type Traffic struct {
	Spaces int
	// Fleet is the share of visits by vehicles of fleets: plates that count up, all of one
	// colour and shape.
	Fleet     float64
	FleetSize int     // vehicles of one fleet
	Fleets    int     // how many fleets
	Regulars  int     // vehicles that come again
	Regular   float64 // share of the other visits that are regulars'
	Mean      time.Duration
	// Gap is the mean time between two arrivals, by day.
	Gap time.Duration
}

// Default is a car park of 500 spaces that is about two thirds full by day.
var Default = Traffic{Spaces: 500, Fleet: 0.1, FleetSize: 25, Fleets: 4, Regulars: 1500, Regular: 0.4, Mean: 2 * time.Hour, Gap: 20 * time.Second}

var (
	colours = []string{"white", "silver", "grey", "black", "red", "blue", "green", "brown"}
	shapes  = []string{"hatchback", "saloon", "estate", "van"}
	provs   = []rune("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼")
)

const (
	letters = "ABCDEFGHJKLMNPQRSTUVWXYZ" // Chinese plates have no I and O
	alnum   = letters + "0123456789"
)

// plate makes up a plate of a region: Chinese ones half the time, then European and
// Brazilian forms.
func plate(rng *rand.Rand) string {
	pick := func(set string) byte { return set[rng.IntN(len(set))] }
	switch rng.IntN(4) {
	case 0, 1:
		b := []byte{}
		for range 5 {
			b = append(b, pick(alnum))
		}
		return string(provs[rng.IntN(len(provs))]) + string(pick(letters)) + string(b)
	case 2:
		return fmt.Sprintf("%c%c%02d%c%c%c", pick(letters), pick(letters), rng.IntN(100), pick(letters), pick(letters), pick(letters))
	}
	return fmt.Sprintf("%c%c%c%d%c%02d", pick(letters), pick(letters), pick(letters), rng.IntN(10), pick(letters), rng.IntN(100))
}

func vehicle(rng *rand.Rand) *Vehicle {
	return &Vehicle{Plate: plate(rng), Class: gatehouse.Car, Look: gatehouse.Appearance{Colour: colours[rng.IntN(len(colours))], Shape: shapes[rng.IntN(len(shapes))]}}
}

// fleet makes up vehicles whose plates count up, as they were registered on one day.
func fleet(rng *rand.Rand, n int) []*Vehicle {
	look := gatehouse.Appearance{Colour: colours[rng.IntN(len(colours))], Shape: shapes[rng.IntN(len(shapes))]}
	head, first := string(provs[rng.IntN(len(provs))])+string(letters[rng.IntN(len(letters))])+string(letters[rng.IntN(len(letters))]), rng.IntN(9999-n)
	if rng.IntN(2) == 0 {
		head = string([]byte{letters[rng.IntN(24)], letters[rng.IntN(24)], letters[rng.IntN(24)]})
	}
	var all []*Vehicle
	for i := range n {
		all = append(all, &Vehicle{Plate: fmt.Sprintf("%s%04d", head, first+i), Class: gatehouse.Car, Look: look, Fleet: true})
	}
	return all
}

// outside picks a vehicle that has been gone for ten minutes, nil after many tries.
func outside(rng *rand.Rand, all []*Vehicle, inside map[*Vehicle]time.Time, now time.Time) *Vehicle {
	for range 50 {
		if v := all[rng.IntN(len(all))]; !inside[v].After(now.Add(-10 * time.Minute)) {
			return v
		}
	}
	return nil
}

// Visits makes up n visits in the order in which they begin. Nobody is inside twice.
func (tr Traffic) Visits(rng *rand.Rand, n int, from time.Time) []Visit {
	var regulars, fleets []*Vehicle
	for range tr.Regulars {
		regulars = append(regulars, vehicle(rng))
	}
	for range tr.Fleets {
		fleets = append(fleets, fleet(rng, tr.FleetSize)...)
	}
	inside := map[*Vehicle]time.Time{}
	var out []time.Time // of those inside
	var visits []Visit
	for now := from; len(visits) < n; {
		gap := tr.Gap
		if h := now.Hour(); h < 6 || h >= 22 {
			gap *= 15
		}
		now = now.Add(time.Duration(rng.ExpFloat64()*float64(gap)) + time.Second)
		out = slices.DeleteFunc(out, func(t time.Time) bool { return t.Before(now) })
		if len(out) >= tr.Spaces {
			continue
		}
		var v *Vehicle
		switch x := rng.Float64(); {
		case x < tr.Fleet && len(fleets) > 0:
			v = outside(rng, fleets, inside, now)
		case rng.Float64() < tr.Regular && len(regulars) > 0:
			v = outside(rng, regulars, inside, now)
		default:
			v = vehicle(rng)
		}
		if v == nil {
			continue
		}
		length := time.Duration(math.Exp(rng.NormFloat64()*0.9-0.405) * float64(tr.Mean)) // log-normal: its mean is Mean
		length = max(2*time.Minute, min(length, 60*time.Hour))
		visits = append(visits, Visit{v, now, now.Add(length)})
		inside[v] = now.Add(length)
		out = append(out, now.Add(length))
	}
	return visits
}
