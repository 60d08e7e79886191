package main

import (
	"context"

	"gatehouse"
	"gatehouse/server"
)

// InitCmd makes a site's keys without starting it.
type InitCmd struct{ CredentialFlags }

// Run makes the gate key and the vault key, and says where they are.
func (cmd InitCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.newSite()
	if err != nil {
		return err
	}
	if c.Vault.Elsewhere() {
		if cmd.given() {
			return errElsewhere()
		}
		return out.makeKeys(ctx, c, gatehouse.Credential{})
	}
	if !cmd.given() {
		out.firstStart()
	}
	with, err := cmd.newCredential(out, c.Data)
	if err != nil {
		return err
	}
	return out.makeKeys(ctx, c, with)
}

// makeKeys makes a site's keys, the vault's in a slot that with opens.
func (o *Out) makeKeys(ctx context.Context, c server.Config, with gatehouse.Credential) error {
	s, err := server.Open(ctx, c, server.Options{Stderr: o.Stderr, NewCredential: with})
	if err != nil {
		return err
	}
	if err := s.Close(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if o.JSON {
		return o.Object(map[string]string{"data": c.Data, "gate_key": c.GateKey})
	}
	if c.Vault.Elsewhere() {
		o.Say("the gate key is made: %s (keep a copy elsewhere); the vault is on another machine", c.GateKey)
		return nil
	}
	o.Say("the site's keys are made: the gate key is %s (keep a copy elsewhere);\nthe vault's key is in %s, under your %s (nobody can recover it)", c.GateKey, c.Data, with.Kind.Name())
	return nil
}

// newSite reads the configuration of a site that has no keys yet.
func (o *Out) newSite() (server.Config, error) {
	c, err := o.config()
	if err != nil {
		return c, err
	}
	initialized, err := server.Initialized(c)
	if err == nil && initialized {
		err = gatehouse.Errorf("keys.exist", "run `gatehouse serve`; for another site give another --config with a `data` and `gate_key` of its own",
			"the keys of the site in %s are made already; nothing was changed, its passphrase neither", c.Data)
	}
	return c, err
}
