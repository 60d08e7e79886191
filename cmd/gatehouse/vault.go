package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/vault"
	"gatehouse/vault/machine"
)

// VaultCmd is about a vault on a machine of its own. All of it is run there.
type VaultCmd struct {
	Init   VaultInitCmd   `cmd:"" help:"Make the vault's keys in a directory of this machine."`
	Serve  VaultServeCmd  `cmd:"" help:"Answer the gates that were paired, over mutual TLS."`
	Pair   VaultPairCmd   `cmd:"" help:"Write the identity with which one site's gate may use this vault. A site that is paired again gets a new one, and its old one is refused."`
	Revoke VaultRevokeCmd `cmd:"" help:"Refuse a site's gate from now on."`
	Unseal VaultUnsealCmd `cmd:"" help:"Open the vault for a stated time; the gates take it up by themselves."`
	Seal   VaultSealCmd   `cmd:"" help:"Seal the vault now."`
	Status VaultStatusCmd `cmd:"" help:"Show which gates are paired, connected and unsealed."`

	Budget   VaultBudgetCmd   `cmd:"" help:"Show or set what may be disclosed of a site."`
	Operator VaultOperatorCmd `cmd:"" help:"Add or remove a site's operators."`
	Canary   VaultCanaryCmd   `cmd:"" help:"Plant or list a site's canaries."`
	Keys     VaultKeysCmd     `cmd:"" help:"The vault's own keys, which all its sites share."`
}

func errElsewhere() error {
	return gatehouse.Errorf("vault.elsewhere", "on the vault's machine, run `gatehouse vault unseal`, or `gatehouse vault budget|operator|canary|keys`; what opens the vault belongs nowhere else", "this site's vault is on another machine")
}

// VaultDir names the machine's directory.
type VaultDir struct {
	Dir string `help:"The vault's directory on this machine." required:"" placeholder:"DIR"`
}

// admin calls f with the machine that serves, or with the one opened here.
func (d VaultDir) admin(f func(machine.Admin) error) error {
	a, done, err := machine.Dial(machine.Options{Dir: d.Dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(f(a), done())
}

// VaultInitCmd makes a machine's keys.
type VaultInitCmd struct {
	VaultDir
	ServiceKey string `help:"Where the key of this machine's files is put, outside of DIR; by default beside it." placeholder:"FILE"`
	CredentialFlags
}

// Run makes them.
func (cmd VaultInitCmd) Run(ctx context.Context, out *Out) error {
	key := cmd.ServiceKey
	if key == "" {
		key = filepath.Clean(cmd.Dir) + "-service.key"
	}
	switch exists, err := vault.Exists(cmd.Dir); {
	case err != nil:
		return err
	case exists: // said before anybody is asked for a passphrase
		return gatehouse.Errorf("vault.exists", "use it, or name another directory", "there is a vault in this directory already; nothing was changed, its passphrase neither")
	}
	with, err := cmd.newCredential(out, cmd.Dir)
	if err != nil {
		return err
	}
	defer clear(with.Secret)
	if err := machine.Init(ctx, cmd.Dir, key, with); err != nil {
		return err
	}
	if out.JSON {
		return out.Object(map[string]string{"dir": cmd.Dir, "service_key": key})
	}
	out.Say("the vault is in %s, under your %s (without it nobody can open it);\nthe key of its files is %s (keep a copy elsewhere). Pair its gates with `gatehouse vault pair`.", cmd.Dir, with.Kind.Name(), key)
	return nil
}

// VaultServeCmd serves.
type VaultServeCmd struct {
	VaultDir
	Listen string `help:"HOST:PORT; any address will do, since nobody gets in without an identity." default:"localhost:7443"`
}

// Run serves until it is interrupted.
func (cmd VaultServeCmd) Run(ctx context.Context, out *Out) error {
	if err := vault.Harden(); err != nil {
		return err
	}
	m, err := machine.Open(machine.Options{Dir: cmd.Dir, Log: slog.New(slog.NewTextHandler(out.Stderr, nil))})
	if err != nil {
		return err
	}
	err = m.Serve(ctx, cmd.Listen, func(a net.Addr) {
		out.Say("the vault serves at %s, sealed; open it with `gatehouse vault unseal`", a)
	})
	return errors.Join(err, m.Close())
}

// SiteArg names a site.
type SiteArg struct {
	Site string `arg:"" help:"ORGANIZATION/SITE, as they stand in the gate's gatehouse.yml."`
}

// VaultPairCmd pairs a gate.
type VaultPairCmd struct {
	VaultDir
	SiteArg
	Address string        `help:"HOST:PORT under which the gate reaches this machine." required:""`
	Out     string        `help:"The file to write; bring it to the gate's machine, where vault.identity names it. It holds a private key." required:"" placeholder:"FILE"`
	For     time.Duration `help:"How long the identity is good for, at most five years." default:"17520h"`
}

// Run pairs.
func (cmd VaultPairCmd) Run(ctx context.Context, out *Out) error {
	place, err := machine.ParsePlace(cmd.Site)
	if err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(cmd.Address); err != nil {
		return gatehouse.Errorf("request.malformed", "write it as HOST:PORT", "this is no address")
	}
	// A pairing ends the identity before it, so what cannot be written is not begun.
	f, err := os.OpenFile(cmd.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return gatehouse.Errorf("identity.exists", "name another file", "there is a file in the place of the new identity; nothing was changed")
	case err != nil:
		return gatehouse.Errorf("identity.failed", "check that its directory can be written", "the identity cannot be written: %w", err)
	}
	err = cmd.admin(func(a machine.Admin) error {
		b, err := a.Pair(ctx, machine.PairRequest{Place: place, Address: cmd.Address, Lasts: cmd.For})
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		return errors.Join(err, f.Sync())
	})
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(cmd.Out))
	}
	if out.JSON {
		return out.Object(map[string]string{"site": cmd.Site, "identity": cmd.Out})
	}
	out.Say("paired with %s; bring %s to its machine (it holds a private key) and name it there as vault.identity", cmd.Site, cmd.Out)
	return nil
}

