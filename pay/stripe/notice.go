package stripe

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v85"

	"gatehouse"
)

// tolerance is how far the time of a signature may lie from ours, either way: Stripe's own
// figure. Older messages may be replays.
const tolerance = api.WebhookDefaultTolerance

func lower(c gatehouse.Currency) gatehouse.Currency {
	return gatehouse.Currency(strings.ToLower(string(c)))
}

// ReadNotice implements gatehouse.PaymentProvider.
func (s *Stripe) ReadNotice(header func(string) string, body []byte, now time.Time) (gatehouse.PaymentNotice, error) {
	secret, ok := s.o.Secrets.Secret(WebhookSecret)
	if !ok {
		return gatehouse.PaymentNotice{}, gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+WebhookSecret+"`", "the webhook's secret is not set")
	}
	signature := header("Stripe-Signature")
	if err := api.ValidatePayload(body, signature, secret.Reveal(), api.WithIgnoreTolerance()); err != nil {
		return gatehouse.PaymentNotice{}, gatehouse.Errorf("pay.forged", "compare the webhook's secret with the one in Stripe's dashboard", "the message is not signed by Stripe")
	}
	if age := now.Sub(signedAt(signature)); age > tolerance || age < -tolerance {
		return gatehouse.PaymentNotice{}, gatehouse.Errorf("pay.stale", "look at the clocks", "the message was signed too long ago, or in the future")
	}
	var e api.Event
	if err := json.Unmarshal(body, &e); err != nil || e.Data == nil || e.ID == "" {
		return gatehouse.PaymentNotice{}, malformed()
	}
	n, err := ofEvent(&e)
	n.ID = e.ID
	return n, err
}

// signedAt reads the time that a signature was made at; it is what is signed, too.
func signedAt(header string) (at time.Time) {
	for part := range strings.SplitSeq(header, ",") {
		if v, ok := strings.CutPrefix(part, "t="); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return time.Time{}
			}
			at = time.Unix(n, 0) // the last, as the signature's check reads it: there may be more than one
		}
	}
	return at
}

func malformed() error {
	return gatehouse.Errorf("pay.malformed", "look at the event in Stripe's dashboard", "Stripe's message cannot be read")
}

// ofEvent translates an event. What is not named here moves no money of ours.
func ofEvent(e *api.Event) (n gatehouse.PaymentNotice, err error) {
	at := time.Unix(e.Created, 0).UTC()
	switch e.Type {
	case "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.expired", "checkout.session.async_payment_failed":
		var session api.CheckoutSession
		if json.Unmarshal(e.Data.Raw, &session) != nil {
			return n, malformed()
		}
		n, err = ofSession(&session, at)
		n.Over = n.Over || e.Type == "checkout.session.expired" || e.Type == "checkout.session.async_payment_failed"
		return n, err
	case "refund.created", "refund.updated", "refund.failed", "charge.refund.updated":
		var r api.Refund
		if json.Unmarshal(e.Data.Raw, &r) != nil {
			return n, malformed()
		}
		n.Event, err = ofRefund(&r)
	case "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed":
		var d api.Dispute
		if json.Unmarshal(e.Data.Raw, &d) != nil {
			return n, malformed()
		}
		n.Event, err = ofDispute(&d, e.Type)
	}
	if n.Event.At.IsZero() {
		n.Event.At = at
	}
	return n, err
}

// ofSession says what a checkout's session means.
func ofSession(s *api.CheckoutSession, at time.Time) (n gatehouse.PaymentNotice, err error) {
	n.Checkout, err = gatehouse.ParseID(s.ClientReferenceID)
	if err != nil {
		return gatehouse.PaymentNotice{}, nil // of another program with the same account
	}
	// Who pays by another page of the same account (a payment link) may choose the reference, and
	// nobody but us what lies beside it.
	if s.Metadata["checkout"] != s.ClientReferenceID {
		return gatehouse.PaymentNotice{}, nil
	}
	n.Over = s.Status == api.CheckoutSessionStatusExpired
	if s.PaymentStatus != api.CheckoutSessionPaymentStatusPaid {
		return n, nil
	}
	if s.PaymentIntent == nil || s.PaymentIntent.ID == "" {
		return n, malformed()
	}
	n.Over = false
	n.Event = gatehouse.BookEvent{Kind: gatehouse.BookPayment, At: at, Payment: s.PaymentIntent.ID, Object: s.PaymentIntent.ID}
	n.Event.Amount, err = ours(s.AmountTotal, string(s.Currency))
	return n, err
}

