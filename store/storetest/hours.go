package storetest

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"gatehouse"
)

func newPunch(who gatehouse.SubjectID, at time.Time) gatehouse.Punch {
	return gatehouse.Punch{ID: gatehouse.NewID(at), Subject: who, Source: gatehouse.FromPassage, Site: here.Site, Gate: "front-door", Direction: gatehouse.In, At: at, Zone: "Asia/Tokyo", Made: at.Add(time.Second)}
}

func (s *suite) leafCount() (n int) {
	s.must(s.Leaves(s.ctx(), 0, func(uint64, []byte) error { n++; return nil }))
	return n
}

func testPunches(t *testing.T, s *suite) {
	anna, ben := gatehouse.RandomID(), gatehouse.RandomID()
	last := time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)
	all := []gatehouse.Punch{newPunch(anna, last), newPunch(anna, last.Add(2*time.Minute)), newPunch(ben, last)}
	all[1].Direction, all[1].Gate = gatehouse.Out, ""
	added, err := s.AddPunches(s.ctx(), here, all, nil)
	if s.must(err); added != 3 || s.leafCount() != 0 {
		t.Fatalf("%d added, %d leaves", added, s.leafCount())
	}
	if added, err = s.AddPunches(s.ctx(), here, all, []byte("again")); err != nil || added != 0 || s.leafCount() != 0 {
		t.Errorf("a second time %d were added, with %d leaves, %v", added, s.leafCount(), err)
	}
	more := newPunch(ben, last.Add(time.Hour))
	if added, err = s.AddPunches(s.ctx(), here, []gatehouse.Punch{all[0], more}, []byte("by hand")); err != nil || added != 1 || s.leafCount() != 1 {
		t.Errorf("one was new: %d, with %d leaves, %v", added, s.leafCount(), err)
	}
	s.reopen()
	got, err := s.Punches(s.ctx(), here, anna, last, last.Add(time.Hour))
	if s.must(err); !reflect.DeepEqual(got, all[:2]) {
		t.Errorf("across months:\n%+v\n%+v", got, all[:2])
	}
	if got, err = s.Punches(s.ctx(), here, anna, last, last.Add(2*time.Minute)); err != nil || len(got) != 1 {
		t.Errorf("until is not included: %+v, %v", got, err)
	}
	if got, err = s.Punches(s.ctx(), there, anna, last, last.Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("another place has %+v, %v", got, err)
	}
	count := 0
	s.must(s.EachPunch(s.ctx(), here, last, last.Add(3*time.Minute), func(gatehouse.Punch) error { count++; return nil }))
	if count != 3 {
		t.Errorf("%d of everybody", count)
	}
	if one, err := s.Punch(s.ctx(), here, more.ID); err != nil || !reflect.DeepEqual(one, more) {
		t.Errorf("%+v, %v", one, err)
	}
	_, err = s.Punch(s.ctx(), there, more.ID)
	s.wantCode(err, "store.not_found")
	wrong := newPunch(anna, last)
	wrong.At = last.AddDate(0, -2, 0) // its id would hide it
	_, err = s.AddPunches(s.ctx(), here, []gatehouse.Punch{wrong}, nil)
	s.wantCode(err, "store.invalid")

	byHand := newPunch(anna, last)
	byHand.Source = gatehouse.FromSupervisor
	_, err = s.AddPunches(s.ctx(), here, []gatehouse.Punch{byHand}, []byte("by hand"))
	s.must(err)
	s.must(s.DropPunches(s.ctx(), here, []gatehouse.ID{all[0].ID, byHand.ID, gatehouse.NewID(at(0).AddDate(-3, 0, 0))}))
	if got, err = s.Punches(s.ctx(), here, anna, last, last.Add(time.Minute)); err != nil || len(got) != 1 || got[0].ID != byHand.ID {
		t.Errorf("what was entered by hand stays: %+v, %v", got, err)
	}

	if _, ok, err := s.PunchCursor(s.ctx(), here); ok || err != nil {
		t.Errorf("a cursor before the first: %v", err)
	}
	s.must(s.SetPunchCursor(s.ctx(), here, 7))
	s.must(s.SetPunchCursor(s.ctx(), here, 9))
	s.reopen()
	if at, ok, err := s.PunchCursor(s.ctx(), here); at != 9 || !ok || err != nil {
		t.Errorf("cursor %d, %v, %v", at, ok, err)
	}
}

