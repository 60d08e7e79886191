package api

import (
	"context"
	"net/http"
	"slices"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// Wages is pay: what people are paid by, and what came of it. All of it is sealed; what
// opens it is a disclosure in the caller's name. Errors are *gatehouse.Error and hold
// nothing personal; the codes are those of flow/wages and payroll.
type Wages interface {
	PersonPay(ctx context.Context, id gatehouse.SubjectID) (wire.PersonPay, error)
	SetPayTerms(ctx context.Context, id gatehouse.SubjectID, r wire.PayTermsRequest) (wire.PayTermsRef, error)
	RemovePayTerms(ctx context.Context, id gatehouse.SubjectID, terms gatehouse.ID) error
	OpenPayTerms(ctx context.Context, id gatehouse.SubjectID, terms gatehouse.ID, reason string) (wire.PayTerms, error)
	OpenPayslip(ctx context.Context, id gatehouse.SubjectID, slip gatehouse.ID, reason string) (wire.Payslip, error)

	PayRuns(ctx context.Context) (wire.PayRuns, error)
	AskPay(ctx context.Context, r wire.PeriodRequest) (wire.PayRun, error)
	// ApprovePay is a second person's.
	ApprovePay(ctx context.Context, run gatehouse.ID) (wire.PayRun, error)
	ReckonPay(ctx context.Context, run gatehouse.ID) (wire.PayRun, error)
	PayProblems(ctx context.Context, run gatehouse.ID) (wire.Payslips, error)
}

// OwnWages are those of whoever asks. Errors: hours.nobody for an account that is nobody's,
// and those of Wages.
type OwnWages interface {
	OwnPayslips(ctx context.Context) (wire.Payslips, error)
	OpenOwnPayslip(ctx context.Context, slip gatehouse.ID) (wire.Payslip, error)
}

var (
	termsInPath = parameter{name: "terms", about: "The terms' id.", like: gatehouse.ID{}, required: true}
	slipInPath  = parameter{name: "slip", about: "The payslip's id.", like: gatehouse.ID{}, required: true}
)

// What the operations about pay answer with.
var (
	settingPay = []string{"id.malformed", "date.malformed", "pay.rate", "pay.number", "pay.figures", "pay.split", "wages.own", "subject.unknown", "store.not_found", "sealing.unavailable", "vault.unavailable", "store.full"}
	openingPay = []string{"id.malformed", "request.malformed", "hours.nobody", "wages.no_slip", "vault.reason", "vault.sealed", "vault.budget", "vault.canary", "vault.unavailable", "store.not_found"}
	runningPay = []string{"id.malformed", "date.malformed", "wages.unknown", "wages.waiting", "wages.two_people", "wages.approved", "wages.done", "wages.scheme", "wages.none", "period.unknown", "period.state", "vault.sealed", "vault.budget", "vault.canary", "vault.unavailable", "store.full"}
)

// wages is an operation of Wages; one that a server has none of answers request.not_served.
func (a *API) wages(o operation) operation {
	if a.o.Wages == nil || a.o.OwnWages == nil {
		o.Handler = func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, notServed()) }
	}
	o.tag = tagHours
	o.problems = append(slices.Clip(o.problems), "request.not_served", "store.failed")
	return o
}

