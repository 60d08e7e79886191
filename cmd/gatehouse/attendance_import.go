package main

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// HoursImportCmd imports punches of another system, or of a time clock of another maker.
type HoursImportCmd struct {
	File   string `arg:"" help:"CSV, text between tabs, or XLSX (- for standard input). The first row names the columns."`
	Layout string `required:"" help:"How it writes times, as Go's reference time: '02.01.2006 15:04'; 'spreadsheet' for cells that are dates. It is never guessed." placeholder:"LAYOUT"`

	Person    string `default:"person" help:"The column that says who: a badge label or an id. '${default}' without this flag." placeholder:"COLUMN"`
	At        string `default:"at" help:"The column of the time; '${default}'." placeholder:"COLUMN"`
	Clock     string `help:"The column of the time of the day, where --at is of the day alone." placeholder:"COLUMN"`
	Direction string `default:"direction" help:"The column that says coming or going; '${default}'. --direction= where there is none." placeholder:"COLUMN"`
	Site      string `help:"The column that names the site." placeholder:"COLUMN"`
	NoHeader  bool   `help:"The first row is a punch: columns are named 1, 2 and so on."`
	Prefix    string `help:"What badge labels have before the clock's number: B- for B-17 of 17." placeholder:"TEXT"`

	In       string `default:"in" help:"The word for coming, several with bars between them: 'C/In|0'."`
	Out      string `default:"out" help:"The word for going, likewise."`
	Neither  string `help:"Words that say nothing of it, likewise." placeholder:"WORDS"`
	Zone     string `help:"The time zone of its times; the site's where none is given." placeholder:"ZONE"`
	Encoding string `help:"Of text: auto, utf-8, utf-16, gb18030 or windows-1252." enum:"auto,utf-8,utf-16,gb18030,windows-1252" default:"auto"`
	DryRun   bool   `help:"Check every row, say what is wrong by row, column and cause, and write nothing."`
}

// Run imports them: all rows or none.
func (cmd HoursImportCmd) Run(ctx context.Context, out *Out) error {
	file, err := readTableFile(out, cmd.File)
	if err != nil {
		return err
	}
	r := wire.PunchImportRequest{Layout: cmd.Layout, Zone: cmd.Zone, In: cmd.In, Out: cmd.Out, Neither: cmd.Neither, DryRun: cmd.DryRun, File: &wire.PunchFile{Data: file, Encoding: cmd.Encoding, NoHeader: cmd.NoHeader, Prefix: cmd.Prefix,
		Columns: wire.PunchColumns{Person: cmd.Person, At: cmd.At, Clock: cmd.Clock, Direction: cmd.Direction, Site: cmd.Site}}}
	var problems int
	err = answer(ctx, out, func(a api.Admin) (wire.PunchImport, error) {
		got, err := a.ImportPunches(ctx, r)
		problems = len(got.Problems)
		return got, err
	}, func(got wire.PunchImport) {
		for _, p := range got.Problems {
			where := ""
			if p.Column != "" {
				where = ", column " + p.Column
			}
			out.Say("line %d%s: %s: %s", p.Line, where, p.Code, p.Reason)
		}
		switch {
		case len(got.Problems) > 0:
		case cmd.DryRun:
			out.Say("%d rows can be imported; nothing was written", got.Rows)
		default:
			out.Say("%d punches were added, %d were there", got.Added, got.Rows-got.Added)
		}
	})
	if err == nil && problems > 0 {
		err = gatehouse.Errorf("hours.import", "put the rows right and import the file again", "%d rows are wrong; nothing was written", problems)
	}
	return err
}
