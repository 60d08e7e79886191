package consoletest

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/inform"
	"gatehouse/flow/timesheet"
	"gatehouse/flow/wages"
)

// payStore keeps pay in memory, for one place, as what it says without being sealed.
type payStore struct {
	mu    sync.Mutex
	terms []gatehouse.StoredPayTerms
	runs  []gatehouse.PayRun
	slips []gatehouse.StoredPayslip
	looks map[gatehouse.SubjectID][]inform.Look
}

// openWages makes the real flow over a store in memory, and a vault that pays an hour's
// rate a day.
func (s *Site) openWages() {
	s.pay = &payStore{}
	s.Wages = wages.New(wages.Ports{Place: Place, Store: s.pay, Subjects: s.shelf, Sealer: s.shelf, Hours: s.Hours, Vault: payVault{s}, Label: func(id gatehouse.SubjectID) string {
		b, _ := s.Working.Badge(id)
		return b.Label
	}, CheckTerms: func(t gatehouse.PayTerms) error {
		if t.Rate.Per < 1 || t.Rate.Amount.Minor < 0 {
			return gatehouse.Errorf("pay.rate", "", "nobody can be paid by this rate")
		}
		return nil
	}, Now: s.now})
}

func (p *payStore) PutPayTerms(_ context.Context, t gatehouse.StoredPayTerms, _ []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.terms = append(slices.DeleteFunc(p.terms, func(o gatehouse.StoredPayTerms) bool { return o.Subject == t.Subject && o.From == t.From }), t)
	slices.SortFunc(p.terms, func(a, b gatehouse.StoredPayTerms) int { return strings.Compare(string(b.From), string(a.From)) })
	return nil
}

func (p *payStore) RemovePayTerms(_ context.Context, _ gatehouse.Place, id gatehouse.ID, _ []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.terms = slices.DeleteFunc(p.terms, func(o gatehouse.StoredPayTerms) bool { return o.ID == id })
	return nil
}

func (p *payStore) PayTerms(_ context.Context, _ gatehouse.Place, who gatehouse.SubjectID) (out []gatehouse.StoredPayTerms, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.terms {
		if who.IsZero() || t.Subject == who {
			out = append(out, t)
		}
	}
	return out, nil
}

func (p *payStore) PutPayRun(_ context.Context, r gatehouse.PayRun, _ []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = append([]gatehouse.PayRun{r}, slices.DeleteFunc(p.runs, func(o gatehouse.PayRun) bool { return o.ID == r.ID })...)
	return nil
}

func (p *payStore) FinishPayRun(ctx context.Context, r gatehouse.PayRun, slips []gatehouse.StoredPayslip, leaf []byte) error {
	p.mu.Lock()
	p.slips = append(slips, slices.DeleteFunc(p.slips, func(o gatehouse.StoredPayslip) bool { return o.Run == r.ID })...)
	p.mu.Unlock()
	return p.PutPayRun(ctx, r, leaf)
}

func (p *payStore) PayRuns(context.Context, gatehouse.Place, int) ([]gatehouse.PayRun, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.runs), nil
}

func (p *payStore) Payslips(_ context.Context, q gatehouse.PayslipQuery) (out []gatehouse.StoredPayslip, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.slips {
		if (q.Subject.IsZero() || q.Subject == s.Subject) && (q.Run.IsZero() || q.Run == s.Run) {
			out = append(out, s)
		}
	}
	return out, nil
}

func (p *payStore) Payslip(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPayslip, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.slips {
		if s.ID == id {
			return s, nil
		}
	}
	return gatehouse.StoredPayslip{}, none("payslip")
}

func (p *payStore) ExpirePayslips(context.Context, gatehouse.Place, time.Time) (int, error) {
	return 0, nil
}

// payVault reckons without sealing anything.
type payVault struct{ *Site }

// Pay implements wages.Vault.
func (v payVault) Pay(_ context.Context, _ string, _ gatehouse.Role, _ string, job gatehouse.PayJob, sealed [][]byte) (slips [][]byte, problems []string, err error) {
	if !v.unsealed {
		return nil, nil, gatehouse.Errorf("vault.sealed", "unseal it", "the vault is sealed")
	}
	for i, p := range job.People {
		var t gatehouse.PayTerms
		if err := json.Unmarshal(bytes.TrimPrefix(sealed[i], []byte(sealedMark)), &t); err != nil {
			return nil, nil, err
		}
		sum := gatehouse.Money{Minor: t.Rate.Amount.Minor * int64(p.Days), Currency: t.Rate.Amount.Currency}
		slip := gatehouse.Payslip{Number: t.Number, Rate: t.Rate, Pay: gatehouse.Pay{Subject: p.Subject, From: job.From, Until: job.Until, Gross: sum, Deductions: gatehouse.Money{Currency: sum.Currency}, Net: sum,
			Lines: []gatehouse.PayLine{{Code: "regular", Title: "Days", Minutes: p.Days * 480, Rate: 10000, Amount: sum}}}}
		b, err := json.Marshal(slip)
		if err != nil {
			return nil, nil, err
		}
		slips, problems = append(slips, b), append(problems, "")
	}
	return slips, problems, nil
}

// Payslip implements console.Payslips.
func (h hoursReasons) Payslip(ctx context.Context, _ console.Who, by timesheet.Actor, person gatehouse.SubjectID, id gatehouse.ID, reason string) (p gatehouse.Payslip, err error) {
	s, err := h.Wages.Slip(ctx, person, id)
	if err != nil {
		return p, err
	}
	if reason == "" && by.Person != person {
		return p, gatehouse.Errorf("wages.no_slip", "", "they have no such payslip")
	}
	return p, h.openPay(s.Sealed, &p)
}

// PayTerms implements console.Payslips.
func (h hoursReasons) PayTerms(ctx context.Context, _ console.Who, _ timesheet.Actor, person gatehouse.SubjectID, id gatehouse.ID, reason string) (t gatehouse.PayTerms, err error) {
	if reason == "" {
		return t, gatehouse.Errorf("vault.reason", "say why", "this needs a reason")
	}
	all, err := h.Wages.Terms(ctx, person)
	for _, one := range all {
		if one.ID == id {
			return t, h.openPay(one.Sealed, &t)
		}
	}
	return t, err
}

func (h hoursReasons) openPay(sealed []byte, into any) error {
	text, err := h.open(sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), into)
}

// PayslipPDF implements console.Payslips. What it looks like is the server's.
func (h hoursReasons) PayslipPDF(lang string, in func(string) console.PaySheet) ([]byte, error) {
	return []byte("%PDF-1.4 " + in(lang).Title), nil
}

// LookedAt implements console.Looks.
func (h hoursReasons) LookedAt(_ context.Context, who console.Who, person gatehouse.SubjectID) error {
	h.pay.mu.Lock()
	defer h.pay.mu.Unlock()
	if h.pay.looks == nil {
		h.pay.looks = map[gatehouse.SubjectID][]inform.Look{}
	}
	h.pay.looks[person] = append(h.pay.looks[person], inform.Look{At: h.now(), Role: string(who.Role), Purpose: "person", Items: 1, What: []string{"hours"}})
	return nil
}

// Looks implements console.Looks.
func (h hoursReasons) Looks(_ context.Context, person gatehouse.SubjectID) ([]inform.Look, error) {
	h.pay.mu.Lock()
	defer h.pay.mu.Unlock()
	return slices.Clone(h.pay.looks[person]), nil
}
