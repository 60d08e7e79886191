package payroll

import (
	"cmp"
	"slices"
	"strings"

	"gatehouse"
)

// InVault is what the vault process reckons pay with and makes files of: it alone sees
// terms and payslips.
type InVault struct{}

// Slip is what somebody's hours of a period come to, by terms that are in the order of
// p.Terms. Errors: pay.code, pay.rate, pay.formula, money.currency, money.too_large.
func (InVault) Slip(job gatehouse.PayJob, p gatehouse.PaidHours, terms []gatehouse.PayTerms) (gatehouse.Payslip, error) {
	if len(terms) == 0 || len(terms) != len(p.Terms) {
		return gatehouse.Payslip{}, gatehouse.Errorf("pay.rate", "this is a fault of the program", "there are no terms")
	}
	in := Input{Subject: p.Subject, From: job.From, Until: job.Until, Days: p.Days, Scheme: job.Scheme}
	last := terms[len(terms)-1]
	slip := gatehouse.Payslip{Number: cmp.Or(last.Number, p.Label), Rate: last.Rate, Salary: last.Salary, Shares: last.Shares}
	for i, t := range terms {
		if err := CheckTerms(t); err != nil {
			return gatehouse.Payslip{}, err
		}
		figures, err := figuresOf(job, t)
		if err != nil {
			return gatehouse.Payslip{}, err
		}
		days := p.Terms[i]
		in.Stretches = append(in.Stretches, Stretch{days.From, days.Until, totalsOf(p.Parts, days), t.Rate, t.Salary, figures})
		if len(terms) > 1 {
			slip.Stretches = append(slip.Stretches, gatehouse.PayStretch{From: days.From, Until: days.Until, Rate: t.Rate, Salary: t.Salary, Shares: t.Shares})
		}
	}
	var err error
	if slip.Pay, err = Calculate(in); err != nil {
		return gatehouse.Payslip{}, err
	}
	for i := range slip.Lines {
		l := &slip.Lines[i]
		l.Title, l.Shares = "", worked(p.Parts, *l)
	}
	return slip, nil
}

// figuresOf are the figures that formulas name for somebody: their own go before the site's.
func figuresOf(job gatehouse.PayJob, t gatehouse.PayTerms) (map[string]gatehouse.Money, error) {
	figures := map[string]gatehouse.Money{}
	for _, from := range []map[string]gatehouse.Money{job.Figures, t.Figures} {
		for name, m := range from {
			if m.Currency != t.Rate.Amount.Currency {
				return nil, gatehouse.Errorf("money.currency", "give all of somebody's figures in the currency of their rate", "a figure has another currency than the rate")
			}
			figures[name] = m
		}
	}
	return figures, nil
}

// totalsOf adds up the parts of a stretch, in the order of codes and rates.
func totalsOf(parts []gatehouse.PaidPart, days gatehouse.PaidTerms) (out []gatehouse.CodeTotal) {
	for _, p := range parts {
		if p.From < days.From || p.From > days.Until {
			continue
		}
		for _, t := range p.Totals {
			i := slices.IndexFunc(out, func(o gatehouse.CodeTotal) bool {
				return o.Code == t.Code && o.Rate == t.Rate && o.TimeOff == t.TimeOff
			})
			if i < 0 {
				out = append(out, t)
			} else {
				out[i].Minutes += t.Minutes
			}
		}
	}
	off := map[bool]int{true: 1}
	slices.SortFunc(out, func(a, b gatehouse.CodeTotal) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Rate, b.Rate), off[a.TimeOff]-off[b.TimeOff])
	})
	return out
}

// worked says where a line's minutes were worked; of an amount alone, where all were.
func worked(parts []gatehouse.PaidPart, l gatehouse.PayLine) (out []gatehouse.PayShare) {
	for _, p := range parts {
		if l.From != "" && (p.From < l.From || p.From > l.Until) {
			continue
		}
		n := int64(0)
		for _, t := range p.Totals {
			if l.Minutes == 0 || t.Code == l.Code && t.Rate == l.Rate && t.TimeOff == (l.TimeOff != 0) {
				n += int64(t.Minutes)
			}
		}
		if n <= 0 {
			continue
		}
		i := slices.IndexFunc(out, func(s gatehouse.PayShare) bool {
			return s.Site == p.Site && s.CostCentre == p.CostCentre && s.Project == p.Project
		})
		if i < 0 {
			i, out = len(out), append(out, gatehouse.PayShare{Site: p.Site, CostCentre: p.CostCentre, Project: p.Project})
		}
		out[i].Weight += n
	}
	return out
}

