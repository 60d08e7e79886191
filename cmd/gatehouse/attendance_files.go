package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// maxHoursTable bounds a table or file of rules, in bytes.
const maxHoursTable = 16 << 20

// readTable reads a file that is not secret; - is standard input.
func readTable(o *Out, path string) ([]byte, error) {
	r := o.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, gatehouse.Errorf("file.unreadable", "check its name", "the file cannot be read: %w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxHoursTable+1))
	if err == nil && len(b) > maxHoursTable {
		err = gatehouse.Errorf("file.too_large", "split it", "the file is larger than 16 MiB")
	}
	return b, err
}

func readJSON(o *Out, path string, v any) error {
	b, err := readTable(o, path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return gatehouse.Errorf("file.malformed", "compare it with what --json shows", "the file is not the JSON object that this takes")
	}
	return nil
}

// row is a line of a table, by its columns' names.
type row struct {
	line  int
	cells map[string]string
}

// table reads CSV with a header that has the columns. Errors: table.malformed, with the line.
func table(o *Out, path string, comma string, columns ...string) ([]row, error) {
	b, err := readTable(o, path)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))))
	r.FieldsPerRecord = -1
	if comma != "" {
		r.Comma = []rune(comma)[0]
	}
	header, err := r.Read()
	if err != nil {
		return nil, gatehouse.Errorf("table.malformed", "save it as CSV, with the columns "+strings.Join(columns, ", "), "the file has no header")
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
	}
	for _, c := range columns {
		if !slices.Contains(header, c) {
			return nil, gatehouse.Errorf("table.malformed", "the columns are "+strings.Join(columns, ", "), "the file has no column %s", c)
		}
	}
	var out []row
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		line, _ := r.FieldPos(0)
		if err != nil || len(record) != len(header) {
			return nil, gatehouse.Errorf("table.malformed", "give each row as many cells as the header has", "line %d is no row of this table", line)
		}
		one := row{line, map[string]string{}}
		for i, c := range header {
			one.cells[c] = strings.TrimSpace(record[i])
		}
		out = append(out, one)
	}
}

// RosterCmd plans days.
type RosterCmd struct {
	Set    RosterSetCmd    `cmd:"" help:"Plan days: shifts that repeat, one a day; - is a day off."`
	Import RosterImportCmd `cmd:"" help:"Plan days from a CSV file with the columns who, from, until and shifts."`
}

// RosterSetCmd plans days.
type RosterSetCmd struct {
	Who    string   `arg:"" help:"A team's id; with --person a badge label or id."`
	Shifts []string `arg:"" help:"One a day from --from on, again and again: early early late late - -"`
	DaysArg
	Person   bool   `help:"It is for one person."`
	Calendar bool   `help:"Holidays are days off."`
	Zone     string `help:"The time zone of the shifts, on a journey." placeholder:"ZONE"`
	ID       string `help:"The entry to replace." placeholder:"ID"`
}

// Run plans them.
func (cmd RosterSetCmd) Run(ctx context.Context, out *Out) error {
	e := wire.RosterEntry{From: cmd.from(), Until: cmd.until(), Shifts: shiftsOf(cmd.Shifts), FollowsCalendar: cmd.Calendar, Zone: cmd.Zone}
	var err error
	if cmd.ID != "" {
		e.ID, err = gatehouse.ParseID(cmd.ID)
	}
	if err != nil {
		return err
	}
	if cmd.Person {
		e.Person = cmd.Who
	} else {
		e.Team = gatehouse.GroupID(cmd.Who)
	}
	return put(ctx, out, wire.PlanRequest{Roster: &e})
}

// RosterImportCmd plans days from a file.
type RosterImportCmd struct {
	File   string `arg:"" help:"CSV (- for standard input). who is a team's id, or a person's badge label or id with --person; shifts are separated by spaces."`
	Person bool   `help:"who is a person."`
	Comma  string `help:"What separates columns." placeholder:"CHAR"`
}

