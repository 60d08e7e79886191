package main

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
	"gatehouse/tariff"
)

// TariffCmd is about what parking costs.
type TariffCmd struct {
	Check   TariffCheckCmd   `cmd:"" help:"Say what is wrong in a tariff's file, and on which line."`
	Explain TariffExplainCmd `cmd:"" help:"Charge a stay by a tariff's file, and print how the price came about, line by line."`
	Chart   TariffChartCmd   `cmd:"" help:"Draw price against time, on the terminal or as an SVG."`
	Put     TariffPutCmd     `cmd:"" help:"Store a tariff's file at the site: stays that begin from now on are charged by it."`
	List    TariffListCmd    `cmd:"" help:"List the site's tariffs."`
	Show    TariffShowCmd    `cmd:"" help:"Print a tariff's file as it is stored."`
	History TariffHistoryCmd `cmd:"" help:"List the revisions of a tariff, the newest first."`
}

// TariffFile is the file that each of them reads.
type TariffFile struct {
	File string `arg:"" help:"The tariff's file; - reads it from standard input." type:"path"`
}

// read reads the file, without what it costs to read a huge one.
func (f TariffFile) read(out *Out) (gatehouse.Tariff, []tariff.Problem, error) {
	raw, err := f.raw(out)
	if err != nil {
		return gatehouse.Tariff{}, nil, err
	}
	t, problems := tariff.Read(raw)
	return t, problems, nil
}

// sound reads a file that is to be used: with problems it is refused.
func (f TariffFile) sound(out *Out) (gatehouse.Tariff, error) {
	t, problems, err := f.read(out)
	if err == nil && len(problems) > 0 {
		err = gatehouse.Errorf(problems[0].Code, "gatehouse tariff check names every problem", "the tariff cannot be used: %s", problems[0])
	}
	return t, err
}

// TariffCheckCmd checks a file.
type TariffCheckCmd struct{ TariffFile }

// Run prints the problems; with any, the exit status is 1.
func (cmd TariffCheckCmd) Run(out *Out) error {
	t, problems, err := cmd.read(out)
	if err != nil {
		return err
	}
	if out.JSON {
		if err := out.Object(map[string]any{"ok": len(problems) == 0, "tariff": t.Name, "versions": len(t.Versions), "problems": append([]tariff.Problem{}, problems...)}); err != nil {
			return err
		}
	}
	for _, p := range problems {
		if !out.JSON {
			out.Say("%s (%s)", p, p.Code)
		}
	}
	if len(problems) > 0 {
		return gatehouse.Errorf("tariff.problems", "mend the lines that are named; docs/parking.md shows every word of the file", "problems: %d", len(problems))
	}
	last := t.Versions[len(t.Versions)-1]
	out.Say("Tariff %s is sound: %s, %s, versions: %d, the last from %s.", t.Name, last.Currency, last.Zone, len(t.Versions), last.From.Format("2006-01-02 15:04"))
	return nil
}

// TariffExplainCmd charges one stay.
type TariffExplainCmd struct {
	TariffFile
	From       string   `help:"When the stay begins, by the car park's clocks." required:"" placeholder:"'2026-03-02 10:00'"`
	To         string   `help:"When it ends." xor:"end" required:"" placeholder:"'2026-03-02 12:30'"`
	For        string   `help:"How long it is, instead." xor:"end" required:"" placeholder:"2h30m"`
	Class      string   `help:"The class of vehicle." default:"car"`
	LostTicket bool     `help:"Nobody knows when the stay began."`
	Validation []string `help:"What a shop gives: time:1h, money:2.00, percent:50 or full, with the shop's name and / before it. Several may be given." placeholder:"KIND"`
	Lang       string   `help:"The language of the lines." enum:"en,zh" default:"en"`
}

// explained is a charge as JSON: amounts in minor units of the currency.
type explained struct {
	Tariff   string          `json:"tariff"`
	Version  int             `json:"version"`
	Class    string          `json:"class"`
	Currency string          `json:"currency"`
	From     time.Time       `json:"from"`
	Until    time.Time       `json:"until"`
	Minor    int64           `json:"minor"`
	Total    string          `json:"total"`
	TaxMinor int64           `json:"tax_minor"`
	Lines    []explainedLine `json:"lines"`
}

type explainedLine struct {
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	Count int64     `json:"count,omitempty"`
	Minor int64     `json:"minor"`
}

