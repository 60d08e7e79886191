// Package stripe takes payments by Stripe Checkout. Stripe learns a random id, an amount and
// the site's name; nothing of the vehicle, of its plate or of the stay.
package stripe

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	api "github.com/stripe/stripe-go/v85"

	"gatehouse"
)

// The names of the secrets that an operator sets.
const (
	KeySecret     = "stripe"         // the API key: sk_live_… or rk_live_…
	WebhookSecret = "stripe-webhook" // what the webhook's messages are signed with: whsec_…
)

// Options are what a Stripe is made of.
type Options struct {
	Secrets gatehouse.Secrets
	URL     string // of the API; "" is Stripe's own. For tests
	Client  *http.Client
	Now     func() time.Time
}

// Stripe implements gatehouse.PaymentProvider. It is safe for concurrent use.
type Stripe struct {
	o        Options
	backends *api.Backends

	mu     sync.Mutex
	key    gatehouse.Secret
	client *api.Client
}

var _ gatehouse.PaymentProvider = (*Stripe)(nil)

// timeout bounds one call: a driver waits for it.
const timeout = 20 * time.Second

// New returns a Stripe. It calls nobody.
func New(o Options) *Stripe {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: timeout}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	config := &api.BackendConfig{HTTPClient: o.Client, MaxNetworkRetries: api.Int64(2), EnableTelemetry: api.Bool(false), LeveledLogger: &api.LeveledLogger{Level: api.LevelNull}}
	if o.URL != "" {
		config.URL = api.String(o.URL)
	}
	return &Stripe{o: o, backends: api.NewBackendsWithConfig(config)}
}

// Name implements gatehouse.PaymentProvider.
func (*Stripe) Name() string { return "stripe" }

// api gives a client with the key of this moment.
func (s *Stripe) api() (*api.Client, error) {
	key, ok := s.o.Secrets.Secret(KeySecret)
	if !ok {
		return nil, gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+KeySecret+"`", "Stripe's key is not set")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil || s.key != key {
		s.key, s.client = key, api.NewClient(key.Reveal(), api.WithBackends(s.backends))
	}
	return s.client, nil
}

// BeginCheckout implements gatehouse.PaymentProvider.
func (s *Stripe) BeginCheckout(ctx context.Context, c gatehouse.CheckoutRequest) (gatehouse.CheckoutPage, error) {
	client, err := s.api()
	if err != nil {
		return gatehouse.CheckoutPage{}, err
	}
	amount, err := theirs(c.Amount)
	if err != nil {
		return gatehouse.CheckoutPage{}, err
	}
	id := c.ID.String()
	p := &api.CheckoutSessionCreateParams{
		Mode:              api.String("payment"),
		ClientReferenceID: api.String(id),
		Metadata:          map[string]string{"checkout": id},
		PaymentIntentData: &api.CheckoutSessionCreatePaymentIntentDataParams{Metadata: map[string]string{"checkout": id}},
		LineItems: []*api.CheckoutSessionCreateLineItemParams{{Quantity: api.Int64(1), PriceData: &api.CheckoutSessionCreateLineItemPriceDataParams{
			Currency: api.String(string(lower(c.Amount.Currency))), UnitAmount: api.Int64(amount),
			ProductData: &api.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: api.String(c.Label)}}}},
		SuccessURL: api.String(c.Success), CancelURL: api.String(c.Cancel),
		Locale: api.String(map[bool]string{true: "zh", false: "en"}[c.Language == "zh"]),
	}
	if !c.Expires.IsZero() {
		p.ExpiresAt = api.Int64(c.Expires.Unix())
	}
	p.SetIdempotencyKey("checkout-" + id)
	session, err := client.V1CheckoutSessions.Create(ctx, p)
	if err != nil {
		return gatehouse.CheckoutPage{}, wrap(err)
	}
	return gatehouse.CheckoutPage{Session: session.ID, URL: session.URL}, nil
}

