package wire

import (
	"time"

	"gatehouse"
)

// Money is an amount in minor units (cents, fen, yen) of a currency of ISO 4217.
type Money struct {
	Minor    int64              `json:"minor"`
	Currency gatehouse.Currency `json:"currency"`
}

// BooksAmount is what an account holds; a debit is positive.
type BooksAmount struct {
	Account gatehouse.LedgerAccount `json:"account"`
	Amount  Money                   `json:"amount"`
}

// BooksDay is what was booked on one day in one currency, in minor units.
type BooksDay struct {
	Day        gatehouse.Date     `json:"day"`
	Currency   gatehouse.Currency `json:"currency"`
	Charged    int64              `json:"charged"` // with tax
	Tax        int64              `json:"tax"`
	Paid       map[string]int64   `json:"paid"`     // by way of paying
	Refunded   int64              `json:"refunded"` // less refunds that failed
	WrittenOff int64              `json:"written_off"`
	Disputed   int64              `json:"disputed"` // by disputes that began
	Won        int64              `json:"won"`      // by disputes that ended
	Lost       int64              `json:"lost"`
	Fees       int64              `json:"fees"`
	PaidOut    int64              `json:"paid_out"`
	ToppedUp   int64              `json:"topped_up"` // put on passes of value, less what was given back
	Spent      int64              `json:"spent"`     // paid by them
	Entries    int                `json:"entries"`
}

// BooksStay is what a stay owes, or was paid too much for it (negative).
type BooksStay struct {
	Stay gatehouse.ID `json:"stay"`
	Owes Money        `json:"owes"`
}

// BooksClosing is a day that was closed.
type BooksClosing struct {
	Day      gatehouse.Date `json:"day"`
	First    uint64         `json:"first"` // numbers of entries; last is first-1 where there were none
	Last     uint64         `json:"last"`
	At       time.Time      `json:"at"`
	By       string         `json:"by"`
	Turnover []BooksAmount  `json:"turnover"`
	Balances []BooksAmount  `json:"balances"`
	Digest   string         `json:"digest"` // SHA-256 over the entries' digests
}

// BooksReport is what the books say of some days.
type BooksReport struct {
	From     gatehouse.Date `json:"from"`
	Until    gatehouse.Date `json:"until"` // the last day
	Days     []BooksDay     `json:"days"`
	Balances []BooksAmount  `json:"balances"` // now
	Owed     []BooksStay    `json:"owed"`     // 200 at most
	Overpaid []BooksStay    `json:"overpaid"` // 200 at most
	Waiting  int            `json:"waiting"`  // messages about payments that are not known
	Closings []BooksClosing `json:"closings"` // the newest 31
}

// BooksPosting is one line of an entry, in minor units; a debit is positive.
type BooksPosting struct {
	Account gatehouse.LedgerAccount `json:"account"`
	Amount  int64                   `json:"amount"`
}

// BooksEntry is one change of the books. Its postings add up to nothing.
type BooksEntry struct {
	Number   uint64               `json:"number"`
	Kind     gatehouse.BookKind   `json:"kind"`
	At       time.Time            `json:"at"`
	Booked   time.Time            `json:"booked"`
	Stay     gatehouse.ID         `json:"stay,omitzero"`
	Amount   Money                `json:"amount"`
	Tax      int64                `json:"tax,omitempty"`
	Provider string               `json:"provider,omitempty"`
	Payment  string               `json:"payment,omitempty"` // the provider's id of the payment
	Object   string               `json:"object,omitempty"`  // the provider's id of the refund, dispute, fee or payout
	By       string               `json:"by,omitempty"`
	Reason   gatehouse.BookReason `json:"reason,omitempty"`
	Postings []BooksPosting       `json:"postings"`
}

// BooksEntries is one page of entries.
type BooksEntries struct {
	Entries []BooksEntry `json:"entries"`
	Next    uint64       `json:"next,omitempty"` // after, for the next page; missing on the last
}

// BooksCloseRequest closes a day that is over.
type BooksCloseRequest struct {
	Day gatehouse.Date `json:"day"`
}

// BooksReconcileRequest compares the books with a provider's account.
type BooksReconcileRequest struct {
	Provider string         `json:"provider"`
	From     gatehouse.Date `json:"from"`
	Until    gatehouse.Date `json:"until"`
}

// BooksDifference is something that the books and a provider's account do not agree about.
type BooksDifference struct {
	Finding string             `json:"finding"`        // not_booked, not_there, other_money
	Kind    gatehouse.BookKind `json:"kind,omitempty"` // missing: it moves nothing that is booked here
	Object  string             `json:"object"`
	Payment string             `json:"payment,omitempty"`
	At      time.Time          `json:"at"`
	Here    Money              `json:"here,omitzero"`
	There   Money              `json:"there,omitzero"`
}

// BooksReconciliation is how they compare.
type BooksReconciliation struct {
	Provider    string            `json:"provider"`
	From        gatehouse.Date    `json:"from"`
	Until       gatehouse.Date    `json:"until"`
	Lines       int               `json:"lines"`  // of the provider's account
	Booked      int               `json:"booked"` // fees, payouts and messages that had not come, which are booked now
	Differences []BooksDifference `json:"differences"`
	Held        []BooksAmount     `json:"held"` // what the books say that the provider holds
}

// BooksPaymentRequest books what somebody took at a desk.
type BooksPaymentRequest struct {
	Stay   gatehouse.ID `json:"stay"`
	Way    string       `json:"way"` // cash, card, invoice
	Amount Money        `json:"amount"`
	ID     gatehouse.ID `json:"id,omitzero"` // of the caller's choice: the same is booked once
}

// BooksRefundRequest gives money back by the way it came.
type BooksRefundRequest struct {
	Stay     gatehouse.ID         `json:"stay"`
	Provider string               `json:"provider"`
	Payment  string               `json:"payment"` // the provider's id, as the entry has it
	Amount   Money                `json:"amount"`
	Reason   gatehouse.BookReason `json:"reason"`
	ID       gatehouse.ID         `json:"id,omitzero"` // of the caller's choice: the same is refunded once
}

// BooksWriteOffRequest decides that an amount will not be asked for.
type BooksWriteOffRequest struct {
	Stay   gatehouse.ID         `json:"stay"`
	Amount Money                `json:"amount"`
	Reason gatehouse.BookReason `json:"reason"`
	ID     gatehouse.ID         `json:"id,omitzero"` // of the caller's choice: the same is written off once
}

// BooksExport is the entries of some days as a file.
type BooksExport struct {
	Name string `json:"name"`
	File []byte `json:"file"`
}
