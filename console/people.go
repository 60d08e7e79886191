package console

import (
	"cmp"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/auth"
)

// registering is the area of who and what is enrolled.
var registering = area{
	pages:  []string{"people", "person", "record", "erase", "erasure", "enrol", "import"},
	routes: (*Console).peopleRoutes,
	nav:    []entry{{"nav.registry", "people", "/people", "nav.people", gatehouse.SeePeople}},
}

func (c *Console) peopleRoutes() []auth.Route {
	see, enrol := auth.Needs(gatehouse.SeePeople), auth.Needs(gatehouse.Enrol)
	routes := []auth.Route{
		{Pattern: "GET /people", Policy: see, Handler: c.people},
		{Pattern: "POST /people/filter", Policy: see, Handler: c.filterPeople},
		{Pattern: "GET /people/export", Policy: see, Handler: c.exportPeople},
		{Pattern: "GET /people/new", Policy: enrol, Handler: c.newPerson},
		{Pattern: "POST /people/new", Policy: enrol, Handler: c.beginPerson},
		{Pattern: "GET /vehicles/new", Policy: enrol, Handler: c.newVehicle},
		{Pattern: "POST /vehicles/new", Policy: enrol, Handler: c.beginVehicle},
	}
	return slices.Concat(routes, c.enrolRoutes(), c.personRoutes(), c.importRoutes())
}

// roll is how somebody wants the list. It is kept by session, since a label that is looked
// for may be a name at some sites: it does not belong into an address.
type roll struct {
	Text   string // part of a label
	Kind   gatehouse.SubjectKind
	Status gatehouse.SubjectStatus
	Face   string // "yes": by face, "no": without
	Sort   string // one of rollSorts
}

// Filtered reports whether somebody is left out.
func (r roll) Filtered() bool { return r.Text != "" || r.Kind != "" || r.Status != "" || r.Face != "" }

// rollSorts are the orders that the list may have; a hyphen turns one round.
var rollSorts = []string{"label", "-label", "-enrolled", "enrolled", "status", "kind"}

// rolls remembers each session's.
type rolls struct {
	mu sync.Mutex
	of map[string]roll
}

// maxRolls bounds the memory; sessions are no more.
const maxRolls = 1024

func (r *rolls) get(session string) roll {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[session]
}

func (r *rolls) set(session string, to roll) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil || len(r.of) >= maxRolls {
		r.of = map[string]roll{}
	}
	r.of[session] = to
}

// person is one row of the list of people and vehicles.
type person struct {
	ID       gatehouse.SubjectID
	Label    string
	Name     string // "" while the vault is sealed
	Kind     gatehouse.SubjectKind
	Status   gatehouse.SubjectStatus
	Grants   []grant
	Factor   bool
	Consent  bool
	Enrolled time.Time
}

type grant struct{ Gate, Schedule string } // "" stands for every gate, always

type peopleBody struct {
	Rows  []person
	Roll  roll
	Total int                 // that fit the filter
	All   int                 // that are enrolled
	Next  gatehouse.SubjectID // cursor, zero at the end
	After bool                // this is not the first page
	Open  bool                // names are lent
	Sorts []string
}

// filterPeople takes the form over the list, and goes back to it.
func (c *Console) filterPeople(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	to := roll{Text: strings.TrimSpace(r.PostFormValue("label")), Sort: oneOf(r.PostFormValue("sort"), "", rollSorts...), Face: oneOf(r.PostFormValue("face"), "", "yes", "no"),
		Kind:   gatehouse.SubjectKind(oneOf(r.PostFormValue("kind"), "", string(gatehouse.PersonSubject), string(gatehouse.VehicleSubject))),
		Status: gatehouse.SubjectStatus(oneOf(r.PostFormValue("status"), "", string(gatehouse.Active), string(gatehouse.SuspendedStatus)))}
	if len(to.Text) > 240 || !utf8.ValidString(to.Text) {
		c.fail(w, r, gatehouse.Errorf("form.malformed", "shorten it", "a label is too long, or no text"))
		return
	}
	c.rolls.set(who(r).Session, to)
	http.Redirect(w, r, "/people", http.StatusSeeOther)
}

