package books

import (
	"cmp"
	"slices"
	"time"

	"gatehouse"
)

// Day is what was booked on one day of the site's calendar, in one currency. Amounts are in
// minor units.
type Day struct {
	Day        gatehouse.Date
	Currency   gatehouse.Currency
	Charged    int64 // with tax
	Tax        int64
	Paid       map[string]int64 // by provider
	Refunded   int64            // less refunds that failed
	WrittenOff int64
	Disputed   int64 // withdrawn for disputes that began
	Won, Lost  int64 // of disputes that ended
	Fees       int64
	PaidOut    int64
	ToppedUp   int64 // put on passes of value, less what was given back
	Spent      int64 // paid by them
	Entries    int
}

// Days adds entries up by the day on which they were booked, oldest first.
func Days(entries []gatehouse.BookEntry, zone *time.Location) []Day {
	type key struct {
		day gatehouse.Date
		c   gatehouse.Currency
	}
	all := map[key]*Day{}
	for _, e := range entries {
		k := key{gatehouse.DateOf(e.Booked.In(zone)), e.Amount.Currency}
		d := all[k]
		if d == nil {
			d = &Day{Day: k.day, Currency: k.c, Paid: map[string]int64{}}
			all[k] = d
		}
		d.Entries++
		n := e.Amount.Minor
		switch e.Kind {
		case gatehouse.BookCharge:
			d.Charged += n
			d.Tax += e.Tax
		case gatehouse.BookPayment:
			d.Paid[e.Provider] += n
		case gatehouse.BookRefund:
			d.Refunded += n
		case gatehouse.BookRefundFailed:
			d.Refunded -= n
		case gatehouse.BookWriteOff:
			d.WrittenOff += n
		case gatehouse.BookDispute:
			d.Disputed += n
		case gatehouse.BookDisputeWon:
			d.Won += n
		case gatehouse.BookDisputeLost:
			d.Lost += n
		case gatehouse.BookFee:
			d.Fees += n
		case gatehouse.BookPayout:
			d.PaidOut += n
		case gatehouse.BookTopUp:
			d.ToppedUp += n
		case gatehouse.BookGiveBack:
			d.ToppedUp -= n
		case gatehouse.BookSpend:
			d.Spent += n
		}
	}
	var out []Day
	for _, d := range all {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Day) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Currency, b.Currency)) })
	return out
}

// Sum adds balances, by account and currency; what comes to nothing is left out.
func Sum(all ...[]gatehouse.Balance) []gatehouse.Balance {
	type key struct {
		a gatehouse.LedgerAccount
		c gatehouse.Currency
	}
	sums := map[key]int64{}
	for _, list := range all {
		for _, b := range list {
			sums[key{b.Account, b.Amount.Currency}] += b.Amount.Minor
		}
	}
	var out []gatehouse.Balance
	for k, n := range sums {
		if n != 0 {
			out = append(out, gatehouse.Balance{Account: k.a, Amount: gatehouse.Money{Minor: n, Currency: k.c}})
		}
	}
	slices.SortFunc(out, func(a, b gatehouse.Balance) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Amount.Currency, b.Amount.Currency))
	})
	return out
}
