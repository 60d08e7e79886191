package parking

import (
	"testing"
	"time"

	"gatehouse"

	"pgregory.net/rapid"
)

// Whatever the tariff and the rights: a charge is never negative, it is the sum of its
// lines, its tax is a part of it, and a minute more never makes it cheaper.
func TestChargesAddUpAndNeverFall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVersion(t, false)
		entered := drawEntry(t, v.Zone)
		r := drawRights(t, entered)
		lost := rapid.IntRange(0, 5).Draw(t, "lost ticket") == 0
		stay, more := drawStay(t), drawStay(t)
		var before gatehouse.Charge
		for i, until := range []time.Time{entered.Add(stay), entered.Add(stay + time.Minute), entered.Add(stay + time.Minute + more)} {
			c := charge(t, v, entered, until, lost, r)
			var sum int64
			for _, l := range c.Lines {
				sum += l.Amount
			}
			if c.Total.Minor != sum || sum < 0 || c.Tax.Minor < 0 || c.Tax.Minor > sum {
				t.Fatalf("%v: total %d, sum %d, tax %d", until, c.Total.Minor, sum, c.Tax.Minor)
			}
			if v.Round.To > 0 && !v.Tax.Added && sum%v.Round.To != 0 {
				t.Fatalf("%d is not rounded to %d", sum, v.Round.To)
			}
			if i > 0 && c.Total.Minor < before.Total.Minor {
				t.Fatalf("until %v it costs %d, until %v only %d:\n%v\n%v", before.Until, before.Total.Minor, c.Until, c.Total.Minor, before.Lines, c.Lines)
			}
			before = c
		}
	})
}

// Rights never make a stay dearer, and without any a stay costs what the tariff says.
func TestRightsNeverCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVersion(t, false)
		entered := drawEntry(t, v.Zone)
		until := entered.Add(drawStay(t))
		bare := charge(t, v, entered, until, false, Rights{})
		with := charge(t, v, entered, until, false, drawRights(t, entered))
		if with.Total.Minor > bare.Total.Minor {
			t.Fatalf("with rights %d, without %d: %v", with.Total.Minor, bare.Total.Minor, with.Lines)
		}
		counted := 0
		for _, l := range with.Lines {
			if l.Kind == gatehouse.ValidationLine {
				counted++
			}
		}
		if counted > v.MaxValidations {
			t.Fatalf("%d validations counted, %d may", counted, v.MaxValidations)
		}
	})
}

// spentWithin adds what was spent in the half-open time.
func spentWithin(all []gatehouse.Spent, from, until time.Time) (sum int64) {
	for _, s := range all {
		if !s.At.Before(from) && s.At.Before(until) {
			sum += s.Amount
		}
	}
	return sum
}

// keepsCaps looks at what was spent when, whatever the walk did: by the clock on the
// wall, by 24 hours from the entry, and in every 24 hours that begin with a payment.
func keepsCaps(t *rapid.T, v gatehouse.TariffVersion, entered time.Time, spent []gatehouse.Spent, oneStay bool) {
	for _, c := range v.Plans[0].Caps {
		local := entered.In(v.Zone)
		minute := local.Hour()*60 + local.Minute()
		if c.EnteredUntil > 0 && (minute < c.EnteredFrom || minute >= c.EnteredUntil) {
			continue
		}
		on := func(k gatehouse.DayKind) bool {
			for _, d := range c.Days {
				if d == k {
					return true
				}
			}
			return len(c.Days) == 0
		}
		if c.Per != gatehouse.CapDay && !on(kind(&v, dateOf(local))) {
			continue
		}
		switch c.Per {
		case gatehouse.CapDay:
			days := map[string]int64{}
			for _, s := range spent {
				l := s.At.In(v.Zone)
				d := time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, time.UTC)
				if l.Hour()*60+l.Minute() < c.DayBegins {
					d = d.AddDate(0, 0, -1)
				}
				if on(kind(&v, dateOf(d))) {
					days[d.Format(time.DateOnly)] += s.Amount
				}
			}
			for d, sum := range days {
				if sum > c.Amount {
					t.Fatalf("%s costs %d, at most %d", d, sum, c.Amount)
				}
			}
		case gatehouse.Cap24h:
			for from := entered; oneStay && from.Before(entered.Add(21*24*time.Hour)); from = from.Add(24 * time.Hour) {
				if sum := spentWithin(spent, from, from.Add(24*time.Hour)); sum > c.Amount {
					t.Fatalf("24 hours from %v cost %d, at most %d", from, sum, c.Amount)
				}
			}
		case gatehouse.CapRolling:
			for _, s := range spent {
				if sum := spentWithin(spent, s.At, s.At.Add(24*time.Hour)); sum > c.Amount {
					t.Fatalf("24 hours from %v cost %d, at most %d", s.At, sum, c.Amount)
				}
			}
		case gatehouse.CapStay:
			if sum := spentWithin(spent, time.Time{}, forever); oneStay && sum > c.Amount {
				t.Fatalf("the stay costs %d, at most %d", sum, c.Amount)
			}
		}
	}
}

