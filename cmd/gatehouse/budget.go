package main

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// BudgetCmd is about what may be disclosed.
type BudgetCmd struct {
	Show BudgetShowCmd `cmd:"" default:"1" help:"Show the budgets and what is left of them."`
	Set  BudgetSetCmd  `cmd:"" help:"Set the budgets; it needs the vault's credential."`
}

// BudgetShowCmd shows the budgets.
type BudgetShowCmd struct{}

// Run shows.
func (BudgetShowCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.Budget, error) { return a.Budget(ctx) }, out.budget)
}

// BudgetSetCmd sets the budgets. What is left out stays.
type BudgetSetCmd struct {
	CredentialFlags
	OperatorHour     int  `help:"Units of one operator within an hour."`
	OperatorDay      int  `help:"Units of one operator within a day."`
	RoleHour         int  `help:"Units of a role within an hour."`
	RoleDay          int  `help:"Units of a role within a day."`
	OrganizationHour int  `help:"Units of everybody together within an hour."`
	OrganizationDay  int  `help:"Units of everybody together within a day."`
	LiveHour         int  `help:"Units of one live window within an hour."`
	LiveDay          int  `help:"Units of one live window within a day."`
	Anew             bool `help:"Begin without canaries and operators, and with everything spent, where what controls disclosures was lost."`
}

// Run sets.
func (cmd BudgetSetCmd) Run(ctx context.Context, out *Out) error {
	limits := wire.Limits{Operator: wire.Limit{Hour: cmd.OperatorHour, Day: cmd.OperatorDay}, Role: wire.Limit{Hour: cmd.RoleHour, Day: cmd.RoleDay},
		Organization: wire.Limit{Hour: cmd.OrganizationHour, Day: cmd.OrganizationDay}, Live: wire.Limit{Hour: cmd.LiveHour, Day: cmd.LiveDay}}
	if limits == (wire.Limits{}) && !cmd.Anew {
		return gatehouse.Errorf("budget.nothing", "name what is to change, for example --operator-hour 500", "there is nothing to set")
	}
	return atDesk(ctx, out, func(a api.Desk) (wire.Budget, error) {
		with, err := cmd.forVault(out, vaultPrompt)
		if err != nil {
			return wire.Budget{}, err
		}
		return a.SetBudget(ctx, wire.BudgetSetRequest{With: wire.Shown(with), Anew: cmd.Anew, Limits: limits})
	}, out.budget)
}

func (o *Out) budget(b wire.Budget) {
	if !b.Known {
		o.Say("the budgets are sealed with the vault: unseal it once to see them")
		return
	}
	o.Say("%-14s %10s %10s", "units within", "an hour", "a day")
	for _, l := range []struct {
		name       string
		set, force wire.Limit
	}{{"operator", b.Set.Operator, b.Limits.Operator}, {"role", b.Set.Role, b.Limits.Role}, {"organization", b.Set.Organization, b.Limits.Organization}, {"live", b.Set.Live, b.Limits.Live}} {
		note := ""
		if l.set != l.force {
			note = "  lowered by the configuration"
		}
		o.Say("%-14s %10d %10d%s", l.name, l.force.Hour, l.force.Day, note)
	}
	for _, l := range b.Left {
		if l.Scope == "organization" {
			o.Say("%d left of the organization's %s", l.Units, l.Window)
		}
	}
}
