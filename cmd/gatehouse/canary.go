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
	Plant  CanaryPlantCmd  `cmd:"" help:"Plant a made-up person, vehicle or token; opening it shuts the vault."`
	List   CanaryListCmd   `cmd:"" help:"List the canaries; it needs the vault's credential, and is written down."`
	Status CanaryStatusCmd `cmd:"" default:"1" help:"Say whether a canary shut the vault, and who lifts it."`
	Lift   CanaryLiftCmd   `cmd:"" help:"Agree, as one of two operators, that the vault may be unsealed again."`
}

// CanaryPlantCmd plants one.
type CanaryPlantCmd struct {
	CredentialFlags
	Kind  string `arg:"" enum:"person,vehicle,token" help:"person, vehicle or token."`
	Label string `help:"What its badge says; without it one is made up." placeholder:"TEXT"`
	Note  string `help:"Where it was planted, for the list. No personal data." placeholder:"TEXT"`

	Planted string `help:"Enrol the person or vehicle that 'gatehouse vault canary plant' made a canary on the vault's machine; it takes no credential." placeholder:"ID"`
}

// Run plants.
func (cmd CanaryPlantCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.CanaryPlantResponse, error) {
		q := wire.CanaryPlantRequest{Kind: cmd.Kind, Label: cmd.Label, Note: cmd.Note}
		if cmd.Planted != "" {
			var err error
			if q.Planted, err = gatehouse.ParseID(cmd.Planted); err != nil {
				return wire.CanaryPlantResponse{}, err
			}
			return a.PlantCanary(ctx, q) // the vault knows of it: it takes no credential
		}
		with, err := cmd.forVault(out, vaultPrompt)
		if err != nil {
			return wire.CanaryPlantResponse{}, err
		}
		q.With = wire.Shown(with)
		return a.PlantCanary(ctx, q)
	}, func(got wire.CanaryPlantResponse) {
		if got.Token != "" {
			out.Say("put this token where a thief would look; it is shown this once:\n%s", got.Token)
			return
		}
		if got.Label == "" {
			out.Say("%s is a canary from now on; enrol it at the site with: gatehouse canary plant %s --planted %s", got.Subject, got.Kind, got.Subject)
			return
		}
		out.Say("planted %s with the badge %s", got.Subject, got.Label)
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

// AlarmCmd is about alarms.
type AlarmCmd struct {
	Test AlarmTestCmd `cmd:"" help:"Send a test alarm to the log, the webhook and the mailboxes."`
}

// AlarmTestCmd sends one.
type AlarmTestCmd struct{}

// Run sends.
func (AlarmTestCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (map[string]bool, error) { return map[string]bool{"sent": true}, a.TestAlarm(ctx) },
		func(map[string]bool) { out.Say("the alarm is on its way; the log says what became of it") })
}
