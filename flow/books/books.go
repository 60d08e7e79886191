// Package books keeps the books of a car park: what stays cost, what was paid and how, what
// went back. Every change goes through take, which books an event once, however often and
// in whatever order it is told. It knows stays by their ids alone; no plate comes here.
package books

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/rules/books"
)

// Ports are what this needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Location *time.Location
	Store    gatehouse.BookStore
	// Stays is asked what is owed, and told of what was booked; nil where there are none.
	Stays gatehouse.PayableStays
	// Providers take money, by name.
	Providers map[string]gatehouse.PaymentProvider
	// Label is what a driver reads at a provider: the site's name.
	Label string
	Log   *slog.Logger
	Now   func() time.Time
	// Changed is called after every entry, to wake what follows the log; nil: nobody.
	Changed func()
}

// Books are one site's books. They implement gatehouse.StayBooks. They are safe for
// concurrent use.
type Books struct {
	Ports
	begin keyed // one checkout at a time for a stay
}

var _ gatehouse.StayBooks = (*Books)(nil)

// New returns books over their ports.
func New(p Ports) *Books {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Location == nil {
		p.Location = time.UTC
	}
	return &Books{Ports: p, begin: keyed{held: map[gatehouse.ID]*holder{}}}
}

// PaymentsOf implements gatehouse.StayBooks.
func (b *Books) PaymentsOf(ctx context.Context, place gatehouse.Place, stay gatehouse.ID) ([]gatehouse.Payment, error) {
	entries, err := b.Store.StayEntries(ctx, place, stay)
	if err != nil {
		return nil, err
	}
	return books.Payments(entries), nil
}

// BookCharge implements gatehouse.StayBooks.
func (b *Books) BookCharge(ctx context.Context, place gatehouse.Place, stay gatehouse.ID, at time.Time, c gatehouse.Charge) error {
	_, _, err := b.take(ctx, gatehouse.BookEvent{Place: place, Kind: gatehouse.BookCharge, At: at, Heard: b.Now().UTC(), Stay: stay, Amount: c.Total, Tax: c.Tax.Minor, Charge: &c})
	return err
}

// Entries gives a stay's entries by number.
func (b *Books) Entries(ctx context.Context, stay gatehouse.ID) ([]gatehouse.BookEntry, error) {
	return b.Store.StayEntries(ctx, b.Place, stay)
}

// take books an event and what waited for it, and tells the stays of what was paid.
func (b *Books) take(ctx context.Context, e gatehouse.BookEvent) (gatehouse.BookEntry, gatehouse.BookOutcome, error) {
	// Who began to pay must not undo it by closing a page.
	ctx = context.WithoutCancel(ctx)
	entry, outcome, err := b.Store.Book(ctx, e, books.Decide)
	if err != nil {
		return entry, outcome, err
	}
	if outcome == gatehouse.Booked && b.Changed != nil {
		b.Changed()
	}
	// Told again after a duplicate too: the first may have been cut off before it.
	if (outcome == gatehouse.Booked || outcome == gatehouse.BookDuplicate) && opens(e.Kind) {
		b.paid(ctx, entry)
	}
	if outcome == gatehouse.Booked && entry.Payment != "" {
		b.release(ctx, entry.Provider, entry.Payment)
	}
	return entry, outcome, nil
}

// opens reports whether a change may let a vehicle out.
func opens(k gatehouse.BookKind) bool {
	return k == gatehouse.BookPayment || k == gatehouse.BookWriteOff || k == gatehouse.BookRefundFailed
}

// paid tells the stays at once, so that the barrier opens while the driver looks at it. What
// was booked stays booked if that fails: Resume and the driver's page tell again.
func (b *Books) paid(ctx context.Context, e gatehouse.BookEntry) {
	if b.Stays == nil || e.Stay.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := b.Stays.StayPaid(ctx, e.Place, e.Stay); err != nil {
		b.Log.Warn("a stay was paid and its lane could not be told; it is tried again", "code", gatehouse.ErrorCode(err), "stay", e.Stay)
	}
}

