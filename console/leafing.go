package console

import (
	"net/http"
	"net/url"
	"time"

	"gatehouse"
)

// leafing is how a table was asked for that grows without end: it is read by a cursor, the
// newest first, and is in that order only, since another one would read all of it. It is
// filtered by days and by what is not personal.
type leafing struct {
	listing
	From, To string       // the first and the last day, as 2006-01-02; "" for no limit
	Older    gatehouse.ID // the next page's cursor; zero at the end
	before   gatehouse.ID
}

// leafRead is how many rows are read at a time, and leafMost how many for one page at most:
// where a filter leaves next to nothing the next page goes on.
const (
	leafRead = 500
	leafMost = 20_000
)

func leafingOf(r *http.Request, filters ...string) (l leafing, err error) {
	l.listing = listingOf(r, append(filters, "from", "to")...)
	for name, day := range map[string]*string{"from": &l.From, "to": &l.To} {
		if _, err := time.Parse(time.DateOnly, l.Is(name)); err == nil {
			*day = l.Is(name)
		} else {
			l.more.Del(name)
		}
	}
	if s := r.URL.Query().Get("before"); s != "" {
		l.before, err = gatehouse.ParseID(s)
	}
	return l, err
}

// First reports whether this is the first page.
func (l leafing) First() bool { return l.before.IsZero() }

// Newest is the address of the first page.
func (l leafing) Newest() string { return l.address(func(url.Values) {}) }

// Next is the address of the next page.
func (l leafing) Next() string {
	return l.address(func(v url.Values) { v.Set("before", l.Older.String()) })
}

// leaf reads a page of a table, or all of it for a file, as far as fits leaves the rows: at
// most rows fileEntries. read gives rows with smaller ids than before, the newest first.
func leaf[T any](c *Console, l *leafing, read func(before gatehouse.ID, limit int) ([]T, error), id func(T) gatehouse.ID, fits func(T) bool) (rows []T, err error) {
	since, until := liveFilter{From: l.From, To: l.To}.between(c.o.Location)
	most, before := pageRows, l.before
	if l.File {
		most, before = fileEntries, gatehouse.ID{}
	}
	if end := gatehouse.FirstID(until); !until.IsZero() && (before.IsZero() || end.String() < before.String()) {
		before = end
	}
	for looked := 0; ; {
		found, err := read(before, leafRead)
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			if !since.IsZero() && id(row).Time().Before(since) {
				return rows, nil
			}
			if fits(row) {
				if len(rows) == most {
					l.Older = before
					return rows, nil
				}
				rows = append(rows, row)
			}
			before = id(row)
		}
		if looked += len(found); len(found) < leafRead {
			return rows, nil
		}
		if !l.File && looked >= leafMost {
			l.Older = before
			return rows, nil
		}
	}
}
