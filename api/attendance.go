package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// tagHours is where the document's reader finds hours worked.
const tagHours = "Hours"

// Hours are what callers read and change of hours worked. Who asks is the caller that ctx
// carries. Errors are *gatehouse.Error and hold nothing personal; the codes are those of
// flow/timesheet.
type Hours interface {
	HoursPlans(ctx context.Context) (wire.HoursPlans, error)
	PlanChanges(ctx context.Context, before uint64) (wire.PlanChanges, error)
	PutPlan(ctx context.Context, r wire.PlanRequest) (wire.PlanResponse, error)
	RemovePlan(ctx context.Context, kind gatehouse.HoursKind, id string) (wire.PlanResponse, error)

	PeopleHours(ctx context.Context, from, until gatehouse.Date) (wire.PeopleHours, error)
	// Timesheet is as somebody's hours are, or as they were when the period was closed.
	Timesheet(ctx context.Context, id gatehouse.SubjectID, from, until gatehouse.Date, closed bool) (wire.Timesheet, error)
	// HoursDifferences are those since the period was closed, or since a version and moment.
	HoursDifferences(ctx context.Context, id gatehouse.SubjectID, from, until gatehouse.Date, version uint64, at time.Time) (wire.HoursDifferences, error)
	LeaveBalances(ctx context.Context, id gatehouse.SubjectID) (wire.LeaveBalances, error)
	EnterPunch(ctx context.Context, r wire.PunchRequest) error
	ImportPunches(ctx context.Context, r wire.PunchImportRequest) (wire.PunchImport, error)

	Corrections(ctx context.Context, state gatehouse.CorrectionState, before gatehouse.ID, limit int) (wire.Corrections, error)
	AskCorrection(ctx context.Context, r wire.CorrectionAsk) (wire.Correction, error)
	DecideCorrection(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Correction, error)
	LeaveRequests(ctx context.Context, state gatehouse.CorrectionState, before gatehouse.ID, limit int) (wire.LeaveRequests, error)
	AskLeave(ctx context.Context, r wire.LeaveAsk) (wire.LeaveRequest, error)
	DecideLeave(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.LeaveRequest, error)

	Swaps(ctx context.Context, state gatehouse.CorrectionState) (wire.Swaps, error)
	// DecideSwap is a third person's.
	DecideSwap(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Swap, error)

	PayPeriods(ctx context.Context) (wire.PayPeriods, error)
	ClosePeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error)
	LockPeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error)
	// ReopenPeriod waits for a second person after the first.
	ReopenPeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error)
	Performance(ctx context.Context, from, until gatehouse.Date) (wire.Performance, error)

	PayExports(ctx context.Context) (wire.PayExports, error)
	AskPayExport(ctx context.Context, r wire.PayExportAsk) (wire.PayExport, error)
	// ApprovePayExport is a second person's.
	ApprovePayExport(ctx context.Context, id gatehouse.ID) (wire.PayExport, error)
	PayExportFile(ctx context.Context, id gatehouse.ID) (wire.PayExportFile, error)
}

// OwnHours are those of whoever asks. Errors: hours.nobody, and those of Hours.
type OwnHours interface {
	OwnTimesheet(ctx context.Context, from, until gatehouse.Date) (wire.Timesheet, error)
	ClockNow(ctx context.Context, r wire.PunchRequest) error
	AskOwnCorrection(ctx context.Context, r wire.CorrectionAsk) (wire.Correction, error)
	AskOwnLeave(ctx context.Context, r wire.LeaveAsk) (wire.LeaveRequest, error)
	OwnLooks(ctx context.Context) (wire.Looks, error)
	OwnSwaps(ctx context.Context) (wire.Swaps, error)
	AskSwap(ctx context.Context, r wire.SwapAsk) (wire.Swap, error)
	// AnswerSwap agrees as the colleague, or ends it as either of the two.
	AnswerSwap(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Swap, error)
}

// Parameters of operations about hours.
var (
	personInPath = parameter{name: "id", about: "The person's opaque id.", like: gatehouse.ID{}, required: true}
	itInPath     = parameter{name: "id", about: "Its id.", like: gatehouse.ID{}, required: true}
	hoursFrom    = parameter{name: "from", about: "The first day.", like: gatehouse.Date(""), required: true}
	hoursUntil   = parameter{name: "until", about: "The last day.", like: gatehouse.Date(""), required: true}
	hoursState   = parameter{name: "state", about: "Of this state only.", like: gatehouse.CorrectionState(""), enum: []string{"requested", "approved", "refused", "withdrawn"}}
)

