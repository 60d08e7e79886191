package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// AuditCmd is about the audit log.
type AuditCmd struct {
	Verify AuditVerifyCmd   `cmd:"" help:"Recompute the whole log and compare it with its checkpoints, its witnesses and the gate's own files; or check a proof. Works without a server, and while one runs."`
	Show   AuditShowCmd     `cmd:"" help:"List what was done, the newest last."`
	Reason AuditReasonsCmd  `cmd:"" name:"reasons" help:"List disclosures with their reasons, the newest first. That is a disclosure itself: one unit a reason."`
	Prove  AuditProveCmd    `cmd:"" help:"Print a proof that an entry stands in the log."`
	Erased VerifyErasureCmd `cmd:"" name:"verify-erasure" help:"Check an erasure's certificate, and what an installation still holds of the subject."`
	Forget AuditForgetCmd   `cmd:"" help:"As a witness, forget what was seen of another site's log, after that site was restored from a backup."`
	Key    AuditKeyCmd      `cmd:"" help:"Print the keys that others verify this log with, and know it by as a witness."`
}

// DataFlag names another data directory than the configuration's.
type DataFlag struct {
	Data string `help:"The data directory, instead of the configuration's." placeholder:"DIR"`
}

func (d DataFlag) config(out *Out) (server.Config, error) {
	c, err := out.config()
	if d.Data != "" {
		c.Data = d.Data
	}
	return c, err
}

// audit calls f with the running server's log, or with the log opened here.
func (d DataFlag) audit(ctx context.Context, out *Out, f func(server.AuditReader) error) error {
	c, err := d.config(out)
	if err != nil {
		return err
	}
	running, err := runningServer(c)
	if err != nil {
		return err
	}
	if running != nil {
		return f(running)
	}
	log, done, err := server.OpenAudit(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	return f(log)
}

// AuditVerifyCmd verifies the log, or a proof.
type AuditVerifyCmd struct {
	DataFlag
	Witness []string `help:"A witness file, beside those of the configuration." placeholder:"FILE"`
	Deep    bool     `help:"Read every sealed picture as well."`
	Proof   string   `help:"Check this proof instead (- for standard input); it needs nothing but the log's key." placeholder:"FILE"`
	Key     string   `help:"The log's verifier key for --proof; without it the data directory's audit.vkey." placeholder:"KEY"`
}

// Run verifies; findings are a failure.
func (cmd AuditVerifyCmd) Run(ctx context.Context, out *Out) error {
	c, err := cmd.config(out)
	if err != nil {
		return err
	}
	if cmd.Proof != "" {
		return cmd.proof(c, out)
	}
	r, err := cmd.verify(ctx, c, out)
	if err != nil {
		return err
	}
	if out.JSON {
		if err := out.Object(r); err != nil {
			return err
		}
	} else {
		out.Say("log %s: %d entries, root %s", r.Origin, r.Size, r.Root)
		out.Say("%d checkpoints are signed; a witness has confirmed %d entries, %d are not signed yet", r.Checkpoints, r.Witnessed, r.Unsigned)
		out.Say("%d entries come from the gate, which has %d more; %d passages fit theirs, %d have lost their sealed content", r.GateLeaves, r.Pending, r.Passages, r.Gone)
		out.Say("%d disclosures, %d erasures and expired days, %d sealed pictures read", r.Disclosures, r.Removals, r.Blobs)
		for _, f := range r.Findings {
			out.Say("FINDING %s: %s", f.Code, f.What)
		}
	}
	if !r.OK {
		return gatehouse.Errorf("audit.findings", "keep the directory as it is, and compare it with its backups and witnesses", "the audit log does not hold: %d findings", len(r.Findings)+r.More)
	}
	if !out.JSON {
		out.Say("everything holds")
	}
	return nil
}

// verify has the running server verify, or does so itself where none runs, which finds
// out more: a file that is in use has pages that only its user knows.
func (cmd AuditVerifyCmd) verify(ctx context.Context, c server.Config, out *Out) (wire.AuditReport, error) {
	for i, path := range cmd.Witness {
		if abs, err := filepath.Abs(path); err == nil {
			cmd.Witness[i] = abs
		}
	}
	running, err := runningServer(c)
	if err != nil {
		return wire.AuditReport{}, err
	}
	if running != nil {
		fmt.Fprintln(out.Stderr, "the running server verifies; stop it, or copy its data, to have every byte of the log's file looked at")
		return running.AuditVerify(ctx, wire.AuditVerifyRequest{Witness: cmd.Witness, Deep: cmd.Deep})
	}
	said := time.Now()
	r, err := server.VerifyAudit(ctx, c, server.VerifyOptions{Witness: cmd.Witness, Deep: cmd.Deep, Progress: func(done, all int64) {
		if time.Since(said) > time.Second {
			said = time.Now()
			fmt.Fprintf(out.Stderr, "verified %d of %d entries\n", done, all)
		}
	}})
	return server.WireReport(r), err
}

func (cmd AuditVerifyCmd) proof(c server.Config, out *Out) error {
	in, err := out.Stdin, error(nil)
	if cmd.Proof != "-" {
		f, failed := os.Open(cmd.Proof)
		if failed != nil {
			return gatehouse.Errorf("audit.proof_file", "check the path", "the proof cannot be read: %w", failed)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, 1<<20))
	var p wire.AuditProof
	if err != nil || json.Unmarshal(b, &p) != nil {
		return gatehouse.Errorf("audit.proof_file", "give the JSON that `gatehouse audit prove` prints", "this is no proof")
	}
	entry, err := server.VerifyProof(c, cmd.Key, p)
	if err != nil {
		return err
	}
	if out.JSON {
		return out.Object(map[string]any{"ok": true, "size": p.Size, "entry": entry})
	}
	out.Say("the proof holds: entry %d of %d is", p.Index, p.Size)
	out.entry(entry)
	return nil
}

func (o *Out) entry(e wire.AuditEntry) {
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, f.Name+" "+f.Value)
	}
	o.Say("%6d  %s  %-10s  %s", e.Index, e.At.Local().Format(time.DateTime), e.Kind, strings.Join(fields, "  "))
}

