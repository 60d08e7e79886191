package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// EraseCmd erases a subject.
type EraseCmd struct {
	ID          string `arg:"" help:"The subject's id: of 'gatehouse people', or of a passage. With --again, the certificate's id."`
	Reason      string `help:"Why. Others see a command line: for anything personal use --reason-file."`
	ReasonFile  string `help:"Read the reason from a file (- for standard input)." placeholder:"FILE"`
	Money       string `help:"What becomes of the money on its passes: refund (by the ways that it came) or keep (it stays in the books)." enum:",refund,keep" default:""`
	Certificate string `help:"Write the certificate to a new file." placeholder:"FILE"`
	Again       bool   `help:"Give the certificate of an earlier erasure once more, with a proof of today."`
}

// Run erases.
func (cmd EraseCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	reason, err := reasonOf(out, cmd.Reason, cmd.ReasonFile)
	if err != nil {
		return err
	}
	if cmd.Certificate != "" {
		if _, err := os.Lstat(cmd.Certificate); err == nil {
			return gatehouse.Errorf("certificate.exists", "name another file", "there is a file in the certificate's place; nothing was erased")
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.Erasure, error) {
		var got wire.Erasure
		if cmd.Again {
			got, err = a.Erasure(ctx, id)
		} else {
			shown := showErasing(ctx, out, a)
			got, err = a.Erase(ctx, wire.EraseRequest{Subject: id, Reason: reason, Money: cmd.Money})
			shown()
		}
		if err == nil && cmd.Certificate != "" {
			err = writeCertificate(cmd.Certificate, got)
		}
		return got, err
	}, func(got wire.Erasure) {
		c := got.Certificate
		out.Say("%s is erased: %d keys are deleted, %d passages are nobody's", c.Subject, c.Chains, c.Passages)
		if c.FinalAt.After(c.ErasedAt) {
			out.Say("the last backup of the keys is gone on %s", c.FinalAt.Local().Format(time.DateOnly))
		}
		out.Say("certificate %s", c.ID)
	})
}

// erasingPause is how often an erasure is asked how far it is: most end before the first time.
const erasingPause = 500 * time.Millisecond

// stageWords say what an erasure does now, by the word of wire.Erasing for it; a test holds
// them against flow/erase, which a command does not import.
var stageWords = map[string]string{"waits": "waiting for another erasure", "checks": "looking whether it may be erased", "keys": "deleting keys", "gates": "taking it from the gates",
	"ids": "replacing its id in what stays", "rewrites": "writing databases under fresh keys", unlinking: "removing pictures", "certificate": "writing the certificate", "left": "to be finished by itself"}

// unlinking is the stage that says how much of it is done.
const unlinking = "pictures"

// showErasing says how far an erasure is until done is called. Where several are under way it
// says nothing: which is whose nobody could tell.
func showErasing(ctx context.Context, out *Out, a api.Admin) (done func()) {
	ctx, stop := context.WithCancel(ctx)
	var showing sync.WaitGroup
	showing.Go(func() {
		last := ""
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(erasingPause):
			}
			all, err := a.Erasing(ctx)
			if err != nil || len(all.Erasing) != 1 {
				continue
			}
			now := all.Erasing[0]
			line := stageWords[now.Stage]
			if now.Pictures > 0 && now.Stage == unlinking {
				line += fmt.Sprintf(": %d of %d", now.Unlinked, now.Pictures)
			}
			if line != last {
				fmt.Fprintln(out.Stderr, line)
			}
			last = line
		}
	})
	return func() {
		stop()
		showing.Wait()
	}
}

// reasonOf is what was given on the command line, or stands in the file.
func reasonOf(out *Out, reason, file string) (string, error) {
	if file == "" {
		return reason, nil
	}
	text, err := readSecret(out, file)
	return strings.TrimSpace(text), err
}

// writeCertificate makes a new file. The erasure stands whether or not that works.
func writeCertificate(path string, e wire.Erasure) error {
	b, err := json.MarshalIndent(e, "", "  ")
	if err == nil {
		err = writeNew(path, append(b, '\n'))
	}
	if err != nil {
		return gatehouse.Errorf("certificate.unwritten", "run `gatehouse erase --again "+e.Certificate.ID.String()+" --certificate FILE`", "it is done, and the certificate could not be written: %w", err)
	}
	return nil
}

// VerifyErasureCmd checks a certificate: that the audit log holds it as it stands,
// offline, and that an installation holds nothing of the subject any more.
type VerifyErasureCmd struct {
	File    string `arg:"" help:"The certificate."`
	Data    string `help:"A data directory to look into: a backup that was restored. Default: this installation's." placeholder:"DIR"`
	GateKey string `help:"The gate key file of --data. Default: this installation's." placeholder:"FILE"`
	Key     string `help:"The audit log's verifier keys. Default: audit.vkey in the data directory." placeholder:"FILE"`
}

// verifiedErasure is the answer as JSON.
type verifiedErasure struct {
	OK       bool                         `json:"ok"`
	Proof    string                       `json:"proof"` // "holds", or what is wrong with it
	Findings []string                     `json:"findings"`
	Of       gatehouse.ErasureCertificate `json:"certificate"`
}

// Run checks. The exit status is 1 where anything is found.
func (cmd VerifyErasureCmd) Run(ctx context.Context, out *Out) error {
	raw, err := os.ReadFile(cmd.File)
	if err != nil {
		return gatehouse.Errorf("certificate.unreadable", "check the path", "the certificate cannot be read: %w", err)
	}
	var e wire.Erasure
	if err := json.Unmarshal(raw, &e); err != nil || e.Certificate.ID.IsZero() || e.Certificate.Subject.IsZero() {
		return gatehouse.Errorf("certificate.malformed", "give the file that `gatehouse erase --certificate` wrote", "this is no certificate of an erasure")
	}
	c, err := out.config()
	if err != nil {
		return err
	}
	if cmd.Data != "" {
		c.Data = cmd.Data
	}
	if cmd.GateKey != "" {
		c.GateKey = cmd.GateKey
	}
	if cmd.Key == "" {
		cmd.Key = filepath.Join(c.Data, "vault", "audit.vkey")
	}
	got := verifiedErasure{Of: e.Certificate, Proof: "holds"}
	if err := server.VerifyErasureProof(e, cmd.Key); err != nil {
		got.Proof = err.Error()
	}
	found, err := out.checkErasure(ctx, c, e)
	if err != nil {
		return err
	}
	got.Findings = found.Findings
	got.OK = got.Proof == "holds" && len(got.Findings) == 0
	if out.JSON {
		if err := out.Object(got); err != nil {
			return err
		}
	} else {
		out.Say("proof: %s", got.Proof)
		for _, f := range got.Findings {
			out.Say("found: %s", f)
		}
		if got.OK {
			out.Say("%s was erased on %s; no backup can bring it back from %s on", e.Certificate.Subject, e.Certificate.ErasedAt.Format(time.DateTime), e.Certificate.FinalAt.Format(time.DateTime))
		}
	}
	if !got.OK {
		return gatehouse.Errorf("erase.not_verified", "see what was found", "the erasure could not be verified")
	}
	return nil
}

// checkErasure asks the server that runs on the data, or opens the data where none does.
func (o *Out) checkErasure(ctx context.Context, c server.Config, e wire.Erasure) (wire.ErasureFindings, error) {
	running, err := runningServer(c)
	if err != nil {
		return wire.ErasureFindings{}, err
	}
	if running != nil {
		return running.CheckErasure(ctx, e)
	}
	return server.CheckErasure(ctx, c, e)
}
