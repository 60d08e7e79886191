package books

import (
	"context"
	"time"

	"gatehouse"
)

// checkoutFor is how long a driver has at a provider's page. Stripe takes 30 minutes at least.
const checkoutFor = 31 * time.Minute

// stillGood is how much of it must be left for a page to be given out again.
const stillGood = 5 * time.Minute

// Due says what is owed for a stay now.
func (b *Books) Due(ctx context.Context, stay gatehouse.ID) (gatehouse.StayDue, error) {
	if b.Stays == nil {
		return gatehouse.StayDue{}, gatehouse.Errorf("parking.unknown_stay", "", "there is no such stay here")
	}
	return b.Stays.DueOf(ctx, b.Place, stay, b.Now())
}

// Begin makes a checkout of what a stay owes now, and gives the one that is open already if
// it is of that amount: two phones and a kiosk lead to one page. links makes the addresses
// that the driver comes back to.
//
// Errors: books.nothing_due, pay.unknown, pay.unavailable, pay.refused, pay.not_set_up,
// parking.*.
func (b *Books) Begin(ctx context.Context, stay gatehouse.ID, provider, language string, links func(gatehouse.ID) (success, cancel string)) (gatehouse.Checkout, error) {
	defer b.begin.lock(stay)()
	p, err := b.provider(provider)
	if err != nil {
		return gatehouse.Checkout{}, err
	}
	if _, desk := p.(gatehouse.PaymentDesk); desk { // before anything is written
		return gatehouse.Checkout{}, gatehouse.Errorf("pay.refused", "pay at the desk", "nobody pays by %s on a page", provider)
	}
	due, err := b.Due(ctx, stay)
	if err != nil {
		return gatehouse.Checkout{}, err
	}
	open, paid, err := b.openOf(ctx, stay, due.Due, provider)
	if err != nil || open != nil {
		if open != nil {
			return *open, nil
		}
		return gatehouse.Checkout{}, err
	}
	if paid { // on another page, a moment ago
		if due, err = b.Due(ctx, stay); err != nil {
			return gatehouse.Checkout{}, err
		}
	}
	if due.Due.Minor <= 0 {
		return gatehouse.Checkout{}, gatehouse.Errorf("books.nothing_due", "the exit opens", "nothing is owed for this stay")
	}
	// To the second, as providers count.
	now := b.Now().UTC().Truncate(time.Second)
	c := gatehouse.Checkout{Place: b.Place, ID: gatehouse.RandomID(), Stay: stay, Provider: provider, Amount: due.Due, Charge: due.Charge, Paid: due.Paid, Language: language,
		Begun: now, Expires: now.Add(checkoutFor), State: gatehouse.CheckoutBegun}
	if err := b.Store.PutCheckout(ctx, c); err != nil {
		return c, err
	}
	success, cancel := links(c.ID)
	page, err := p.BeginCheckout(ctx, gatehouse.CheckoutRequest{ID: c.ID, Amount: c.Amount, Label: b.Label, Language: language, Success: success, Cancel: cancel, Expires: c.Expires})
	if err != nil {
		c.State = gatehouse.CheckoutExpired
		if failed := b.Store.PutCheckout(context.WithoutCancel(ctx), c); failed != nil {
			return c, failed
		}
		return c, err
	}
	c.State, c.Session, c.URL = gatehouse.CheckoutOpen, page.Session, page.URL
	return c, b.Store.PutCheckout(ctx, c)
}

// openOf looks at a stay's open checkouts: one of the amount that is owed is used again, the
// others are ended, so that nobody pays twice. paid says that one turned out to be paid.
func (b *Books) openOf(ctx context.Context, stay gatehouse.ID, due gatehouse.Money, provider string) (use *gatehouse.Checkout, paid bool, err error) {
	all, err := b.Store.OpenCheckouts(ctx, b.Place)
	if err != nil {
		return nil, false, err
	}
	for _, c := range all {
		if c.Stay != stay || c.State != gatehouse.CheckoutOpen {
			continue
		}
		p, err := b.provider(c.Provider)
		if err != nil {
			continue
		}
		if c, err = b.settle(ctx, p, c); err != nil {
			return nil, false, err
		}
		switch {
		case c.State == gatehouse.CheckoutPaid:
			paid = true
		case c.State != gatehouse.CheckoutOpen:
		case c.Amount == due && c.Provider == provider && c.Expires.Sub(b.Now()) > stillGood && use == nil:
			use = &c
		default:
			if err := b.end(ctx, p, c); err != nil {
				return nil, false, err
			}
		}
	}
	if paid {
		use = nil // what is owed has changed
	}
	return use, paid, nil
}

// end closes a page that would take an amount that is not owed any more.
func (b *Books) end(ctx context.Context, p gatehouse.PaymentProvider, c gatehouse.Checkout) error {
	if err := p.EndCheckout(ctx, c.Session); err != nil {
		return err
	}
	c.State = gatehouse.CheckoutExpired
	return b.Store.PutCheckout(ctx, c)
}