// Run plans them, one row after the other; it stops at the first that is wrong.
func (cmd RosterImportCmd) Run(ctx context.Context, out *Out) error {
	rows, err := table(out, cmd.File, cmd.Comma, "who", "from", "until", "shifts")
	if err != nil {
		return err
	}
	return out.withAdmin(ctx, func(a api.Admin) error {
		for i, x := range rows {
			e := wire.RosterEntry{From: gatehouse.Date(x.cells["from"]), Until: gatehouse.Date(x.cells["until"]), Shifts: shiftsOf(strings.Fields(x.cells["shifts"]))}
			if cmd.Person {
				e.Person = x.cells["who"]
			} else {
				e.Team = gatehouse.GroupID(x.cells["who"])
			}
			if _, err := a.PutPlan(ctx, wire.PlanRequest{Roster: &e}); err != nil {
				return gatehouse.Errorf("table.row", "put it right, and import the rest", "line %d: %w; the %d rows before it count", x.line, err, i)
			}
		}
		out.Say("%s rows count", strconv.Itoa(len(rows)))
		return nil
	})
}

// LeaveCmd is about leave.
type LeaveCmd struct {
	Kind     LeaveKindCmd     `cmd:"" help:"Make or replace a kind of leave."`
	Ask      LeaveAskCmd      `cmd:"" help:"Ask for leave in somebody's name; somebody else decides it."`
	List     LeaveListCmd     `cmd:"" help:"List requests."`
	Approve  LeaveYesCmd      `cmd:"" help:"Approve a request."`
	Refuse   LeaveNoCmd       `cmd:"" help:"Refuse a request."`
	Balances LeaveBalancesCmd `cmd:"" help:"What somebody has of each kind this year."`
}

// LeaveKindCmd makes a kind.
type LeaveKindCmd struct {
	ID        string `arg:"" help:"Its id: annual."`
	Title     string `help:"What people call it."`
	Code      string `help:"What it is paid as; nothing for unpaid." placeholder:"CODE"`
	PerYear   int    `help:"Minutes that somebody has of it in a year; 0 is not counted."`
	Monthly   bool   `help:"A twelfth each month instead of all on 1 January."`
	CarryOver int    `help:"Minutes that may be taken in the next year."`

	Chain []string `help:"The roles whose people approve it, one after the other: site-manager,hr. Without it one person decides." placeholder:"ROLE"`
}

// Run makes it.
func (cmd LeaveKindCmd) Run(ctx context.Context, out *Out) error {
	k := wire.LeaveKind{ID: cmd.ID, Title: cmd.Title, Code: gatehouse.EarningsCode(cmd.Code), PerYear: cmd.PerYear, Monthly: cmd.Monthly, CarryOver: cmd.CarryOver}
	for _, role := range cmd.Chain {
		k.Chain = append(k.Chain, gatehouse.Role(role))
	}
	return put(ctx, out, wire.PlanRequest{LeaveKind: &k})
}

// LeaveAskCmd asks for leave.
type LeaveAskCmd struct {
	Person string `arg:"" help:"Their badge label or id."`
	Kind   string `arg:"" help:"The kind of leave."`
	From   string `required:"" help:"When it begins: 2026-12-01 00:00." placeholder:"TIME"`
	Until  string `required:"" help:"When it ends." placeholder:"TIME"`
	Reason string `required:"" help:"Why; it is sealed." placeholder:"TEXT"`
}

// Run asks.
func (cmd LeaveAskCmd) Run(ctx context.Context, out *Out) error {
	from, err := clockTime(cmd.From)
	if err != nil {
		return err
	}
	until, err := clockTime(cmd.Until)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.LeaveRequest, error) {
		return a.AskLeave(ctx, wire.LeaveAsk{Person: cmd.Person, Kind: cmd.Kind, From: from, Until: until, Reason: cmd.Reason})
	}, out.leave)
}

func (o *Out) leave(l wire.LeaveRequest) {
	o.Say("%s  %-9s  %-12s  %-16s  %s until %s", l.ID, l.State, l.Kind, l.Label, l.From.Local().Format("2006-01-02 15:04"), l.Until.Local().Format("2006-01-02 15:04"))
}

// LeaveListCmd lists requests.
type LeaveListCmd struct{}

// Run lists them.
func (LeaveListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.LeaveRequests, error) {
		return a.LeaveRequests(ctx, "", gatehouse.ID{}, 200)
	}, func(got wire.LeaveRequests) {
		for _, l := range got.Leave {
			out.leave(l)
		}
	})
}

