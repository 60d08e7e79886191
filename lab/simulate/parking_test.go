package simulate

import (
	"testing"
	"time"
)

// week is a car park as issue and docs ask for it, of fewer days.
func week(seed uint64, days float64) ParkingOptions {
	return ParkingOptions{Seed: seed, Days: days, Traffic: Default, Misreads: asAsked(seed, 0).Misreads, Prepaid: 0.3, Failing: 0.02, Mistyped: 0.02, Attended: time.Hour}
}

func TestASimulatedCarParkThroughTheProduct(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a day takes eight seconds of a core; not with -short")
	}
	r, err := Parking(t.Context(), week(1, 0.25))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Stays < 900 || r.Misread < 20 || r.Paired < 800 || r.RevenueBooked == 0 {
		t.Errorf("the simulation says little: %+v", r)
	}
	if r.WronglyPaired > 0 || r.FinedWrongly > 0 || r.RevenueBooked != r.RevenueExpected || r.Differ > 0 {
		t.Errorf("drivers are wronged, or the books are wrong: %+v", r)
	}
	if r.Ambiguous*200 > r.Stays || r.UnpairedExits*200 > r.Stays {
		t.Errorf("too much is left to a person: %+v", r)
	}
	if got := r.Paired + r.Ambiguous + r.UnpairedExits; got != r.Stays {
		t.Errorf("%d stays, and %d exits", r.Stays, got)
	}
}
