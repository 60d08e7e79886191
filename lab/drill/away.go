package drill

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/internal/sealeddb"
	"gatehouse/server"
	"gatehouse/vault"
	"gatehouse/vault/machine"
)

// A site whose vault is on another machine is drilled with a machine of the drill's own:
// another process, with a directory of its own, which is none of what is stolen. The
// thief of the gate's server gets everything of the gate's side; one of the whole disk
// has its identity, too, and plays the gate with it.

// away is the drill's vault's machine.
type away struct {
	dir, serviceKey, tmp string
	with                 gatehouse.Credential // opens it
	address              string
	process              *machine.Child
	admin                machine.Admin
	done                 func() error
}

// moveAway makes the machine, and gives the copy's site to it.
func (d *drill) moveAway(ctx context.Context) error {
	d.say("starting a vault's machine beside the copy")
	a := &away{dir: filepath.Join(d.root, "m"), serviceKey: filepath.Join(d.root, "m-service.key"), tmp: filepath.Join(d.root, "m-tmp"), address: "127.0.0.1:0",
		with: gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: make([]byte, sha256.Size)}}
	_, _ = rand.Read(a.with.Secret) // never fails since Go 1.24
	if err := os.Mkdir(a.tmp, 0o700); err != nil {
		return err
	}
	if err := machine.Init(ctx, a.dir, a.serviceKey, a.with); err != nil {
		return err
	}
	d.away, d.report.Elsewhere = a, true
	if err := a.start(); err != nil {
		return err
	}
	identity, err := a.admin.Pair(ctx, machine.PairRequest{Place: d.place(), Address: a.address, Lasts: 24 * time.Hour})
	if err != nil {
		return err
	}
	d.config.Vault.Identity, d.config.Vault.Remote = filepath.Join(d.root, "keys", "identity.json"), ""
	return os.WriteFile(d.config.Vault.Identity, identity, 0o600)
}

