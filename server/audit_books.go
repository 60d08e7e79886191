package server

import (
	"context"
	"strconv"

	"gatehouse"
)

// bookLeaves are what the leaves say of the books: the entries' digests by number, and the
// days that were closed, by the last entry and the digest.
type bookLeaves struct {
	entries  map[uint64][32]byte
	closings map[string]bool
	last     uint64
}

func newBookLeaves() bookLeaves {
	return bookLeaves{entries: map[uint64][32]byte{}, closings: map[string]bool{}}
}

// leaf takes a leaf in: event, organization, site, number and digest.
func (b *bookLeaves) leaf(parts [][]byte) {
	n, err := strconv.ParseUint(string(parts[3]), 10, 64)
	if err != nil {
		return
	}
	if string(parts[0]) == "day_closed" {
		b.closings[string(parts[3])+string(parts[4])] = true
		return
	}
	b.entries[n], b.last = [32]byte(parts[4]), max(b.last, n)
}

// books compares the entries and closings with their leaves, and adds the books up. What was
// booked since the leaves were read is left for the next time.
func (v *siteVerifier) books(ctx context.Context) error {
	b, found := v.bookLeaves, uint64(0)
	for q := (gatehouse.BookQuery{Place: v.place, Limit: 1000}); ; {
		page, err := v.store.BookEntries(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page {
			q.After = e.Number
			switch d, ok := b.entries[e.Number]; {
			case e.Number > b.last:
			case !ok:
				v.report.Add("books.unlogged", "no leaf commits to entry %d of the books", e.Number)
			case d != e.Digest():
				v.report.Add("books.altered", "entry %d of the books is not what its leaf commits to", e.Number)
			}
			if e.Number <= b.last {
				found++
			}
		}
		if len(page) < q.Limit {
			break
		}
	}
	if found < b.last {
		v.report.Add("books.missing", "%d entries of the books are not there any more", b.last-found)
	}
	closings, err := v.store.Closings(ctx, v.place, 1000)
	if err != nil {
		return err
	}
	for _, c := range closings {
		if c.Last <= b.last && !b.closings[strconv.FormatUint(c.Last, 10)+string(c.Digest[:])] {
			v.report.Add("books.altered", "the closing of %s is not what a leaf commits to", c.Day)
		}
	}
	if err := v.store.CheckBooks(ctx, v.place); gatehouse.ErrorCode(err) == "books.unbalanced" {
		v.report.AddError(err)
	} else if err != nil {
		return err
	}
	return nil
}
