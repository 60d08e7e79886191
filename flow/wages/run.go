package wages

import (
	"context"
	"slices"
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
	terms, err := w.termsWithin(ctx, r.From, r.Until)
	if err != nil {
		return r, err
	}
	cuts := map[gatehouse.SubjectID][]gatehouse.Date{}
	for who, list := range terms {
		for _, t := range list[1:] {
			cuts[who] = append(cuts[who], t.From)
		}
	}
	hours, err := w.Hours.ClosedHours(ctx, r.From, r.Until, cuts)
	if err != nil {
		return r, err
	}
	if len(hours.Scheme) == 0 {
		return r, gatehouse.Errorf("wages.scheme", "`gatehouse attendance scheme` sets it; a period that was closed before takes the scheme of that time: reopen and close it", "the site had no pay scheme when the period was closed")
	}
	slips, err := w.reckon(ctx, by, r, hours, terms)
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

// counting are terms, and the days of a period on which they count.
type counting struct {
	gatehouse.StoredPayTerms
	from, until gatehouse.Date
}

// termsWithin are everybody's that count in a period, in the order of their days.
func (w *Wages) termsWithin(ctx context.Context, from, until gatehouse.Date) (map[gatehouse.SubjectID][]counting, error) {
	all, err := w.Store.PayTerms(ctx, w.Place, gatehouse.SubjectID{})
	list := map[gatehouse.SubjectID][]gatehouse.StoredPayTerms{}
	for _, t := range all {
		list[t.Subject] = append(list[t.Subject], t)
	}
	out := map[gatehouse.SubjectID][]counting{}
	for who, own := range list {
		if within := inForce(own, from, until); len(within) > 0 {
			out[who] = within
		}
	}
	return out, err
}

func (w *Wages) reckon(ctx context.Context, by Actor, r gatehouse.PayRun, hours gatehouse.ClosedHours, terms map[gatehouse.SubjectID][]counting) (slips []gatehouse.StoredPayslip, err error) {
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
		own := terms[p.Subject]
		switch {
		case len(own) == 0:
			slip.Problem = "wages.terms"
		case len(own) > gatehouse.MaxPayStretches:
			slip.Problem = "wages.many_terms"
		}
		slips = append(slips, slip)
		if slip.Problem != "" {
			continue
		}
		if len(sealed)+len(own) > gatehouse.MaxPayJob { // one disclosure is of so many values
			if err := flush(); err != nil {
				return nil, err
			}
		}
		for _, t := range own {
			p.Terms, sealed = append(p.Terms, gatehouse.PaidTerms{ID: t.ID, From: t.from, Until: t.until}), append(sealed, t.Sealed)
		}
		job.People, of = append(job.People, p), append(of, len(slips)-1)
	}
	return slips, flush()
}

// inForce are the terms that count in a period, in the order of their days: those that
// begin within it, each until the next, and before them the newest of earlier. The first
// ones count from the period's first day also where they begin later: nothing else says what
// somebody was paid by.
func inForce(list []gatehouse.StoredPayTerms, from, until gatehouse.Date) (out []counting) {
	last := until
	for _, t := range list { // the newest first
		if t.From > until {
			continue
		}
		out = append(out, counting{t, max(t.From, from), last})
		if t.From <= from {
			break
		}
		last = t.From.Before()
	}
	slices.Reverse(out)
	if len(out) > 0 {
		out[0].from = from
	}
	return out
}
