package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
)

func days(from, until gatehouse.Date) url.Values {
	return url.Values{"from": {string(from)}, "until": {string(until)}}
}

// BooksReport says what was charged and paid on days.
func (c *Client) BooksReport(ctx context.Context, from, until gatehouse.Date) (out wire.BooksReport, err error) {
	err = c.ask(ctx, http.MethodGet, "/admin/v1/books/report?"+days(from, until).Encode(), nil, &out)
	return out, err
}

// BooksEntries pages the entries by number, behind after.
func (c *Client) BooksEntries(ctx context.Context, after uint64, limit int) (out wire.BooksEntries, err error) {
	v := url.Values{"after": {strconv.FormatUint(after, 10)}, "limit": {strconv.Itoa(limit)}}
	err = c.ask(ctx, http.MethodGet, "/admin/v1/books/entries?"+v.Encode(), nil, &out)
	return out, err
}

// ExportBooks makes a file of the entries of days: format is csv or xlsx.
func (c *Client) ExportBooks(ctx context.Context, from, until gatehouse.Date, format string) (out wire.BooksExport, err error) {
	v := days(from, until)
	v.Set("format", format)
	err = c.ask(ctx, http.MethodGet, "/admin/v1/books/export?"+v.Encode(), nil, &out)
	return out, err
}

// CheckBooks adds the books up.
func (c *Client) CheckBooks(ctx context.Context) error {
	var out struct{}
	return c.ask(ctx, http.MethodPost, "/admin/v1/books/check", nil, &out)
}

// CloseBooks closes a day.
func (c *Client) CloseBooks(ctx context.Context, r wire.BooksCloseRequest) (out wire.BooksClosing, err error) {
	err = c.ask(ctx, http.MethodPost, "/admin/v1/books/closings", r, &out)
	return out, err
}

// ReconcileBooks compares the books with a provider's account.
func (c *Client) ReconcileBooks(ctx context.Context, r wire.BooksReconcileRequest) (out wire.BooksReconciliation, err error) {
	err = c.ask(ctx, http.MethodPost, "/admin/v1/books/reconciliations", r, &out)
	return out, err
}

// TakePayment books what was taken at a desk.
func (c *Client) TakePayment(ctx context.Context, r wire.BooksPaymentRequest) (out wire.BooksEntry, err error) {
	err = c.ask(ctx, http.MethodPost, "/admin/v1/books/payments", r, &out)
	return out, err
}

// RefundPayment gives money back by the way it came.
func (c *Client) RefundPayment(ctx context.Context, r wire.BooksRefundRequest) (out wire.BooksEntry, err error) {
	err = c.ask(ctx, http.MethodPost, "/admin/v1/books/refunds", r, &out)
	return out, err
}

// WriteOff decides that an amount will not be asked for.
func (c *Client) WriteOff(ctx context.Context, r wire.BooksWriteOffRequest) (out wire.BooksEntry, err error) {
	err = c.ask(ctx, http.MethodPost, "/admin/v1/books/write-offs", r, &out)
	return out, err
}
