package main

import (
	"context"
	"io"
	"os"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/tariff"
)

// TariffPutCmd stores a tariff's file at the site.
type TariffPutCmd struct{ TariffFile }

// Run puts it.
func (cmd TariffPutCmd) Run(ctx context.Context, out *Out) error {
	raw, err := cmd.raw(out)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.TariffRevision, error) {
		return a.PutTariff(ctx, wire.TariffRequest{File: string(raw)})
	}, func(t wire.TariffRevision) {
		out.Say("Tariff %s, revision %d: stays that begin from now on are charged by it.", t.Name, t.Revision)
	})
}

// raw reads the file, without what it costs to read a huge one.
func (f TariffFile) raw(out *Out) ([]byte, error) {
	in := out.Stdin
	if f.File != "-" {
		file, err := os.Open(f.File)
		if err != nil {
			return nil, gatehouse.Errorf("tariff.unreadable", "check its name and permissions", "the tariff cannot be read: %w", err)
		}
		defer file.Close()
		in = file
	}
	raw, err := io.ReadAll(io.LimitReader(in, tariff.MaxSize+1))
	if err != nil {
		return nil, gatehouse.Errorf("tariff.unreadable", "check its name and permissions", "the tariff cannot be read: %w", err)
	}
	return raw, nil
}

// TariffListCmd lists the site's tariffs.
type TariffListCmd struct{}

// Run lists them.
func (TariffListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.TariffsResponse, error) { return a.Tariffs(ctx) }, func(all wire.TariffsResponse) { sayRevisions(out, all) })
}

func sayRevisions(out *Out, all wire.TariffsResponse) {
	for _, t := range all.Tariffs {
		out.Say("%-20s  revision %-4d  %s  %s", t.Name, t.Revision, t.At.Local().Format(time.DateTime), t.By)
	}
}

// TariffShowCmd prints a tariff's file as it is stored.
type TariffShowCmd struct {
	Name     string `arg:"" help:"The tariff's name."`
	Revision int    `help:"An earlier revision; the newest where it is left out."`
}

// Run prints it.
func (cmd TariffShowCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.TariffRevision, error) {
		all, err := a.TariffHistory(ctx, cmd.Name)
		if err != nil {
			return wire.TariffRevision{}, err
		}
		for _, t := range all.Tariffs {
			if cmd.Revision == 0 || t.Revision == cmd.Revision {
				return t, nil
			}
		}
		return wire.TariffRevision{}, gatehouse.Errorf("parking.unknown_tariff", "see `gatehouse tariff history`", "the tariff has no such revision")
	}, func(t wire.TariffRevision) { out.Say("%s", t.File) })
}

// TariffHistoryCmd lists a tariff's revisions.
type TariffHistoryCmd struct {
	Name string `arg:"" help:"The tariff's name."`
}

// Run lists them, the newest first.
func (cmd TariffHistoryCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.TariffsResponse, error) { return a.TariffHistory(ctx, cmd.Name) }, func(all wire.TariffsResponse) { sayRevisions(out, all) })
}