var hoursKinds = func() (out []string) {
	for _, k := range gatehouse.HoursKinds {
		out = append(out, string(k))
	}
	return out
}()

// What the operations about hours answer with.
var (
	readingHours  = []string{"request.malformed", "id.malformed", "date.malformed", "attendance.period", "store.not_found", "vault.unavailable"}
	planning      = []string{"request.malformed", "id.malformed", "date.malformed", "shift.span", "hours.shift", "hours.name", "hours.title", "hours.charged", "hours.member", "hours.roster", "hours.rules", "hours.calendar", "hours.leave", "hours.earnings", "hours.days", "hours.unknown", "hours.exists", "hours.changed", "hours.in_use", "hours.too_many", "holidays.unknown", "holidays.years", "subject.unknown", "subject.several", "store.full"}
	askingTimes   = []string{"id.malformed", "correction.kind", "correction.reason", "correction.punch", "correction.period", "correction.too_many", "hours.direction", "hours.future", "hours.unknown", "hours.nobody", "leave.times", "subject.unknown", "subject.several", "sealing.unavailable", "vault.unavailable", "store.full"}
	decidingTimes = []string{"id.malformed", "leave.step", "correction.decided", "correction.own", "correction.period", "store.not_found", "store.full"}
	swapping      = []string{"id.malformed", "date.malformed", "hours.nobody", "swap.date", "swap.colleague", "swap.nothing", "swap.two_shifts", "swap.agreed", "swap.own", "swap.approved", "swap.not_yours", "correction.decided", "correction.too_many", "hours.roster", "hours.changed", "subject.unknown", "subject.several", "store.not_found", "store.full"}
	exporting     = []string{"id.malformed", "export.format", "export.recipients", "export.unknown", "export.two_people", "export.approved", "export.cell", "period.unknown", "period.state", "store.full"}
	payingPeriods = []string{"date.malformed", "hours.days", "period.running", "period.overlap", "period.waiting", "period.state", "period.unknown", "period.two_people", "store.full"}
)

// maxHoursImport bounds an import's request, in bytes: a file of 16 MiB as JSON has it.
const maxHoursImport = 22 << 20

// hours is an operation of Hours; one that a server has none of answers request.not_served.
func (a *API) hours(o operation) operation {
	if a.o.Hours == nil || a.o.OwnHours == nil {
		o.Handler = func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, notServed()) }
	}
	o.tag = tagHours
	o.problems = append(slices.Clip(o.problems), "request.not_served", "store.failed")
	return o
}

