package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/timesheet"
)

type hourPlansBody struct {
	Version  uint64
	Shifts   []shiftView
	Teams    []timesheet.TeamCount
	Members  []memberView
	Roster   []rosterView
	Rules    []timesheet.RulesFrom
	Presets  []string
	Calendar gatehouse.WorkCalendar
	Leave    []gatehouse.LeaveKind
	Scheme   string // as schemeForm reads it
	Figures  string
	Today    gatehouse.Date
	Year     int
	Problem  string
}

type shiftView struct {
	gatehouse.Shift
	Times, Rest string
}

type memberView struct {
	gatehouse.TeamMember
	Label string
}

type rosterView struct {
	gatehouse.RosterEntry
	For, Shifts string
}

func (c *Console) hourPlans(w http.ResponseWriter, r *http.Request, status int, problem string) {
	l := c.o.Hours.List()
	now := c.o.Now().In(c.o.Location)
	b := hourPlansBody{Version: l.Version, Teams: l.Teams, Rules: l.Rules, Calendar: l.Calendar, Today: gatehouse.DateOf(now), Year: now.Year(), Problem: problem, Presets: timesheet.Presets(), Leave: l.Leave, Scheme: schemeText(l.Earnings), Figures: figuresText(l.Figures)}
	for _, s := range l.Shifts {
		one := shiftView{Shift: s}
		var times, rest []string
		for _, p := range s.Parts {
			times = append(times, p.String())
		}
		for _, x := range s.Breaks {
			if x.Until > x.From {
				rest = append(rest, gatehouse.ShiftPart{From: x.From, Until: x.Until}.String())
			} else {
				rest = append(rest, minutesText(x.Minutes))
			}
		}
		one.Times, one.Rest = strings.Join(times, ", "), strings.Join(rest, ", ")
		b.Shifts = append(b.Shifts, one)
	}
	for _, m := range l.Members {
		b.Members = append(b.Members, memberView{m, c.hoursLabel(m.Who)})
	}
	slices.SortStableFunc(b.Members, func(x, y memberView) int {
		return cmp.Or(strings.Compare(string(x.Team), string(y.Team)), strings.Compare(x.Label, y.Label))
	})
	for _, e := range l.Roster {
		one := rosterView{RosterEntry: e, For: string(e.Group)}
		if e.Group == "" {
			one.For = c.hoursLabel(e.Who)
		}
		var shifts []string
		for _, s := range e.Pattern {
			if s == "" {
				s = "–"
			}
			shifts = append(shifts, string(s))
		}
		one.Shifts = strings.Join(shifts, " ")
		b.Roster = append(b.Roster, one)
	}
	c.render(w, r, status, "hourplans", "hourplans.title", "hourplans", b)
}

func (c *Console) onPlans(w http.ResponseWriter, r *http.Request, do func() error) {
	c.onHours(w, r, "/hours/plans", func(status int, problem string) { c.hourPlans(w, r, status, problem) }, do)
}

// putPlan takes one of the page's forms: what says which.
func (c *Console) putPlan(w http.ResponseWriter, r *http.Request) {
	c.onPlans(w, r, func() error {
		f := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
		by, ctx := actor(r), r.Context()
		switch f("what") {
		case "shift":
			s, err := shiftForm(f)
			if err == nil {
				err = c.o.Hours.PutShift(ctx, by, timesheet.Any, s)
			}
			return err
		case "team":
			return c.o.Hours.PutTeam(ctx, by, timesheet.Any, gatehouse.Team{ID: gatehouse.GroupID(f("id")), Title: f("title"), CostCentre: f("costcentre"), Project: f("project")})
		case "member":
			who, err := c.findPerson(f("person"))
			if err == nil {
				_, err = c.o.Hours.PutMember(ctx, by, gatehouse.TeamMember{Team: gatehouse.GroupID(f("team")), Who: who, From: gatehouse.Date(f("from")), Until: gatehouse.Date(f("until"))})
			}
			return err
		case "roster":
			e := gatehouse.RosterEntry{Group: gatehouse.GroupID(f("team")), From: gatehouse.Date(f("from")), Until: gatehouse.Date(f("until")), FollowsCalendar: f("calendar") != ""}
			for _, s := range strings.Fields(f("shifts")) {
				if s == "-" || s == "–" {
					s = ""
				}
				e.Pattern = append(e.Pattern, gatehouse.ShiftID(s))
			}
			_, err := c.o.Hours.PutRoster(ctx, by, e)
			return err
		case "rules":
			preset, ok := timesheet.Preset(f("preset"))
			if !ok {
				return gatehouse.Errorf("hours.rules", "choose one of the list", "there are no such rules")
			}
			return c.o.Hours.PutRules(ctx, by, timesheet.Any, gatehouse.Date(f("from")), preset)
		case "holidays":
			first, err := strconv.Atoi(f("first"))
			last, err2 := strconv.Atoi(f("last"))
			if err != nil || err2 != nil {
				return gatehouse.Errorf("holidays.years", "give two years", "there are no such years")
			}
			return c.o.Hours.PutHolidays(ctx, by, timesheet.Any, f("place"), first, last)
		case "leave":
			k := gatehouse.LeaveKind{ID: f("id"), Title: f("title"), Code: gatehouse.EarningsCode(f("code")), Monthly: f("monthly") != ""}
			if s := f("hours"); s != "" {
				n, err := strconv.Atoi(s)
				if err != nil {
					return gatehouse.Errorf("hours.leave", "give whole hours a year", "this is no kind of leave")
				}
				k.PerYear = n * 60
			}
			for _, role := range r.PostForm["chain"] {
				if role != "" {
					k.Chain = append(k.Chain, gatehouse.Role(role))
				}
			}
			return c.o.Hours.PutLeaveKind(ctx, by, timesheet.Any, k)
		case "scheme":
			scheme, err := schemeForm(f("scheme"))
			if err == nil {
				err = c.o.Hours.PutEarnings(ctx, by, timesheet.Any, scheme)
			}
			return err
		case "figures":
			figures, err := figuresForm(f("figures"))
			if err == nil {
				err = c.o.Hours.PutFigures(ctx, by, timesheet.Any, figures)
			}
			return err
		}
		return gatehouse.Errorf("form.malformed", "", "the form was not filled in")
	})
}

