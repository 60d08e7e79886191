package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gatehouse"
)

// liveRows is how many passages the live page shows; pageRows how many a list.
const (
	liveRows = 40
	pageRows = 50
)

// liveBody is the live page.
type liveBody struct {
	Rows   []row
	Failed bool // the store did not answer
	Gates  []gateView
	Counts countView
	Faces  bool
	Since  string // the feed's position when the page was read
	Filter liveFilter
	Form   filterForm
	Wall   bool // on a big screen that nobody sits at
	Alarms alarmsView
	// Channel names what the browser's tabs of one session, language and filter share.
	Channel string
}

func (c *Console) live(w http.ResponseWriter, r *http.Request) { c.showLive(w, r, false) }

// wall is the live page for a big screen that nobody sits at.
func (c *Console) wall(w http.ResponseWriter, r *http.Request) { c.showLive(w, r, true) }

func (c *Console) showLive(w http.ResponseWriter, r *http.Request, wall bool) {
	lang := languageOf(w, r)
	// The position is taken first: what comes while the page is being read is told again.
	b := liveBody{Since: c.o.Hub.LastID(), Filter: filterOf(r), Form: c.filterForm(r, "/", gatehouse.SeeLive)}
	b.Form.Live, b.Wall = true, wall
	var err error
	if b.Rows, err = c.latest(r, lang); err != nil {
		c.o.Log.Error("live page", "err", err)
		b.Failed = true
	}
	if b.Counts, _, err = c.countView(r, lang, 0); err != nil {
		c.o.Log.Error("counts", "err", err)
	}
	for i := range b.Rows {
		b.Rows[i].InSight = true
	}
	b.Alarms = c.alarmsView(r, lang)
	b.Channel = who(r).Session + " " + lang + " " + b.Filter.Query()
	b.Gates, b.Faces = c.gateViews(r), c.o.Hub.Faces()
	c.render(w, r, http.StatusOK, "live", "live.title", "live", b)
}

// liveFilter is what somebody wants to see of a list of passages. What it cannot be is none.
type liveFilter struct {
	Gate     gatehouse.GateID
	Only     gatehouse.Verdict
	Kind     gatehouse.ReadingKind
	From, To string // the first and the last day, as 2006-01-02; of the list of earlier passages only
}

// filterForm asks for a filter of the list on a page.
type filterForm struct {
	Page   string
	Filter liveFilter
	Gates  []gatehouse.Gate // that can be chosen
	Live   bool             // the list moves, and there is a big screen for it
}

func (c *Console) filterForm(r *http.Request, page string, p gatehouse.Permission) filterForm {
	mine := gatesOf(r, p)
	return filterForm{Page: page, Filter: filterOf(r), Gates: slices.DeleteFunc(slices.Clone(c.o.Gates), func(g gatehouse.Gate) bool { return !mine.Has(g.ID) })}
}

// filterKinds are what can be filtered by, in the order of the form.
var filterKinds = []gatehouse.ReadingKind{gatehouse.FaceReading, gatehouse.PlateReading, gatehouse.CardReading, gatehouse.PINReading, gatehouse.QRReading, gatehouse.RemoteReading}

func filterOf(r *http.Request) (f liveFilter) {
	q := r.URL.Query()
	if id := gatehouse.GateID(q.Get("gate")); gatehouse.CheckName(string(id)) == nil {
		f.Gate = id
	}
	if only := gatehouse.Verdict(q.Get("only")); only == gatehouse.OnlyGranted || only == gatehouse.OnlyDenied {
		f.Only = only
	}
	if kind := gatehouse.ReadingKind(q.Get("kind")); slices.Contains(filterKinds, kind) {
		f.Kind = kind
	}
	return f
}

// daysOf adds the days to a filter.
func daysOf(r *http.Request, f liveFilter) liveFilter {
	for name, day := range map[string]*string{"from": &f.From, "to": &f.To} {
		if text := r.URL.Query().Get(name); text != "" {
			if _, err := time.Parse(time.DateOnly, text); err == nil {
				*day = text
			}
		}
	}
	return f
}

// between is the filter's days in the site's time zone; zero where it has none.
func (f liveFilter) between(zone *time.Location) (since, until time.Time) {
	if f.From != "" {
		since, _ = time.ParseInLocation(time.DateOnly, f.From, zone) // daysOf has read it
	}
	if f.To != "" {
		last, _ := time.ParseInLocation(time.DateOnly, f.To, zone)
		until = last.AddDate(0, 0, 1)
	}
	return since, until
}

