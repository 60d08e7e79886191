package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/lab/drill"
	"gatehouse/vault"
)

// DrillCmd plays the thief on a copy of the installation.
type DrillCmd struct {
	Thief          string `help:"What is stolen: the data directory with logs and backups, or the whole disk with the gate key file." enum:"data,disk" default:"data"`
	Data           string `help:"Drill on a copy of this site's data directory, with the gate key that the configuration names; without it on a fresh site." placeholder:"DIR" type:"existingdir"`
	PassphraseFile string `help:"The vault's passphrase, to unseal the copy's vault; for --data." placeholder:"FILE"`
	Elsewhere      bool   `name:"vault-elsewhere" help:"Give the fresh site a vault on a machine of its own (another process); the thief gets the gate's side. A site with --data whose vault is elsewhere is drilled in this way anyway."`
	Marks          int    `help:"How many marks of each kind are planted." default:"200"`
	Report         string `help:"Write the signed report there, as drill.json and drill.html." placeholder:"DIR"`
	Verify         string `help:"Check a report (its drill.json) instead, against the audit log's key of the site that it is about: --data's, or the configuration's." placeholder:"FILE"`
	Key            string `help:"For --verify: the key to check against, a line of audit.vkey or the key of a report, instead of a site's." placeholder:"KEY"`
}

// Run carries the drill out and prints what it found.
func (cmd DrillCmd) Run(ctx context.Context, out *Out) error {
	if cmd.Verify != "" {
		return cmd.verify(out)
	}
	if cmd.Key != "" {
		return gatehouse.Errorf("drill.key", "give --verify, too", "--key belongs to a report that is checked")
	}
	if cmd.Marks < 1 || cmd.Marks > 1000 {
		return gatehouse.Errorf("drill.marks", "say 1 to 1000", "so many marks cannot be planted")
	}
	o := drill.Options{Thief: drill.Thief(cmd.Thief), Marks: cmd.Marks, ReportDir: cmd.Report, Stderr: out.Stderr, Elsewhere: cmd.Elsewhere}
	if cmd.Elsewhere && cmd.Data != "" {
		return gatehouse.Errorf("drill.elsewhere", "leave it out: where the vault of a site is, its configuration says", "--vault-elsewhere belongs to a fresh site")
	}
	if cmd.Data != "" {
		c, err := out.config()
		if err != nil {
			return err
		}
		if c.Data, err = filepath.Abs(cmd.Data); err != nil {
			return err
		}
		o.Config = &c
	}
	if cmd.PassphraseFile != "" {
		if cmd.Data == "" {
			return gatehouse.Errorf("drill.passphrase", "give --data, too, or leave it out: a fresh site has a passphrase of its own", "--passphrase-file belongs to a site")
		}
		var err error
		if o.Passphrase, err = readPassphraseFile(cmd.PassphraseFile); err != nil {
			return err
		}
	}
	r, err := drill.Run(ctx, o)
	if err != nil {
		return err
	}
	if out.JSON {
		if err := out.Object(r); err != nil {
			return err
		}
	} else {
		cmd.tell(out, r)
	}
	if !r.OK {
		return gatehouse.Errorf("drill.found", "the report lists what leaked and where; treat it as an incident", "the drill has findings: %d", len(r.Findings))
	}
	return nil
}

// verify checks a report with nothing but the files that anybody may read.
func (cmd DrillCmd) verify(out *Out) error {
	r, err := drill.ReadReport(cmd.Verify)
	if err != nil {
		return err
	}
	keys := []string{cmd.Key}
	if cmd.Key == "" {
		c, err := DataFlag{cmd.Data}.config(out)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(vault.VerifierKeyPath(filepath.Join(c.Data, "vault")))
		if err != nil {
			return gatehouse.Errorf("drill.key", "name the site with --data or --config, or its key with --key", "the audit log's key cannot be read: %w", err)
		}
		keys = strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	if err := drill.Verify(r, keys...); err != nil {
		return err
	}
	if out.JSON {
		return out.Object(map[string]any{"signed": true, "ok": r.OK, "at": r.At, "thief": r.Thief, "key": r.Signature.PublicKey})
	}
	what := "nothing was found"
	if !r.OK {
		what = fmt.Sprintf("%d findings", len(r.Findings))
	}
	out.Say("The report is as it was signed, with %s.\nA thief of the %s, %s: %s.", r.Signature.By, r.Thief, r.At.Local().Format(time.DateTime), what)
	return nil
}

// tell prints the report for people.
func (cmd DrillCmd) tell(out *Out, r drill.Report) {
	out.Say("A thief of the %s (custody of the gate key: %s):", r.Thief, r.Custody)
	out.Say("  %6d  of %d marks and pictures found; the same search finds %d in a plain store", r.Hits, r.Marks, r.ControlHits)
	out.Say("  %6d  phone numbers or plates guessed from an index", r.IndexHits)
	out.Say("  %6d  of %d exchanged ciphertexts opened", r.SwapsOpened, r.Swaps)
	out.Say("  %6d  of %d values of erased subjects and expired days opened", r.ForgottenOpened, r.Forgotten)
	out.Say("  %6d  of %d stored templates compare across galleries", r.TemplateMatches, r.TemplatesCompared)
	if r.Thief == drill.DiskThief {
		out.Say("  %6d  marks read in the working set (what the gate must know at boot)", r.WorkingSetHits)
	}
	if r.Elsewhere {
		out.Say("  %6d  of %d calls to the vault's machine with the stolen identity gave something", r.ImpersonationsOpened, r.Impersonations)
	}
	out.Say("Somebody outside:")
	out.Say("  %6d  of %d ports reachable from other machines", r.PortsOpen, r.Ports)
	out.Say("  %6d  of %d routes open", r.RoutesOpen, r.Routes)
	out.Say("  %6d  of %d addresses leak without a session (%d requests in all)", r.URLLeaks, r.URLs, r.Requests)
	out.Say("Before the theft: %d searches, %d subjects erased, %d alarms delivered, a backup of %d KiB.", r.Searches, r.Erased, r.Alarms, r.BackupBytes>>10)
	for _, f := range r.Findings {
		out.Say("FOUND %s: %s", f.Kind, f.What)
	}
	for _, n := range r.Notes {
		out.Say("note: %s", n)
	}
	if cmd.Report != "" {
		out.Say("The signed report is %s.", filepath.Join(cmd.Report, "drill.html"))
	}
}
