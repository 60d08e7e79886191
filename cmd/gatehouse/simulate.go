package main

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/lab/simulate"
)

// SimulateCmd simulates a site.
type SimulateCmd struct {
	Parking SimulateParkingCmd `cmd:"" help:"Simulate days of a car park through the product's own lanes, store and stays: arrivals, misreads, payments, failures."`
}

// SimulateParkingCmd simulates a car park.
type SimulateParkingCmd struct {
	Days     float64       `help:"How many days." default:"7"`
	Seed     uint64        `help:"The same seed gives the same traffic." default:"1"`
	Spaces   int           `help:"How many spaces." default:"500"`
	Gap      time.Duration `help:"The mean time between two arrivals, by day." default:"20s"`
	Misread  float64       `help:"Share of readings that are wrong." default:"0.03"`
	Two      float64       `help:"Share of the wrong ones with two wrong characters; the others have one." default:"0.05"`
	Dropped  float64       `help:"Share of the wrong characters that are dropped or added; the others are taken for a lookalike." default:"0.2"`
	Sure     float64       `help:"Share of the wrong readings that show no doubt." default:"0.27"`
	Named    float64       `help:"Share of the other wrong readings that name the truth among their candidates." default:"0.88"`
	Fleet    float64       `help:"Share of the visits by fleets with consecutive plates." default:"0.1"`
	Missed   float64       `help:"Share of entries, and of exits, that no camera saw." default:"0"`
	Prepaid  float64       `help:"Share of drivers who pay before they drive to the exit." default:"0.3"`
	Attended time.Duration `help:"After which time a person has looked at an exit that was not paired." default:"1h"`
	Failing  float64       `help:"Share of payments that fail and are tried again." default:"0.02"`
	Mistyped float64       `help:"Share of the plates that drivers type with one wrong character." default:"0.02"`
}

// Run simulates and prints what became of it.
func (cmd SimulateParkingCmd) Run(ctx context.Context, out *Out) error {
	for _, share := range []float64{cmd.Misread, cmd.Two, cmd.Dropped, cmd.Sure, cmd.Named, cmd.Fleet, cmd.Missed, cmd.Prepaid, cmd.Failing, cmd.Mistyped} {
		if !(share >= 0 && share <= 1) {
			return gatehouse.Errorf("simulate.share", "use 0 to 1", "a share lies from 0 to 1")
		}
	}
	if !(cmd.Days > 0 && cmd.Days <= 400) || cmd.Spaces < 1 || cmd.Spaces > 100_000 || cmd.Gap < time.Second {
		return gatehouse.Errorf("simulate.size", "use up to 400 days, 100000 spaces, and a gap of a second or more", "this cannot be simulated")
	}
	traffic := simulate.Default
	traffic.Spaces, traffic.Gap, traffic.Fleet = cmd.Spaces, cmd.Gap, cmd.Fleet
	r, err := simulate.Parking(ctx, simulate.ParkingOptions{Seed: cmd.Seed, Days: cmd.Days, Traffic: traffic, Missed: cmd.Missed, Prepaid: cmd.Prepaid, Failing: cmd.Failing, Mistyped: cmd.Mistyped, Attended: cmd.Attended,
		Misreads: simulate.Misreads{Rate: cmd.Misread, Two: cmd.Two, Gap: cmd.Dropped, Sure: cmd.Sure, Named: cmd.Named}})
	return tell(out, r, err, func(r simulate.ParkingResult) {
		out.Say("%d stays: %d paired (%d corrected), %d ambiguous, %d exits unpaired, %d wrongly paired, %d drivers wronged", r.Stays, r.Paired, r.Corrected, r.Ambiguous, r.UnpairedExits, r.WronglyPaired, r.FinedWrongly)
		out.Say("revenue: %d expected, %d booked (minor units of %s); %d stays booked differently", r.RevenueExpected, r.RevenueBooked, r.Currency, r.Differ)
		out.Say("%d readings were wrong, %d vehicles found it full, %d entries of a plate that was inside, %d exits attached by a person, %d let out by hand", r.Misread, r.TurnedAway, r.Alarms, r.Attached, r.LetOut)
	})
}