// AuditShowCmd lists entries.
type AuditShowCmd struct {
	DataFlag
	Since string `help:"Only entries from then on: YYYY-MM-DD, YYYY-MM-DD HH:MM or RFC 3339." placeholder:"TIME"`
	Until string `help:"Only entries before then." placeholder:"TIME"`
	Kind  string `help:"passage, outcome, subject, status, consent, device, disclosure, refusal, vault, erase, expire, hold, key, canary, release, backup or policy."`
	Limit int    `help:"At most so many, the newest of them." default:"50"`
}

// Run lists, one line an entry.
func (cmd AuditShowCmd) Run(ctx context.Context, out *Out) error {
	if cmd.Limit < 1 {
		return gatehouse.Errorf("audit.limit", "say 1 or more", "nothing would be listed")
	}
	q := wire.AuditQuery{Kind: gatehouse.LeafKind(cmd.Kind)}
	var err error
	if q.Since, err = moment(cmd.Since); err == nil {
		q.Until, err = moment(cmd.Until)
	}
	if err != nil {
		return err
	}
	if q.Kind != "" && !slices.Contains(gatehouse.LeafKinds, q.Kind) {
		return gatehouse.Errorf("audit.kind", "`gatehouse audit show --help` lists them", "there are no entries of that kind")
	}
	return cmd.audit(ctx, out, func(log server.AuditReader) error {
		all := []wire.AuditEntry{}
		for len(all) < cmd.Limit {
			q.Limit = min(1000, cmd.Limit-len(all))
			page, err := log.AuditEntries(ctx, q)
			if err != nil {
				return err
			}
			all = append(all, page.Entries...)
			if q.Before = page.Next; q.Before == 0 {
				break
			}
		}
		slices.Reverse(all)
		if out.JSON {
			return out.Object(wire.AuditPage{Entries: all, Next: q.Before})
		}
		for _, e := range all {
			out.entry(e)
		}
		return nil
	})
}

// AuditProveCmd proves one entry.
type AuditProveCmd struct {
	DataFlag
	What string `arg:"" help:"The entry's number, or the id of the passage, disclosure or other thing that it records."`
}

// Run prints the proof, which is JSON in any case.
func (cmd AuditProveCmd) Run(ctx context.Context, out *Out) error {
	return cmd.audit(ctx, out, func(log server.AuditReader) error {
		p, err := log.AuditProve(ctx, cmd.What)
		if err != nil {
			return err
		}
		return out.Object(p)
	})
}

// AuditKeyCmd prints the keys.
type AuditKeyCmd struct{ DataFlag }

// Run prints them.
func (cmd AuditKeyCmd) Run(ctx context.Context, out *Out) error {
	return cmd.audit(ctx, out, func(log server.AuditReader) error {
		keys, err := log.AuditKeys(ctx)
		if err != nil {
			return err
		}
		if out.JSON {
			return out.Object(keys)
		}
		out.Say("log key, for `audit: witnessed_logs:` of other sites and for --key:\n%s", strings.Join(keys.Log, "\n"))
		out.Say("witness key, for `audit: witness:` of the sites that this one is a witness for:\n%s", keys.Witness)
		return nil
	})
}

// AuditForgetCmd lets another site's log begin anew with this witness.
type AuditForgetCmd struct {
	DataFlag
	Log string `arg:"" help:"The log's name: the first line of its checkpoints, and what its key begins with up to the first +."`
}

// Run forgets.
func (cmd AuditForgetCmd) Run(ctx context.Context, out *Out) error {
	return cmd.audit(ctx, out, func(log server.AuditReader) error {
		q, err := log.AuditForget(ctx, wire.AuditForgetRequest{Log: cmd.Log})
		if err != nil {
			return err
		}
		if out.JSON {
			return out.Object(q)
		}
		out.Say("the next checkpoint of %s is taken whatever was seen of it before; that is written into this site's log", q.Log)
		return nil
	})
}
