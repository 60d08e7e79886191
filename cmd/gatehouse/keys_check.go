package main

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// KeysCheckCmd checks the key store. Its seeds are opened while the vault is unsealed,
// or with a credential where no server runs.
type KeysCheckCmd struct{ CredentialFlags }

// Run checks; the exit status is 1 where a row is damaged.
func (cmd KeysCheckCmd) Run(ctx context.Context, out *Out) error {
	var r wire.KeysCheckRequest
	if cmd.given() {
		with, err := cmd.credential(out, "Passphrase: ")
		if err != nil {
			return err
		}
		r.With = wire.Shown(with)
	}
	ok := false
	err := answer(ctx, out, func(a api.Admin) (wire.KeysCheck, error) {
		c, err := a.CheckKeys(ctx, r)
		ok = c.OK
		return c, err
	}, func(c wire.KeysCheck) {
		for _, d := range c.Damaged {
			out.damagedKey(d)
		}
		if c.Pages != "" {
			out.Say("%s", c.Pages)
		}
		how := "their seeds were opened"
		if !c.Opened {
			how = "the vault is sealed: their seeds were not opened"
		}
		out.Say("%d of %d rows of the key store are sound (%s); what was sealed under them can be read", c.Readable, c.Rows, how)
		if !c.OK {
			out.Say("damaged are rows of %d subjects and %d days", c.Subjects, c.Days)
		}
	})
	if err == nil && !ok {
		err = gatehouse.Errorf("keys.damaged", "restore a backup from before the damage beside this site (`gatehouse restore --data`) and check its key store too", "the key store is damaged")
	}
	return err
}

func (o *Out) damagedKey(d wire.DamagedKey) {
	of := ""
	switch {
	case !d.Subject.IsZero():
		of = " of subject " + d.Subject.String()
	case d.Day != "":
		of = " of the day " + d.Day + " (" + string(d.Class) + ")"
	}
	if d.Last > d.First {
		o.Say("rows %d to %d%s: each %s", d.First, d.Last, of, d.What)
		return
	}
	o.Say("row %d%s %s", d.First, of, d.What)
}