func testHoursBook(t *testing.T, s *suite) {
	who := gatehouse.RandomID()
	change := func(version uint64, event gatehouse.RuleEvent, item gatehouse.HoursItem) gatehouse.HoursChange {
		item.Revision = version
		c := gatehouse.HoursChange{Place: here, Version: version, At: at(int(version)), By: "chief", Event: event, Item: item}
		c.Leaf = gatehouse.HoursLeaf(c)
		return c
	}
	early := gatehouse.HoursItem{Kind: gatehouse.ShiftsOfHours, ID: "early", Body: []byte(`{"a":1}`)}
	late := gatehouse.HoursItem{Kind: gatehouse.ShiftsOfHours, ID: "early", Body: []byte(`{"a":2}`)}
	member := gatehouse.HoursItem{Kind: gatehouse.MembersOfHours, ID: "m1", Subject: who, Body: []byte(`{}`)}
	gone := gatehouse.HoursItem{Kind: gatehouse.ShiftsOfHours, ID: "early"}
	changes := []gatehouse.HoursChange{change(1, gatehouse.RulePut, early), change(2, gatehouse.RulePut, member), change(3, gatehouse.RulePut, late), change(4, gatehouse.RuleRemoved, gone)}
	for _, c := range changes {
		s.must(s.ChangeHours(s.ctx(), c))
	}
	s.wantCode(s.ChangeHours(s.ctx(), changes[3]), "hours.changed")
	s.wantCode(s.ChangeHours(s.ctx(), change(6, gatehouse.RulePut, early)), "hours.changed")
	s.wantCode(s.ChangeHours(s.ctx(), change(5, gatehouse.RulePut, gone)), "store.invalid")
	s.reopen()
	for version, want := range [][]string{1: {"shift early 1"}, 2: {"member m1 2", "shift early 1"}, 3: {"member m1 2", "shift early 3"}, 4: {"member m1 2"}} {
		if version == 0 {
			continue
		}
		book, err := s.Hours(s.ctx(), here, uint64(version))
		s.must(err)
		var got []string
		for _, i := range book.Items {
			got = append(got, string(i.Kind)+" "+i.ID+" "+string(rune('0'+i.Revision)))
		}
		if !slices.Equal(got, want) || book.Version != uint64(version) {
			t.Errorf("version %d: %q, as %d", version, got, book.Version)
		}
	}
	newest, err := s.Hours(s.ctx(), here, 0)
	if s.must(err); newest.Version != 4 || len(newest.Items) != 1 || newest.Items[0].Subject != who {
		t.Errorf("now %+v", newest)
	}
	if elsewhere, err := s.Hours(s.ctx(), there, 0); err != nil || elsewhere.Version != 0 || len(elsewhere.Items) != 0 {
		t.Errorf("another place has %+v, %v", elsewhere, err)
	}
	got, err := s.HoursChanges(s.ctx(), here, 4, 2)
	s.must(err)
	for i := range got {
		got[i].Leaf = changes[2-i].Leaf
	}
	if len(got) != 2 || !reflect.DeepEqual(got[0], changes[2]) || !reflect.DeepEqual(got[1], changes[1]) {
		t.Errorf("history %+v", got)
	}
}

