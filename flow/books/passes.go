package books

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/books"
)

var _ gatehouse.PassBooks = (*Books)(nil)

// onInvoice is the way to pay of accounts that are sent an invoice.
const onInvoice = "invoice"

// HeldBy implements gatehouse.PassBooks.
func (b *Books) HeldBy(ctx context.Context, place gatehouse.Place, passes []gatehouse.ID) (map[gatehouse.ID]gatehouse.Money, error) {
	held := map[gatehouse.ID]gatehouse.Money{}
	if len(passes) == 0 {
		return held, nil
	}
	all, err := b.Store.BookBalances(ctx, place)
	if err != nil {
		return nil, err
	}
	by := map[gatehouse.LedgerAccount]gatehouse.Money{}
	for _, a := range all {
		by[a.Account] = a.Amount.Neg()
	}
	for _, id := range passes {
		if m, ok := by[gatehouse.Prepaid(id)]; ok {
			held[id] = m
		}
	}
	return held, nil
}

// TopUp implements gatehouse.PassBooks.
func (b *Books) TopUp(ctx context.Context, place gatehouse.Place, o gatehouse.PassOrder) error {
	return b.quietly(ctx, gatehouse.BookEvent{Place: place, Kind: gatehouse.BookTopUp, At: o.Done, Stay: o.ID, Amount: o.Amount, Provider: gatehouse.FromPass, Payment: o.Pass.String(), Object: o.ID.String()})
}

// Spend implements gatehouse.PassBooks.
func (b *Books) Spend(ctx context.Context, place gatehouse.Place, pass, stay gatehouse.ID, amount gatehouse.Money, at time.Time, once gatehouse.ID) error {
	return b.quietly(ctx, gatehouse.BookEvent{Place: place, Kind: gatehouse.BookSpend, At: at, Stay: stay, Amount: amount, Provider: gatehouse.FromPass, Payment: pass.String(), Object: once.String()})
}

// Invoice implements gatehouse.PassBooks.
func (b *Books) Invoice(ctx context.Context, place gatehouse.Place, stay gatehouse.ID, amount gatehouse.Money, at time.Time, once gatehouse.ID) error {
	return b.quietly(ctx, gatehouse.BookEvent{Place: place, Kind: gatehouse.BookPayment, At: at, Stay: stay, Amount: amount, Provider: onInvoice, Payment: once.String(), Object: once.String()})
}

// quietly books an event of whoever would be told of it.
func (b *Books) quietly(ctx context.Context, e gatehouse.BookEvent) error {
	e.Heard = b.Now().UTC()
	_, outcome, err := b.Store.Book(context.WithoutCancel(ctx), e, books.Decide)
	if err == nil && outcome == gatehouse.Booked && b.Changed != nil {
		b.Changed()
	}
	return err
}

// ReceiptsOf implements gatehouse.PassBooks.
func (b *Books) ReceiptsOf(ctx context.Context, place gatehouse.Place, stay gatehouse.ID, from, until time.Time) ([]gatehouse.Receipt, error) {
	entries, err := b.Store.StayEntries(ctx, place, stay)
	if err != nil {
		return nil, err
	}
	return books.Receipts(entries, from, until), nil
}

// GiveBack takes what a pass of value holds off it again, for the order that put it there: it
// was paid too much by then, and is refunded as any payment. id is its maker's, so that the
// same is given back once. Errors: books.reason, books.too_much, books.currency.
func (b *Books) GiveBack(ctx context.Context, order, pass gatehouse.ID, amount gatehouse.Money, reason gatehouse.BookReason, by string, id gatehouse.ID) (gatehouse.BookEntry, error) {
	now := b.Now().UTC()
	e, _, err := b.take(ctx, gatehouse.BookEvent{Place: b.Place, Kind: gatehouse.BookGiveBack, At: now, Heard: now, Stay: order, Amount: amount, Provider: gatehouse.FromPass, Payment: pass.String(), Object: id.String(), By: by, Reason: reason})
	return e, err
}
