package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// BackupCmd makes, lists and checks backups.
type BackupCmd struct {
	Now    BackupNowCmd    `cmd:"" default:"1" help:"Make a backup now (the default)."`
	List   BackupListCmd   `cmd:"" help:"List the backups, and the erasure list of now."`
	Verify BackupVerifyCmd `cmd:"" help:"Read every object again and check it; with what opens the vault, restore the newest backup beside the site too."`
	Hold   BackupHoldCmd   `cmd:"" help:"Keep the newest key bundle until a later date, for an outage in which no backup can be made; erasures are final no sooner then."`
	Prune  BackupPruneCmd  `cmd:"" help:"Drop the expired key bundles of a directory; for a user of its own, not the server's."`
}

// BackupNowCmd makes a backup.
type BackupNowCmd struct{}

// Run makes it, and shows how far it is.
func (BackupNowCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Backup, error) {
		defer out.follow(ctx, a)()
		return a.Backup(ctx)
	}, func(b wire.Backup) {
		out.Say("backup %s is complete: %d objects with %s are new, %d pictures in all (%.1f s)", b.ID, b.Objects, size(b.Bytes), b.Pictures, b.Seconds)
		out.Say("its key bundle is dropped on %s", b.Expires.Local().Format(time.DateOnly))
	})
}

// follow shows the progress of what runs until the function that it returns is called.
func (o *Out) follow(ctx context.Context, a api.Admin) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		beat := time.NewTicker(500 * time.Millisecond)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
			}
			if p, err := a.BackupProgress(ctx); err == nil && p.Running {
				o.stage(p.Stage, p.Done, p.Total)
			}
		}
	})
	return func() { cancel(); wait.Wait() }
}

// stage prints one line of progress.
func (o *Out) stage(name string, done, total int64) {
	switch {
	case total > 0:
		fmt.Fprintf(o.Stderr, "%s: %d %%\n", name, 100*done/total)
	case name != "":
		fmt.Fprintf(o.Stderr, "%s …\n", name)
	}
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (bytes+1023)>>10)
}

// BackupListCmd lists backups.
type BackupListCmd struct{}

// Run lists.
func (BackupListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.BackupList, error) { return a.Backups(ctx) }, func(l wire.BackupList) {
		for _, b := range l.Backups {
			keys := "no keys any more: it cannot be restored"
			if b.Keys {
				keys = "keys until " + b.Expires.Local().Format(time.DateOnly)
			}
			out.Say("%s  %s  databases %s, %d pictures, %s", b.ID, b.At.Local().Format(time.DateTime), size(b.Bytes), b.Pictures, keys)
		}
		out.Say("%d backups; the erasure list of now has %d entries", len(l.Backups), l.Erased.Count)
	})
}

// BackupVerifyCmd checks backups. With what opens the vault, the newest backup is restored
// beside the site as well; a terminal is asked for it.
type BackupVerifyCmd struct {
	CredentialFlags
}

// Run checks; it fails where anything is wrong.
func (cmd BackupVerifyCmd) Run(ctx context.Context, out *Out) error {
	var r wire.BackupVerifyRequest
	c, err := out.config()
	if err != nil {
		return err
	}
	elsewhere := c.Vault.Elsewhere() // then the server says why it takes no credential
	if cmd.given() || out.onTerminal() && !elsewhere {
		with, err := cmd.credential(out, "The vault's passphrase, to restore the newest backup beside the site: ")
		if err != nil {
			return err
		}
		r.With = wire.Shown(with)
	} else if elsewhere {
		fmt.Fprintln(out.Stderr, "every object is checked; after `gatehouse vault unseal --rebuild` on the vault's machine the newest backup is restored beside the site as well")
	} else {
		fmt.Fprintln(out.Stderr, "every object is checked; with --passphrase-file or another credential the newest backup is restored beside the site as well")
	}
	ok := false
	err = answer(ctx, out, func(a api.Admin) (wire.BackupCheck, error) {
		defer out.follow(ctx, a)()
		c, err := a.VerifyBackups(ctx, r)
		ok = c.OK
		return c, err
	}, func(c wire.BackupCheck) {
		for _, f := range c.Findings {
			out.Say("%s: %s", f.Object, f.What)
		}
		out.Say("%d backups, %d objects with %s were read; restored beside: %t", c.Backups, c.Objects, size(c.Bytes), c.Restored)
	})
	if err == nil && !ok {
		err = gatehouse.Errorf("backup.not_ok", "make a new backup to another target, and find out who can write to this one", "the backups are not whole")
	}
	return err
}

// BackupHoldCmd keeps the newest key bundle.
type BackupHoldCmd struct {
	Until      string `required:"" help:"The last day, at most a year ahead." placeholder:"YYYY-MM-DD"`
	Reason     string `help:"Why. Others see a command line: for anything personal use --reason-file."`
	ReasonFile string `help:"Read the reason from a file (- for standard input)." placeholder:"FILE"`
}

// Run keeps it.
func (cmd BackupHoldCmd) Run(ctx context.Context, out *Out) error {
	until, err := endOfDay(cmd.Until)
	if err != nil {
		return err
	}
	reason, err := reasonOf(out, cmd.Reason, cmd.ReasonFile)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.BackupHold, error) {
		return a.HoldBackup(ctx, wire.BackupHoldRequest{Until: until, Reason: reason})
	}, func(h wire.BackupHold) {
		out.Say("the key bundle %s is kept until %s; %d erasures are final no sooner, and have a new certificate (gatehouse erase --again)", h.Bundle, h.Until.Local().Format(time.DateTime), h.Postponed)
	})
}

// BackupPruneCmd drops expired bundles.
type BackupPruneCmd struct {
	Keys string `required:"" help:"The directory with the key bundles." placeholder:"DIR" type:"existingdir"`
}

// Run drops them.
func (cmd BackupPruneCmd) Run(ctx context.Context, out *Out) error {
	dropped, kept, err := server.PruneBundles(ctx, cmd.Keys, time.Now())
	if err != nil {
		return err
	}
	if out.JSON {
		return out.Object(map[string]any{"dropped": append([]string{}, dropped...), "kept": kept})
	}
	out.Say("%d key bundles were dropped, %d are kept", len(dropped), kept)
	return nil
}
