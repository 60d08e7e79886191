package console

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/books"
)

// Books are the books of the car park; flow/books has them.
type Books interface {
	Report(ctx context.Context, from, until gatehouse.Date) (books.Report, error)
	Entries(ctx context.Context, stay gatehouse.ID) ([]gatehouse.BookEntry, error)
	Close(ctx context.Context, day gatehouse.Date, by string) (gatehouse.BookClosing, error)
	// Accounts are the providers that can be compared with.
	Accounts() []string
	Reconcile(ctx context.Context, provider string, from, until gatehouse.Date, by string) (books.Reconciliation, error)
	Refund(ctx context.Context, stay gatehouse.ID, provider, payment string, amount gatehouse.Money, reason gatehouse.BookReason, by string, id gatehouse.ID) (gatehouse.BookEntry, error)
	WriteOff(ctx context.Context, stay gatehouse.ID, amount gatehouse.Money, reason gatehouse.BookReason, by string, id gatehouse.ID) (gatehouse.BookEntry, error)
	Desk(ctx context.Context, provider string, stay gatehouse.ID, amount gatehouse.Money, by string, id gatehouse.ID) (gatehouse.BookEntry, error)
}

// ExportBooks writes a file of the entries of some days: csv or xlsx. Errors: books.format
// before anything was written, store.*.
type ExportBooks func(ctx context.Context, from, until gatehouse.Date, format string, w io.Writer) error

// bookkeeping is the area of the car park's books.
var bookkeeping = area{
	pages:  []string{"books", "booksstay", "bookscompared"},
	routes: (*Console).booksRoutes,
	nav:    []entry{{"nav.parking", "books", "/books", "nav.books", gatehouse.SeeBooks}},
}

func (c *Console) booksRoutes() []auth.Route {
	see, keep := auth.Needs(gatehouse.SeeBooks), auth.NeedsFresh(gatehouse.KeepBooks)
	return []auth.Route{
		{Pattern: "GET /books", Policy: see, Handler: c.booksPage},
		{Pattern: "GET /books/export", Policy: see, Handler: c.booksExport},
		{Pattern: "GET /books/stays/{id}", Policy: see, Handler: c.booksStay},
		{Pattern: "POST /books/close", Policy: keep, Page: "/books", Handler: c.booksClose},
		{Pattern: "POST /books/reconcile", Policy: keep, Page: "/books", Handler: c.booksReconcile},
		{Pattern: "POST /books/stays/{id}/refund", Policy: keep, Page: "/books/stays/{id}", Handler: c.booksRefund},
		{Pattern: "POST /books/stays/{id}/write-off", Policy: keep, Page: "/books/stays/{id}", Handler: c.booksWriteOff},
		{Pattern: "POST /books/stays/{id}/take", Policy: keep, Page: "/books/stays/{id}", Handler: c.booksTake},
	}
}

// noBooks answers where the console was given none.
func (c *Console) noBooks(w http.ResponseWriter, r *http.Request) bool {
	if c.o.Books == nil {
		c.fail(w, r, gatehouse.Errorf("store.not_found", "", "there are no books"))
	}
	return c.o.Books == nil
}

// booksDays are the days that a page is about: this month, unless it is asked for others.
func (c *Console) booksDays(r *http.Request) (from, until gatehouse.Date) {
	now := c.o.Now().In(c.o.Location)
	from, until = gatehouse.Date(r.FormValue("from")), gatehouse.Date(r.FormValue("until"))
	if from == "" {
		from = gatehouse.DateOf(now.AddDate(0, 0, 1-now.Day()))
	}
	if until == "" {
		until = gatehouse.DateOf(now)
	}
	return from, until
}

// booksDay is one day in words, with its bars in the chart.
type booksDay struct {
	books.Day
	Taken                         string
	ChargedS, TaxS, RefundedS     string
	WrittenOffS, DisputedS, FeesS string
	X, W, HCharged, YCharged      int // in the chart's units
	XPaid, HPaid, YPaid           int
}

// booksChart is the days of one currency as a drawing of 1000 by 200.
type booksChart struct {
	Currency gatehouse.Currency
	Days     []booksDay
	Most     string // what the tallest bar stands for
	Charged  string // in all
	Paid     string
}

