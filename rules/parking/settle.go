package parking

import (
	"slices"
	"time"

	"gatehouse"
)

// Bill is what a stay owes at a moment.
type Bill struct {
	Charge gatehouse.Charge // until now, or until the payment that settled it
	Paid   gatehouse.Money  // payments less refunds
	Due    gatehouse.Money  // never negative
	Back   gatehouse.Money  // what was paid too much
	// LeaveBy is until when the exit opens without another payment; zero where nothing
	// has settled the stay.
	LeaveBy time.Time
}

// Settle returns what the stay owes at now. A payment that covers what the stay cost
// when it was made gives the tariff's time to leave; after that, what the stay costs
// more is due. Payments may come in any order, and count at the time they were made;
// one of another currency is "parking.payment_currency". Errors are Charge's, too.
func Settle(stay gatehouse.Stay, now time.Time, v gatehouse.TariffVersion, r Rights, payments []gatehouse.Payment) (Bill, error) {
	b := Bill{Paid: gatehouse.Money{Currency: v.Currency}, Due: gatehouse.Money{Currency: v.Currency}, Back: gatehouse.Money{Currency: v.Currency}}
	inOrder := slices.Clone(payments)
	slices.SortStableFunc(inOrder, func(x, y gatehouse.Payment) int { return x.At.Compare(y.At) })
	var settled *gatehouse.Charge
	for _, p := range inOrder {
		if p.At.After(now) {
			break
		}
		var err error
		if b.Paid, err = b.Paid.Add(p.Amount); err != nil {
			return Bill{}, gatehouse.Errorf("parking.payment_currency", "refund it", "a payment cannot be counted: %w", err)
		}
		c, err := Charge(stay, latest(p.At, stay.Entered), v, r)
		if err != nil {
			return Bill{}, err
		}
		switch {
		case b.Paid.Minor < c.Total.Minor: // a refund, or not enough
			settled, b.LeaveBy = nil, time.Time{}
		case p.Amount.Minor > 0:
			settled, b.LeaveBy = &c, p.At.Add(v.ExitWithin)
		}
	}
	var err error
	if b.Charge, err = Charge(stay, now, v, r); err != nil {
		return Bill{}, err
	}
	if settled != nil && !now.After(b.LeaveBy) {
		b.Charge = *settled
	}
	switch more := b.Charge.Total.Minor - b.Paid.Minor; {
	case more > 0:
		b.Due.Minor = more
	default:
		b.Back.Minor = -more
	}
	return b, nil
}

// FromValue returns what a pass of value pays of what is due, and what it then holds.
// A pass of another currency, or that is not valid at t, pays nothing.
func FromValue(p gatehouse.Pass, due gatehouse.Money, t time.Time) (pays gatehouse.Money, left gatehouse.Money) {
	pays = gatehouse.Money{Currency: due.Currency}
	if p.Kind == gatehouse.ValuePass && p.Value.Currency == due.Currency && within(p, t) {
		pays.Minor = max(0, min(p.Value.Minor, due.Minor))
	}
	left = p.Value
	left.Minor -= pays.Minor
	return pays, left
}
