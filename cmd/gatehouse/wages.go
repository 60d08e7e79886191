package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/vault/approval"
)

// WagesCmd is about pay.
type WagesCmd struct {
	Set      PayTermsSetCmd    `cmd:"" help:"Say what somebody is paid by from a day on; it is sealed at once."`
	Import   PayTermsImportCmd `cmd:"" help:"Say what many are paid by, from a CSV file."`
	Show     PayShowCmd        `cmd:"" help:"Since when somebody has which terms, and their payslips: all of it sealed."`
	Read     PayReadCmd        `cmd:"" help:"Read terms or a payslip: a disclosure, with a reason."`
	Remove   PayTermsRemoveCmd `cmd:"" help:"Take terms back."`
	List     PayListCmd        `cmd:"" default:"1" help:"List pay runs."`
	Ask      PayAskCmd         `cmd:"" help:"Ask for the pay of a closed period; a second person approves in the console."`
	Approve  PayApproveCmd     `cmd:"" help:"Agree to a run that somebody asked for in the console."`
	Reckon   PayReckonCmd      `cmd:"" help:"Have the unsealed vault make an approved run's payslips."`
	Problems PayProblemsCmd    `cmd:"" help:"Who has no payslip of a run, and why."`
	File     PayFileCmd        `cmd:"" help:"Ask for a run's file for a payroll program and sign it: a bulk release. 'gatehouse release' goes on with it."`
}

// PayTermsSetCmd sets terms. They are read from a file, since other users of a machine see
// command lines.
type PayTermsSetCmd struct {
	Person string `arg:"" help:"Their badge label or id."`
	File   string `arg:"" help:"A JSON object: number, rate {minor, currency}, per (minutes), salary, figures, shares (- for standard input)."`
	From   string `required:"" help:"The first day on which they count." placeholder:"DATE"`
}

// Run sets them.
func (cmd PayTermsSetCmd) Run(ctx context.Context, out *Out) error {
	r := wire.PayTermsRequest{From: gatehouse.Date(cmd.From)}
	if err := readJSON(out, cmd.File, &r.Terms); err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.PayTermsRef, error) {
		id, err := personID(ctx, a, cmd.Person)
		if err != nil {
			return wire.PayTermsRef{}, err
		}
		return a.SetPayTerms(ctx, id, r)
	}, func(got wire.PayTermsRef) { out.Say("%s is sealed, and counts from %s on", got.ID, got.From) })
}

// PayTermsImportCmd sets many.
type PayTermsImportCmd struct {
	File  string `arg:"" help:"CSV with the columns person, from, number, rate, per, currency and salary (- for standard input). rate is an amount for so many hours."`
	Comma string `help:"What separates columns." placeholder:"CHAR"`
}

// Run sets them, one row after the other; it stops at the first that is wrong. The same file
// again sets the same.
func (cmd PayTermsImportCmd) Run(ctx context.Context, out *Out) error {
	rows, err := table(out, cmd.File, cmd.Comma, "person", "from", "number", "rate", "per", "currency", "salary")
	if err != nil {
		return err
	}
	return out.withAdmin(ctx, func(a api.Admin) error {
		for i, x := range rows {
			r, err := payTermsRow(x.cells)
			var id gatehouse.SubjectID
			if err == nil {
				id, err = personID(ctx, a, x.cells["person"])
			}
			if err == nil {
				_, err = a.SetPayTerms(ctx, id, r)
			}
			if err != nil {
				return gatehouse.Errorf("table.row", "put it right, and import the file again", "line %d: %w; the %d rows before it count", x.line, err, i)
			}
		}
		out.Say("%d rows are sealed", len(rows))
		return nil
	})
}

func payTermsRow(cells map[string]string) (r wire.PayTermsRequest, err error) {
	currency := gatehouse.Currency(cells["currency"])
	r.From, r.Terms.Number = gatehouse.Date(cells["from"]), cells["number"]
	rate, err := gatehouse.ParseMoney(cells["rate"], currency)
	if err != nil {
		return r, err
	}
	hours, err := strconv.ParseInt(cells["per"], 10, 32)
	if err != nil || hours < 1 {
		return r, gatehouse.Errorf("pay.rate", "give whole hours in the column per", "a rate is for so many hours")
	}
	r.Terms.Rate, r.Terms.Per = wire.Money(rate), hours*60
	if cells["salary"] != "" {
		salary, err := gatehouse.ParseMoney(cells["salary"], currency)
		if err != nil {
			return r, err
		}
		r.Terms.Salary = wire.Money(salary)
	}
	return r, nil
}

// PayPersonArg names somebody.
type PayPersonArg struct {
	Person string `arg:"" help:"Their badge label or id."`
}

// PayShowCmd lists what is sealed.
type PayShowCmd struct{ PayPersonArg }

