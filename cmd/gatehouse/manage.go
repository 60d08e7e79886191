package main

import (
	"cmp"
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// PeopleCmd lists who and what is enrolled.
type PeopleCmd struct{}

// Run lists, one line a subject.
func (PeopleCmd) Run(ctx context.Context, out *Out) error {
	return out.withAdmin(ctx, func(admin api.Admin) error {
		all := wire.SubjectsResponse{Subjects: []wire.Subject{}}
		var after gatehouse.SubjectID
		for {
			page, err := admin.Subjects(ctx, after, 200)
			if err != nil {
				return err
			}
			if out.JSON {
				all.Subjects = append(all.Subjects, page.Subjects...)
			} else {
				for _, s := range page.Subjects {
					out.subject(s)
				}
			}
			if page.Next.IsZero() {
				break
			}
			after = page.Next
		}
		if out.JSON {
			return out.Object(all)
		}
		return nil
	})
}

func (o *Out) subject(s wire.Subject) {
	var gates []string
	for _, g := range s.Grants {
		gates = append(gates, string(g.Gate)+":"+g.Schedule)
	}
	o.Say("%s  %-7s  %-9s  %-20s  %s", s.ID, s.Kind, s.Status, s.Label, strings.Join(gates, " "))
}

// SubjectArg names a subject.
type SubjectArg struct {
	ID string `arg:"" help:"The subject's id, as 'gatehouse people' shows it."`
}

// change carries out what is done to one subject, and prints what it says then.
func (arg SubjectArg) change(ctx context.Context, out *Out, do func(api.Admin, gatehouse.SubjectID) error, object map[string]any, say string) error {
	id, err := gatehouse.ParseID(arg.ID)
	if err != nil {
		return err
	}
	object["subject"] = id
	return answer(ctx, out, func(a api.Admin) (map[string]any, error) { return object, do(a, id) }, func(map[string]any) { out.Say("%s "+say, id) })
}

// SuspendCmd suspends a subject.
type SuspendCmd struct{ SubjectArg }

// Run suspends.
func (cmd SuspendCmd) Run(ctx context.Context, out *Out) error {
	return cmd.change(ctx, out, func(a api.Admin, id gatehouse.SubjectID) error {
		return a.SetStatus(ctx, id, gatehouse.SuspendedStatus)
	}, map[string]any{"status": gatehouse.SuspendedStatus}, "is suspended")
}

// ReinstateCmd makes a suspended subject active again.
type ReinstateCmd struct{ SubjectArg }

// Run reinstates.
func (cmd ReinstateCmd) Run(ctx context.Context, out *Out) error {
	return cmd.change(ctx, out, func(a api.Admin, id gatehouse.SubjectID) error {
		return a.SetStatus(ctx, id, gatehouse.Active)
	}, map[string]any{"status": gatehouse.Active}, "is active")
}

// ConsentCmd is about a person's consent.
type ConsentCmd struct {
	Withdraw ConsentWithdrawCmd `cmd:"" help:"End a person's consent to face recognition: their templates are removed, their card goes on working."`
}

// ConsentWithdrawCmd ends a consent.
type ConsentWithdrawCmd struct{ SubjectArg }

// Run withdraws.
func (cmd ConsentWithdrawCmd) Run(ctx context.Context, out *Out) error {
	return cmd.change(ctx, out, func(a api.Admin, id gatehouse.SubjectID) error { return a.WithdrawConsent(ctx, id) },
		map[string]any{"face_consent": false}, "opens no door by face any more; the templates are removed")
}

// DeviceCmd enrols devices.
type DeviceCmd struct {
	Add    DeviceAddCmd    `cmd:"" help:"Enrol a device and print its token, once, or with --code a code for a key of its own. A device that is enrolled already gets a new token, and its old one stops working."`
	List   DeviceListCmd   `cmd:"" help:"List the devices, and how each shows who it is."`
	Revoke DeviceRevokeCmd `cmd:"" help:"Refuse a device from its next request on."`
}

// DeviceAddCmd enrols one device.
type DeviceAddCmd struct {
	ID         string `arg:"" help:"Lower-case letters, digits and hyphens."`
	Gate       string `required:"" help:"The gate where it stands."`
	Kind       string `help:"camera, reader, terminal, relay or kiosk." enum:"camera,reader,terminal,relay,kiosk" default:"camera"`
	Source     string `help:"A camera's address (rtsp, http), a video file or a folder; a relay's address."`
	Code       bool   `help:"Print a one-time code in the place of a token: within 15 minutes the device enrols a key of its own with it."`
	SourceFile string `help:"Read the address from a file (- for standard input): it may hold a password, which does not belong on a command line." placeholder:"FILE"`
}

// Run enrols.
func (cmd DeviceAddCmd) Run(ctx context.Context, out *Out) error {
	r := wire.DeviceAddRequest{ID: gatehouse.DeviceID(cmd.ID), Kind: gatehouse.DeviceKind(cmd.Kind), Gate: gatehouse.GateID(cmd.Gate), Source: cmd.Source}
	if cmd.SourceFile != "" {
		var err error
		if r.Source, err = readSecret(out, cmd.SourceFile); err != nil {
			return err
		}
	}
	if cmd.Code {
		return cmd.code(ctx, out, r)
	}
	return answer(ctx, out, func(a api.Admin) (wire.DeviceAddResponse, error) { return a.AddDevice(ctx, r) }, func(got wire.DeviceAddResponse) {
		if got.Again {
			out.Say("%s was enrolled before: its earlier token does not work any more", got.ID)
		}
		out.Say("enrolled %s; its token, shown this once:\n%s", got.ID, got.Token)
	})
}

// UnsealCmd opens the vault of the running server.
type UnsealCmd struct {
	For time.Duration `help:"How long, at most 24h." default:"1h"`
	CredentialFlags
}

// Run unseals.
func (cmd UnsealCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.VaultStatus, error) {
		if s, err := a.Status(ctx); err != nil || s.Vault.Elsewhere {
			return wire.VaultStatus{}, cmp.Or(err, errElsewhere())
		}
		with, err := cmd.credential(out, "Passphrase: ")
		if err != nil {
			return wire.VaultStatus{}, err
		}
		return a.UnsealWith(ctx, with, cmd.For)
	}, out.vault)
}