func (a *API) hoursOperations() []operation {
	see, plan, decide, pay := gatehouse.SeeHours, gatehouse.PlanHours, gatehouse.DecideHours, gatehouse.PayPeriods
	reads := func(p gatehouse.Permission) auth.Policy { return auth.Needs(p).OrToken().OrSocket() }
	people := func(p gatehouse.Permission) auth.Policy { return auth.Needs(p).OrSocket() }
	paying := auth.NeedsFresh(pay).OrSocket()
	route := func(pattern string, p auth.Policy, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: pattern, Policy: p, Handler: h}
	}
	return []operation{a.hours(operation{
		Route: route("GET /api/v1/attendance/plans", reads(see), func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Hours.HoursPlans) }),
		id:    "getHoursPlans", summary: "Shifts, teams, rosters and the rules of hours", tagged: true,
		replies: answers(http.StatusOK, wire.HoursPlans{}, "The book of hours."),
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/changes", reads(see), a.planChanges),
		id:    "listPlanChanges", summary: "Every version of the book, the newest first",
		query:    []parameter{{name: "before", about: "Versions below this one: next of the page before.", like: uint64(0)}},
		replies:  answers(http.StatusOK, wire.PlanChanges{}, "One page."),
		problems: []string{"request.malformed"},
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/plans", reads(plan), func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Hours.PutPlan) }),
		id:    "putPlan", summary: "Make or replace one part of the book", keyed: true, most: maxAdmin,
		about:   "Hours of the past are calculated by it at once; those of a closed period stay as they were paid.",
		request: inJSON(wire.PlanRequest{}), replies: answers(http.StatusOK, wire.PlanResponse{}, "The version that it made."), problems: planning,
	}), a.hours(operation{
		Route: route("DELETE /api/v1/attendance/plans/{id}", reads(plan), func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.PlanResponse, error) {
				return a.o.Hours.RemovePlan(ctx, gatehouse.HoursKind(r.URL.Query().Get("kind")), r.PathValue("id"))
			})
		}),
		id: "removePlan", summary: "Take a part out of the book",
		path:    []parameter{{name: "id", about: "Its id.", like: "", required: true}},
		query:   []parameter{{name: "kind", about: "What it is.", like: gatehouse.HoursKind(""), required: true, enum: hoursKinds}},
		replies: answers(http.StatusOK, wire.PlanResponse{}, "The version that it made."), problems: planning,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/people", reads(see), a.peopleHours),
		id:    "listPeopleHours", summary: "Everybody's hours of some days", query: []parameter{hoursFrom, hoursUntil},
		about:   "By badge label, in no order that ranks.",
		replies: answers(http.StatusOK, wire.PeopleHours{}, "One line for each person who was planned or there."), problems: readingHours,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/people/{id}", reads(see), a.timesheet),
		id:    "getTimesheet", summary: "Somebody's hours, with what made each minute what it is", path: []parameter{personInPath},
		query:   []parameter{hoursFrom, hoursUntil, {name: "closed", about: "true: as they were when the period was closed.", like: false}},
		replies: answers(http.StatusOK, wire.Timesheet{}, "The timesheet."), problems: append(slices.Clip(readingHours), "period.unknown"),
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/people/{id}/differences", reads(see), a.hoursDifferences),
		id:    "getHoursDifferences", summary: "What became of somebody's hours since a closing, or a version", path: []parameter{personInPath},
		query: []parameter{hoursFrom, hoursUntil, {name: "version", about: "The book's version before; with at. Without both, since the period was closed.", like: uint64(0)},
			{name: "at", about: "The moment before.", like: time.Time{}}},
		replies: answers(http.StatusOK, wire.HoursDifferences{}, "The differences."), problems: append(slices.Clip(readingHours), "period.unknown"),
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/people/{id}/balances", reads(see), func(w http.ResponseWriter, r *http.Request) {
			a.onPerson(w, r, func(ctx context.Context, id gatehouse.SubjectID) (any, error) {
				return a.o.Hours.LeaveBalances(ctx, id)
			})
		}),
		id: "getLeaveBalances", summary: "What somebody has of each kind of leave", path: []parameter{personInPath},
		replies: answers(http.StatusOK, wire.LeaveBalances{}, "The balances of this year."), problems: readingHours,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/punches", people(decide), func(w http.ResponseWriter, r *http.Request) { a.noContent(w, r, a.o.Hours.EnterPunch) }),
		id:    "enterPunch", summary: "Enter a punch for somebody else", keyed: true, most: maxSmall,
		request: inJSON(wire.PunchRequest{}), replies: []reply{{status: http.StatusNoContent, about: "It counts."}},
		problems: append(slices.Clip(askingTimes), "hours.own"),
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/import", people(decide), a.importPunches),
		id:    "importPunches", summary: "Import punches of another system", keyed: true, most: maxHoursImport,
		about:   "With one problem nothing is written, and each has its line. The same rows again change nothing.",
		request: inJSON(wire.PunchImportRequest{}), replies: answers(http.StatusOK, wire.PunchImport{}, "What came of it."),
		problems: append(slices.Clip(askingTimes), "hours.import", "sheet.too_large", "sheet.too_many", "sheet.encoding", "sheet.malformed", "sheet.empty"),
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/corrections", reads(see), a.listCorrections),
		id:    "listCorrections", summary: "Requests to have hours put right, the newest first", query: []parameter{hoursState, aBefore, aLimit},
		about:   "Those that wait say what approving them would change.",
		replies: answers(http.StatusOK, wire.Corrections{}, "One page."), problems: readingHours,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/corrections", people(decide), func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Hours.AskCorrection)
		}),
		id: "askCorrection", summary: "Ask for a correction in somebody's name", keyed: true, most: maxSmall,
		about:   "Somebody else decides it. The reason is sealed.",
		request: inJSON(wire.CorrectionAsk{}), replies: answers(http.StatusCreated, wire.Correction{}, "The request."), problems: askingTimes,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/corrections/{id}/decision", people(decide), func(w http.ResponseWriter, r *http.Request) {
			deciding(a, w, r, a.o.Hours.DecideCorrection)
		}),
		id: "decideCorrection", summary: "Approve or refuse a correction", path: []parameter{itInPath}, keyed: true, most: maxSmall,
		request: inJSON(wire.TimeDecision{}), replies: answers(http.StatusOK, wire.Correction{}, "The request."), problems: decidingTimes,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/leave", reads(see), a.listLeave),
		id:    "listLeave", summary: "Requests for leave, the newest first", query: []parameter{hoursState, aBefore, aLimit},
		replies: answers(http.StatusOK, wire.LeaveRequests{}, "One page."), problems: readingHours,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/leave", people(decide), func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Hours.AskLeave)
		}),
		id: "askLeave", summary: "Ask for leave in somebody's name", keyed: true, most: maxSmall,
		request: inJSON(wire.LeaveAsk{}), replies: answers(http.StatusCreated, wire.LeaveRequest{}, "The request."), problems: askingTimes,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/leave/{id}/decision", people(decide), func(w http.ResponseWriter, r *http.Request) { deciding(a, w, r, a.o.Hours.DecideLeave) }),
		id:    "decideLeave", summary: "Approve or refuse leave", path: []parameter{itInPath}, keyed: true, most: maxSmall,
		request: inJSON(wire.TimeDecision{}), replies: answers(http.StatusOK, wire.LeaveRequest{}, "The request."), problems: decidingTimes,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/swaps", reads(see), a.listSwaps),
		id:    "listSwaps", summary: "Shifts that people want to exchange, the newest first", query: []parameter{hoursState},
		replies: answers(http.StatusOK, wire.Swaps{}, "The newest 200."), problems: readingHours,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/swaps/{id}/decision", people(decide), func(w http.ResponseWriter, r *http.Request) { deciding(a, w, r, a.o.Hours.DecideSwap) }),
		id:    "decideSwap", summary: "Approve or refuse a swap that both agreed to", path: []parameter{itInPath}, keyed: true, most: maxSmall,
		about:   "Approving it plans both people's days.",
		request: inJSON(wire.TimeDecision{}), replies: answers(http.StatusOK, wire.Swap{}, "The swap."), problems: swapping,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/own/swaps", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.OwnHours.OwnSwaps) }),
		id:    "listOwnSwaps", summary: "Swaps that one asked for, or is asked for",
		replies: answers(http.StatusOK, wire.Swaps{}, "The newest."), problems: []string{"hours.nobody"},
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/own/swaps", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.OwnHours.AskSwap)
		}),
		id: "askSwap", summary: "Ask a colleague of one's own team to exchange shifts", keyed: true, most: maxSmall,
		request: inJSON(wire.SwapAsk{}), replies: answers(http.StatusCreated, wire.Swap{}, "The swap, which waits for the colleague."), problems: swapping,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/own/swaps/{id}/answer", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) { deciding(a, w, r, a.o.OwnHours.AnswerSwap) }),
		id:    "answerSwap", summary: "Agree to a colleague's swap, or end one's own", path: []parameter{itInPath}, keyed: true, most: maxSmall,
		request: inJSON(wire.TimeDecision{}), replies: answers(http.StatusOK, wire.Swap{}, "The swap."), problems: swapping,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/periods", reads(see), func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Hours.PayPeriods) }),
		id:    "listPayPeriods", summary: "Pay periods that were closed once", tagged: true,
		replies: answers(http.StatusOK, wire.PayPeriods{}, "The periods, the newest first."),
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/periods/close", paying, func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Hours.ClosePeriod) }),
		id:    "closePeriod", summary: "End changes of a period's hours", keyed: true, most: maxSmall,
		request: inJSON(wire.PeriodRequest{}), replies: answers(http.StatusOK, wire.PayPeriod{}, "The period."), problems: payingPeriods,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/periods/lock", paying, func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Hours.LockPeriod) }),
		id:    "lockPeriod", summary: "Say that a closed period was paid", keyed: true, most: maxSmall,
		request: inJSON(wire.PeriodRequest{}), replies: answers(http.StatusOK, wire.PayPeriod{}, "The period."), problems: payingPeriods,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/periods/reopen", paying, func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Hours.ReopenPeriod) }),
		id:    "reopenPeriod", summary: "Ask to reopen a period, or agree to it as the second person", keyed: true, most: maxSmall,
		request: inJSON(wire.PeriodRequest{}), replies: answers(http.StatusOK, wire.PayPeriod{}, "The period."), problems: payingPeriods,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/exports", people(pay), func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Hours.PayExports) }),
		id:    "listPayExports", summary: "Closed periods' hours that were asked for as a file", tagged: true,
		replies: answers(http.StatusOK, wire.PayExports{}, "The newest."),
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/exports", paying, func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Hours.AskPayExport)
		}),
		id: "askPayExport", summary: "Ask for a closed period's hours as a file", keyed: true, most: maxSmall,
		about:   "A second person approves it, and it is encrypted to the recipients.",
		request: inJSON(wire.PayExportAsk{}), replies: answers(http.StatusCreated, wire.PayExport{}, "The export, which waits."), problems: exporting,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/exports/{id}/approve", paying, func(w http.ResponseWriter, r *http.Request) { onExport(a, w, r, a.o.Hours.ApprovePayExport) }),
		id:    "approvePayExport", summary: "Agree to an export as the second person", path: []parameter{itInPath},
		replies: answers(http.StatusOK, wire.PayExport{}, "The export."), problems: exporting,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/exports/{id}/file", paying, func(w http.ResponseWriter, r *http.Request) { onExport(a, w, r, a.o.Hours.PayExportFile) }),
		id:    "takePayExport", summary: "Take an approved export's file", path: []parameter{itInPath},
		about:   "That it was taken is written down first. The hours are those of the closing, whatever was changed since.",
		replies: answers(http.StatusOK, wire.PayExportFile{}, "The file, encrypted."), problems: exporting,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/performance", reads(see), func(w http.ResponseWriter, r *http.Request) {
			from, until, err := hoursDays(r)
			if err != nil {
				a.fail(w, r, err)
				return
			}
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Performance, error) { return a.o.Hours.Performance(ctx, from, until) })
		}),
		id: "getPerformance", summary: "Punctuality, absence and overtime by team", query: []parameter{hoursFrom, hoursUntil},
		about:   "Of teams, never of one person; small teams are hidden.",
		replies: answers(http.StatusOK, wire.Performance{}, "The figures."), problems: readingHours,
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/own", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) {
			from, until, err := hoursDays(r)
			if err != nil {
				a.fail(w, r, err)
				return
			}
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Timesheet, error) { return a.o.OwnHours.OwnTimesheet(ctx, from, until) })
		}),
		id: "getOwnTimesheet", summary: "One's own hours", query: []parameter{hoursFrom, hoursUntil},
		replies: answers(http.StatusOK, wire.Timesheet{}, "The timesheet."), problems: append(slices.Clip(readingHours), "hours.nobody"),
	}), a.hours(operation{
		Route: route("GET /api/v1/attendance/own/looks", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.OwnHours.OwnLooks) }),
		id:    "listOwnLooks", summary: "Who looked at one's own record, hours and pay",
		about:   "Of a year, by role and purpose, as the disclosure log has it.",
		replies: answers(http.StatusOK, wire.Looks{}, "The newest first."), problems: []string{"hours.nobody", "vault.unavailable"},
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/own/punches", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) { a.noContent(w, r, a.o.OwnHours.ClockNow) }),
		id:    "clockNow", summary: "Punch, now", keyed: true, most: maxSmall,
		request: inJSON(wire.PunchRequest{}), replies: []reply{{status: http.StatusNoContent, about: "It counts."}},
		problems: append(slices.Clip(askingTimes), "hours.web_clock"),
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/own/corrections", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.OwnHours.AskOwnCorrection)
		}),
		id: "askOwnCorrection", summary: "Ask to have one's own hours put right", keyed: true, most: maxSmall,
		request: inJSON(wire.CorrectionAsk{}), replies: answers(http.StatusCreated, wire.Correction{}, "The request."), problems: askingTimes,
	}), a.hours(operation{
		Route: route("POST /api/v1/attendance/own/leave", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.OwnHours.AskOwnLeave)
		}),
		id: "askOwnLeave", summary: "Ask for leave", keyed: true, most: maxSmall,
		request: inJSON(wire.LeaveAsk{}), replies: answers(http.StatusCreated, wire.LeaveRequest{}, "The request."), problems: askingTimes,
	})}
}

