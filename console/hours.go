package console

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/inform"
	"gatehouse/flow/timesheet"
)

// Hours are hours worked; *timesheet.Hours is one. The codes of their errors are its.
type Hours interface {
	Known(ctx context.Context, who gatehouse.SubjectID) error
	List() timesheet.Listing
	Sheet(ctx context.Context, who gatehouse.SubjectID, from, until gatehouse.Date, as timesheet.AsOf) (timesheet.View, error)
	People(ctx context.Context, from, until gatehouse.Date) ([]timesheet.PersonHours, error)
	Difference(ctx context.Context, who gatehouse.SubjectID, from, until gatehouse.Date, since timesheet.AsOf) ([]gatehouse.TimesheetDifference, error)
	Preview(ctx context.Context, id gatehouse.ID) ([]gatehouse.TimesheetDifference, error)
	Balances(ctx context.Context, who gatehouse.SubjectID) ([]timesheet.LeaveBalance, error)
	Performance(ctx context.Context, from, until gatehouse.Date) ([]timesheet.TeamFigures, timesheet.TeamFigures, error)

	Clock(ctx context.Context, by timesheet.Actor, direction gatehouse.Direction) error
	Enter(ctx context.Context, by timesheet.Actor, who gatehouse.SubjectID, at time.Time, direction gatehouse.Direction) error
	Ask(ctx context.Context, by timesheet.Actor, a timesheet.Asked) (gatehouse.TimeCorrection, error)
	Decide(ctx context.Context, by timesheet.Actor, id gatehouse.ID, approve bool) (gatehouse.TimeCorrection, error)
	Withdraw(ctx context.Context, by timesheet.Actor, id gatehouse.ID) error
	Corrections(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.TimeCorrection, error)
	AskLeave(ctx context.Context, by timesheet.Actor, who gatehouse.SubjectID, kind string, from, until time.Time, why string) (gatehouse.LeaveRequest, error)
	DecideLeave(ctx context.Context, by timesheet.Actor, id gatehouse.ID, approve bool) (gatehouse.LeaveRequest, error)
	WithdrawLeave(ctx context.Context, by timesheet.Actor, id gatehouse.ID) error
	LeaveRequests(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.LeaveRequest, error)
	AskSwap(ctx context.Context, by timesheet.Actor, ownDay gatehouse.Date, colleague gatehouse.SubjectID, theirDay gatehouse.Date) (gatehouse.StoredSwap, error)
	AnswerSwap(ctx context.Context, by timesheet.Actor, id gatehouse.ID, agree bool) (gatehouse.StoredSwap, error)
	DecideSwap(ctx context.Context, by timesheet.Actor, id gatehouse.ID, approve bool) (gatehouse.StoredSwap, error)
	Swaps(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.StoredSwap, error)

	PutShift(ctx context.Context, by timesheet.Actor, was uint64, s gatehouse.Shift) error
	PutTeam(ctx context.Context, by timesheet.Actor, was uint64, t gatehouse.Team) error
	PutMember(ctx context.Context, by timesheet.Actor, m gatehouse.TeamMember) (gatehouse.ID, error)
	PutRoster(ctx context.Context, by timesheet.Actor, e gatehouse.RosterEntry) (gatehouse.ID, error)
	PutRules(ctx context.Context, by timesheet.Actor, was uint64, from gatehouse.Date, r gatehouse.AttendanceRules) error
	PutLeaveKind(ctx context.Context, by timesheet.Actor, was uint64, k gatehouse.LeaveKind) error
	PutEarnings(ctx context.Context, by timesheet.Actor, was uint64, scheme []gatehouse.Earning) error
	PutFigures(ctx context.Context, by timesheet.Actor, was uint64, all map[string]gatehouse.Money) error
	PutHolidays(ctx context.Context, by timesheet.Actor, was uint64, place string, first, last int) error
	Remove(ctx context.Context, by timesheet.Actor, kind gatehouse.HoursKind, id string) error

	Periods(ctx context.Context) ([]gatehouse.StoredPeriod, error)
	Close(ctx context.Context, by timesheet.Actor, from, until gatehouse.Date) (gatehouse.StoredPeriod, error)
	Lock(ctx context.Context, by timesheet.Actor, from, until gatehouse.Date) (gatehouse.StoredPeriod, error)
	Reopen(ctx context.Context, by timesheet.Actor, from, until gatehouse.Date) (gatehouse.StoredPeriod, error)

	Exports(ctx context.Context) ([]gatehouse.PayExport, error)
	AskExport(ctx context.Context, by timesheet.Actor, from, until gatehouse.Date, format gatehouse.PayFormat, recipients []string) (gatehouse.PayExport, error)
	ApproveExport(ctx context.Context, by timesheet.Actor, id gatehouse.ID) (gatehouse.PayExport, error)
}

