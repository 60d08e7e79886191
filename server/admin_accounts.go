package server

import (
	"context"
	"net"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/flow/accounts"
)

// Accounts implements api.AccountsAdmin.
func (a admin) Accounts(context.Context) (wire.AccountsResponse, error) {
	out := wire.AccountsResponse{Accounts: []wire.Account{}}
	for _, one := range a.accounts.List() {
		out.Accounts = append(out.Accounts, a.account(one))
	}
	return out, nil
}

func (a admin) account(one gatehouse.Account) wire.Account {
	out := wire.Account{ID: one.ID, Login: one.Login, Name: one.Name.Reveal(), State: one.State, Roles: []string{}, Made: one.Made, Credentials: []wire.AccountCredential{}}
	for _, r := range one.Roles {
		out.Roles = append(out.Roles, r.String())
	}
	for _, c := range one.Credentials {
		out.Credentials = append(out.Credentials, wire.AccountCredential{Kind: c.Kind, Made: c.Made, Used: c.Used})
	}
	if a.auth != nil {
		out.Sessions = len(a.auth.Sessions(one.ID))
	}
	return out
}

// byLogin finds an account for a command.
func (a admin) byLogin(login string) (gatehouse.Account, error) {
	one, ok := a.accounts.ByLogin(login)
	if !ok {
		return one, gatehouse.Errorf("account.unknown", "see `gatehouse account list`", "there is no such account")
	}
	return one, nil
}

// assignments reads roles as people write them.
func assignments(words []string) (out []gatehouse.Assignment, err error) {
	for _, w := range words {
		as, err := gatehouse.ParseAssignment(w)
		if err != nil {
			return nil, err
		}
		out = append(out, as)
	}
	return out, nil
}

// AddAccount implements api.AccountsAdmin.
func (a admin) AddAccount(ctx context.Context, r wire.AccountAddRequest) (wire.InviteResponse, error) {
	roles, err := assignments(r.Roles)
	if err != nil {
		return wire.InviteResponse{}, err
	}
	one, token, err := a.accounts.Add(ctx, a.operator, accounts.New{Login: r.Login, Name: gatehouse.Secret(r.Name), Roles: roles})
	if err != nil {
		return wire.InviteResponse{}, err
	}
	return a.invitation(one, token), nil
}

func (a admin) invitation(one gatehouse.Account, token string) wire.InviteResponse {
	_, port, _ := net.SplitHostPort(a.config.Listen)
	base := a.config.baseURL(port)
	if a.auth != nil {
		base = a.auth.BaseURL()
	}
	return wire.InviteResponse{Account: a.account(one), Link: auth.InviteURL(base, token), Until: time.Now().Add(accounts.InviteLifetime).UTC().Truncate(time.Second)}
}

// SetAccountRoles implements api.AccountsAdmin.
func (a admin) SetAccountRoles(ctx context.Context, login string, r wire.AccountRolesRequest) (wire.Account, error) {
	roles, err := assignments(r.Roles)
	if err != nil {
		return wire.Account{}, err
	}
	return a.changed(login, func(id gatehouse.AccountID) error { return a.accounts.SetRoles(ctx, a.operator, id, roles) })
}

// changed carries out one change, and gives what the account is then.
func (a admin) changed(login string, do func(gatehouse.AccountID) error) (wire.Account, error) {
	one, err := a.byLogin(login)
	if err == nil {
		err = do(one.ID)
	}
	if err != nil {
		return wire.Account{}, err
	}
	one, _ = a.accounts.Account(one.ID)
	return a.account(one), nil
}

// InviteAccount implements api.AccountsAdmin.
func (a admin) InviteAccount(ctx context.Context, login string) (wire.InviteResponse, error) {
	one, err := a.byLogin(login)
	if err != nil {
		return wire.InviteResponse{}, err
	}
	token, err := a.accounts.Invite(ctx, a.operator, one.ID)
	if err != nil {
		return wire.InviteResponse{}, err
	}
	return a.invitation(one, token), nil
}

// LinkAccount implements api.AccountsAdmin.
func (a admin) LinkAccount(_ context.Context, login string) (wire.LinkResponse, error) {
	one, err := a.byLogin(login)
	switch {
	case err != nil:
		return wire.LinkResponse{}, err
	case one.State == gatehouse.Disabled:
		return wire.LinkResponse{}, gatehouse.Errorf("account.disabled", "enable it first", "the account is disabled")
	case a.auth == nil:
		return wire.LinkResponse{}, gatehouse.Errorf("server.not_running", "start it with `gatehouse serve`", "there is no running server to link to")
	}
	return wire.LinkResponse{Link: a.auth.MintFor(one.ID)}, nil
}

// DisableAccount implements api.AccountsAdmin.
func (a admin) DisableAccount(ctx context.Context, login string, r wire.AccountDisableRequest) (wire.Account, error) {
	return a.changed(login, func(id gatehouse.AccountID) error {
		return a.accounts.SetDisabled(ctx, a.operator, id, r.Disabled)
	})
}

// LinkIdentity implements api.AccountsAdmin.
func (a admin) LinkIdentity(ctx context.Context, login string, r wire.IdentityRequest) (wire.Account, error) {
	return a.changed(login, func(id gatehouse.AccountID) error {
		return a.accounts.LinkOutside(ctx, a.operator, id, gatehouse.OutsideIdentity{Issuer: r.Issuer, Subject: gatehouse.Secret(r.Subject)})
	})
}

// RemoveAccount implements api.AccountsAdmin.
func (a admin) RemoveAccount(ctx context.Context, login string) error {
	one, err := a.byLogin(login)
	if err != nil {
		return err
	}
	return a.accounts.Remove(ctx, a.operator, one.ID)
}