// Run lists it.
func (cmd PayShowCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PersonPay, error) {
		id, err := personID(ctx, a, cmd.Person)
		if err != nil {
			return wire.PersonPay{}, err
		}
		return a.PersonPay(ctx, id)
	}, func(got wire.PersonPay) {
		for _, t := range got.Terms {
			out.Say("terms    %s  from %s", t.ID, t.From)
		}
		for _, p := range got.Payslips {
			out.Say("payslip  %s  %s until %s  %s", p.ID, p.From, p.Until, p.Problem)
		}
	})
}

// PayReadCmd opens terms or a payslip.
type PayReadCmd struct {
	PayPersonArg
	ID     string `arg:"" help:"The terms or the payslip, as 'attendance pay show' lists them."`
	Reason string `required:"" help:"Why; it is written to the disclosure log." placeholder:"TEXT"`
}

// Run reads them.
func (cmd PayReadCmd) Run(ctx context.Context, out *Out) error {
	which, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	type opened struct {
		Terms   *wire.PayTerms `json:"terms,omitempty"`
		Payslip *wire.Payslip  `json:"payslip,omitempty"`
	}
	return answer(ctx, out, func(a api.Admin) (got opened, err error) {
		id, err := personID(ctx, a, cmd.Person)
		if err != nil {
			return got, err
		}
		slip, err := a.OpenPayslip(ctx, id, which, cmd.Reason)
		if gatehouse.ErrorCode(err) != "wages.no_slip" {
			got.Payslip = &slip
			return got, err
		}
		terms, err := a.OpenPayTerms(ctx, id, which, cmd.Reason)
		got.Terms = &terms
		return got, err
	}, func(got opened) {
		if t := got.Terms; t != nil {
			out.Say("%s for %s h  salary %s  number %q", gatehouse.Money(t.Rate), gatehouse.HoursMinutes(int(t.Per)), gatehouse.Money(t.Salary), t.Number)
		}
		if p := got.Payslip; p != nil {
			for _, s := range p.Stretches {
				out.Say("%s until %s: %s for %s h", s.From, s.Until, gatehouse.Money(s.Rate), gatehouse.HoursMinutes(int(s.Per)))
			}
			for _, l := range p.Lines {
				out.Say("%-30s  %8s  %14s", l.Title+" ("+string(l.Code)+")", gatehouse.HoursMinutes(l.Minutes), gatehouse.Money(l.Amount))
			}
			out.Say("gross %s, deductions %s, paid out %s", gatehouse.Money(p.Gross), gatehouse.Money(p.Deductions), gatehouse.Money(p.Net))
		}
	})
}

// PayTermsRemoveCmd removes terms.
type PayTermsRemoveCmd struct {
	PayPersonArg
	ID string `arg:"" help:"The terms."`
}

// Run removes them.
func (cmd PayTermsRemoveCmd) Run(ctx context.Context, out *Out) error {
	terms, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return out.withAdmin(ctx, func(a api.Admin) error {
		id, err := personID(ctx, a, cmd.Person)
		if err == nil {
			err = a.RemovePayTerms(ctx, id, terms)
		}
		if err == nil {
			out.Say("%s is gone", terms)
		}
		return err
	})
}

func (o *Out) payRun(r wire.PayRun) {
	o.Say("%s  %s until %s  %-8s  %d payslips, %d people without", r.ID, r.From, r.Until, r.State, r.People, r.Problems)
}

// PayListCmd lists runs.
type PayListCmd struct{}

// Run lists them.
func (PayListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PayRuns, error) { return a.PayRuns(ctx) }, func(got wire.PayRuns) {
		for _, r := range got.Runs {
			out.payRun(r)
		}
	})
}

// PayAskCmd asks for a run.
type PayAskCmd struct{ PeriodArg }

// Run asks.
func (cmd PayAskCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PayRun, error) {
		return a.AskPay(ctx, wire.PeriodRequest{From: gatehouse.Date(cmd.From), Until: gatehouse.Date(cmd.Until)})
	}, out.payRun)
}

// PayRunArg names a run.
type PayRunArg struct {
	Run string `arg:"" name:"run" help:"The run, as 'attendance pay list' shows it."`
}

func (c PayRunArg) on(ctx context.Context, out *Out, do func(api.Admin, gatehouse.ID) (wire.PayRun, error)) error {
	id, err := gatehouse.ParseID(c.Run)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.PayRun, error) { return do(a, id) }, out.payRun)
}

// PayApproveCmd approves.
type PayApproveCmd struct {
	Of PayRunArg `embed:""`
}

// Run approves it.
func (cmd PayApproveCmd) Run(ctx context.Context, out *Out) error {
	return cmd.Of.on(ctx, out, func(a api.Admin, id gatehouse.ID) (wire.PayRun, error) { return a.ApprovePay(ctx, id) })
}