// Checkout gives a checkout as it stands, asking the provider where it is open: a message of
// it may be late, or lost. It fails with store.not_found.
func (b *Books) Checkout(ctx context.Context, id gatehouse.ID) (gatehouse.Checkout, error) {
	c, err := b.Store.Checkout(ctx, b.Place, id)
	if err != nil || c.State != gatehouse.CheckoutOpen {
		return c, err
	}
	p, err := b.provider(c.Provider)
	if err != nil {
		return c, nil // it was switched off meanwhile
	}
	settled, err := b.settle(ctx, p, c)
	if err != nil {
		b.Log.Info("a provider could not be asked about a checkout", "code", gatehouse.ErrorCode(err), "provider", c.Provider)
		return c, nil
	}
	return settled, nil
}

// settle asks the provider what became of an open checkout, and books it.
func (b *Books) settle(ctx context.Context, p gatehouse.PaymentProvider, c gatehouse.Checkout) (gatehouse.Checkout, error) {
	n, err := p.State(ctx, c.Session)
	if err != nil {
		return c, err
	}
	if n.Event.Kind == "" && !n.Over {
		return c, nil
	}
	if _, err := b.notice(ctx, c.Provider, n); err != nil {
		return c, err
	}
	return b.Store.Checkout(ctx, b.Place, c.ID)
}

// Notice takes a message that came to a provider's webhook. The error is the provider's
// (pay.forged, pay.stale, pay.malformed), or the books': then the provider sends it again. answer
// is what the provider wants to read of a message that was its own.
func (b *Books) Notice(ctx context.Context, provider string, header func(string) string, body []byte) (outcome gatehouse.BookOutcome, answer string, err error) {
	p, err := b.provider(provider)
	if err != nil {
		return "", "", err
	}
	n, err := p.ReadNotice(header, body, b.Now())
	if err != nil {
		return "", "", err
	}
	outcome, err = b.notice(ctx, provider, n)
	return outcome, n.Answer, err
}

func (b *Books) notice(ctx context.Context, provider string, n gatehouse.PaymentNotice) (gatehouse.BookOutcome, error) {
	ctx = context.WithoutCancel(ctx)
	e := n.Event
	var c gatehouse.Checkout
	if !n.Checkout.IsZero() {
		var err error
		c, err = b.Store.Checkout(ctx, b.Place, n.Checkout)
		if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && c.Provider != provider {
			return gatehouse.BookForeign, nil
		}
		if err != nil {
			return "", err
		}
	}
	switch {
	case e.Kind == "" && !n.Over:
		return gatehouse.BookIgnored, nil
	case n.Over:
		if c.ID.IsZero() {
			return gatehouse.BookForeign, nil
		}
		c.State = gatehouse.CheckoutExpired // unless it was paid
		return gatehouse.BookIgnored, b.Store.PutCheckout(ctx, c)
	case e.Kind == gatehouse.BookPayment && c.ID.IsZero():
		return gatehouse.BookForeign, nil
	}
	e.Place, e.Provider, e.Stay, e.Heard = b.Place, provider, c.Stay, b.Now().UTC()
	if n.ID != "" {
		e.Notice = n.ID
	}
	if e.At.IsZero() {
		e.At = e.Heard
	}
	_, outcome, err := b.take(ctx, e)
	if err != nil {
		return outcome, err
	}
	if e.Kind == gatehouse.BookPayment && c.State != gatehouse.CheckoutPaid {
		c.State, c.Payment = gatehouse.CheckoutPaid, e.Payment
		err = b.Store.PutCheckout(ctx, c)
	}
	return outcome, err
}

// Receipt gives the entry of the payment of a checkout that was paid, and what of it went back
// since. It fails with store.not_found.
func (b *Books) Receipt(ctx context.Context, c gatehouse.Checkout) (gatehouse.BookEntry, gatehouse.Money, error) {
	entries, err := b.Store.StayEntries(ctx, b.Place, c.Stay)
	if err != nil {
		return gatehouse.BookEntry{}, gatehouse.Money{}, err
	}
	var paid gatehouse.BookEntry
	back := gatehouse.Money{Currency: c.Amount.Currency}
	for _, e := range entries {
		switch {
		case e.Provider != c.Provider || e.Payment != c.Payment:
		case e.Kind == gatehouse.BookPayment:
			paid = e
		case e.Kind == gatehouse.BookRefund:
			back.Minor += e.Amount.Minor
		case e.Kind == gatehouse.BookRefundFailed:
			back.Minor -= e.Amount.Minor
		}
	}
	if paid.Number == 0 {
		return paid, back, gatehouse.Errorf("store.not_found", "", "there is no such receipt")
	}
	return paid, back, nil
}
