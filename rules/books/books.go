// Package books decides what an event changes in the books: double entry, in integer minor
// units, every entry of one currency with postings that add up to nothing. Pure functions
// of the event and of what the books know by then, so that the same event, told twice, late
// or in another order, changes them once.
package books

import (
	"slices"
	"strconv"

	"gatehouse"
)

// Decide implements gatehouse.BookDecision. Errors: "books.malformed", "books.currency",
// "books.too_much" (more is refunded or disputed than was paid, or more written off than
// owed). What is about a payment, refund or dispute that is not booked yet waits for it.
func Decide(e gatehouse.BookEvent, known gatehouse.BookKnown) (gatehouse.BookEntry, gatehouse.BookOutcome, error) {
	if err := check(e); err != nil {
		return gatehouse.BookEntry{}, "", err
	}
	s := stateOf(e, known)
	if s.booked {
		return gatehouse.BookEntry{}, gatehouse.BookDuplicate, nil
	}
	if ofPayment(e.Kind) {
		if !s.payment.known {
			return gatehouse.BookEntry{}, gatehouse.BookWaiting, nil
		}
		e.Stay = s.payment.stay
		if e.Amount.Currency != s.payment.amount.Currency {
			return gatehouse.BookEntry{}, "", currency()
		}
	}
	if ofPass(e.Kind) && s.pass.currency != "" && e.Amount.Currency != s.pass.currency {
		return gatehouse.BookEntry{}, "", currency()
	}
	if ofStay(e.Kind) && s.stay != "" && e.Amount.Currency != s.stay {
		return gatehouse.BookEntry{}, "", currency()
	}
	postings, outcome, err := decide(&e, s)
	if err != nil || outcome != gatehouse.Booked {
		return gatehouse.BookEntry{}, outcome, err
	}
	return gatehouse.BookEntry{BookEvent: e, Key: key(e, s), Postings: postings}, gatehouse.Booked, nil
}

// key names an event once and for all. A charge is named by its place among the stay's
// charges: what makes it count once is that its difference is booked.
func key(e gatehouse.BookEvent, s state) string {
	switch e.Kind {
	case gatehouse.BookCharge:
		return "charge/" + e.Stay.String() + "/" + strconv.Itoa(s.charges+1)
	case gatehouse.BookWriteOff:
		return "write_off/" + e.Object
	}
	return e.Provider + "/" + string(e.Kind) + "/" + e.Object
}

