package books

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// ledger books as a store does, in memory.
type ledger struct {
	entries []gatehouse.BookEntry
	waiting map[string]gatehouse.BookEvent
}

func (l *ledger) book(e gatehouse.BookEvent) (gatehouse.BookOutcome, error) {
	var known gatehouse.BookKnown
	for _, x := range l.entries {
		if x.Stay == e.Stay {
			known.OfStay = append(known.OfStay, x)
		}
		if e.Payment != "" && x.Provider == e.Provider && x.Payment == e.Payment {
			known.OfPayment = append(known.OfPayment, x)
		}
	}
	entry, outcome, err := Decide(e, known)
	if outcome == gatehouse.Booked {
		for _, x := range l.entries {
			if x.Key == entry.Key {
				return gatehouse.BookDuplicate, nil
			}
		}
		entry.Number = uint64(len(l.entries) + 1)
		l.entries = append(l.entries, entry)
		delete(l.waiting, e.Payment+"/"+string(e.Kind)+"/"+e.Object)
		for k, w := range l.waiting { // what waited for it, whatever the order
			if w.Payment == e.Payment {
				delete(l.waiting, k)
				_, _ = l.book(w)
			}
		}
	}
	if outcome == gatehouse.BookWaiting {
		if l.waiting == nil {
			l.waiting = map[string]gatehouse.BookEvent{}
		}
		l.waiting[e.Payment+"/"+string(e.Kind)+"/"+e.Object] = e
	}
	return outcome, err
}

func (l *ledger) balances() map[gatehouse.LedgerAccount]int64 {
	sums := map[gatehouse.LedgerAccount]int64{}
	for _, e := range l.entries {
		for _, p := range e.Postings {
			if sums[p.Account] += p.Amount; sums[p.Account] == 0 {
				delete(sums, p.Account)
			}
		}
	}
	return sums
}

var stayA = gatehouse.ID{1}

func event(kind gatehouse.BookKind, amount int64, payment, object string) gatehouse.BookEvent {
	e := gatehouse.BookEvent{Place: gatehouse.Place{Org: "acme", Site: "north"}, Kind: kind, At: noon, Heard: noon, Amount: gatehouse.Money{Minor: amount, Currency: "EUR"}, Object: object, Payment: payment}
	switch kind {
	case gatehouse.BookCharge:
		e.Stay, e.Tax = stayA, amount/10
	case gatehouse.BookWriteOff:
		e.Stay, e.By, e.Reason = stayA, "chief", gatehouse.ForGoodwill
	case gatehouse.BookPayment:
		e.Stay, e.Provider = stayA, "stripe"
	default:
		e.Provider = "stripe"
	}
	return e
}

