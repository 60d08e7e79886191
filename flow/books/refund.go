package books

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Refund gives back a part of a payment, or all of it, by the way it came. id is its maker's,
// so that the same is refunded once. It is asked for in the books first: where the provider
// cannot be reached it is asked again by Resume, and the error is pay.unavailable.
//
// Errors: books.reason, books.too_much, books.currency, pay.*, store.not_found (the stay has no
// such payment).
func (b *Books) Refund(ctx context.Context, stay gatehouse.ID, provider, payment string, amount gatehouse.Money, reason gatehouse.BookReason, by string, id gatehouse.ID) (gatehouse.BookEntry, error) {
	if by == "" || !slices.Contains(gatehouse.BookReasons, reason) {
		return gatehouse.BookEntry{}, gatehouse.Errorf("books.reason", "say why, with one of the reasons that there are", "a person refunds, with a reason")
	}
	if _, err := b.provider(provider); err != nil {
		return gatehouse.BookEntry{}, err
	}
	entries, err := b.Store.StayEntries(ctx, b.Place, stay)
	if err != nil {
		return gatehouse.BookEntry{}, err
	}
	at := slices.IndexFunc(entries, func(e gatehouse.BookEntry) bool {
		return e.Kind == gatehouse.BookPayment && e.Provider == provider && e.Payment == payment
	})
	if at < 0 {
		return gatehouse.BookEntry{}, gatehouse.Errorf("store.not_found", "look at the stay's entries", "the stay has no such payment")
	}
	if entries[at].Amount.Currency != amount.Currency {
		return gatehouse.BookEntry{}, gatehouse.Errorf("books.currency", "refund in the currency that was paid", "the payment was of another currency")
	}
	o := gatehouse.RefundOrder{Place: b.Place, ID: id, Stay: stay, Provider: provider, Payment: payment, Amount: amount, Reason: reason, By: by, At: b.Now().UTC(), State: gatehouse.RefundAsked}
	if err := b.Store.PutRefundOrder(ctx, o); err != nil {
		return gatehouse.BookEntry{}, err
	}
	return b.carryOut(context.WithoutCancel(ctx), o)
}

// carryOut asks the provider for a refund and books it.
func (b *Books) carryOut(ctx context.Context, o gatehouse.RefundOrder) (gatehouse.BookEntry, error) {
	p, err := b.provider(o.Provider)
	if err != nil {
		return gatehouse.BookEntry{}, err
	}
	e, err := p.Refund(ctx, o)
	if gatehouse.ErrorCode(err) == "pay.refused" {
		o.State = gatehouse.RefundFailed
		if failed := b.Store.PutRefundOrder(ctx, o); failed != nil {
			return gatehouse.BookEntry{}, failed
		}
	}
	if err != nil {
		return gatehouse.BookEntry{}, err
	}
	e.Place, e.Provider, e.Payment, e.Kind, e.Heard, e.By, e.Reason = b.Place, o.Provider, o.Payment, gatehouse.BookRefund, b.Now().UTC(), o.By, o.Reason
	entry, _, err := b.take(ctx, e)
	if err != nil {
		return entry, err
	}
	o.State = gatehouse.RefundDone
	return entry, b.Store.PutRefundOrder(ctx, o)
}

// askAgain is when an open checkout is looked at although nobody asks.
const askAgain = 2 * time.Minute

// Resume carries out what was left: what waited for a payment that is there by now, refunds
// that a provider has not answered, checkouts whose message did not come. It is called at the start and every minute.
func (b *Books) Resume(ctx context.Context) error {
	waiting, err := b.Store.ReadyBooks(ctx, b.Place)
	if err != nil {
		return err
	}
	for _, e := range waiting {
		// What cannot be booked stands in the report until somebody looks at it.
		if _, _, failed := b.take(ctx, e); failed != nil && !strings.HasPrefix(gatehouse.ErrorCode(failed), "books.") {
			err = failed
		}
	}
	orders, failed := b.Store.RefundOrders(ctx, b.Place)
	if failed != nil {
		return failed
	}
	for _, o := range orders {
		if _, failed := b.carryOut(ctx, o); failed != nil {
			err = failed
		}
	}
	all, failed := b.Store.OpenCheckouts(ctx, b.Place)
	if failed != nil {
		return failed
	}
	now := b.Now()
	for _, c := range all {
		if now.Sub(c.Begun) < askAgain {
			continue
		}
		if failed := b.look(ctx, c, now); failed != nil {
			err = failed
		}
	}
	return err
}

// look settles a checkout that is open for a while; one that is long over is ended.
func (b *Books) look(ctx context.Context, c gatehouse.Checkout, now time.Time) error {
	if p, err := b.provider(c.Provider); err == nil && c.State == gatehouse.CheckoutOpen {
		if c, err = b.settle(ctx, p, c); err != nil {
			return err
		}
	}
	// A provider that pays later says so by a message; a day is long enough to wait for it.
	if (c.State == gatehouse.CheckoutOpen || c.State == gatehouse.CheckoutBegun) && now.Sub(c.Expires) > 24*time.Hour {
		c.State = gatehouse.CheckoutExpired
		return b.Store.PutCheckout(ctx, c)
	}
	return nil
}
