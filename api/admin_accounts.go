package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// AccountsAdmin manages who works with Gatehouse. An account is named by its login.
type AccountsAdmin interface {
	Accounts(ctx context.Context) (wire.AccountsResponse, error)
	// AddAccount: account.login, account.exists, account.name, account.roles.
	AddAccount(ctx context.Context, r wire.AccountAddRequest) (wire.InviteResponse, error)
	// SetAccountRoles: account.unknown, account.roles, account.last_administrator.
	SetAccountRoles(ctx context.Context, login string, r wire.AccountRolesRequest) (wire.Account, error)
	// InviteAccount makes a fresh invitation: account.unknown, account.disabled.
	InviteAccount(ctx context.Context, login string) (wire.InviteResponse, error)
	// LinkAccount mints a one-time link that signs the account in: account.unknown,
	// account.disabled, server.not_running.
	LinkAccount(ctx context.Context, login string) (wire.LinkResponse, error)
	// DisableAccount: account.unknown, account.last_administrator.
	DisableAccount(ctx context.Context, login string, r wire.AccountDisableRequest) (wire.Account, error)
	// SetAccountPerson says whose an account is: account.unknown, subject.unknown,
	// subject.several.
	SetAccountPerson(ctx context.Context, login string, r wire.AccountPersonRequest) (wire.Account, error)
	// LinkIdentity lets somebody at a provider of single sign-on in as the account:
	// account.unknown, account.credential.
	LinkIdentity(ctx context.Context, login string, r wire.IdentityRequest) (wire.Account, error)
	// RemoveAccount: account.unknown, account.last_administrator.
	RemoveAccount(ctx context.Context, login string) error
}

func (a *API) accountsRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /admin/v1/accounts", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, a.o.Admin.Accounts)
		}},
		{Pattern: "POST /admin/v1/accounts", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.AddAccount)
		}},
		{Pattern: "POST /admin/v1/accounts/{id}/roles", Policy: auth.OnSocket, Handler: onAccount(a, AccountsAdmin.SetAccountRoles)},
		{Pattern: "POST /admin/v1/accounts/{id}/disable", Policy: auth.OnSocket, Handler: onAccount(a, AccountsAdmin.DisableAccount)},
		{Pattern: "POST /admin/v1/accounts/{id}/person", Policy: auth.OnSocket, Handler: onAccount(a, AccountsAdmin.SetAccountPerson)},
		{Pattern: "POST /admin/v1/accounts/{id}/identity", Policy: auth.OnSocket, Handler: onAccount(a, AccountsAdmin.LinkIdentity)},
		{Pattern: "POST /admin/v1/accounts/{id}/invite", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusCreated, func(ctx context.Context) (wire.InviteResponse, error) {
				return a.o.Admin.InviteAccount(ctx, r.PathValue("id"))
			})
		}},
		{Pattern: "POST /admin/v1/accounts/{id}/link", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusCreated, func(ctx context.Context) (wire.LinkResponse, error) {
				return a.o.Admin.LinkAccount(ctx, r.PathValue("id"))
			})
		}},
		{Pattern: "DELETE /admin/v1/accounts/{id}", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, a.o.Admin.RemoveAccount(ctx, r.PathValue("id"))
			})
		}},
	}
}

// onAccount carries out what a request asks for the account in the path.
func onAccount[Q any](a *API, do func(AccountsAdmin, context.Context, string, Q) (wire.Account, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		carry(a, w, r, http.StatusOK, func(ctx context.Context, q Q) (wire.Account, error) {
			if gatehouse.CheckName(r.PathValue("id")) != nil {
				return wire.Account{}, gatehouse.Errorf("account.unknown", "see `gatehouse account list`", "there is no such account")
			}
			return do(a.o.Admin, ctx, r.PathValue("id"), q)
		})
	}
}
