package attendance

import (
	"time"

	"gatehouse"
)

// Decide approves or refuses a correction request. Who asked does not decide, and a
// closed or locked period is not changed. Errors: correction.decided, correction.own,
// correction.period.
func Decide(r gatehouse.TimeCorrection, period gatehouse.PayPeriod, by gatehouse.AccountID, approve bool, at time.Time) (gatehouse.TimeCorrection, error) {
	switch {
	case r.State != gatehouse.CorrectionRequested:
		return r, gatehouse.Errorf("correction.decided", "make a new request", "this request was decided, or withdrawn")
	case by.IsZero() || by == r.By:
		return r, gatehouse.Errorf("correction.own", "ask somebody else to decide it", "nobody decides their own request")
	case approve && period.State != gatehouse.OpenPeriod:
		return r, gatehouse.Errorf("correction.period", "two people can reopen it", "the period is closed")
	}
	r.State, r.DecidedBy, r.Decided = gatehouse.CorrectionRefused, by, at
	if approve {
		r.State = gatehouse.CorrectionApproved
	}
	return r, nil
}

// Correction is the punch that an approved request makes; false where it makes none. The
// corrected punch stays as it is: both versions are kept.
func Correction(r gatehouse.TimeCorrection, id gatehouse.ID) (gatehouse.Punch, bool) {
	if r.State != gatehouse.CorrectionApproved {
		return gatehouse.Punch{}, false
	}
	p := gatehouse.Punch{ID: id, Subject: r.Subject, Source: gatehouse.FromCorrection, Site: r.Site, Direction: r.Direction, At: r.At, Request: r.ID, Made: r.Decided}
	switch r.Kind {
	case gatehouse.AddPunch:
	case gatehouse.MovePunch:
		p.Corrects = r.Punch
	case gatehouse.VoidPunch:
		p.Corrects, p.Void, p.At = r.Punch, true, r.Decided
	default:
		return gatehouse.Punch{}, false
	}
	return p, true
}

// ClosePeriod ends changes, LockPeriod says that it was paid. Errors: period.state.
func ClosePeriod(p gatehouse.PayPeriod) (gatehouse.PayPeriod, error) {
	return movePeriod(p, gatehouse.OpenPeriod, gatehouse.ClosedPeriod)
}

// LockPeriod is the step after ClosePeriod.
func LockPeriod(p gatehouse.PayPeriod) (gatehouse.PayPeriod, error) {
	return movePeriod(p, gatehouse.ClosedPeriod, gatehouse.LockedPeriod)
}

func movePeriod(p gatehouse.PayPeriod, from, to gatehouse.PeriodState) (gatehouse.PayPeriod, error) {
	if p.State != from {
		return p, gatehouse.Errorf("period.state", "look at its state", "the period is %s, not %s", p.State, from)
	}
	p.State, p.ReopenedBy = to, [2]gatehouse.AccountID{}
	return p, nil
}

// ReopenPeriod opens a closed or locked period again, which takes two people. Errors:
// period.state, period.two_people.
func ReopenPeriod(p gatehouse.PayPeriod, first, second gatehouse.AccountID) (gatehouse.PayPeriod, error) {
	switch {
	case p.State == gatehouse.OpenPeriod:
		return p, gatehouse.Errorf("period.state", "", "the period is open")
	case first.IsZero() || second.IsZero() || first == second:
		return p, gatehouse.Errorf("period.two_people", "ask a second person to agree", "reopening a period takes two people")
	}
	p.State, p.ReopenedBy = gatehouse.OpenPeriod, [2]gatehouse.AccountID{first, second}
	return p, nil
}