// Caps hold over days of 23, 24 and 25 hours, leap days and a day that was left out.
func TestCapsHoldOnEveryCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVersion(t, true)
		entered := drawEntry(t, v.Zone)
		c := charge(t, v, entered, entered.Add(drawStay(t)), false, Rights{})
		keepsCaps(t, v, entered.Truncate(time.Minute), c.Spent, true)
		if sum := spentWithin(c.Spent, time.Time{}, forever); !v.Tax.Added && c.Total.Minor > sum {
			t.Fatalf("%d is charged, and %d accounted for", c.Total.Minor, sum)
		}
	})
}

// Whoever leaves and comes back pays no more in a day, or in any 24 hours, than the cap:
// in up to four pieces, with gaps.
func TestSplittingIsNeverDearerThanTheCap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVersion(t, true)
		v.Tax = gatehouse.Tax{}
		// Caps that depend on when a stay began would differ from piece to piece.
		for i := range v.Plans[0].Caps {
			c := &v.Plans[0].Caps[i]
			c.EnteredFrom, c.EnteredUntil = 0, 0
			if c.Per != gatehouse.CapDay {
				c.Days = nil
			}
		}
		at := drawEntry(t, v.Zone)
		first := at
		var spent []gatehouse.Spent
		for range rapid.IntRange(2, 4).Draw(t, "pieces") {
			until := at.Add(time.Duration(rapid.IntRange(0, 20*60).Draw(t, "piece")) * time.Minute)
			c := charge(t, v, at, until, false, Rights{Prior: spent})
			spent = append(spent, c.Spent...)
			at = until.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "gap")) * time.Minute)
		}
		keepsCaps(t, v, first, spent, false)
	})
}

