// Package wages is the verb of pay: what people are paid by is sealed as soon as somebody
// enters it, and a closed period's pay is reckoned by the vault, which alone opens it. Here
// are the hours that it is reckoned of, who asked, who agreed, and payslips that nobody can
// read without the vault.
package wages

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"gatehouse"
)

// Ports are what pay needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Store    gatehouse.PayStore
	Subjects Subjects
	Sealer   gatehouse.Sealer
	Hours    Hours
	Vault    Vault
	// Label is what stands on somebody's badge; "" where they have none.
	Label func(gatehouse.SubjectID) string
	// CheckTerms refuses what nobody can be paid by; its codes are pay.*.
	CheckTerms func(gatehouse.PayTerms) error
	Now        func() time.Time
}

// Subjects tells who is enrolled.
type Subjects interface {
	// Subject fails with store.not_found.
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
}

// Hours are a closed period's. Errors: period.unknown, period.state.
type Hours interface {
	ClosedPeriod(ctx context.Context, from, until gatehouse.Date) (gatehouse.StoredPeriod, error)
	ClosedHours(ctx context.Context, from, until gatehouse.Date, cuts map[gatehouse.SubjectID][]gatehouse.Date) (gatehouse.ClosedHours, error)
}

// Vault reckons a job for whoever asks, and gives each person's payslip, sealed, or the
// code of why there is none. It MUST have written the disclosure before. Errors:
// vault.sealed, vault.budget, vault.canary, pay.none.
type Vault interface {
	Pay(ctx context.Context, operator string, role gatehouse.Role, reason string, job gatehouse.PayJob, sealed [][]byte) (slips [][]byte, problems []string, err error)
}

// Actor is who does something: an account, and the person that it belongs to, zero where
// nobody said; Operator and Role are as disclosures name them.
type Actor struct {
	Account  gatehouse.AccountID
	Person   gatehouse.SubjectID
	Operator string
	Role     gatehouse.Role
}

func (a Actor) name() string {
	if a.Account == gatehouse.SocketAccount {
		return "admin-socket"
	}
	return a.Account.String()
}

// Wages are a site's. All methods are safe for concurrent use.
type Wages struct {
	Ports
	writes sync.Mutex // one change of a run after the other
}

// New returns pay over its ports.
func New(p Ports) *Wages {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Wages{Ports: p}
}

// runsShown is how many runs are listed, slipsShown how many payslips of one person.
const (
	runsShown  = 200
	slipsShown = 200
)

// SetTerms says what somebody is paid by from a day on, in the place of what was said for
// that day. Nobody sets their own. Errors: date.malformed, wages.own, subject.unknown,
// sealing.unavailable, and CheckTerms's.
func (w *Wages) SetTerms(ctx context.Context, by Actor, who gatehouse.SubjectID, from gatehouse.Date, t gatehouse.PayTerms) (gatehouse.StoredPayTerms, error) {
	now := w.Now().UTC()
	s := gatehouse.StoredPayTerms{Place: w.Place, ID: gatehouse.NewID(now), Subject: who, From: from, By: by.Account, Made: now}
	if _, err := gatehouse.ParseDate(string(from)); err != nil {
		return s, err
	}
	if by.Person == who {
		return s, gatehouse.Errorf("wages.own", "ask somebody else to set it", "nobody sets what they are paid")
	}
	if err := w.CheckTerms(t); err != nil {
		return s, err
	}
	known, err := w.Subjects.Subject(ctx, w.Place, who)
	if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && (known.Status == gatehouse.ErasedStatus || known.Kind != gatehouse.PersonSubject) {
		return s, gatehouse.Errorf("subject.unknown", "`gatehouse people` lists who is enrolled", "nobody is enrolled as that")
	}
	if err != nil {
		return s, err
	}
	text, err := json.Marshal(t)
	if err != nil {
		return s, gatehouse.Errorf("pay.rate", "", "this cannot be written down")
	}
	defer clear(text)
	if s.Sealed, err = w.Sealer.Seal(ctx, who, gatehouse.PayClass, gatehouse.PayTermsContext(w.Place, s.ID), text, gatehouse.PadRecord); err != nil {
		return s, err
	}
	return s, w.Store.PutPayTerms(ctx, s, gatehouse.PayTermsLeaf(now, "set", s, by.name()))
}