// release books what waited for a payment. What cannot be booked goes on waiting, and stands
// in the report.
func (b *Books) release(ctx context.Context, provider, payment string) {
	waiting, err := b.Store.WaitingBooks(ctx, b.Place, provider, payment)
	for _, e := range waiting {
		if _, _, failed := b.take(ctx, e); failed != nil {
			err = failed
		}
	}
	if err != nil {
		b.Log.Warn("what waited for a payment could not be booked", "code", gatehouse.ErrorCode(err), "provider", provider)
	}
}

// WriteOff books that nobody will ask for an amount any more. id is its maker's, so that the
// same is written off once. Errors: books.reason, books.too_much, books.currency.
func (b *Books) WriteOff(ctx context.Context, stay gatehouse.ID, amount gatehouse.Money, reason gatehouse.BookReason, by string, id gatehouse.ID) (gatehouse.BookEntry, error) {
	now := b.Now().UTC()
	e, _, err := b.take(ctx, gatehouse.BookEvent{Place: b.Place, Kind: gatehouse.BookWriteOff, At: now, Heard: now, Stay: stay, Amount: amount, Object: id.String(), By: by, Reason: reason})
	return e, err
}

// InvoiceNumber gives what an invoice is of (an account's month, and a digest of what it says) its
// number in the year in which it was made first: without a gap, and the same when it is made again.
func (b *Books) InvoiceNumber(ctx context.Context, key string) (year int, number uint64, err error) {
	now := b.Now()
	if b.Location != nil {
		now = now.In(b.Location)
	}
	return b.Store.NumberInvoice(context.WithoutCancel(ctx), b.Place, key, now.Year(), now)
}

// Accounts are the names of the providers that have an account to compare with.
func (b *Books) Accounts() (all []string) {
	for name, p := range b.Providers {
		if _, desk := p.(gatehouse.PaymentDesk); !desk {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Desk books what somebody took at a desk: provider is cash, card or invoice. id is its
// maker's, so that the same is booked once. Errors: pay.unknown, books.*.
func (b *Books) Desk(ctx context.Context, provider string, stay gatehouse.ID, amount gatehouse.Money, by string, id gatehouse.ID) (gatehouse.BookEntry, error) {
	desk, err := b.provider(provider)
	if err != nil {
		return gatehouse.BookEntry{}, err
	}
	if _, ok := desk.(gatehouse.PaymentDesk); !ok {
		return gatehouse.BookEntry{}, gatehouse.Errorf("pay.not_at_desk", "use cash, card or invoice", "%s takes payments itself", provider)
	}
	now := b.Now().UTC()
	e, _, err := b.take(ctx, gatehouse.BookEvent{Place: b.Place, Kind: gatehouse.BookPayment, At: now, Heard: now, Stay: stay, Amount: amount, Provider: provider, Payment: id.String(), Object: id.String(), By: by})
	return e, err
}

// Payout books that a till was emptied, or that a provider paid out and says so nowhere.
func (b *Books) Payout(ctx context.Context, provider string, amount gatehouse.Money, by string, id gatehouse.ID) (gatehouse.BookEntry, error) {
	if _, err := b.provider(provider); err != nil {
		return gatehouse.BookEntry{}, err
	}
	now := b.Now().UTC()
	e, _, err := b.take(ctx, gatehouse.BookEvent{Place: b.Place, Kind: gatehouse.BookPayout, At: now, Heard: now, Amount: amount, Provider: provider, Object: id.String(), By: by})
	return e, err
}

func (b *Books) provider(name string) (gatehouse.PaymentProvider, error) {
	p, ok := b.Providers[name]
	if !ok {
		return nil, gatehouse.Errorf("pay.unknown", "see `paying` in gatehouse.yml", "there is no such way to pay here")
	}
	return p, nil
}

// keyed lets one hold an id at a time.
type keyed struct {
	mu   sync.Mutex
	held map[gatehouse.ID]*holder
}

type holder struct {
	mu      sync.Mutex
	waiting int
}

func (k *keyed) lock(id gatehouse.ID) (unlock func()) {
	k.mu.Lock()
	h := k.held[id]
	if h == nil {
		h = &holder{}
		k.held[id] = h
	}
	h.waiting++
	k.mu.Unlock()
	h.mu.Lock()
	return func() {
		h.mu.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if h.waiting--; h.waiting == 0 {
			delete(k.held, id)
		}
	}
}
