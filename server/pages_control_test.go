package server

import (
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
)

// From the console limits are set and canaries planted with the vault's passphrase, and with
// nothing less; what was opened shows in the budgets of whoever opened it.
func TestControlFromTheConsole(t *testing.T) {
	s := open(t, testConfig(t))
	p, ctx := pages{s}, t.Context()
	account, err := s.admin().AddAccount(ctx, wire.AccountAddRequest{Login: "officer-1", Roles: []string{"privacy-officer"}})
	if err != nil {
		t.Fatal(err)
	}
	me := console.Who{Operator: account.Account.ID.String(), Role: gatehouse.PrivacyOfficer}
	unseal(t, s)
	if _, err := p.Names(ctx, me, []gatehouse.SubjectID{enrol(t, s, "B-1", "Ana Silva", nil), enrol(t, s, "B-2", "Jonas Lindqvist", nil)}); err != nil {
		t.Fatal(err)
	}
	used := func(scope, name string) int {
		t.Helper()
		b, err := p.Budgets(ctx)
		if err != nil || !b.Known {
			t.Fatal(b, err)
		}
		i := slices.IndexFunc(b.Used, func(u console.BudgetUse) bool { return u.Scope == scope && u.Name == name })
		if i < 0 {
			return -1
		}
		return b.Used[i].Day
	}
	for _, of := range [][2]string{{"operator", "officer-1"}, {"role", "privacy-officer"}, {"organization", ""}} {
		if got := used(of[0], of[1]); got != 2 {
			t.Errorf("%s %s used %d units", of[0], of[1], got)
		}
	}
	if got := used("operator", socketOperator); got != -1 {
		t.Errorf("who opened nothing is listed: %d", got)
	}
	set := console.BudgetLimits{"operator": {Hour: 5}}
	if err := p.SetBudgets(ctx, me, []byte("no such words"), set); gatehouse.ErrorCode(err) != "vault.passphrase" {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if err := p.SetBudgets(ctx, me, []byte(passphrase), set); err != nil {
		t.Fatal(err)
	}
	if b, err := p.Budgets(ctx); err != nil || b.Limits["operator"] != (console.BudgetLimit{Hour: 5, Day: 1500}) || b.Limits["role"].Hour != 600 {
		t.Errorf("the limits are %+v, %v", b.Limits, err)
	}
	spare, err := p.Spare(ctx, me, gatehouse.PersonSubject)
	if err != nil {
		t.Fatal(err)
	}
	staff(t, s.admin(), gatehouse.Passphrase([]byte(passphrase)))
	if _, err := p.Plant(ctx, me, []byte(passphrase), []gatehouse.SubjectID{spare.Subject}, "staff"); err != nil {
		t.Fatal(err)
	}
	token, err := p.Plant(ctx, me, []byte(passphrase), nil, "wiki")
	if err != nil || len(token) != 43 {
		t.Fatal(err)
	}
	list, err := p.Canaries(ctx, me, []byte(passphrase))
	if err != nil || len(list) != 2 || list[0].Label != spare.Label || list[0].Note != "staff" || list[1].Kind != "token" {
		t.Errorf("%+v, %v", list, err)
	}
	s.admin().noteCanary(ctx, token, "")
	if c, err := p.Canary(ctx); err != nil || !c.Shut {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := p.Release(ctx, gatehouse.RandomID()); gatehouse.ErrorCode(err) != "release.unknown" {
		t.Errorf("a release that is not there: %v", err)
	}
}