// decide gives the postings; a charge's event becomes the difference.
func decide(e *gatehouse.BookEvent, s state) ([]gatehouse.Posting, gatehouse.BookOutcome, error) {
	amount := e.Amount.Minor
	held := gatehouse.Held(e.Provider)
	switch e.Kind {
	case gatehouse.BookCharge:
		e.Amount.Minor, e.Tax = amount-s.charged, e.Tax-s.tax
		if e.Amount.Minor == 0 && e.Tax == 0 {
			return nil, gatehouse.BookUnchanged, nil
		}
		return postings(gatehouse.Receivable, e.Amount.Minor, gatehouse.Revenue, e.Tax-e.Amount.Minor, gatehouse.TaxOwed, -e.Tax), gatehouse.Booked, nil

	case gatehouse.BookPayment:
		return move(amount, held, gatehouse.Receivable)

	case gatehouse.BookWriteOff:
		if amount > s.owed {
			return nil, "", gatehouse.Errorf("books.too_much", "write off what is owed, or less", "more would be written off than the stay owes")
		}
		return move(amount, gatehouse.WrittenOff, gatehouse.Receivable)

	case gatehouse.BookRefund:
		if amount > left(s.payment) {
			return nil, "", gatehouse.Errorf("books.too_much", "look at the payment at the provider", "more was refunded than was left of the payment")
		}
		return move(amount, gatehouse.Receivable, held)

	case gatehouse.BookRefundFailed:
		if s.refunded == 0 {
			return nil, gatehouse.BookWaiting, nil
		}
		e.Amount.Minor = s.refunded
		return move(s.refunded, held, gatehouse.Receivable)

	case gatehouse.BookDispute:
		if amount > s.payment.amount.Minor {
			return nil, "", gatehouse.Errorf("books.too_much", "look at the payment at the provider", "more is disputed than was paid")
		}
		return move(amount, gatehouse.Disputed(e.Provider), held)

	case gatehouse.BookDisputeWon, gatehouse.BookDisputeLost:
		if s.disputed == 0 {
			return nil, gatehouse.BookWaiting, nil
		}
		if s.ended { // a dispute ends once: whatever came first
			return nil, gatehouse.BookDuplicate, nil
		}
		e.Amount.Minor = s.disputed
		to := held
		if e.Kind == gatehouse.BookDisputeLost {
			to = gatehouse.LostDisputes
		}
		return move(s.disputed, to, gatehouse.Disputed(e.Provider))

	case gatehouse.BookTopUp:
		return move(amount, gatehouse.Receivable, s.pass.account)

	case gatehouse.BookSpend:
		if amount > s.pass.holds || amount > s.owed {
			return nil, "", gatehouse.Errorf("books.too_much", "put money on the pass, or pay another way", "more would be spent than the pass holds, or than the stay owes")
		}
		return move(amount, s.pass.account, gatehouse.Receivable)

	case gatehouse.BookGiveBack:
		if amount > s.pass.holds || amount > s.toppedUp {
			return nil, "", gatehouse.Errorf("books.too_much", "give back what is left, or less", "more would be given back than the pass holds of this order")
		}
		return move(amount, s.pass.account, gatehouse.Receivable)

	case gatehouse.BookFee:
		return move(amount, gatehouse.Fees(e.Provider), held)

	case gatehouse.BookPayout:
		return move(amount, gatehouse.BankAccount, held)
	}
	return nil, "", malformed("there is no such change")
}

// move is a posting from one account to another.
func move(amount int64, debit, credit gatehouse.LedgerAccount) ([]gatehouse.Posting, gatehouse.BookOutcome, error) {
	return postings(debit, amount, credit, -amount, "", 0), gatehouse.Booked, nil
}

func postings(a gatehouse.LedgerAccount, x int64, b gatehouse.LedgerAccount, y int64, c gatehouse.LedgerAccount, z int64) []gatehouse.Posting {
	all := []gatehouse.Posting{{Account: a, Amount: x}, {Account: b, Amount: y}, {Account: c, Amount: z}}
	return slices.DeleteFunc(all, func(p gatehouse.Posting) bool { return p.Amount == 0 })
}

// left is what of a payment can still be given back.
func left(p payment) int64 { return p.amount.Minor - p.refunded }

// ofPayment reports whether a change is about a payment that must be known.
func ofPayment(k gatehouse.BookKind) bool {
	switch k {
	case gatehouse.BookRefund, gatehouse.BookRefundFailed, gatehouse.BookDispute, gatehouse.BookDisputeWon, gatehouse.BookDisputeLost:
		return true
	}
	return false
}

// ofStay reports whether a change needs a stay of its own saying.
func ofStay(k gatehouse.BookKind) bool {
	return k == gatehouse.BookCharge || k == gatehouse.BookPayment || k == gatehouse.BookWriteOff || ofPass(k)
}

// ofPass reports whether a change moves what a pass of value holds.
func ofPass(k gatehouse.BookKind) bool {
	return k == gatehouse.BookTopUp || k == gatehouse.BookSpend || k == gatehouse.BookGiveBack
}

// passOf reads the pass that an event of it names.
func passOf(e gatehouse.BookEvent) (gatehouse.ID, error) {
	if e.Provider != gatehouse.FromPass {
		return gatehouse.ID{}, malformed("what a pass holds is its own provider")
	}
	return gatehouse.ParseID(e.Payment)
}