// RemoveTerms takes terms back; nobody's own. Errors: wages.own, store.not_found.
func (w *Wages) RemoveTerms(ctx context.Context, by Actor, who gatehouse.SubjectID, id gatehouse.ID) error {
	if by.Person == who {
		return gatehouse.Errorf("wages.own", "ask somebody else to do it", "nobody sets what they are paid")
	}
	all, err := w.Store.PayTerms(ctx, w.Place, who)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t gatehouse.StoredPayTerms) bool { return t.ID == id })
	if who.IsZero() || i < 0 {
		return gatehouse.Errorf("store.not_found", "look at their page again", "they have no such terms")
	}
	return w.Store.RemovePayTerms(ctx, w.Place, id, gatehouse.PayTermsLeaf(w.Now().UTC(), "removed", all[i], by.name()))
}

// Terms are somebody's, the newest first: since when, and sealed.
func (w *Wages) Terms(ctx context.Context, who gatehouse.SubjectID) ([]gatehouse.StoredPayTerms, error) {
	if who.IsZero() {
		return nil, nil
	}
	return w.Store.PayTerms(ctx, w.Place, who)
}

// Runs lists the newest.
func (w *Wages) Runs(ctx context.Context) ([]gatehouse.PayRun, error) {
	return w.Store.PayRuns(ctx, w.Place, runsShown)
}

// Run is one of the newest. Errors: wages.unknown.
func (w *Wages) Run(ctx context.Context, id gatehouse.ID) (gatehouse.PayRun, error) {
	all, err := w.Runs(ctx)
	for _, r := range all {
		if r.ID == id {
			return r, nil
		}
	}
	if err == nil {
		err = gatehouse.Errorf("wages.unknown", "see `gatehouse attendance pay list`", "there is no such pay run")
	}
	return gatehouse.PayRun{}, err
}

// Slips are somebody's payslips, the newest first, sealed: of several runs of a period the
// last one's alone.
func (w *Wages) Slips(ctx context.Context, who gatehouse.SubjectID) (out []gatehouse.StoredPayslip, err error) {
	if who.IsZero() {
		return nil, nil
	}
	all, err := w.Store.Payslips(ctx, gatehouse.PayslipQuery{Place: w.Place, Subject: who, Limit: slipsShown})
	for _, s := range all {
		if n := len(out); n == 0 || out[n-1].From != s.From || out[n-1].Until != s.Until {
			out = append(out, s)
		}
	}
	return out, err
}

// Slip is one of somebody's. Errors: wages.no_slip for one that is somebody else's, or that
// there is none of.
func (w *Wages) Slip(ctx context.Context, who gatehouse.SubjectID, id gatehouse.ID) (gatehouse.StoredPayslip, error) {
	s, err := w.Store.Payslip(ctx, w.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && (who.IsZero() || s.Subject != who || s.Sealed == nil) {
		return gatehouse.StoredPayslip{}, gatehouse.Errorf("wages.no_slip", "choose one of the list", "they have no such payslip")
	}
	return s, err
}

// Problems are those of a run: who has no payslip, and the code of why.
func (w *Wages) Problems(ctx context.Context, run gatehouse.ID) (out []gatehouse.StoredPayslip, err error) {
	all, err := w.Store.Payslips(ctx, gatehouse.PayslipQuery{Place: w.Place, Run: run, Limit: gatehouse.MaxReleaseItems})
	if err == nil && len(all) == 0 {
		_, err = w.Run(ctx, run)
	}
	for _, s := range all {
		if s.Problem != "" {
			out = append(out, s)
		}
	}
	return out, err
}