// hoursDays are the days that a query names.
func hoursDays(r *http.Request) (from, until gatehouse.Date, err error) {
	v := r.URL.Query()
	if from, err = gatehouse.ParseDate(v.Get("from")); err == nil {
		until, err = gatehouse.ParseDate(v.Get("until"))
	}
	return from, until, err
}

func (a *API) onPerson(w http.ResponseWriter, r *http.Request, ask func(context.Context, gatehouse.SubjectID) (any, error)) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (any, error) { return ask(ctx, id) })
}

// deciding carries out a decision on what the path names.
func deciding[A any](a *API, w http.ResponseWriter, r *http.Request, do func(context.Context, gatehouse.ID, wire.TimeDecision) (A, error)) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	carry(a, w, r, http.StatusOK, func(ctx context.Context, d wire.TimeDecision) (A, error) { return do(ctx, id, d) })
}

// onExport carries out what is asked of the export in the path.
func onExport[A any](a *API, w http.ResponseWriter, r *http.Request, do func(context.Context, gatehouse.ID) (A, error)) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (A, error) { return do(ctx, id) })
}

// noContent carries out what a punch asks for.
func (a *API) noContent(w http.ResponseWriter, r *http.Request, do func(context.Context, wire.PunchRequest) error) {
	var q wire.PunchRequest
	err := decode(w, r, maxSmall, &q)
	if err == nil {
		err = do(r.Context(), q)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) planChanges(w http.ResponseWriter, r *http.Request) {
	before, err := version(r, "before")
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.PlanChanges, error) { return a.o.Hours.PlanChanges(ctx, before) })
}

