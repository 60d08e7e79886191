package main

import (
	"context"
	"strings"
	"time"

	"gatehouse/api"
	"gatehouse/api/wire"
)

// AccountCmd is about who works with Gatehouse.
type AccountCmd struct {
	Add      AccountAddCmd      `cmd:"" help:"Make an account and print its invitation, once."`
	List     AccountListCmd     `cmd:"" help:"List the accounts."`
	Roles    AccountRolesCmd    `cmd:"" help:"Give an account these roles and no others; its sessions end."`
	Invite   AccountInviteCmd   `cmd:"" help:"Print a new invitation for an account; an earlier one stops working."`
	Person   AccountPersonCmd   `cmd:"" help:"Say which enrolled person has an account: they see their own hours, and decide nothing about them."`
	People   AccountPeopleCmd   `cmd:"" help:"Make accounts of many employees from a CSV file, for their own pages, and write their invitations into a file."`
	Identity AccountIdentityCmd `cmd:"" help:"Let somebody at the provider of single sign-on in as an account."`
	Disable  AccountDisableCmd  `cmd:"" help:"Disable an account; its sessions end."`
	Enable   AccountEnableCmd   `cmd:"" help:"Enable a disabled account again."`
	Remove   AccountRemoveCmd   `cmd:"" help:"Remove an account and what it signed in with."`
}

// LoginArg names an account.
type LoginArg struct {
	Login string `arg:"" help:"The account's login: a label such as guard-7, and nobody's name."`
}

// AccountAddCmd makes an account.
type AccountAddCmd struct {
	LoginArg
	Role     []string `required:"" sep:"none" help:"guard:GATE+GATE, parking-operator:GATE, site-manager, hr, privacy-officer, administrator, auditor or employee; behind it @SITE for one site alone (guard@north:front-door). May be repeated." placeholder:"ROLE"`
	NameFile string   `help:"Read what the person is called from a file (- for standard input). It is sealed, and shown to administrators." placeholder:"FILE"`
}

// Run makes it.
func (cmd AccountAddCmd) Run(ctx context.Context, out *Out) error {
	r := wire.AccountAddRequest{Login: cmd.Login, Roles: cmd.Role}
	if cmd.NameFile != "" {
		var err error
		if r.Name, err = readSecret(out, cmd.NameFile); err != nil {
			return err
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.InviteResponse, error) { return a.AddAccount(ctx, r) }, out.invitation)
}

func (o *Out) invitation(got wire.InviteResponse) {
	o.Say("hand this link to the owner of %s; it works once, until %s, and is not shown again:\n%s", got.Account.Login, got.Until.Local().Format(time.DateTime), got.Link)
}

// AccountListCmd lists the accounts.
type AccountListCmd struct{}

// Run lists them.
func (AccountListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.AccountsResponse, error) { return a.Accounts(ctx) }, func(got wire.AccountsResponse) {
		for _, a := range got.Accounts {
			out.account(a)
		}
	})
}

func (o *Out) account(a wire.Account) {
	o.Say("%-20s  %-8s  %d credentials, %d sessions  %s", a.Login, a.State, len(a.Credentials), a.Sessions, strings.Join(a.Roles, " "))
}

// AccountRolesCmd sets roles.
type AccountRolesCmd struct {
	LoginArg
	Role []string `required:"" sep:"none" help:"As for account add." placeholder:"ROLE"`
}

// Run sets them.
func (cmd AccountRolesCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Account, error) {
		return a.SetAccountRoles(ctx, cmd.Login, wire.AccountRolesRequest{Roles: cmd.Role})
	}, out.account)
}

// AccountInviteCmd makes an invitation.
type AccountInviteCmd struct{ LoginArg }

// Run makes it.
func (cmd AccountInviteCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.InviteResponse, error) { return a.InviteAccount(ctx, cmd.Login) }, out.invitation)
}

// AccountPersonCmd says whose an account is.
type AccountPersonCmd struct {
	LoginArg
	Person string `arg:"" optional:"" help:"Their badge label or id; nothing for nobody."`
}

// Run says it.
func (cmd AccountPersonCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Account, error) {
		return a.SetAccountPerson(ctx, cmd.Login, wire.AccountPersonRequest{Person: cmd.Person})
	}, out.account)
}

// AccountIdentityCmd links an identity.
type AccountIdentityCmd struct {
	LoginArg
	Issuer      string `required:"" help:"The provider, as sign_in.oidc.issuer has it." placeholder:"URL"`
	SubjectFile string `required:"" help:"Read the person's subject there (the claim sub) from a file (- for standard input)." placeholder:"FILE"`
}

// Run links it.
func (cmd AccountIdentityCmd) Run(ctx context.Context, out *Out) error {
	subject, err := readSecret(out, cmd.SubjectFile)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Account, error) {
		return a.LinkIdentity(ctx, cmd.Login, wire.IdentityRequest{Issuer: cmd.Issuer, Subject: subject})
	}, out.account)
}

// AccountDisableCmd disables an account.
type AccountDisableCmd struct{ LoginArg }

// Run disables it.
func (cmd AccountDisableCmd) Run(ctx context.Context, out *Out) error {
	return setDisabled(ctx, out, cmd.Login, true)
}

// AccountEnableCmd enables an account.
type AccountEnableCmd struct{ LoginArg }

// Run enables it.
func (cmd AccountEnableCmd) Run(ctx context.Context, out *Out) error {
	return setDisabled(ctx, out, cmd.Login, false)
}

func setDisabled(ctx context.Context, out *Out, login string, disabled bool) error {
	return answer(ctx, out, func(a api.Admin) (wire.Account, error) {
		return a.DisableAccount(ctx, login, wire.AccountDisableRequest{Disabled: disabled})
	}, out.account)
}

// AccountRemoveCmd removes an account.
type AccountRemoveCmd struct{ LoginArg }

// Run removes it.
func (cmd AccountRemoveCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (map[string]string, error) {
		return map[string]string{"removed": cmd.Login}, a.RemoveAccount(ctx, cmd.Login)
	}, func(map[string]string) { out.Say("the account %s is removed", cmd.Login) })
}
