package timesheet

import (
	"context"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// longestPeriod is how many days are paid together at most.
const longestPeriod = 92

// periodOf is the period that a day is in; an open one where nobody has closed any.
func (h *Hours) periodOf(ctx context.Context, d gatehouse.Date) (gatehouse.StoredPeriod, error) {
	periods, err := h.Store.Periods(ctx, h.Place)
	for _, p := range periods {
		if p.From <= d && d <= p.Until {
			return p, err
		}
	}
	return gatehouse.StoredPeriod{Place: h.Place, PayPeriod: gatehouse.PayPeriod{State: gatehouse.OpenPeriod}}, err
}

// Periods lists those that were closed once, the newest first.
func (h *Hours) Periods(ctx context.Context) ([]gatehouse.StoredPeriod, error) {
	return h.Store.Periods(ctx, h.Place)
}

// Close ends changes of some days, with what the book and the punches are at that moment.
// Errors: date.malformed, hours.days, period.running, period.overlap, period.waiting,
// period.state.
func (h *Hours) Close(ctx context.Context, by Actor, from, until gatehouse.Date) (gatehouse.StoredPeriod, error) {
	p := gatehouse.StoredPeriod{Place: h.Place, PayPeriod: gatehouse.PayPeriod{From: from, Until: until, State: gatehouse.OpenPeriod}}
	if err := days(from, until); err != nil {
		return p, err
	}
	if until == "" || dayCount(from, until) > longestPeriod {
		return p, gatehouse.Errorf("hours.days", "a period has a last day, and at most 92 of them", "this is no pay period")
	}
	if until >= h.today() {
		return p, gatehouse.Errorf("period.running", "close it when its last day is over", "the period has not ended yet")
	}
	h.writes.Lock()
	defer h.writes.Unlock()
	periods, err := h.Store.Periods(ctx, h.Place)
	if err != nil {
		return p, err
	}
	for _, o := range periods {
		switch {
		case o.From == from && o.Until == until:
			p = o
		case o.From <= until && from <= o.Until:
			return p, gatehouse.Errorf("period.overlap", "periods follow each other: see `gatehouse attendance periods`", "the period from %s until %s has some of these days", o.From, o.Until)
		}
	}
	if err := h.nobodyWaits(ctx, from, until); err != nil {
		return p, err
	}
	if p.PayPeriod, err = attendance.ClosePeriod(p.PayPeriod); err != nil {
		return p, err
	}
	p.Version, p.Closed, p.By, p.Asked = h.book.version, h.Now().UTC(), by.Account, gatehouse.AccountID{}
	return p, h.Store.PutPeriod(ctx, p, gatehouse.PeriodLeaf(p.Closed, "closed", p, by.String()))
}

// nobodyWaits fails with period.waiting where a request about these days has not been
// decided: whoever asked in time is not paid wrongly for it.
func (h *Hours) nobodyWaits(ctx context.Context, from, until gatehouse.Date) error {
	waiting := 0
	in := func(d gatehouse.Date) bool { return from <= d && d <= until }
	corrections, err := h.allCorrections(ctx, gatehouse.TimesQuery{State: gatehouse.CorrectionRequested}, h.dayStart(from))
	if err != nil {
		return err
	}
	for _, c := range corrections {
		if in(gatehouse.DateOf(c.At.In(h.Location))) {
			waiting++
		}
	}
	leave, err := h.allLeave(ctx, gatehouse.TimesQuery{State: gatehouse.CorrectionRequested}, h.dayStart(from).Add(-maxAhead))
	if err != nil {
		return err
	}
	for _, l := range leave {
		if gatehouse.DateOf(l.From.In(h.Location)) <= until && from <= gatehouse.DateOf(l.Until.In(h.Location)) {
			waiting++
		}
	}
	if waiting > 0 {
		return gatehouse.Errorf("period.waiting", "decide them first", "%d requests about these days wait to be decided", waiting)
	}
	return nil
}

// Lock says that a closed period was paid. Errors: period.unknown, period.state.
func (h *Hours) Lock(ctx context.Context, by Actor, from, until gatehouse.Date) (gatehouse.StoredPeriod, error) {
	return h.changePeriod(ctx, from, until, func(p *gatehouse.StoredPeriod) (event string, err error) {
		p.PayPeriod, err = attendance.LockPeriod(p.PayPeriod)
		p.Asked = gatehouse.AccountID{}
		return "locked", err
	}, by)
}

// Reopen opens a closed or locked period for changes: the first who wants it waits for a
// second person, whose call opens it. Errors: period.unknown, period.state,
// period.two_people.
func (h *Hours) Reopen(ctx context.Context, by Actor, from, until gatehouse.Date) (gatehouse.StoredPeriod, error) {
	return h.changePeriod(ctx, from, until, func(p *gatehouse.StoredPeriod) (event string, err error) {
		if p.Asked.IsZero() {
			if p.State == gatehouse.OpenPeriod {
				return "", gatehouse.Errorf("period.state", "", "the period is open")
			}
			p.Asked = by.Account
			return "reopen-asked", nil
		}
		p.PayPeriod, err = attendance.ReopenPeriod(p.PayPeriod, p.Asked, by.Account)
		p.Asked = gatehouse.AccountID{}
		return "reopened", err
	}, by)
}

func (h *Hours) changePeriod(ctx context.Context, from, until gatehouse.Date, do func(*gatehouse.StoredPeriod) (string, error), by Actor) (gatehouse.StoredPeriod, error) {
	h.writes.Lock()
	defer h.writes.Unlock()
	periods, err := h.Store.Periods(ctx, h.Place)
	if err != nil {
		return gatehouse.StoredPeriod{}, err
	}
	i := slices.IndexFunc(periods, func(p gatehouse.StoredPeriod) bool { return p.From == from && p.Until == until })
	if i < 0 {
		return gatehouse.StoredPeriod{}, gatehouse.Errorf("period.unknown", "see `gatehouse attendance periods`", "no period of these days was closed")
	}
	p := periods[i]
	event, err := do(&p)
	if err != nil {
		return p, err
	}
	return p, h.Store.PutPeriod(ctx, p, gatehouse.PeriodLeaf(h.Now().UTC(), event, p, by.String()))
}

func sortBalances(list []attendance.LeaveBalance) {
	slices.SortFunc(list, func(a, b attendance.LeaveBalance) int { return strings.Compare(a.Kind, b.Kind) })
}
