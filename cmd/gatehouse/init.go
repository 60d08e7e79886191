package main

import (
	"context"

	"gatehouse"
	"gatehouse/server"
)

// InitCmd makes a site's keys without starting it.
type InitCmd struct {
	PassphraseFile string `help:"Read the vault's passphrase from a file; without it the terminal is asked." placeholder:"FILE"`
}

// Run makes the gate key and the vault key, and says where they are.
func (cmd InitCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.config()
	if err != nil {
		return err
	}
	switch initialized, err := server.Initialized(c); {
	case err != nil:
		return err
	case initialized:
		return gatehouse.Errorf("keys.exist", "run `gatehouse serve`; for another site give another --config with a `data` and `gate_key` of its own",
			"the keys of the site in %s are made already; nothing was changed, its passphrase neither", c.Data)
	}
	passphrase, err := ServeCmd(cmd).passphrase(c, out)
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Stderr: out.Stderr, NewPassphrase: passphrase})
	if err != nil {
		return err
	}
	if err := s.Close(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if out.JSON {
		return out.Object(map[string]string{"data": c.Data, "gate_key": c.GateKey})
	}
	if c.Vault.Elsewhere() {
		out.Say("the gate key is made: %s (keep a copy elsewhere); the vault is on another machine", c.GateKey)
		return nil
	}
	out.Say("the site's keys are made: the gate key is %s (keep a copy elsewhere);\nthe vault's key is in %s, under your passphrase (nobody can recover it)", c.GateKey, c.Data)
	return nil
}