// Kinds are those that the form offers.
func (liveFilter) Kinds() []gatehouse.ReadingKind { return filterKinds }

// Active reports whether anything is left out.
func (f liveFilter) Active() bool { return f != liveFilter{} }

// Query is the filter in an address; "" for none.
func (f liveFilter) Query() string { return f.values().Encode() }

func (f liveFilter) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"gate": string(f.Gate), "only": string(f.Only), "kind": string(f.Kind), "from": f.From, "to": f.To} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// On is the address of a page with the filter.
func (f liveFilter) On(path string) string {
	if q := f.Query(); q != "" {
		return path + "?" + q
	}
	return path
}

// passages asks for what the request may see and the filter wants, newest first.
func (f liveFilter) passages(r *http.Request, place gatehouse.Place, limit int) gatehouse.PassageQuery {
	gates := gatesOf(r, gatehouse.SeeLive)
	return gatehouse.PassageQuery{Place: place, Gate: f.Gate, Only: f.Only, Kind: f.Kind, Within: &gates, Limit: limit}
}

func (c *Console) latest(r *http.Request, lang string) ([]row, error) {
	passages, err := c.o.Passages.Passages(r.Context(), filterOf(r).passages(r, c.o.Place, liveRows))
	if err != nil {
		return nil, err
	}
	return c.lentRows(r, lang, passages)
}

// passagesBody is the list of earlier passages.
type passagesBody struct {
	Rows  []row
	Older gatehouse.ID // cursor, zero at the end
	First bool
	Form  filterForm
}

// AsFile is the address of the list as a file.
func (b passagesBody) AsFile() string {
	v := b.Form.Filter.values()
	v.Set("format", "csv")
	return "/passages?" + v.Encode()
}

// OlderPage is the address of the next page.
func (b passagesBody) OlderPage() string {
	v := b.Form.Filter.values()
	v.Set("before", b.Older.String())
	return "/passages?" + v.Encode()
}

func (c *Console) passages(w http.ResponseWriter, r *http.Request) {
	gates := gatesOf(r, gatehouse.SeePassages)
	f := daysOf(r, filterOf(r))
	q := gatehouse.PassageQuery{Place: c.o.Place, Within: &gates, Gate: f.Gate, Only: f.Only, Kind: f.Kind, Limit: pageRows + 1}
	q.Since, q.Until = f.between(c.o.Location)
	if r.URL.Query().Get("format") == "csv" {
		c.passagesFile(w, r, q)
		return
	}
	if before := r.URL.Query().Get("before"); before != "" {
		id, err := gatehouse.ParseID(before)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		q.Before = id
	}
	found, err := c.o.Passages.Passages(r.Context(), q)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := passagesBody{First: q.Before.IsZero(), Form: c.filterForm(r, "/passages", gatehouse.SeePassages)}
	b.Form.Filter = f
	if len(found) > pageRows {
		found = found[:pageRows]
		b.Older = found[pageRows-1].ID
	}
	if b.Rows, err = c.lentRows(r, languageOf(w, r), found); err != nil {
		c.fail(w, r, err)
		return
	}
	for i := range b.Rows {
		b.Rows[i].Dated = true
	}
	c.render(w, r, http.StatusOK, "passages", "passages.title", "passages", b)
}

// passagesFile answers with the list as a file: times, gates and decisions. Who passed is
// not in it, not even as an opaque id, which would join the lines of somebody's months.
func (c *Console) passagesFile(w http.ResponseWriter, r *http.Request, q gatehouse.PassageQuery) {
	lang := languageOf(w, r)
	var header []string
	for _, key := range []string{"passages.time", "passage.gate", "passages.direction", "passage.by", "row.granted", "passages.reason", "passages.sentence", "passages.outcome"} {
		header = append(header, text(lang, key))
	}
	q.Limit = leafRead
	c.batches(w, r, "passages", header, func() (rows [][]string, last bool, err error) {
		found, err := c.o.Passages.Passages(r.Context(), q)
		for _, p := range found {
			rows = append(rows, []string{p.At.In(c.o.Location).Format(time.RFC3339), c.gate(p.Gate).Name, text(lang, "direction."+string(p.Direction)), text(lang, "kind."+string(p.Kind)),
				strconv.FormatBool(p.Decision.Grant), string(p.Decision.Reason), p.Decision.Reason.Sentence(lang), text(lang, "outcome."+string(p.Outcome))})
			q.Before = p.ID
		}
		return rows, len(found) < q.Limit, err
	})
}
