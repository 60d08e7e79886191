package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/timesheet"
)

// waitingShown is how many requests a page lists.
const waitingShown = 200

type ownHoursBody struct {
	Span        span
	Nobody      bool // the account is nobody's who is enrolled
	Sheet       sheetView
	Corrections []correctionView
	Leave       []leaveView
	Balances    []balanceView
	Kinds       []gatehouse.LeaveKind
	Clock       bool
	Slips       []gatehouse.StoredPayslip
	Swaps       []swapView
	Planned     bool // in a team, whose shifts may be swapped
	Today       gatehouse.Date
	Problem     string
}

func leaveKinds(l timesheet.Listing) map[string]gatehouse.LeaveKind {
	out := map[string]gatehouse.LeaveKind{}
	for _, k := range l.Leave {
		out[k.ID] = k
	}
	return out
}

func (c *Console) ownHours(w http.ResponseWriter, r *http.Request, status int, problem string) {
	by := actor(r)
	b := ownHoursBody{Span: c.spanOf(r), Problem: problem, Clock: c.o.WebClock, Today: gatehouse.DateOf(c.o.Now().In(c.o.Location)), Nobody: by.Person.IsZero()}
	if !b.Nobody {
		if err := c.fillOwn(r.Context(), languageOf(w, r), by, &b); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	c.render(w, r, status, "ownhours", "ownhours.title", "ownhours", b)
}

func (c *Console) fillOwn(ctx context.Context, lang string, by timesheet.Actor, b *ownHoursBody) error {
	v, err := c.o.Hours.Sheet(ctx, by.Person, b.Span.From, b.Span.Until, timesheet.AsOf{})
	if err != nil {
		return err
	}
	b.Sheet = sheetViewOf(lang, v)
	list := c.o.Hours.List()
	kinds := leaveKinds(list)
	b.Kinds = list.Leave
	corrections, err := c.o.Hours.Corrections(ctx, gatehouse.TimesQuery{Subject: by.Person, Limit: 20})
	if err != nil {
		return err
	}
	for _, x := range corrections {
		b.Corrections = append(b.Corrections, correctionView{TimeCorrection: x})
	}
	leave, err := c.o.Hours.LeaveRequests(ctx, gatehouse.TimesQuery{Subject: by.Person, Limit: 20})
	if err != nil {
		return err
	}
	for _, x := range leave {
		b.Leave = append(b.Leave, leaveViewOf(x, kinds))
	}
	balances, err := c.o.Hours.Balances(ctx, by.Person)
	b.Balances = balancesOf(balances, kinds)
	if err == nil {
		b.Swaps, err = c.swaps(ctx, by, gatehouse.TimesQuery{Subject: by.Person, Limit: 20})
	}
	for _, m := range list.Members {
		b.Planned = b.Planned || m.Who == by.Person && (m.Until == "" || m.Until >= b.Today)
	}
	if err == nil && c.o.Wages != nil {
		b.Slips, err = c.o.Wages.Slips(ctx, by.Person)
	}
	return err
}

type looksBody struct {
	Nobody bool
	List   listing
	None   bool // nobody looked
	Looks  []heldLook
}

// lookedTexts are the keys of texts of inform.LookedAt.
var lookedTexts = map[string]string{"name": "looked.name", "national_id": "looked.national_id", "record": "looked.record", "hours": "looked.hours", "terms": "looked.terms", "payslip": "looked.payslip",
	"reason": "looked.reason", "passage": "looked.passage", "picture": "looked.picture", "other": "looked.other"}

// lookedAt puts what a look was of into words.
func lookedAt(lang string, what []string) string {
	var words []string
	for _, k := range what {
		words = append(words, text(lang, lookedTexts[k]))
	}
	return strings.Join(words, ", ")
}

// ownLooks lists who looked at one's own data.
func (c *Console) ownLooks(w http.ResponseWriter, r *http.Request) {
	me := actor(r)
	b := looksBody{Nobody: me.Person.IsZero()}
	if !b.Nobody {
		list, err := c.o.Looks.Looks(r.Context(), me.Person)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		for _, l := range list {
			b.Looks = append(b.Looks, heldLook{l, gatehouse.Role(l.Role), lookedAt(languageOf(w, r), l.What)})
		}
	}
	b.List = listingOf(r)
	b.None = len(b.Looks) == 0
	b.Looks = arrange(&b.List, b.Looks, func(l heldLook) []string { return []string{string(l.Role), l.Purpose, l.Words} }, byTime("at", func(l heldLook) time.Time { return l.At }),
		by("role", func(l heldLook) string { return string(l.Role) }), by("purpose", func(l heldLook) string { return l.Purpose }), by("what", func(l heldLook) string { return l.Words }), by("items", func(l heldLook) int { return l.Items }))
	if b.List.File {
		var out [][]string
		for _, l := range b.Looks {
			out = append(out, []string{when(l.At), string(l.Role), l.Purpose, strings.Join(l.What, " "), strconv.Itoa(l.Items)})
		}
		c.file(w, "looks", []string{"at", "role", "purpose", "what", "items"}, out)
		return
	}
	c.render(w, r, http.StatusOK, "looks", "looks.title", "ownhours", b)
}

// onOwn carries out what a form on one's own page asks for.
func (c *Console) onOwn(w http.ResponseWriter, r *http.Request, do func(by timesheet.Actor) error) {
	by := actor(r)
	c.onHours(w, r, "/hours/own"+c.spanOf(r).Query(), func(status int, problem string) { c.ownHours(w, r, status, problem) }, func() error {
		if by.Person.IsZero() {
			return gatehouse.Errorf("hours.nobody", "an administrator says whose the account is", "this account belongs to nobody who is enrolled")
		}
		return do(by)
	})
}

func (c *Console) clockNow(w http.ResponseWriter, r *http.Request) {
	c.onOwn(w, r, func(by timesheet.Actor) error {
		return c.o.Hours.Clock(r.Context(), by, gatehouse.Direction(r.PostForm.Get("direction")))
	})
}

func (c *Console) askOwn(w http.ResponseWriter, r *http.Request) {
	c.onOwn(w, r, func(by timesheet.Actor) error {
		a, err := c.asked(r, by.Person)
		if err == nil {
			_, err = c.o.Hours.Ask(r.Context(), by, a)
		}
		return err
	})
}

func (c *Console) askOwnLeave(w http.ResponseWriter, r *http.Request) {
	c.onOwn(w, r, func(by timesheet.Actor) error {
		r.PostForm.Set("midnight", "00:00")
		from, err := c.formTime(r, "first", "midnight")
		if err != nil {
			return err
		}
		until, err := c.formTime(r, "last", "midnight")
		if err != nil {
			return err
		}
		_, err = c.o.Hours.AskLeave(r.Context(), by, by.Person, r.PostForm.Get("kind"), from, until.AddDate(0, 0, 1), strings.TrimSpace(r.PostForm.Get("reason")))
		return err
	})
}

func (c *Console) withdrawOwn(w http.ResponseWriter, r *http.Request) {
	c.onOwn(w, r, func(by timesheet.Actor) error {
		id, err := gatehouse.ParseID(r.PostForm.Get("id"))
		if err != nil {
			return err
		}
		if r.PostForm.Get("what") == "leave" {
			return c.o.Hours.WithdrawLeave(r.Context(), by, id)
		}
		return c.o.Hours.Withdraw(r.Context(), by, id)
	})
}

type hoursBody struct {
	Span        span
	List        listing
	Rows        []hoursRow
	Corrections []correctionView
	Leave       []leaveView
	Swaps       []swapView
	Decided     []correctionView // of these days; both versions stand in the timesheet
	Teams       []timesheet.TeamCount
	Warnings    []warningView // what the rules' limits say, over everybody who is shown
	Team        string
	Problem     string
	Empty       bool // nothing is planned, and nobody punched
}

type hoursRow struct {
	ID          gatehouse.SubjectID
	Label       string
	Team        gatehouse.GroupID
	Due, Worked string
	Overtime    string
	Exceptions  []string
	More        int
	open        int // exceptions
	// in minutes
	due, worked, over int
}

// shownExceptions is how many of a person's exceptions their row says.
const shownExceptions = 3

// hours lists everybody's hours, and what waits for a decision. reasons are those that
// were opened for this page.
func (c *Console) hours(w http.ResponseWriter, r *http.Request, status int, problem string, reasons map[gatehouse.ID]string) {
	lang := languageOf(w, r)
	b := hoursBody{Span: c.spanOf(r), Problem: problem, Team: r.URL.Query().Get("team"), Teams: c.o.Hours.List().Teams}
	var shown []timesheet.PersonHours
	people, err := c.o.Hours.People(r.Context(), b.Span.From, b.Span.Until)
	for _, p := range people {
		if b.Team == "" || b.Team == string(p.Team) {
			b.Rows = append(b.Rows, c.hoursRow(lang, p))
			shown = append(shown, p)
		}
	}
	b.Warnings = c.warnings(lang, shown)
	if err == nil {
		err = c.waiting(r, &b, reasons)
	}
	if err == nil {
		b.Decided, err = c.decided(r.Context(), b.Span)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b.Empty = len(b.Rows) == 0 && b.Team == ""
	b.List = listingOf(r, "from", "until", "team")
	b.List.Path = "/hours" // also where a form answers
	// Who has something to look at comes first, and then by label: no order of merit.
	slices.SortStableFunc(b.Rows, func(x, y hoursRow) int {
		return cmp.Or(cmp.Compare(min(y.open, 1), min(x.open, 1)), cmp.Compare(x.Team, y.Team), strings.Compare(x.Label, y.Label))
	})
	b.Rows = arrange(&b.List, b.Rows, func(x hoursRow) []string { return []string{x.Label, string(x.Team)} }, by("label", func(x hoursRow) string { return x.Label }),
		by("team", func(x hoursRow) string { return string(x.Team) }), by("due", func(x hoursRow) int { return x.due }), by("worked", func(x hoursRow) int { return x.worked }), by("over", func(x hoursRow) int { return x.over }), by("look", func(x hoursRow) int { return x.open }))
	if b.List.File {
		var out [][]string
		for _, x := range b.Rows {
			out = append(out, []string{x.Label, string(x.Team), x.Due, x.Worked, x.Overtime, strconv.Itoa(x.open)})
		}
		c.file(w, "hours", []string{"label", "team", "due", "worked", "overtime", "exceptions"}, out)
		return
	}
	c.render(w, r, status, "hours", "hours.title", "hours", b)
}

// warningView is one limit of the law, and on whose days it was broken.
type warningView struct {
	Kind   gatehouse.ExceptionKind
	People []warnedView
	More   int // people besides
}

type warnedView struct {
	ID    gatehouse.SubjectID
	Label string
	Said  []string
}

// limits are the exceptions that the rules' limits make: what a law or an agreement asks for.
var limits = []gatehouse.ExceptionKind{gatehouse.DailyRest, gatehouse.WeeklyRest, gatehouse.BreakMissing, gatehouse.DayLimit, gatehouse.WeekLimit, gatehouse.OvertimeLimit}

// shownWarned is how many people a warning names.
const shownWarned = 10

func (c *Console) warnings(lang string, people []timesheet.PersonHours) (out []warningView) {
	for _, kind := range limits {
		one := warningView{Kind: kind}
		for _, p := range people {
			w := warnedView{ID: p.Subject}
			for _, e := range p.Exceptions {
				if e.Kind == kind {
					w.Said = append(w.Said, string(e.Date)+": "+e.Sentence(lang))
				}
			}
			switch {
			case len(w.Said) == 0:
			case len(one.People) == shownWarned:
				one.More++
			default:
				w.Label = c.hoursLabel(p.Subject)
				one.People = append(one.People, w)
			}
		}
		if len(one.People) > 0 {
			out = append(out, one)
		}
	}
	return out
}

func (c *Console) hoursRow(lang string, p timesheet.PersonHours) hoursRow {
	row := hoursRow{ID: p.Subject, Label: c.hoursLabel(p.Subject), Team: p.Team, open: len(p.Exceptions)}
	for _, e := range p.Exceptions[:min(len(p.Exceptions), shownExceptions)] {
		row.Exceptions = append(row.Exceptions, string(e.Date)+": "+e.Sentence(lang))
	}
	row.More = max(0, row.open-shownExceptions)
	row.due, row.worked, row.over = p.Due, p.Worked, p.Overtime
	row.Due, row.Worked, row.Overtime = minutesText(p.Due), minutesText(p.Worked), minutesText(p.Overtime)
	return row
}

func (c *Console) waiting(r *http.Request, b *hoursBody, reasons map[gatehouse.ID]string) error {
	by := actor(r)
	corrections, err := c.o.Hours.Corrections(r.Context(), gatehouse.TimesQuery{State: gatehouse.CorrectionRequested, Limit: waitingShown})
	if err != nil {
		return err
	}
	for _, x := range corrections {
		change, err := c.o.Hours.Preview(r.Context(), x.ID)
		if err != nil {
			return err
		}
		b.Corrections = append(b.Corrections, correctionView{TimeCorrection: x, Label: c.hoursLabel(x.Subject), Own: x.By == by.Account || x.Subject == by.Person, Change: differencesOf(change), Reason: reasons[x.ID]})
	}
	swaps, err := c.swaps(r.Context(), by, gatehouse.TimesQuery{State: gatehouse.CorrectionRequested, Limit: waitingShown})
	if err != nil {
		return err
	}
	for _, x := range swaps {
		if !x.Agreed[1].IsZero() { // before, it is nobody's but the two's
			b.Swaps = append(b.Swaps, x)
		}
	}
	leave, err := c.o.Hours.LeaveRequests(r.Context(), gatehouse.TimesQuery{State: gatehouse.CorrectionRequested, Limit: waitingShown})
	kinds := leaveKinds(c.o.Hours.List())
	for _, x := range leave {
		one := leaveViewOf(x, kinds)
		one.Label, one.Own, one.Reason = c.hoursLabel(x.Subject), x.By == by.Account || x.Subject == by.Person, reasons[x.ID]
		b.Leave = append(b.Leave, one)
	}
	return err
}

// decidedShown is how many decided requests a page lists.
const decidedShown = 20

// decided are the newest corrections of some days that were approved or refused.
func (c *Console) decided(ctx context.Context, s span) (out []correctionView, err error) {
	list, err := c.o.Hours.Corrections(ctx, gatehouse.TimesQuery{Limit: waitingShown})
	for _, x := range list {
		day := gatehouse.DateOf(x.At.In(c.o.Location))
		if x.State != gatehouse.CorrectionApproved && x.State != gatehouse.CorrectionRefused || day < s.From || day > s.Until || len(out) == decidedShown {
			continue
		}
		out = append(out, correctionView{TimeCorrection: x, Label: c.hoursLabel(x.Subject)})
	}
	return out, err
}

func (c *Console) decide(w http.ResponseWriter, r *http.Request, do func(id gatehouse.ID, approve bool) error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.onHours(w, r, "/hours"+c.spanOf(r).Query(), func(status int, problem string) { c.hours(w, r, status, problem, nil) }, func() error {
		return do(id, r.PostForm.Get("decision") == "approve")
	})
}

func (c *Console) decideCorrection(w http.ResponseWriter, r *http.Request) {
	c.decide(w, r, func(id gatehouse.ID, approve bool) error {
		_, err := c.o.Hours.Decide(r.Context(), actor(r), id, approve)
		return err
	})
}

func (c *Console) decideLeave(w http.ResponseWriter, r *http.Request) {
	c.decide(w, r, func(id gatehouse.ID, approve bool) error {
		_, err := c.o.Hours.DecideLeave(r.Context(), actor(r), id, approve)
		return err
	})
}

func (c *Console) reason(w http.ResponseWriter, r *http.Request, open func(context.Context, Who, gatehouse.ID) (string, error)) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var words string
	if err == nil {
		words, err = open(r.Context(), who(r), id)
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.hours(w, r, status, problem, nil)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.hours(w, r, http.StatusOK, "", map[gatehouse.ID]string{id: words})
}

func (c *Console) correctionReason(w http.ResponseWriter, r *http.Request) {
	c.reason(w, r, c.o.HoursReasons.CorrectionReason)
}

func (c *Console) leaveReason(w http.ResponseWriter, r *http.Request) {
	c.reason(w, r, c.o.HoursReasons.LeaveReason)
}

type timesheetBody struct {
	Span        span
	ID          gatehouse.SubjectID
	Label       string
	Team        gatehouse.GroupID
	Sheet       sheetView
	Corrections []correctionView
	Closed      *gatehouse.StoredPeriod // the period that these days are in
	Changed     []differenceView        // since it was closed
	Today       gatehouse.Date
	Problem     string
}

func (c *Console) timesheet(w http.ResponseWriter, r *http.Request, status int, problem string) {
	lang := languageOf(w, r)
	id, err := gatehouse.ParseID(r.PathValue("id"))
	b := timesheetBody{Span: c.spanOf(r), ID: id, Problem: problem, Today: gatehouse.DateOf(c.o.Now().In(c.o.Location))}
	if err == nil {
		err = c.o.Hours.Known(r.Context(), id)
	}
	if err == nil && actor(r).Person != id {
		err = c.o.Looks.LookedAt(r.Context(), who(r), id)
	}
	if err == nil {
		err = c.fillTimesheet(r.Context(), lang, &b)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, status, "timesheet", "timesheet.title", "hours", b)
}

func (c *Console) fillTimesheet(ctx context.Context, lang string, b *timesheetBody) error {
	b.Label = c.hoursLabel(b.ID)
	v, err := c.o.Hours.Sheet(ctx, b.ID, b.Span.From, b.Span.Until, timesheet.AsOf{})
	if err != nil {
		return err
	}
	b.Sheet = sheetViewOf(lang, v)
	corrections, err := c.o.Hours.Corrections(ctx, gatehouse.TimesQuery{Subject: b.ID, Limit: 20})
	if err != nil {
		return err
	}
	for _, x := range corrections {
		change, err := c.o.Hours.Preview(ctx, x.ID)
		if err != nil {
			return err
		}
		b.Corrections = append(b.Corrections, correctionView{TimeCorrection: x, Change: differencesOf(change)})
	}
	periods, err := c.o.Hours.Periods(ctx)
	if err != nil {
		return err
	}
	for _, p := range periods {
		if p.From <= b.Span.Until && b.Span.From <= p.Until {
			from, until := max(p.From, b.Span.From), min(p.Until, b.Span.Until)
			diff, err := c.o.Hours.Difference(ctx, b.ID, from, until, timesheet.AsOf{Version: p.Version, At: p.Closed})
			if err != nil {
				return err
			}
			b.Closed, b.Changed = &p, differencesOf(diff)
			break
		}
	}
	return nil
}

// onPerson carries out what a form on somebody's page asks for.
func (c *Console) onPersonHours(w http.ResponseWriter, r *http.Request, do func(id gatehouse.SubjectID) error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.onHours(w, r, "/hours/people/"+id.String()+c.spanOf(r).Query(), func(status int, problem string) { c.timesheet(w, r, status, problem) }, func() error { return do(id) })
}

func (c *Console) enterPunch(w http.ResponseWriter, r *http.Request) {
	c.onPersonHours(w, r, func(id gatehouse.SubjectID) error {
		at, err := c.formTime(r, "day", "clock")
		if err == nil {
			err = c.o.Hours.Enter(r.Context(), actor(r), id, at, gatehouse.Direction(r.PostForm.Get("direction")))
		}
		return err
	})
}

func (c *Console) askFor(w http.ResponseWriter, r *http.Request) {
	c.onPersonHours(w, r, func(id gatehouse.SubjectID) error {
		a, err := c.asked(r, id)
		if err == nil {
			_, err = c.o.Hours.Ask(r.Context(), actor(r), a)
		}
		return err
	})
}
