package api

import (
	"context"
	"net/http"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// Books are the books of the car park. Who changes them is the caller that ctx carries.
type Books interface {
	// BooksReport: date.malformed, books.span.
	BooksReport(ctx context.Context, from, until gatehouse.Date) (wire.BooksReport, error)
	// BooksEntries pages by number, ascending, behind after.
	BooksEntries(ctx context.Context, after uint64, limit int) (wire.BooksEntries, error)
	// CloseBooks: books.day, books.closed, books.changed.
	CloseBooks(ctx context.Context, r wire.BooksCloseRequest) (wire.BooksClosing, error)
	// ReconcileBooks: pay.unknown, pay.not_set_up, pay.unavailable, books.span.
	ReconcileBooks(ctx context.Context, r wire.BooksReconcileRequest) (wire.BooksReconciliation, error)
	// TakePayment: pay.unknown, pay.not_at_desk, books.malformed, books.currency.
	TakePayment(ctx context.Context, r wire.BooksPaymentRequest) (wire.BooksEntry, error)
	// RefundPayment: books.reason, books.too_much, books.currency, pay.unknown, pay.refused,
	// pay.unavailable (it is asked again), store.not_found.
	RefundPayment(ctx context.Context, r wire.BooksRefundRequest) (wire.BooksEntry, error)
	// WriteOff: books.reason, books.too_much, books.currency.
	WriteOff(ctx context.Context, r wire.BooksWriteOffRequest) (wire.BooksEntry, error)
}

// BooksAdmin is Books over the admin socket.
type BooksAdmin interface {
	Books
	// ExportBooks makes a file of the entries of some days: format is csv or xlsx.
	ExportBooks(ctx context.Context, from, until gatehouse.Date, format string) (wire.BooksExport, error)
	// CheckBooks fails with books.unbalanced.
	CheckBooks(ctx context.Context) error
}

const tagBooks = "Parking books"

var aDay = func(name, about string) parameter {
	return parameter{name: name, about: about, like: gatehouse.Date(""), required: true}
}

// book is an operation of Books; a server that has none answers request.not_served.
func (a *API) book(o operation) operation {
	if a.o.Books == nil {
		o.Handler = func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, notServed()) }
	}
	o.tag = tagBooks
	o.problems = append(o.problems, "request.not_served", "store.failed")
	return o
}

func (a *API) bookOperations() []operation {
	see, keep := auth.Needs(gatehouse.SeeBooks).OrToken(), auth.NeedsFresh(gatehouse.KeepBooks)
	return []operation{a.book(operation{
		Route: auth.Route{Pattern: "GET /api/v1/parking/books/report", Policy: see, Handler: a.booksReport},
		id:    "getBooksReport", summary: "What was charged and paid on some days", tagged: true,
		about:    "By the days on which it was booked. Amounts are minor units of their currency. Stays are opaque ids.",
		query:    []parameter{aDay("from", "The first day."), aDay("until", "The last day; at most 400 days.")},
		replies:  answers(http.StatusOK, wire.BooksReport{}, "The report."),
		problems: []string{"date.malformed", "books.span"},
	}), a.book(operation{
		Route: auth.Route{Pattern: "GET /api/v1/parking/books/entries", Policy: see, Handler: a.booksEntries},
		id:    "listBooksEntries", summary: "List the entries of the books by number", tagged: true,
		about:    "Entries are added and never changed; their numbers have no gap.",
		query:    []parameter{{name: "after", about: "The cursor: next of the page before.", like: 0, least: 0, most: 1 << 53}, aLimit},
		replies:  answers(http.StatusOK, wire.BooksEntries{}, "One page."),
		problems: []string{"request.malformed"},
	}), a.book(operation{
		Route: auth.Route{Pattern: "POST /api/v1/parking/books/closings", Policy: keep, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Books.CloseBooks)
		}},
		id: "closeBooksDay", summary: "Close a day that is over", keyed: true, most: maxSmall,
		about:    "The server closes days by itself; what is heard of later belongs to a later day.",
		request:  inJSON(wire.BooksCloseRequest{}),
		replies:  answers(http.StatusCreated, wire.BooksClosing{}, "The closing."),
		problems: []string{"date.malformed", "books.span", "books.day", "books.closed", "books.changed"},
	}), a.book(operation{
		Route: auth.Route{Pattern: "POST /api/v1/parking/books/reconciliations", Policy: keep, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusOK, a.o.Books.ReconcileBooks)
		}},
		id: "reconcileBooks", summary: "Compare the books with a payment provider's account", keyed: true, most: maxSmall,
		about:    "Fees, payouts and messages that had not come are booked; what remains is for a person to look at.",
		request:  inJSON(wire.BooksReconcileRequest{}),
		replies:  answers(http.StatusOK, wire.BooksReconciliation{}, "How they compare."),
		problems: []string{"date.malformed", "books.span", "pay.unknown", "pay.not_set_up", "pay.refused", "pay.unavailable", "pay.malformed"},
	}), a.book(operation{
		Route: auth.Route{Pattern: "POST /api/v1/parking/books/payments", Policy: keep, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Books.TakePayment)
		}},
		id: "takePayment", summary: "Book what was taken at a desk", keyed: true, most: maxSmall,
		request:  inJSON(wire.BooksPaymentRequest{}),
		replies:  answers(http.StatusCreated, wire.BooksEntry{}, "The entry."),
		problems: []string{"pay.unknown", "pay.not_at_desk", "books.malformed", "books.currency"},
	}), a.book(operation{
		Route: auth.Route{Pattern: "POST /api/v1/parking/books/refunds", Policy: keep, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Books.RefundPayment)
		}},
		id: "refundPayment", summary: "Give a payment back, or a part of it", keyed: true, most: maxSmall,
		about:    "pay.unavailable: it is kept, and the provider is asked again every minute.",
		request:  inJSON(wire.BooksRefundRequest{}),
		replies:  answers(http.StatusCreated, wire.BooksEntry{}, "The entry."),
		problems: []string{"store.not_found", "books.reason", "books.too_much", "books.currency", "books.malformed", "pay.unknown", "pay.not_set_up", "pay.refused", "pay.unavailable"},
	}), a.book(operation{
		Route: auth.Route{Pattern: "POST /api/v1/parking/books/write-offs", Policy: keep, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Books.WriteOff)
		}},
		id: "writeOff", summary: "Decide that an amount will not be asked for", keyed: true, most: maxSmall,
		request:  inJSON(wire.BooksWriteOffRequest{}),
		replies:  answers(http.StatusCreated, wire.BooksEntry{}, "The entry."),
		problems: []string{"books.reason", "books.too_much", "books.currency", "books.malformed"},
	})}
}

