// Package desk is money that a person takes: cash, a card terminal, an invoice to an
// account. There is no provider to ask, so that what the person says is what is booked.
package desk

import (
	"context"
	"time"

	"gatehouse"
)

// Desk is one way to pay at a desk. It implements gatehouse.PaymentDesk.
type Desk struct {
	name string
	now  func() time.Time
}

var _ gatehouse.PaymentDesk = Desk{}

// All gives the ways by name: cash, card, invoice.
func All(now func() time.Time) map[string]gatehouse.PaymentProvider {
	all := map[string]gatehouse.PaymentProvider{}
	for _, name := range []string{"cash", "card", "invoice"} {
		all[name] = Desk{name, now}
	}
	return all
}

// Name implements gatehouse.PaymentProvider.
func (d Desk) Name() string { return d.name }

// AtDesk implements gatehouse.PaymentDesk.
func (Desk) AtDesk() {}

func (d Desk) nobody() error {
	return gatehouse.Errorf("pay.refused", "pay at the desk", "nobody pays by %s on a page", d.name)
}

// BeginCheckout implements gatehouse.PaymentProvider: pay.refused.
func (d Desk) BeginCheckout(context.Context, gatehouse.CheckoutRequest) (gatehouse.CheckoutPage, error) {
	return gatehouse.CheckoutPage{}, d.nobody()
}

// EndCheckout implements gatehouse.PaymentProvider.
func (Desk) EndCheckout(context.Context, string) error { return nil }

// ReadNotice implements gatehouse.PaymentProvider: nobody sends any.
func (d Desk) ReadNotice(func(string) string, []byte, time.Time) (gatehouse.PaymentNotice, error) {
	return gatehouse.PaymentNotice{}, gatehouse.Errorf("pay.forged", "", "nobody tells of payments by %s", d.name)
}

// State implements gatehouse.PaymentProvider: pay.refused.
func (d Desk) State(context.Context, string) (gatehouse.PaymentNotice, error) {
	return gatehouse.PaymentNotice{}, d.nobody()
}

// Refund implements gatehouse.PaymentProvider: a person has given it back.
func (d Desk) Refund(_ context.Context, o gatehouse.RefundOrder) (gatehouse.BookEvent, error) {
	return gatehouse.BookEvent{Kind: gatehouse.BookRefund, At: d.now().UTC(), Amount: o.Amount, Payment: o.Payment, Object: o.ID.String()}, nil
}

// Movements implements gatehouse.PaymentProvider: there is no account to compare with.
func (Desk) Movements(context.Context, time.Time, time.Time) ([]gatehouse.Movement, error) {
	return nil, nil
}