// Run prints the charge.
func (cmd TariffExplainCmd) Run(out *Out) error {
	t, err := cmd.sound(out)
	if err != nil {
		return err
	}
	zone, currency := t.Versions[0].Zone, t.Versions[0].Currency
	from, err := tariff.ParseMoment(cmd.From, zone)
	if err != nil {
		return err
	}
	var until time.Time
	if cmd.For != "" {
		d, err := tariff.ParseDuration(cmd.For)
		if err != nil {
			return err
		}
		until = from.Add(d)
	} else if until, err = tariff.ParseMoment(cmd.To, zone); err != nil {
		return err
	}
	var r parking.Rights
	for _, text := range cmd.Validation {
		v, err := tariff.ParseValidation(text, currency)
		if err != nil {
			return err
		}
		r.Validations = append(r.Validations, v)
	}
	version, err := parking.InForce(t, from)
	if err != nil {
		return err
	}
	c, err := parking.Charge(gatehouse.Stay{Class: gatehouse.VehicleClass(cmd.Class), Entered: from, LostTicket: cmd.LostTicket}, until, version, r)
	if err != nil {
		return err
	}
	if out.JSON {
		return out.Object(explain(c, cmd.Lang))
	}
	cmd.tell(out, c)
	return nil
}

func explain(c gatehouse.Charge, lang string) explained {
	e := explained{Tariff: c.Tariff, Version: c.Version, Class: string(c.Class), Currency: string(c.Currency), From: c.From, Until: c.Until, Minor: c.Total.Minor,
		Total: c.Total.Decimal(), TaxMinor: c.Tax.Minor, Lines: []explainedLine{}}
	for _, l := range c.Lines {
		e.Lines = append(e.Lines, explainedLine{string(l.Kind), parking.Say(l, c.Currency, lang), l.From, l.Until, l.Count, l.Amount})
	}
	return e
}

func (cmd TariffExplainCmd) tell(out *Out, c gatehouse.Charge) {
	out.Say("%s, version %d, %s: %s to %s (%s)", c.Tariff, c.Version, c.Class, c.From.Format("Mon 2006-01-02 15:04"), c.Until.Format("Mon 2006-01-02 15:04"), parking.Duration(c.Until.Sub(c.From)))
	for _, l := range c.Lines {
		when := ""
		if !l.From.IsZero() {
			when = l.From.Format("Mon 15:04") + "–" + l.Until.Format("Mon 15:04")
		}
		out.Say("%-19s  %10s  %s", when, gatehouse.Money{Minor: l.Amount, Currency: c.Currency}.Decimal(), parking.Say(l, c.Currency, cmd.Lang))
	}
	sum := fmt.Sprintf("%-19s  %10s  %s", map[string]string{"en": "total", "zh": "合计"}[cmd.Lang], c.Total.Decimal(), c.Currency)
	if c.Tax.Minor > 0 {
		sum += fmt.Sprintf(map[string]string{"en": ", of which %s tax", "zh": "，其中税 %s"}[cmd.Lang], c.Tax.Decimal())
	}
	out.Say("%s", sum)
}

// TariffChartCmd draws a tariff.
type TariffChartCmd struct {
	TariffFile
	From  string `help:"When the stays begin; the tariff's newest version's first Monday at 09:00 without it." placeholder:"'2026-03-02 10:00'"`
	For   string `help:"Up to which length." default:"24h"`
	Class string `help:"The class of vehicle." default:"car"`
	SVG   string `name:"svg" help:"Write a picture there, - for standard output, instead of drawing on the terminal." placeholder:"FILE"`
}

// chartPoint is a price as JSON.
type chartPoint struct {
	Minutes int64 `json:"minutes"`
	Minor   int64 `json:"minor"`
}

// Run draws it.
func (cmd TariffChartCmd) Run(out *Out) error {
	t, err := cmd.sound(out)
	if err != nil {
		return err
	}
	newest := t.Versions[len(t.Versions)-1]
	from := tariff.FirstMonday(newest.From)
	if cmd.From != "" {
		if from, err = tariff.ParseMoment(cmd.From, newest.Zone); err != nil {
			return err
		}
	}
	length, err := tariff.ParseDuration(cmd.For)
	if err != nil {
		return err
	}
	v, err := parking.InForce(t, from)
	if err != nil {
		return err
	}
	curve, err := tariff.Price(v, gatehouse.VehicleClass(cmd.Class), from, length)
	if err != nil {
		return err
	}
	switch {
	case out.JSON:
		points := []chartPoint{}
		for _, p := range curve.Points {
			points = append(points, chartPoint{int64(p.After / time.Minute), p.Minor})
		}
		return out.Object(map[string]any{"tariff": curve.Tariff, "class": cmd.Class, "currency": curve.Currency, "from": curve.From, "points": points})
	case cmd.SVG == "-":
		return curve.SVG(out.Stdout)
	case cmd.SVG != "":
		var b bytes.Buffer
		if err := curve.SVG(&b); err != nil {
			return err
		}
		if err := os.WriteFile(cmd.SVG, b.Bytes(), 0o644); err != nil {
			return gatehouse.Errorf("tariff.chart", "name another file", "the chart cannot be written: %w", err)
		}
		return nil
	}
	out.Say("%s, %s, %s: stays from %s", curve.Tariff, curve.Class, curve.Currency, from.Format("Mon 2006-01-02 15:04"))
	return curve.Text(out.Stdout, 72, 12)
}
