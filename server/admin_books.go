package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/internal/sheet"
)

var _ api.BooksAdmin = admin{}

func moneyOf(m gatehouse.Money) wire.Money { return wire.Money{Minor: m.Minor, Currency: m.Currency} }

func ofMoney(m wire.Money) gatehouse.Money {
	return gatehouse.Money{Minor: m.Minor, Currency: m.Currency}
}

func amountsOf(all []gatehouse.Balance) []wire.BooksAmount {
	out := []wire.BooksAmount{}
	for _, b := range all {
		out = append(out, wire.BooksAmount{Account: b.Account, Amount: moneyOf(b.Amount)})
	}
	return out
}

func staysOf(all []gatehouse.StayBalance) []wire.BooksStay {
	out := []wire.BooksStay{}
	for _, s := range all {
		out = append(out, wire.BooksStay{Stay: s.Stay, Owes: moneyOf(s.Owes)})
	}
	return out
}

func closingOf(c gatehouse.BookClosing) wire.BooksClosing {
	return wire.BooksClosing{Day: c.Day, First: c.First, Last: c.Last, At: c.At, By: c.By, Turnover: amountsOf(c.Turnover), Balances: amountsOf(c.Balances), Digest: hex.EncodeToString(c.Digest[:])}
}

func entryOf(e gatehouse.BookEntry) wire.BooksEntry {
	out := wire.BooksEntry{Number: e.Number, Kind: e.Kind, At: e.At, Booked: e.Booked, Stay: e.Stay, Amount: moneyOf(e.Amount), Tax: e.Tax, Provider: e.Provider, Payment: e.Payment, Object: e.Object, By: e.By, Reason: e.Reason,
		Postings: []wire.BooksPosting{}}
	for _, p := range e.Postings {
		out.Postings = append(out.Postings, wire.BooksPosting{Account: p.Account, Amount: p.Amount})
	}
	return out
}

// BooksReport implements api.Books.
func (a admin) BooksReport(ctx context.Context, from, until gatehouse.Date) (wire.BooksReport, error) {
	r, err := a.books.Report(ctx, from, until)
	out := wire.BooksReport{From: r.From, Until: r.Until, Days: []wire.BooksDay{}, Balances: amountsOf(r.Balances), Owed: staysOf(r.Owed), Overpaid: staysOf(r.Overpaid), Waiting: len(r.Waiting), Closings: []wire.BooksClosing{}}
	for _, d := range r.Days {
		out.Days = append(out.Days, wire.BooksDay(d))
	}
	for _, c := range r.Closings {
		out.Closings = append(out.Closings, closingOf(c))
	}
	return out, err
}

// BooksEntries implements api.Books.
func (a admin) BooksEntries(ctx context.Context, after uint64, limit int) (wire.BooksEntries, error) {
	all, err := a.books.Page(ctx, after, limit)
	out := wire.BooksEntries{Entries: []wire.BooksEntry{}}
	for _, e := range all {
		out.Entries = append(out.Entries, entryOf(e))
	}
	if len(all) == limit {
		out.Next = all[limit-1].Number
	}
	return out, err
}

// CloseBooks implements api.Books.
func (a admin) CloseBooks(ctx context.Context, r wire.BooksCloseRequest) (wire.BooksClosing, error) {
	c, err := a.books.Close(ctx, r.Day, a.asker(ctx))
	return closingOf(c), err
}

// ReconcileBooks implements api.Books.
func (a admin) ReconcileBooks(ctx context.Context, r wire.BooksReconcileRequest) (wire.BooksReconciliation, error) {
	got, err := a.books.Reconcile(ctx, r.Provider, r.From, r.Until, a.asker(ctx))
	out := wire.BooksReconciliation{Provider: got.Provider, From: got.From, Until: got.Until, Lines: got.Lines, Booked: got.Booked, Differences: []wire.BooksDifference{}, Held: amountsOf(got.Held)}
	for _, d := range got.Differences {
		out.Differences = append(out.Differences, wire.BooksDifference{Finding: string(d.Finding), Kind: d.Kind, Object: d.Object, Payment: d.Payment, At: d.At, Here: moneyOf(d.Here), There: moneyOf(d.There)})
	}
	return out, err
}