func check(e gatehouse.BookEvent) error {
	_, known := e.Amount.Currency.Exponent()
	switch {
	case !slices.Contains(gatehouse.BookKinds, e.Kind):
		return malformed("there is no such change")
	case !known:
		return currency()
	case e.Amount.Minor > gatehouse.MaxMinor || e.Amount.Minor < -gatehouse.MaxMinor:
		return malformed("the amount is larger than any that can be booked")
	case e.Amount.Minor < 0 && e.Kind != gatehouse.BookFee && e.Kind != gatehouse.BookPayout:
		return malformed("the amount is negative")
	case e.Amount.Minor == 0 && e.Kind != gatehouse.BookCharge && !ends(e.Kind):
		return malformed("the amount is nothing")
	case e.Kind == gatehouse.BookCharge && (e.Tax < 0 || e.Tax > e.Amount.Minor):
		return malformed("the tax is more than the charge that holds it")
	case e.Kind != gatehouse.BookCharge && e.Tax != 0:
		return malformed("only a charge has a tax")
	case ofStay(e.Kind) && e.Stay.IsZero():
		return malformed("it names no stay")
	case e.Kind != gatehouse.BookCharge && (e.Object == "" || len(e.Object) > 255 || len(e.Payment) > 255 || len(e.Notice) > 255):
		return malformed("it has no id, or one that is too long")
	case ofPass(e.Kind) != (e.Provider == gatehouse.FromPass):
		return malformed("only what a pass holds has no other provider")
	case (e.Kind == gatehouse.BookPayment || ofPayment(e.Kind) || ofPass(e.Kind)) && e.Payment == "":
		return malformed("it names no payment")
	case e.Kind == gatehouse.BookPayment && e.Payment != e.Object:
		return malformed("a payment has one id")
	case e.Kind != gatehouse.BookCharge && e.Kind != gatehouse.BookWriteOff && gatehouse.CheckName(e.Provider) != nil:
		return malformed("it names no provider")
	case e.Kind == gatehouse.BookWriteOff && (e.By == "" || !slices.Contains(gatehouse.BookReasons, e.Reason)):
		return gatehouse.Errorf("books.reason", "say why, with one of the reasons that there are", "a person writes off, with a reason")
	case e.Kind == gatehouse.BookGiveBack && (e.By == "" || !slices.Contains(gatehouse.BookReasons, e.Reason)):
		return gatehouse.Errorf("books.reason", "say why, with one of the reasons that there are", "a person gives back what a pass holds, with a reason")
	case e.At.IsZero() || e.Heard.IsZero():
		return malformed("it has no time")
	}
	if ofPass(e.Kind) {
		if _, err := passOf(e); err != nil {
			return malformed("it names no pass")
		}
	}
	return nil
}

// ends reports whether a change takes its amount from what it ends.
func ends(k gatehouse.BookKind) bool {
	return k == gatehouse.BookRefundFailed || k == gatehouse.BookDisputeWon || k == gatehouse.BookDisputeLost
}

func malformed(what string) error {
	return gatehouse.Errorf("books.malformed", "this is a fault of the program that asked", "this cannot be booked: %s", what)
}

func currency() error {
	return gatehouse.Errorf("books.currency", "refund it at the provider", "an amount of another currency cannot be booked there")
}

// Adds reports whether the postings of an entry add up to nothing, and name accounts.
func Adds(e gatehouse.BookEntry) bool {
	var sum int64
	for _, p := range e.Postings {
		if p.Account == "" || p.Amount == 0 {
			return false
		}
		sum += p.Amount
	}
	return sum == 0 && len(e.Postings) > 1
}

// Payments gives what was booked toward a stay, oldest first: what was paid and written off,
// less what went back. What a pass of value paid is a payment. A disputed payment counts: whether it was the driver's is for the
// bank to say, and a lost dispute is the site's loss.
func Payments(entries []gatehouse.BookEntry) []gatehouse.Payment {
	var out []gatehouse.Payment
	for _, e := range entries {
		p := gatehouse.Payment{At: e.At, Amount: e.Amount}
		d := e.Digest()
		copy(p.ID[:], d[:])
		switch e.Kind {
		case gatehouse.BookPayment, gatehouse.BookWriteOff, gatehouse.BookRefundFailed, gatehouse.BookSpend:
		case gatehouse.BookRefund:
			p.Amount = p.Amount.Neg()
		default:
			continue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(x, y gatehouse.Payment) int { return x.At.Compare(y.At) })
	return out
}
