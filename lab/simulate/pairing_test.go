package simulate

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// asAsked is what pairing has to bear: 3 % misreads, 5 % of them with two wrong
// characters, 10 % of the visits by fleets with consecutive plates. How sure the reader
// is where it is wrong is roughly what was measured on few wrong readings
// (docs/measurements.md, Parking).
func asAsked(seed uint64, stays int) PairingOptions {
	return PairingOptions{Seed: seed, Stays: stays, Traffic: Default, Attended: 12 * time.Hour,
		Misreads: Misreads{Rate: 0.03, Two: 0.05, Gap: 0.2, Sure: 0.27, Named: 0.88}}
}

func TestPairingASimulatedCarPark(t *testing.T) {
	r := Pairing(asAsked(1, 10_000))
	t.Logf("%+v", r)
	if fleet := float64(r.Fleet) / float64(r.Stays); fleet < 0.09 || r.MostInside < 300 || r.Misread < 400 {
		t.Errorf("the simulation says little: fleet %.3f, %d inside, %d misread", fleet, r.MostInside, r.Misread)
	}
	if r.WronglyPaired > 0 || r.Ambiguous*200 > r.Stays || r.UnpairedExits*200 > r.Stays {
		t.Errorf("wrongly paired %d, ambiguous %d, unpaired %d", r.WronglyPaired, r.Ambiguous, r.UnpairedExits)
	}
	if r.Paired+r.Ambiguous+r.UnpairedExits != r.Stays {
		t.Errorf("%d stays, but %d exits", r.Stays, r.Paired+r.Ambiguous+r.UnpairedExits)
	}
	if a, b := Pairing(asAsked(7, 500)), Pairing(asAsked(7, 500)); a.Misread != b.Misread || a.Corrected != b.Corrected || a.MostInside != b.MostInside {
		t.Error("the same seed gives other traffic")
	}
}

// The figures of docs/measurements.md: `make pairing`.
func TestPairingFigures(t *testing.T) {
	if os.Getenv("GATEHOUSE_PAIRING") == "" {
		t.Skip("set GATEHOUSE_PAIRING=1, or run make pairing")
	}
	fmt.Println("per 100,000 stays                      wrongly_paired ambiguous unpaired_exits corrected plate_twice")
	for _, c := range []struct {
		name   string
		change func(*PairingOptions)
	}{
		{"as asked", func(*PairingOptions) {}},
		{"every misread shows", func(o *PairingOptions) { o.Sure = 0 }},
		{"no misread shows", func(o *PairingOptions) { o.Sure = 1 }},
		{"6 % misreads", func(o *PairingOptions) { o.Rate = 0.06 }},
		{"30 % of the visits by fleets", func(o *PairingOptions) { o.Traffic.Fleet = 0.3; o.Traffic.Fleets = 12 }},
		{"colour and shape seen", func(o *PairingOptions) { o.Looks = true }},
		{"0.2 % of entries and exits missed", func(o *PairingOptions) { o.Missed = 0.002 }},
	} {
		var sum PairingResult
		const seeds = 2
		for seed := range uint64(seeds) {
			o := asAsked(seed+1, 50_000)
			c.change(&o)
			r := Pairing(o)
			sum.WronglyPaired += r.WronglyPaired
			sum.Ambiguous += r.Ambiguous
			sum.UnpairedExits += r.UnpairedExits
			sum.Corrected += r.Corrected
			sum.Alarms += r.Alarms
		}
		fmt.Printf("%-38s %14d %9d %14d %9d %11d\n", c.name, sum.WronglyPaired, sum.Ambiguous, sum.UnpairedExits, sum.Corrected, sum.Alarms)
	}
}
