package wages

import (
	"context"
	"time"

	"gatehouse"
)

// Ask asks for the pay of a closed period. Errors: wages.waiting where one of these days
// waits already, period.unknown, period.state.
func (w *Wages) Ask(ctx context.Context, by Actor, from, until gatehouse.Date) (gatehouse.PayRun, error) {
	w.writes.Lock()
	defer w.writes.Unlock()
	now := w.Now().UTC()
	r := gatehouse.PayRun{Place: w.Place, ID: gatehouse.NewID(now), From: from, Until: until, By: by.Account, Made: now}
	if _, err := w.Hours.ClosedPeriod(ctx, from, until); err != nil {
		return r, err
	}
	all, err := w.Runs(ctx)
	if err != nil {
		return r, err
	}
	for _, o := range all {
		if o.From == from && o.Until == until && o.State() != gatehouse.PayDone {
			return r, gatehouse.Errorf("wages.waiting", "approve that one", "the pay of this period was asked for already")
		}
	}
	return r, w.Store.PutPayRun(ctx, r, gatehouse.PayRunLeaf(now, "asked", r, by.name()))
}

// Approve agrees to a run as a second person. Errors: wages.unknown, wages.two_people,
// wages.approved, period.unknown, period.state.
func (w *Wages) Approve(ctx context.Context, by Actor, id gatehouse.ID) (gatehouse.PayRun, error) {
	w.writes.Lock()
	defer w.writes.Unlock()
	r, err := w.Run(ctx, id)
	switch {
	case err != nil:
		return r, err
	case r.State() != gatehouse.PayAsked:
		return r, gatehouse.Errorf("wages.approved", "", "the run was approved already")
	case by.Account.IsZero() || by.Account == r.By:
		return r, gatehouse.Errorf("wages.two_people", "ask a second person to agree", "pay takes two people")
	}
	if _, err := w.Hours.ClosedPeriod(ctx, r.From, r.Until); err != nil {
		return r, err
	}
	r.ApprovedBy, r.Approved = by.Account, w.Now().UTC()
	return r, w.Store.PutPayRun(ctx, r, gatehouse.PayRunLeaf(r.Approved, "approved", r, by.name()))
}

// Reckon has the vault make an approved run's payslips. Where it breaks off nothing is kept,
// and it can be asked again. Errors: wages.unknown, wages.two_people, wages.done, wages.scheme where
// the site has none, period.unknown, period.state, vault.sealed, vault.budget, vault.canary.
func (w *Wages) Reckon(ctx context.Context, by Actor, id gatehouse.ID) (gatehouse.PayRun, error) {
	w.writes.Lock()
	defer w.writes.Unlock()
	r, err := w.Run(ctx, id)
	switch {
	case err != nil:
		return r, err
	case r.State() == gatehouse.PayAsked:
		return r, gatehouse.Errorf("wages.two_people", "a second person approves it", "nobody has approved this run yet")
	case r.State() == gatehouse.PayDone:
		return r, gatehouse.Errorf("wages.done", "ask for another run where something was changed", "this run is done")
	}
	hours, err := w.Hours.ClosedHours(ctx, r.From, r.Until)
	if err != nil {
		return r, err
	}
	if len(hours.Scheme) == 0 {
		return r, gatehouse.Errorf("wages.scheme", "`gatehouse attendance scheme` sets it; a period that was closed before takes the scheme of that time: reopen and close it", "the site had no pay scheme when the period was closed")
	}
	slips, err := w.reckon(ctx, by, r, hours)
	if err != nil {
		return r, err
	}
	r.Version, r.Closed, r.Done, r.People, r.Problems = hours.Version, hours.Closed, w.Now().UTC(), 0, 0
	for _, s := range slips {
		if s.Problem == "" {
			r.People++
		} else {
			r.Problems++
		}
	}
	return r, w.Store.FinishPayRun(ctx, r, slips, gatehouse.PayRunLeaf(r.Done, "done", r, by.name()))
}

func (w *Wages) reckon(ctx context.Context, by Actor, r gatehouse.PayRun, hours gatehouse.ClosedHours) (slips []gatehouse.StoredPayslip, err error) {
	all, err := w.Store.PayTerms(ctx, w.Place, gatehouse.SubjectID{})
	if err != nil {
		return nil, err
	}
	terms := map[gatehouse.SubjectID][]gatehouse.StoredPayTerms{}
	for _, t := range all {
		terms[t.Subject] = append(terms[t.Subject], t)
	}
	job := gatehouse.PayJob{Place: w.Place, Run: r.ID, From: r.From, Until: r.Until, Scheme: hours.Scheme, Figures: hours.Figures}
	var sealed [][]byte
	var of []int // which payslip each of the job is
	flush := func() error {
		if len(job.People) == 0 {
			return nil
		}
		made, problems, err := w.Vault.Pay(ctx, by.Operator, by.Role, "pay "+r.ID.String(), job, sealed)
		if err != nil {
			return err
		}
		for k, i := range of {
			if slips[i].Problem = problems[k]; slips[i].Problem == "" {
				slips[i].Sealed = made[k]
			}
		}
		job.People, sealed, of = nil, nil, nil
		return nil
	}
	now := w.Now().UTC()
	for _, p := range hours.People {
		p.Slip, p.Label = gatehouse.NewID(now), w.Label(p.Subject)
		slip := gatehouse.StoredPayslip{Place: w.Place, ID: p.Slip, Run: r.ID, Subject: p.Subject, From: r.From, Until: r.Until, Made: now.Truncate(time.Microsecond)}
		one, problem := inForce(terms[p.Subject], r.From, r.Until)
		slip.Problem = problem
		slips = append(slips, slip)
		if problem != "" {
			continue
		}
		p.Terms = one.ID
		job.People, sealed, of = append(job.People, p), append(sealed, one.Sealed), append(of, len(slips)-1)
		if len(job.People) == gatehouse.MaxPayJob {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return slips, flush()
}

// inForce are the terms of a period: the newest that begin within or before it. Where two
// of them count in it, hours before and behind the change would be paid alike, so it is a
// problem: the period is closed in two parts.
func inForce(list []gatehouse.StoredPayTerms, from, until gatehouse.Date) (t gatehouse.StoredPayTerms, problem string) {
	for i, t := range list { // the newest first
		if t.From > until {
			continue
		}
		if t.From > from && i+1 < len(list) {
			return t, "wages.two_terms"
		}
		return t, ""
	}
	return t, "wages.terms"
}
