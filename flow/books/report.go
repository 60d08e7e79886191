package books

import (
	"context"
	"crypto/sha256"
	"time"

	"gatehouse"
	"gatehouse/rules/books"
)

// Day is what was booked on one day; see rules/books.
type Day = books.Day

// Report is what the books say of some days.
type Report struct {
	From, Until gatehouse.Date // the first and the last day
	Days        []books.Day
	Balances    []gatehouse.Balance // now
	Owed        []gatehouse.StayBalance
	Overpaid    []gatehouse.StayBalance
	Waiting     []gatehouse.BookEvent
	Closings    []gatehouse.BookClosing // the newest
}

// maxDays is how many days a report may have, maxStays how many stays it lists of those that
// owe, or were paid too much for.
const (
	maxDays  = 400
	maxStays = 200
)

// span gives the moments at which days begin and end.
func (b *Books) span(from, until gatehouse.Date) (first, end time.Time, err error) {
	first, err = time.ParseInLocation(time.DateOnly, string(from), b.Location)
	if err == nil {
		end, err = time.ParseInLocation(time.DateOnly, string(until), b.Location)
	}
	if err != nil {
		return first, end, gatehouse.Errorf("date.malformed", "write it as 2026-12-25", "this is no date")
	}
	if end = end.AddDate(0, 0, 1); !end.After(first) || end.Sub(first) > maxDays*24*time.Hour {
		return first, end, gatehouse.Errorf("books.span", "ask for 400 days at most", "the days end before they begin, or are too many")
	}
	return first, end, nil
}

// Each calls f for every entry booked on days, by number.
func (b *Books) Each(ctx context.Context, from, until gatehouse.Date, f func(gatehouse.BookEntry) error) error {
	first, end, err := b.span(from, until)
	if err != nil {
		return err
	}
	return b.each(ctx, gatehouse.BookQuery{Place: b.Place, From: first, Until: end}, f)
}

func (b *Books) each(ctx context.Context, q gatehouse.BookQuery, f func(gatehouse.BookEntry) error) error {
	q.Limit = 1000
	for {
		page, err := b.Store.BookEntries(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := f(e); err != nil {
				return err
			}
			q.After = e.Number
		}
		if len(page) < q.Limit {
			return nil
		}
	}
}

// Report adds days up. Errors: date.malformed, books.span, the store's.
func (b *Books) Report(ctx context.Context, from, until gatehouse.Date) (r Report, err error) {
	r = Report{From: from, Until: until}
	var all []gatehouse.BookEntry
	err = b.Each(ctx, from, until, func(e gatehouse.BookEntry) error {
		e.Charge = nil
		all = append(all, e)
		return nil
	})
	if err != nil {
		return r, err
	}
	r.Days = books.Days(all, b.Location)
	if r.Balances, err = b.Store.BookBalances(ctx, b.Place); err != nil {
		return r, err
	}
	var after gatehouse.ID
	for len(r.Owed) < maxStays && len(r.Overpaid) < maxStays {
		page, err := b.Store.Unsettled(ctx, b.Place, after, 1000)
		if err != nil {
			return r, err
		}
		for _, s := range page {
			if after = s.Stay; s.Owes.Minor > 0 {
				r.Owed = append(r.Owed, s)
			} else {
				r.Overpaid = append(r.Overpaid, s)
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	r.Owed, r.Overpaid = r.Owed[:min(len(r.Owed), maxStays)], r.Overpaid[:min(len(r.Overpaid), maxStays)]
	if r.Waiting, err = b.Store.WaitingBooks(ctx, b.Place, "", ""); err != nil {
		return r, err
	}
	r.Closings, err = b.Store.Closings(ctx, b.Place, 31)
	return r, err
}

// Page gives entries behind a number, at most limit.
func (b *Books) Page(ctx context.Context, after uint64, limit int) ([]gatehouse.BookEntry, error) {
	return b.Store.BookEntries(ctx, gatehouse.BookQuery{Place: b.Place, After: after, Limit: limit})
}

// Check fails with books.unbalanced where the books do not add up.
func (b *Books) Check(ctx context.Context) error { return b.Store.CheckBooks(ctx, b.Place) }

// Close ends a day that is over: what was booked by its end, and by no closing before. What
// is heard of later belongs to a later day, whenever it happened. Errors: books.day (it is
// not over), books.closed, books.changed.
func (b *Books) Close(ctx context.Context, day gatehouse.Date, by string) (c gatehouse.BookClosing, err error) {
	_, end, err := b.span(day, day)
	if err != nil {
		return c, err
	}
	now := b.Now().UTC()
	if now.Before(end) {
		return c, gatehouse.Errorf("books.day", "wait until it is", "%s is not over", day)
	}
	c = gatehouse.BookClosing{Place: b.Place, Day: day, First: 1, At: now, By: by}
	before, err := b.Store.Closings(ctx, b.Place, 1)
	if err != nil {
		return c, err
	}
	var held []gatehouse.Balance
	if len(before) > 0 {
		if before[0].Day >= day {
			return c, gatehouse.Errorf("books.closed", "nothing is to be done", "%s is closed", day)
		}
		c.First, held = before[0].Last+1, before[0].Balances
	}
	if c.Last, err = b.Store.LastBooked(ctx, b.Place, end); err != nil {
		return c, err
	}
	c.Last = max(c.Last, c.First-1)
	if c.Turnover, err = b.Store.BookTurnover(ctx, b.Place, c.First-1, c.Last); err != nil {
		return c, err
	}
	c.Balances = books.Sum(held, c.Turnover)
	h := sha256.New()
	err = b.each(ctx, gatehouse.BookQuery{Place: b.Place, After: c.First - 1, Until: end}, func(e gatehouse.BookEntry) error {
		d := e.Digest()
		h.Write(d[:])
		return nil
	})
	if err != nil {
		return c, err
	}
	h.Sum(c.Digest[:0])
	err = b.Store.CloseBooks(ctx, c)
	if err == nil && b.Changed != nil {
		b.Changed()
	}
	return c, err
}

// CloseDue closes yesterday, once something was booked since the closing before. It is called
// every minute.
func (b *Books) CloseDue(ctx context.Context) error {
	now := b.Now().In(b.Location)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, b.Location)
	last, err := b.Store.LastBooked(ctx, b.Place, today)
	if err != nil || last == 0 {
		return err
	}
	before, err := b.Store.Closings(ctx, b.Place, 1)
	if err != nil || len(before) > 0 && before[0].Last >= last {
		return err
	}
	_, err = b.Close(ctx, gatehouse.DateOf(today.AddDate(0, 0, -1)), "system")
	if gatehouse.ErrorCode(err) == "books.closed" {
		return nil // the clock was put back
	}
	return err
}
