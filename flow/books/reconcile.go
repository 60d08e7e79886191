package books

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/books"
)

// Reconciliation is how the books and a provider's account compare for some days.
type Reconciliation struct {
	Provider    string
	From, Until gatehouse.Date
	Lines       int // of the provider's account
	Booked      int // fees, payouts and messages that had not come, which are booked now
	Differences []books.Difference
	Held        []gatehouse.Balance // what the books say that the provider holds, now
}

// The provider's lines and ours are of two clocks, and a message may come days later.
const (
	reachBefore = 3 * 24 * time.Hour
	reachAfter  = 30 * 24 * time.Hour
)

// Reconcile compares the books with a provider's account. Fees and payouts, which no message
// tells of, are booked, and so is what happened to a payment that is known; what remains is
// for a person. Errors: pay.*, date.malformed, books.span.
func (b *Books) Reconcile(ctx context.Context, provider string, from, until gatehouse.Date, by string) (r Reconciliation, err error) {
	r = Reconciliation{Provider: provider, From: from, Until: until}
	p, err := b.provider(provider)
	if err != nil {
		return r, err
	}
	first, end, err := b.span(from, until)
	if err != nil {
		return r, err
	}
	lines, err := p.Movements(ctx, first.Add(-reachBefore), end.Add(reachBefore))
	if err != nil {
		return r, err
	}
	found, fees, err := b.compare(ctx, provider, lines, first, end, &r)
	if err != nil {
		return r, err
	}
	now := b.Now().UTC()
	for _, e := range append(fees, missing(found)...) {
		e.Place, e.Provider, e.Heard, e.By = b.Place, provider, now, by
		if _, outcome, err := b.take(ctx, e); err == nil && outcome == gatehouse.Booked {
			r.Booked++
		} else if gatehouse.ErrorCode(err) == "store.failed" {
			return r, err
		}
	}
	if r.Booked > 0 {
		if found, _, err = b.compare(ctx, provider, lines, first, end, &r); err != nil {
			return r, err
		}
	}
	r.Differences = found
	all, err := b.Store.BookBalances(ctx, b.Place)
	for _, x := range all {
		if x.Account == gatehouse.Held(provider) {
			r.Held = append(r.Held, x)
		}
	}
	return r, err
}

func (b *Books) compare(ctx context.Context, provider string, lines []gatehouse.Movement, first, end time.Time, r *Reconciliation) ([]books.Difference, []gatehouse.BookEvent, error) {
	var entries []gatehouse.BookEntry
	err := b.each(ctx, gatehouse.BookQuery{Place: b.Place, From: first.Add(-reachBefore), Until: end.Add(reachAfter)}, func(e gatehouse.BookEntry) error {
		if e.Provider == provider {
			entries = append(entries, e)
		}
		return nil
	})
	r.Lines = 0
	for _, m := range lines {
		if !m.At.Before(first) && m.At.Before(end) {
			r.Lines++
		}
	}
	found, fees := books.Compare(entries, lines, first, end)
	return found, fees, err
}

// missing are the events that a provider's lines stand for and that can be booked without
// its message: payouts, and what happened to payments that are known.
func missing(found []books.Difference) (out []gatehouse.BookEvent) {
	for _, d := range found {
		if d.Finding != books.NotBooked {
			continue
		}
		switch d.Kind {
		case gatehouse.BookPayout, gatehouse.BookRefund, gatehouse.BookRefundFailed, gatehouse.BookDispute, gatehouse.BookDisputeWon:
			out = append(out, gatehouse.BookEvent{Kind: d.Kind, At: d.At, Payment: d.Payment, Object: d.Object, Amount: d.There})
		}
	}
	return out
}