// By hand: what daylight saving does to hours, days and nights.
func TestDaylightSaving(t *testing.T) {
	night, all := int64(300), everyDay
	hourly := gatehouse.Step{Block: time.Hour, Price: 100, Per: time.Hour}
	zone := at(t, "Europe/Berlin", "2026-01-01 00:00").Location()
	v := gatehouse.TariffVersion{Tariff: "t", Currency: "EUR", Zone: zone, Plans: []gatehouse.Plan{{Classes: []gatehouse.VehicleClass{gatehouse.Car},
		Periods: []gatehouse.Period{{Name: "day", Days: all, From: 6 * 60, Until: 22 * 60, Steps: []gatehouse.Step{hourly}}, {Name: "night", Days: all, From: 22 * 60, Until: 6 * 60, Flat: &night}}}}}
	for _, c := range []struct {
		from, until string
		cents       int64
	}{
		{"2026-03-28 21:00", "2026-03-29 07:00", 100 + 300 + 100}, // a night of 7 hours
		{"2026-10-24 21:00", "2026-10-25 07:00", 100 + 300 + 100}, // a night of 9 hours
		{"2026-03-29 01:30", "2026-03-29 03:30", 300},
		{"2026-10-25 02:30", "2026-10-25 03:30", 300},
		{"2026-03-28 10:00", "2026-03-30 10:00", 12*100 + 300 + 16*100 + 300 + 4*100},
	} {
		if got := charge(t, v, at(t, "Europe/Berlin", c.from), at(t, "Europe/Berlin", c.until), false, Rights{}); got.Total.Minor != c.cents {
			t.Errorf("%s to %s: %s, want %d: %v", c.from, c.until, got.Total, c.cents, got.Lines)
		}
	}
	// Prices that change at 02:30, which one night skips and another has twice.
	v.Plans[0].Periods = []gatehouse.Period{{Name: "early", Days: all, From: 150, Until: 12 * 60, Steps: []gatehouse.Step{{Block: time.Minute, Price: 1, Per: time.Minute}}},
		{Name: "late", Days: all, From: 12 * 60, Until: 150, Steps: []gatehouse.Step{{Block: time.Minute, Price: 10, Per: time.Minute}}}}
	for _, c := range []struct {
		from  time.Time
		hours int
		cents int64
	}{
		{at(t, "Europe/Berlin", "2026-03-29 01:00"), 2, 60*10 + 60},                                    // 01:00 to 02:00, then from 03:00
		{at(t, "Europe/Berlin", "2026-10-25 01:00"), 3, 90*10 + 90},                                    // the first 02:30 counts
		{time.Date(2026, 10, 25, 1, 10, 0, 0, time.UTC).In(zone), 1, 20*10 + 40},                       // begun in the second 02:10
		{at(t, "Europe/Berlin", "2026-06-01 01:00"), 2, 90*10 + 30},                                    // any other night
		{time.Date(2026, 10, 25, 0, 10, 0, 0, time.UTC).In(zone), 1, 20*10 + 40 /* the first 02:10 */}, // no price twice
	} {
		if got := charge(t, v, c.from, c.from.Add(time.Duration(c.hours)*time.Hour), false, Rights{}); got.Total.Minor != c.cents {
			t.Errorf("%v for %d hours: %d, want %d: %v", c.from, c.hours, got.Total.Minor, c.cents, got.Lines)
		}
	}
}

// By hand: a started block that goes on where other prices begin, and one that is cut.
func TestBoundaries(t *testing.T) {
	in := at(t, "UTC", "2026-03-02 19:30")
	for _, c := range []struct {
		cut   bool
		stay  time.Duration
		cents int64
	}{
		{false, 30 * time.Minute, 200}, {false, time.Hour, 200}, {false, 61 * time.Minute, 210}, {false, 2 * time.Hour, 260},
		{true, 30 * time.Minute, 200}, {true, 31 * time.Minute, 210}, {true, time.Hour, 230}, {true, 2 * time.Hour, 290},
	} {
		v := hourly(0)
		v.Cut, v.Grace = c.cut, 0
		day, night := v.Plans[0].Periods[0], v.Plans[0].Periods[0]
		day.From, day.Until, night.From, night.Until = 8*60, 20*60, 20*60, 8*60
		night.Steps = []gatehouse.Step{{Block: 10 * time.Minute, Price: 10, Per: 10 * time.Minute}}
		v.Plans[0].Periods = []gatehouse.Period{day, night}
		if got := charge(t, v, in, in.Add(c.stay), false, Rights{}); got.Total.Minor != c.cents {
			t.Errorf("cut %t, %v: %d, want %d: %v", c.cut, c.stay, got.Total.Minor, c.cents, got.Lines)
		}
	}
	// The same prices on the next day are no other prices.
	v := hourly(0)
	v.Cut = true
	if got := charge(t, v, at(t, "UTC", "2026-03-02 23:30"), at(t, "UTC", "2026-03-03 00:30"), false, Rights{}); got.Total.Minor != 200 {
		t.Errorf("an hour over midnight: %v", got.Lines)
	}
}

