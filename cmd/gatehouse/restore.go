package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// RestoreCmd restores a backup onto a bare machine.
type RestoreCmd struct {
	From        string `required:"" help:"The target with the data: a directory or s3://…, as in gatehouse.yml." placeholder:"TARGET"`
	Keys        string `required:"" help:"The target with the key bundles." placeholder:"TARGET"`
	Data        string `help:"Where to restore to, an empty or new directory; without it 'data' of gatehouse.yml." placeholder:"DIR"`
	At          string `help:"The newest backup that is not later than this: 2026-11-23T10:00:00Z; without it the newest." placeholder:"TIME"`
	ErasureList string `help:"A note of the newest erasure list ('gatehouse backup list --json' has it), or a witness's file: an older list at the targets is refused." placeholder:"FILE"`
	Signer      string `help:"Whose backups count ('gatehouse backup list --json' has it), where others have added theirs to the targets." placeholder:"KEY"`
	Keyring     string `help:"Where the vault's machine is lost as well: the vault's wrapped private key, which the backup of a site whose vault is on another machine does not hold: what 'gatehouse vault keys export' wrote, or that machine's vault.key." placeholder:"FILE"`
	CredentialFlags
}

// Run restores; it goes on with a restore that was interrupted.
func (cmd RestoreCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.config()
	if err != nil {
		return err
	}
	if cmd.Data != "" {
		if c.Data, err = filepath.Abs(cmd.Data); err != nil {
			return err
		}
	}
	o := server.RestoreOptions{From: cmd.From, Keys: cmd.Keys, Log: warnings(out.Stderr), Progress: out.steps()}
	if cmd.At != "" {
		if o.At, err = time.Parse(time.RFC3339, cmd.At); err != nil {
			return gatehouse.Errorf("restore.at", "write it as 2026-11-23T10:00:00Z", "--at is no time")
		}
	}
	if cmd.ErasureList != "" {
		if o.Known, o.Signer, err = readErasureList(cmd.ErasureList); err != nil {
			return err
		}
	}
	if cmd.Signer != "" {
		if o.Signer, err = hex.DecodeString(cmd.Signer); err != nil {
			return gatehouse.Errorf("restore.signer", "give the 64 hexadecimal digits that `gatehouse backup list --json` prints", "--signer is no key")
		}
	}
	if cmd.Keyring != "" {
		if o.Keyring, err = readKeyring(cmd.Keyring); err != nil {
			return err
		}
	}
	if !c.Vault.Elsewhere() || cmd.given() {
		if o.With, err = cmd.credential(out, vaultPrompt); err != nil {
			return err
		}
	}
	got, err := server.Restore(ctx, c, o)
	if err != nil && gatehouse.ErrorCode(err) != "restore.incomplete" {
		return err
	}
	if out.JSON {
		if failed := out.Object(got); failed != nil {
			return failed
		}
		return err
	}
	out.Say("backup %s of %s is restored into %s: %d pictures, %d items of the working set, an erasure list of %d (%.1f s)",
		got.Backup, got.At.Local().Format(time.DateTime), c.Data, got.Pictures, got.Items, got.Erased, got.Seconds)
	out.Say("it has a new gate key, %s: keep a copy elsewhere. Start it with `gatehouse serve`.", c.GateKey)
	return err
}

// steps prints a line for each stage, and for each tenth of it.
func (o *Out) steps() func(server.BackupProgress) {
	last, tenth := "", int64(-1)
	return func(p server.BackupProgress) {
		now := int64(-1)
		if p.Total > 0 {
			now = 10 * p.Done / p.Total
		}
		if p.Stage != last || now != tenth {
			last, tenth = p.Stage, now
			o.stage(p.Stage, p.Done, p.Total)
		}
	}
}

// readErasureList reads what is known of the newest erasure list: {"count": …, "sha256":
// …}, alone or as 'backup list --json' prints it; or a witness's file with the audit
// log's checkpoints, of which it takes the longest list. What 'backup list' printed also
// names the signer.
func readErasureList(path string) (_ *gatehouse.ErasureList, signer []byte, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, gatehouse.Errorf("restore.erasure_note", "check the path and its permissions", "the note of the erasure list cannot be read: %w", err)
	}
	var note struct {
		wire.ErasureList
		Listed *wire.ErasureList `json:"erasure_list"`
		Signer string            `json:"signer"`
	}
	known := &gatehouse.ErasureList{Count: -1}
	if json.Unmarshal(b, &note) == nil {
		if note.Listed != nil {
			note.ErasureList = *note.Listed
		}
		take(known, note.Count, note.SHA256, hex.DecodeString)
		if s, err := hex.DecodeString(note.Signer); err == nil && len(s) > 0 {
			signer = s
		}
	}
	for line := range strings.Lines(string(b)) {
		var count int
		var digest string
		if n, err := fmt.Sscanf(line, "removals %d %s", &count, &digest); n == 2 && err == nil {
			take(known, count, digest, base64.StdEncoding.DecodeString)
		}
	}
	if known.Count < 0 {
		return nil, nil, gatehouse.Errorf("restore.erasure_note", "give what `gatehouse backup list --json` printed, or a witness's file", "this is no note of an erasure list")
	}
	return known, signer, nil
}

// take keeps the longer of two lists.
func take(known *gatehouse.ErasureList, count int, digest string, decode func(string) ([]byte, error)) {
	d, err := decode(digest)
	if err == nil && len(d) == len(known.Digest) && count > known.Count {
		known.Count, known.Digest = count, [32]byte(d)
	}
}
