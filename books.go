package gatehouse

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"
)

// LedgerAccount names an account of the books. A debit is positive, a credit negative.
type LedgerAccount string

// The accounts that are there once. Those of a provider are Held, Disputed and Fees.
const (
	// Receivable is what drivers owe for their stays; below zero, what they paid too much.
	Receivable    LedgerAccount = "receivable"
	Revenue       LedgerAccount = "revenue"            // without tax
	TaxOwed       LedgerAccount = "tax"                // to the state
	WrittenOff    LedgerAccount = "losses/written-off" // what a person decided not to ask for
	LostDisputes  LedgerAccount = "losses/disputes"    // what banks gave back to their customers
	BankAccount   LedgerAccount = "bank"               // what providers paid out, and what a till was emptied of
	heldPrefix                  = "held/"
	disputePrefix               = "disputed/"
	feePrefix                   = "fees/"
	prepaidPrefix               = "prepaid/"
)

// Held is what came in by a provider ("stripe", "cash") and has not been paid out: for
// cash what is in the till, for an invoice what its receiver owes.
func Held(provider string) LedgerAccount { return LedgerAccount(heldPrefix + provider) }

// Disputed is what a provider took back until a dispute has ended.
func Disputed(provider string) LedgerAccount { return LedgerAccount(disputePrefix + provider) }

// Fees is what a provider kept for itself.
func Fees(provider string) LedgerAccount { return LedgerAccount(feePrefix + provider) }

// Prepaid is what a pass of value holds: money that its vehicle has not parked for yet. It
// is owed to the driver, so that it is a credit and never a debit.
func Prepaid(pass ID) LedgerAccount { return LedgerAccount(prepaidPrefix + pass.String()) }

// FromPass is the Provider of what passes of value pay.
const FromPass = "prepaid"

// Posting is one line of an entry, in minor units of the entry's currency.
type Posting struct {
	Account LedgerAccount
	Amount  int64 // debit positive
}

// BookKind says what changed the books.
type BookKind string

// The kinds of change.
const (
	BookCharge       BookKind = "charge"        // a stay costs so much; the difference is booked
	BookPayment      BookKind = "payment"       // a provider has a driver's money
	BookRefund       BookKind = "refund"        // a provider gave some back
	BookRefundFailed BookKind = "refund_failed" // and it came back
	BookDispute      BookKind = "dispute"       // a bank took a payment back until it has decided
	BookDisputeWon   BookKind = "dispute_won"
	BookDisputeLost  BookKind = "dispute_lost"
	BookWriteOff     BookKind = "write_off" // a person decided not to ask for it
	BookFee          BookKind = "fee"       // a provider kept so much; negative: it gave that back
	BookPayout       BookKind = "payout"    // a provider paid out; a till was emptied
	BookTopUp        BookKind = "top_up"    // an order put money on a pass; Payment is the pass
	BookSpend        BookKind = "spend"     // a pass paid for a stay
	BookGiveBack     BookKind = "give_back" // what a pass held is owed to who ordered it
)

// BookKinds lists them all.
var BookKinds = []BookKind{BookCharge, BookPayment, BookRefund, BookRefundFailed, BookDispute, BookDisputeWon, BookDisputeLost, BookWriteOff, BookFee, BookPayout, BookTopUp, BookSpend, BookGiveBack}

// BookReason is why a person changed the books. It is one of a list, so that nobody's name
// gets into the books.
type BookReason string

// The reasons.
const (
	ForGoodwill   BookReason = "goodwill"
	ForFault      BookReason = "fault"       // of a gate, a reader or a machine
	ForMisread    BookReason = "misread"     // the stay was another vehicle's
	ForTariff     BookReason = "tariff"      // the wrong one was applied
	ForOverpaid   BookReason = "overpaid"    // more was paid than owed
	ForUnpayable  BookReason = "unpayable"   // it cannot be had, or costs more than it is
	ForDisputed   BookReason = "disputed"    // the driver is in the right, or may be
	ForDoubleSale BookReason = "double_sale" // the same was paid twice
)

// BookReasons lists them all.
var BookReasons = []BookReason{ForGoodwill, ForFault, ForMisread, ForTariff, ForOverpaid, ForUnpayable, ForDisputed, ForDoubleSale}

