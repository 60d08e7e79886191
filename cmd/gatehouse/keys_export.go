package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// KeysExportCmd writes the keyring into a file.
type KeysExportCmd struct {
	Out string `help:"The file to write; it must not be there yet." required:"" placeholder:"FILE"`
}

// Run writes it.
func (cmd KeysExportCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (map[string]string, error) {
		got, err := a.ExportKeys(ctx)
		if err != nil {
			return nil, err
		}
		if err := writeNew(cmd.Out, got.Bundle); err != nil {
			return nil, gatehouse.Errorf("keys.unwritable", "name a new file in a folder that can be written", "the keyring cannot be written: %w", err)
		}
		return map[string]string{"file": cmd.Out}, nil
	}, func(map[string]string) {
		out.Say("the vault's keyring is in %s, wrapped as it is here: what opens the vault opens it", cmd.Out)
	})
}

// KeysImportCmd puts a keyring back.
type KeysImportCmd struct {
	File string `arg:"" help:"What 'gatehouse keys export' wrote."`
}

// Run puts it back.
func (cmd KeysImportCmd) Run(ctx context.Context, out *Out) error {
	c, err := out.config()
	if err != nil {
		return err
	}
	b, err := readKeyring(cmd.File)
	if err != nil {
		return err
	}
	name, err := server.ImportKeyring(c, b)
	if err != nil {
		return err
	}
	if err := out.withAdmin(ctx, func(a api.Admin) error { return a.NoteKey(ctx, wire.NoteRequest{Event: "imported", Key: name}) }); err != nil {
		fmt.Fprintf(out.Stderr, "it could not be written into the audit log: %v\n", err)
	}
	if out.JSON {
		return out.Object(map[string]string{"key": name})
	}
	out.Say("the keyring of the vault key %s is back", name)
	return nil
}

// readKeyring reads a file that holds wrapped keys.
func readKeyring(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, gatehouse.Errorf("keys.unreadable", "check the path and its permissions", "the keyring cannot be read: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 8<<20))
	if err != nil {
		return nil, gatehouse.Errorf("keys.unreadable", "check the medium", "the keyring cannot be read: %w", err)
	}
	return b, nil
}