// booksBody is the report's page.
type booksBody struct {
	From, Until gatehouse.Date
	Charts      []booksChart
	Balances    []gatehouse.Balance
	Owed, Over  []gatehouse.StayBalance
	Waiting     int
	Closings    []gatehouse.BookClosing
	Yesterday   gatehouse.Date
	Accounts    []string // of providers
}

const chartWidth, chartHeight = 1000, 200

// chartsOf draws a report's days, each currency on its own.
func chartsOf(r books.Report) (out []booksChart) {
	by := map[gatehouse.Currency][]books.Day{}
	var order []gatehouse.Currency
	for _, d := range r.Days {
		if by[d.Currency] == nil {
			order = append(order, d.Currency)
		}
		by[d.Currency] = append(by[d.Currency], d)
	}
	for _, cur := range order {
		say := func(n int64) string { return gatehouse.Money{Minor: n, Currency: cur}.Decimal() }
		ch := booksChart{Currency: cur}
		var most, charged, paid int64 = 1, 0, 0
		taken := func(d books.Day) (n int64) {
			for _, p := range d.Paid {
				n += p
			}
			return n
		}
		for _, d := range by[cur] {
			most = max(most, d.Charged, taken(d))
			charged += d.Charged
			paid += taken(d)
		}
		step := chartWidth / len(by[cur])
		for i, d := range by[cur] {
			high := func(n int64) int { return int(max(0, n) * chartHeight / most) }
			one := booksDay{Day: d, Taken: say(taken(d)), ChargedS: say(d.Charged), TaxS: say(d.Tax), RefundedS: say(d.Refunded), WrittenOffS: say(d.WrittenOff), DisputedS: say(d.Disputed - d.Won), FeesS: say(d.Fees)}
			one.W = max(1, min(40, step*2/5))
			one.X = i*step + (step-2*one.W)/2
			one.XPaid = one.X + one.W
			one.HCharged, one.HPaid = high(d.Charged), high(taken(d))
			one.YCharged, one.YPaid = chartHeight-one.HCharged, chartHeight-one.HPaid
			ch.Days = append(ch.Days, one)
		}
		ch.Most, ch.Charged, ch.Paid = say(most), say(charged), say(paid)
		out = append(out, ch)
	}
	return out
}

func (c *Console) booksPage(w http.ResponseWriter, r *http.Request) {
	if c.noBooks(w, r) {
		return
	}
	from, until := c.booksDays(r)
	report, err := c.o.Books.Report(r.Context(), from, until)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := booksBody{From: from, Until: until, Charts: chartsOf(report), Balances: report.Balances, Owed: report.Owed, Over: report.Overpaid, Waiting: len(report.Waiting), Closings: report.Closings,
		Accounts: c.o.Books.Accounts(), Yesterday: gatehouse.DateOf(c.o.Now().In(c.o.Location).AddDate(0, 0, -1))}
	c.render(w, r, http.StatusOK, "books", "books.title", "books", b)
}

