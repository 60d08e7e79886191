// Package parking decides what a stay costs, who may come in, and whether an exit is
// paid: pure functions over values and a time. Tariffs are values; the package tariff
// reads and writes their files. Which stay an exit belongs to is rules/parking/pairing's.
package parking

import (
	"slices"
	"time"

	"gatehouse"
)

// MaxStay bounds what can be charged. Nobody parks longer: it is an exit that was missed.
const MaxStay = 400 * 24 * time.Hour

// Rights is what a stay has that a stranger's has not.
type Rights struct {
	Passes       []gatehouse.Pass
	Reservations []gatehouse.Reservation
	Validations  []gatehouse.Validation
	// Prior is what the same vehicle was charged in the 48 hours before, for caps across
	// stays: the Spent of its earlier charges.
	Prior []gatehouse.Spent
}

// InForce returns the version by which a stay that began at entered is charged. Without
// one it is "parking.no_tariff".
func InForce(t gatehouse.Tariff, entered time.Time) (gatehouse.TariffVersion, error) {
	for i := len(t.Versions) - 1; i >= 0; i-- {
		if v := t.Versions[i]; inForce(v, entered) {
			return v, nil
		}
	}
	return gatehouse.TariffVersion{}, gatehouse.Errorf("parking.no_tariff", "add a version that begins earlier", "no version of tariff %s was in force at %s", t.Name, entered.UTC().Format(time.RFC3339))
}

func inForce(v gatehouse.TariffVersion, entered time.Time) bool {
	return !entered.Before(v.From) && (v.Until.IsZero() || entered.Before(v.Until))
}

// Charge returns what the stay costs until then (its exit, or now), with the lines that
// it is the sum of. v is the version in force when it began, as Check has passed it.
// Seconds do not count: both times are taken as the minute that a clock shows.
//
// Errors: "parking.times" (until is before the entry), "parking.too_long" (more than
// MaxStay), "parking.wrong_version" (v was not in force then), "parking.validation".
func Charge(stay gatehouse.Stay, until time.Time, v gatehouse.TariffVersion, r Rights) (gatehouse.Charge, error) {
	if !inForce(v, stay.Entered) {
		return gatehouse.Charge{}, gatehouse.Errorf("parking.wrong_version", "a stay is charged by the tariff in force when it began", "version %d of tariff %s was not in force then", v.Number, v.Tariff)
	}
	entered, until := stay.Entered.Truncate(time.Minute).In(v.Zone), until.Truncate(time.Minute).In(v.Zone)
	switch {
	case until.Before(entered):
		return gatehouse.Charge{}, gatehouse.Errorf("parking.times", "look at the clocks of the lanes", "the stay ends before it begins")
	case until.Sub(entered) > MaxStay:
		return gatehouse.Charge{}, gatehouse.Errorf("parking.too_long", "close it as a missed exit", "the stay is longer than %d days", MaxStay/(24*time.Hour))
	}
	if err := checkValidations(v, r.Validations); err != nil {
		return gatehouse.Charge{}, err
	}
	b := &bill{v: &v, plan: planFor(&v, stay.Class), entered: entered, until: until, lost: stay.LostTicket, prior: r.Prior,
		charge: gatehouse.Charge{Tariff: v.Tariff, Version: v.Number, Currency: v.Currency, Class: stay.Class, From: entered, Until: until}}
	if v.Grace > 0 && until.Sub(entered) <= v.Grace && !stay.LostTicket {
		b.add(gatehouse.ChargeLine{Kind: gatehouse.GraceLine, From: entered, Until: until, Block: v.Grace})
		return b.close(), nil
	}
	b.time()
	b.passes(r)
	b.validations(r.Validations)
	b.round()
	b.tax()
	return b.close(), nil
}

// planFor returns the plan of the class, or the cars', which every tariff has.
func planFor(v *gatehouse.TariffVersion, class gatehouse.VehicleClass) *gatehouse.Plan {
	for _, c := range []gatehouse.VehicleClass{class, gatehouse.Car} {
		for i := range v.Plans {
			if slices.Contains(v.Plans[i].Classes, c) {
				return &v.Plans[i]
			}
		}
	}
	return &gatehouse.Plan{}
}