// enrolledAll are all who fit the session's filter, in its order.
func (c *Console) enrolledAll(r *http.Request, want roll) (fit []Enrolled, all int, err error) {
	text := strings.ToLower(want.Text)
	var found []keyed
	badges := map[gatehouse.SubjectID]gatehouse.Badge{}
	for _, b := range c.o.Registry.Badges.Badges() {
		badges[b.Subject] = b
	}
	err = c.o.Registry.Store.Roll(r.Context(), c.o.Place, func(s gatehouse.Subject) error {
		all++
		b, ok := badges[s.ID]
		if !ok {
			b = gatehouse.Badge{Subject: s.ID, Kind: s.Kind}
		}
		b.Status = s.Status
		face := map[bool]string{true: "yes", false: "no"}[b.FaceConsent]
		if want.Kind != "" && b.Kind != want.Kind || want.Status != "" && b.Status != want.Status || want.Face != "" && (face != want.Face || b.Kind != gatehouse.PersonSubject) ||
			want.Text != "" && !strings.Contains(strings.ToLower(b.Label), text) {
			return nil
		}
		found = append(found, keyed{Enrolled{Badge: b, Enrolled: s.Enrolled}, strings.ToLower(b.Label)})
		return nil
	})
	slices.SortFunc(found, func(a, b keyed) int { return cmp.Or(compareEnrolled(want.Sort, a, b), byLabel(a, b)) })
	fit = make([]Enrolled, len(found))
	for i, f := range found {
		fit[i] = f.Enrolled
	}
	return fit, all, err
}

// keyed is somebody with their label as it is compared.
type keyed struct {
	Enrolled
	label string
}

// byLabel is the order of the list where nothing else is asked for. Numbers in labels
// count as numbers: B-9 comes before B-10.
func byLabel(a, b keyed) int {
	return cmp.Or(natural(a.label, b.label), slices.Compare(a.Badge.Subject[:], b.Badge.Subject[:]))
}

func compareEnrolled(by string, a, b keyed) int {
	switch by {
	case "-label":
		return -byLabel(a, b)
	case "enrolled":
		return a.Enrolled.Enrolled.Compare(b.Enrolled.Enrolled)
	case "-enrolled":
		return b.Enrolled.Enrolled.Compare(a.Enrolled.Enrolled)
	case "status":
		return cmp.Compare(b.Badge.Status, a.Badge.Status)
	case "kind":
		return cmp.Compare(a.Badge.Kind, b.Badge.Kind)
	}
	return 0
}

// natural compares lower-case texts, runs of digits by their value.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digitsOf(a), digitsOf(b)
		if x == "" || y == "" {
			r, n := utf8.DecodeRuneInString(a)
			s, m := utf8.DecodeRuneInString(b)
			if r != s {
				return cmp.Compare(r, s)
			}
			a, b = a[n:], b[m:]
			continue
		}
		a, b = a[len(x):], b[len(y):]
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func digitsOf(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}

func (c *Console) people(w http.ResponseWriter, r *http.Request) {
	want := c.rolls.get(who(r).Session)
	if s := oneOf(r.URL.Query().Get("sort"), "", rollSorts...); s != "" {
		want.Sort = s
		c.rolls.set(who(r).Session, want)
	}
	fit, all, err := c.enrolledAll(r, want)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := peopleBody{Open: c.vaultView(r.Context()).Unsealed && may(r, gatehouse.DisclosePeople), Roll: want, Total: len(fit), All: all, Sorts: rollSorts}
	page := fit
	if s := r.URL.Query().Get("after"); s != "" {
		after, err := gatehouse.ParseID(s)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		// The page begins at the first again where that subject is gone.
		at := slices.IndexFunc(fit, func(e Enrolled) bool { return e.Badge.Subject == after })
		page, b.After = fit[at+1:], at >= 0
	}
	if len(page) > pageRows {
		page = page[:pageRows]
		b.Next = page[pageRows-1].Badge.Subject
	}
	ids := make([]gatehouse.SubjectID, len(page))
	for i, f := range page {
		ids[i] = f.Badge.Subject
	}
	var names map[gatehouse.SubjectID]string
	if may(r, gatehouse.DisclosePeople) {
		names, err = c.o.Lender.Names(r.Context(), who(r), ids)
		switch gatehouse.ErrorCode(err) {
		case "vault.budget": // the list is used on, by labels
			b.Open, names = false, nil
		default:
			if err != nil {
				c.fail(w, r, err)
				return
			}
		}
	}
	for _, f := range page {
		b.Rows = append(b.Rows, c.person(f, names[f.Badge.Subject]))
	}
	c.render(w, r, http.StatusOK, "people", "people.title", "people", b)
}

