package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// listing is how a table was asked for, in its address: filtered by q, in the order of
// sort ("-name" for downwards), at a page, or as a file. Addresses are logged in many
// places, so what it is searched for is sealed in them.
type listing struct {
	Path  string
	Query string // what rows are filtered by, as it was typed
	Sort  string // the column's name, "" for the table's own order
	Down  bool
	Page  int // from 1
	Pages int
	All   int // rows that the filter left
	File  bool
	more  url.Values // the table's other filters
	table string     // what the address calls it, where a page has several; they share q
}

// maxQuery bounds what a table is filtered by, in bytes.
const maxQuery = 100

// listingOf reads the address; filters are the names of the table's other fields.
func listingOf(r *http.Request, filters ...string) listing { return listingFor("", r, filters...) }

// listingFor reads the address for one of several tables of a page.
func listingFor(table string, r *http.Request, filters ...string) listing {
	v := r.URL.Query()
	l := listing{Path: r.URL.Path, Query: strings.TrimSpace(unhide(v.Get("q"))), more: url.Values{}, table: table}
	l.File = v.Get(l.key("format")) == "csv"
	if len(l.Query) > maxQuery || !utf8.ValidString(l.Query) {
		l.Query = ""
	}
	l.Sort, l.Down = strings.CutPrefix(v.Get(l.key("sort")), "-")
	if n, err := strconv.Atoi(v.Get(l.key("page"))); err == nil {
		l.Page = n
	}
	for _, name := range filters {
		if s := v.Get(name); s != "" && len(s) <= maxQuery {
			l.more.Set(name, s)
		}
	}
	return l
}

// key is what the address calls an option of the table.
func (l listing) key(option string) string {
	if l.table == "" {
		return option
	}
	return l.table + "-" + option
}

// Table is what the address calls the table, where a page has several.
func (l listing) Table() string { return l.table }

// Is returns one of the table's other filters.
func (l listing) Is(name string) string { return l.more.Get(name) }

// Filtered reports whether something was left out.
func (l listing) Filtered() bool { return l.Query != "" || len(l.more) > 0 }

func (l listing) address(change func(url.Values)) string {
	v := url.Values{}
	for name, values := range l.more {
		v[name] = values
	}
	if l.Query != "" {
		v.Set("q", hide(l.Query))
	}
	if l.Sort != "" {
		v.Set(l.key("sort"), l.Sorted())
	}
	change(v)
	if len(v) == 0 {
		return l.Path
	}
	return l.Path + "?" + v.Encode()
}

// By is the address of the table in a column's order, the other way round where it is
// in that order already.
func (l listing) By(column string) string {
	return l.address(func(v url.Values) {
		v.Set(l.key("sort"), map[bool]string{true: "-"}[l.Sort == column && !l.Down]+column)
	})
}

// Sorted is the order as the address has it.
func (l listing) Sorted() string { return map[bool]string{true: "-"}[l.Down] + l.Sort }

// Order is the column's aria-sort.
func (l listing) Order(column string) string {
	switch {
	case l.Sort != column:
		return "none"
	case l.Down:
		return "descending"
	}
	return "ascending"
}

// At is the address of a page of the table.
func (l listing) At(page int) string {
	return l.address(func(v url.Values) { v.Set(l.key("page"), strconv.Itoa(page)) })
}

// Before and After are the pages beside this one; 0 for none.
func (l listing) Before() int { return l.Page - 1 }

// After is the next page, 0 at the end.
func (l listing) After() int {
	if l.Page < l.Pages {
		return l.Page + 1
	}
	return 0
}

// AsFile is the address of the whole table as a file.
func (l listing) AsFile() string {
	return l.address(func(v url.Values) { v.Set(l.key("format"), "csv") })
}

// column is one that a table can be sorted by.
type column[T any] struct {
	name    string
	compare func(a, b T) int
}

// by makes a column of a value that can be compared.
func by[T any, V cmp.Ordered](name string, of func(T) V) column[T] {
	return column[T]{name, func(a, b T) int { return cmp.Compare(of(a), of(b)) }}
}

// byTime makes a column of a time.
func byTime[T any](name string, of func(T) time.Time) column[T] {
	return column[T]{name, func(a, b T) int { return of(a).Compare(of(b)) }}
}

// arrange filters rows by the texts that words gives of each, sorts them, and cuts out
// the page that was asked for; all of them for a file.
func arrange[T any](l *listing, rows []T, words func(T) []string, columns ...column[T]) []T {
	if q := strings.ToLower(l.Query); q != "" {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row T) bool {
			return !slices.ContainsFunc(words(row), func(s string) bool { return strings.Contains(strings.ToLower(s), q) })
		})
	}
	i := slices.IndexFunc(columns, func(c column[T]) bool { return c.name == l.Sort })
	if i < 0 {
		l.Sort, l.Down = "", false
	} else {
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, func(a, b T) int {
			if l.Down {
				return columns[i].compare(b, a)
			}
			return columns[i].compare(a, b)
		})
	}
	l.All = len(rows)
	l.Pages = max(1, (len(rows)+pageRows-1)/pageRows)
	l.Page = min(max(1, l.Page), l.Pages)
	if l.File {
		return rows
	}
	from := (l.Page - 1) * pageRows
	return rows[from:min(len(rows), from+pageRows)]
}

// harmless keeps a spreadsheet from taking a cell for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// when writes a time for a file: in UTC, "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// bytesText writes a size as people read it: 812 B, 3.4 MiB.
func bytesText(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, unit := float64(n), 0
	for f >= 1024 && unit < 4 {
		f, unit = f/1024, unit+1
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}