// shiftForm reads a fixed shift with one part and a break, as most are.
func shiftForm(f func(string) string) (gatehouse.Shift, error) {
	s := gatehouse.Shift{ID: gatehouse.ShiftID(f("id")), Title: f("title"), Kind: gatehouse.FixedShift}
	part, err := gatehouse.ParseShiftPart(f("begin") + "-" + f("end"))
	if err != nil {
		return s, err
	}
	s.Parts = []gatehouse.ShiftPart{part}
	if f("rest") != "" {
		n, err := strconv.Atoi(f("rest"))
		if err != nil {
			return s, gatehouse.Errorf("shift.span", "give a break in minutes", "this is no break")
		}
		if n > 0 {
			s.Breaks = []gatehouse.ShiftBreak{{Minutes: n, After: 360}}
		}
	}
	return s, nil
}

// findPerson is who has a badge label, or an id. Errors: subject.unknown, subject.several.
func (c *Console) findPerson(text string) (gatehouse.SubjectID, error) {
	if id, err := gatehouse.ParseID(text); err == nil {
		return id, nil
	}
	var found []gatehouse.SubjectID
	for _, b := range c.o.Badges.FindBadges(text, 100) {
		if b.Label == text && b.Kind == gatehouse.PersonSubject {
			found = append(found, b.Subject)
		}
	}
	switch len(found) {
	case 0:
		return gatehouse.SubjectID{}, gatehouse.Errorf("subject.unknown", "look it up on the page of people", "nobody is enrolled as that")
	case 1:
		return found[0], nil
	}
	return gatehouse.SubjectID{}, gatehouse.Errorf("subject.several", "give the id", "several have this label")
}

func (c *Console) removePlan(w http.ResponseWriter, r *http.Request) {
	c.onPlans(w, r, func() error {
		return c.o.Hours.Remove(r.Context(), actor(r), gatehouse.HoursKind(r.PostForm.Get("kind")), r.PostForm.Get("id"))
	})
}

// runView is a pay run, with who has no payslip of the newest ones.
type runView struct {
	gatehouse.PayRun
	Without []withoutView
}

type withoutView struct{ Label, Problem string }

// runsWithProblems is of how many of the newest runs the page says who has no payslip.
const runsWithProblems = 3

func (c *Console) runs(r *http.Request) (out []runView, err error) {
	if c.o.Wages == nil {
		return nil, nil
	}
	list, err := c.o.Wages.Runs(r.Context())
	for i, run := range list {
		one := runView{PayRun: run}
		if i < runsWithProblems && run.Problems > 0 && err == nil {
			var bad []gatehouse.StoredPayslip
			bad, err = c.o.Wages.Problems(r.Context(), run.ID)
			for _, s := range bad {
				one.Without = append(one.Without, withoutView{c.hoursLabel(s.Subject), s.Problem})
			}
		}
		out = append(out, one)
	}
	return out, err
}

type periodsBody struct {
	Periods     []gatehouse.StoredPeriod
	Exports     []gatehouse.PayExport
	Runs        []runView
	Pays        bool           // the site reckons pay
	From, Until gatehouse.Date // the last month
	Problem     string
	Me          gatehouse.AccountID
}