func (c *Console) person(f Enrolled, name string) person {
	return person{ID: f.Badge.Subject, Label: f.Badge.Label, Name: name, Kind: f.Badge.Kind, Status: f.Badge.Status, Grants: c.grants(f.Badge.Grants),
		Factor: f.Badge.NeedSecondFactor, Consent: f.Badge.FaceConsent || f.Badge.Kind != gatehouse.PersonSubject, Enrolled: f.Enrolled}
}

func (c *Console) grants(all []gatehouse.Grant) (out []grant) {
	for _, g := range all {
		var x grant
		if g.Gate != "*" {
			x.Gate = c.gate(g.Gate).Name
		}
		if g.Schedule != "always" {
			x.Schedule = g.Schedule
		}
		out = append(out, x)
	}
	return out
}

// exportPeople writes the list, as it is filtered, as CSV: metadata and labels, no names.
func (c *Console) exportPeople(w http.ResponseWriter, r *http.Request) {
	fit, _, err := c.enrolledAll(r, c.rolls.get(who(r).Session))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	attachment(w, "text/csv; charset=utf-8", "enrolled.csv")
	_, _ = w.Write([]byte("\xEF\xBB\xBF")) // spreadsheets take it for UTF-8 then
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "label", "kind", "status", "gates", "face_consent", "second_factor", "first_day", "last_day", "enrolled"})
	yes := func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }
	for _, e := range fit {
		b := e.Badge
		var gates []string
		for _, g := range b.Grants {
			gates = append(gates, string(g.Gate)+":"+g.Schedule)
		}
		_ = out.Write([]string{b.Subject.String(), inert(b.Label), string(b.Kind), string(b.Status), strings.Join(gates, " "), yes(b.FaceConsent), yes(b.NeedSecondFactor),
			c.dayText(b.ValidFrom), c.lastDay(b.ValidUntil), e.Enrolled.In(c.o.Location).Format(time.RFC3339)})
	}
	out.Flush()
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// attachment announces a file to be saved.
func attachment(w http.ResponseWriter, kind, name string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
}

// dayText is a day as forms have it, "" for the zero time; lastDay that of the last one
// that counts, where until is the first moment that counts no more.
func (c *Console) dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.o.Location).Format(time.DateOnly)
}

func (c *Console) lastDay(until time.Time) string {
	if until.IsZero() {
		return ""
	}
	return c.dayText(until.Add(-time.Nanosecond))
}

// days reads a first and a last day of a form. It fails with form.day.
func (c *Console) days(first, last string) (from, until time.Time, err error) {
	parse := func(s string) (time.Time, error) {
		if s == "" {
			return time.Time{}, nil
		}
		t, err := time.ParseInLocation(time.DateOnly, s, c.o.Location)
		if err != nil || t.Year() < 1900 || t.Year() > 2200 {
			return t, gatehouse.Errorf("form.day", "use the calendar, or write 2026-11-25", "that is no day")
		}
		return t, nil
	}
	if from, err = parse(first); err != nil {
		return from, until, err
	}
	if until, err = parse(last); err == nil && !until.IsZero() {
		until = until.AddDate(0, 0, 1)
	}
	return from, until, err
}
