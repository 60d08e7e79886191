package payroll

import (
	"strings"

	"gatehouse"
)

// InVault is what the vault process reckons pay with and makes files of: it alone sees
// terms and payslips.
type InVault struct{}

// Slip is what somebody's hours of a period come to. Errors: pay.code, pay.rate,
// pay.formula, money.currency, money.too_large.
func (InVault) Slip(job gatehouse.PayJob, p gatehouse.PaidHours, t gatehouse.PayTerms) (gatehouse.Payslip, error) {
	if err := CheckTerms(t); err != nil {
		return gatehouse.Payslip{}, err
	}
	figures := map[string]gatehouse.Money{}
	for _, from := range []map[string]gatehouse.Money{job.Figures, t.Figures} { // a person's own go before the site's
		for name, m := range from {
			if m.Currency != t.Rate.Amount.Currency {
				return gatehouse.Payslip{}, gatehouse.Errorf("money.currency", "give all of somebody's figures in the currency of their rate", "a figure has another currency than the rate")
			}
			figures[name] = m
		}
	}
	pay, err := Calculate(Input{Subject: p.Subject, From: job.From, Until: job.Until, Totals: p.Totals, Days: p.Days, Rate: t.Rate, Salary: t.Salary, Scheme: job.Scheme, Parameters: figures})
	if err != nil {
		return gatehouse.Payslip{}, err
	}
	for i := range pay.Lines {
		pay.Lines[i].Title = ""
	}
	number := t.Number
	if number == "" {
		number = p.Label
	}
	return gatehouse.Payslip{Number: number, Rate: t.Rate, Salary: t.Salary, Pay: pay, Shares: t.Shares}, nil
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
			parts := []gatehouse.PayLine{line}
			if len(s.Shares) > 0 {
				if parts, err = Split(line, s.Shares); err != nil {
					return nil, err
				}
			}
			for _, part := range parts {
				rows = append(rows, Row{Number: s.Number, Name: s.Name, Date: s.Until, PeriodFrom: s.From, PeriodTo: s.Until, Line: part})
			}
		}
	}
	b, problems := form.writer.Write(rows)
	for _, p := range problems {
		return nil, gatehouse.Errorf("export.cell", p.Reason, "the file was not made: row %d of %d cannot be written", p.Line, len(rows))
	}
	return b, nil
}
