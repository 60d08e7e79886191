package main

import (
	"context"

	"gatehouse"
	"gatehouse/server"
)

// RebuildWorkingSetCmd makes a lost or damaged working set anew from its copies in the
// archive. No server may run.
type RebuildWorkingSetCmd struct {
	CredentialFlags
}

// Run rebuilds.
func (cmd RebuildWorkingSetCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.config()
	if err != nil {
		return err
	}
	var with gatehouse.Credential
	if c.Vault.Elsewhere() {
		if cmd.given() {
			return errElsewhere()
		}
	} else if with, err = cmd.credential(out, "The vault's passphrase: "); err != nil {
		return err
	}
	items, err := server.RebuildWorkingSet(ctx, c, with, warnings(out.Stderr), func(done int) { out.stage("working set", int64(done), 0) })
	if err != nil {
		return err
	}
	if out.JSON {
		return out.Object(map[string]int{"working_items": items})
	}
	out.Say("the working set was made anew: %d items", items)
	return nil
}