func version(r *http.Request, name string) (uint64, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 62)
	if err != nil {
		return 0, gatehouse.Errorf("request.malformed", name+" is a version", "this is no version")
	}
	return n, nil
}

func (a *API) peopleHours(w http.ResponseWriter, r *http.Request) {
	from, until, err := hoursDays(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.PeopleHours, error) { return a.o.Hours.PeopleHours(ctx, from, until) })
}

func (a *API) timesheet(w http.ResponseWriter, r *http.Request) {
	from, until, err := hoursDays(r)
	closed := r.URL.Query().Get("closed")
	if err == nil && closed != "" && closed != "true" && closed != "false" {
		err = gatehouse.Errorf("request.malformed", "closed is true or false", "this is neither")
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.onPerson(w, r, func(ctx context.Context, id gatehouse.SubjectID) (any, error) {
		return a.o.Hours.Timesheet(ctx, id, from, until, closed == "true")
	})
}

func (a *API) hoursDifferences(w http.ResponseWriter, r *http.Request) {
	from, until, err := hoursDays(r)
	was, err2 := version(r, "version")
	var at time.Time
	if s := r.URL.Query().Get("at"); s != "" && err == nil {
		if at, err = time.Parse(time.RFC3339, s); err != nil {
			err = gatehouse.Errorf("request.malformed", "at is a time as RFC 3339 has it", "this is no time")
		}
	}
	if err == nil {
		err = err2
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.onPerson(w, r, func(ctx context.Context, id gatehouse.SubjectID) (any, error) {
		return a.o.Hours.HoursDifferences(ctx, id, from, until, was, at)
	})
}

func (a *API) importPunches(w http.ResponseWriter, r *http.Request) {
	var q wire.PunchImportRequest
	if err := decode(w, r, maxHoursImport, &q); err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.PunchImport, error) { return a.o.Hours.ImportPunches(ctx, q) })
}

// timesPage are the state, cursor and limit of a list of requests.
func timesPage(r *http.Request) (state gatehouse.CorrectionState, before gatehouse.ID, limit int, err error) {
	state = gatehouse.CorrectionState(r.URL.Query().Get("state"))
	if !slices.Contains(append(slices.Clip(hoursState.enum), ""), string(state)) {
		return state, before, 0, gatehouse.Errorf("request.malformed", "state is requested, approved, refused or withdrawn", "this is no state")
	}
	if before, err = cursorOf(r, "before"); err == nil {
		limit, err = limitOf(r)
	}
	return state, before, limit, err
}

func (a *API) listCorrections(w http.ResponseWriter, r *http.Request) {
	state, before, limit, err := timesPage(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Corrections, error) {
		return a.o.Hours.Corrections(ctx, state, before, limit)
	})
}

func (a *API) listLeave(w http.ResponseWriter, r *http.Request) {
	state, before, limit, err := timesPage(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.LeaveRequests, error) {
		return a.o.Hours.LeaveRequests(ctx, state, before, limit)
	})
}

func (a *API) listSwaps(w http.ResponseWriter, r *http.Request) {
	state, _, _, err := timesPage(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Swaps, error) { return a.o.Hours.Swaps(ctx, state) })
}