// SealCmd seals the vault of the running server.
type SealCmd struct{}

// Run seals.
func (SealCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.VaultStatus, error) { return a.Seal(ctx) }, out.vault)
}

func (o *Out) vault(s wire.VaultStatus) {
	if s.Waiting > 0 {
		o.Say("%d chains wait for the vault on the other machine", s.Waiting)
	}
	if s.Away != "" {
		o.Say("%s", s.Away)
		return
	}
	switch {
	case s.Unsealed:
		o.Say("the vault is unsealed until %s", s.Until.Local().Format(time.DateTime))
	case s.Canary:
		o.Say("the vault is shut: a canary was opened or shown. `gatehouse canary status` says by whom; two operators\nlift it, each with `gatehouse canary lift --as NAME`, and then it can be unsealed")
	default:
		o.Say("the vault is sealed")
	}
	if s.Rotating {
		o.Say("the vault's key is open for its rotation, for two minutes more at most where nobody goes on with it")
	}
}

// LinkCmd mints a one-time link.
type LinkCmd struct {
	Account string `help:"Let the owner of this account in, who lost what they sign in with." placeholder:"LOGIN"`
}

// Run prints it.
func (cmd LinkCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.LinkResponse, error) {
		if cmd.Account != "" {
			return a.LinkAccount(ctx, cmd.Account)
		}
		return a.Link(ctx)
	}, func(l wire.LinkResponse) { out.Say("%s", l.Link) })
}

// StatusCmd shows the server's state.
type StatusCmd struct{}

// Run shows it.
func (StatusCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Status, error) { return a.Status(ctx) }, func(s wire.Status) {
		if !s.Running {
			out.Say("no server is running; start it with `gatehouse serve`")
			out.Say("Gatehouse %s, %s/%s, would listen at %s", s.Version, s.Org, s.Site, s.Address)
			out.Say("enrolled %d, gates %d, gate key: %s", s.Enrolled, len(s.Gates), s.Custody)
			out.Say("  %s", s.CustodyMeans)
			return
		}
		out.Say("Gatehouse %s, %s/%s, at %s", s.Version, s.Org, s.Site, s.Address)
		out.Say("enrolled %d, faces available: %t, gate key: %s", s.Enrolled, s.Faces, s.Custody)
		out.Say("  %s", s.CustodyMeans)
		for _, g := range s.Gates {
			out.Say("  %-16s %-5s gate %-8s camera %s", g.ID, g.Kind, g.State, g.Camera)
		}
		out.vault(s.Vault)
		if s.Index != nil {
			out.Say("%s", indexed(s.Index.Indexed, s.Index.Current))
		}
	})
}
