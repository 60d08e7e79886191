package server

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/vault/budget"
)

// maxBudgetAccounts bounds how many operators' budgets are asked for.
const maxBudgetAccounts = 500

func consoleLimits(l budget.Limits) console.BudgetLimits {
	return console.BudgetLimits{"operator": console.BudgetLimit(l.Operator), "role": console.BudgetLimit(l.Role), "organization": console.BudgetLimit(l.Organization), "live": console.BudgetLimit(l.Live)}
}

// Budgets implements console.Control: what everybody used, what roles that open something
// did, and who of the accounts used anything.
func (p pages) Budgets(ctx context.Context) (out console.BudgetState, err error) {
	out.Elsewhere = p.config.Vault.Elsewhere()
	ask := func(scope budget.Scope, name, operator, role string) error {
		st, err := p.vault.Budget(ctx, operator, role)
		if err != nil || !st.Known {
			return err
		}
		out.Known, out.Set, out.Limits = true, consoleLimits(st.Set), consoleLimits(st.Limits)
		use := console.BudgetUse{Scope: string(scope), Name: name}
		for _, l := range st.Left {
			if l.Scope != scope {
				continue
			}
			if used := max(0, st.Limits.Of(scope, l.Window)-l.Units); l.Window == budget.Hour {
				use.Hour = used
			} else {
				use.Day = used
			}
		}
		if scope != budget.Operator || use.Hour > 0 || use.Day > 0 {
			out.Used = append(out.Used, use)
		}
		return nil
	}
	if err := ask(budget.Organization, "", "", ""); err != nil || !out.Known {
		return out, err
	}
	for _, role := range gatehouse.PeopleRoles {
		if !slices.ContainsFunc(gatehouse.Permissions, func(may gatehouse.Permission) bool { return may.Personal() && role.May(may) }) {
			continue
		}
		if err := ask(budget.Role, string(role), "", string(role)); err != nil {
			return out, err
		}
	}
	all := p.accounts.List()
	for _, a := range all[:min(len(all), maxBudgetAccounts)] {
		if err := ask(budget.Operator, a.Login, p.lend.Holder(a.ID.String()), ""); err != nil {
			return out, err
		}
	}
	return out, ask(budget.Operator, socketOperator, p.lend.Holder(socketOperator), "")
}

// SetBudgets implements console.Control.
func (p pages) SetBudgets(ctx context.Context, who console.Who, passphrase []byte, set console.BudgetLimits) error {
	limit := func(scope string) wire.Limit { return wire.Limit(set[scope]) }
	_, err := p.adminOf(who.Operator).SetBudget(ctx, wire.BudgetSetRequest{With: wire.Shown(gatehouse.Passphrase(passphrase)),
		Limits: wire.Limits{Operator: limit("operator"), Role: limit("role"), Organization: limit("organization"), Live: limit("live")}})
	return err
}

// Operators implements console.Control.
func (p pages) Operators(ctx context.Context) (names []string, err error) {
	list, err := p.vault.Operators(ctx)
	for _, o := range list {
		names = append(names, o.Name)
	}
	return names, err
}

// PlanRelease implements console.Control.
func (p pages) PlanRelease(ctx context.Context, ids []gatehouse.ID, fields []string) (subjects []gatehouse.SubjectID, passages []gatehouse.ID, items int, err error) {
	for _, id := range ids {
		s, err := p.store.Subject(ctx, p.site.Place, id)
		switch {
		case err == nil && s.Status != gatehouse.ErasedStatus:
			subjects = append(subjects, id)
		case err == nil || gatehouse.ErrorCode(err) == "store.not_found":
			passages = append(passages, id) // which is looked up below
		default:
			return nil, nil, 0, err
		}
	}
	list, err := p.admin().releases().Plan(ctx, subjects, passages, fields)
	return subjects, passages, len(list), err
}

// Release implements console.Control. Why something is asked for is shown by the command
// that agrees to it, to whom it asks: here there is how much of what, and for whom.
func (p pages) Release(ctx context.Context, id gatehouse.ID) (out console.ReleaseState, err error) {
	r, err := p.vault.Release(ctx, id)
	if gatehouse.ErrorCode(err) == "vault.sealed" || gatehouse.ErrorCode(err) == "vault.canary" {
		return p.listedRelease(ctx, id)
	}
	if err != nil {
		return out, err
	}
	var q gatehouse.ReleaseRequest
	if len(r.Body) > 0 && json.Unmarshal(r.Body, &q) == nil {
		counts := map[string]int{}
		for _, it := range q.Items {
			field := it.Field
			if it.Table == "evidence" {
				field = "picture"
			}
			counts[field]++
		}
		for field, n := range counts {
			out.Fields = append(out.Fields, console.ReleaseCount{Field: field, Count: n})
		}
		slices.SortFunc(out.Fields, func(a, b console.ReleaseCount) int { return cmp.Compare(a.Field, b.Field) })
		r.Request.Recipients = q.Recipients
	}
	r.Body, r.Request.Reason = nil, ""
	out.Release = r
	return out, nil
}

func (p pages) listedRelease(ctx context.Context, id gatehouse.ID) (out console.ReleaseState, err error) {
	list, err := p.vault.Releases(ctx)
	for _, r := range list {
		if r.Request.ID == id {
			return console.ReleaseState{Release: r}, nil
		}
	}
	if err == nil {
		err = gatehouse.Errorf("release.unknown", "", "there is no such release")
	}
	return out, err
}

// Canary implements console.Control.
func (p pages) Canary(ctx context.Context) (console.CanaryState, error) {
	t, err := p.vault.Tripped(ctx)
	return console.CanaryState{Shut: !t.Trip.IsZero(), At: t.At, Operator: t.Operator, Purpose: t.Purpose, Device: t.Device, Lifted: t.Lifted}, err
}

// Canaries implements console.Control.
func (p pages) Canaries(ctx context.Context, who console.Who, passphrase []byte) (out []console.PlantedCanary, err error) {
	list, err := p.vault.Canaries(ctx, who.Operator, gatehouse.Passphrase(passphrase))
	for _, c := range list {
		out = append(out, console.PlantedCanary{Kind: c.Kind, Label: p.label(c.Subject), Subject: c.Subject, Note: c.Label, Planted: c.Planted})
	}
	slices.SortStableFunc(out, func(a, b console.PlantedCanary) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Label, b.Label))
	})
	return out, err
}

// Spare implements console.Control.
func (p pages) Spare(ctx context.Context, who console.Who, kind gatehouse.SubjectKind) (console.SpareCanary, error) {
	made, err := p.adminOf(who.Operator).SpareCanary(ctx, wire.CanarySpareRequest{Kind: string(kind)})
	return console.SpareCanary{Kind: kind, Label: made.Label, Subject: made.Subject}, err
}

// Plant implements console.Control.
func (p pages) Plant(ctx context.Context, who console.Who, passphrase []byte, subjects []gatehouse.SubjectID, note string) (gatehouse.Secret, error) {
	got, err := p.adminOf(who.Operator).PlantCanary(ctx, wire.CanaryPlantRequest{With: wire.Shown(gatehouse.Passphrase(passphrase)), Subjects: subjects, Note: note})
	if err != nil {
		return "", err
	}
	return gatehouse.Secret(got.Token), nil
}
