package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"gatehouse"
)

// decidePlainly books every event as it is, once by its kind and object; a refund waits for
// its payment.
func decidePlainly(e gatehouse.BookEvent, k gatehouse.BookKnown) (gatehouse.BookEntry, gatehouse.BookOutcome, error) {
	for _, x := range append(k.OfStay, k.OfPayment...) {
		if x.Kind == e.Kind && x.Object == e.Object {
			return gatehouse.BookEntry{}, gatehouse.BookDuplicate, nil
		}
	}
	if e.Kind == gatehouse.BookRefund {
		if len(k.OfPayment) == 0 {
			return gatehouse.BookEntry{}, gatehouse.BookWaiting, nil
		}
		e.Stay = k.OfPayment[0].Stay
	}
	if e.Kind == gatehouse.BookFee {
		return gatehouse.BookEntry{}, "", gatehouse.Errorf("books.malformed", "", "refused")
	}
	n := e.Amount.Minor
	if e.Kind == gatehouse.BookRefund {
		n = -n
	}
	return gatehouse.BookEntry{BookEvent: e, Key: string(e.Kind) + "/" + e.Object, Postings: []gatehouse.Posting{{Account: gatehouse.Held(e.Provider), Amount: n}, {Account: gatehouse.Receivable, Amount: -n}}}, gatehouse.Booked, nil
}

func bookEvent(kind gatehouse.BookKind, stay gatehouse.ID, payment, object string, amount int64, at time.Time) gatehouse.BookEvent {
	return gatehouse.BookEvent{Place: here, Kind: kind, At: at, Heard: at.Add(time.Second), Stay: stay, Amount: gatehouse.Money{Minor: amount, Currency: "EUR"},
		Provider: "stripe", Payment: payment, Object: object, Notice: "evt_" + object, By: "chief", Reason: gatehouse.ForGoodwill}
}

func testBooks(t *testing.T, s *suite) {
	stay := gatehouse.RandomID()
	book := func(e gatehouse.BookEvent) (gatehouse.BookEntry, gatehouse.BookOutcome) {
		t.Helper()
		entry, outcome, err := s.Book(s.ctx(), e, decidePlainly)
		s.must(err)
		return entry, outcome
	}
	leavesBefore := s.countLeaves()
	refund := bookEvent(gatehouse.BookRefund, gatehouse.ID{}, "p1", "r1", 200, noon.Add(time.Hour))
	for range 2 {
		if _, o := book(refund); o != gatehouse.BookWaiting {
			t.Fatalf("a refund without its payment: %s", o)
		}
	}
	waiting, err := s.WaitingBooks(s.ctx(), here, "stripe", "p1")
	s.must(err)
	if len(waiting) != 1 || waiting[0] != refund {
		t.Fatalf("what waits: %+v", waiting)
	}
	if ready, err := s.ReadyBooks(s.ctx(), here); err != nil || len(ready) != 0 {
		t.Errorf("%d are ready, %v", len(ready), err)
	}
	pay := bookEvent(gatehouse.BookPayment, stay, "p1", "p1", 500, noon)
	pay.Charge = &gatehouse.Charge{Tariff: "centre", Total: pay.Amount, Lines: []gatehouse.ChargeLine{{Kind: gatehouse.TimeLine, Name: "day", Amount: 500}}}
	first, o := book(pay)
	if o != gatehouse.Booked || first.Number != 1 || !first.Booked.Equal(noon.Add(time.Second)) {
		t.Fatalf("the first entry: %s, %+v", o, first)
	}
	if again, o := book(pay); o != gatehouse.BookDuplicate || again.Number != 1 || again.Digest() != first.Digest() {
		t.Errorf("the same once more: %s, %+v", o, again)
	}
	if ready, err := s.ReadyBooks(s.ctx(), here); err != nil || len(ready) != 1 || ready[0] != refund {
		t.Errorf("ready after its payment: %+v, %v", ready, err)
	}
	second, o := book(refund)
	if o != gatehouse.Booked || second.Number != 2 || second.Stay != stay {
		t.Errorf("the refund after its payment: %s, %+v", o, second)
	}
	if waiting, err := s.WaitingBooks(s.ctx(), here, "", ""); err != nil || len(waiting) != 0 {
		t.Errorf("%d wait, %v", len(waiting), err)
	}
	// A clock that was put back books nothing before what is there.
	third, _ := book(bookEvent(gatehouse.BookPayment, stay, "p2", "p2", 100, noon.Add(-time.Hour)))
	if !third.Booked.Equal(second.Booked) {
		t.Errorf("booked at %v, behind an entry of %v", third.Booked, second.Booked)
	}
	_, _, err = s.Book(s.ctx(), bookEvent(gatehouse.BookFee, stay, "", "f", 1, noon), decidePlainly)
	s.wantCode(err, "books.malformed")

	s.reopen()
	found, err := s.StayEntries(s.ctx(), here, stay)
	s.must(err)
	if len(found) != 3 || found[0].Digest() != first.Digest() || found[1].Digest() != second.Digest() || found[0].Charge == nil || found[0].Charge.Lines[0].Name != "day" {
		t.Errorf("after a restart: %+v", found)
	}
	if none, err := s.StayEntries(s.ctx(), other, stay); err != nil || len(none) != 0 {
		t.Errorf("another site sees %d entries, %v", len(none), err)
	}
	held := gatehouse.Balance{Account: gatehouse.Held("stripe"), Amount: gatehouse.Money{Minor: 400, Currency: "EUR"}}
	balances, err := s.BookBalances(s.ctx(), here)
	s.must(err)
	if len(balances) != 2 || balances[0] != held || balances[1].Amount.Minor != -400 {
		t.Errorf("balances %v", balances)
	}
	turnover, err := s.BookTurnover(s.ctx(), here, 1, 2)
	s.must(err)
	if len(turnover) != 2 || turnover[0].Amount.Minor != -200 {
		t.Errorf("what the second entry changed: %v", turnover)
	}
	owed, err := s.Unsettled(s.ctx(), here, gatehouse.ID{}, 10)
	s.must(err)
	if len(owed) != 1 || owed[0].Stay != stay || owed[0].Owes.Minor != -400 {
		t.Errorf("what stays owe: %+v", owed)
	}
	if n := s.countLeaves() - leavesBefore; n != 3 {
		t.Errorf("%d leaves for three entries", n)
	}
	s.must(s.CheckBooks(s.ctx(), here))
}

