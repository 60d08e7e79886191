package gatehouse

import (
	"context"
	"time"
)

// BookDecision makes an entry of an event and of what the books hold. It MUST be a pure
// function: it may be asked more than once. Number and Booked are filled in by the store.
// Without an entry to book, the outcome says why.
type BookDecision func(e BookEvent, k BookKnown) (BookEntry, BookOutcome, error)

// BookStore keeps the books: entries are added, and never changed.
type BookStore interface {
	// Book carries one event out, in one transaction with its leaf: what the books know is
	// read, decide is asked, and its entry is numbered and added, durable when Book returns.
	// It can be called again with the same event: the outcome is BookDuplicate then, with the
	// entry that is there. An event that decide lets wait is kept, once.
	Book(ctx context.Context, e BookEvent, decide BookDecision) (BookEntry, BookOutcome, error)
	// WaitingBooks gives what waits for a payment of a provider, oldest first; all that
	// waits where payment is "".
	WaitingBooks(ctx context.Context, place Place, provider, payment string) ([]BookEvent, error)
	// ReadyBooks gives what waits although its payment is booked, oldest first.
	ReadyBooks(ctx context.Context, place Place) ([]BookEvent, error)
	// StayEntries gives a stay's entries by number.
	StayEntries(ctx context.Context, place Place, stay ID) ([]BookEntry, error)
	// BookEntries gives entries by number, behind After: at most Limit, 1..1000.
	BookEntries(ctx context.Context, q BookQuery) ([]BookEntry, error)
	// BookBalances gives what the accounts hold, by account and currency.
	BookBalances(ctx context.Context, place Place) ([]Balance, error)
	// BookTurnover gives what the entries behind a number up to another changed them by.
	BookTurnover(ctx context.Context, place Place, after, upTo uint64) ([]Balance, error)
	// Unsettled lists the stays whose postings to Receivable are not zero, by stay behind
	// after: at most limit, 1..1000.
	Unsettled(ctx context.Context, place Place, after ID, limit int) ([]StayBalance, error)
	// CloseBooks adds a closing with its leaf. It fails with books.closed where the day or a
	// later one has one, and with books.changed where entries follow another than First-1.
	CloseBooks(ctx context.Context, c BookClosing) error
	// Closings gives the newest, newest first: at most limit, 1..1000.
	Closings(ctx context.Context, place Place, limit int) ([]BookClosing, error)
	// LastBooked is the number of the newest entry that was booked before a moment; 0 for none.
	LastBooked(ctx context.Context, place Place, before time.Time) (uint64, error)
	// CheckBooks fails with books.unbalanced where an entry's postings do not add up to
	// nothing, the balances that are kept are not the sums, or a number is missing.
	CheckBooks(ctx context.Context, place Place) error

	// NumberInvoice gives an invoice the next number of its year, from 1 and without a gap, durable
	// when it returns. What has a number already keeps it, with its year: key says what it is of.
	NumberInvoice(ctx context.Context, place Place, key string, year int, at time.Time) (inYear int, number uint64, err error)
	// PutCheckout makes a checkout or replaces it.
	PutCheckout(ctx context.Context, c Checkout) error
	// Checkout fails with store.not_found.
	Checkout(ctx context.Context, place Place, id ID) (Checkout, error)
	// OpenCheckouts lists those that are neither paid nor over, oldest first.
	OpenCheckouts(ctx context.Context, place Place) ([]Checkout, error)
	// PutRefundOrder makes an order or replaces it; a new one fails with books.too_much where
	// the payment's orders that did not fail would be more than is left of it.
	PutRefundOrder(ctx context.Context, o RefundOrder) error
	// RefundOrders lists those that are still to be carried out, oldest first.
	RefundOrders(ctx context.Context, place Place) ([]RefundOrder, error)
}

// BookQuery asks for entries by number.
type BookQuery struct {
	Place
	After       uint64
	From, Until time.Time // booked at or after, and before; zero: no limit
	Limit       int
}

// StayBalance is what a stay owes, or was paid too much for it (negative).
type StayBalance struct {
	Stay ID
	Owes Money
}

// CheckoutState is how far a checkout has come.
type CheckoutState string

