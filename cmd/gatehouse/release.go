package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/vault/approval"
)

// ReleaseCmd is about opening more than budgets give, by two people.
type ReleaseCmd struct {
	Request ReleaseRequestCmd `cmd:"" help:"Ask for a bulk release and sign it."`
	List    ReleaseListCmd    `cmd:"" default:"1" help:"List the releases."`
	Approve ReleaseApproveCmd `cmd:"" help:"Agree to a colleague's release and sign it."`
	Write   ReleaseWriteCmd   `cmd:"" help:"Write an approved release into a file that is encrypted to its recipients."`
}

// ReleaseRequestCmd asks for a release.
type ReleaseRequestCmd struct {
	Signer
	Purpose      string   `required:"" help:"What it is for, in a word: authority, export, audit." placeholder:"WORD"`
	Reason       string   `required:"" help:"Why, in your words; - reads it from standard input, where other users of this machine do not see it." placeholder:"TEXT"`
	Subject      []string `help:"Subjects' ids." placeholder:"ID"`
	SubjectsFile string   `help:"Read subjects' ids from a file, one a line." placeholder:"FILE"`
	Passage      []string `help:"Passages' ids." placeholder:"ID"`
	Field        []string `help:"What of them: name, national_id, record, photos, detail, evidence." default:"name" placeholder:"FIELD"`
	Recipient    []string `required:"" help:"Who can read the file: age public keys (age1…)." placeholder:"KEY"`
}

// Run asks. What is signed is made here, of the list that the server gave.
func (cmd ReleaseRequestCmd) Run(ctx context.Context, out *Out) error {
	plan := wire.ReleasePlanRequest{Fields: cmd.Field}
	names := cmd.Subject
	if cmd.SubjectsFile != "" {
		b, err := os.ReadFile(cmd.SubjectsFile)
		if err != nil {
			return gatehouse.Errorf("release.subjects", "check the path and its permissions", "the list of subjects cannot be read: %w", err)
		}
		names = append(names, strings.Fields(string(b))...)
	}
	for _, l := range []struct {
		text []string
		into *[]gatehouse.ID
	}{{names, &plan.Subjects}, {cmd.Passage, &plan.Passages}} {
		for _, text := range l.text {
			id, err := gatehouse.ParseID(text)
			if err != nil {
				return err
			}
			*l.into = append(*l.into, id)
		}
	}
	reason := cmd.Reason
	if reason == "-" {
		var err error
		if reason, err = readSecret(out, "-"); err != nil {
			return err
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.Release, error) {
		got, err := a.PlanRelease(ctx, plan)
		if err != nil {
			return wire.Release{}, err
		}
		now := time.Now().UTC()
		q := gatehouse.ReleaseRequest{Place: gatehouse.Place{Org: got.Org, Site: got.Site}, ID: gatehouse.NewID(now), Salt: make([]byte, gatehouse.ReleaseSalt), At: now, Operator: cmd.As,
			Purpose: cmd.Purpose, Reason: reason, Items: got.Items, Recipients: cmd.Recipient}
		_, _ = rand.Read(q.Salt) // never fails since Go 1.24
		body, err := json.Marshal(q)
		if err != nil {
			return wire.Release{}, err
		}
		signature, err := cmd.sign(ctx, out, a, approval.RequestRelease, got.Vault, q.ID, body)
		if err != nil {
			return wire.Release{}, err
		}
		return a.RequestRelease(ctx, wire.ReleaseRequest{Body: body, Signature: signature})
	}, func(r wire.Release) {
		out.Say("%s is requested: %d values. A second operator agrees with `gatehouse release approve %s --as NAME`\nuntil %s", r.ID, r.Items, r.ID, r.Expires.Local().Format(time.DateTime))
	})
}

// ReleaseListCmd lists the releases.
type ReleaseListCmd struct{}

// Run lists.
func (ReleaseListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.ReleasesResponse, error) { return a.Releases(ctx) }, func(l wire.ReleasesResponse) {
		for _, r := range l.Releases {
			out.Say("%s  %s  %6d values  %-12s  by %s  %s", r.ID, r.At.Local().Format(time.DateTime), r.Items, r.Purpose, r.Operator, stateOf(r))
		}
	})
}

func stateOf(r wire.Release) string {
	switch {
	case !r.Written.IsZero():
		return "written " + r.Written.Local().Format(time.DateTime)
	case time.Now().After(r.Expires):
		return "expired"
	case r.Approver != "":
		return "approved by " + r.Approver
	}
	return "waits for a second operator"
}

