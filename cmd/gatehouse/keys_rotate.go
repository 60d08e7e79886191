package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"

	"golang.org/x/term"
)

// KeysRotateCmd exchanges keys, one level at a time.
type KeysRotateCmd struct {
	Vault   KeysRotateVaultCmd `cmd:"" help:"The vault key: every chain is sealed to a new one. May be interrupted; the same command goes on with it."`
	Gate    KeysRotateGateCmd  `cmd:"" help:"The gate key: the databases' keys and the working set go under a new one. May be interrupted; the same command goes on with it."`
	Gallery RotateGalleryCmd   `cmd:"" help:"The gallery's secret rotation: every stored template is turned, without new photos, while doors go on."`
	Files   KeysRotateFilesCmd `cmd:"" help:"Put every database under a fresh key, while the site goes on: what was deleted is then in no page that a key opens."`
}

// KeysRotateVaultCmd exchanges the vault key.
type KeysRotateVaultCmd struct{ CredentialFlags }

// rotated is what the command prints as JSON.
type rotated struct {
	From    string  `json:"from"`
	To      string  `json:"to"`
	Resumed bool    `json:"resumed"`
	Moved   int     `json:"moved"`
	Damaged int     `json:"damaged"`
	Seconds float64 `json:"duration_s"`
}

// Run exchanges it.
func (cmd KeysRotateVaultCmd) Run(ctx context.Context, out *Out) error {
	return out.withAdmin(ctx, func(a api.Admin) error {
		with, err := cmd.forVault(out, "Passphrase: ")
		if err != nil {
			return err
		}
		began := time.Now()
		r, err := a.RotateVaultKey(ctx, wire.RotateRequest{With: wire.Shown(with)})
		if err != nil {
			return err
		}
		if r.Resumed {
			fmt.Fprintln(out.Stderr, "the rotation that was begun before goes on")
		}
		done := rotated{From: r.From, To: r.To, Resumed: r.Resumed}
		bar := newMeter(out, "chains", r.Left)
		for finished := false; !finished; {
			p, err := a.RotateVaultBatch(ctx, wire.RotateBatchRequest{Ticket: r.Ticket})
			if err != nil {
				bar.end()
				fmt.Fprintln(out.Stderr, "the rotation is not finished; nothing is lost, and the same command goes on with it")
				return err
			}
			done.Moved, done.Damaged, finished = done.Moved+p.Moved, p.Damaged, p.Done
			bar.at(done.Moved, p.Left)
		}
		bar.end()
		done.Seconds = time.Since(began).Seconds()
		if r.OtherSlots > 0 {
			fmt.Fprintf(out.Stderr, "%d other slots opened the old key and do not open the new one: add them again with `gatehouse keys add-slot`\n", r.OtherSlots)
		}
		fmt.Fprintln(out.Stderr, "shares and exports of the old key open nothing that is sealed from now on: make new ones")
		if out.JSON {
			if err := out.Object(done); err != nil {
				return err
			}
		}
		if done.Damaged > 0 {
			return gatehouse.Errorf("vault.chains_damaged", "restore the key store from a backup, or wait until they expire, and run the same command again",
				"%d chains of the key store do not open and could not be moved; the old key is kept for them", done.Damaged)
		}
		out.Say("the vault key is %s now; %s is retired, %d chains were moved in %.1f s", done.To, done.From, done.Moved, done.Seconds)
		return nil
	})
}

// meter shows how far long work is: one line on a terminal, a line every ten seconds
// elsewhere.
type meter struct {
	out     *Out
	what    string
	of      int
	live    bool
	printed time.Time
}

func newMeter(out *Out, what string, of int) *meter {
	f, ok := out.Stderr.(*os.File)
	return &meter{out: out, what: what, of: of, live: ok && term.IsTerminal(int(f.Fd())), printed: time.Now()}
}

func (m *meter) at(done, left int) {
	switch {
	case m.live:
		fmt.Fprintf(m.out.Stderr, "\r%d of %d %s ", done, done+left, m.what)
	case time.Since(m.printed) >= 10*time.Second:
		m.printed = time.Now()
		fmt.Fprintf(m.out.Stderr, "%d of %d %s\n", done, done+left, m.what)
	}
}

func (m *meter) end() {
	if m.live {
		fmt.Fprintln(m.out.Stderr)
	}
}