func (c *Console) booksExport(w http.ResponseWriter, r *http.Request) {
	if c.noBooks(w, r) || c.o.ExportBooks == nil {
		return
	}
	from, until := c.booksDays(r)
	format := r.FormValue("format")
	kind := map[string]string{"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}[format]
	c.sendWhole(w, r, kind, "books-"+string(c.o.Place.Site)+"-"+string(from)+"-"+string(until)+"."+format, func(w io.Writer) error {
		return c.o.ExportBooks(r.Context(), from, until, format, w)
	})
}

// booksStayBody is one stay in the books.
type booksStayBody struct {
	Stay     gatehouse.ID
	Entries  []gatehouse.BookEntry
	Owes     gatehouse.Money
	Currency gatehouse.Currency
	Payments []gatehouse.BookEntry
	Reasons  []gatehouse.BookReason
	Again    gatehouse.ID // of the next change: a form that is sent twice changes once
}

func (c *Console) booksStay(w http.ResponseWriter, r *http.Request) {
	if c.noBooks(w, r) {
		return
	}
	stay, err := gatehouse.ParseID(r.PathValue("id"))
	var entries []gatehouse.BookEntry
	if err == nil {
		entries, err = c.o.Books.Entries(r.Context(), stay)
	}
	if err == nil && len(entries) == 0 {
		err = gatehouse.Errorf("store.not_found", "", "the books know no such stay")
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := booksStayBody{Stay: stay, Entries: entries, Currency: entries[0].Amount.Currency, Reasons: gatehouse.BookReasons, Again: gatehouse.RandomID()}
	b.Owes.Currency = b.Currency
	for _, e := range entries {
		for _, p := range e.Postings {
			if p.Account == gatehouse.Receivable {
				b.Owes.Minor += p.Amount
			}
		}
		if e.Kind == gatehouse.BookPayment {
			b.Payments = append(b.Payments, e)
		}
	}
	c.render(w, r, http.StatusOK, "booksstay", "books.stay", "books", b)
}

// booksForm reads what a form about a stay says: the stay, the amount and the form's own id.
func booksForm(r *http.Request) (stay, id gatehouse.ID, amount gatehouse.Money, err error) {
	if stay, err = gatehouse.ParseID(r.PathValue("id")); err != nil {
		return
	}
	if id, err = gatehouse.ParseID(r.PostFormValue("again")); err != nil {
		return
	}
	amount, err = gatehouse.ParseMoney(strings.TrimSpace(r.PostFormValue("amount")), gatehouse.Currency(r.PostFormValue("currency")))
	return
}

// booksChange carries a form out and shows the stay again.
func (c *Console) booksChange(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, stay, id gatehouse.ID, amount gatehouse.Money, by string) error) {
	if c.noBooks(w, r) {
		return
	}
	stay, id, amount, err := booksForm(r)
	if err == nil {
		err = do(r.Context(), stay, id, amount, who(r).Operator)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/books/stays/"+stay.String(), http.StatusSeeOther)
}

func (c *Console) booksRefund(w http.ResponseWriter, r *http.Request) {
	c.booksChange(w, r, func(ctx context.Context, stay, id gatehouse.ID, amount gatehouse.Money, by string) error {
		provider, payment, _ := strings.Cut(r.PostFormValue("payment"), "/")
		_, err := c.o.Books.Refund(ctx, stay, provider, payment, amount, gatehouse.BookReason(r.PostFormValue("reason")), by, id)
		return err
	})
}

func (c *Console) booksWriteOff(w http.ResponseWriter, r *http.Request) {
	c.booksChange(w, r, func(ctx context.Context, stay, id gatehouse.ID, amount gatehouse.Money, by string) error {
		_, err := c.o.Books.WriteOff(ctx, stay, amount, gatehouse.BookReason(r.PostFormValue("reason")), by, id)
		return err
	})
}

func (c *Console) booksTake(w http.ResponseWriter, r *http.Request) {
	c.booksChange(w, r, func(ctx context.Context, stay, id gatehouse.ID, amount gatehouse.Money, by string) error {
		_, err := c.o.Books.Desk(ctx, r.PostFormValue("way"), stay, amount, by, id)
		return err
	})
}

func (c *Console) booksClose(w http.ResponseWriter, r *http.Request) {
	if c.noBooks(w, r) {
		return
	}
	if _, err := c.o.Books.Close(r.Context(), gatehouse.Date(r.PostFormValue("day")), who(r).Operator); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/books", http.StatusSeeOther)
}

// booksCompared is how the books and a provider's account compare.
type booksCompared struct {
	books.Reconciliation
	At time.Time
}

func (c *Console) booksReconcile(w http.ResponseWriter, r *http.Request) {
	if c.noBooks(w, r) {
		return
	}
	from, until := c.booksDays(r)
	got, err := c.o.Books.Reconcile(r.Context(), cmp.Or(r.PostForm.Get("provider"), "stripe"), from, until, who(r).Operator)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "bookscompared", "books.compared", "books", booksCompared{got, c.o.Now()})
}

// booksStatus is the status of a page that could not do what it was asked to.
func booksStatus(code string) int {
	switch {
	case slices.Contains([]string{"books.closed", "books.changed", "books.day"}, code):
		return http.StatusConflict
	case code == "pay.unavailable", code == "pay.not_set_up":
		return http.StatusServiceUnavailable
	case strings.HasPrefix(code, "books."), strings.HasPrefix(code, "pay."), strings.HasPrefix(code, "money."), code == "date.malformed":
		return http.StatusUnprocessableEntity
	}
	return 0
}