// changeMachine gives a copy the drill's machine in the place of its site's own, which a
// drill may not use.
func (d *drill) changeMachine(ctx context.Context) error {
	if err := d.moveAway(ctx); err != nil {
		return err
	}
	identity, err := vault.ReadIdentity(d.config.Vault.Identity, d.config.Data)
	if err != nil {
		return err
	}
	for _, pattern := range []string{"vault.pub*", "spool.db", "spool.db-*"} {
		files, err := filepath.Glob(filepath.Join(d.config.Data, "vault", pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	if err := identity.Pin(filepath.Join(d.config.Data, "vault")); err != nil {
		return err
	}
	d.report.note("the site's vault is on another machine, which a drill may not use: the copy has one of its own, and what the site had sealed before opens with neither")
	return nil
}

func (a *away) start() (err error) {
	if a.process, err = machine.StartChild(a.dir, a.address, a.tmp); err != nil {
		return err
	}
	a.address = a.process.Address
	a.admin, a.done, err = machine.Dial(machine.Options{Dir: a.dir, Log: slog.New(slog.DiscardHandler)})
	return err
}

// stop is fine for one that does not run.
func (a *away) stop() error {
	if a == nil || a.process == nil {
		return nil
	}
	var err error
	if a.done != nil {
		err = a.done()
	}
	a.done = nil
	return errors.Join(err, a.process.Stop())
}

func (a *away) unseal(ctx context.Context) error {
	return a.admin.Unseal(ctx, machine.UnsealRequest{Lasts: time.Hour}, a.with)
}

// credential opens the copy's vault.
func (d *drill) credential() gatehouse.Credential {
	if d.away != nil {
		return d.away.with
	}
	return gatehouse.Passphrase(d.Passphrase)
}

// desk is where the copy's vault takes it.
func (d *drill) desk() api.Desk {
	if d.away != nil {
		return server.MachineDesk(d.away.admin.Desk(d.place()))
	}
	return d.server.Admin()
}

// unseal opens the copy's vault, where something that does is known.
func (d *drill) unseal(ctx context.Context) error {
	switch {
	case d.away != nil:
		if err := d.away.unseal(ctx); err != nil {
			return err
		}
		for try := 0; !d.unsealed; try++ { // the site takes the lease up by itself
			status, err := d.server.Admin().Status(ctx)
			if err != nil {
				return err
			}
			if d.unsealed = status.Vault.Unsealed; !d.unsealed && try == recoverTries {
				return gatehouse.Errorf("drill.sealed", "this is a fault of the drill, or of the vault's machine", "the copy does not notice that its vault was unsealed")
			}
			if err := wait(ctx, recoverPause); err != nil {
				return err
			}
		}
		return wait(ctx, 2*time.Second) // it claims every second
	case len(d.Passphrase) > 0:
		if err := d.server.Unseal(ctx, d.Passphrase); err != nil {
			return err
		}
		d.unsealed = true
	default:
		d.report.note("no passphrase was given: the copy's vault stayed sealed; sealed values were not exchanged, the search index stayed as it was, and there are few operators' reasons and no canaries among the marks")
	}
	return nil
}

// openGate opens the gate's half of the vault whose files are in root.
func (d *drill) openGate(ctx context.Context, gate *vault.GateKey, root string) (*vault.Vault, error) {
	o := vault.Options{Dir: filepath.Join(root, "vault"), Place: d.place(), Gate: gate}
	if d.away != nil {
		identity, err := vault.ReadIdentity(d.config.Vault.Identity, root)
		if err != nil {
			return nil, err
		}
		o.Remote, o.Log = &vault.Remote{Identity: identity}, slog.New(slog.DiscardHandler)
	}
	v, err := vault.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	for try := 0; d.away != nil; try++ {
		if _, err := v.Status(ctx); err == nil {
			break
		} else if try == recoverTries {
			return nil, errors.Join(err, v.Close())
		}
		if err := wait(ctx, recoverPause); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	return v, nil
}

// operator is who asks the vault; a lease that was granted at a machine is the site's.
func (d *drill) operator() string {
	if d.away != nil {
		return "site/drill"
	}
	return "drill"
}

// lease unseals a vault that openGate opened, for the drill's operator.
func (d *drill) lease(ctx context.Context, v *vault.Vault) (proof []byte, err error) {
	if d.away == nil {
		proof, _, err = v.Unseal(ctx, d.operator(), string(d.Passphrase), 10*time.Minute)
		return proof, err
	}
	if err := d.away.unseal(ctx); err != nil {
		return nil, err
	}
	proof, _, err = v.Claim(ctx)
	return proof, err
}

// changeKeyStore lets f change the key store of root's vault, as it was when the copy
// stopped. One on a machine is changed while that does not run.
func (d *drill) changeKeyStore(ctx context.Context, gate *vault.GateKey, root string, f func(*sealeddb.DB) error) error {
	file, original := filepath.Join(root, "vault", "keys.db"), filepath.Join(d.config.Data, "vault", "keys.db")
	if a := d.away; a != nil {
		if err := a.stop(); err != nil {
			return err
		}
		file, original = filepath.Join(a.dir, "gates", d.config.Organization, d.config.Site.ID, "keys.db"), filepath.Join(d.root, "m-keys.db")
		if _, err := os.Stat(original); errors.Is(err, fs.ErrNotExist) {
			if err := copyDatabase(ctx, file, original); err != nil {
				return err
			}
		}
		var err error
		if gate, err = vault.OpenGateKey(a.dir, a.serviceKey); err != nil {
			return err
		}
	}
	key, err := gate.FileKey(file)
	if err != nil {
		return err
	}
	if err := copyDatabase(ctx, original, file); err != nil {
		return err
	}
	db, err := sealeddb.OpenAsIs(file, key)
	if err != nil {
		return err
	}
	err = f(db)
	if err = errors.Join(err, db.Close()); err == nil && d.away != nil {
		err = d.away.start()
	}
	return err
}

// impersonate plays a thief of the whole disk who has the gate's identity, and with it
// asks the machine as the gate does, while nobody has unsealed the vault: for the lease,
// for a rebuilding, and to open everything, with a guessed proof.
func (d *drill) impersonate(ctx context.Context) error {
	if d.away == nil || d.Thief != DiskThief {
		return nil
	}
	d.say("playing the gate with its stolen identity")
	if err := d.away.admin.Seal(ctx, nil); err != nil {
		return err
	}
	if d.mutant.sealed != nil {
		if err := d.mutant.sealed(d); err != nil {
			return err
		}
	}
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return err
	}
	v, err := d.openGate(ctx, gate, d.config.Data)
	if err != nil {
		return err
	}
	defer func() { _ = v.Close() }() // a copy that is thrown away
	gained := func(what string, err error) {
		d.report.Impersonations++
		if err == nil {
			d.report.ImpersonationsOpened++
			d.report.find("stolen identity", what)
		}
	}
	proof, _, err := v.Claim(ctx)
	gained("the machine gives a lease that nobody granted", err)
	if err != nil {
		proof = make([]byte, sha256.Size)
		_, _ = rand.Read(proof)
	}
	rebuild, _, err := v.ClaimRebuild(ctx)
	gained("the machine gives a rebuilding that nobody granted", err)
	if err != nil {
		rebuild = proof
	}
	groups, err := sealedValues(ctx, gate, d.config.Data)
	if err != nil {
		return err
	}
	for kind, refs := range groups {
		_, err := d.openAll(ctx, v, "thief", proof, refs)
		gained("the machine opens a sealed "+kind, err)
		_, err = v.Rebuild(ctx, d.operator(), rebuild, refs)
		gained("the machine opens a sealed "+kind+" for a rebuilding", err)
	}
	d.report.note("with the gate's identity a thief of the disk asks the vault's machine as the gate does: while somebody has unsealed the vault for it, that is worth the budget. `gatehouse vault revoke` ends it")
	return nil
}
