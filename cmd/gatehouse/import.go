package main

import (
	"context"
	"io"
	"os"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// ImportCmd takes many people or vehicles in from a table.
type ImportCmd struct {
	People   ImportPeopleCmd   `cmd:"" help:"Enrol the people of a table, without their faces."`
	Vehicles ImportVehiclesCmd `cmd:"" help:"Enrol the vehicles of a table."`
}

// ImportPeopleCmd takes people.
type ImportPeopleCmd struct{ tableFlags }

// ImportVehiclesCmd takes vehicles.
type ImportVehiclesCmd struct{ tableFlags }

// tableFlags are what both take.
type tableFlags struct {
	File     string   `arg:"" help:"A CSV or XLSX file, - for standard input. The first row names the columns; the console has a template."`
	DryRun   bool     `help:"Check every row, say what is wrong by row, column and cause, and enrol nobody."`
	Skip     bool     `help:"Leave out rows with problems and enrol the others."`
	Allow    []string `help:"GATE or GATE:SCHEDULE of rows that name no gates; without it they pass nowhere."`
	Encoding string   `help:"Of a CSV file: auto, utf-8, utf-16, gb18030 or windows-1252." enum:"auto,utf-8,utf-16,gb18030,windows-1252" default:"auto"`
}

// Run imports people.
func (cmd ImportPeopleCmd) Run(ctx context.Context, out *Out) error {
	return cmd.run(ctx, out, gatehouse.PersonSubject)
}

// Run imports vehicles.
func (cmd ImportVehiclesCmd) Run(ctx context.Context, out *Out) error {
	return cmd.run(ctx, out, gatehouse.VehicleSubject)
}

// maxTable is a little more than a table may have, so that the server says so.
const maxTable = 16<<20 + 1

func (cmd tableFlags) run(ctx context.Context, out *Out, kind gatehouse.SubjectKind) error {
	file, err := readTableFile(out, cmd.File)
	if err != nil {
		return err
	}
	return out.withAdmin(ctx, func(a api.Admin) error {
		got, err := a.ImportCheck(ctx, wire.ImportRequest{Kind: kind, File: file, Encoding: cmd.Encoding, Grants: grants(cmd.Allow), Skip: cmd.Skip})
		if err == nil && !cmd.DryRun && (got.Bad == 0 && len(got.Problems) == 0 || cmd.Skip) {
			got, err = carryOut(ctx, out, a, got)
		}
		if err != nil {
			return err
		}
		if out.JSON {
			err = out.Object(got)
		} else {
			out.imported(got, cmd.DryRun)
		}
		switch {
		case err != nil || ctx.Err() != nil:
			return err
		case len(got.Problems) > 0 && !cmd.Skip:
			return gatehouse.Errorf("intake.problems", "correct them and give the file again, or leave these rows out with --skip", "%d rows have something wrong; nobody was enrolled", got.Bad)
		case len(got.Failed) > 0:
			return gatehouse.Errorf("intake.failed", "give the same file again: whoever is enrolled is left alone", "%d rows could not be enrolled", len(got.Failed))
		}
		return nil
	})
}

// carryOut runs an import to its end, or stops it where the command is interrupted.
func carryOut(ctx context.Context, out *Out, a api.Admin, got wire.ImportStatus) (wire.ImportStatus, error) {
	got, err := a.ImportStart(ctx, got.ID)
	m := newMeter(out, "rows are enrolled", got.Left)
	defer m.end()
	asks := context.WithoutCancel(ctx)
	stop := ctx.Done()
	for err == nil && got.State == "running" {
		select {
		case <-stop:
			stop = nil
			_, err = a.ImportStop(asks, got.ID)
		case <-time.After(100 * time.Millisecond):
		}
		if err == nil {
			got, err = a.Import(asks, got.ID)
		}
		m.at(got.Enrolled, got.Left)
	}
	return got, err
}

func (o *Out) imported(s wire.ImportStatus, dry bool) {
	for _, list := range [][]wire.ImportProblem{s.Problems, s.Failed} {
		for _, p := range list {
			if p.Earlier > 0 {
				o.Say("row %d, %s: %s (row %d)", p.Row, p.Column, p.Cause, p.Earlier)
				continue
			}
			o.Say("row %d, %s: %s", p.Row, p.Column, p.Cause)
		}
	}
	if s.More > 0 {
		o.Say("%d problems more", s.More)
	}
	for _, d := range s.Dates {
		o.Say("%s: %d dates were written as %s", d.Column, d.Cells, d.Form)
	}
	o.Say("%d rows (%s): %d are enrolled already, %d have something wrong", s.Rows, s.Encoding, s.There, s.Bad)
	switch {
	case dry:
		o.Say("%d would be enrolled, %d of them with no gates; nobody was", s.Ready, s.NoGates)
	case s.State == "stopped":
		o.Say("stopped: %d were enrolled, %d are left; give the same file again to go on", s.Enrolled, s.Left)
	default:
		o.Say("%d were enrolled, %d of them with no gates", s.Enrolled, s.NoGates)
	}
}

func readTableFile(out *Out, path string) ([]byte, error) {
	in := out.stdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, gatehouse.Errorf("sheet.unreadable", "check the path and its permissions", "the table cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxTable))
	if err != nil {
		return nil, gatehouse.Errorf("sheet.unreadable", "check the path and its permissions", "the table cannot be read: %w", err)
	}
	return b, nil
}
