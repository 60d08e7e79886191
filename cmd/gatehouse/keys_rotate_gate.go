package main

import (
	"context"
	"fmt"
	"time"

	"gatehouse/api"
	"gatehouse/vault"
)

// KeysRotateGateCmd replaces the gate key while the site goes on.
type KeysRotateGateCmd struct{}

// Run begins it, or goes on with it, and shows how far it is.
func (KeysRotateGateCmd) Run(ctx context.Context, out *Out) error {
	return out.withAdmin(ctx, func(a api.Admin) error {
		began, resumed := time.Now(), false
		for {
			p, err := a.RotateGateKey(ctx)
			if err != nil {
				return err
			}
			resumed = resumed || p.Resumed
			if p.Finished {
				break
			}
			fmt.Fprintf(out.Stderr, "%s: %d of %d\n", p.Stage, p.Done, p.All)
		}
		took := time.Since(began)
		if out.JSON {
			return out.Object(map[string]any{"rotated": "gate", "resumed": resumed, "duration_s": took.Seconds()})
		}
		if resumed {
			out.Say("the rotation that was begun before was gone on with")
		}
		out.Say("the gate key is a new one, after %.1f s; the old key opens nothing that is in the data directory from now on", took.Seconds())
		st, err := a.Status(ctx)
		if err != nil {
			return err
		}
		switch vault.Custody(st.Custody) {
		case vault.CustodyKeyFile, vault.CustodySameDisk:
			out.Say("copy its file to where its copy is kept")
		case vault.CustodyCredential:
			out.Say("copy the credential to where its copy is kept")
		}
		return nil
	})
}
