package api_test

import (
	"context"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
)

func (w *world) Accounts(context.Context) (wire.AccountsResponse, error) {
	return wire.AccountsResponse{Accounts: []wire.Account{{Login: "guard-7"}}}, w.fail
}

func (w *world) AddAccount(_ context.Context, r wire.AccountAddRequest) (wire.InviteResponse, error) {
	return wire.InviteResponse{Account: wire.Account{Login: r.Login, Name: r.Name, Roles: r.Roles}, Link: "http://localhost:8080/enter/x"}, w.fail
}

func (w *world) SetAccountRoles(_ context.Context, login string, r wire.AccountRolesRequest) (wire.Account, error) {
	return wire.Account{Login: login, Roles: r.Roles}, w.fail
}

func (w *world) InviteAccount(_ context.Context, login string) (wire.InviteResponse, error) {
	return wire.InviteResponse{Account: wire.Account{Login: login}}, w.fail
}

func (w *world) LinkAccount(_ context.Context, login string) (wire.LinkResponse, error) {
	return wire.LinkResponse{Link: "for/" + login}, w.fail
}

func (w *world) DisableAccount(_ context.Context, login string, r wire.AccountDisableRequest) (wire.Account, error) {
	return wire.Account{Login: login, State: map[bool]gatehouse.AccountState{true: gatehouse.Disabled}[r.Disabled]}, w.fail
}

func (w *world) SetAccountPerson(_ context.Context, login string, r wire.AccountPersonRequest) (wire.Account, error) {
	return wire.Account{Login: login, Name: r.Person}, nil
}

func (w *world) LinkIdentity(_ context.Context, login string, r wire.IdentityRequest) (wire.Account, error) {
	return wire.Account{Login: login, Name: r.Issuer + " " + r.Subject}, w.fail
}

func (w *world) RemoveAccount(context.Context, string) error { return w.fail }

// What the command line asks about accounts arrives as it was asked.
func TestAccountsOverTheSocket(t *testing.T) {
	c := overSocket(t, &world{})
	ctx := t.Context()
	if got, err := c.Accounts(ctx); err != nil || len(got.Accounts) != 1 {
		t.Errorf("list: %+v, %v", got, err)
	}
	if got, err := c.AddAccount(ctx, wire.AccountAddRequest{Login: "guard-7", Name: "Mei", Roles: []string{"guard:front-door"}}); err != nil || got.Account.Name != "Mei" || got.Account.Roles[0] != "guard:front-door" {
		t.Errorf("add: %+v, %v", got, err)
	}
	if got, err := c.SetAccountRoles(ctx, "guard-7", wire.AccountRolesRequest{Roles: []string{"hr"}}); err != nil || got.Login != "guard-7" || got.Roles[0] != "hr" {
		t.Errorf("roles: %+v, %v", got, err)
	}
	if got, err := c.InviteAccount(ctx, "guard-7"); err != nil || got.Account.Login != "guard-7" {
		t.Errorf("invite: %+v, %v", got, err)
	}
	if got, err := c.LinkAccount(ctx, "guard-7"); err != nil || got.Link != "for/guard-7" {
		t.Errorf("link: %+v, %v", got, err)
	}
	if got, err := c.DisableAccount(ctx, "guard-7", wire.AccountDisableRequest{Disabled: true}); err != nil || got.State != gatehouse.Disabled {
		t.Errorf("disable: %+v, %v", got, err)
	}
	if got, err := c.SetAccountPerson(ctx, "guard-7", wire.AccountPersonRequest{Person: "B-7"}); err != nil || got.Name != "B-7" {
		t.Errorf("whose it is: %+v, %v", got, err)
	}
	if got, err := c.LinkIdentity(ctx, "guard-7", wire.IdentityRequest{Issuer: "i", Subject: "s"}); err != nil || got.Name != "i s" {
		t.Errorf("identity: %+v, %v", got, err)
	}
	if _, err := c.DisableAccount(ctx, "../x", wire.AccountDisableRequest{}); gatehouse.ErrorCode(err) != "account.unknown" {
		t.Errorf("no login: %v", err)
	}
	if err := c.RemoveAccount(ctx, "guard-7"); err != nil {
		t.Error(err)
	}
	if s := (wire.AccountAddRequest{Name: "Mei"}).LogValue().String() + (wire.InviteResponse{Link: "Mei"}).LogValue().String() + (wire.IdentityRequest{Subject: "Mei"}).LogValue().String() + (wire.Account{Name: "Mei"}).LogValue().String(); strings.Contains(s, "Mei") {
		t.Errorf("a log would show %s", s)
	}
}
