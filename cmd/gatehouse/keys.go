package main

import (
	"context"
	"time"

	"gatehouse/api"
	"gatehouse/api/wire"
)

// KeysCmd is about the site's keys.
type KeysCmd struct {
	Init       KeysInitCmd       `cmd:"" help:"Make a site's keys, the vault's under a passphrase, key file, token or TPM."`
	Status     KeysStatusCmd     `cmd:"" help:"Show which keys there are, what opens them, and how the gate key is kept."`
	Check      KeysCheckCmd      `cmd:"" help:"Look at every row of the key store: which are damaged, and whose they are."`
	AddSlot    KeysAddSlotCmd    `cmd:"" help:"Let another passphrase, key file, token or TPM open the vault key."`
	RemoveSlot KeysRemoveSlotCmd `cmd:"" help:"Take away one way to open the vault key."`
	Split      KeysSplitCmd      `cmd:"" help:"Split the vault key into shares, as words and QR codes, for recovery."`
	Combine    KeysCombineCmd    `cmd:"" help:"Combine shares: the vault gets a new passphrase, key file, token or TPM."`
	Rotate     KeysRotateCmd     `cmd:"" help:"Exchange a key for a new one while the gates go on."`
	Export     KeysExportCmd     `cmd:"" help:"Write the vault's keyring into a file for safe keeping; it stays wrapped."`
	Import     KeysImportCmd     `cmd:"" help:"Put back a keyring that was exported, where it was lost."`

	RebuildWorkingSet RebuildWorkingSetCmd `cmd:"" help:"Make a lost or damaged working set anew, from its copies in the archive."`
}

// KeysInitCmd makes a site's keys.
type KeysInitCmd struct{ CredentialFlags }

// Run makes them.
func (cmd KeysInitCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.newSite()
	if err != nil {
		return err
	}
	with, err := cmd.newCredential(out, c.Data)
	if err != nil {
		return err
	}
	return out.makeKeys(ctx, c, with)
}

// KeysStatusCmd shows the keys.
type KeysStatusCmd struct{}

// Run shows them.
func (KeysStatusCmd) Run(ctx context.Context, out *Out) error {
	goOn := "gatehouse keys rotate vault"
	if out.desk != nil {
		goOn = "gatehouse vault keys rotate vault"
	}
	return atDesk(ctx, out, func(a api.Desk) (wire.KeysStatus, error) { return a.KeysStatus(ctx) }, func(s wire.KeysStatus) {
		active := 0
		for _, k := range s.Keys {
			state := "earlier"
			switch {
			case !k.Retired.IsZero():
				state = "retired " + k.Retired.Local().Format(time.DateOnly)
			case k.Name == s.Current:
				state = "current"
			}
			if k.Retired.IsZero() {
				active++
			}
			out.Say("vault key %s  made %s  %s  %d chains", k.Name, k.Created.Local().Format(time.DateOnly), state, k.Chains)
			for _, slot := range k.Slots {
				out.Say("  slot %s  %-10s  made %s  %s", slot.ID, slot.Kind, slot.Created.Local().Format(time.DateOnly), slot.Label)
			}
		}
		if active > 1 {
			out.Say("a rotation was begun and is not finished: %s", goOn)
		}
		if s.GateCustody != "" {
			out.Say("gate key: %s\n  %s", s.GateCustody, s.GateCustodyMeans)
		}
	})
}

// KeysAddSlotCmd adds a slot: --new-… names what shall open the key too, a new
// passphrase where nothing is named.
type KeysAddSlotCmd struct {
	CredentialFlags
	New   CredentialFlags `embed:"" prefix:"new-"`
	Label string          `help:"What it is, in a few words; everybody who can read the files sees it." placeholder:"TEXT"`
}

// Run adds it.
func (cmd KeysAddSlotCmd) Run(ctx context.Context, out *Out) error {
	dir, err := out.protected()
	if err != nil {
		return err
	}
	return atDesk(ctx, out, func(a api.Desk) (wire.AddSlotResponse, error) {
		with, err := cmd.forVault(out, "Passphrase: ")
		if err != nil {
			return wire.AddSlotResponse{}, err
		}
		added, err := cmd.New.newCredential(out, dir)
		if err != nil {
			return wire.AddSlotResponse{}, err
		}
		return a.AddSlot(ctx, wire.AddSlotRequest{With: wire.Shown(with), New: wire.Shown(added), Label: cmd.Label})
	}, func(got wire.AddSlotResponse) { out.Say("the vault key has a new slot: %s", got.Slot) })
}

// KeysRemoveSlotCmd removes a slot.
type KeysRemoveSlotCmd struct {
	Slot string `arg:"" help:"The slot, as 'gatehouse keys status' names it."`
	CredentialFlags
}

// Run removes it.
func (cmd KeysRemoveSlotCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (map[string]string, error) {
		with, err := cmd.forVault(out, "Passphrase of a slot that stays: ")
		if err != nil {
			return nil, err
		}
		return map[string]string{"removed": cmd.Slot}, a.RemoveSlot(ctx, cmd.Slot, wire.RemoveSlotRequest{With: wire.Shown(with)})
	}, func(map[string]string) {
		out.Say("slot %s is removed; in copies of the keyring it still opens this key, until the key is rotated", cmd.Slot)
	})
}
