package storetest

import (
	"reflect"
	"testing"

	"gatehouse"
)

// somePay is what somebody is paid by, a run, and their payslip of it.
func somePay(who gatehouse.SubjectID) (gatehouse.StoredPayTerms, gatehouse.PayRun, gatehouse.StoredPayslip) {
	terms := gatehouse.StoredPayTerms{Place: here, ID: gatehouse.NewID(at(1)), Subject: who, From: "2026-11-01", Sealed: []byte("sealed"), By: gatehouse.RandomID(), Made: at(1)}
	run := gatehouse.PayRun{Place: here, ID: gatehouse.NewID(at(2)), From: "2026-11-01", Until: "2026-11-30", By: gatehouse.RandomID(), Made: at(2)}
	slip := gatehouse.StoredPayslip{Place: here, ID: gatehouse.NewID(at(3)), Run: run.ID, Subject: who, From: run.From, Until: run.Until, Sealed: []byte("slip"), Made: at(3)}
	return terms, run, slip
}

func testPay(t *testing.T, s *suite) {
	anna, ben := gatehouse.RandomID(), gatehouse.RandomID()
	terms, run, slip := somePay(anna)
	s.must(s.PutPayTerms(s.ctx(), terms, []byte("set")))
	later := terms
	later.ID, later.From = gatehouse.NewID(at(4)), "2026-12-01"
	s.must(s.PutPayTerms(s.ctx(), later, []byte("set")))
	again := terms
	again.ID, again.Sealed = gatehouse.NewID(at(5)), []byte("other")
	s.must(s.PutPayTerms(s.ctx(), again, []byte("set")))
	s.reopen()
	got, err := s.PayTerms(s.ctx(), here, anna)
	if s.must(err); !reflect.DeepEqual(got, []gatehouse.StoredPayTerms{later, again}) {
		t.Errorf("the newest first, one of a day:\n%+v", got)
	}
	for _, q := range []struct {
		place gatehouse.Place
		who   gatehouse.SubjectID
		n     int
	}{{here, gatehouse.SubjectID{}, 2}, {here, ben, 0}, {there, anna, 0}} {
		if got, err := s.PayTerms(s.ctx(), q.place, q.who); err != nil || len(got) != q.n {
			t.Errorf("%+v has %d, %v", q, len(got), err)
		}
	}
	s.must(s.RemovePayTerms(s.ctx(), here, later.ID, []byte("removed")))
	s.wantCode(s.RemovePayTerms(s.ctx(), here, later.ID, []byte("removed")), "store.not_found")

	s.must(s.PutPayRun(s.ctx(), run, []byte("asked")))
	run.ApprovedBy, run.Approved = gatehouse.RandomID(), at(6)
	s.must(s.PutPayRun(s.ctx(), run, []byte("approved")))
	run.Version, run.Closed, run.Done, run.People, run.Problems = 7, at(0), at(8), 1, 1
	none := gatehouse.StoredPayslip{Place: here, ID: gatehouse.NewID(at(9)), Run: run.ID, Subject: ben, From: run.From, Until: run.Until, Problem: "wages.terms", Made: at(3)}
	first := slip
	first.ID = gatehouse.RandomID()
	s.must(s.FinishPayRun(s.ctx(), run, []gatehouse.StoredPayslip{first}, []byte("done")))
	s.must(s.FinishPayRun(s.ctx(), run, []gatehouse.StoredPayslip{slip, none}, []byte("done again")))
	s.reopen()
	if runs, err := s.PayRuns(s.ctx(), here, 10); err != nil || len(runs) != 1 || !reflect.DeepEqual(runs[0], run) {
		t.Errorf("%+v, %v", runs, err)
	}
	for _, q := range []struct {
		gatehouse.PayslipQuery
		n int
	}{{gatehouse.PayslipQuery{Place: here, Limit: 10}, 2}, {gatehouse.PayslipQuery{Place: here, Subject: anna, Limit: 10}, 1}, {gatehouse.PayslipQuery{Place: here, Run: run.ID, Limit: 1}, 1},
		{gatehouse.PayslipQuery{Place: here, Run: gatehouse.RandomID(), Limit: 9}, 0}, {gatehouse.PayslipQuery{Place: there, Limit: 10}, 0}} {
		if got, err := s.Payslips(s.ctx(), q.PayslipQuery); err != nil || len(got) != q.n {
			t.Errorf("%+v finds %d, %v", q.PayslipQuery, len(got), err)
		}
	}
	if got, err := s.Payslip(s.ctx(), here, slip.ID); err != nil || !reflect.DeepEqual(got, slip) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = s.Payslip(s.ctx(), here, first.ID) // of the time before
	s.wantCode(err, "store.not_found")
	if n, err := s.ExpirePayslips(s.ctx(), here, at(3)); err != nil || n != 0 {
		t.Errorf("%d went, %v", n, err)
	}
	if n, err := s.ExpirePayslips(s.ctx(), here, at(4)); err != nil || n != 2 {
		t.Errorf("%d went, %v", n, err)
	}
}
