package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/auth"
)

// searching is the area that asks the archive. What is searched for is personal, so it
// travels in bodies only, and comes back in the page that answers.
var searching = area{
	pages:  []string{"search"},
	routes: (*Console).searchRoutes,
	nav:    []entry{{"nav.now", "search", "/search", "search.title", gatehouse.SearchArchive}},
}

// Archive answers questions about the past.
type Archive interface {
	// Search writes the disclosure before it answers, also where it finds nothing.
	// Errors: vault.sealed, vault.reason, vault.budget, vault.canary, search.malformed.
	Search(ctx context.Context, who Who, reason string, q gatehouse.SearchQuery) (ArchivePage, error)
	// Budget says what the operator may still open; none of it before the vault was
	// unsealed for the first time.
	Budget(ctx context.Context, who Who) ([]BudgetLeft, error)
}

// ArchivePage is one page of an answer, newest first.
type ArchivePage struct {
	Hits    []ArchiveHit
	Next    string    // of the page behind; "" at the end
	Indexed time.Time // what was committed until then can be found
	Current bool      // false: the index is catching up
}

// ArchiveHit is a row with its metadata, which is nil where it is gone by now.
type ArchiveHit struct {
	gatehouse.SearchHit
	Passage *gatehouse.Passage
	Record  *gatehouse.Subject
}

// BudgetLeft is what one budget holds.
type BudgetLeft struct {
	Scope  string // operator, role, organization, live
	Window string // hour, day
	Units  int
	Of     int
}

// Share is what is left of the budget, 0 to 1.
func (b BudgetLeft) Share() float64 { return float64(b.Units) / float64(max(1, b.Of)) }

func (c *Console) searchRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /search", Policy: auth.NeedsFresh(gatehouse.SearchArchive), Handler: c.searchForm},
		{Pattern: "POST /search", Policy: auth.NeedsFresh(gatehouse.SearchArchive), Handler: c.search, Page: "/search"},
	}
}

type searchBody struct {
	Query   searchQuery
	Sealed  bool
	Asked   bool // rows and paging are shown
	Page    ArchivePage
	Rows    []searchRow
	Gates   []gatehouse.Gate
	Budget  []BudgetLeft
	Problem string // an error's sentence and hint
}

// searchQuery is the form, as it was filled in.
type searchQuery struct {
	Plate, Match, Name, NationalID, Number, Phone, Email string
	Gate, Kind, Since, Until, Reason                     string
}

// More reports whether a field behind "more" is filled in.
func (q searchQuery) More() bool {
	return q.NationalID+q.Number+q.Phone+q.Email+q.Gate+q.Kind+q.Since+q.Until != ""
}

type searchRow struct {
	ArchiveHit
	Gate     string // its name
	Sentence string // why it was granted or denied
}

// Plate reports whether the row's text is a number plate.
func (r searchRow) Plate() bool {
	return r.Reading == gatehouse.PlateReading || r.Record != nil && r.Record.Kind == gatehouse.VehicleSubject
}

func (c *Console) searchForm(w http.ResponseWriter, r *http.Request) {
	c.showSearch(w, r, http.StatusOK, searchBody{})
}

func (c *Console) showSearch(w http.ResponseWriter, r *http.Request, status int, b searchBody) {
	b.Sealed, b.Gates = !c.vaultView(r.Context()).Unsealed, c.o.Gates
	var err error
	if b.Budget, err = c.o.Archive.Budget(r.Context(), who(r)); err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, status, "search", "search.title", "search", b)
}

// maxSearchForm bounds the form, in bytes.
const maxSearchForm = 16 << 10

func (c *Console) search(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxSearchForm)
	b := searchBody{Asked: true}
	q, err := c.readSearch(r, &b.Query)
	if err == nil {
		b.Page, err = c.o.Archive.Search(r.Context(), who(r), b.Query.Reason, q)
	}
	if err != nil {
		b.Asked = false
		status, problem := refusal(languageOf(w, r), err)
		if problem == "" {
			c.fail(w, r, err)
			return
		}
		b.Problem = problem
		c.showSearch(w, r, status, b)
		return
	}
	lang := languageOf(w, r)
	for _, h := range b.Page.Hits {
		row := searchRow{ArchiveHit: h, Gate: c.gateName(h.SearchHit.Gate)}
		if h.Passage != nil {
			row.Sentence = h.Passage.Decision.Reason.Sentence(lang)
		}
		b.Rows = append(b.Rows, row)
	}
	c.showSearch(w, r, http.StatusOK, b)
}

// refusal is the status and text of what somebody can set right on the same page; "" for
// any other error.
func refusal(lang string, err error) (status int, text string) {
	var e *gatehouse.Error
	if !errors.As(err, &e) {
		return 0, ""
	}
	switch family, _, _ := strings.Cut(e.Code, "."); {
	case e.Code == "vault.budget":
		status = http.StatusTooManyRequests
	case e.Code == "vault.sealed":
		status = http.StatusForbidden
	case family == "search" || family == "form" || e.Code == "vault.reason":
		status = http.StatusUnprocessableEntity
	default:
		return 0, ""
	}
	return status, errorText(lang, e)
}

// readSearch reads the form into q and what it asks.
func (c *Console) readSearch(r *http.Request, q *searchQuery) (gatehouse.SearchQuery, error) {
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	*q = searchQuery{Plate: field("plate"), Match: field("match"), Name: field("name"), NationalID: field("national_id"), Number: field("number"),
		Phone: field("phone"), Email: field("email"), Gate: field("gate"), Kind: field("kind"), Since: field("since"), Until: field("until"), Reason: field("reason")}
	for _, v := range []string{q.Plate, q.Name, q.NationalID, q.Number, q.Phone, q.Email, q.Reason} {
		if len(v) > 500 || !utf8.ValidString(v) {
			return gatehouse.SearchQuery{}, gatehouse.Errorf("form.malformed", "shorten it", "a field is too long, or no text")
		}
	}
	if q.Reason == "" {
		return gatehouse.SearchQuery{}, gatehouse.Errorf("form.malformed", "say in a few words why", "a search needs a reason")
	}
	asked := gatehouse.SearchQuery{Plate: q.Plate, PlateMatch: gatehouse.PlateMatch(q.Match), Name: q.Name, NationalID: q.NationalID, Number: q.Number, Email: q.Email,
		Gate: gatehouse.GateID(q.Gate), Kind: gatehouse.HitKind(q.Kind), After: field("after"), Limit: pageRows}
	if strings.HasPrefix(q.Phone, "…") || strings.HasPrefix(q.Phone, "*") { // its last digits
		asked.PhoneEnd = strings.TrimLeft(q.Phone, "…*")
	} else {
		asked.Phone = q.Phone
	}
	var err error
	if asked.Since, err = c.moment(q.Since); err == nil {
		asked.Until, err = c.moment(q.Until)
	}
	return asked, err
}

// moment reads what a datetime-local input gives, in the site's time zone.
func (c *Console) moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, c.o.Location); err == nil {
			return t, nil
		}
	}
	return time.Time{}, gatehouse.Errorf("form.malformed", "use the calendar, or write 2026-11-25T08:00", "that is no time")
}

// gateName is what people call a gate; its id where it is gone.
func (c *Console) gateName(id gatehouse.GateID) string {
	for _, g := range c.o.Gates {
		if g.ID == id {
			return g.Name
		}
	}
	return string(id)
}