// VaultRevokeCmd ends an identity.
type VaultRevokeCmd struct {
	VaultDir
	SiteArg
}

// Run revokes.
func (cmd VaultRevokeCmd) Run(ctx context.Context, out *Out) error {
	place, err := machine.ParsePlace(cmd.Site)
	if err != nil {
		return err
	}
	if err := cmd.admin(func(a machine.Admin) error { return a.Revoke(ctx, place) }); err != nil {
		return err
	}
	if out.JSON {
		return out.Object(map[string]any{"site": cmd.Site, "revoked": true})
	}
	out.Say("%s is refused from now on", cmd.Site)
	return nil
}

// sites reads the sites that a command is limited to.
func sites(names []string) (places []gatehouse.Place, err error) {
	for _, name := range names {
		place, err := machine.ParsePlace(name)
		if err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, nil
}

// VaultUnsealCmd opens the vault.
type VaultUnsealCmd struct {
	VaultDir
	For     time.Duration `help:"How long, at most 24h." default:"1h"`
	Site    []string      `help:"Only for this site; may stand more than once." placeholder:"ORG/SITE"`
	Rebuild bool          `help:"Only let the gates rebuild their working sets, once, within the hour."`
	CredentialFlags
}

// Run unseals.
func (cmd VaultUnsealCmd) Run(ctx context.Context, out *Out) error {
	if cmd.For <= 0 || cmd.For > 24*time.Hour {
		return gatehouse.Errorf("vault.duration", "say up to 24 hours", "the vault cannot be unsealed for that long")
	}
	places, err := sites(cmd.Site)
	if err != nil {
		return err
	}
	with, err := cmd.credential(out, "Passphrase: ")
	if err != nil {
		return err
	}
	defer clear(with.Secret)
	return cmd.admin(func(a machine.Admin) error {
		if err := a.Unseal(ctx, machine.UnsealRequest{Places: places, Lasts: cmd.For, Rebuild: cmd.Rebuild}, with); err != nil {
			return err
		}
		return out.machine(ctx, a)
	})
}

// VaultSealCmd seals the vault.
type VaultSealCmd struct {
	VaultDir
	Site []string `help:"Only for this site; may stand more than once." placeholder:"ORG/SITE"`
}

// Run seals.
func (cmd VaultSealCmd) Run(ctx context.Context, out *Out) error {
	places, err := sites(cmd.Site)
	if err != nil {
		return err
	}
	return cmd.admin(func(a machine.Admin) error {
		if err := a.Seal(ctx, places); err != nil {
			return err
		}
		return out.machine(ctx, a)
	})
}

// VaultStatusCmd shows the state.
type VaultStatusCmd struct{ VaultDir }

// Run shows it.
func (cmd VaultStatusCmd) Run(ctx context.Context, out *Out) error {
	return cmd.admin(func(a machine.Admin) error { return out.machine(ctx, a) })
}

// machine prints one line a gate.
func (o *Out) machine(ctx context.Context, a machine.Admin) error {
	gates, err := a.Status(ctx)
	if err != nil {
		return err
	}
	if o.JSON {
		return o.Object(map[string]any{"gates": append([]machine.GateStatus{}, gates...)})
	}
	for _, g := range gates {
		state := "sealed"
		switch {
		case g.Revoked:
			state = "revoked"
		case !g.Serving:
			state = "not running"
		case g.Unsealed:
			state = fmt.Sprintf("unsealed until %s", g.Until.Local().Format(time.DateTime))
		}
		link := "away"
		if g.Connected {
			link = "connected"
		}
		o.Say("%s/%s  %-9s  %s; its identity is good until %s", g.Org, g.Site, link, state, g.Expires.Local().Format(time.DateOnly))
	}
	if len(gates) == 0 {
		o.Say("no gate is paired; see `gatehouse vault pair`")
	}
	return nil
}