func (a *API) booksReport(w http.ResponseWriter, r *http.Request) {
	show(a, w, r, func(ctx context.Context) (wire.BooksReport, error) {
		return a.o.Books.BooksReport(ctx, gatehouse.Date(r.URL.Query().Get("from")), gatehouse.Date(r.URL.Query().Get("until")))
	})
}

func (a *API) booksEntries(w http.ResponseWriter, r *http.Request) {
	after, limit, err := entriesQuery(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.BooksEntries, error) { return a.o.Books.BooksEntries(ctx, after, limit) })
}

func entriesQuery(r *http.Request) (after uint64, limit int, err error) {
	if s := r.URL.Query().Get("after"); s != "" {
		if after, err = strconv.ParseUint(s, 10, 53); err != nil {
			return 0, 0, gatehouse.Errorf("request.malformed", "after is the number of an entry", "this is no cursor")
		}
	}
	limit, err = limitOf(r)
	return after, limit, err
}

// booksRoutes are the books over the admin socket.
func (a *API) booksRoutes() []auth.Route {
	on := func(pattern string, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: pattern, Policy: auth.OnSocket, Handler: h}
	}
	days := func(r *http.Request) (from, until gatehouse.Date) {
		return gatehouse.Date(r.URL.Query().Get("from")), gatehouse.Date(r.URL.Query().Get("until"))
	}
	return []auth.Route{
		on("GET /admin/v1/books/report", func(w http.ResponseWriter, r *http.Request) {
			from, until := days(r)
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.BooksReport, error) { return a.o.Admin.BooksReport(ctx, from, until) })
		}),
		on("GET /admin/v1/books/export", func(w http.ResponseWriter, r *http.Request) {
			from, until := days(r)
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.BooksExport, error) {
				return a.o.Admin.ExportBooks(ctx, from, until, r.URL.Query().Get("format"))
			})
		}),
		on("GET /admin/v1/books/entries", func(w http.ResponseWriter, r *http.Request) {
			after, limit, err := entriesQuery(r)
			if err != nil {
				a.fail(w, r, err)
				return
			}
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.BooksEntries, error) { return a.o.Admin.BooksEntries(ctx, after, limit) })
		}),
		on("POST /admin/v1/books/check", func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) { return struct{}{}, a.o.Admin.CheckBooks(ctx) })
		}),
		on("POST /admin/v1/books/closings", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.CloseBooks)
		}),
		on("POST /admin/v1/books/reconciliations", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusOK, a.o.Admin.ReconcileBooks)
		}),
		on("POST /admin/v1/books/payments", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.TakePayment)
		}),
		on("POST /admin/v1/books/refunds", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.RefundPayment)
		}),
		on("POST /admin/v1/books/write-offs", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.WriteOff)
		}),
	}
}
