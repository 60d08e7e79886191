package books_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/books"
	"gatehouse/flow/books/bookstest"
	"gatehouse/pay/desk"
	"gatehouse/pay/stripe"
	"gatehouse/pay/stripe/stripetest"
	"gatehouse/store/sqlite"
)

var here = gatehouse.Place{Org: "acme", Site: "north"}

type secrets map[string]string

func (s secrets) Secret(name string) (gatehouse.Secret, bool) {
	v, ok := s[name]
	return gatehouse.Secret(v), ok
}

// site is a car park of one tariff (2.00 EUR an hour) with a Stripe of our own.
type site struct {
	*testing.T
	books  *books.Books
	stays  *bookstest.Stays
	store  *sqlite.Store
	stripe *stripetest.Double
	now    time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, stripe: stripetest.New(), now: time.Now().UTC().Truncate(time.Second)}
	server := httptest.NewServer(s.stripe)
	t.Cleanup(server.Close)
	var err error
	s.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Key: func(string) ([32]byte, error) { return [32]byte{1}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	clock := func() time.Time { return s.now }
	s.stripe.Now = clock
	s.stays = &bookstest.Stays{Tariff: bookstest.PerHour(200, "EUR", s.now.AddDate(-1, 0, 0))}
	ways := desk.All(clock)
	ways["stripe"] = stripe.New(stripe.Options{Secrets: secrets{stripe.KeySecret: stripetest.Key, stripe.WebhookSecret: stripetest.Secret}, URL: server.URL, Now: clock})
	s.books = books.New(books.Ports{Place: here, Store: s.store, Stays: s.stays, Providers: ways, Label: "North", Now: clock})
	s.stays.Books = s.books
	return s
}

func (s *site) begin(stay gatehouse.ID) gatehouse.Checkout {
	s.Helper()
	c, err := s.books.Begin(s.Context(), stay, "stripe", "en", func(id gatehouse.ID) (string, string) {
		return "https://park.example/parking/receipt/" + id.String(), "https://park.example/parking"
	})
	if err != nil {
		s.Fatal(err)
	}
	return c
}

func (s *site) post(e stripetest.Event) gatehouse.BookOutcome {
	s.Helper()
	o, _, err := s.books.Notice(s.Context(), "stripe", func(name string) string { return map[string]string{"Stripe-Signature": e.Signature}[name] }, e.Body)
	if err != nil {
		s.Fatalf("%s: %v", e.Type, err)
	}
	return o
}

// holds compares balances of the books, in cents; others must be nothing.
func (s *site) holds(want map[gatehouse.LedgerAccount]int64) {
	s.Helper()
	if err := s.store.CheckBooks(s.Context(), here); err != nil {
		s.Error(err)
	}
	all, err := s.store.BookBalances(s.Context(), here)
	if err != nil {
		s.Fatal(err)
	}
	got := map[gatehouse.LedgerAccount]int64{}
	for _, b := range all {
		got[b.Account] = b.Amount.Minor
	}
	for a, n := range want {
		if got[a] != n {
			s.Errorf("%s holds %d, want %d", a, got[a], n)
		}
		delete(got, a)
	}
	if len(got) > 0 {
		s.Errorf("there is also %v", got)
	}
}

const heldByStripe = gatehouse.LedgerAccount("held/stripe")

