package main

import (
	"context"
	"strings"

	"gatehouse/server"
)

// ServeCmd runs a real site.
type ServeCmd struct {
	PassphraseFile string `help:"Where the vault's passphrase is read from at the first start, and to unseal the vault at every start. Without it the first start asks on the terminal, and the vault starts sealed." placeholder:"FILE"`
}

// Run serves until it is interrupted.
func (cmd ServeCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.config()
	if err != nil {
		return err
	}
	passphrase, err := cmd.passphrase(c, out)
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Stderr: out.Stderr, NewPassphrase: passphrase, Cameras: true, Examine: examine(out.Config), Origins: origins(out.Config)})
	if err != nil {
		return err
	}
	defer s.Close(context.WithoutCancel(ctx))
	if cmd.PassphraseFile != "" {
		if err := s.Unseal(ctx, passphrase); err != nil {
			return err
		}
	}
	clear(passphrase) // the server runs for a long time
	return s.Run(ctx, func(link string) {
		how := "Sign in there"
		if strings.Contains(link, "/enter/") {
			how = "Nobody can sign in yet: open this link once, within 15 minutes, and make the first administrator"
		}
		out.Say("Gatehouse %s serves %s. %s:\n\n    %s\n", server.Version, c.Site.Name, how, link)
	})
}

// passphrase returns the vault's passphrase where it is known or needed.
func (cmd ServeCmd) passphrase(c server.Config, out *Out) ([]byte, error) {
	if c.Vault.Elsewhere() {
		if cmd.PassphraseFile != "" {
			return nil, errElsewhere()
		}
		return nil, nil
	}
	initialized, err := server.Initialized(c)
	if err != nil {
		return nil, err
	}
	if cmd.PassphraseFile != "" {
		passphrase, err := readPassphraseFile(cmd.PassphraseFile)
		if err != nil || initialized {
			return passphrase, err
		}
		return passphrase, longEnough(passphrase)
	}
	if initialized {
		return nil, nil
	}
	out.firstStart()
	return askNewPassphrase(out)
}

// firstStart says what the passphrase is that is asked for next.
func (o *Out) firstStart() {
	o.Say("This is the first start: choose the vault's passphrase. Names, ID numbers, photos and\nplates are sealed under it. Nobody can recover it: write it down and keep it elsewhere.")
}