func testTimeRequests(t *testing.T, s *suite) {
	who := gatehouse.RandomID()
	c := gatehouse.TimeCorrection{Place: here, ID: gatehouse.NewID(at(1)), Subject: who, Kind: gatehouse.MovePunch, Punch: gatehouse.NewID(at(0)), At: at(0), Direction: gatehouse.Out, Site: "annex",
		Reason: []byte("sealed"), By: gatehouse.RandomID(), Made: at(1), State: gatehouse.CorrectionRequested}
	s.must(s.PutTimeCorrection(s.ctx(), c, []byte("asked")))
	l := gatehouse.LeaveRequest{Place: here, ID: gatehouse.NewID(at(2)), Subject: who, Kind: "annual", From: at(0), Until: at(600), Reason: []byte("sealed"), By: c.By, Made: at(2), State: gatehouse.CorrectionRequested}
	s.must(s.PutLeave(s.ctx(), l, []byte("asked")))
	s.reopen()
	if got, err := s.TimeCorrection(s.ctx(), here, c.ID); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.LeaveRequest(s.ctx(), here, l.ID); err != nil || !reflect.DeepEqual(got, l) {
		t.Errorf("%+v, %v", got, err)
	}
	c.State, c.DecidedBy, c.Decided = gatehouse.CorrectionApproved, gatehouse.RandomID(), at(5)
	s.must(s.PutTimeCorrection(s.ctx(), c, []byte("approved")))
	l.State, l.DecidedBy, l.Decided, l.Approvals = gatehouse.CorrectionRefused, c.DecidedBy, at(6), []gatehouse.AccountID{gatehouse.RandomID(), gatehouse.RandomID()}
	s.must(s.PutLeave(s.ctx(), l, []byte("refused")))
	if got, err := s.LeaveRequest(s.ctx(), here, l.ID); err != nil || !reflect.DeepEqual(got, l) {
		t.Errorf("approved in steps: %+v, %v", got, err)
	}
	for _, q := range []struct {
		gatehouse.TimesQuery
		corrections, leave int
	}{{gatehouse.TimesQuery{Place: here, Limit: 10}, 1, 1}, {gatehouse.TimesQuery{Place: here, Limit: 10, Subject: who}, 1, 1}, {gatehouse.TimesQuery{Place: here, Limit: 10, Subject: gatehouse.RandomID()}, 0, 0},
		{gatehouse.TimesQuery{Place: here, Limit: 10, State: gatehouse.CorrectionApproved}, 1, 0}, {gatehouse.TimesQuery{Place: here, Limit: 10, Before: l.ID}, 1, 0}, {gatehouse.TimesQuery{Place: there, Limit: 10}, 0, 0}} {
		corrections, err := s.TimeCorrections(s.ctx(), q.TimesQuery)
		s.must(err)
		leave, err := s.LeaveRequests(s.ctx(), q.TimesQuery)
		s.must(err)
		if len(corrections) != q.corrections || len(leave) != q.leave {
			t.Errorf("%+v finds %d and %d", q.TimesQuery, len(corrections), len(leave))
		}
	}
	_, err := s.TimeCorrection(s.ctx(), there, c.ID)
	s.wantCode(err, "store.not_found")
	_, err = s.LeaveRequest(s.ctx(), there, l.ID)
	s.wantCode(err, "store.not_found")

	p := gatehouse.StoredPeriod{Place: here, PayPeriod: gatehouse.PayPeriod{From: "2026-11-01", Until: "2026-11-30", State: gatehouse.ClosedPeriod}, Version: 3, Closed: at(7), By: c.By}
	s.must(s.PutPeriod(s.ctx(), p, []byte("closed")))
	p.State, p.Asked, p.ReopenedBy = gatehouse.OpenPeriod, c.By, [2]gatehouse.AccountID{c.By, c.DecidedBy}
	s.must(s.PutPeriod(s.ctx(), p, []byte("reopened")))
	s.reopen()
	if got, err := s.Periods(s.ctx(), here); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], p) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Periods(s.ctx(), there); err != nil || len(got) != 0 {
		t.Errorf("another place has %+v, %v", got, err)
	}
}

func testSwaps(t *testing.T, s *suite) {
	one, two := gatehouse.RandomID(), gatehouse.RandomID()
	x := gatehouse.StoredSwap{Place: here, ShiftSwap: gatehouse.ShiftSwap{ID: gatehouse.NewID(at(1)), First: one, Second: two, FirstDay: "2026-12-01", SecondDay: "2026-12-02", Agreed: [2]gatehouse.AccountID{gatehouse.RandomID()}},
		State: gatehouse.CorrectionRequested, Made: at(1)}
	s.must(s.PutSwap(s.ctx(), x, []byte("asked")))
	x.Agreed[1], x.Approved, x.State, x.Decided, x.Entries, x.Applied = gatehouse.RandomID(), gatehouse.RandomID(), gatehouse.CorrectionApproved, at(2), []byte("[]"), at(3)
	s.must(s.PutSwap(s.ctx(), x, []byte("approved")))
	s.reopen()
	if got, err := s.Swap(s.ctx(), here, x.ID); err != nil || !reflect.DeepEqual(got, x) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, q := range []struct {
		gatehouse.TimesQuery
		n int
	}{{gatehouse.TimesQuery{Place: here, Limit: 9, Subject: one}, 1}, {gatehouse.TimesQuery{Place: here, Limit: 9, Subject: two, State: gatehouse.CorrectionApproved, Before: gatehouse.NewID(at(5))}, 1}, {gatehouse.TimesQuery{Place: here, Limit: 9, Subject: gatehouse.RandomID()}, 0},
		{gatehouse.TimesQuery{Place: here, Limit: 9, State: gatehouse.CorrectionRequested}, 0}, {gatehouse.TimesQuery{Place: there, Limit: 9}, 0}} {
		if got, err := s.Swaps(s.ctx(), q.TimesQuery); err != nil || len(got) != q.n {
			t.Errorf("%+v finds %d, %v", q.TimesQuery, len(got), err)
		}
	}
	_, err := s.Swap(s.ctx(), there, x.ID)
	s.wantCode(err, "store.not_found")
}