// partsOf splits a payslip's line: by where it was worked, and by somebody's own shares,
// which take the place of what their team is charged to.
func partsOf(s gatehouse.Payslip, l gatehouse.PayLine) ([]gatehouse.PayLine, error) {
	own := s.Shares
	for _, one := range s.Stretches {
		if l.From == one.From {
			own = one.Shares
		}
	}
	where := l.Shares
	l.Shares = nil
	if len(own) > 0 { // by site alone
		var sites []gatehouse.PayShare
		for _, w := range where {
			i := slices.IndexFunc(sites, func(s gatehouse.PayShare) bool { return s.Site == w.Site })
			if i < 0 {
				i, sites = len(sites), append(sites, gatehouse.PayShare{Site: w.Site})
			}
			sites[i].Weight += w.Weight
		}
		where = sites
	}
	parts := []gatehouse.PayLine{l}
	var err error
	if len(where) > 0 {
		if parts, err = Split(l, where); err != nil {
			return nil, err
		}
	}
	if len(own) == 0 {
		return parts, nil
	}
	var out []gatehouse.PayLine
	for _, p := range parts {
		more, err := Split(p, own)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// CheckTerms refuses what nobody can be paid by. Errors: pay.rate, pay.number, pay.split,
// pay.figures.
func CheckTerms(t gatehouse.PayTerms) error {
	c := t.Rate.Amount.Currency
	if _, ok := c.Exponent(); !ok || t.Rate.Per < 1 || t.Rate.Per > 366*24*60 || t.Rate.Amount.Minor < 0 || t.Rate.Amount.Minor > gatehouse.MaxMinor ||
		t.Salary.Minor < 0 || t.Salary.Minor > gatehouse.MaxMinor || t.Salary != (gatehouse.Money{}) && t.Salary.Currency != c {
		return gatehouse.Errorf("pay.rate", "a rate is an amount of a currency for so many minutes, and a salary has the same currency", "nobody can be paid by this rate")
	}
	if len(t.Number) > 40 || !plainText(t.Number) {
		return gatehouse.Errorf("pay.number", "use at most 40 letters, digits and signs of ASCII", "this is no number of a payroll program")
	}
	if len(t.Figures) > gatehouse.MaxPayFigures {
		return gatehouse.Errorf("pay.figures", "at most 20 of one person", "these are too many figures")
	}
	for name, m := range t.Figures {
		if err := checkFigure(name, m); err != nil {
			return err
		}
		if m.Currency != c {
			return gatehouse.Errorf("pay.figures", "give it in the currency of the rate", "a figure has another currency than the rate")
		}
	}
	total := int64(0)
	for _, s := range t.Shares {
		if s.Weight < 0 || s.Weight > 1<<40 || len(s.CostCentre) > 40 || len(s.Project) > 40 || !plainText(s.CostCentre) || !plainText(s.Project) {
			return gatehouse.Errorf("pay.split", "a share is a cost centre and a project of at most 40 characters of ASCII, and a weight of 0 or more", "this is no share")
		}
		total += s.Weight
	}
	if len(t.Shares) > gatehouse.MaxPayShares || len(t.Shares) > 0 && total == 0 {
		return gatehouse.Errorf("pay.split", "at most 20 shares, one of them with a weight of 1 or more", "pay cannot be split like this")
	}
	return nil
}

// CheckFigures refuses figures that formulas cannot name. Errors: pay.figures.
func CheckFigures(all map[string]gatehouse.Money) error {
	for name, m := range all {
		if err := checkFigure(name, m); err != nil {
			return err
		}
	}
	return nil
}

// known are the names that formulas have of their own.
var known = map[string]bool{"rate": true, "salary": true, "gross": true, "deductions": true, "days": true, "min": true, "max": true, "when": true, "hours": true, "pay": true}

func checkFigure(name string, m gatehouse.Money) error {
	_, ok := m.Currency.Exponent()
	if !ok || m.Minor < 0 || m.Minor > gatehouse.MaxMinor || known[name] || gatehouse.CheckName(name) != nil || strings.Contains(name, "-") || CheckFormula(name) != nil {
		return gatehouse.Errorf("pay.figures", "a figure has a name of letters and digits that formulas do not have already, and an amount of 0 or more", "this is no figure")
	}
	return nil
}

func plainText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&'
	})
}

// CheckForm refuses a form that makes no file. Errors: export.template.
func (InVault) CheckForm(f gatehouse.PayForm) error {
	_, err := ReadForm(f)
	return err
}

// File makes a payroll program's file of payslips. The same payslips in any order give the
// same bytes. Errors: export.template, export.cell with the first row that cannot be
// written, and no file.
func (InVault) File(f gatehouse.PayForm, slips []gatehouse.PayRow) ([]byte, error) {
	form, err := ReadForm(f)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, s := range slips {
		for _, line := range s.Lines {
			line.Title = form.Titles[line.Code]
			parts, err := partsOf(s.Payslip, line)
			if err != nil {
				return nil, err
			}
			for _, part := range parts {
				row := Row{Number: s.Number, Name: s.Name, Date: s.Until, PeriodFrom: s.From, PeriodTo: s.Until, Line: part}
				if line.From != "" {
					row.Date, row.PeriodFrom, row.PeriodTo = line.Until, line.From, line.Until
				}
				rows = append(rows, row)
			}
		}
	}
	b, problems := form.writer.Write(rows)
	for _, p := range problems {
		return nil, gatehouse.Errorf("export.cell", p.Reason, "the file was not made: row %d of %d cannot be written", p.Line, len(rows))
	}
	return b, nil
}
