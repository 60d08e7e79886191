package server

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/timesheet"
	"gatehouse/internal/sheet"
	"gatehouse/rules/attendance"
)

// spreadsheetDates is the layout of cells that are dates to a spreadsheet.
const spreadsheetDates = "spreadsheet"

// ImportPunches implements api.Hours.
func (a admin) ImportPunches(ctx context.Context, r wire.PunchImportRequest) (wire.PunchImport, error) {
	return a.importPunches(ctx, a.actor(ctx), r)
}

func (a admin) importPunches(ctx context.Context, by timesheet.Actor, r wire.PunchImportRequest) (wire.PunchImport, error) {
	out := wire.PunchImport{Problems: []wire.RowProblem{}}
	f := attendance.PunchFormat{Layout: r.Layout, In: r.In, Out: r.Out, Neither: r.Neither, Serial: r.Layout == spreadsheetDates}
	if r.Zone != "" {
		zone, err := time.LoadLocation(r.Zone)
		if err != nil || r.Zone == "Local" {
			return out, gatehouse.Errorf("hours.import", "write it as Asia/Tokyo", "there is no such time zone")
		}
		f.Zone = zone
	}
	if r.Layout == "" {
		return out, gatehouse.Errorf("hours.import", "say how the file writes times: 02.01.2006 15:04", "a time's layout is never guessed")
	}
	named := wire.PunchColumns{Person: "person", At: "at", Direction: "direction", Site: "site"}
	if r.File != nil {
		if len(r.Rows) > 0 {
			return out, gatehouse.Errorf("hours.import", "give one of the two", "these are rows, and a file")
		}
		named = r.File.Columns
		var err error
		if r.Rows, f.Date1904, out.Problems, err = punchRows(*r.File); err != nil {
			return out, err
		}
	}
	out.Rows = len(r.Rows)
	who := map[string]gatehouse.SubjectID{}
	var rows []attendance.PunchRow
	for _, row := range r.Rows {
		if _, asked := who[row.Person]; !asked {
			if id, err := a.person(ctx, row.Person); err == nil {
				who[row.Person] = id
			}
		}
		rows = append(rows, attendance.PunchRow{Line: row.Line, Who: row.Person, At: row.At, Direction: row.Direction, Site: row.Site})
	}
	added, problems, err := a.hours.ImportPunches(ctx, by, rows, f, who, r.DryRun || len(out.Problems) > 0)
	out.Added = added
	column := map[string]string{"person": named.Person, "at": named.At, "direction": named.Direction, "site": named.Site}
	for _, p := range problems {
		out.Problems = append(out.Problems, wire.RowProblem{Line: p.Line, Column: column[p.Column()], Code: p.Code, Reason: p.Reason})
	}
	slices.SortStableFunc(out.Problems, func(x, y wire.RowProblem) int {
		return cmp.Or(cmp.Compare(x.Line, y.Line), strings.Compare(x.Column, y.Column))
	})
	a.committed()
	return out, err
}

// punchRows reads a file's table. Whatever else stands in it, a name or a department, is not
// looked at. Errors: hours.import where a column is not there, and the table's.
func punchRows(f wire.PunchFile) (rows []wire.PunchRow, date1904 bool, found []wire.RowProblem, err error) {
	t, err := sheet.Read(f.Data, f.Encoding)
	if f.NoHeader && gatehouse.ErrorCode(err) == "sheet.empty" {
		err = gatehouse.Errorf("hours.import", "a file has two rows or more", "the file has no rows to speak of")
	}
	if err != nil {
		return nil, false, nil, err
	}
	if f.NoHeader {
		t.Rows = slices.Insert(t.Rows, 0, sheet.Row{N: t.Rows[0].N - 1, Cells: t.Header})
		t.Header = nil
	}
	var missing error
	index := func(name string, needed bool) int {
		i := -1
		switch {
		case name == "":
		case f.NoHeader:
			if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= sheet.MaxColumns {
				i = n - 1
			}
		default:
			i = slices.IndexFunc(t.Header, func(h string) bool { return strings.EqualFold(h, name) })
		}
		if i < 0 && (needed || name != "") {
			missing = gatehouse.Errorf("hours.import", "name the columns as the first row does; where there is no such row, by their numbers", "the file has no column %s", strconv.Quote(name))
		}
		return i
	}
	c := f.Columns
	person, at, clock, direction, site := index(c.Person, true), index(c.At, true), index(c.Clock, false), index(c.Direction, false), index(c.Site, false)
	if missing != nil {
		return nil, false, nil, missing
	}
	for _, r := range t.Rows {
		cell := func(i int) string {
			if i < 0 || i >= len(r.Cells) {
				return ""
			}
			return r.Cells[i]
		}
		for i, name := range map[int]string{person: c.Person, at: c.At, clock: c.Clock, direction: c.Direction, site: c.Site} {
			if i >= 0 && slices.Contains(r.Formulas, i) {
				found = append(found, wire.RowProblem{Line: r.N, Column: name, Code: "punch.formula", Reason: "it is a formula, and no value"})
			}
		}
		one := wire.PunchRow{Line: r.N, Person: f.Prefix + cell(person), At: cell(at), Direction: cell(direction), Site: cell(site)}
		if clock >= 0 {
			one.At += " " + cell(clock)
		}
		rows = append(rows, one)
	}
	return rows, t.Date1904, found, nil
}
