package stripe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/pay/stripe/stripetest"
)

func newDouble(t *testing.T) (*Stripe, *stripetest.Double) {
	t.Helper()
	d := stripetest.New()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return New(Options{Secrets: secrets{KeySecret: stripetest.Key, WebhookSecret: stripetest.Secret}, URL: server.URL}), d
}

func request(id gatehouse.ID) gatehouse.CheckoutRequest {
	return gatehouse.CheckoutRequest{ID: id, Amount: gatehouse.Money{Minor: 450, Currency: "EUR"}, Label: "North", Success: "https://park.example/s", Cancel: "https://park.example/c", Expires: time.Now().Add(31 * time.Minute)}
}

// Only what Stripe signed, and just now, is read.
func TestNoticesThatAreRefused(t *testing.T) {
	s, d := newDouble(t)
	id := gatehouse.RandomID()
	page, err := s.BeginCheckout(t.Context(), request(id))
	if err != nil || !d.Pay(page.Session) {
		t.Fatal(err)
	}
	e := d.Events()[0]
	read := func(body []byte, signature string, now time.Time) (gatehouse.PaymentNotice, error) {
		return s.ReadNotice(func(name string) string {
			return map[string]string{"Stripe-Signature": signature}[name]
		}, body, now)
	}
	now := time.Now()
	n, err := read(e.Body, e.Signature, now)
	if err != nil || n.Checkout != id || n.Event.Kind != gatehouse.BookPayment || n.Event.Amount != (gatehouse.Money{Minor: 450, Currency: "EUR"}) || n.ID == "" || n.Event.Payment == "" {
		t.Fatalf("the control: %+v, %v", n, err)
	}
	for name, c := range map[string]struct {
		body      string
		signature string
		now       time.Time
		code      string
	}{
		"unsigned":                {string(e.Body), "", now, "pay.forged"},
		"signed by somebody else": {string(e.Body), stripetest.Sign(e.Body, "whsec_other", now), now, "pay.forged"},
		"altered":                 {strings.Replace(string(e.Body), "450", "1", 1), e.Signature, now, "pay.forged"},
		"another time":            {string(e.Body), strings.Replace(e.Signature, "t=1", "t=2", 1), now, "pay.forged"},
		"no header at all":        {string(e.Body), "v1=,,t=;", now, "pay.forged"},
		"replayed later":          {string(e.Body), e.Signature, now.Add(6 * time.Minute), "pay.stale"},
		"of the future":           {string(e.Body), e.Signature, now.Add(-6 * time.Minute), "pay.stale"},
		// The first of two times is signed by nobody.
		"replayed with two times": {string(e.Body), fmt.Sprintf("t=%d,%s", now.Add(time.Hour).Unix(), e.Signature), now.Add(time.Hour), "pay.stale"},
		"no JSON":                 {"{", stripetest.Sign([]byte("{"), stripetest.Secret, now), now, "pay.malformed"},
		"no event":                {"{}", stripetest.Sign([]byte("{}"), stripetest.Secret, now), now, "pay.malformed"},
		"null":                    {"null", stripetest.Sign([]byte("null"), stripetest.Secret, now), now, "pay.malformed"},
	} {
		if n, err := read([]byte(c.body), c.signature, c.now); gatehouse.ErrorCode(err) != c.code || n.Event.Kind != "" {
			t.Errorf("%s: %v (%s), want %s", name, err, n.Event.Kind, c.code)
		}
	}
	d.Other()
	other := d.Events()[1]
	if n, err := read(other.Body, other.Signature, now); err != nil || n.Event.Kind != "" || !n.Checkout.IsZero() {
		t.Errorf("another program's payment: %+v, %v", n, err)
	}
	// Who pays by a payment link of the same account may put any reference into its address: also
	// that of a checkout of ours, so that one payment would count twice.
	for _, beside := range []string{`{}`, `null`, `{"checkout":"` + gatehouse.RandomID().String() + `"}`} {
		link := []byte(`{"id":"evt_link","object":"event","type":"checkout.session.completed","created":1,"data":{"object":{"id":"cs_link","object":"checkout.session","status":"complete","payment_status":"paid",
			"amount_total":100,"currency":"usd","payment_intent":"pi_link","payment_link":"plink_1","client_reference_id":"` + id.String() + `","metadata":` + beside + `}}}`)
		if n, err := read(link, stripetest.Sign(link, stripetest.Secret, now), now); err != nil || n.Event.Kind != "" || !n.Checkout.IsZero() {
			t.Errorf("a payment by a link, with %s beside the reference: %+v, %v", beside, n, err)
		}
	}
}

// Stripe learns an id, an amount and the site's name.
func TestWhatStripeLearns(t *testing.T) {
	s, d := newDouble(t)
	if _, err := s.BeginCheckout(t.Context(), request(gatehouse.RandomID())); err != nil {
		t.Fatal(err)
	}
	for key := range d.Asked()[0] {
		switch key {
		case "mode", "client_reference_id", "metadata[checkout]", "payment_intent_data[metadata][checkout]", "line_items[0][quantity]", "line_items[0][price_data][currency]", "line_items[0][price_data][unit_amount]",
			"line_items[0][price_data][product_data][name]", "success_url", "cancel_url", "locale", "expires_at":
		default:
			t.Errorf("Stripe is told %s", key)
		}
	}
}

