package server

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

var (
	_ api.Wages    = admin{}
	_ api.OwnWages = admin{}
)

func wireTermsRef(t gatehouse.StoredPayTerms) wire.PayTermsRef {
	return wire.PayTermsRef{ID: t.ID, From: t.From, By: t.By, Made: t.Made}
}

func (s *Server) wireSlips(list []gatehouse.StoredPayslip) []wire.PayslipRef {
	out := []wire.PayslipRef{}
	for _, p := range list {
		out = append(out, wire.PayslipRef{ID: p.ID, Run: p.Run, Person: p.Subject, Label: s.label(p.Subject), From: p.From, Until: p.Until, Problem: p.Problem, Made: p.Made})
	}
	return out
}

// PersonPay implements api.Wages.
func (a admin) PersonPay(ctx context.Context, id gatehouse.SubjectID) (wire.PersonPay, error) {
	out := wire.PersonPay{Terms: []wire.PayTermsRef{}, Payslips: []wire.PayslipRef{}}
	if err := a.hours.Known(ctx, id); err != nil {
		return out, err
	}
	terms, err := a.wages.Terms(ctx, id)
	if err != nil {
		return out, err
	}
	for _, t := range terms {
		out.Terms = append(out.Terms, wireTermsRef(t))
	}
	slips, err := a.wages.Slips(ctx, id)
	out.Payslips = a.wireSlips(slips)
	return out, err
}

func termsOf(w wire.PayTerms) gatehouse.PayTerms {
	t := gatehouse.PayTerms{Number: w.Number, Rate: gatehouse.PayRate{Amount: gatehouse.Money(w.Rate), Per: w.Per}, Salary: gatehouse.Money(w.Salary)}
	for name, m := range w.Figures {
		if t.Figures == nil {
			t.Figures = map[string]gatehouse.Money{}
		}
		t.Figures[name] = gatehouse.Money(m)
	}
	for _, s := range w.Shares {
		t.Shares = append(t.Shares, gatehouse.PayShare{CostCentre: s.CostCentre, Project: s.Project, Weight: s.Weight})
	}
	return t
}

func wireTerms(t gatehouse.PayTerms) wire.PayTerms {
	w := wire.PayTerms{Number: t.Number, Rate: wire.Money(t.Rate.Amount), Per: t.Rate.Per, Salary: wire.Money(t.Salary)}
	for name, m := range t.Figures {
		if w.Figures == nil {
			w.Figures = map[string]wire.Money{}
		}
		w.Figures[name] = wire.Money(m)
	}
	for _, s := range t.Shares {
		w.Shares = append(w.Shares, wire.PayShare{CostCentre: s.CostCentre, Project: s.Project, Weight: s.Weight})
	}
	return w
}

// SetPayTerms implements api.Wages.
func (a admin) SetPayTerms(ctx context.Context, id gatehouse.SubjectID, r wire.PayTermsRequest) (wire.PayTermsRef, error) {
	t, err := a.wages.SetTerms(ctx, a.payActor(ctx), id, r.From, termsOf(r.Terms))
	a.committed()
	return wireTermsRef(t), err
}

// RemovePayTerms implements api.Wages.
func (a admin) RemovePayTerms(ctx context.Context, id gatehouse.SubjectID, terms gatehouse.ID) error {
	err := a.wages.RemoveTerms(ctx, a.payActor(ctx), id, terms)
	a.committed()
	return err
}

// OpenPayTerms implements api.Wages.
func (a admin) OpenPayTerms(ctx context.Context, id gatehouse.SubjectID, terms gatehouse.ID, reason string) (wire.PayTerms, error) {
	t, err := a.openTerms(ctx, a.payActor(ctx), id, terms, reason)
	return wireTerms(t), err
}

// OpenPayslip implements api.Wages.
func (a admin) OpenPayslip(ctx context.Context, id gatehouse.SubjectID, slip gatehouse.ID, reason string) (wire.Payslip, error) {
	p, err := a.openSlip(ctx, a.payActor(ctx), id, slip, reason)
	return wirePayslip(p), err
}

