package books

import (
	"slices"

	"gatehouse"
)

// state is what the books know that bears upon an event.
type state struct {
	booked  bool               // the event itself, already
	stay    gatehouse.Currency // of the stay's entries; "" where it has none
	charges int                // how many charges the stay has
	charged int64              // their sum
	tax     int64              // the sum of their taxes
	owed    int64              // what the stay owes; negative where too much was paid
	payment payment
	// Of the refund or dispute that the event names:
	refunded int64
	disputed int64
	toppedUp int64 // by the order that the event names, less what was given back
	pass     pass
	ended    bool // the dispute was won or lost
}

// payment is what is known of the payment that the event names.
type payment struct {
	known    bool
	stay     gatehouse.ID
	amount   gatehouse.Money
	refunded int64 // less refunds that failed
}

// pass is what is known of the pass of value that the event names.
type pass struct {
	account  gatehouse.LedgerAccount
	currency gatehouse.Currency // "" where it never held anything
	holds    int64
}

func stateOf(e gatehouse.BookEvent, k gatehouse.BookKnown) state {
	var s state
	s.booked = e.Kind != gatehouse.BookCharge && slices.ContainsFunc(slices.Concat(k.OfStay, k.OfPayment), func(x gatehouse.BookEntry) bool {
		return x.Kind == e.Kind && x.Provider == e.Provider && x.Object == e.Object
	})
	for _, x := range k.OfStay {
		if s.stay == "" {
			s.stay = x.Amount.Currency
		}
		if x.Kind == gatehouse.BookCharge {
			s.charges++
			s.charged += x.Amount.Minor
			s.tax += x.Tax
		}
		s.owed += owed(x)
	}
	if ofPass(e.Kind) {
		s.ofPass(e, k.OfPayment)
		return s
	}
	for _, x := range k.OfPayment {
		same := x.Object == e.Object
		switch x.Kind {
		case gatehouse.BookPayment:
			s.payment.known, s.payment.stay, s.payment.amount = true, x.Stay, x.Amount
		case gatehouse.BookRefund:
			s.payment.refunded += x.Amount.Minor
			if same {
				s.refunded = x.Amount.Minor
			}
		case gatehouse.BookRefundFailed:
			s.payment.refunded -= x.Amount.Minor
		case gatehouse.BookDispute:
			if same {
				s.disputed = x.Amount.Minor
			}
		case gatehouse.BookDisputeWon, gatehouse.BookDisputeLost:
			s.ended = s.ended || same
		}
	}
	return s
}

// owed is what an entry adds to what its stay owes.
func owed(e gatehouse.BookEntry) (sum int64) {
	for _, p := range e.Postings {
		if p.Account == gatehouse.Receivable {
			sum += p.Amount
		}
	}
	return sum
}

// ofPass adds up what the entries of a pass of value left on it.
func (s *state) ofPass(e gatehouse.BookEvent, entries []gatehouse.BookEntry) {
	id, err := passOf(e)
	if err != nil {
		return // check has refused it
	}
	s.pass.account = gatehouse.Prepaid(id)
	for _, x := range entries {
		s.pass.currency = x.Amount.Currency
		for _, p := range x.Postings {
			if p.Account == s.pass.account {
				s.pass.holds -= p.Amount
			}
		}
		switch {
		case x.Stay != e.Stay:
		case x.Kind == gatehouse.BookTopUp:
			s.toppedUp += x.Amount.Minor
		case x.Kind == gatehouse.BookGiveBack:
			s.toppedUp -= x.Amount.Minor
		}
	}
}
