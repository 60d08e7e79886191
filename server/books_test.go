package server

import (
	"net/http/httptest"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/pay/stripe/stripetest"
)

// A vehicle waits at the exit; its driver finds the stay by plate and time, pays by Stripe,
// and the barrier opens: the site's own stays and books, the message told twice. What it cost
// is booked once it has left, and the books come out even.
func TestPaidByStripeAndLetOut(t *testing.T) {
	t.Setenv("GATEHOUSE_SECRET_STRIPE", stripetest.Key)
	t.Setenv("GATEHOUSE_SECRET_STRIPE_WEBHOOK", stripetest.Secret)
	pay := stripetest.New()
	double := httptest.NewServer(pay)
	defer double.Close()
	c := carPark(t)
	c.Gates[1].Actuator.Kind, c.Paying.Stripe = "simulated", true
	s := open(t, c)
	s.opts.StripeURL = double.URL
	s.openBooks()
	s.books.Stays, s.stays.Books = s.payable(), s.stayBooks()
	followed(t, s)
	if _, err := s.stays.PutTariff(t.Context(), []byte(hourly), "chief"); err != nil {
		t.Fatal(err)
	}
	in := read(t, s, "entry", "AB12CDE", 90*time.Minute)
	eventually(t, "the stay is open", func() bool { return s.stayState(in.ID) == gatehouse.StayOpen })
	if out := read(t, s, "exit", "AB12CDE", 0); out.Decision.Grant {
		t.Fatal("who owes is let out")
	}
	eventually(t, "the vehicle waits", func() bool { return s.stayState(in.ID) == gatehouse.StayWaiting })

	stay, err := s.payable().FindStay(t.Context(), s.Place(), gatehouse.StayQuery{Plate: "AB12 CDE", Entered: time.Now().Add(-100 * time.Minute)}, time.Now())
	if err != nil || stay != in.ID {
		t.Fatalf("the driver's words find %v, %v", stay, err)
	}
	checkout, err := s.books.Begin(t.Context(), stay, "stripe", "en", func(gatehouse.ID) (string, string) { return "https://x.example/s", "https://x.example/c" })
	if err != nil || checkout.Amount.Minor != 400 {
		t.Fatalf("%+v, %v", checkout, err)
	}
	pay.Pay(checkout.Session)
	e := pay.Events()[0]
	began := time.Now()
	for i, want := range []gatehouse.BookOutcome{gatehouse.Booked, gatehouse.BookDuplicate} {
		outcome, _, err := s.books.Notice(t.Context(), "stripe", func(name string) string { return map[string]string{"Stripe-Signature": e.Signature}[name] }, e.Body)
		if err != nil || outcome != want {
			t.Fatalf("message %d: %s, %v", i+1, outcome, err)
		}
		if i == 0 {
			t.Logf("from Stripe's message to the opened barrier: %v", time.Since(began))
		}
	}
	eventually(t, "the vehicle is let out", func() bool { return s.stayState(in.ID) == gatehouse.StayLeft })
	eventually(t, "what it cost is booked", func() bool {
		entries, err := s.books.Entries(t.Context(), in.ID)
		return err == nil && len(entries) == 2
	})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	owed, err := s.store.Unsettled(t.Context(), s.Place(), gatehouse.ID{}, 10)
	if err != nil || len(owed) != 0 {
		t.Errorf("still owed: %+v, %v", owed, err)
	}
	if err := s.books.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// The leaves of the books are in the gate's files, and are those of the entries.
	entries, _ := s.books.Entries(t.Context(), in.ID)
	want := map[string]bool{}
	for _, e := range entries {
		want[string(gatehouse.BookLeaf(e))] = true
	}
	err = s.store.Leaves(t.Context(), 0, func(_ uint64, leaf []byte) error { delete(want, string(leaf)); return nil })
	if err != nil || len(want) != 0 {
		t.Errorf("%d entries have no leaf (%v)", len(want), err)
	}
}