// EndCheckout implements gatehouse.PaymentProvider.
func (s *Stripe) EndCheckout(ctx context.Context, session string) error {
	client, err := s.api()
	if err != nil {
		return err
	}
	_, err = client.V1CheckoutSessions.Expire(ctx, session, &api.CheckoutSessionExpireParams{})
	if err == nil {
		return nil
	}
	failed := wrap(err)
	if gatehouse.ErrorCode(failed) != "pay.refused" {
		return failed
	}
	// Only an open one can be ended.
	there, err := client.V1CheckoutSessions.Retrieve(ctx, session, nil)
	switch {
	case err != nil:
		return wrap(err)
	case there.Status == api.CheckoutSessionStatusExpired || there.PaymentStatus == api.CheckoutSessionPaymentStatusPaid:
		return nil
	case there.Status == api.CheckoutSessionStatusComplete:
		return gatehouse.Errorf("pay.under_way", "wait until the bank has answered", "a payment for this is under way")
	}
	return failed
}

// State implements gatehouse.PaymentProvider.
func (s *Stripe) State(ctx context.Context, session string) (gatehouse.PaymentNotice, error) {
	client, err := s.api()
	if err != nil {
		return gatehouse.PaymentNotice{}, err
	}
	there, err := client.V1CheckoutSessions.Retrieve(ctx, session, nil)
	if err != nil {
		return gatehouse.PaymentNotice{}, wrap(err)
	}
	return ofSession(there, s.o.Now())
}

// searchAfter is from when an order is looked for before it is asked again: Stripe keeps
// idempotency keys for a day at least, and clocks differ.
const searchAfter = 12 * time.Hour

// Refund implements gatehouse.PaymentProvider.
func (s *Stripe) Refund(ctx context.Context, o gatehouse.RefundOrder) (gatehouse.BookEvent, error) {
	client, err := s.api()
	if err != nil {
		return gatehouse.BookEvent{}, err
	}
	amount, err := theirs(o.Amount)
	if err != nil {
		return gatehouse.BookEvent{}, err
	}
	if s.o.Now().Sub(o.At) > searchAfter {
		list := client.V1Refunds.List(ctx, &api.RefundListParams{PaymentIntent: api.String(o.Payment)})
		for r, err := range list.All(ctx) {
			if err != nil {
				return gatehouse.BookEvent{}, wrap(err)
			}
			if r.Metadata["order"] == o.ID.String() {
				return ofRefund(r)
			}
		}
	}
	p := &api.RefundCreateParams{PaymentIntent: api.String(o.Payment), Amount: api.Int64(amount), Metadata: map[string]string{"order": o.ID.String()}}
	p.SetIdempotencyKey("refund-" + o.ID.String())
	r, err := client.V1Refunds.Create(ctx, p)
	if err != nil {
		return gatehouse.BookEvent{}, wrap(err)
	}
	e, err := ofRefund(r)
	if err == nil && e.Kind == gatehouse.BookRefundFailed {
		err = gatehouse.Errorf("pay.refused", "look at the payment in Stripe's dashboard", "Stripe could not refund it")
	}
	return e, err
}

// Movements implements gatehouse.PaymentProvider.
func (s *Stripe) Movements(ctx context.Context, from, until time.Time) ([]gatehouse.Movement, error) {
	client, err := s.api()
	if err != nil {
		return nil, err
	}
	p := &api.BalanceTransactionListParams{CreatedRange: &api.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: until.Unix()}}
	p.Limit = api.Int64(100)
	p.AddExpand("data.source")
	var out []gatehouse.Movement
	for b, err := range client.V1BalanceTransactions.List(ctx, p).All(ctx) {
		if err != nil {
			return nil, wrap(err)
		}
		m, err := ofBalance(b)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// wrap makes an error of Stripe's one of ours. Its words may name whatever was sent, and stay
// away.
func wrap(err error) error {
	var e *api.Error
	if errors.As(err, &e) {
		switch {
		case e.HTTPStatusCode == http.StatusUnauthorized || e.HTTPStatusCode == http.StatusForbidden:
			return gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+KeySecret+"`", "Stripe does not take the key")
		case e.HTTPStatusCode == http.StatusConflict, e.HTTPStatusCode == http.StatusTooManyRequests, e.HTTPStatusCode >= 500:
		case e.HTTPStatusCode >= 400:
			return gatehouse.Errorf("pay.refused", "look at Stripe's log", "Stripe refuses that: %s", code(e.Code))
		}
	}
	return gatehouse.Errorf("pay.unavailable", "try again in a minute", "Stripe cannot be reached")
}

// code is a code of Stripe's, which is a word and names nothing that was sent.
func code(c api.ErrorCode) string {
	if c == "" {
		return "without a code"
	}
	return string(c)
}