// By hand: a night is paid once, also where a pass covers its middle, and its line says
// when it ends.
func TestAFlatRateIsPaidOnce(t *testing.T) {
	v := hourly(0)
	night := int64(300)
	day := v.Plans[0].Periods[0]
	day.From, day.Until = 6*60, 22*60
	v.Plans[0].Periods = []gatehouse.Period{day, {Name: "night", Days: everyDay, From: 22 * 60, Until: 6 * 60, Flat: &night}}
	in := at(t, "UTC", "2026-03-02 23:00")
	pass := gatehouse.Pass{Kind: gatehouse.SeasonPass, From: in.Add(time.Hour), Until: in.Add(2 * time.Hour)}
	c := charge(t, v, in, in.Add(6*time.Hour), false, Rights{Passes: []gatehouse.Pass{pass}})
	// With the morning: 4 hours, of which a reservation covers two.
	both := Rights{Passes: []gatehouse.Pass{pass}, Reservations: []gatehouse.Reservation{{From: in.Add(9 * time.Hour), Until: in.Add(11 * time.Hour)}}}
	if long := charge(t, v, in, in.Add(11*time.Hour), false, both); long.Total.Minor != 300+2*200 {
		t.Errorf("a night with two hours of the morning: %v", long.Lines)
	}
	if c.Total.Minor != 300 || len(c.Lines) != 1 || !c.Lines[0].Until.Equal(at(t, "UTC", "2026-03-03 06:00")) {
		t.Errorf("%v", c.Lines)
	}
}

// By hand: ten minutes that are covered would let the first block begin where the night
// does, and so cost the night. They cost nothing instead.
func TestARightThatWouldCostDoesNothing(t *testing.T) {
	v := hourly(0)
	v.Grace, v.MaxValidations = 0, 1
	night := int64(1000)
	day := v.Plans[0].Periods[0]
	day.From, day.Until = 6*60, 18*60
	v.Plans[0].Periods = []gatehouse.Period{day, {Name: "night", Days: everyDay, From: 18 * 60, Until: 6 * 60, Flat: &night}}
	in := at(t, "UTC", "2026-03-02 17:50")
	for name, r := range map[string]Rights{
		"a pass":       {Passes: []gatehouse.Pass{{Kind: gatehouse.SeasonPass, From: in, Until: in.Add(10 * time.Minute)}}},
		"a validation": {Validations: []gatehouse.Validation{{Kind: gatehouse.TimeValidation, Time: 10 * time.Minute}}},
	} {
		c := charge(t, v, in, in.Add(50*time.Minute), false, r)
		if c.Total.Minor != 200 {
			t.Errorf("%s: %d: %v", name, c.Total.Minor, c.Lines)
		}
		for _, l := range c.Lines {
			if l.Kind == gatehouse.PassLine {
				t.Errorf("%s: a line says that it took something off: %+v", name, l)
			}
		}
	}
}

// By hand: a tax that is in the prices, and one that comes on top.
func TestTax(t *testing.T) {
	in := at(t, "UTC", "2026-03-02 10:00")
	for _, c := range []struct {
		added      bool
		total, tax int64
	}{{false, 1000, 160}, {true, 1190, 190}} {
		v := hourly(0)
		v.Tax = gatehouse.Tax{Name: "VAT", BasisPoints: 1900, Added: c.added}
		if got := charge(t, v, in, in.Add(5*time.Hour), false, Rights{}); got.Total.Minor != c.total || got.Tax.Minor != c.tax {
			t.Errorf("added %t: %s, tax %s", c.added, got.Total, got.Tax)
		}
	}
}

// Seconds do not count, and never to the driver's disadvantage.
func TestSecondsDoNotCount(t *testing.T) {
	hour := gatehouse.Step{Block: time.Hour, Price: 100, Per: time.Hour}
	v := gatehouse.TariffVersion{Currency: "EUR", Zone: time.UTC, Plans: []gatehouse.Plan{{Classes: []gatehouse.VehicleClass{gatehouse.Car}, Periods: []gatehouse.Period{{Days: everyDay, Until: dayMinutes, Steps: []gatehouse.Step{hour}}}}}}
	rapid.Check(t, func(t *rapid.T) {
		from := time.Date(2026, 3, 2, 10, 0, rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC)
		seconds := rapid.IntRange(0, 10_000).Draw(t, "seconds")
		c := charge(t, v, from, from.Add(time.Duration(seconds)*time.Second), false, Rights{})
		if most := int64((seconds+59)/60+59) / 60 * 100; c.Total.Minor > most {
			t.Fatalf("%d seconds cost %d, more than started minutes would: %d", seconds, c.Total.Minor, most)
		}
	})
	// Clocks show 10:00 and 11:00: an hour, whatever the seconds.
	from := time.Date(2026, 3, 2, 10, 0, 10, 0, time.UTC)
	if c := charge(t, v, from, from.Add(time.Hour+40*time.Second), false, Rights{}); c.Total.Minor != 100 {
		t.Errorf("an hour and 40 seconds cost %d", c.Total.Minor)
	}
}

