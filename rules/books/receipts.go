package books

import (
	"slices"
	"time"

	"gatehouse"
)

// Receipts gives what was paid for one stay or order from a moment up to another, by number,
// and what went back then. Each holds as much of the tax as of the charge, which is known once
// it is booked.
func Receipts(entries []gatehouse.BookEntry, from, until time.Time) (out []gatehouse.Receipt) {
	var charged, tax int64
	deposit := false
	for _, e := range entries {
		deposit = deposit || e.Kind == gatehouse.BookTopUp
		if e.Kind == gatehouse.BookCharge {
			charged += e.Amount.Minor
			tax += e.Tax
		}
	}
	for _, e := range entries {
		amount := e.Amount
		switch e.Kind {
		case gatehouse.BookPayment, gatehouse.BookSpend, gatehouse.BookRefundFailed:
		case gatehouse.BookRefund:
			amount = amount.Neg()
		default:
			continue
		}
		if e.At.Before(from) || !e.At.Before(until) {
			continue
		}
		r := gatehouse.Receipt{Number: e.Number, At: e.At, Stay: e.Stay, Amount: amount, Tax: gatehouse.Money{Currency: amount.Currency}, Provider: e.Provider, Deposit: deposit}
		if n, ok := gatehouse.MulDiv(amount.Minor, tax, max(1, charged), gatehouse.RoundHalfUp); ok {
			r.Tax.Minor = n
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b gatehouse.Receipt) int { return int(a.Number) - int(b.Number) })
	return out
}