// What each change does, one after another, and told twice.
func TestDecide(t *testing.T) {
	type sums = map[gatehouse.LedgerAccount]int64
	held, disputed := gatehouse.Held("stripe"), gatehouse.Disputed("stripe")
	charge := event(gatehouse.BookCharge, 500, "", "")
	pay := event(gatehouse.BookPayment, 500, "p1", "p1")
	for name, c := range map[string]struct {
		events []gatehouse.BookEvent
		want   sums
	}{
		"a charge":                {[]gatehouse.BookEvent{charge}, sums{gatehouse.Receivable: 500, gatehouse.Revenue: -450, gatehouse.TaxOwed: -50}},
		"one that grew":           {[]gatehouse.BookEvent{charge, event(gatehouse.BookCharge, 700, "", "")}, sums{gatehouse.Receivable: 700, gatehouse.Revenue: -630, gatehouse.TaxOwed: -70}},
		"one that was validated":  {[]gatehouse.BookEvent{charge, event(gatehouse.BookCharge, 0, "", "")}, sums{}},
		"up, down and up again":   {[]gatehouse.BookEvent{charge, event(gatehouse.BookCharge, 100, "", ""), charge}, sums{gatehouse.Receivable: 500, gatehouse.Revenue: -450, gatehouse.TaxOwed: -50}},
		"paid":                    {[]gatehouse.BookEvent{charge, pay}, sums{held: 500, gatehouse.Revenue: -450, gatehouse.TaxOwed: -50}},
		"paid before it was due":  {[]gatehouse.BookEvent{pay, charge}, sums{held: 500, gatehouse.Revenue: -450, gatehouse.TaxOwed: -50}},
		"paid twice over":         {[]gatehouse.BookEvent{charge, pay, event(gatehouse.BookPayment, 500, "p2", "p2")}, sums{held: 1000, gatehouse.Receivable: -500, gatehouse.Revenue: -450, gatehouse.TaxOwed: -50}},
		"refunded":                {[]gatehouse.BookEvent{pay, event(gatehouse.BookRefund, 200, "p1", "r1")}, sums{held: 300, gatehouse.Receivable: -300}},
		"a refund that came back": {[]gatehouse.BookEvent{pay, event(gatehouse.BookRefund, 200, "p1", "r1"), event(gatehouse.BookRefundFailed, 0, "p1", "r1")}, sums{held: 500, gatehouse.Receivable: -500}},
		"a refund before its payment": {[]gatehouse.BookEvent{event(gatehouse.BookRefundFailed, 0, "p1", "r1"), event(gatehouse.BookRefund, 200, "p1", "r1"), pay},
			sums{held: 500, gatehouse.Receivable: -500}},
		"disputed":           {[]gatehouse.BookEvent{pay, event(gatehouse.BookDispute, 500, "p1", "d1")}, sums{disputed: 500, gatehouse.Receivable: -500}},
		"won":                {[]gatehouse.BookEvent{pay, event(gatehouse.BookDispute, 500, "p1", "d1"), event(gatehouse.BookDisputeWon, 0, "p1", "d1")}, sums{held: 500, gatehouse.Receivable: -500}},
		"lost":               {[]gatehouse.BookEvent{pay, event(gatehouse.BookDispute, 500, "p1", "d1"), event(gatehouse.BookDisputeLost, 0, "p1", "d1")}, sums{gatehouse.LostDisputes: 500, gatehouse.Receivable: -500}},
		"lost, then begun":   {[]gatehouse.BookEvent{event(gatehouse.BookDisputeLost, 0, "p1", "d1"), event(gatehouse.BookDispute, 500, "p1", "d1"), pay}, sums{gatehouse.LostDisputes: 500, gatehouse.Receivable: -500}},
		"won after lost":     {[]gatehouse.BookEvent{pay, event(gatehouse.BookDispute, 500, "p1", "d1"), event(gatehouse.BookDisputeLost, 0, "p1", "d1"), event(gatehouse.BookDisputeWon, 0, "p1", "d1")}, sums{gatehouse.LostDisputes: 500, gatehouse.Receivable: -500}},
		"written off":        {[]gatehouse.BookEvent{charge, event(gatehouse.BookWriteOff, 500, "", "w1")}, sums{gatehouse.WrittenOff: 500, gatehouse.Revenue: -450, gatehouse.TaxOwed: -50}},
		"fees and a payout":  {[]gatehouse.BookEvent{pay, event(gatehouse.BookFee, 20, "", "f1"), event(gatehouse.BookPayout, 480, "", "o1")}, sums{gatehouse.Fees("stripe"): 20, gatehouse.BankAccount: 480, gatehouse.Receivable: -500}},
		"a fee given back":   {[]gatehouse.BookEvent{event(gatehouse.BookFee, 20, "", "f1"), event(gatehouse.BookFee, -20, "", "f2")}, sums{}},
		"nothing to charge":  {[]gatehouse.BookEvent{event(gatehouse.BookCharge, 0, "", "")}, sums{}},
		"a refund of no one": {[]gatehouse.BookEvent{event(gatehouse.BookRefund, 200, "p9", "r1")}, sums{}},
	} {
		t.Run(name, func(t *testing.T) {
			var l ledger
			for _, e := range c.events {
				if _, err := l.book(e); err != nil {
					t.Fatal(err)
				}
				if e.Kind == gatehouse.BookCharge {
					e.At = e.At.Add(time.Minute) // a charge is told again at a later moment
				}
				if o, err := l.book(e); err != nil || o == gatehouse.Booked {
					t.Fatalf("%s told twice: %s, %v", e.Kind, o, err)
				}
			}
			got := l.balances()
			if len(got) != len(c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			for a, n := range c.want {
				if got[a] != n {
					t.Errorf("%s holds %d, want %d", a, got[a], n)
				}
			}
		})
	}
}

func TestDecideRefuses(t *testing.T) {
	var l ledger
	for _, e := range []gatehouse.BookEvent{event(gatehouse.BookCharge, 500, "", ""), event(gatehouse.BookPayment, 300, "p1", "p1")} {
		if _, err := l.book(e); err != nil {
			t.Fatal(err)
		}
	}
	with := func(e gatehouse.BookEvent, change func(*gatehouse.BookEvent)) gatehouse.BookEvent {
		change(&e)
		return e
	}
	yen := func(e *gatehouse.BookEvent) { e.Amount.Currency = "JPY" }
	for name, c := range map[string]struct {
		event gatehouse.BookEvent
		code  string
	}{
		"a negative charge":         {event(gatehouse.BookCharge, -1, "", ""), "books.malformed"},
		"a payment of nothing":      {event(gatehouse.BookPayment, 0, "p2", "p2"), "books.malformed"},
		"a payment without an id":   {event(gatehouse.BookPayment, 5, "", ""), "books.malformed"},
		"no such change":            {event("gift", 5, "p2", "p2"), "books.malformed"},
		"no such currency":          {with(event(gatehouse.BookPayment, 5, "p2", "p2"), func(e *gatehouse.BookEvent) { e.Amount.Currency = "XXX" }), "books.currency"},
		"another currency":          {with(event(gatehouse.BookPayment, 5, "p2", "p2"), yen), "books.currency"},
		"a charge in another":       {with(event(gatehouse.BookCharge, 5, "", ""), yen), "books.currency"},
		"a refund in another":       {with(event(gatehouse.BookRefund, 5, "p1", "r1"), yen), "books.currency"},
		"more refunded than paid":   {event(gatehouse.BookRefund, 301, "p1", "r1"), "books.too_much"},
		"more disputed than paid":   {event(gatehouse.BookDispute, 301, "p1", "d1"), "books.too_much"},
		"more written off than due": {event(gatehouse.BookWriteOff, 201, "", "w1"), "books.too_much"},
		"written off without why":   {with(event(gatehouse.BookWriteOff, 1, "", "w1"), func(e *gatehouse.BookEvent) { e.Reason = "because" }), "books.reason"},
		"written off by nobody":     {with(event(gatehouse.BookWriteOff, 1, "", "w1"), func(e *gatehouse.BookEvent) { e.By = "" }), "books.reason"},
		"more tax than charge":      {with(event(gatehouse.BookCharge, 5, "", ""), func(e *gatehouse.BookEvent) { e.Tax = 6 }), "books.malformed"},
		"an amount beyond all":      {event(gatehouse.BookPayment, gatehouse.MaxMinor+1, "p2", "p2"), "books.malformed"},
		"of no stay":                {with(event(gatehouse.BookPayment, 5, "p2", "p2"), func(e *gatehouse.BookEvent) { e.Stay = gatehouse.ID{} }), "books.malformed"},
	} {
		before := len(l.entries)
		if _, err := l.book(c.event); gatehouse.ErrorCode(err) != c.code || len(l.entries) != before {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// Whatever is told in whatever order, and how often: every entry adds up to nothing, no key
// comes twice, and what a stay owes is its last charge less what was paid and written off.
func TestBalancedAfterAnySequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l ledger
		var told []gatehouse.BookEvent
		last := map[gatehouse.ID]int64{}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			e := draw(t)
			if len(told) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
				e = rapid.SampledFrom(told).Draw(t, "event")
			}
			told = append(told, e)
			if o, err := l.book(e); err == nil && e.Kind == gatehouse.BookCharge && (o == gatehouse.Booked || o == gatehouse.BookUnchanged) {
				last[e.Stay] = e.Amount.Minor
			}
		}
		keys, owes := map[string]bool{}, map[gatehouse.ID]int64{}
		for _, e := range l.entries {
			if !Adds(e) {
				t.Fatalf("entry %d does not add up to nothing: %v", e.Number, e.Postings)
			}
			if keys[e.Key] {
				t.Fatalf("%s was booked twice", e.Key)
			}
			keys[e.Key] = true
			owes[e.Stay] += owed(e)
		}
		for stay, charged := range last {
			var of []gatehouse.BookEntry
			for _, e := range l.entries {
				if e.Stay == stay {
					of = append(of, e)
				}
			}
			var paid int64
			for _, p := range Payments(of) {
				paid += p.Amount.Minor
			}
			if owes[stay] != charged-paid {
				t.Fatalf("a stay owes %d: it was charged %d, and %d was paid", owes[stay], charged, paid)
			}
		}
		for account, n := range l.balances() {
			if (account == gatehouse.Disputed("stripe") || account == gatehouse.WrittenOff || account == gatehouse.LostDisputes) && n < 0 {
				t.Fatalf("%s holds %d", account, n)
			}
		}
	})
}

// draw makes an event about one of a few stays, payments and objects, so that they meet.
func draw(t *rapid.T) gatehouse.BookEvent {
	n := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	kind := rapid.SampledFrom(gatehouse.BookKinds).Draw(t, "kind")
	payment := "p" + strconv.Itoa(n("payment", 5))
	object := map[bool]string{true: payment, false: "o" + strconv.Itoa(n("object", 8))}[kind == gatehouse.BookPayment]
	e := event(kind, int64(n("amount", 1000)), payment, object)
	if !e.Stay.IsZero() {
		// A payment is of one stay.
		e.Stay = gatehouse.ID{byte(1 + n("stay", 2))}
		if kind == gatehouse.BookPayment {
			e.Stay = gatehouse.ID{1 + payment[1]%3}
		}
	}
	return e
}