// ReleaseArg names a release.
type ReleaseArg struct {
	ID string `arg:"" help:"The release, as 'gatehouse release list' shows it."`
}

// ReleaseApproveCmd agrees to a release.
type ReleaseApproveCmd struct {
	ReleaseArg
	Signer
	Yes bool `help:"Agree without being asked."`
}

// Run shows what is asked for, and signs exactly that.
func (cmd ReleaseApproveCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Release, error) {
		r, err := a.Release(ctx, id)
		if err != nil {
			return r, err
		}
		var q gatehouse.ReleaseRequest
		if err := json.Unmarshal(r.Body, &q); err != nil || q.ID != id {
			return r, gatehouse.Errorf("release.malformed", "use a command line of the server's version", "the request cannot be read")
		}
		showRequest(out, q)
		if !cmd.Yes {
			if err := agree(out); err != nil {
				return r, err
			}
		}
		all, err := a.Releases(ctx)
		if err != nil {
			return r, err
		}
		signature, err := cmd.sign(ctx, out, a, approval.ApproveRelease, all.Vault, id, r.Body)
		if err != nil {
			return r, err
		}
		return a.ApproveRelease(ctx, wire.SignedRequest{ID: id, Operator: cmd.As, Signature: signature})
	}, func(r wire.Release) { out.Say("%s is approved by %s", r.ID, r.Approver) })
}

// showRequest shows on standard error what a request asks for.
func showRequest(out *Out, q gatehouse.ReleaseRequest) {
	fields := map[string]int{}
	for _, it := range q.Items {
		fields[it.Table+" "+it.Field]++
	}
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	say := func(format string, args ...any) { (&Out{Stdout: out.Stderr}).Say(format, args...) }
	say("%s asks, at %s/%s on %s, purpose %s:", q.Operator, q.Org, q.Site, q.At.Local().Format(time.DateTime), q.Purpose)
	say("  %s", q.Reason)
	for _, name := range names {
		say("  %6d × %s", fields[name], name)
	}
	if q.Form != nil {
		say("  as a payroll program's file, %s: %s", q.Form.Format, q.Form.Body)
	}
	for _, to := range q.Recipients {
		say("  for %s", to)
	}
}

func agree(out *Out) error {
	line, err := askLine(out, "Do you agree? [yes/no] ")
	if err != nil {
		return err
	}
	if line != "yes" && line != "y" {
		return gatehouse.Errorf("release.declined", "nothing was signed", "you did not agree")
	}
	return nil
}

// ReleaseWriteCmd writes a release.
type ReleaseWriteCmd struct {
	ReleaseArg
	Again bool   `help:"Write one that was written before once more; the audit log says so."`
	Out   string `required:"" help:"The file; it must not be there yet." placeholder:"FILE" type:"path"`
}

// Run writes; the file appears whole or not at all.
func (cmd ReleaseWriteCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (map[string]string, error) {
		return map[string]string{"release": id.String(), "file": cmd.Out}, writeWhole(cmd.Out, func(f *os.File) error { return a.WriteRelease(ctx, id, cmd.Again, f) })
	}, func(map[string]string) { out.Say("written to %s, for its recipients alone", cmd.Out) })
}

// writeWhole makes a file of mode 0600 that is there once write has succeeded.
func writeWhole(path string, write func(*os.File) error) error {
	bad := func(err error) error {
		return gatehouse.Errorf("release.file", "name a file that is not there yet, in a directory that can be written", "the file cannot be written: %w", err)
	}
	if _, err := os.Lstat(path); err == nil {
		return bad(os.ErrExist)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".release-*")
	if err != nil {
		return bad(err)
	}
	defer os.Remove(f.Name())
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return bad(err)
	}
	err = os.Link(f.Name(), path) // unlike a rename, it replaces nothing
	if err != nil && !errors.Is(err, os.ErrExist) {
		err = os.Rename(f.Name(), path) // a file system without links
	}
	if err != nil {
		return bad(err)
	}
	return nil
}

// askLine reads one line from the terminal or a pipe.
func askLine(out *Out, prompt string) (string, error) {
	if out.Stdin == nil {
		return "", gatehouse.Errorf("release.declined", "run it on a terminal, or give --yes", "nobody was there to agree")
	}
	_, _ = out.Stderr.Write([]byte(prompt)) // a prompt that is not seen is answered with no
	var line []byte
	one := make([]byte, 1)
	for len(line) < 100 {
		n, err := out.Stdin.Read(one)
		if n == 0 || one[0] == '\n' {
			break
		}
		line = append(line, one[0])
		if err != nil {
			break
		}
	}
	return strings.ToLower(string(bytes.TrimSpace(line))), nil
}
