package books_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/books"
	"gatehouse/flow/books/bookstest"
	"gatehouse/pay/wechat"
	"gatehouse/pay/wechat/wechattest"
)

// A second provider goes the same ways: what it tells late, twice and out of order is booked
// once, a refund whose answer was lost is carried out once, and what is forged is not booked.
func TestPaidByWeChat(t *testing.T) {
	s := newSite(t)
	d := wechattest.New(t)
	d.Now = func() time.Time { return s.now }
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	s.stays = &bookstest.Stays{Tariff: bookstest.PerHour(200, "CNY", s.now.AddDate(-1, 0, 0))}
	p := wechat.New(wechat.Options{Merchant: wechattest.Merchant, AppID: wechattest.AppID, Certificate: wechattest.Certificate, PublicKey: wechattest.PublicKey, Secrets: secrets(d.Secrets()), URL: server.URL, Now: d.Now,
		Notify: func() string { return "https://park.example/pay/wechat/webhook" }})
	s.books = books.New(books.Ports{Place: here, Store: s.store, Stays: s.stays, Providers: map[string]gatehouse.PaymentProvider{"wechat": p}, Label: "North", Now: d.Now})
	s.stays.Books = s.books
	stay := s.stays.Enter(here, "京A12345", s.now.Add(-90*time.Minute))
	begin := func() gatehouse.Checkout {
		c, err := s.books.Begin(t.Context(), stay, "wechat", "zh", func(gatehouse.ID) (string, string) { return "https://x/s", "https://x/c" })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := begin()
	if again := begin(); again.ID != c.ID || c.URL == "" {
		t.Errorf("two phones lead to %v and %v", c.ID, again.ID)
	}
	paid := d.Pay(c.Session)
	tell := func(m wechattest.Message) (gatehouse.BookOutcome, error) {
		outcome, answer, err := s.books.Notice(t.Context(), "wechat", m.Get, m.Body)
		if err == nil && answer == "" {
			t.Error("WeChat is not told that it need not tell again")
		}
		return outcome, err
	}
	forged := wechattest.New(t).Tell("TRANSACTION.SUCCESS", map[string]any{}, s.now)
	if _, err := tell(forged); gatehouse.ErrorCode(err) != "pay.forged" {
		t.Errorf("forged: %v", err)
	}
	const held = gatehouse.LedgerAccount("held/wechat")
	// The message does not come; the driver's page asks.
	if c, err := s.books.Checkout(t.Context(), c.ID); err != nil || c.State != gatehouse.CheckoutPaid {
		t.Fatal(c.State, err)
	}
	s.holds(map[gatehouse.LedgerAccount]int64{held: 400, gatehouse.Receivable: -400})
	for range 2 { // then it comes, twice
		if o, err := tell(paid); err != nil || o == gatehouse.Booked {
			t.Errorf("%s, %v", o, err)
		}
	}
	s.holds(map[gatehouse.LedgerAccount]int64{held: 400, gatehouse.Receivable: -400})
	entries, err := s.store.StayEntries(t.Context(), here, stay)
	if err != nil {
		t.Fatal(err)
	}
	id := gatehouse.RandomID()
	d.LoseAnswers = 3 // of the question and of the refund itself
	amount := gatehouse.Money{Minor: 100, Currency: "CNY"}
	lost := 0
	for range 5 {
		_, err := s.books.Refund(t.Context(), stay, "wechat", entries[0].Payment, amount, gatehouse.ForGoodwill, "chief", id)
		if err != nil && gatehouse.ErrorCode(err) != "pay.unavailable" {
			t.Fatal(err)
		}
		if err != nil {
			lost++
		}
	}
	if lost == 0 {
		t.Error("no answer was lost: this says nothing")
	}
	if o, err := tell(d.Refunded(id.String(), "REFUND.SUCCESS")); err != nil || o == gatehouse.Booked || d.Refunds() != 1 {
		t.Errorf("%s, %v, %d refunds", o, err, d.Refunds())
	}
	s.holds(map[gatehouse.LedgerAccount]int64{held: 300, gatehouse.Receivable: -300})
	if o, err := tell(d.Refunded(id.String(), "REFUND.ABNORMAL")); err != nil || o != gatehouse.Booked {
		t.Errorf("the refund came back: %s, %v", o, err)
	}
	s.holds(map[gatehouse.LedgerAccount]int64{held: 400, gatehouse.Receivable: -400})
}
