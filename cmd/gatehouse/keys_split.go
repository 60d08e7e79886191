package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/server"
	"gatehouse/vault"
	"gatehouse/vault/shares"
)

// KeysSplitCmd makes shares.
type KeysSplitCmd struct {
	Threshold int    `help:"How many shares are needed." required:"" placeholder:"M"`
	Shares    int    `help:"How many are made, at most 16." required:"" placeholder:"N"`
	Out       string `help:"Write each share into a file of words and a QR code here, and print none." placeholder:"DIR"`
	CredentialFlags
}

// Run makes them. With a server running they pass through it; stop it first to keep
// them between this command and its vault process.
func (cmd KeysSplitCmd) Run(ctx context.Context, out *Out) error {
	dir, err := out.protected()
	if err != nil {
		return err
	}
	if cmd.Out != "" {
		if err := vault.CheckOutside(dir, cmd.Out); err != nil {
			return err
		}
	}
	return out.withDesk(ctx, func(a api.Desk) error {
		with, err := cmd.forVault(out, "Passphrase: ")
		if err != nil {
			return err
		}
		got, err := a.SplitKey(ctx, wire.SplitRequest{With: wire.Shown(with), Threshold: cmd.Threshold, Shares: cmd.Shares})
		if err != nil {
			return err
		}
		var all []shares.Share
		for _, text := range got.Shares {
			s, err := shares.Parse(text)
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		if cmd.Out != "" {
			return out.writeShares(cmd.Out, all)
		}
		return out.printShares(all)
	})
}

// printShares prints words and QR codes, or one JSON object.
func (o *Out) printShares(all []shares.Share) error {
	if o.JSON {
		type share struct {
			Index int    `json:"index"`
			Words string `json:"words"`
		}
		object := struct {
			Key       string  `json:"key"`
			Set       string  `json:"set"`
			Threshold int     `json:"threshold"`
			Shares    []share `json:"shares"`
		}{Key: all[0].KeyName(), Set: all[0].SetName(), Threshold: all[0].Threshold}
		for _, s := range all {
			object.Shares = append(object.Shares, share{s.Index, strings.Join(s.Words(), " ")})
		}
		return o.Object(object)
	}
	for _, s := range all {
		code, err := s.Terminal()
		if err != nil {
			return err
		}
		o.Say("%s\n%s", s.Text(), code)
	}
	return nil
}

// writeShares writes words and QR codes; it replaces nothing, and leaves nothing behind
// where one of them cannot be written.
func (o *Out) writeShares(dir string, all []shares.Share) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return gatehouse.Errorf("shares.unwritable", "name another folder", "the folder for the shares cannot be made: %w", err)
	}
	var written []string
	defer func() {
		if err != nil {
			for _, name := range written {
				_ = os.Remove(name)
			}
		}
	}()
	for _, s := range all {
		picture, err := s.PNG()
		if err != nil {
			return err
		}
		base := filepath.Join(dir, fmt.Sprintf("share-%d-of-%d", s.Index, s.Of))
		for _, file := range []struct {
			name string
			b    []byte
		}{{base + ".txt", []byte(s.Text())}, {base + ".png", picture}} {
			if err := writeNew(file.name, file.b); err != nil {
				return gatehouse.Errorf("shares.unwritable", "name an empty folder, best on a medium that leaves with the share", "a share cannot be written: %w", err)
			}
			written = append(written, file.name)
		}
	}
	if o.JSON {
		return o.Object(map[string]any{"key": all[0].KeyName(), "set": all[0].SetName(), "threshold": all[0].Threshold, "files": written})
	}
	o.Say("%d shares of the vault key %s are in %s; any %d open the vault.\nGive each to somebody else, on paper, and delete the files.", len(all), all[0].KeyName(), dir, all[0].Threshold)
	return nil
}

// writeNew writes a file that only its owner reads, where none is.
func writeNew(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// KeysCombineCmd combines shares.
type KeysCombineCmd struct {
	Files []string `arg:"" optional:"" help:"The shares' files (the words, not the pictures); without any they are asked for."`
	Label string   `help:"What the new slot is, in a few words." default:"recovered" placeholder:"TEXT"`
	CredentialFlags
}

// Run combines them and gives the vault a new slot.
func (cmd KeysCombineCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.config()
	if err != nil {
		return err
	}
	in := bufio.NewReader(io.LimitReader(out.stdin(), 1<<20))
	var all []shares.Share
	if len(cmd.Files) > 0 {
		all, err = readShares(cmd.Files)
	} else {
		all, err = askShares(out, in)
	}
	if err == nil {
		err = shares.Check(all)
	}
	if err != nil {
		return err
	}
	_, missing := os.Lstat(cmd.KeyFile)
	with, err := cmd.newCredential(out.reading(in), c.Data)
	if err != nil {
		return err
	}
	name, err := server.RecoverVault(ctx, c, all, with, cmd.Label)
	if err != nil {
		if cmd.KeyFile != "" && errors.Is(missing, fs.ErrNotExist) {
			err = errors.Join(err, os.Remove(cmd.KeyFile)) // it was made here, and opens nothing
		}
		return err
	}
	if err := out.withAdmin(ctx, func(a api.Admin) error { return a.NoteKey(ctx, wire.NoteRequest{Event: "recovered", Key: name}) }); err != nil {
		fmt.Fprintf(out.Stderr, "the recovery could not be written into the audit log: %v\n", err)
	}
	if out.JSON {
		return out.Object(map[string]string{"key": name})
	}
	out.Say("the shares give the vault key %s; it opens with your %s now", name, with.Kind.Name())
	return nil
}

// readShares reads a share from each file; an error says which.
func readShares(files []string) ([]shares.Share, error) {
	var all []shares.Share
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, gatehouse.Errorf("shares.unreadable", "check the path and its permissions", "a share cannot be read: %w", err)
		}
		b, err := io.ReadAll(io.LimitReader(f, 64<<10))
		f.Close()
		if err != nil {
			return nil, gatehouse.Errorf("shares.unreadable", "check the medium", "a share cannot be read: %w", err)
		}
		s, err := shares.Parse(string(b))
		if err != nil {
			var e *gatehouse.Error
			if errors.As(err, &e) {
				err = gatehouse.Errorf(e.Code, e.Hint, "%s: %s", name, e.Message)
			}
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// askShares asks for as many shares as are needed; a mistyped one is asked for again.
func askShares(out *Out, in *bufio.Reader) ([]shares.Share, error) {
	var all []shares.Share
	for needed := 1; len(all) < needed; {
		fmt.Fprintf(out.Stderr, "Type the words of share %d (lines may be broken anywhere), then an empty line:\n", len(all)+1)
		text, err := paragraph(in)
		if err != nil {
			return nil, err
		}
		if text == "" {
			return all, nil // combining says how many there are, and how many are needed
		}
		s, err := shares.Parse(text)
		if err != nil {
			fmt.Fprintln(out.Stderr, "gatehouse:", err)
			if !out.onTerminal() {
				return nil, err
			}
			continue
		}
		all, needed = append(all, s), s.Threshold
	}
	return all, nil
}

// paragraph reads lines up to an empty one; empty lines before it do not count.
func paragraph(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		b.WriteString(line)
		if err == io.EOF || strings.TrimSpace(line) == "" && strings.TrimSpace(b.String()) != "" {
			return strings.TrimSpace(b.String()), nil
		}
		if err != nil {
			return "", gatehouse.Errorf("shares.unreadable", "try again", "the words cannot be read: %w", err)
		}
		if strings.TrimSpace(line) == "" {
			b.Reset()
		}
	}
}