func testBookPages(t *testing.T, s *suite) {
	for i := range 7 {
		id := strconv.Itoa(i)
		_, _, err := s.Book(s.ctx(), bookEvent(gatehouse.BookPayment, gatehouse.RandomID(), id, id, 1, noon.Add(time.Duration(i)*time.Hour)), decidePlainly)
		s.must(err)
	}
	var numbers []uint64
	q := gatehouse.BookQuery{Place: here, Limit: 2, From: noon.Add(90 * time.Minute), Until: noon.Add(330 * time.Minute)}
	for {
		page, err := s.BookEntries(s.ctx(), q)
		s.must(err)
		for _, e := range page {
			numbers = append(numbers, e.Number)
			q.After = e.Number
		}
		if len(page) < q.Limit {
			break
		}
	}
	if want := []uint64{3, 4, 5, 6}; !slices.Equal(numbers, want) {
		t.Errorf("entries %v, want %v", numbers, want)
	}
	if n, err := s.LastBooked(s.ctx(), here, noon.Add(2*time.Hour)); err != nil || n != 2 {
		t.Errorf("the last before is %d, %v", n, err)
	}
	closing := gatehouse.BookClosing{Place: here, Day: "2026-11-20", First: 1, Last: 4, At: noon.Add(24 * time.Hour), By: "chief",
		Turnover: []gatehouse.Balance{{Account: gatehouse.Revenue, Amount: gatehouse.Money{Minor: -4, Currency: "EUR"}}}, Digest: [32]byte{7}}
	wrong := closing
	wrong.First = 2
	s.wantCode(s.CloseBooks(s.ctx(), wrong), "books.changed")
	wrong = closing
	wrong.Last = 9
	s.wantCode(s.CloseBooks(s.ctx(), wrong), "books.changed")
	s.must(s.CloseBooks(s.ctx(), closing))
	s.wantCode(s.CloseBooks(s.ctx(), closing), "books.closed")
	s.reopen()
	all, err := s.Closings(s.ctx(), here, 10)
	s.must(err)
	if len(all) != 1 || all[0].Last != 4 || all[0].Digest != closing.Digest || all[0].Turnover[0].Amount.Minor != -4 || !all[0].At.Equal(closing.At) {
		t.Errorf("closings: %+v", all)
	}
}

