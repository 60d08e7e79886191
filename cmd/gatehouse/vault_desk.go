package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"gatehouse"
	"gatehouse/server"
	"gatehouse/vault/machine"
)

// What takes the vault's credential is the same command at a site and on the vault's
// machine; here it is told which site's vault it is about.

// VaultBudgetCmd is BudgetCmd on the vault's machine.
type VaultBudgetCmd struct {
	Show AtVault[BudgetShowCmd] `cmd:"" default:"withargs" help:"Show the budgets and what is left of them."`
	Set  AtVault[BudgetSetCmd]  `cmd:"" help:"Set the budgets; it needs the vault's credential."`
}

// VaultOperatorCmd is OperatorCmd on the vault's machine.
type VaultOperatorCmd struct {
	Add    AtVault[OperatorAddCmd]    `cmd:"" help:"Register an operator, who chooses a passphrase of their own."`
	List   AtVault[OperatorListCmd]   `cmd:"" help:"List the operators."`
	Remove AtVault[OperatorRemoveCmd] `cmd:"" help:"Remove an operator."`
}

// VaultCanaryCmd is CanaryCmd on the vault's machine. Operators lift a canary at the
// site, with signatures of their own.
type VaultCanaryCmd struct {
	Plant  AtVault[CanaryPlantCmd]  `cmd:"" help:"Plant a token, or a person or vehicle, which its site then enrols; opening it shuts the vault."`
	List   AtVault[CanaryListCmd]   `cmd:"" help:"List the canaries; it needs the vault's credential, and is written down."`
	Status AtVault[CanaryStatusCmd] `cmd:"" default:"withargs" help:"Say whether a canary shut the vault, and who lifts it."`
}

// VaultKeysCmd is KeysCmd on the vault's machine.
type VaultKeysCmd struct {
	Status     AtVault[KeysStatusCmd]     `cmd:"" default:"withargs" help:"Show which keys there are and what opens them."`
	AddSlot    AtVault[KeysAddSlotCmd]    `cmd:"" help:"Let another passphrase, key file, token or TPM open the vault key."`
	RemoveSlot AtVault[KeysRemoveSlotCmd] `cmd:"" help:"Take away one way to open the vault key."`
	Split      AtVault[KeysSplitCmd]      `cmd:"" help:"Split the vault key into shares, as words and QR codes, for recovery."`
	Export     AtVault[KeysExportCmd]     `cmd:"" help:"Write the vault's keyring into a file for safe keeping; it stays wrapped."`
	Rotate     VaultRotateCmd             `cmd:"" help:"Exchange the vault key that all sites share."`
}

// runner is a command.
type runner interface {
	Run(ctx context.Context, out *Out) error
}

// AtVault is a command that is run on the vault's machine, for one site.
type AtVault[C runner] struct {
	VaultDir
	Site string `help:"Which site's vault; not needed where only one is paired. It stands in that site's audit log." placeholder:"ORG/SITE"`
	Cmd  C      `embed:""`
}

// Run runs it with the machine that serves, or with the one opened here.
func (cmd AtVault[C]) Run(ctx context.Context, out *Out) error {
	dir, err := filepath.Abs(cmd.Dir)
	if err != nil {
		return err
	}
	return cmd.admin(func(a machine.Admin) error {
		place, err := whichSite(ctx, a, cmd.Site)
		if err != nil {
			return err
		}
		there := *out
		there.desk, there.dir = server.MachineDesk(a.Desk(place)), dir
		return cmd.Cmd.Run(ctx, &there)
	})
}

// whichSite is the site of a name, or the only one that is paired.
func whichSite(ctx context.Context, a machine.Admin, name string) (gatehouse.Place, error) {
	if name != "" {
		return machine.ParsePlace(name)
	}
	gates, err := a.Status(ctx)
	if err != nil {
		return gatehouse.Place{}, err
	}
	var names []string
	for _, g := range gates {
		names = append(names, fmt.Sprintf("--site %s/%s", g.Org, g.Site))
	}
	switch len(gates) {
	case 0:
		return gatehouse.Place{}, gatehouse.Errorf("gate.none", "pair one with `gatehouse vault pair`", "no gate is paired with this vault")
	case 1:
		return gates[0].Place(), nil
	}
	return gatehouse.Place{}, gatehouse.Errorf("vault.site", "say which: "+strings.Join(names, ", "), "%d sites are paired with this vault", len(gates))
}