// once is the id that a caller chose, or else a new one.
func once(id gatehouse.ID) gatehouse.ID {
	if id.IsZero() {
		return gatehouse.RandomID()
	}
	return id
}

// TakePayment implements api.Books.
func (a admin) TakePayment(ctx context.Context, r wire.BooksPaymentRequest) (wire.BooksEntry, error) {
	e, err := a.books.Desk(ctx, r.Way, r.Stay, ofMoney(r.Amount), a.asker(ctx), once(r.ID))
	return entryOf(e), err
}

// RefundPayment implements api.Books.
func (a admin) RefundPayment(ctx context.Context, r wire.BooksRefundRequest) (wire.BooksEntry, error) {
	e, err := a.books.Refund(ctx, r.Stay, r.Provider, r.Payment, ofMoney(r.Amount), r.Reason, a.asker(ctx), once(r.ID))
	return entryOf(e), err
}

// WriteOff implements api.Books.
func (a admin) WriteOff(ctx context.Context, r wire.BooksWriteOffRequest) (wire.BooksEntry, error) {
	e, err := a.books.WriteOff(ctx, r.Stay, ofMoney(r.Amount), r.Reason, a.asker(ctx), once(r.ID))
	return entryOf(e), err
}

// CheckBooks implements api.BooksAdmin.
func (a admin) CheckBooks(ctx context.Context) error { return a.books.Check(ctx) }

// ExportBooks implements api.BooksAdmin: one row a posting.
func (a admin) ExportBooks(ctx context.Context, from, until gatehouse.Date, format string) (out wire.BooksExport, err error) {
	var file bytes.Buffer
	err = a.exportBooks(ctx, from, until, format, &file)
	out.Name, out.File = "books-"+string(a.site.Place.Site)+"-"+string(from)+"-"+string(until)+"."+format, file.Bytes()
	return out, err
}

// exportBooks writes the file. A CSV is written while the books are read, so that a year of
// them is never in memory; a workbook is made first.
func (s *Server) exportBooks(ctx context.Context, from, until gatehouse.Date, format string, w io.Writer) error {
	titles := []string{"number", "booked", "happened", "kind", "stay", "account", "debit", "credit", "currency", "provider", "payment", "object", "by", "reason"}
	switch format {
	case "csv":
		file, err := sheet.NewCSV(w, titles)
		if err == nil {
			err = s.eachPosting(ctx, from, until, file.Row)
		}
		if err != nil {
			return err
		}
		return file.End()
	case "xlsx":
		var rows [][]sheet.Cell
		err := s.eachPosting(ctx, from, until, func(row []sheet.Cell) error { rows = append(rows, row); return nil })
		if err != nil {
			return err
		}
		file, err := sheet.WriteXLSX(titles, rows)
		if err == nil {
			_, err = w.Write(file)
		}
		return err
	}
	return gatehouse.Errorf("books.format", "use csv or xlsx", "there is no such kind of file")
}

// eachPosting gives the rows of such a file.
func (s *Server) eachPosting(ctx context.Context, from, until gatehouse.Date, give func([]sheet.Cell) error) error {
	return s.books.Each(ctx, from, until, func(e gatehouse.BookEntry) error {
		for _, p := range e.Postings {
			debit, credit := "", ""
			if m := (gatehouse.Money{Minor: p.Amount, Currency: e.Amount.Currency}); p.Amount > 0 {
				debit = m.Decimal()
			} else {
				credit = m.Neg().Decimal()
			}
			stay := ""
			if !e.Stay.IsZero() {
				stay = e.Stay.String()
			}
			row := []sheet.Cell{{Text: strconv.FormatUint(e.Number, 10), Number: true}}
			for _, text := range []string{s.stamp(e.Booked), s.stamp(e.At), string(e.Kind), stay, string(p.Account)} {
				row = append(row, sheet.Cell{Text: text})
			}
			row = append(row, sheet.Cell{Text: debit, Number: debit != ""}, sheet.Cell{Text: credit, Number: credit != ""})
			for _, text := range []string{string(e.Amount.Currency), e.Provider, e.Payment, e.Object, e.By, string(e.Reason)} {
				row = append(row, sheet.Cell{Text: text})
			}
			if err := give(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// stamp is a moment in the site's time.
func (s *Server) stamp(t time.Time) string { return t.In(s.site.Location).Format(time.DateTime) }