func testCheckouts(t *testing.T, s *suite) {
	c := gatehouse.Checkout{Place: here, ID: gatehouse.RandomID(), Stay: gatehouse.RandomID(), Provider: "stripe", Amount: gatehouse.Money{Minor: 500, Currency: "EUR"},
		Charge: gatehouse.Charge{Tariff: "centre"}, Begun: noon, Expires: noon.Add(time.Hour), State: gatehouse.CheckoutBegun}
	s.must(s.PutCheckout(s.ctx(), c))
	c.State, c.Session, c.URL = gatehouse.CheckoutOpen, "cs_1", "https://pay.example/cs_1"
	s.must(s.PutCheckout(s.ctx(), c))
	s.reopen()
	if got, err := s.Checkout(s.ctx(), here, c.ID); err != nil || got.Session != "cs_1" || got.Stay != c.Stay || !got.Expires.Equal(c.Expires) {
		t.Errorf("%+v, %v", got, err)
	}
	if open, err := s.OpenCheckouts(s.ctx(), here); err != nil || len(open) != 1 {
		t.Errorf("%d are open, %v", len(open), err)
	}
	c.State, c.Payment = gatehouse.CheckoutPaid, "pi_1"
	s.must(s.PutCheckout(s.ctx(), c))
	late := c
	late.State, late.Payment = gatehouse.CheckoutExpired, ""
	s.must(s.PutCheckout(s.ctx(), late))
	if got, err := s.Checkout(s.ctx(), here, c.ID); err != nil || got.State != gatehouse.CheckoutPaid || got.Payment != "pi_1" {
		t.Errorf("one that was paid is %s with %q, %v", got.State, got.Payment, err)
	}
	if open, err := s.OpenCheckouts(s.ctx(), here); err != nil || len(open) != 0 {
		t.Errorf("%d are open, %v", len(open), err)
	}
	_, err := s.Checkout(s.ctx(), other, c.ID)
	s.wantCode(err, "store.not_found")
}

func testRefundOrders(t *testing.T, s *suite) {
	_, _, err := s.Book(s.ctx(), bookEvent(gatehouse.BookPayment, gatehouse.RandomID(), "p1", "p1", 500, noon), decidePlainly)
	s.must(err)
	order := func(amount int64) gatehouse.RefundOrder {
		return gatehouse.RefundOrder{Place: here, ID: gatehouse.RandomID(), Provider: "stripe", Payment: "p1", Amount: gatehouse.Money{Minor: amount, Currency: "EUR"},
			Reason: gatehouse.ForFault, By: "chief", At: noon, State: gatehouse.RefundAsked}
	}
	first := order(300)
	s.must(s.PutRefundOrder(s.ctx(), first))
	s.must(s.PutRefundOrder(s.ctx(), first))
	s.wantCode(s.PutRefundOrder(s.ctx(), order(201)), "books.too_much")
	s.wantCode(s.PutRefundOrder(s.ctx(), order(0)), "books.too_much")
	s.reopen()
	if asked, err := s.RefundOrders(s.ctx(), here); err != nil || len(asked) != 1 || asked[0].ID != first.ID || asked[0].Amount.Minor != 300 {
		t.Errorf("%+v, %v", asked, err)
	}
	first.State = gatehouse.RefundFailed
	s.must(s.PutRefundOrder(s.ctx(), first))
	s.must(s.PutRefundOrder(s.ctx(), order(500)))
	if asked, err := s.RefundOrders(s.ctx(), here); err != nil || len(asked) != 1 {
		t.Errorf("%d are asked, %v", len(asked), err)
	}
}

// An invoice's number is the next of its year; the same invoice keeps its own, also after a start
// and when many ask at once.
func testInvoices(t *testing.T, s *suite) {
	number := func(key string, year int) (int, uint64) {
		t.Helper()
		in, n, err := s.NumberInvoice(s.ctx(), here, key, year, noon)
		s.must(err)
		return in, n
	}
	for _, c := range []struct {
		key      string
		year, in int
		n        uint64
	}{{"a", 2026, 2026, 1}, {"b", 2026, 2026, 2}, {"a", 2026, 2026, 1}, {"c", 2027, 2027, 1}, {"b", 2027, 2026, 2}, {"d", 2026, 2026, 3}} {
		if in, n := number(c.key, c.year); in != c.in || n != c.n {
			t.Errorf("%s of %d is %d of %d, want %d of %d", c.key, c.year, n, in, c.n, c.in)
		}
	}
	s.reopen()
	got := make(chan uint64, 20)
	for i := range 20 {
		go func() {
			_, n, err := s.NumberInvoice(s.ctx(), here, fmt.Sprint("many ", i/2), 2026, noon)
			if err != nil {
				n = 0
			}
			got <- n
		}()
	}
	seen := map[uint64]int{}
	for range 20 {
		seen[<-got]++
	}
	for n := uint64(4); n < 14; n++ {
		if seen[n] != 2 {
			t.Errorf("the number %d was given %d times: %v", n, seen[n], seen)
		}
	}
	s.must(s.CheckBooks(s.ctx(), here))
	_, _, err := s.NumberInvoice(s.ctx(), here, "", 2026, noon)
	s.wantCode(err, "store.invalid")
}

// countLeaves counts all leaves.
func (s *suite) countLeaves() (n int) {
	s.Helper()
	s.must(s.Leaves(s.ctx(), 0, func(uint64, []byte) error { n++; return nil }))
	return n
}
