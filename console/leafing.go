package console

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse"
)

// leafing is how a table was asked for that grows without end: it is read by a cursor, the
// newest first, and filtered by days and by what is not personal. Another order would read
// all of it, so it is that of the newest sortMost rows that the filter leaves, and the page
// says so where there are more: the days of the filter reach every other row.
type leafing struct {
	listing
	From, To string       // the first and the last day, as 2006-01-02; "" for no limit
	Older    gatehouse.ID // the next page's cursor; zero at the end, and in another order
	Cut      bool         // there are more rows than those that were put in order
	before   gatehouse.ID
	own      string // the column whose order the log has
}

// leafRead is how many rows are read at a time, and leafMost how many for one page at most:
// where a filter leaves next to nothing the next page goes on. sortMost is how many rows are
// put in another order.
const (
	leafRead = 500
	leafMost = 20_000
	sortMost = 2_000
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

// By and Order are those of a listing, where a log's own order is nobody's choice.
func (l leafing) By(column string) string {
	switch {
	case column == l.own && l.Sort == "":
		return l.address(func(v url.Values) { v.Set("sort", column) })
	case column == l.own && l.Sort == column && !l.Down:
		return l.address(func(v url.Values) { v.Del("sort") })
	}
	return l.listing.By(column)
}

// Order is the column's aria-sort.
func (l leafing) Order(column string) string {
	if column == l.own && l.Sort == "" {
		return "descending"
	}
	return l.listing.Order(column)
}

// Most is how many rows were put in order.
func (l leafing) Most() int { return sortMost }

// AsFile is the address of the whole table as a file, which is in the log's own order.
func (l leafing) AsFile() string {
	return l.address(func(v url.Values) { v.Set("format", "csv"); v.Del("sort") })
}

// grownLog is a table that grows without end.
type grownLog[T any] struct {
	// read gives at most limit rows with smaller ids than before (zero: from the newest),
	// the newest first.
	read    func(before gatehouse.ID, limit int) ([]T, error)
	id      func(T) gatehouse.ID
	fits    func(T) bool // whether the filter leaves a row, days aside
	columns []column[T]  // that it can be put in order by; its own order is the first one's, downwards
}

// days are the moments that the filter's days begin and end at, and the cursor to begin at.
func (l leafing) days(c *Console) (since time.Time, before gatehouse.ID) {
	since, until := liveFilter{From: l.From, To: l.To}.between(c.o.Location)
	before = l.before
	if l.File || l.Sort != "" {
		before = gatehouse.ID{}
	}
	if end := gatehouse.FirstID(until); !until.IsZero() && (before.IsZero() || end.String() < before.String()) {
		before = end
	}
	return since, before
}

// leaf reads a page of a log.
func leaf[T any](c *Console, l *leafing, t grownLog[T]) (rows []T, err error) {
	l.own = t.columns[0].name
	by := slices.IndexFunc(t.columns, func(c column[T]) bool { return c.name == l.Sort })
	if by < 0 {
		l.Sort, l.Down = "", false
		rows, l.Older, err = leafRows(c, *l, t, pageRows)
		return rows, err
	}
	rows, older, err := leafRows(c, *l, t, sortMost)
	if err != nil {
		return nil, err
	}
	l.Cut = !older.IsZero()
	q := l.Query
	l.Query = "" // it has narrowed the rows already
	rows = arrange(&l.listing, rows, nil, t.columns...)
	l.Query = q
	return rows, nil
}

// leafRows reads at most so many rows that fit; older is zero where there are no more.
func leafRows[T any](c *Console, l leafing, t grownLog[T], most int) (rows []T, older gatehouse.ID, err error) {
	since, before := l.days(c)
	for looked := 0; ; {
		found, err := t.read(before, leafRead)
		if err != nil {
			return nil, older, err
		}
		for _, row := range found {
			if !since.IsZero() && t.id(row).Time().Before(since) {
				return rows, older, nil
			}
			if t.fits(row) {
				if len(rows) == most {
					return rows, before, nil
				}
				rows = append(rows, row)
			}
			before = t.id(row)
		}
		if looked += len(found); len(found) < leafRead {
			return rows, older, nil
		}
		if looked >= leafMost {
			return rows, before, nil
		}
	}
}

// leafFile answers with all of a log that the filter leaves, as a file.
func leafFile[T any](c *Console, w http.ResponseWriter, r *http.Request, l leafing, t grownLog[T], name string, header []string, cells func(T) []string) {
	since, before := l.days(c)
	c.batches(w, r, name, header, func() (rows [][]string, last bool, err error) {
		found, err := t.read(before, leafRead)
		for _, row := range found {
			if !since.IsZero() && t.id(row).Time().Before(since) {
				return rows, true, nil
			}
			if before = t.id(row); t.fits(row) {
				rows = append(rows, cells(row))
			}
		}
		return rows, len(found) < leafRead, err
	})
}
