package parking

import (
	"time"

	"gatehouse"
)

// Payer is what pays for a stay without its driver.
type Payer string

// The payers.
const (
	PaysPass    Payer = "pass"    // one of value
	PaysInvoice Payer = "invoice" // the account is sent one
)

// Purse is a pass of value with what it holds, as the books have it.
type Purse struct {
	Pass  gatehouse.Pass
	Holds gatehouse.Money
}

// PaidBy says what pays for a stay that owes something at its exit: the first pass of value
// that is valid then and holds all of it, else the account that is sent invoices. A pass that
// holds less pays nothing: its driver decides. Nothing pays for a vehicle that was not read as
// the same at both ends: a misread plate costs nobody's pass.
func PaidBy(stay gatehouse.Stay, same bool, due gatehouse.Money, at time.Time, purses []Purse, invoice bool) (by Payer, pass gatehouse.ID) {
	if !same || due.Minor <= 0 {
		return "", gatehouse.ID{}
	}
	for _, p := range purses {
		p.Pass.Value = p.Holds
		if pays, _ := FromValue(p.Pass, due, at); fits(p.Pass.Classes, stay.Class) && pays == due {
			return PaysPass, p.Pass.ID
		}
	}
	if invoice {
		return PaysInvoice, gatehouse.ID{}
	}
	return "", gatehouse.ID{}
}

// Renewal is the next month of a season pass: from its end, or from now where that is over. ok
// is false where the pass has no price. zone is the site's: months are those of its calendar.
func Renewal(p gatehouse.Pass, now time.Time, zone *time.Location) (from, until time.Time, ok bool) {
	if p.Kind != gatehouse.SeasonPass || p.Price.Minor <= 0 || p.Until.IsZero() {
		return from, until, false
	}
	from = latest(p.Until, now.Truncate(time.Minute))
	return from, nextMonth(from.In(zone)).UTC(), true
}

// nextMonth is the same day and time of the next month, or its last day where it is shorter.
func nextMonth(t time.Time) time.Time {
	day := t.Day()
	last := time.Date(t.Year(), t.Month()+2, 0, 0, 0, 0, 0, t.Location()).Day()
	return time.Date(t.Year(), t.Month()+1, min(day, last), t.Hour(), t.Minute(), t.Second(), 0, t.Location())
}

// Sale is what an order costs, as a charge: one line, with the tax in it. A top-up has none:
// it is taxed when it is spent.
func Sale(o gatehouse.PassOrder) gatehouse.Charge {
	l := gatehouse.ChargeLine{Kind: gatehouse.RenewalLine, Name: o.Name, From: o.From, Until: o.Until, Amount: o.Amount.Minor, Right: o.Pass}
	tax := gatehouse.Money{Currency: o.Amount.Currency}
	if o.Kind == gatehouse.TopUpOrder {
		l.Kind = gatehouse.TopUpLine
	} else if n, ok := gatehouse.MulDiv(o.Amount.Minor, o.Tax, 10_000+o.Tax, gatehouse.RoundHalfUp); ok {
		tax.Minor = n
	}
	return gatehouse.Charge{Currency: o.Amount.Currency, From: o.From, Until: o.Until, Lines: []gatehouse.ChargeLine{l}, Total: o.Amount, Tax: tax}
}
