package main

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/vault/approval"
)

// CanaryCmd is about people, vehicles and tokens that nobody has a reason to open.
type CanaryCmd struct {
	Spare  CanarySpareCmd  `cmd:"" help:"Enrol a made-up person or vehicle, who can become a canary later."`
	Plant  CanaryPlantCmd  `cmd:"" help:"Make canaries of made-up subjects, or plant a token; opening one shuts the vault."`
	List   CanaryListCmd   `cmd:"" help:"List the canaries; it needs the vault's credential, and is written down."`
	Status CanaryStatusCmd `cmd:"" default:"1" help:"Say whether a canary shut the vault, and who lifts it."`
	Lift   CanaryLiftCmd   `cmd:"" help:"Agree, as one of two operators, that the vault may be unsealed again."`
}

// CanarySpareCmd enrols somebody made up.
type CanarySpareCmd struct {
	Kind  string `arg:"" enum:"person,vehicle" help:"person or vehicle."`
	Label string `help:"What its badge says; without it one is made up." placeholder:"TEXT"`
}

// Run enrols.
func (cmd CanarySpareCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.CanarySpareResponse, error) {
		return a.SpareCanary(ctx, wire.CanarySpareRequest{Kind: cmd.Kind, Label: cmd.Label})
	}, func(got wire.CanarySpareResponse) {
		out.Say("enrolled %s with the badge %s; `gatehouse canary plant %s` makes it a canary, on another day", got.Subject, got.Label, got.Subject)
	})
}

// CanaryPlantCmd plants some.
type CanaryPlantCmd struct {
	CredentialFlags
	What []string `arg:"" help:"Subjects' ids, made up with 'gatehouse canary spare', or token."`
	Note string   `help:"Where it was planted, for the list. No personal data." placeholder:"TEXT"`
}

// Run plants.
func (cmd CanaryPlantCmd) Run(ctx context.Context, out *Out) error {
	r := wire.CanaryPlantRequest{Note: cmd.Note}
	if len(cmd.What) != 1 || cmd.What[0] != "token" {
		for _, text := range cmd.What {
			id, err := gatehouse.ParseID(text)
			if err != nil {
				return err
			}
			r.Subjects = append(r.Subjects, id)
		}
	}
	return atDesk(ctx, out, func(a api.Desk) (wire.CanaryPlantResponse, error) {
		with, err := cmd.forVault(out, vaultPrompt)
		if err != nil {
			return wire.CanaryPlantResponse{}, err
		}
		r.With = wire.Shown(with)
		return a.PlantCanary(ctx, r)
	}, func(got wire.CanaryPlantResponse) {
		if got.Token != "" {
			out.Say("put this token where a thief would look; it is shown this once:\n%s", got.Token)
			return
		}
		out.Say("planted: %d", got.Planted)
	})
}

// CanaryListCmd lists them.
type CanaryListCmd struct{ CredentialFlags }

// Run lists.
func (cmd CanaryListCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.CanariesResponse, error) {
		with, err := cmd.forVault(out, vaultPrompt)
		if err != nil {
			return wire.CanariesResponse{}, err
		}
		return a.Canaries(ctx, wire.CanariesRequest{With: wire.Shown(with)})
	}, func(r wire.CanariesResponse) {
		for _, c := range r.Canaries {
			id := c.Subject.String()
			if c.Subject.IsZero() {
				id = "-"
			}
			out.Say("%-32s  %-7s  %s  %s", id, c.Kind, c.Planted.Local().Format(time.DateTime), c.Note)
		}
	})
}

// CanaryStatusCmd says whether the vault is shut.
type CanaryStatusCmd struct{}

// Run says it.
func (CanaryStatusCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.CanaryStatus, error) { return a.CanaryStatus(ctx) }, out.canary)
}

func (o *Out) canary(s wire.CanaryStatus) {
	if !s.Shut {
		o.Say("no canary shut the vault")
		return
	}
	who := "session " + s.Operator + " opened a canary, purpose " + s.Purpose
	if s.Device != "" {
		who = "a canary token was shown as device " + s.Device
	}
	o.Say("the vault is shut since %s: %s", s.At.Local().Format(time.DateTime), who)
	o.Say("%d of 2 operators have signed that it may be unsealed again: %v", len(s.Lifted), s.Lifted)
}

// CanaryLiftCmd signs for lifting.
type CanaryLiftCmd struct{ Signer }

// Run signs. With the second signature the vault can be unsealed again.
func (cmd CanaryLiftCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.CanaryStatus, error) {
		s, err := a.CanaryStatus(ctx)
		if err != nil || !s.Shut {
			return s, err
		}
		signature, err := cmd.sign(ctx, out, a, approval.LiftCanary, s.Vault, s.Trip, nil)
		if err != nil {
			return s, err
		}
		return a.LiftCanary(ctx, wire.SignedRequest{ID: s.Trip, Operator: cmd.As, Signature: signature})
	}, func(s wire.CanaryStatus) {
		out.canary(s)
		if s.Shut && len(s.Lifted) >= 2 {
			out.Say("the vault can be unsealed now")
		}
	})
}
