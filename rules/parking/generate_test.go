package parking

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse"

	"pgregory.net/rapid"
)

// Zones whose clocks change by an hour, by half an hour, at midnight, and never.
var zones = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Shanghai", "Pacific/Apia"}

// Moments around which calendars do something: clocks go forward and back, a leap day,
// a year's end, a day that Samoa left out.
var moments = []string{"2026-03-28", "2026-03-07", "2026-04-04", "2026-10-24", "2026-10-31", "2026-09-05", "2028-02-28", "2026-12-30", "2011-12-29"}

func drawZone(t *rapid.T) *time.Location {
	zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func drawEntry(t *rapid.T, zone *time.Location) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, rapid.SampledFrom(moments).Draw(t, "day"), zone)
	if err != nil {
		t.Fatal(err)
	}
	return day.Add(time.Duration(rapid.IntRange(0, 3*24*60).Draw(t, "minute")) * time.Minute)
}

func drawStay(t *rapid.T) time.Duration {
	most := rapid.SampledFrom([]int{60, 24 * 60, 10 * 24 * 60}).Draw(t, "most")
	return time.Duration(rapid.IntRange(0, most).Draw(t, "stay")) * time.Minute
}

var everyDay = []gatehouse.DayKind{0, 1, 2, 3, 4, 5, 6, 7}

// drawVersion makes any tariff that Check lets pass.
func drawVersion(t *rapid.T, across bool) gatehouse.TariffVersion {
	v := gatehouse.TariffVersion{Tariff: "any", Number: 1, Currency: "EUR", Zone: drawZone(t),
		Grace: minutes(t, "grace", 30), Complimentary: minutes(t, "complimentary", 60), ExitWithin: minutes(t, "exit", 30), Cut: rapid.Bool().Draw(t, "cut"),
		Holidays: []gatehouse.TariffHoliday{{Name: "easter", Year: 2026, Month: 4, Day: 5}, {Name: "new year", Month: 1, Day: 1}, {Name: "leap", Month: 2, Day: 29}}}
	to := int64(1)
	if rapid.Bool().Draw(t, "round") {
		to = rapid.SampledFrom([]int64{5, 10, 50}).Draw(t, "to")
		how := gatehouse.RoundDown
		if !across {
			how = rapid.SampledFrom([]gatehouse.Rounding{gatehouse.RoundDown, gatehouse.RoundUp, gatehouse.RoundHalfUp, gatehouse.RoundHalfEven}).Draw(t, "how")
		}
		v.Round = gatehouse.RoundTo{To: to, How: how}
	}
	if rapid.Bool().Draw(t, "tax") {
		v.Tax = gatehouse.Tax{Name: "tax", BasisPoints: rapid.Int64Range(1, 2500).Draw(t, "rate"), Added: rapid.Bool().Draw(t, "added")}
	}
	v.MaxValidations = rapid.IntRange(0, 3).Draw(t, "validations")
	plan := gatehouse.Plan{Classes: []gatehouse.VehicleClass{gatehouse.Car}}
	// Working days, and the others, each cut at up to three times of day.
	for i, days := range [][]gatehouse.DayKind{{1, 2, 3, 4, 5}, {0, 6, 7}} {
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, 95), 0, 3, rapid.ID).Draw(t, fmt.Sprintf("cuts%d", i))
		slices.Sort(cuts)
		for j, c := range cuts {
			next := 0
			if j+1 < len(cuts) {
				next = cuts[j+1]
			} else {
				next = cuts[0] // over midnight
			}
			if len(cuts) == 1 {
				break
			}
			plan.Periods = append(plan.Periods, drawPeriod(t, fmt.Sprintf("%d.%d", i, j), days, c*15, next*15, to))
		}
		if len(cuts) < 2 {
			plan.Periods = append(plan.Periods, drawPeriod(t, fmt.Sprintf("%d", i), days, 0, dayMinutes, to))
		}
	}
	for _, per := range []gatehouse.CapSpan{gatehouse.CapStay, gatehouse.CapDay, gatehouse.Cap24h, gatehouse.CapRolling} {
		if !rapid.Bool().Draw(t, "cap "+string(per)) {
			continue
		}
		c := gatehouse.Cap{Per: per, Amount: rapid.Int64Range(0, 60).Draw(t, "amount") * 50}
		if per == gatehouse.CapDay {
			c.DayBegins = rapid.SampledFrom([]int{0, 0, 360, 150}).Draw(t, "begins")
		}
		if rapid.IntRange(0, 4).Draw(t, "early bird") == 0 {
			c.EnteredFrom, c.EnteredUntil = 300, 600
		}
		if rapid.IntRange(0, 4).Draw(t, "some days") == 0 {
			c.Days = []gatehouse.DayKind{1, 2, 3}
		}
		c.AcrossStays = across && (per == gatehouse.CapDay || per == gatehouse.CapRolling)
		plan.Caps = append(plan.Caps, c)
	}
	if across { // never reached; so that what was spent is kept
		plan.Caps = append(plan.Caps, gatehouse.Cap{Per: gatehouse.CapRolling, Amount: maxPrice / 50 * 50, AcrossStays: true})
	}
	plan.Lost = gatehouse.LostTicket{Price: rapid.Int64Range(0, 5000).Draw(t, "lost"), How: rapid.SampledFrom([]gatehouse.LostHow{"", gatehouse.LostInstead, gatehouse.LostAtLeast, gatehouse.LostAdded}).Draw(t, "lost how")}
	v.Plans = []gatehouse.Plan{plan}
	if found := Check(gatehouse.Tariff{Name: "any", Versions: []gatehouse.TariffVersion{v}}); len(found) > 0 {
		t.Fatalf("the generator made a tariff that Check refuses: %v", found)
	}
	return v
}

