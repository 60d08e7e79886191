package timesheet

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// AsOf is a state of what hours depend on: the book at a version (0 before it had any), and
// what was known at a moment. The zero value is now.
type AsOf struct {
	Version uint64
	At      time.Time
}

// View is somebody's hours, and what they are made of.
type View struct {
	Sheet  gatehouse.Timesheet
	Totals []gatehouse.CodeTotal
	// Punches are those that the sheet names, also those that were corrected.
	Punches map[gatehouse.ID]gatehouse.Punch
	Version uint64
	At      time.Time
}

// facts are what hours depend on besides the book.
type facts struct {
	punches []gatehouse.Punch
	leave   []gatehouse.Leave
}

// Sheet calculates somebody's hours, as they are or were. Errors: attendance.period, and
// the store's.
func (h *Hours) Sheet(ctx context.Context, who gatehouse.SubjectID, from, until gatehouse.Date, as AsOf) (View, error) {
	return h.sheet(ctx, who, from, until, as, gatehouse.TimeCorrection{})
}

// Preview says what would become of somebody's hours if a request were approved now. Errors:
// Sheet's, store.not_found.
func (h *Hours) Preview(ctx context.Context, id gatehouse.ID) ([]gatehouse.TimesheetDifference, error) {
	c, err := h.Store.TimeCorrection(ctx, h.Place, id)
	if err != nil || c.State != gatehouse.CorrectionRequested {
		return nil, err
	}
	from, until := gatehouse.DateOf(c.At.In(h.Location).AddDate(0, 0, -1)), gatehouse.DateOf(c.At.In(h.Location).AddDate(0, 0, 1))
	if was, err := h.punch(ctx, c.Subject, c.Punch); err == nil && !c.Punch.IsZero() {
		d := was.At.In(h.Location)
		from, until = min(from, gatehouse.DateOf(d.AddDate(0, 0, -1))), max(until, gatehouse.DateOf(d.AddDate(0, 0, 1)))
	}
	before, err := h.Sheet(ctx, c.Subject, from, until, AsOf{})
	if err != nil {
		return nil, err
	}
	c.State, c.Decided = gatehouse.CorrectionApproved, h.Now().UTC()
	after, err := h.sheet(ctx, c.Subject, from, until, AsOf{}, c)
	return attendance.Differences(before.Sheet, after.Sheet), err
}

// Difference says what became of somebody's hours since a state of then. Errors: Sheet's.
func (h *Hours) Difference(ctx context.Context, who gatehouse.SubjectID, from, until gatehouse.Date, since AsOf) ([]gatehouse.TimesheetDifference, error) {
	before, err := h.Sheet(ctx, who, from, until, since)
	if err != nil {
		return nil, err
	}
	after, err := h.Sheet(ctx, who, from, until, AsOf{})
	return attendance.Differences(before.Sheet, after.Sheet), err
}

// bookAs is the book as it was; the newest is the one in memory, and read under mu.
func (h *Hours) bookAs(ctx context.Context, as AsOf) (b *book, done func(), err error) {
	switch {
	case as.At.IsZero():
		h.mu.RLock()
		return h.book, h.mu.RUnlock, nil
	case as.Version == 0:
		return newBook(0), func() {}, nil
	}
	b, err = h.readBook(ctx, as.Version)
	return b, func() {}, err
}

func (h *Hours) sheet(ctx context.Context, who gatehouse.SubjectID, from, until gatehouse.Date, as AsOf, plus gatehouse.TimeCorrection) (View, error) {
	now := as.At
	if now.IsZero() {
		now = h.Now().UTC()
	}
	b, done, err := h.bookAs(ctx, as)
	if err != nil {
		return View{}, err
	}
	in, rules, leave, version := b.input(who, h.Location), slices.Clone(b.rules), maps.Clone(b.leave), b.version
	done()
	in.From, in.Until, in.Now = from, until, now
	begin, end, err := attendance.ReachOf(in, rules)
	if err != nil {
		return View{}, err
	}
	f, err := h.factsOf(ctx, who, begin, end, as.At, leave)
	if err != nil {
		return View{}, err
	}
	if p, ok := attendance.Correction(plus, plus.ID); ok {
		f.punches = append(f.punches, p)
	}
	in.Punches, in.Leave = f.punches, f.leave
	v := View{Punches: map[gatehouse.ID]gatehouse.Punch{}, Version: version, At: now}
	if v.Sheet, err = attendance.WithRules(in, rules); err != nil {
		return v, err
	}
	v.Totals = attendance.Totals(v.Sheet)
	named := map[gatehouse.ID]bool{}
	for _, d := range v.Sheet.Days {
		for _, p := range d.Punches {
			named[p.Punch] = true
		}
	}
	for _, p := range f.punches {
		if named[p.ID] || named[p.Corrects] {
			v.Punches[p.ID] = p
		}
	}
	return v, nil
}