// The states.
const (
	CheckoutBegun   CheckoutState = "begun" // the provider is asked
	CheckoutOpen    CheckoutState = "open"  // the driver has the provider's page
	CheckoutPaid    CheckoutState = "paid"
	CheckoutExpired CheckoutState = "expired"
)

// Checkout is a driver on the way to pay. Its ID is random, and who has it sees the receipt:
// it is in the address of the driver's page. A provider learns it and the amount, and
// nothing else of the stay.
type Checkout struct {
	Place
	ID       ID
	Stay     ID
	Provider string
	Amount   Money
	Charge   Charge // as it stood then: what a receipt says
	Paid     Money  // before it
	Language string // en or zh
	Begun    time.Time
	Expires  time.Time
	State    CheckoutState
	Session  string // the provider's id of it
	URL      string // the provider's page
	Payment  string // the provider's id of the payment, once it is there
}

// RefundState is how far a refund has come.
type RefundState string

// The states.
const (
	RefundAsked  RefundState = "asked"
	RefundDone   RefundState = "done"
	RefundFailed RefundState = "failed"
)

// RefundOrder is a refund that a person decided, written before the provider is asked, which
// is asked with the order's ID until it has answered: so nobody is refunded twice.
type RefundOrder struct {
	Place
	ID       ID
	Stay     ID
	Provider string
	Payment  string
	Amount   Money
	Reason   BookReason
	By       string
	At       time.Time
	State    RefundState
}

// CheckoutRequest is what a provider learns of a checkout.
type CheckoutRequest struct {
	ID       ID // the checkout's; a provider gives it back with whatever it says of the payment
	Amount   Money
	Label    string // of the site, as the driver reads it on the provider's page; not personal
	Language string
	Success  string // where the driver goes on: URLs of the site
	Cancel   string
	Expires  time.Time
}

// CheckoutPage is where a driver pays.
type CheckoutPage struct {
	Session string
	URL     string
}

// PaymentNotice is what a provider says happened, translated.
type PaymentNotice struct {
	ID       string // the provider's, of the message
	Outcome  BookOutcome
	Checkout ID // that it is about; zero where only Event.Payment says so
	// Event is what it means for the books, without its place and stay; its Kind is "" where
	// it moves no money.
	Event BookEvent
	// Over says that the checkout ended without a payment.
	Over bool
	// Answer is what the provider wants to read before it stops telling; "" for nothing.
	Answer string
}

// Movement is one line of a provider's own account.
type Movement struct {
	ID      string // of the line
	Kind    BookKind
	Object  string // what moved it, as BookEvent.Object has it
	Payment string
	At      time.Time
	Amount  Money // as it changed what the provider holds, before fees; a payout is negative
	Fee     int64
}

// PaymentProvider takes money for the site. Amounts are in minor units.
type PaymentProvider interface {
	// Name is a name as CheckName has it: "stripe".
	Name() string
	// BeginCheckout asks for a page to pay at. Asked again with the same ID it MUST give the
	// same page, or one at which no second payment is possible. Errors: pay.unavailable (try
	// again), pay.refused, pay.not_set_up.
	BeginCheckout(ctx context.Context, c CheckoutRequest) (CheckoutPage, error)
	// EndCheckout closes a page at which nobody has paid; one that was paid or is over is no
	// error.
	EndCheckout(ctx context.Context, session string) error
	// ReadNotice verifies a message that came to the site's webhook and translates it; header
	// gives a header of it. What is not signed by the provider MUST fail: pay.forged; what
	// was signed too long ago with pay.stale; what was signed and is not understood with
	// pay.malformed.
	ReadNotice(header func(string) string, body []byte, now time.Time) (PaymentNotice, error)
	// State asks what became of a checkout: what ReadNotice would say by now. An Event
	// without a Kind and Over false mean that the driver is still there.
	State(ctx context.Context, session string) (PaymentNotice, error)
	// Refund gives back a part of a payment, or all of it. It is asked until it answers, with
	// the same order: a provider MUST carry out an order's ID once.
	Refund(ctx context.Context, o RefundOrder) (BookEvent, error)
	// Movements gives the lines of the provider's account from a moment up to another.
	Movements(ctx context.Context, from, until time.Time) ([]Movement, error)
}

// PaymentDesk is a provider whose money a person takes: cash, a card terminal, an invoice.
type PaymentDesk interface {
	PaymentProvider
	// AtDesk marks it.
	AtDesk()
}
