package main

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// SecretCmd is about what would otherwise stand in a configuration file.
type SecretCmd struct {
	Set  SecretSetCmd  `cmd:"" help:"Keep a secret: its value comes from a file or from standard input, never from the command line."`
	List SecretListCmd `cmd:"" help:"List the secrets by name and date."`
	Rm   SecretRmCmd   `cmd:"" help:"Forget a secret."`
}

// SecretSetCmd keeps a secret.
type SecretSetCmd struct {
	Name string `arg:"" help:"Whom it is for: smtp, s3, webhook, …"`
	File string `help:"Read it from a file (- for standard input, which is asked without echo on a terminal)." default:"-" placeholder:"FILE"`
}

// maxSecretFile bounds what is read.
const maxSecretFile = 16 << 10

// Run keeps it. A line end behind the value is not part of it.
func (cmd SecretSetCmd) Run(ctx context.Context, out *Out) error {
	if err := gatehouse.CheckName(cmd.Name); err != nil {
		return err
	}
	value, err := cmd.value(out)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (map[string]string, error) {
		return map[string]string{"name": cmd.Name}, a.SetSecret(ctx, cmd.Name, gatehouse.Secret(value))
	}, func(map[string]string) { out.Say("the secret %s is kept", cmd.Name) })
}

func (cmd SecretSetCmd) value(out *Out) (string, error) {
	if cmd.File == "-" && out.onTerminal() {
		b, err := askPassphrase(out, "Secret: ")
		return string(b), err
	}
	in := out.stdin()
	if cmd.File != "-" {
		f, err := os.Open(cmd.File)
		if err != nil {
			return "", gatehouse.Errorf("secret.unreadable", "check the path and its permissions", "the secret cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSecretFile))
	if err != nil {
		return "", gatehouse.Errorf("secret.unreadable", "check the path and its permissions", "the secret cannot be read: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// SecretListCmd lists the secrets.
type SecretListCmd struct{}

// Run lists them.
func (SecretListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.SecretsResponse, error) { return a.Secrets(ctx) }, func(got wire.SecretsResponse) {
		for _, s := range got.Secrets {
			out.Say("%-20s  set %s", s.Name, s.Set.Local().Format(time.DateTime))
		}
	})
}

// SecretRmCmd forgets a secret.
type SecretRmCmd struct {
	Name string `arg:""`
}

// Run forgets it.
func (cmd SecretRmCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (map[string]string, error) {
		return map[string]string{"removed": cmd.Name}, a.RemoveSecret(ctx, cmd.Name)
	}, func(map[string]string) { out.Say("the secret %s is forgotten", cmd.Name) })
}