// PayReckonCmd has the vault reckon.
type PayReckonCmd struct {
	Of PayRunArg `embed:""`
}

// Run has it done.
func (cmd PayReckonCmd) Run(ctx context.Context, out *Out) error {
	return cmd.Of.on(ctx, out, func(a api.Admin, id gatehouse.ID) (wire.PayRun, error) { return a.ReckonPay(ctx, id) })
}

// PayProblemsCmd lists who has no payslip.
type PayProblemsCmd struct {
	Of PayRunArg `embed:""`
}

// Run lists them.
func (cmd PayProblemsCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.Of.Run)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Payslips, error) { return a.PayProblems(ctx, id) }, func(got wire.Payslips) {
		for _, p := range got.Payslips {
			out.Say("%s  %-16s  %s", p.Person, p.Label, p.Problem)
		}
	})
}

// PayFileCmd asks for a run's file.
type PayFileCmd struct {
	Of PayRunArg `embed:""`
	Signer
	Format    string   `default:"csv" enum:"csv,xlsx,fixed,adp,paychex" help:"csv, xlsx, fixed, adp or paychex."`
	Form      string   `help:"A JSON file with the format's own settings: columns, codes, a company." placeholder:"FILE"`
	Names     bool     `help:"With people's names, each of which is released too."`
	Reason    string   `required:"" help:"Why, in your words; - reads it from standard input." placeholder:"TEXT"`
	Recipient []string `required:"" help:"Who can read the file: age public keys (age1…)." placeholder:"KEY"`
}

// Run asks. What is signed is made here, of the list that the server gave.
func (cmd PayFileCmd) Run(ctx context.Context, out *Out) error {
	run, err := gatehouse.ParseID(cmd.Of.Run)
	if err != nil {
		return err
	}
	form := &gatehouse.PayForm{Format: cmd.Format}
	if cmd.Form != "" {
		if form.Body, err = readTable(out, cmd.Form); err != nil {
			return err
		}
		form.Body = bytes.TrimSpace(form.Body)
	}
	reason := cmd.Reason
	if reason == "-" {
		if reason, err = readSecret(out, "-"); err != nil {
			return err
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.Release, error) {
		got, err := a.PlanPayFile(ctx, wire.PayFilePlan{Run: run, Names: cmd.Names})
		if err != nil {
			return wire.Release{}, err
		}
		now := time.Now().UTC()
		q := gatehouse.ReleaseRequest{Place: gatehouse.Place{Org: got.Org, Site: got.Site}, ID: gatehouse.NewID(now), Salt: make([]byte, gatehouse.ReleaseSalt), At: now, Operator: cmd.As,
			Purpose: "payroll", Reason: reason, Items: got.Items, Recipients: cmd.Recipient, Form: form}
		_, _ = rand.Read(q.Salt) // never fails since Go 1.24
		body, err := json.Marshal(q)
		if err != nil {
			return wire.Release{}, err
		}
		signature, err := cmd.sign(ctx, out, a, approval.RequestRelease, got.Vault, q.ID, body)
		if err != nil {
			return wire.Release{}, err
		}
		return a.RequestRelease(ctx, wire.ReleaseRequest{Body: body, Signature: signature})
	}, func(r wire.Release) {
		out.Say("%s is requested: %d values. A second operator agrees with `gatehouse release approve %s --as NAME`,\nand `gatehouse release write %s --out FILE.age` writes the file, until %s", r.ID, r.Items, r.ID, r.ID, r.Expires.Local().Format(time.DateTime))
	})
}

// PaySchemeCmd sets the pay scheme.
type PaySchemeCmd struct {
	File    string `arg:"" optional:"" help:"A JSON list of earnings codes, as 'attendance plans --json' shows earnings (- for standard input)."`
	Figures string `help:"A JSON object of the figures that formulas name: {\"meal\": {\"minor\": 400, \"currency\": \"EUR\"}}." placeholder:"FILE"`
}

// Run sets it.
func (cmd PaySchemeCmd) Run(ctx context.Context, out *Out) error {
	if cmd.File == "" && cmd.Figures == "" {
		return gatehouse.Errorf("hours.earnings", "name a file, or --figures", "there is nothing to set")
	}
	if cmd.File != "" {
		r := wire.PlanRequest{Earnings: []wire.Earning{}}
		if err := readJSON(out, cmd.File, &r.Earnings); err != nil {
			return err
		}
		if err := put(ctx, out, r); err != nil {
			return err
		}
	}
	if cmd.Figures == "" {
		return nil
	}
	figures := map[string]wire.Money{}
	if err := readJSON(out, cmd.Figures, &figures); err != nil {
		return err
	}
	return put(ctx, out, wire.PlanRequest{Figures: &figures})
}