// PayFiles makes the files of approved exports, encrypted to their recipients. Errors:
// those of timesheet.Hours.TakeExport, and export.cell.
type PayFiles interface {
	PayFile(ctx context.Context, by timesheet.Actor, id gatehouse.ID) (name string, sealed []byte, err error)
}

// HoursReasons opens what somebody wrote with a request: a disclosure. Errors: vault.sealed,
// vault.budget, store.not_found.
type HoursReasons interface {
	CorrectionReason(ctx context.Context, who Who, id gatehouse.ID) (string, error)
	LeaveReason(ctx context.Context, who Who, id gatehouse.ID) (string, error)
}

// Looks tell somebody who looked at their data, and are told of it.
type Looks interface {
	// LookedAt writes down that somebody's hours are shown to another one: once an hour.
	LookedAt(ctx context.Context, who Who, person gatehouse.SubjectID) error
	// Looks are those of a year, the newest first.
	Looks(ctx context.Context, person gatehouse.SubjectID) ([]inform.Look, error)
}

// ActorOf is who a session is, for hours. One without an account, a demo's, is nobody who
// is enrolled.
func ActorOf(s auth.Session) timesheet.Actor {
	var roles []gatehouse.Role
	for _, role := range gatehouse.PeopleRoles {
		if s.Is(role) {
			roles = append(roles, role)
		}
	}
	if s.Account.IsZero() {
		sum := sha256.Sum256([]byte(s.Operator()))
		return timesheet.Actor{Account: gatehouse.AccountID(sum[:16]), Roles: roles}
	}
	return timesheet.Actor{Account: s.Account, Person: s.Person(), Roles: roles}
}

func actor(r *http.Request) timesheet.Actor {
	s, _ := auth.SessionFrom(r.Context())
	return ActorOf(s)
}

// working is the area of hours worked.
var working = area{
	pages:  []string{"hours", "timesheet", "ownhours", "hourplans", "periods", "performance", "personpay", "payslip", "looks", "punches"},
	routes: func(c *Console) []auth.Route { return append(c.hoursRoutes(), c.wagesRoutes()...) },
	nav: []entry{
		{"nav.hours", "ownhours", "/hours/own", "nav.ownhours", gatehouse.OwnHours},
		{"nav.hours", "hours", "/hours", "nav.timesheets", gatehouse.SeeHours},
		{"nav.hours", "hourplans", "/hours/plans", "nav.hourplans", gatehouse.PlanHours},
		{"nav.hours", "periods", "/hours/periods", "nav.periods", gatehouse.PayPeriods},
		{"nav.hours", "performance", "/hours/performance", "nav.performance", gatehouse.SeeHours},
	},
}