// BookEvent is something that the books are told of. The same event may be told any number
// of times, in any order.
type BookEvent struct {
	Place
	Kind   BookKind
	At     time.Time // when it happened
	Heard  time.Time // when it was heard of
	Stay   ID        // zero for fees and payouts; what concerns a payment has its stay
	Amount Money     // of a charge the whole, not the difference; only a fee may be negative
	Tax    int64     // the part of a charge that is tax
	// Provider is who has the money; "" for charges and write-offs.
	Provider string
	Payment  string // the provider's id of the payment that it is about; of FromPass the pass
	// Object is the provider's id of what happened: a refund, a dispute, a fee, a payout.
	// Of a payment it is Payment, of a write-off an id that its maker chose.
	Object string
	Notice string // the id of the provider's message, "" where it was asked for
	By     string // the account of a person who did it; "" for the system
	Reason BookReason
	// Charge is what a charge is the sum of.
	Charge *Charge
}

// BookKnown is what the books hold that bears upon an event, by number: entries of its
// stay, and entries of its provider's payment. An entry may be in both.
type BookKnown struct {
	OfStay    []BookEntry
	OfPayment []BookEntry
}

// BookOutcome is what became of an event.
type BookOutcome string

// The outcomes.
const (
	Booked        BookOutcome = "booked"
	BookDuplicate BookOutcome = "duplicate"    // it was booked before
	BookUnchanged BookOutcome = "no_change"    // a charge that is what was booked
	BookWaiting   BookOutcome = "waiting"      // for what it is about: it came too early
	BookForeign   BookOutcome = "not_our_own"  // of another program that has the same account at the provider
	BookIgnored   BookOutcome = "not_of_money" // a message that moves none
)

// BookEntry is one change of the books. Its postings add up to nothing.
type BookEntry struct {
	BookEvent
	Number   uint64    // 1, 2, 3, … of a site, without a gap
	Key      string    // of the event: no two entries have the same
	Booked   time.Time // never before that of an entry with a lower number
	Postings []Posting
}

// encode gives the entry's content with lengths before its parts.
func (e BookEntry) encode() []byte {
	number := func(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
	parts := [][]byte{[]byte(e.Org), []byte(e.Site), number(int64(e.Number)), []byte(e.Key), []byte(e.Kind), number(e.At.UnixMicro()), number(e.Booked.UnixMicro()), e.Stay[:],
		number(e.Amount.Minor), []byte(e.Amount.Currency), number(e.Tax), []byte(e.Provider), []byte(e.Payment), []byte(e.Object), []byte(e.Notice), []byte(e.By), []byte(e.Reason)}
	for _, p := range e.Postings {
		parts = append(parts, []byte(p.Account), number(p.Amount))
	}
	var b []byte
	for _, p := range parts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	return b
}

// Digest is the SHA-256 of all that the entry says, but for how its charge came about.
func (e BookEntry) Digest() [sha256.Size]byte { return sha256.Sum256(e.encode()) }

// BookLeaf commits to an entry.
func BookLeaf(e BookEntry) []byte {
	return leaf(BookLeafKind, e.Booked, []byte(e.Kind), []byte(e.Org), []byte(e.Site), strconv.AppendUint(nil, e.Number, 10), digest(e.encode()))
}

// Balance is the sum of an account's postings in one currency.
type Balance struct {
	Account LedgerAccount
	Amount  Money
}

// BookClosing ends a day in the books: entries up to Last belong to it or to a day before.
type BookClosing struct {
	Place
	Day         Date
	First, Last uint64 // numbers; Last is First-1 where nothing was booked
	At          time.Time
	By          string
	Turnover    []Balance // what the accounts changed by
	Balances    []Balance // what they hold at its end
	Digest      [sha256.Size]byte
}

// ClosingLeaf commits to a closing.
func ClosingLeaf(c BookClosing) []byte {
	return leaf(BookLeafKind, c.At, []byte("day_closed"), []byte(c.Org), []byte(c.Site), strconv.AppendUint(nil, c.Last, 10), c.Digest[:])
}
