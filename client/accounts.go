package client

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse/api/wire"
)

// account is the path of what is asked about one account.
func account(login, what string) string { return "/admin/v1/accounts/" + url.PathEscape(login) + what }

// Accounts lists the accounts, by login.
func (c *Client) Accounts(ctx context.Context) (wire.AccountsResponse, error) {
	var out wire.AccountsResponse
	err := c.ask(ctx, http.MethodGet, "/admin/v1/accounts", nil, &out)
	return out, err
}

// AddAccount makes an account and an invitation.
func (c *Client) AddAccount(ctx context.Context, r wire.AccountAddRequest) (wire.InviteResponse, error) {
	var out wire.InviteResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/accounts", r, &out)
	return out, err
}

// SetAccountRoles gives an account these roles and no others.
func (c *Client) SetAccountRoles(ctx context.Context, login string, r wire.AccountRolesRequest) (wire.Account, error) {
	var out wire.Account
	err := c.ask(ctx, http.MethodPost, account(login, "/roles"), r, &out)
	return out, err
}

// InviteAccount makes a fresh invitation.
func (c *Client) InviteAccount(ctx context.Context, login string) (wire.InviteResponse, error) {
	var out wire.InviteResponse
	err := c.ask(ctx, http.MethodPost, account(login, "/invite"), nil, &out)
	return out, err
}

// LinkAccount mints a one-time link that signs an account in.
func (c *Client) LinkAccount(ctx context.Context, login string) (wire.LinkResponse, error) {
	var out wire.LinkResponse
	err := c.ask(ctx, http.MethodPost, account(login, "/link"), nil, &out)
	return out, err
}

// DisableAccount disables an account, or enables it again.
func (c *Client) DisableAccount(ctx context.Context, login string, r wire.AccountDisableRequest) (wire.Account, error) {
	var out wire.Account
	err := c.ask(ctx, http.MethodPost, account(login, "/disable"), r, &out)
	return out, err
}

// SetAccountPerson says which enrolled person has the account.
func (c *Client) SetAccountPerson(ctx context.Context, login string, r wire.AccountPersonRequest) (wire.Account, error) {
	var out wire.Account
	err := c.ask(ctx, http.MethodPost, account(login, "/person"), r, &out)
	return out, err
}

// LinkIdentity lets somebody at a provider of single sign-on in as the account.
func (c *Client) LinkIdentity(ctx context.Context, login string, r wire.IdentityRequest) (wire.Account, error) {
	var out wire.Account
	err := c.ask(ctx, http.MethodPost, account(login, "/identity"), r, &out)
	return out, err
}

// RemoveAccount forgets an account.
func (c *Client) RemoveAccount(ctx context.Context, login string) error {
	var out struct{}
	return c.ask(ctx, http.MethodDelete, account(login, ""), nil, &out)
}