func TestChargeRefuses(t *testing.T) {
	v := gatehouse.TariffVersion{Tariff: "t", Number: 2, Currency: "EUR", Zone: time.UTC, From: at(t, "UTC", "2026-01-01 00:00"), Until: at(t, "UTC", "2027-01-01 00:00")}
	entered := at(t, "UTC", "2026-05-01 10:00")
	for _, c := range []struct {
		entered, until time.Time
		r              Rights
		code           string
	}{
		{entered, entered.Add(-time.Minute), Rights{}, "parking.times"},
		{entered, entered.Add(MaxStay + time.Minute), Rights{}, "parking.too_long"},
		{v.From.Add(-time.Second), entered, Rights{}, "parking.wrong_version"},
		{v.Until, v.Until.Add(time.Hour), Rights{}, "parking.wrong_version"},
		{entered, entered, Rights{Validations: []gatehouse.Validation{{Kind: gatehouse.MoneyValidation, Money: gatehouse.Money{Minor: 100, Currency: "USD"}}}}, "parking.validation"},
		{entered, entered, Rights{Validations: []gatehouse.Validation{{Kind: gatehouse.MoneyValidation, Money: gatehouse.Money{Minor: -100, Currency: "EUR"}}}}, "parking.validation"},
		{entered, entered, Rights{Validations: []gatehouse.Validation{{Kind: gatehouse.PercentValidation, BasisPoints: 10_001}}}, "parking.validation"},
		{entered, entered, Rights{Validations: []gatehouse.Validation{{Kind: gatehouse.TimeValidation, Time: -time.Hour}}}, "parking.validation"},
	} {
		if _, err := Charge(gatehouse.Stay{Entered: c.entered}, c.until, v, c.r); gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%v to %v: %v, want %s", c.entered, c.until, err, c.code)
		}
	}
}

// A stay is charged by the version in force when it began, also where it ends in another.
func TestInForce(t *testing.T) {
	jan, feb := at(t, "UTC", "2026-01-01 00:00"), at(t, "UTC", "2026-02-01 00:00")
	tariff := gatehouse.Tariff{Name: "t", Versions: []gatehouse.TariffVersion{{Number: 1, From: jan, Until: feb}, {Number: 2, From: feb}}}
	for entered, want := range map[time.Time]int{jan: 1, feb.Add(-time.Second): 1, feb: 2, feb.AddDate(5, 0, 0): 2} {
		if v, err := InForce(tariff, entered); err != nil || v.Number != want {
			t.Errorf("%v: version %d, %v", entered, v.Number, err)
		}
	}
	if _, err := InForce(tariff, jan.Add(-time.Second)); gatehouse.ErrorCode(err) != "parking.no_tariff" {
		t.Errorf("before the first version: %v", err)
	}
}

// A day by the half hour with two caps: what a page asks for at every look.
func BenchmarkCharge(b *testing.B) {
	v := hourly(0)
	v.Plans[0].Periods[0].Steps[0] = gatehouse.Step{Block: 30 * time.Minute, Price: 100, Per: 30 * time.Minute}
	v.Plans[0].Caps = []gatehouse.Cap{{Per: gatehouse.CapDay, Amount: 1500}, {Per: gatehouse.CapRolling, Amount: 2000}}
	in := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := Charge(gatehouse.Stay{Class: gatehouse.Car, Entered: in}, in.Add(24*time.Hour), v, Rights{}); err != nil {
			b.Fatal(err)
		}
	}
}