func ofRefund(r *api.Refund) (e gatehouse.BookEvent, err error) {
	if r.PaymentIntent == nil || r.ID == "" {
		return e, nil // of a payment that was not made by a checkout
	}
	e = gatehouse.BookEvent{Kind: gatehouse.BookRefund, At: time.Unix(r.Created, 0).UTC(), Payment: r.PaymentIntent.ID, Object: r.ID}
	// A refund that waits for the bank has left the account already.
	if r.Status == api.RefundStatusFailed || r.Status == api.RefundStatusCanceled {
		e.Kind, e.At = gatehouse.BookRefundFailed, time.Time{}
	}
	e.Amount, err = ours(r.Amount, string(r.Currency))
	return e, err
}

func ofDispute(d *api.Dispute, event api.EventType) (e gatehouse.BookEvent, err error) {
	if d.PaymentIntent == nil || d.ID == "" {
		return e, nil
	}
	e = gatehouse.BookEvent{Payment: d.PaymentIntent.ID, Object: d.ID}
	switch {
	case event == "charge.dispute.funds_withdrawn":
		e.Kind, e.At = gatehouse.BookDispute, time.Unix(d.Created, 0).UTC()
	case event == "charge.dispute.funds_reinstated", d.Status == api.DisputeStatusWon:
		e.Kind = gatehouse.BookDisputeWon
	case d.Status == api.DisputeStatusLost:
		e.Kind = gatehouse.BookDisputeLost
	default: // an inquiry that was closed: it took no money
		return gatehouse.BookEvent{}, nil
	}
	e.Amount, err = ours(d.Amount, string(d.Currency))
	return e, err
}

// ofBalance says what a line of Stripe's account is.
func ofBalance(b *api.BalanceTransaction) (m gatehouse.Movement, err error) {
	m = gatehouse.Movement{ID: b.ID, At: time.Unix(b.Created, 0).UTC(), Object: b.ID}
	if m.Amount, err = ours(b.Amount, string(b.Currency)); err != nil {
		return m, err
	}
	fee, err := ours(b.Fee, string(b.Currency))
	if err != nil {
		return m, err
	}
	m.Fee = fee.Minor
	source := b.Source
	if source == nil {
		source = &api.BalanceTransactionSource{}
	}
	intent := func(p *api.PaymentIntent) string {
		if p == nil {
			return ""
		}
		return p.ID
	}
	switch {
	case (b.Type == api.BalanceTransactionTypeCharge || b.Type == api.BalanceTransactionTypePayment) && source.Charge != nil:
		m.Kind, m.Payment = gatehouse.BookPayment, intent(source.Charge.PaymentIntent)
		m.Object = m.Payment
	case (b.Type == api.BalanceTransactionTypeRefund || b.Type == api.BalanceTransactionTypePaymentRefund) && source.Refund != nil:
		m.Kind, m.Payment, m.Object = gatehouse.BookRefund, intent(source.Refund.PaymentIntent), source.Refund.ID
	case (b.Type == api.BalanceTransactionTypeRefundFailure || b.Type == api.BalanceTransactionTypePaymentFailureRefund) && source.Refund != nil:
		m.Kind, m.Payment, m.Object = gatehouse.BookRefundFailed, intent(source.Refund.PaymentIntent), source.Refund.ID
	case b.Type == api.BalanceTransactionTypeAdjustment && source.Dispute != nil:
		m.Kind, m.Payment, m.Object = gatehouse.BookDispute, intent(source.Dispute.PaymentIntent), source.Dispute.ID
		if b.Amount > 0 {
			m.Kind = gatehouse.BookDisputeWon
		}
	case b.Type == api.BalanceTransactionTypePayout && source.Payout != nil:
		m.Kind, m.Object = gatehouse.BookPayout, source.Payout.ID
	case b.Type == api.BalanceTransactionTypeStripeFee, b.Type == api.BalanceTransactionTypeTaxFee, b.Type == api.BalanceTransactionTypeStripeFxFee:
		m.Kind = gatehouse.BookFee
	}
	return m, nil
}