func (c *Console) hoursRoutes() []auth.Route {
	if c.o.Hours == nil {
		return nil
	}
	see, decide, plan, pay, own := auth.Needs(gatehouse.SeeHours), auth.Needs(gatehouse.DecideHours), auth.NeedsFresh(gatehouse.PlanHours), auth.NeedsFresh(gatehouse.PayPeriods), auth.Needs(gatehouse.OwnHours)
	return []auth.Route{
		{Pattern: "GET /hours/own", Policy: own, Handler: func(w http.ResponseWriter, r *http.Request) { c.ownHours(w, r, http.StatusOK, "") }},
		{Pattern: "GET /hours/own/looks", Policy: own, Handler: c.ownLooks},
		{Pattern: "POST /hours/own/punch", Policy: own, Handler: c.clockNow, Page: "/hours/own"},
		{Pattern: "POST /hours/own/corrections", Policy: own, Handler: c.askOwn, Page: "/hours/own"},
		{Pattern: "POST /hours/own/leave", Policy: own, Handler: c.askOwnLeave, Page: "/hours/own"},
		{Pattern: "POST /hours/own/swaps", Policy: own, Handler: c.askSwap, Page: "/hours/own"},
		{Pattern: "POST /hours/own/swaps/{id}", Policy: own, Handler: c.answerSwap, Page: "/hours/own"},
		{Pattern: "POST /hours/swaps/{id}/decide", Policy: decide, Handler: c.decideSwap, Page: "/hours"},
		{Pattern: "POST /hours/own/withdraw", Policy: own, Handler: c.withdrawOwn, Page: "/hours/own"},
		{Pattern: "GET /hours", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) { c.hours(w, r, http.StatusOK, "", nil) }},
		{Pattern: "GET /hours/people/{id}", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) { c.timesheet(w, r, http.StatusOK, "") }},
		{Pattern: "POST /hours/people/{id}/punch", Policy: decide, Handler: c.enterPunch, Page: "/hours/people/{id}"},
		{Pattern: "POST /hours/people/{id}/corrections", Policy: decide, Handler: c.askFor, Page: "/hours/people/{id}"},
		{Pattern: "POST /hours/corrections/{id}/decide", Policy: decide, Handler: c.decideCorrection, Page: "/hours"},
		{Pattern: "POST /hours/leave/{id}/decide", Policy: decide, Handler: c.decideLeave, Page: "/hours"},
		{Pattern: "POST /hours/corrections/{id}/reason", Policy: decide, Handler: c.correctionReason, Page: "/hours"},
		{Pattern: "POST /hours/leave/{id}/reason", Policy: decide, Handler: c.leaveReason, Page: "/hours"},
		{Pattern: "GET /hours/import", Policy: decide, Handler: c.choosePunches},
		{Pattern: "POST /hours/import", Policy: decide, Handler: c.takePunches},
		{Pattern: "GET /hours/plans", Policy: auth.Needs(gatehouse.PlanHours), Handler: func(w http.ResponseWriter, r *http.Request) { c.hourPlans(w, r, http.StatusOK, "") }},
		{Pattern: "POST /hours/plans", Policy: plan, Handler: c.putPlan, Page: "/hours/plans"},
		{Pattern: "POST /hours/plans/remove", Policy: plan, Handler: c.removePlan, Page: "/hours/plans"},
		{Pattern: "GET /hours/periods", Policy: auth.Needs(gatehouse.PayPeriods), Handler: func(w http.ResponseWriter, r *http.Request) { c.periods(w, r, http.StatusOK, "") }},
		{Pattern: "POST /hours/periods", Policy: pay, Handler: c.changePeriod, Page: "/hours/periods"},
		{Pattern: "POST /hours/periods/exports", Policy: pay, Handler: c.askExport, Page: "/hours/periods"},
		{Pattern: "POST /hours/periods/exports/{id}/approve", Policy: pay, Handler: c.approveExport, Page: "/hours/periods"},
		{Pattern: "POST /hours/periods/exports/{id}/file", Policy: pay, Handler: c.exportFile, Page: "/hours/periods"},
		{Pattern: "GET /hours/performance", Policy: see, Handler: c.performance},
		{Pattern: "GET /hours/performance/days", Policy: see, Handler: c.performanceDays},
	}
}

// maxHoursForm bounds the forms of this area, in bytes.
const maxHoursForm = 16 << 10