// A driver pays, the message comes twice, and the lane is told within a second.
func TestPaidOnThePhone(t *testing.T) {
	s := newSite(t)
	stay := s.stays.Enter(here, "B MW 1234", s.now.Add(-90*time.Minute))
	c := s.begin(stay)
	if c.Amount != (gatehouse.Money{Minor: 400, Currency: "EUR"}) || !strings.Contains(c.URL, "/pay/cs_") {
		t.Fatalf("%+v", c)
	}
	if again := s.begin(stay); again.ID != c.ID {
		t.Error("a second phone got another page: both could be paid")
	}
	if !s.stripe.Pay(c.Session) {
		t.Fatal("the page takes no money")
	}
	e := s.stripe.Events()[0]
	began := time.Now()
	if o := s.post(e); o != gatehouse.Booked {
		t.Errorf("the message: %s", o)
	}
	told, opened := s.stays.Told(stay)
	if len(told) != 1 || opened.IsZero() || opened.Sub(began) > 20*time.Second { // at once, however busy the machine is
		t.Errorf("the lane was told %d times, and opened after %v", len(told), opened.Sub(began))
	}
	t.Logf("from the message to the open barrier: %v", opened.Sub(began))
	for range 3 {
		if o := s.post(e); o != gatehouse.BookDuplicate {
			t.Errorf("the same once more: %s", o)
		}
	}
	if err := s.stays.Leave(t.Context(), stay, s.now.Add(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	s.holds(map[gatehouse.LedgerAccount]int64{heldByStripe: 400, gatehouse.Revenue: -336, gatehouse.TaxOwed: -64})
	if paid, err := s.books.Checkout(t.Context(), c.ID); err != nil || paid.State != gatehouse.CheckoutPaid {
		t.Errorf("%s, %v", paid.State, err)
	}
	if _, err := s.books.Begin(t.Context(), stay, "stripe", "en", func(gatehouse.ID) (string, string) { return "", "" }); gatehouse.ErrorCode(err) != "books.nothing_due" {
		t.Errorf("to pay again: %v", err)
	}
}

// The message is lost: the driver's page, or the minute's round, asks.
func TestTheMessageIsLost(t *testing.T) {
	s := newSite(t)
	for _, ask := range []func(gatehouse.Checkout) error{
		func(c gatehouse.Checkout) error { _, err := s.books.Checkout(t.Context(), c.ID); return err },
		func(gatehouse.Checkout) error {
			s.now = s.now.Add(3 * time.Minute)
			return s.books.Resume(t.Context())
		},
	} {
		stay := s.stays.Enter(here, "X", s.now.Add(-time.Hour))
		c := s.begin(stay)
		s.stripe.Pay(c.Session)
		if err := ask(c); err != nil {
			t.Fatal(err)
		}
		if _, opened := s.stays.Told(stay); opened.IsZero() {
			t.Error("paid, and the barrier stays shut")
		}
	}
	for _, e := range s.stripe.Events() { // late, after all
		if o := s.post(e); o != gatehouse.BookDuplicate {
			t.Errorf("a late message: %s", o)
		}
	}
}

// What is owed grows while somebody looks at the page: the old page takes no money any more.
func TestThePriceRises(t *testing.T) {
	s := newSite(t)
	stay := s.stays.Enter(here, "X", s.now.Add(-50*time.Minute))
	old := s.begin(stay)
	s.now = s.now.Add(15 * time.Minute)
	c := s.begin(stay)
	if c.ID == old.ID || c.Amount.Minor != 400 {
		t.Fatalf("%+v", c)
	}
	if s.stripe.Pay(old.Session) {
		t.Error("the old page was paid: that would be paid twice")
	}
	if !s.stripe.Pay(c.Session) {
		t.Error("the new one was not")
	}
}

// Paid for a stay that is closed, paid twice on two ways, refunded, and the refund came back.
func TestOverpaidAndRefunded(t *testing.T) {
	s := newSite(t)
	stay := s.stays.Enter(here, "X", s.now.Add(-time.Hour))
	c := s.begin(stay)
	if err := s.stays.Leave(t.Context(), stay, s.now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.books.Desk(t.Context(), "cash", stay, c.Amount, "operator", gatehouse.RandomID()); err != nil {
		t.Fatal(err)
	}
	s.stripe.Pay(c.Session)
	s.post(s.stripe.Events()[0])
	s.holds(map[gatehouse.LedgerAccount]int64{heldByStripe: 200, gatehouse.Held("cash"): 200, gatehouse.Receivable: -200, gatehouse.Revenue: -168, gatehouse.TaxOwed: -32})
	paid, _ := s.books.Checkout(t.Context(), c.ID)
	refund := func(amount int64, reason gatehouse.BookReason, id gatehouse.ID) error {
		_, err := s.books.Refund(t.Context(), stay, "stripe", paid.Payment, gatehouse.Money{Minor: amount, Currency: "EUR"}, reason, "operator", id)
		return err
	}
	if err := refund(200, "why not", gatehouse.RandomID()); gatehouse.ErrorCode(err) != "books.reason" {
		t.Errorf("without a reason: %v", err)
	}
	if err := refund(201, gatehouse.ForOverpaid, gatehouse.RandomID()); gatehouse.ErrorCode(err) != "books.too_much" {
		t.Errorf("more than was paid: %v", err)
	}
	// The answer is lost until the library gives up; the round asks again with the same order.
	id := gatehouse.RandomID()
	s.stripe.LoseAnswers = 1
	if err := refund(200, gatehouse.ForOverpaid, id); err != nil && gatehouse.ErrorCode(err) != "pay.unavailable" {
		t.Fatal(err)
	}
	if err := s.books.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := refund(200, gatehouse.ForOverpaid, gatehouse.RandomID()); gatehouse.ErrorCode(err) != "books.too_much" {
		t.Errorf("a second refund: %v", err)
	}
	events := s.stripe.Events()
	s.post(events[len(events)-1]) // Stripe tells of it, too
	if _, _, n := s.stripe.Holds(); n != 1 {
		t.Errorf("%d refunds", n)
	}
	s.holds(map[gatehouse.LedgerAccount]int64{gatehouse.Held("cash"): 200, gatehouse.Revenue: -168, gatehouse.TaxOwed: -32})

	entries, _ := s.books.Entries(t.Context(), stay)
	s.stripe.FailRefund(entries[len(entries)-1].Object)
	events = s.stripe.Events()
	s.post(events[len(events)-1])
	s.holds(map[gatehouse.LedgerAccount]int64{heldByStripe: 200, gatehouse.Held("cash"): 200, gatehouse.Receivable: -200, gatehouse.Revenue: -168, gatehouse.TaxOwed: -32})
}

// Every event of a payment's life, in the worst order, and each twice.
func TestOutOfOrder(t *testing.T) {
	for _, won := range []bool{true, false} {
		s := newSite(t)
		stay := s.stays.Enter(here, "X", s.now.Add(-time.Hour))
		c := s.begin(stay)
		s.stripe.Pay(c.Session)
		n, err := s.store.Checkout(t.Context(), here, c.ID)
		if err != nil || n.State != gatehouse.CheckoutOpen {
			t.Fatal(n, err)
		}
		// The payment's id is known to Stripe alone by now.
		paid := string(s.stripe.Events()[0].Body)
		_, rest, _ := strings.Cut(paid, `"payment_intent":"`)
		pi, _, _ := strings.Cut(rest, `"`)
		s.stripe.EndDispute(s.stripe.Dispute(pi), won)
		s.stripe.Other()
		events := s.stripe.Events()
		for i := len(events) - 1; i >= 0; i-- {
			s.post(events[i])
			s.post(events[i])
		}
		want := map[gatehouse.LedgerAccount]int64{heldByStripe: 200, gatehouse.Receivable: -200}
		if !won {
			want = map[gatehouse.LedgerAccount]int64{gatehouse.LostDisputes: 200, gatehouse.Receivable: -200}
		}
		s.holds(want)
		if err := s.stays.Leave(t.Context(), stay, s.now); err != nil {
			t.Fatal(err)
		}
		if left, err := s.store.WaitingBooks(t.Context(), here, "", ""); err != nil || len(left) != 0 {
			t.Errorf("%d events wait still (%v)", len(left), err)
		}
	}
}

// Many at once: two phones, the message and the page that asks, all of one stay.
func TestAtOnce(t *testing.T) {
	s := newSite(t)
	stay := s.stays.Enter(here, "X", s.now.Add(-time.Hour))
	ids := make(chan gatehouse.ID, 8)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if c, err := s.books.Begin(context.Background(), stay, "stripe", "en", func(gatehouse.ID) (string, string) { return "https://x/s", "https://x/c" }); err == nil {
				ids <- c.ID
			} else {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	first := <-ids
	for len(ids) > 0 {
		if id := <-ids; id != first {
			t.Fatal("two pages for one stay")
		}
	}
	c, _ := s.store.Checkout(t.Context(), here, first)
	s.stripe.Pay(c.Session)
	for range 4 {
		wg.Go(func() { s.post(s.stripe.Events()[0]) })
		wg.Go(func() { _, _ = s.books.Checkout(context.Background(), first) })
	}
	wg.Wait()
	s.holds(map[gatehouse.LedgerAccount]int64{heldByStripe: 200, gatehouse.Receivable: -200})
}

// A person decides that it will not be asked for: the barrier opens.
func TestWrittenOff(t *testing.T) {
	s := newSite(t)
	stay := s.stays.Enter(here, "X", s.now.Add(-time.Hour))
	if err := s.stays.Leave(t.Context(), stay, s.now); err != nil {
		t.Fatal(err)
	}
	id := gatehouse.RandomID()
	for range 2 {
		if _, err := s.books.WriteOff(t.Context(), stay, gatehouse.Money{Minor: 200, Currency: "EUR"}, gatehouse.ForFault, "operator", id); err != nil {
			t.Fatal(err)
		}
	}
	s.holds(map[gatehouse.LedgerAccount]int64{gatehouse.WrittenOff: 200, gatehouse.Revenue: -168, gatehouse.TaxOwed: -32})
	if _, opened := s.stays.Told(stay); opened.IsZero() {
		t.Error("written off, and the barrier stays shut")
	}
	if _, err := s.books.WriteOff(t.Context(), stay, gatehouse.Money{Minor: 1, Currency: "EUR"}, gatehouse.ForFault, "operator", gatehouse.RandomID()); gatehouse.ErrorCode(err) != "books.too_much" {
		t.Error(err)
	}
}