func minutes(t *rapid.T, name string, most int) time.Duration {
	if rapid.Bool().Draw(t, "no "+name) {
		return 0
	}
	return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Minute
}

func drawPeriod(t *rapid.T, name string, days []gatehouse.DayKind, from, until int, to int64) gatehouse.Period {
	p := gatehouse.Period{Name: name, Days: days, From: from, Until: until, Restart: rapid.Bool().Draw(t, "restart")}
	if rapid.IntRange(0, 3).Draw(t, "capped") == 0 {
		most := rapid.Int64Range(0, 20).Draw(t, "period cap") * to * 50 / gcd(to, 50)
		p.Cap = &most
	}
	if rapid.IntRange(0, 3).Draw(t, "flat") == 0 {
		flat := rapid.Int64Range(0, 1000).Draw(t, "flat price")
		p.Flat = &flat
		return p
	}
	p.Repeat = rapid.IntRange(0, 3).Draw(t, "repeat") == 0
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		block := time.Duration(rapid.SampledFrom([]int{1, 7, 15, 30, 60, 240, 1440}).Draw(t, "block")) * time.Minute
		s := gatehouse.Step{Block: block, Per: block, Price: rapid.Int64Range(0, 500).Draw(t, "price"), For: block * time.Duration(rapid.IntRange(1, 5).Draw(t, "for"))}
		if rapid.IntRange(0, 3).Draw(t, "proportion") == 0 {
			s.Per = max(block, time.Hour)
		}
		_ = i
		p.Steps = append(p.Steps, s)
	}
	if !p.Repeat {
		p.Steps[len(p.Steps)-1].For = 0
	}
	return p
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// drawRights makes passes, reservations and validations that are about the stay.
func drawRights(t *rapid.T, entered time.Time) Rights {
	var r Rights
	around := func(name string) time.Time {
		return entered.Add(time.Duration(rapid.IntRange(-2*24*60, 6*24*60).Draw(t, name)) * time.Minute)
	}
	for range rapid.IntRange(0, 2).Draw(t, "passes") {
		p := gatehouse.Pass{ID: gatehouse.RandomID(), Name: "pass", Kind: rapid.SampledFrom([]gatehouse.PassKind{gatehouse.SeasonPass, gatehouse.SeasonPass, gatehouse.UsesPass, gatehouse.ExitPass, gatehouse.ValuePass}).Draw(t, "kind"), Uses: rapid.IntRange(0, 1).Draw(t, "uses")}
		p.From = around("from")
		p.Until = p.From.Add(time.Duration(rapid.IntRange(1, 5*24*60).Draw(t, "length")) * time.Minute)
		if rapid.Bool().Draw(t, "windows") {
			for d := range time.Weekday(7) {
				p.Windows = append(p.Windows, gatehouse.Window{Day: d, From: 8 * 60, Until: 18 * 60})
			}
		}
		r.Passes = append(r.Passes, p)
	}
	if rapid.IntRange(0, 3).Draw(t, "reservation") == 0 {
		from := around("reserved")
		r.Reservations = append(r.Reservations, gatehouse.Reservation{From: from, Until: from.Add(3 * time.Hour), Early: 15 * time.Minute, Late: 30 * time.Minute})
	}
	for range rapid.IntRange(0, 3).Draw(t, "given") {
		r.Validations = append(r.Validations, gatehouse.Validation{ID: gatehouse.RandomID(), Issuer: "shop", At: around("issued"), Kind: rapid.SampledFrom(order).Draw(t, "gives"),
			Time: time.Duration(rapid.IntRange(1, 300).Draw(t, "time")) * time.Minute, Money: gatehouse.Money{Minor: rapid.Int64Range(1, 900).Draw(t, "money"), Currency: "EUR"},
			BasisPoints: rapid.Int64Range(1, 10_000).Draw(t, "share")})
	}
	return r
}

func charge(t interface{ Fatal(...any) }, v gatehouse.TariffVersion, entered, until time.Time, lost bool, r Rights) gatehouse.Charge {
	c, err := Charge(gatehouse.Stay{Class: gatehouse.Car, Entered: entered, LostTicket: lost}, until, v, r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t *testing.T, zone, when string) time.Time {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	u, err := time.ParseInLocation("2006-01-02 15:04", when, z)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