// span is the days that a page is about.
type span struct {
	From, Until    gatehouse.Date
	Earlier, Later string // addresses of the same number of days before and behind
}

// maxSpan is how many days a page shows at most.
const maxSpan = 93

// spanOf reads ?from= and ?until=; without them it is this week.
func (c *Console) spanOf(r *http.Request) span {
	v := r.URL.Query()
	from, err := gatehouse.ParseDate(v.Get("from"))
	until, err2 := gatehouse.ParseDate(v.Get("until"))
	if err != nil || err2 != nil || until < from || daysBetween(from, until) >= maxSpan {
		now := c.o.Now().In(c.o.Location)
		monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7)
		from, until = gatehouse.DateOf(monday), gatehouse.DateOf(monday.AddDate(0, 0, 6))
	}
	n := daysBetween(from, until) + 1
	address := func(by int) string {
		return r.URL.Path + "?from=" + string(addDays(from, by)) + "&until=" + string(addDays(until, by))
	}
	return span{From: from, Until: until, Earlier: address(-n), Later: address(n)}
}

func daysBetween(a, b gatehouse.Date) int {
	x, _ := time.Parse(time.DateOnly, string(a))
	y, _ := time.Parse(time.DateOnly, string(b))
	return int(y.Sub(x).Hours()+12) / 24
}

func addDays(d gatehouse.Date, n int) gatehouse.Date {
	t, _ := time.Parse(time.DateOnly, string(d))
	return gatehouse.DateOf(t.AddDate(0, 0, n))
}

// Query is what keeps the days in the address of a form.
func (s span) Query() string { return "?from=" + string(s.From) + "&until=" + string(s.Until) }

// label is a person's badge label, or the begin of their id where there is none.
func (c *Console) hoursLabel(id gatehouse.SubjectID) string {
	if b, ok := c.o.Badges.Badge(id); ok && b.Label != "" {
		return b.Label
	}
	return id.String()[:8]
}

// onHours carries out what a form asks for, and shows the page again: as it is then, or
// with what is wrong.
func (c *Console) onHours(w http.ResponseWriter, r *http.Request, page string, again func(status int, problem string), do func() error) {
	err := formIn(w, r, maxHoursForm)
	if err == nil {
		err = do()
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		again(status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// formTime reads a day and a time of a form, at the site. Errors: hours.time.
func (c *Console) formTime(r *http.Request, day, clock string) (time.Time, error) {
	t, err := time.ParseInLocation("2006-01-02 15:04", strings.TrimSpace(r.PostForm.Get(day))+" "+strings.TrimSpace(r.PostForm.Get(clock)), c.o.Location)
	if err != nil {
		return t, gatehouse.Errorf("hours.time", "give a day and a time", "this is no time")
	}
	return t, nil
}

// asked reads a correction's form.
func (c *Console) asked(r *http.Request, who gatehouse.SubjectID) (a timesheet.Asked, err error) {
	a = timesheet.Asked{Who: who, Kind: gatehouse.CorrectionKind(r.PostForm.Get("kind")), Direction: gatehouse.Direction(r.PostForm.Get("direction")), Reason: strings.TrimSpace(r.PostForm.Get("reason"))}
	if s := r.PostForm.Get("punch"); s != "" && (a.Kind == gatehouse.MovePunch || a.Kind == gatehouse.VoidPunch) {
		if a.Punch, err = gatehouse.ParseID(s); err != nil {
			return a, err
		}
	}
	if a.Kind != gatehouse.VoidPunch {
		a.At, err = c.formTime(r, "day", "clock")
	}
	return a, err
}

// minutesText writes minutes as 7:05.
func minutesText(n int) string { return gatehouse.HoursMinutes(n) }

// percentText writes hundredths of a per cent: 150 %.
func percentText(n int) string {
	s := strconv.FormatFloat(float64(n)/100, 'f', -1, 64)
	return s + " %"
}