func (a *API) wagesOperations() []operation {
	pay := gatehouse.PayPeriods
	people, paying, own := auth.Needs(pay).OrSocket(), auth.NeedsFresh(pay).OrSocket(), auth.NeedsFresh(gatehouse.OwnHours)
	route := func(pattern string, p auth.Policy, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: pattern, Policy: p, Handler: h}
	}
	return []operation{a.wages(operation{
		Route: route("GET /api/v1/attendance/people/{id}/pay", people, func(w http.ResponseWriter, r *http.Request) {
			a.onPerson(w, r, func(ctx context.Context, id gatehouse.SubjectID) (any, error) { return a.o.Wages.PersonPay(ctx, id) })
		}),
		id: "getPersonPay", summary: "Since when somebody has which pay terms, and their payslips", path: []parameter{personInPath},
		about:   "All of it is sealed: what it says is opened as a disclosure.",
		replies: answers(http.StatusOK, wire.PersonPay{}, "What is kept."), problems: []string{"id.malformed", "subject.unknown"},
	}), a.wages(operation{
		Route: route("POST /api/v1/attendance/people/{id}/pay", paying, func(w http.ResponseWriter, r *http.Request) {
			a.payOf(w, r, "", func(who, _ gatehouse.ID) {
				carry(a, w, r, http.StatusCreated, func(ctx context.Context, q wire.PayTermsRequest) (wire.PayTermsRef, error) {
					return a.o.Wages.SetPayTerms(ctx, who, q)
				})
			})
		}),
		id: "setPayTerms", summary: "Say what somebody is paid by from a day on", path: []parameter{personInPath}, keyed: true, most: maxSmall,
		about:   "It is sealed at once, and takes the place of what was said for that day. Nobody sets their own.",
		request: inJSON(wire.PayTermsRequest{}), replies: answers(http.StatusCreated, wire.PayTermsRef{}, "The terms, sealed."), problems: settingPay,
	}), a.wages(operation{
		Route: route("DELETE /api/v1/attendance/people/{id}/pay/{terms}", paying, func(w http.ResponseWriter, r *http.Request) {
			a.payOf(w, r, "terms", func(who, terms gatehouse.ID) {
				if err := a.o.Wages.RemovePayTerms(r.Context(), who, terms); err != nil {
					a.fail(w, r, err)
					return
				}
				w.WriteHeader(http.StatusNoContent)
			})
		}),
		id: "removePayTerms", summary: "Take pay terms back", path: []parameter{personInPath, termsInPath},
		replies: []reply{{status: http.StatusNoContent, about: "They are gone."}}, problems: settingPay,
	}), a.wages(operation{
		Route: route("POST /api/v1/attendance/people/{id}/pay/{terms}/open", paying, func(w http.ResponseWriter, r *http.Request) {
			a.payOf(w, r, "terms", func(who, terms gatehouse.ID) {
				carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.PayReason) (wire.PayTerms, error) {
					return a.o.Wages.OpenPayTerms(ctx, who, terms, q.Reason)
				})
			})
		}),
		id: "openPayTerms", summary: "Read what somebody is paid by: a disclosure", path: []parameter{personInPath, termsInPath},
		request: inJSON(wire.PayReason{}), replies: answers(http.StatusOK, wire.PayTerms{}, "The terms."), problems: openingPay,
	}), a.wages(operation{
		Route: route("POST /api/v1/attendance/people/{id}/payslips/{slip}/open", paying, func(w http.ResponseWriter, r *http.Request) {
			a.payOf(w, r, "slip", func(who, slip gatehouse.ID) {
				carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.PayReason) (wire.Payslip, error) {
					return a.o.Wages.OpenPayslip(ctx, who, slip, q.Reason)
				})
			})
		}),
		id: "openPayslip", summary: "Read somebody's payslip: a disclosure", path: []parameter{personInPath, slipInPath},
		request: inJSON(wire.PayReason{}), replies: answers(http.StatusOK, wire.Payslip{}, "The payslip."), problems: openingPay,
	}), a.wages(operation{
		Route: route("GET /api/v1/attendance/pay", people, func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Wages.PayRuns) }),
		id:    "listPayRuns", summary: "Pay of closed periods that was asked for", tagged: true,
		replies: answers(http.StatusOK, wire.PayRuns{}, "The newest."),
	}), a.wages(operation{
		Route: route("POST /api/v1/attendance/pay", paying, func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusCreated, a.o.Wages.AskPay) }),
		id:    "askPay", summary: "Ask for the pay of a closed period", keyed: true, most: maxSmall,
		about:   "A second person approves it, and the vault reckons it.",
		request: inJSON(wire.PeriodRequest{}), replies: answers(http.StatusCreated, wire.PayRun{}, "The run, which waits."), problems: runningPay,
	}), a.wages(operation{
		Route: route("POST /api/v1/attendance/pay/{id}/approve", paying, func(w http.ResponseWriter, r *http.Request) { onExport(a, w, r, a.o.Wages.ApprovePay) }),
		id:    "approvePay", summary: "Agree to a pay run as the second person", path: []parameter{itInPath},
		replies: answers(http.StatusOK, wire.PayRun{}, "The run."), problems: runningPay,
	}), a.wages(operation{
		Route: route("POST /api/v1/attendance/pay/{id}/reckon", paying, func(w http.ResponseWriter, r *http.Request) { onExport(a, w, r, a.o.Wages.ReckonPay) }),
		id:    "reckonPay", summary: "Have the vault make an approved run's payslips", path: []parameter{itInPath},
		about:   "One disclosure for each 200 people. What comes of it is sealed to the people; where it breaks off nothing is kept.",
		replies: answers(http.StatusOK, wire.PayRun{}, "The run."), problems: runningPay,
	}), a.wages(operation{
		Route: route("GET /api/v1/attendance/pay/{id}/problems", people, func(w http.ResponseWriter, r *http.Request) { onExport(a, w, r, a.o.Wages.PayProblems) }),
		id:    "listPayProblems", summary: "Who has no payslip of a run, and why", path: []parameter{itInPath},
		replies: answers(http.StatusOK, wire.Payslips{}, "Each with the code of an error."), problems: []string{"id.malformed", "wages.unknown"},
	}), a.wages(operation{
		Route: route("GET /api/v1/attendance/own/payslips", auth.Needs(gatehouse.OwnHours), func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.OwnWages.OwnPayslips) }),
		id:    "listOwnPayslips", summary: "One's own payslips, sealed",
		replies: answers(http.StatusOK, wire.Payslips{}, "The newest first."), problems: []string{"hours.nobody"},
	}), a.wages(operation{
		Route: route("POST /api/v1/attendance/own/payslips/{slip}/open", own, func(w http.ResponseWriter, r *http.Request) {
			slip, err := gatehouse.ParseID(r.PathValue("slip"))
			if err != nil {
				a.fail(w, r, err)
				return
			}
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Payslip, error) { return a.o.OwnWages.OpenOwnPayslip(ctx, slip) })
		}),
		id: "openOwnPayslip", summary: "Read one's own payslip: a disclosure", path: []parameter{slipInPath},
		replies: answers(http.StatusOK, wire.Payslip{}, "The payslip."), problems: openingPay,
	})}
}

// payOf carries out what is asked about somebody's pay: whose, and which, as the path says.
func (a *API) payOf(w http.ResponseWriter, r *http.Request, name string, do func(who, which gatehouse.ID)) {
	who, err := gatehouse.ParseID(r.PathValue("id"))
	var which gatehouse.ID
	if err == nil && name != "" {
		which, err = gatehouse.ParseID(r.PathValue(name))
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	do(who, which)
}