func (c CorrectionArg) decideLeave(ctx context.Context, out *Out, approve bool) error {
	id, err := gatehouse.ParseID(c.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.LeaveRequest, error) {
		return a.DecideLeave(ctx, id, wire.TimeDecision{Approve: approve})
	}, out.leave)
}

// LeaveYesCmd approves.
type LeaveYesCmd struct{ CorrectionArg }

// Run approves it.
func (cmd LeaveYesCmd) Run(ctx context.Context, out *Out) error {
	return cmd.decideLeave(ctx, out, true)
}

// LeaveNoCmd refuses.
type LeaveNoCmd struct{ CorrectionArg }

// Run refuses it.
func (cmd LeaveNoCmd) Run(ctx context.Context, out *Out) error {
	return cmd.decideLeave(ctx, out, false)
}

// LeaveBalancesCmd shows balances.
type LeaveBalancesCmd struct {
	Person string `arg:"" help:"Their badge label or id."`
}

// Run shows them.
func (cmd LeaveBalancesCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.LeaveBalances, error) {
		id, err := personID(ctx, a, cmd.Person)
		if err != nil {
			return wire.LeaveBalances{}, err
		}
		return a.LeaveBalances(ctx, id)
	}, func(got wire.LeaveBalances) {
		for _, b := range got.Balances {
			out.Say("%-20s  accrued %6s  carried %6s  taken %6s  left %6s", b.Kind, gatehouse.HoursMinutes(b.Accrued), gatehouse.HoursMinutes(b.Carried), gatehouse.HoursMinutes(b.Taken), gatehouse.HoursMinutes(b.Left))
		}
	})
}

// PayExportCmd is about files for payroll programs.
type PayExportCmd struct {
	Ask     PayExportAskCmd     `cmd:"" help:"Ask for a closed period's hours; a second person approves in the console."`
	List    PayExportListCmd    `cmd:"" help:"List what was asked for."`
	Approve PayExportApproveCmd `cmd:"" help:"Agree to an export that somebody asked for in the console."`
	Write   PayExportWriteCmd   `cmd:"" help:"Write an approved export's file, encrypted to its recipients."`
}

// PayExportAskCmd asks for an export.
type PayExportAskCmd struct {
	PeriodArg
	Format    string   `default:"csv" enum:"csv,xlsx" help:"csv or xlsx."`
	Recipient []string `required:"" help:"Who can read the file: age public keys (age1…)." placeholder:"KEY"`
}

// Run asks.
func (cmd PayExportAskCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PayExport, error) {
		return a.AskPayExport(ctx, wire.PayExportAsk{From: gatehouse.Date(cmd.From), Until: gatehouse.Date(cmd.Until), Format: gatehouse.PayFormat(cmd.Format), Recipients: cmd.Recipient})
	}, out.payExport)
}

func (o *Out) payExport(e wire.PayExport) {
	state := "waits for a second person"
	switch {
	case !e.Written.IsZero():
		state = "written"
	case !e.Approved.IsZero():
		state = "approved"
	}
	o.Say("%s  %s until %s  %-4s  %s", e.ID, e.From, e.Until, e.Format, state)
}

// PayExportListCmd lists exports.
type PayExportListCmd struct{}

// Run lists them.
func (PayExportListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PayExports, error) { return a.PayExports(ctx) }, func(got wire.PayExports) {
		for _, e := range got.Exports {
			out.payExport(e)
		}
	})
}

// PayExportApproveCmd approves.
type PayExportApproveCmd struct{ CorrectionArg }

// Run approves it.
func (cmd PayExportApproveCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.PayExport, error) { return a.ApprovePayExport(ctx, id) }, out.payExport)
}

// PayExportWriteCmd writes the file.
type PayExportWriteCmd struct {
	CorrectionArg
	Out string `required:"" help:"The file to write; one that is there is not overwritten." placeholder:"FILE"`
}

// Run writes it.
func (cmd PayExportWriteCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return out.withAdmin(ctx, func(a api.Admin) error {
		got, err := a.PayExportFile(ctx, id)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(cmd.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_, err = f.Write(got.Sealed)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return gatehouse.Errorf("file.unwritable", "choose another name", "the file cannot be written: %w", err)
		}
		out.Say("%s is written; SHA-256 of what is in it: %s", cmd.Out, got.SHA256)
		return nil
	})
}
