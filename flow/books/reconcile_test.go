package books_test

import (
	"testing"
	"time"

	"gatehouse"
)

// A day with Stripe: paid, refunded, disputed, fees, a payout, and messages of which some
// were lost; afterwards the books hold what Stripe holds, to the cent.
func TestReconcile(t *testing.T) {
	s := newSite(t)
	s.stripe.Fee = 31
	for i := range 6 {
		stay := s.stays.Enter(here, "X", s.now.Add(-time.Hour))
		c := s.begin(stay)
		s.stripe.Pay(c.Session)
		events := s.stripe.Events()
		s.post(events[len(events)-1])
		paid, err := s.books.Checkout(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		switch i {
		case 0:
			if _, err := s.books.Refund(t.Context(), stay, "stripe", paid.Payment, gatehouse.Money{Minor: 50, Currency: "EUR"}, gatehouse.ForGoodwill, "op", gatehouse.RandomID()); err != nil {
				t.Fatal(err)
			}
		case 1:
			s.stripe.EndDispute(s.stripe.Dispute(paid.Payment), true) // nobody tells
		case 2:
			s.stripe.Dispute(paid.Payment)
		}
	}
	s.stripe.Payout(300, "eur")
	today := gatehouse.DateOf(s.now)
	r, err := s.books.Reconcile(t.Context(), "stripe", today, today, "chief")
	if err != nil || len(r.Differences) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	net, _, _ := s.stripe.Holds()
	if len(r.Held) != 1 || r.Held[0].Amount.Minor != net {
		t.Errorf("the books say that Stripe holds %v; it holds %d", r.Held, net)
	}
	if again, err := s.books.Reconcile(t.Context(), "stripe", today, today, "chief"); err != nil || again.Booked != 0 || again.Lines != r.Lines {
		t.Errorf("once more: %+v, %v", again, err)
	}
	if err := s.store.CheckBooks(t.Context(), here); err != nil {
		t.Error(err)
	}
	// A payment that another program made by the same account is for a person to look at.
	other := s.stays.Enter(here, "Y", s.now.Add(-time.Hour))
	c := s.begin(other)
	s.stripe.Pay(c.Session)
	if r, err := s.books.Reconcile(t.Context(), "stripe", today, today, "chief"); err != nil || len(r.Differences) != 1 || r.Differences[0].Finding != "not_booked" {
		t.Errorf("a payment whose message is lost: %+v, %v", r, err)
	}
}

func TestCloseDays(t *testing.T) {
	s := newSite(t)
	stay := s.stays.Enter(here, "X", s.now.Add(-time.Hour))
	if err := s.stays.Leave(t.Context(), stay, s.now); err != nil {
		t.Fatal(err)
	}
	today := gatehouse.DateOf(s.now)
	if _, err := s.books.Close(t.Context(), today, "chief"); gatehouse.ErrorCode(err) != "books.day" {
		t.Errorf("a day that goes on: %v", err)
	}
	if err := s.books.CloseDue(t.Context()); err != nil {
		t.Error(err)
	}
	s.now = s.now.AddDate(0, 0, 1)
	if err := s.books.CloseDue(t.Context()); err != nil {
		t.Error(err)
	}
	r, err := s.books.Report(t.Context(), today, gatehouse.DateOf(s.now))
	if err != nil || len(r.Closings) != 1 || r.Closings[0].Day != today || r.Closings[0].Last != 1 || len(r.Closings[0].Balances) != 3 {
		t.Fatalf("%+v, %v", r.Closings, err)
	}
	if len(r.Days) != 1 || r.Days[0].Charged != 200 || len(r.Owed) != 1 || r.Owed[0].Owes.Minor != 200 {
		t.Errorf("%+v", r)
	}
	if _, err := s.books.Desk(t.Context(), "cash", stay, gatehouse.Money{Minor: 250, Currency: "EUR"}, "op", gatehouse.RandomID()); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.AddDate(0, 0, 1)
	c, err := s.books.Close(t.Context(), gatehouse.DateOf(s.now.AddDate(0, 0, -1)), "chief")
	if err != nil || c.First != 2 || c.Last != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	all, _ := s.store.BookBalances(t.Context(), here)
	if len(all) != len(c.Balances) {
		t.Errorf("the closing carries %v, the books hold %v", c.Balances, all)
	}
	for i := range all {
		if all[i] != c.Balances[i] {
			t.Errorf("the closing carries %v, the books hold %v", c.Balances[i], all[i])
		}
	}
	if r, _ := s.books.Report(t.Context(), today, gatehouse.DateOf(s.now)); len(r.Overpaid) != 1 || len(r.Owed) != 0 {
		t.Errorf("overpaid: %+v", r.Overpaid)
	}
}
