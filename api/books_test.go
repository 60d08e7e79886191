package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

var anEntry = wire.BooksEntry{Number: 7, Kind: gatehouse.BookPayment, At: time.Unix(1_800_000_000, 0).UTC(), Booked: time.Unix(1_800_000_001, 0).UTC(), Stay: gatehouse.ID{1}, Amount: wire.Money{Minor: 250, Currency: "EUR"},
	Provider: "cash", Postings: []wire.BooksPosting{{Account: "held/cash", Amount: 250}, {Account: gatehouse.Receivable, Amount: -250}}}

func (w *world) BooksReport(_ context.Context, from, until gatehouse.Date) (wire.BooksReport, error) {
	return wire.BooksReport{From: from, Until: until, Days: []wire.BooksDay{{Day: from, Currency: "EUR", Charged: 250, Tax: 40, Paid: map[string]int64{"cash": 250}, Entries: 2}}, Balances: []wire.BooksAmount{}, Owed: []wire.BooksStay{}, Overpaid: []wire.BooksStay{},
		Closings: []wire.BooksClosing{}}, w.fail
}

func (w *world) BooksEntries(_ context.Context, after uint64, _ int) (wire.BooksEntries, error) {
	return wire.BooksEntries{Entries: []wire.BooksEntry{anEntry}, Next: after + 7}, w.fail
}

func (w *world) ExportBooks(context.Context, gatehouse.Date, gatehouse.Date, string) (wire.BooksExport, error) {
	return wire.BooksExport{Name: "books.csv", File: []byte("number\r\n")}, w.fail
}

func (w *world) CheckBooks(context.Context) error { return w.fail }

func (w *world) CloseBooks(_ context.Context, r wire.BooksCloseRequest) (wire.BooksClosing, error) {
	return wire.BooksClosing{Day: r.Day, First: 1, Last: 7, At: anEntry.At, By: "somebody", Turnover: []wire.BooksAmount{}, Balances: []wire.BooksAmount{}}, w.fail
}

func (w *world) ReconcileBooks(_ context.Context, r wire.BooksReconcileRequest) (wire.BooksReconciliation, error) {
	return wire.BooksReconciliation{Provider: r.Provider, From: r.From, Until: r.Until, Differences: []wire.BooksDifference{{Finding: "not_booked", Object: "pi_1", At: anEntry.At}}, Held: []wire.BooksAmount{}}, w.fail
}

func (w *world) TakePayment(context.Context, wire.BooksPaymentRequest) (wire.BooksEntry, error) {
	return anEntry, w.fail
}

func (w *world) RefundPayment(context.Context, wire.BooksRefundRequest) (wire.BooksEntry, error) {
	return anEntry, w.fail
}

func (w *world) WriteOff(context.Context, wire.BooksWriteOffRequest) (wire.BooksEntry, error) {
	return anEntry, w.fail
}

// Nobody without a session or a token reads or changes the books; what is answered has the
// shape that the document names (apitest), and a fault keeps its code.
func TestBooksAreRefusedToNobody(t *testing.T) {
	w := &world{}
	tcp, socket := serve(t, w, func(o *api.Options) { o.Books = w })
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/api/v1/parking/books/report?from=2026-11-01&until=2026-11-30", ""}, {"GET", "/api/v1/parking/books/entries", ""},
		{"POST", "/api/v1/parking/books/closings", `{"day":"2026-11-20"}`}, {"POST", "/api/v1/parking/books/reconciliations", `{"provider":"stripe","from":"2026-11-01","until":"2026-11-30"}`},
		{"POST", "/api/v1/parking/books/payments", `{}`}, {"POST", "/api/v1/parking/books/refunds", `{}`}, {"POST", "/api/v1/parking/books/write-offs", `{}`},
	} {
		if r := send(tcp, c.method, c.path, c.body, "Content-Type", "application/json"); r.Code != http.StatusUnauthorized {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.Code, r.Body)
		}
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/admin/v1/books/report?from=2026-11-01&until=2026-11-30", "", 200}, {"GET", "/admin/v1/books/entries?after=3&limit=10", "", 200}, {"GET", "/admin/v1/books/entries?after=x", "", 400},
		{"GET", "/admin/v1/books/export?format=csv", "", 200}, {"POST", "/admin/v1/books/check", "", 200}, {"POST", "/admin/v1/books/closings", `{"day":"2026-11-20"}`, 201},
		{"POST", "/admin/v1/books/reconciliations", `{"provider":"stripe"}`, 200}, {"POST", "/admin/v1/books/payments", `{"way":"cash"}`, 201}, {"POST", "/admin/v1/books/refunds", `{"amount":{"minor":1,"currency":"EUR"}}`, 201},
		{"POST", "/admin/v1/books/write-offs", `{"reason":"fault"}`, 201}, {"POST", "/admin/v1/books/write-offs", `{"reasons":"fault"}`, 400},
	} {
		if r := send(socket, c.method, c.path, c.body, "Content-Type", "application/json"); r.Code != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.Code, r.Body)
		}
	}
	for code, status := range map[string]int{"books.closed": 409, "books.day": 409, "books.too_much": 422, "books.reason": 422, "pay.unavailable": 503, "pay.refused": 422, "pay.unknown": 404} {
		w.fail = gatehouse.Errorf(code, "", "no")
		if r := send(socket, "POST", "/admin/v1/books/write-offs", `{}`, "Content-Type", "application/json"); r.Code != status {
			t.Errorf("%s: %d, want %d", code, r.Code, status)
		}
	}
}