func wirePayslip(p gatehouse.Payslip) wire.Payslip {
	out := wire.Payslip{Person: p.Subject, Number: p.Number, From: p.From, Until: p.Until, Rate: wire.Money(p.Rate.Amount), Per: p.Rate.Per, Salary: wire.Money(p.Salary), Lines: []wire.PayLine{},
		Gross: wire.Money(p.Gross), Deductions: wire.Money(p.Deductions), Net: wire.Money(p.Net)}
	for _, l := range p.Lines {
		one := wire.PayLine{Code: l.Code, Title: l.Title, Minutes: l.Minutes, Rate: l.Rate, Amount: wire.Money(l.Amount), TimeOff: l.TimeOff, From: l.From, Until: l.Until, Formula: l.Formula}
		for _, w := range l.Shares {
			one.Worked = append(one.Worked, wire.WorkedAt{Site: w.Site, CostCentre: w.CostCentre, Project: w.Project, Minutes: w.Weight})
		}
		out.Lines = append(out.Lines, one)
	}
	for _, t := range p.Stretches {
		out.Stretches = append(out.Stretches, wire.PayStretch{From: t.From, Until: t.Until, Rate: wire.Money(t.Rate.Amount), Per: t.Rate.Per, Salary: wire.Money(t.Salary)})
	}
	return out
}

func wirePayRun(r gatehouse.PayRun) wire.PayRun {
	return wire.PayRun{ID: r.ID, From: r.From, Until: r.Until, State: r.State(), By: r.By, Made: r.Made, ApprovedBy: r.ApprovedBy, Approved: r.Approved, Done: r.Done, People: r.People, Problems: r.Problems}
}

// PayRuns implements api.Wages.
func (a admin) PayRuns(ctx context.Context) (wire.PayRuns, error) {
	list, err := a.wages.Runs(ctx)
	out := wire.PayRuns{Runs: []wire.PayRun{}}
	for _, r := range list {
		out.Runs = append(out.Runs, wirePayRun(r))
	}
	return out, err
}

// AskPay implements api.Wages.
func (a admin) AskPay(ctx context.Context, r wire.PeriodRequest) (wire.PayRun, error) {
	run, err := a.wages.Ask(ctx, a.payActor(ctx), r.From, r.Until)
	a.committed()
	return wirePayRun(run), err
}

// ApprovePay implements api.Wages.
func (a admin) ApprovePay(ctx context.Context, id gatehouse.ID) (wire.PayRun, error) {
	run, err := a.wages.Approve(ctx, a.payActor(ctx), id)
	a.committed()
	return wirePayRun(run), err
}

// ReckonPay implements api.Wages.
func (a admin) ReckonPay(ctx context.Context, id gatehouse.ID) (wire.PayRun, error) {
	run, err := a.wages.Reckon(ctx, a.payActor(ctx), id)
	a.committed()
	return wirePayRun(run), err
}

// PayProblems implements api.Wages.
func (a admin) PayProblems(ctx context.Context, id gatehouse.ID) (wire.Payslips, error) {
	list, err := a.wages.Problems(ctx, id)
	return wire.Payslips{Payslips: a.wireSlips(list)}, err
}

// OwnPayslips implements api.OwnWages.
func (a admin) OwnPayslips(ctx context.Context) (wire.Payslips, error) {
	by, err := a.own(ctx)
	if err != nil {
		return wire.Payslips{}, err
	}
	list, err := a.wages.Slips(ctx, by.Person)
	return wire.Payslips{Payslips: a.wireSlips(list)}, err
}

// ownSlip is what the log says of somebody who opens their own.
const ownSlip = "their own payslip"

// OpenOwnPayslip implements api.OwnWages.
func (a admin) OpenOwnPayslip(ctx context.Context, slip gatehouse.ID) (wire.Payslip, error) {
	by, err := a.own(ctx)
	if err != nil {
		return wire.Payslip{}, err
	}
	p, err := a.openSlip(ctx, a.payActor(ctx), by.Person, slip, ownSlip)
	return wirePayslip(p), err
}
