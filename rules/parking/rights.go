package parking

import (
	"slices"
	"time"

	"gatehouse"
)

// forever is later than any stay's end.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// passes takes off what season passes and reservations cover, and then, if something
// is left, what one pass of uses or one exit does. What the time beside covered hours
// costs is walked anew; where that would be dearer (a flat rate that the whole stay's
// caps swallowed), the pass does nothing.
func (b *bill) passes(r Rights) {
	if b.lost && b.plan.Lost.How == gatehouse.LostInstead {
		return
	}
	for _, cover := range coversOf(b.v, b.charge.Class, b.entered, b.until, r) {
		b.cover(cover)
	}
	for _, p := range r.Passes {
		whole := p.Kind == gatehouse.ExitPass || p.Kind == gatehouse.UsesPass && p.Uses > 0
		if b.total > 0 && whole && fits(p.Classes, b.charge.Class) && within(p, b.entered) {
			b.cover([]gatehouse.Cover{{From: b.entered, Until: forever, Right: p.ID, Name: p.Name}})
			return
		}
	}
}

// cover takes off what the times of one right save, together with those before it.
func (b *bill) cover(times []gatehouse.Cover) {
	if len(times) == 0 || b.total == 0 {
		return
	}
	b.covers = append(b.covers, times...)
	rest := b.withLost(b.price(b.v.Complimentary, b.covers).total)
	if off := b.total - rest; off > 0 {
		b.add(gatehouse.ChargeLine{Kind: gatehouse.PassLine, Name: times[0].Name, From: latest(b.entered, times[0].From), Until: earlier(b.until, times[len(times)-1].Until), Amount: -off, Right: times[0].Right})
	}
}

// coversOf returns the times that each season pass and reservation covers.
func coversOf(v *gatehouse.TariffVersion, class gatehouse.VehicleClass, entered, until time.Time, r Rights) [][]gatehouse.Cover {
	var all [][]gatehouse.Cover
	for _, p := range r.Passes {
		if p.Kind != gatehouse.SeasonPass || !fits(p.Classes, class) || !p.Until.After(entered) || p.From.After(until) {
			continue
		}
		if len(p.Windows) == 0 {
			all = append(all, []gatehouse.Cover{{From: p.From, Until: p.Until, Right: p.ID, Name: p.Name}})
			continue
		}
		var covers []gatehouse.Cover
		for d := dateOf(entered.In(v.Zone)).plus(-1); ; d = d.plus(1) {
			if instants(d, 0, v.Zone)[0].After(until) {
				break
			}
			weekday := time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC).Weekday()
			for _, w := range p.Windows {
				if w.Day != weekday {
					continue
				}
				last := instants(d, w.Until, v.Zone)
				c := gatehouse.Cover{From: latest(p.From, instants(d, w.From, v.Zone)[0]), Until: earlier(p.Until, last[len(last)-1]), Right: p.ID, Name: p.Name}
				if c.From.Before(c.Until) && c.Until.After(entered) && c.From.Before(until) {
					covers = append(covers, c)
				}
			}
		}
		all = append(all, covers)
	}
	for _, res := range r.Reservations {
		c := gatehouse.Cover{From: res.From.Add(-res.Early), Until: res.Until.Add(res.Late), Right: res.ID, Name: "reservation"}
		if fits(res.Classes, class) && c.Until.After(entered) && c.From.Before(until) {
			all = append(all, []gatehouse.Cover{c})
		}
	}
	return all
}

func fits(classes []gatehouse.VehicleClass, class gatehouse.VehicleClass) bool {
	return len(classes) == 0 || slices.Contains(classes, class)
}

// within reports whether the pass is valid at t; a zero bound is none.
func within(p gatehouse.Pass, t time.Time) bool {
	return !t.Before(p.From) && (p.Until.IsZero() || t.Before(p.Until))
}

// order is in which validations count: first what shortens the time, then what is a
// share of the price, then what is money; so that the order of scanning does not matter.
var order = []gatehouse.ValidationKind{gatehouse.TimeValidation, gatehouse.PercentValidation, gatehouse.MoneyValidation, gatehouse.FullValidation}

func checkValidations(v gatehouse.TariffVersion, all []gatehouse.Validation) error {
	for _, x := range all {
		switch {
		case !slices.Contains(order, x.Kind),
			x.Kind == gatehouse.TimeValidation && (x.Time <= 0 || x.Time > MaxStay),
			x.Kind == gatehouse.PercentValidation && (x.BasisPoints <= 0 || x.BasisPoints > 10_000),
			x.Kind == gatehouse.MoneyValidation && (x.Money.Minor <= 0 || x.Money.Minor > gatehouse.MaxMinor || x.Money.Currency != v.Currency):
			return gatehouse.Errorf("parking.validation", "issue it again", "a validation of %s gives nothing that this tariff can count", x.Issuer)
		}
	}
	return nil
}

// validations takes off what shops give. The first MaxValidations to have been issued
// count; the others are named, so that nobody wonders.
func (b *bill) validations(all []gatehouse.Validation) {
	byTime := slices.Clone(all)
	slices.SortStableFunc(byTime, func(x, y gatehouse.Validation) int { return x.At.Compare(y.At) })
	n := min(len(byTime), b.v.MaxValidations)
	counted, beyond := byTime[:n], byTime[n:]
	slices.SortStableFunc(counted, func(x, y gatehouse.Validation) int { return slices.Index(order, x.Kind) - slices.Index(order, y.Kind) })

	before := b.total
	var free time.Duration
	for _, x := range counted {
		var off int64
		switch x.Kind {
		case gatehouse.TimeValidation:
			free = min(free+x.Time, MaxStay)
			if b.lost && b.plan.Lost.How == gatehouse.LostInstead {
				break
			}
			off = b.total - b.withLost(b.price(b.v.Complimentary+free, b.covers).total)
		case gatehouse.PercentValidation:
			// In the driver's favour: what is left is rounded down.
			off, _ = gatehouse.MulDiv(b.total, x.BasisPoints, 10_000, gatehouse.RoundUp)
		case gatehouse.MoneyValidation:
			off = x.Money.Minor
		case gatehouse.FullValidation:
			off = b.total
		}
		off = max(0, min(off, b.total))
		b.add(gatehouse.ChargeLine{Kind: gatehouse.ValidationLine, Name: x.Issuer, Block: x.Time, Price: x.BasisPoints, Amount: -off, Right: x.ID})
	}
	for _, x := range beyond {
		if before > 0 {
			b.add(gatehouse.ChargeLine{Kind: gatehouse.IgnoredLine, Name: x.Issuer, Count: int64(b.v.MaxValidations), Right: x.ID})
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
