package server

import (
	"context"
	"encoding/json"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/timesheet"
	"gatehouse/flow/wages"
	"gatehouse/payroll"
	"gatehouse/vault"
)

// Payroll is what a site's vault process reckons pay with.
func Payroll() vault.Payroll { return payroll.InVault{} }

// payVault reckons pay under the site's lease.
type payVault struct{ s *Server }

// Pay implements wages.Vault.
func (p payVault) Pay(ctx context.Context, operator string, role gatehouse.Role, reason string, job gatehouse.PayJob, sealed [][]byte) (slips [][]byte, problems []string, err error) {
	as, proof, ok := p.s.lend.As(role).Lease(operator)
	if !ok {
		return nil, nil, gatehouse.Errorf("vault.sealed", "unseal it on the live page or with `gatehouse unseal`, then go on", "the vault is sealed: the run waits")
	}
	slips, problems, err = p.s.vault.Pay(ctx, as, string(role), reason, proof, job, sealed)
	if gatehouse.ErrorCode(err) == "vault.canary" {
		p.s.shutByCanary(ctx)
	}
	return slips, problems, err
}

// payActor is who asks, for pay.
func (a admin) payActor(ctx context.Context) wages.Actor {
	by := a.actor(ctx)
	out := wages.Actor{Account: by.Account, Person: by.Person, Operator: a.operator}
	if s, ok := auth.SessionFrom(ctx); ok {
		out.Operator, out.Role = s.Operator(), s.Role
	}
	return out
}

func payActorOf(by timesheet.Actor, operator string, role gatehouse.Role) wages.Actor {
	return wages.Actor{Account: by.Account, Person: by.Person, Operator: operator, Role: role}
}

// openTerms reads what somebody is paid by; openSlip a payslip, with its lines' titles as the
// scheme had them.
func (s *Server) openTerms(ctx context.Context, by wages.Actor, who gatehouse.SubjectID, id gatehouse.ID, reason string) (t gatehouse.PayTerms, err error) {
	all, err := s.wages.Terms(ctx, who)
	if err != nil {
		return t, err
	}
	for _, one := range all {
		if one.ID == id {
			return t, s.openPay(ctx, by, reason, gatehouse.SealedRef{Where: gatehouse.PayTermsContext(s.site.Place, id), Sealed: one.Sealed}, &t)
		}
	}
	return t, gatehouse.Errorf("store.not_found", "look at their page again", "they have no such terms")
}

func (s *Server) openSlip(ctx context.Context, by wages.Actor, who gatehouse.SubjectID, id gatehouse.ID, reason string) (p gatehouse.Payslip, err error) {
	one, err := s.wages.Slip(ctx, who, id)
	if err != nil {
		return p, err
	}
	if err = s.openPay(ctx, by, reason, gatehouse.SealedRef{Where: gatehouse.PayslipContext(s.site.Place, id), Sealed: one.Sealed}, &p); err != nil {
		return p, err
	}
	hours, err := s.hours.ClosedScheme(ctx, one.From, one.Until)
	for i, l := range p.Lines {
		for _, e := range hours {
			if e.Code == l.Code {
				p.Lines[i].Title, p.Lines[i].Formula = e.Title, e.Formula
			}
		}
	}
	return p, err
}

func (s *Server) openPay(ctx context.Context, by wages.Actor, reason string, ref gatehouse.SealedRef, into any) error {
	plain, err := s.lend.As(by.Role).OpenFor(ctx, by.Operator, "person", reason, []gatehouse.SealedRef{ref})
	if err != nil {
		return err
	}
	if len(plain) != 1 || plain[0] == nil || json.Unmarshal(plain[0], into) != nil {
		return gatehouse.Errorf("wages.no_slip", "it has expired, or was erased", "this cannot be opened any more")
	}
	clear(plain[0])
	return nil
}