func TestErrors(t *testing.T) {
	s, d := newDouble(t)
	if _, err := New(Options{Secrets: secrets{}}).BeginCheckout(t.Context(), request(gatehouse.RandomID())); gatehouse.ErrorCode(err) != "pay.not_set_up" {
		t.Errorf("without a key: %v", err)
	}
	if _, err := New(Options{Secrets: secrets{KeySecret: "sk_wrong"}, URL: s.o.URL}).BeginCheckout(t.Context(), request(gatehouse.RandomID())); gatehouse.ErrorCode(err) != "pay.not_set_up" || strings.Contains(err.Error(), "sk_wrong") {
		t.Errorf("with a wrong key: %v", err)
	}
	if _, err := New(Options{Secrets: secrets{KeySecret: "x"}, URL: "http://127.0.0.1:1", Client: &http.Client{Timeout: time.Second}}).State(t.Context(), "cs"); gatehouse.ErrorCode(err) != "pay.unavailable" {
		t.Errorf("without Stripe: %v", err)
	}
	order := gatehouse.RefundOrder{ID: gatehouse.RandomID(), Payment: "pi_none", Amount: gatehouse.Money{Minor: 5, Currency: "EUR"}, At: time.Now()}
	if _, err := s.Refund(t.Context(), order); gatehouse.ErrorCode(err) != "pay.refused" {
		t.Errorf("a refund of nothing: %v", err)
	}
	// An answer that was lost: asked again, it is carried out once.
	page, _ := s.BeginCheckout(t.Context(), request(gatehouse.RandomID()))
	d.Pay(page.Session)
	n, err := s.State(t.Context(), page.Session)
	if err != nil || n.Event.Kind != gatehouse.BookPayment {
		t.Fatal(n, err)
	}
	d.LoseAnswers = 1
	order.Payment, order.ID = n.Event.Payment, gatehouse.RandomID()
	for range 2 {
		e, err := s.Refund(t.Context(), order)
		if err != nil && gatehouse.ErrorCode(err) != "pay.unavailable" {
			t.Fatal(e, err)
		}
	}
	order.At = time.Now().AddDate(0, 0, -2) // long after: it is looked for first
	if e, err := s.Refund(t.Context(), order); err != nil || e.Amount.Minor != 5 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, _, refunds := d.Holds(); refunds != 1 {
		t.Errorf("%d refunds for one order", refunds)
	}
}

// Amounts as Stripe counts them.
func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency gatehouse.Currency
		theirs   int64
	}{{450, "EUR", 450}, {450, "JPY", 450}, {450, "CNY", 450}, {450, "ISK", 45000}, {450, "UGX", 45000}, {4500, "MGA", 45}, {450, "KWD", 450}, {455, "KWD", 0}, {450, "XXX", 0}, {455, "MGA", 0}, {0, "EUR", 0}, {-5, "EUR", 0}} {
		got, err := theirs(gatehouse.Money{Minor: c.minor, Currency: c.currency})
		if c.theirs == 0 {
			if gatehouse.ErrorCode(err) != "pay.refused" {
				t.Errorf("%d %s: %d, %v", c.minor, c.currency, got, err)
			}
			continue
		}
		back, failed := ours(got, strings.ToLower(string(c.currency)))
		if err != nil || failed != nil || got != c.theirs || back.Minor != c.minor || back.Currency != c.currency {
			t.Errorf("%d %s: %d, want %d (%v); back %v (%v)", c.minor, c.currency, got, c.theirs, err, back, failed)
		}
	}
	if _, err := ours(1<<62, "eur"); gatehouse.ErrorCode(err) != "pay.malformed" {
		t.Error(err)
	}
}

func FuzzReadNotice(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1","type":"checkout.session.completed","created":1,"data":{"object":{"client_reference_id":"00","payment_status":"paid","amount_total":5,"currency":"eur"}}}`))
	f.Add([]byte(`{"id":"evt_1","type":"refund.created","data":{"object":{"id":"re","payment_intent":"pi","amount":-9,"currency":"x"}}}`))
	f.Add([]byte(`{"id":"evt_1","type":"charge.dispute.closed","data":{"object":{"id":"dp","payment_intent":{"id":"pi"},"amount":1e30}}}`))
	s := New(Options{Secrets: secrets{WebhookSecret: stripetest.Secret}})
	f.Fuzz(func(t *testing.T, body []byte) {
		now := time.Unix(1_800_000_000, 0)
		n, err := s.ReadNotice(func(string) string { return stripetest.Sign(body, stripetest.Secret, now) }, body, now)
		if err == nil && n.Event.Kind == gatehouse.BookPayment && (n.Checkout.IsZero() || n.Event.Payment == "") {
			t.Errorf("a payment of nothing: %+v", n)
		}
	})
}