func (c *Console) periods(w http.ResponseWriter, r *http.Request, status int, problem string) {
	list, err := c.o.Hours.Periods(r.Context())
	var exports []gatehouse.PayExport
	if err == nil {
		exports, err = c.o.Hours.Exports(r.Context())
	}
	var runs []runView
	if err == nil {
		runs, err = c.runs(r)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	now := c.o.Now().In(c.o.Location)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	b := periodsBody{Periods: list, Exports: exports, Runs: runs, Pays: c.o.Wages != nil, From: gatehouse.DateOf(first.AddDate(0, -1, 0)), Until: gatehouse.DateOf(first.AddDate(0, 0, -1)), Problem: problem, Me: actor(r).Account}
	c.render(w, r, status, "periods", "periods.title", "periods", b)
}

func (c *Console) changePeriod(w http.ResponseWriter, r *http.Request) {
	c.onHours(w, r, "/hours/periods", func(status int, problem string) { c.periods(w, r, status, problem) }, func() (err error) {
		from, until := gatehouse.Date(r.PostForm.Get("from")), gatehouse.Date(r.PostForm.Get("until"))
		switch r.PostForm.Get("do") {
		case "close":
			_, err = c.o.Hours.Close(r.Context(), actor(r), from, until)
		case "lock":
			_, err = c.o.Hours.Lock(r.Context(), actor(r), from, until)
		case "reopen":
			_, err = c.o.Hours.Reopen(r.Context(), actor(r), from, until)
		default:
			err = gatehouse.Errorf("form.malformed", "", "the form was not filled in")
		}
		return err
	})
}

func (c *Console) onPeriods(w http.ResponseWriter, r *http.Request, do func() error) {
	c.onHours(w, r, "/hours/periods", func(status int, problem string) { c.periods(w, r, status, problem) }, do)
}

func (c *Console) askExport(w http.ResponseWriter, r *http.Request) {
	c.onPeriods(w, r, func() error {
		from, until, _ := strings.Cut(r.PostForm.Get("period"), " ")
		_, err := c.o.Hours.AskExport(r.Context(), actor(r), gatehouse.Date(from), gatehouse.Date(until), gatehouse.PayFormat(r.PostForm.Get("format")), strings.Fields(r.PostForm.Get("to")))
		return err
	})
}

func (c *Console) approveExport(w http.ResponseWriter, r *http.Request) {
	c.onPeriods(w, r, func() error {
		id, err := gatehouse.ParseID(r.PathValue("id"))
		if err == nil {
			_, err = c.o.Hours.ApproveExport(r.Context(), actor(r), id)
		}
		return err
	})
}

// exportFile answers with an approved export's file.
func (c *Console) exportFile(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var name string
	var sealed []byte
	if err == nil {
		name, sealed, err = c.o.PayFiles.PayFile(r.Context(), actor(r), id)
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.periods(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.attachment(w, name, "application/octet-stream", sealed)
}

type performanceBody struct {
	Span  span
	Teams []figuresView
	All   figuresView
	Least int
	Data  string // address of the charts' data
}

type figuresView struct {
	timesheet.TeamFigures
	Title             string
	Punctual, Present string // shares
	OvertimeText      string
	LateText          string
}

func figuresOf(f timesheet.TeamFigures, titles map[gatehouse.GroupID]string) figuresView {
	v := figuresView{TeamFigures: f, Title: titles[f.Team], OvertimeText: minutesText(f.Overtime), LateText: minutesText(f.LateMinutes), Punctual: "–", Present: "–"}
	if v.Title == "" {
		v.Title = string(f.Team)
	}
	if f.Planned > 0 {
		v.Punctual = strconv.Itoa(portion(1-float64(f.Late)/float64(f.Planned), 100)) + " %"
		v.Present = strconv.Itoa(portion(1-float64(f.Missed)/float64(f.Planned), 100)) + " %"
	}
	return v
}

func (c *Console) performance(w http.ResponseWriter, r *http.Request) {
	b := performanceBody{Span: c.spanOf(r), Least: timesheet.SmallGroup}
	teams, all, err := c.o.Hours.Performance(r.Context(), b.Span.From, b.Span.Until)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	titles := map[gatehouse.GroupID]string{}
	for _, t := range c.o.Hours.List().Teams {
		titles[t.ID] = t.Title
	}
	for _, t := range teams {
		b.Teams = append(b.Teams, figuresOf(t, titles))
	}
	b.All = figuresOf(all, titles)
	b.Data = "/hours/performance/days" + b.Span.Query()
	c.render(w, r, http.StatusOK, "performance", "performance.title", "performance", b)
}

// performanceDays answers with the charts' data: of the teams that are shown, together.
func (c *Console) performanceDays(w http.ResponseWriter, r *http.Request) {
	s := c.spanOf(r)
	_, all, err := c.o.Hours.Performance(r.Context(), s.From, s.Until)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	days, planned, came, hours, over := []int64{}, []float64{}, []float64{}, []float64{}, []float64{}
	for _, d := range all.Days {
		at, _ := time.ParseInLocation(time.DateOnly, string(d.Date), c.o.Location)
		days = append(days, at.Unix())
		planned, came = append(planned, float64(d.Planned)), append(came, float64(d.Came))
		hours, over = append(hours, float64(d.Minutes)/60), append(over, float64(d.Overtime)/60)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"staffing": []any{days, planned, came}, "worked": []any{days, hours, over}})
}