// bill is a charge while it is made.
type bill struct {
	v              *gatehouse.TariffVersion
	plan           *gatehouse.Plan
	entered, until time.Time
	lost           bool
	prior          []gatehouse.Spent
	charge         gatehouse.Charge
	total          int64
	covers         []gatehouse.Cover // of passes that counted
}

func (b *bill) add(l gatehouse.ChargeLine) {
	b.charge.Lines = append(b.charge.Lines, l)
	b.total += l.Amount
}

func (b *bill) close() gatehouse.Charge {
	b.charge.Total = gatehouse.Money{Minor: b.total, Currency: b.v.Currency}
	b.charge.Tax.Currency = b.v.Currency
	return b.charge
}

// price walks the time from complimentary minutes on, less what is covered.
func (b *bill) price(complimentary time.Duration, covered []gatehouse.Cover) *walker {
	w := &walker{cal: newCalendar(b.v, b.plan), occurrences: map[occurrence]int64{}, cuts: map[cutKey]int{}}
	prior := slices.Clone(b.prior)
	slices.SortFunc(prior, func(x, y gatehouse.Spent) int { return x.At.Compare(y.At) })
	for _, c := range b.plan.Caps {
		if m := newMeter(b.v, c, b.entered, prior); m != nil {
			w.caps = append(w.caps, m)
		}
		w.keepSpent = w.keepSpent || c.AcrossStays
	}
	w.run(b.entered.Add(complimentary), b.until, covered)
	return w
}

// withLost adds a lost ticket's price to what the time costs.
func (b *bill) withLost(time int64) int64 {
	lost := b.plan.Lost
	switch {
	case !b.lost:
	case lost.How == gatehouse.LostInstead:
		return lost.Price
	case lost.How == gatehouse.LostAtLeast:
		return max(time, lost.Price)
	case lost.How == gatehouse.LostAdded:
		return time + lost.Price
	}
	return time
}

// time adds the lines of what the tariff asks of anybody.
func (b *bill) time() {
	if b.lost && b.plan.Lost.How == gatehouse.LostInstead {
		b.add(gatehouse.ChargeLine{Kind: gatehouse.LostLine, Price: b.plan.Lost.Price, Amount: b.plan.Lost.Price})
		return
	}
	if b.v.Complimentary > 0 {
		b.add(gatehouse.ChargeLine{Kind: gatehouse.ComplimentaryLine, From: b.entered, Until: earlier(b.until, b.entered.Add(b.v.Complimentary)), Block: b.v.Complimentary})
	}
	w := b.price(b.v.Complimentary, nil)
	for _, l := range w.lines {
		b.add(l)
	}
	b.charge.Spent = w.spent
	if off := b.withLost(w.total) - w.total; off > 0 {
		b.add(gatehouse.ChargeLine{Kind: gatehouse.LostLine, Price: b.plan.Lost.Price, Amount: off})
	}
}

// round makes the price a multiple of what the tariff says. A cap is such a multiple,
// too, so that rounding up does not break it.
func (b *bill) round() {
	to := b.v.Round
	if to.To <= 1 {
		return
	}
	n, ok := gatehouse.MulDiv(b.total, 1, to.To, to.How)
	if off := n*to.To - b.total; ok && off != 0 {
		b.add(gatehouse.ChargeLine{Kind: gatehouse.RoundLine, Price: to.To, Amount: off})
	}
}

// tax says how much of the price is tax, or adds it.
func (b *bill) tax() {
	t := b.v.Tax
	if t.BasisPoints == 0 {
		return
	}
	if !t.Added {
		tax, _ := gatehouse.MulDiv(b.total, t.BasisPoints, 10_000+t.BasisPoints, gatehouse.RoundHalfUp)
		b.charge.Tax.Minor = tax
		return
	}
	tax, _ := gatehouse.MulDiv(b.total, t.BasisPoints, 10_000, gatehouse.RoundHalfUp)
	b.charge.Tax.Minor = tax
	if tax > 0 {
		b.add(gatehouse.ChargeLine{Kind: gatehouse.TaxLine, Name: t.Name, Price: t.BasisPoints, Amount: tax})
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
