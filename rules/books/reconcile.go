package books

import (
	"slices"
	"time"

	"gatehouse"
)

// Finding says how the books and a provider's account differ.
type Finding string

// The findings.
const (
	NotBooked  Finding = "not_booked"  // the provider has it, the books have not
	NotThere   Finding = "not_there"   // the other way round
	OtherMoney Finding = "other_money" // both have it, with another amount or currency
)

// Difference is one of them.
type Difference struct {
	Finding Finding
	Kind    gatehouse.BookKind // "" where the provider names something that moves no money here
	Object  string
	Payment string
	At      time.Time
	Here    gatehouse.Money // as it is booked
	There   gatehouse.Money // as the provider has it; as positive as here
}

// compared are the changes that a provider's account shows as lines of their own. A lost
// dispute moves nothing there: the money left when it began.
var compared = []gatehouse.BookKind{gatehouse.BookPayment, gatehouse.BookRefund, gatehouse.BookRefundFailed, gatehouse.BookDispute, gatehouse.BookDisputeWon, gatehouse.BookPayout}

// Compare holds the books against a provider's account for what happened at from or later
// and before until. Both lists should reach beyond, since two clocks are in it: entries are
// one provider's. fees are the fees of that time that are not booked yet, as events without
// place and provider.
func Compare(entries []gatehouse.BookEntry, lines []gatehouse.Movement, from, until time.Time) (found []Difference, fees []gatehouse.BookEvent) {
	type key struct {
		kind   gatehouse.BookKind
		object string
	}
	here, there := map[key]gatehouse.BookEntry{}, map[key]bool{}
	for _, e := range entries {
		here[key{e.Kind, e.Object}] = e
	}
	in := func(t time.Time) bool { return !t.Before(from) && t.Before(until) }
	fee := func(m gatehouse.Movement, n int64) {
		object := "fee/" + m.ID
		if _, ok := here[key{gatehouse.BookFee, object}]; !ok && n != 0 {
			fees = append(fees, gatehouse.BookEvent{Kind: gatehouse.BookFee, At: m.At, Object: object, Amount: gatehouse.Money{Minor: n, Currency: m.Amount.Currency}})
		}
	}
	for _, m := range lines {
		k := key{m.Kind, m.Object}
		there[k] = true
		if !in(m.At) {
			continue
		}
		if m.Kind == gatehouse.BookFee {
			fee(m, m.Fee-m.Amount.Minor)
			continue
		}
		fee(m, m.Fee)
		amount := m.Amount
		if amount.Minor < 0 {
			amount = amount.Neg()
		}
		e, ok := here[k]
		switch {
		case !ok:
			found = append(found, Difference{Finding: NotBooked, Kind: m.Kind, Object: m.Object, Payment: m.Payment, At: m.At, There: amount})
		case e.Amount != amount:
			found = append(found, Difference{Finding: OtherMoney, Kind: m.Kind, Object: m.Object, Payment: m.Payment, At: m.At, Here: e.Amount, There: amount})
		}
	}
	for _, e := range entries {
		if in(e.At) && slices.Contains(compared, e.Kind) && !there[key{e.Kind, e.Object}] {
			found = append(found, Difference{Finding: NotThere, Kind: e.Kind, Object: e.Object, Payment: e.Payment, At: e.At, Here: e.Amount})
		}
	}
	slices.SortStableFunc(found, func(a, b Difference) int { return a.At.Compare(b.At) })
	return found, fees
}