func testPayExports(t *testing.T, s *suite) {
	e := gatehouse.PayExport{Place: here, ID: gatehouse.NewID(at(1)), From: "2026-11-01", Until: "2026-11-30", Format: gatehouse.PayXLSX, Recipients: []string{"age1a", "age1b"}, By: gatehouse.RandomID(), Made: at(1)}
	s.must(s.PutPayExport(s.ctx(), e, []byte("asked")))
	later := e
	later.ID, later.Made = gatehouse.NewID(at(2)), at(2)
	s.must(s.PutPayExport(s.ctx(), later, []byte("asked")))
	e.ApprovedBy, e.Approved, e.Written = gatehouse.RandomID(), at(3), at(4)
	s.must(s.PutPayExport(s.ctx(), e, []byte("approved")))
	s.reopen()
	got, err := s.PayExports(s.ctx(), here, 10)
	if s.must(err); len(got) != 2 || !reflect.DeepEqual(got[0], later) || !reflect.DeepEqual(got[1], e) {
		t.Errorf("%+v", got)
	}
	if got, err = s.PayExports(s.ctx(), there, 10); err != nil || len(got) != 0 {
		t.Errorf("another place has %+v, %v", got, err)
	}
}

func testHoursForget(t *testing.T, s *suite) {
	who, fresh := gatehouse.RandomID(), gatehouse.RandomID()
	_, err := s.AddPunches(s.ctx(), here, []gatehouse.Punch{newPunch(who, at(0)), newPunch(who, at(40*24*60))}, nil)
	s.must(err)
	c := gatehouse.TimeCorrection{Place: here, ID: gatehouse.NewID(at(1)), Subject: who, Kind: gatehouse.AddPunch, At: at(0), Site: here.Site, Reason: []byte("sealed"), By: gatehouse.RandomID(), Made: at(1), State: gatehouse.CorrectionRequested}
	s.must(s.PutTimeCorrection(s.ctx(), c, []byte("asked")))
	l := gatehouse.LeaveRequest{Place: here, ID: gatehouse.NewID(at(2)), Subject: who, Kind: "annual", From: at(0), Until: at(600), Reason: []byte("sealed"), Made: at(2), State: gatehouse.CorrectionRequested}
	s.must(s.PutLeave(s.ctx(), l, []byte("asked")))
	change := gatehouse.HoursChange{Place: here, Version: 1, At: at(3), By: "chief", Event: gatehouse.RulePut, Item: gatehouse.HoursItem{Kind: gatehouse.MembersOfHours, ID: "m1", Subject: who, Body: []byte("{}")}, Leaf: []byte("planned")}
	s.must(s.ChangeHours(s.ctx(), change))
	swap := gatehouse.StoredSwap{Place: here, ShiftSwap: gatehouse.ShiftSwap{ID: gatehouse.NewID(at(4)), First: gatehouse.RandomID(), Second: who, FirstDay: "2026-12-01", SecondDay: "2026-12-02"}, State: gatehouse.CorrectionRequested, Made: at(4)}
	s.must(s.PutSwap(s.ctx(), swap, []byte("asked")))
	terms, run, slip := somePay(who)
	s.must(s.PutPayTerms(s.ctx(), terms, []byte("set")))
	s.must(s.FinishPayRun(s.ctx(), run, []gatehouse.StoredPayslip{slip}, []byte("done")))
	traces, err := s.SubjectTraces(s.ctx(), here, who)
	if s.must(err); traces.Hours != 9 {
		t.Errorf("there is a trace of %d, want two punches, a part and its history, a correction, leave, a swap, terms and a payslip", traces.Hours)
	}
	_, err = s.ReplaceSubject(s.ctx(), here, who, fresh, []byte("erased"))
	s.must(err)
	if traces, err = s.SubjectTraces(s.ctx(), here, who); err != nil || traces != (gatehouse.SubjectTraces{}) {
		t.Errorf("after the erasure: %+v, %v", traces, err)
	}
	// What was on its way comes under the new id.
	_, err = s.AddPunches(s.ctx(), here, []gatehouse.Punch{newPunch(who, at(9))}, nil)
	s.must(err)
	s.must(s.PutTimeCorrection(s.ctx(), c, []byte("late")))
	s.must(s.PutLeave(s.ctx(), l, []byte("late")))
	change.Version = 2
	s.must(s.ChangeHours(s.ctx(), change))
	s.must(s.PutSwap(s.ctx(), swap, []byte("late")))
	s.must(s.PutPayTerms(s.ctx(), terms, []byte("late")))
	s.must(s.FinishPayRun(s.ctx(), run, []gatehouse.StoredPayslip{slip}, []byte("late")))
	if got, err := s.Payslip(s.ctx(), here, slip.ID); err != nil || got.Subject != fresh || got.Sealed != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if traces, err = s.SubjectTraces(s.ctx(), here, who); err != nil || traces != (gatehouse.SubjectTraces{}) {
		t.Errorf("what came late: %+v, %v", traces, err)
	}
	if got, err := s.TimeCorrection(s.ctx(), here, c.ID); err != nil || got.Subject != fresh || !bytes.Equal(got.Reason, nil) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Punches(s.ctx(), here, fresh, at(0), at(10)); err != nil || len(got) != 2 {
		t.Errorf("times stay: %+v, %v", got, err)
	}
}
