package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/vault/machine"
)

// VaultRotateCmd exchanges the keys of a vault on a machine of its own.
type VaultRotateCmd struct {
	Vault VaultRotateVaultCmd `cmd:"" help:"The vault key that all sites share: every chain of every site is sealed to a new one, and the gates take it over. May be interrupted; the same command goes on with it."`
}

// VaultRotateVaultCmd is KeysRotateVaultCmd for all sites of a machine.
type VaultRotateVaultCmd struct {
	VaultDir
	CredentialFlags
}

// rotatedShared is what the command prints as JSON.
type rotatedShared struct {
	rotated
	Done    bool     `json:"done"`
	Awaited []string `json:"awaited"` // ORG/SITE of gates that have not taken over the new key
}

// Run exchanges it.
func (cmd VaultRotateVaultCmd) Run(ctx context.Context, out *Out) error {
	with, err := cmd.credential(out, vaultPrompt)
	if err != nil {
		return err
	}
	defer clear(with.Secret)
	return cmd.admin(func(a machine.Admin) error {
		began := time.Now()
		bars := &siteMeters{out: out}
		all, err := a.RotateKey(ctx, with, bars.tell)
		bars.end()
		if err != nil {
			if all.To != "" {
				fmt.Fprintln(out.Stderr, "the rotation is not finished; nothing is lost, and the same command goes on with it")
			}
			return err
		}
		done := rotatedShared{rotated: rotated{From: all.From, To: all.To, Resumed: all.Resumed, Moved: all.Moved, Damaged: all.Damaged, Seconds: time.Since(began).Seconds()}, Done: all.Done, Awaited: []string{}}
		for _, place := range all.Awaited {
			done.Awaited = append(done.Awaited, fmt.Sprintf("%s/%s", place.Org, place.Site))
		}
		if all.OtherSlots > 0 {
			fmt.Fprintf(out.Stderr, "%d other slots opened the old key and do not open the new one: add them again with `gatehouse vault keys add-slot`\n", all.OtherSlots)
		}
		fmt.Fprintln(out.Stderr, "shares and exports of the old key open nothing that is sealed from now on: make new ones")
		if out.JSON {
			if err := out.Object(done); err != nil {
				return err
			}
		}
		switch {
		case all.Damaged > 0:
			return gatehouse.Errorf("vault.chains_damaged", "restore the key store from a backup, or wait until they expire, and run the same command again",
				"%d chains of the key stores do not open and could not be moved; the old key is kept for them", all.Damaged)
		case len(all.Awaited) > 0:
			return gatehouse.Errorf("vault.gates_away", "run the same command again when they are back; a gate that will not come back is taken out with `gatehouse vault revoke`, and what it has not delivered is lost then",
				"the vault key is %s, and the old one is kept for what these gates may bring: %s", all.To, strings.Join(done.Awaited, ", "))
		}
		out.Say("the vault key is %s now; %s is retired, %d chains were moved in %.1f s", all.To, all.From, all.Moved, done.Seconds)
		return nil
	})
}

// siteMeters show one site's rows after the other's.
type siteMeters struct {
	out   *Out
	place gatehouse.Place
	bar   *meter
}

func (m *siteMeters) tell(s machine.RotationStep) {
	if m.bar == nil || m.place != s.Place {
		m.end()
		m.place, m.bar = s.Place, newMeter(m.out, fmt.Sprintf("chains of %s/%s", s.Place.Org, s.Place.Site), s.Done+s.Left)
	}
	m.bar.at(s.Done, s.Left)
}

func (m *siteMeters) end() {
	if m.bar != nil {
		m.bar.end()
	}
}