// factsOf reads somebody's punches and leave, as they were known at a moment; zero is now.
func (h *Hours) factsOf(ctx context.Context, who gatehouse.SubjectID, from, until, at time.Time, kinds map[string]gatehouse.LeaveKind) (f facts, err error) {
	if f.punches, err = h.Store.Punches(ctx, h.Place, who, from, until); err != nil {
		return f, err
	}
	f.punches = slices.DeleteFunc(f.punches, func(p gatehouse.Punch) bool { return !at.IsZero() && p.Made.After(at) })
	corrections, err := h.allCorrections(ctx, gatehouse.TimesQuery{Subject: who, State: gatehouse.CorrectionApproved}, from)
	if err != nil {
		return f, err
	}
	for _, c := range corrections {
		if p, ok := approvedBy(c, at); ok {
			f.punches = append(f.punches, p)
		}
	}
	leave, err := h.allLeave(ctx, gatehouse.TimesQuery{Subject: who, State: gatehouse.CorrectionApproved}, from.Add(-2*maxAhead))
	for _, l := range leave {
		if l, ok := granted(l, from, until, at, kinds); ok {
			f.leave = append(f.leave, l)
		}
	}
	return f, err
}

// approvedBy is the punch that a correction made, if it was approved by then. A request's
// punch has its id, so that approving it is one row.
func approvedBy(c gatehouse.TimeCorrection, at time.Time) (gatehouse.Punch, bool) {
	if !at.IsZero() && c.Decided.After(at) {
		return gatehouse.Punch{}, false
	}
	return attendance.Correction(c, c.ID)
}

func granted(l gatehouse.LeaveRequest, from, until, at time.Time, kinds map[string]gatehouse.LeaveKind) (gatehouse.Leave, bool) {
	if !l.From.Before(until) || !from.Before(l.Until) || !at.IsZero() && l.Decided.After(at) {
		return gatehouse.Leave{}, false
	}
	return gatehouse.Leave{ID: l.ID, Subject: l.Subject, From: l.From, Until: l.Until, Code: kinds[l.Kind].Code}, true
}

const page = 1000

// allCorrections reads every page of a query down to those that were made before since:
// nothing is corrected before it happened.
func (h *Hours) allCorrections(ctx context.Context, q gatehouse.TimesQuery, since time.Time) (all []gatehouse.TimeCorrection, err error) {
	q.Place, q.Limit = h.Place, page
	for {
		list, err := h.Store.TimeCorrections(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if c.Made.Before(since) {
				return all, nil
			}
			all = append(all, c)
		}
		if len(list) < page {
			return all, nil
		}
		q.Before = list[len(list)-1].ID
	}
}

// allLeave is allCorrections of requests for leave, which may be made maxAhead before.
func (h *Hours) allLeave(ctx context.Context, q gatehouse.TimesQuery, since time.Time) (all []gatehouse.LeaveRequest, err error) {
	q.Place, q.Limit = h.Place, page
	for {
		list, err := h.Store.LeaveRequests(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			if l.Made.Before(since) {
				return all, nil
			}
			all = append(all, l)
		}
		if len(list) < page {
			return all, nil
		}
		q.Before = list[len(list)-1].ID
	}
}

// Everybody calculates the hours of all for whom there is a plan or a punch in the period,
// in the order of their ids. Errors: as Sheet, and f's.
func (h *Hours) Everybody(ctx context.Context, from, until gatehouse.Date, as AsOf, f func(team gatehouse.GroupID, s gatehouse.Timesheet) error) error {
	return h.everybody(ctx, from, until, as, func(c calculated) error { return f(c.team, c.sheet) })
}

