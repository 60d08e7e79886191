package timesheet

import (
	"context"
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// AskLeave makes a request for leave from a moment until another. Errors: hours.unknown for
// the kind, leave.times, correction.reason, correction.too_many, correction.period,
// subject.unknown, sealing.*.
func (h *Hours) AskLeave(ctx context.Context, by Actor, who gatehouse.SubjectID, kind string, from, until time.Time, why string) (gatehouse.LeaveRequest, error) {
	now := h.Now().UTC()
	l := gatehouse.LeaveRequest{Place: h.Place, ID: gatehouse.NewID(now), Subject: who, Kind: kind, From: from.UTC(), Until: until.UTC(), By: by.Account, Made: now, State: gatehouse.CorrectionRequested}
	if err := reason(why); err != nil {
		return l, err
	}
	if !from.Before(until) || from.Year() < 2000 || until.Sub(from) > maxAhead || from.Sub(now) > maxAhead {
		return l, gatehouse.Errorf("leave.times", "give a begin and a later end, at most 400 days ahead", "this is no time of leave")
	}
	if err := h.enrolled(ctx, who); err != nil {
		return l, err
	}
	h.writes.Lock()
	defer h.writes.Unlock()
	if _, there := h.book.leave[kind]; !there {
		return l, unknown("kind of leave")
	}
	if err := h.openDays(ctx, l); err != nil {
		return l, err
	}
	waiting, err := h.Store.LeaveRequests(ctx, gatehouse.TimesQuery{Place: h.Place, Subject: who, Limit: maxWaiting, State: gatehouse.CorrectionRequested})
	if err != nil {
		return l, err
	}
	if len(waiting) >= maxWaiting {
		return l, gatehouse.Errorf("correction.too_many", "have some of them decided first", "%d requests wait already", len(waiting))
	}
	if l.Reason, err = h.seal(ctx, who, "leave", l.ID, why); err != nil {
		return l, err
	}
	return l, h.Store.PutLeave(ctx, l, gatehouse.LeaveLeaf(now, l, by.String()))
}

// openDays fails with correction.period where a closed period has a part of the leave.
func (h *Hours) openDays(ctx context.Context, l gatehouse.LeaveRequest) error {
	first, last := gatehouse.DateOf(l.From.In(h.Location)), gatehouse.DateOf(l.Until.Add(-time.Nanosecond).In(h.Location))
	periods, err := h.Store.Periods(ctx, h.Place)
	for _, p := range periods {
		if p.State != gatehouse.OpenPeriod && p.From <= last && first <= p.Until {
			return gatehouse.Errorf("correction.period", "two people can reopen it", "the period is closed")
		}
	}
	return err
}

// DecideLeave approves or refuses a request for leave. Where its kind has a chain, each
// approval is one step of it, by somebody of the step's role who approved none before; the
// last one grants it, and any of them may refuse. Errors: correction.decided,
// correction.own, correction.period, leave.step, store.not_found.
func (h *Hours) DecideLeave(ctx context.Context, by Actor, id gatehouse.ID, approve bool) (gatehouse.LeaveRequest, error) {
	h.writes.Lock()
	defer h.writes.Unlock()
	l, err := h.Store.LeaveRequest(ctx, h.Place, id)
	switch {
	case err != nil:
		return l, err
	case by.Account == l.By || by.Person == l.Subject || by.Account.IsZero():
		return l, gatehouse.Errorf("correction.own", "ask somebody else to decide it", "nobody decides their own request")
	case l.State != gatehouse.CorrectionRequested:
		return l, gatehouse.Errorf("correction.decided", "make a new request", "this request was decided, or withdrawn")
	}
	chain := h.book.leave[l.Kind].Chain
	step := len(l.Approvals)
	if slices.Contains(l.Approvals, by.Account) {
		return l, gatehouse.Errorf("leave.step", "ask somebody else to decide the next step", "nobody decides two steps of one request")
	}
	if step < len(chain) && !slices.Contains(by.Roles, chain[step]) {
		return l, gatehouse.Errorf("leave.step", "it waits for that role", "the next step is decided by the role %s", chain[step])
	}
	now := h.Now().UTC()
	if approve {
		if err := h.openDays(ctx, l); err != nil {
			return l, err
		}
		if step+1 < len(chain) {
			l.Approvals = append(slices.Clone(l.Approvals), by.Account)
			return l, h.Store.PutLeave(ctx, l, gatehouse.LeaveStepLeaf(now, l, by.String()))
		}
	}
	l.State, l.DecidedBy, l.Decided = gatehouse.CorrectionRefused, by.Account, now
	if approve {
		l.State = gatehouse.CorrectionApproved
	}
	return l, h.Store.PutLeave(ctx, l, gatehouse.LeaveLeaf(now, l, by.String()))
}

// LeaveSteps is how many approvals leave of a kind takes, 1 or more.
func (h *Hours) LeaveSteps(kind string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return max(1, len(h.book.leave[kind].Chain))
}

// WithdrawLeave takes a request for leave back, as Withdraw does a correction.
func (h *Hours) WithdrawLeave(ctx context.Context, by Actor, id gatehouse.ID) error {
	h.writes.Lock()
	defer h.writes.Unlock()
	l, err := h.Store.LeaveRequest(ctx, h.Place, id)
	switch {
	case err != nil:
		return err
	case by.Account != l.By && by.Person != l.Subject:
		return notYours()
	case l.State != gatehouse.CorrectionRequested:
		return gatehouse.Errorf("correction.decided", "make a new request", "this request was decided, or withdrawn")
	}
	now := h.Now().UTC()
	l.State, l.DecidedBy, l.Decided = gatehouse.CorrectionWithdrawn, by.Account, now
	return h.Store.PutLeave(ctx, l, gatehouse.LeaveLeaf(now, l, by.String()))
}

// LeaveRequests lists requests for leave, the newest first.
func (h *Hours) LeaveRequests(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.LeaveRequest, error) {
	q.Place = h.Place
	return h.Store.LeaveRequests(ctx, q)
}

// Balances are what somebody has of each kind of leave that is counted, today.
func (h *Hours) Balances(ctx context.Context, who gatehouse.SubjectID) ([]attendance.LeaveBalance, error) {
	h.mu.RLock()
	joined, kinds := h.book.joined(who), h.book.leave
	counted := make([]gatehouse.LeaveKind, 0, len(kinds))
	for _, k := range kinds {
		if k.PerYear > 0 {
			counted = append(counted, k)
		}
	}
	h.mu.RUnlock()
	if len(counted) == 0 {
		return nil, nil
	}
	today := h.today()
	year, _ := strconv.Atoi(string(today[:4]))
	requests, err := h.allLeave(ctx, gatehouse.TimesQuery{Subject: who}, time.Time{})
	if err != nil {
		return nil, err
	}
	kindOf := map[gatehouse.ID]string{}
	for _, l := range requests {
		kindOf[l.ID] = l.Kind
	}
	taken := map[string]map[int]int{}
	for y := year - 1; y <= year; y++ {
		from, until := gatehouse.Date(strconv.Itoa(y)+"-01-01"), gatehouse.Date(strconv.Itoa(y)+"-12-31")
		v, err := h.Sheet(ctx, who, from, until, AsOf{})
		if err != nil {
			return nil, err
		}
		for _, d := range v.Sheet.Days {
			for _, e := range d.Entries {
				if e.Kind != gatehouse.OnLeave {
					continue
				}
				k := kindOf[e.In]
				if taken[k] == nil {
					taken[k] = map[int]int{}
				}
				taken[k][y] += e.Minutes()
			}
		}
	}
	var out []attendance.LeaveBalance
	for _, k := range counted {
		out = append(out, attendance.Balance(k, joined, today, taken[k.ID]))
	}
	sortBalances(out)
	return out, nil
}