// calculated is one person's of everybody's: next is until when it holds by time alone.
type calculated struct {
	team    gatehouse.GroupID
	sheet   gatehouse.Timesheet
	next    gatehouse.Minute
	punches []gatehouse.Punch
}

func (h *Hours) everybody(ctx context.Context, from, until gatehouse.Date, as AsOf, f func(calculated) error) error {
	now := as.At
	if now.IsZero() {
		now = h.Now().UTC()
	}
	b, done, err := h.bookAs(ctx, as)
	if err != nil {
		return err
	}
	people, rules, kinds := b.planned(), slices.Clone(b.rules), maps.Clone(b.leave)
	done()
	begin, end, err := attendance.ReachOf(attendance.Input{From: from, Until: until, Zone: h.Location}, rules)
	if err != nil {
		return err
	}
	all, err := h.factsOfAll(ctx, begin, end, as.At, kinds)
	if err != nil {
		return err
	}
	for who, f := range all {
		if h.punchedSince(f.punches, from) {
			people[who] = true
		}
	}
	ids := slices.SortedFunc(maps.Keys(people), func(a, b gatehouse.SubjectID) int { return bytes.Compare(a[:], b[:]) })
	for _, who := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, done, err := h.bookAgain(b, as)
		if err != nil {
			return err
		}
		in, team := b.input(who, h.Location), b.teamWithin(who, from, until)
		done()
		in.From, in.Until, in.Now = from, until, now
		if facts := all[who]; facts != nil {
			in.Punches, in.Leave = facts.punches, facts.leave
		}
		s, next, err := attendance.WithRulesUntil(in, rules)
		if err == nil {
			err = f(calculated{team, s, next, in.Punches})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// punchedSince reports whether one of the punches is of a day or later.
func (h *Hours) punchedSince(punches []gatehouse.Punch, from gatehouse.Date) bool {
	begin := h.dayStart(from)
	return slices.ContainsFunc(punches, func(p gatehouse.Punch) bool { return !p.At.Before(begin) })
}

// bookAgain is the book that somebody else's hours are calculated by: between two people
// it may be changed.
func (h *Hours) bookAgain(b *book, as AsOf) (*book, func(), error) {
	if !as.At.IsZero() {
		return b, func() {}, nil
	}
	h.mu.RLock()
	return h.book, h.mu.RUnlock, nil
}

func (h *Hours) factsOfAll(ctx context.Context, from, until, at time.Time, kinds map[string]gatehouse.LeaveKind) (map[gatehouse.SubjectID]*facts, error) {
	all := map[gatehouse.SubjectID]*facts{}
	of := func(who gatehouse.SubjectID) *facts {
		if all[who] == nil {
			all[who] = &facts{}
		}
		return all[who]
	}
	err := h.Store.EachPunch(ctx, h.Place, from, until, func(p gatehouse.Punch) error {
		if at.IsZero() || !p.Made.After(at) {
			one := of(p.Subject)
			one.punches = append(one.punches, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	corrections, err := h.allCorrections(ctx, gatehouse.TimesQuery{State: gatehouse.CorrectionApproved}, from)
	if err != nil {
		return nil, err
	}
	for _, c := range corrections {
		if p, ok := approvedBy(c, at); ok {
			one := of(p.Subject)
			one.punches = append(one.punches, p)
		}
	}
	leave, err := h.allLeave(ctx, gatehouse.TimesQuery{State: gatehouse.CorrectionApproved}, from.Add(-2*maxAhead))
	for _, l := range leave {
		if l, ok := granted(l, from, until, at, kinds); ok {
			one := of(l.Subject)
			one.leave = append(one.leave, l)
		}
	}
	return all, err
}

// dayStart is the first moment of a day at the site.
func (h *Hours) dayStart(d gatehouse.Date) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), h.Location)
	if err != nil {
		return time.Time{}
	}
	return t
}

// dayCount is how many days there are from a first to a last one.
func dayCount(from, until gatehouse.Date) int {
	a, err := time.Parse(time.DateOnly, string(from))
	b, err2 := time.Parse(time.DateOnly, string(until))
	if err != nil || err2 != nil {
		return 0
	}
	return int(b.Sub(a)/(24*time.Hour)) + 1
}
