// Package payroll turns hours into pay lines and pay lines into the files that payroll
// programs import. Everything in it is a function of its input: the same hours and rates
// give the same lines, and the same lines the same bytes. It withholds no tax and knows no
// country's social insurance: what it makes is gross pay and what a site's own formulas
// add and take away.
package payroll

import (
	"strconv"
	"time"

	"gatehouse"
)

// Problem is what is wrong with a scheme or an export, and where. It quotes nothing.
type Problem struct {
	Line   int // of the table, or the row that would have been written; 0 for none
	Code   string
	Reason string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Code + ": " + p.Reason
	}
	return "line " + strconv.Itoa(p.Line) + ": " + p.Code + ": " + p.Reason
}

// Input is all that somebody's pay depends on.
type Input struct {
	Subject     gatehouse.SubjectID
	From, Until gatehouse.Date
	Totals      []gatehouse.CodeTotal
	Days        int // days on which somebody worked
	Rate        gatehouse.PayRate
	Salary      gatehouse.Money // of the period; zero for none
	Scheme      []gatehouse.Earning
	// Parameters are the figures that formulas name: "meal": 15.
	Parameters map[string]gatehouse.Money
	// Stretches are the days of the period on which other terms counted each, in order; with
	// them Totals, Rate, Salary and Parameters are not looked at. None where the same terms did
	// on all days.
	Stretches []Stretch
}

// Stretch is some days of a period, with what somebody is paid by on them.
type Stretch struct {
	From, Until gatehouse.Date
	Totals      []gatehouse.CodeTotal
	Rate        gatehouse.PayRate
	Salary      gatehouse.Money // of a whole period
	Parameters  map[string]gatehouse.Money
}

// days is how many there are, by the calendar.
func (s Stretch) days() int64 {
	a, err := time.Parse(time.DateOnly, string(s.From))
	b, err2 := time.Parse(time.DateOnly, string(s.Until))
	if err != nil || err2 != nil || b.Before(a) {
		return 1
	}
	return int64(b.Sub(a)/(24*time.Hour)) + 1
}

// regularRate is the rate of regular minutes, in hundredths of a per cent.
const regularRate = 10000

// Calculate gives somebody's pay, a line for each of the scheme's codes that comes to
// something, in the scheme's order; of hours one for each stretch. Formulas are reckoned
// once, over the whole period: what changed within it (rate, salary, a figure) counts in
// them by the calendar days that each value had. Hours of a code that the scheme does not
// have are refused, since they would go unpaid. Errors: pay.code, pay.rate, pay.formula,
// money.currency, money.too_large.
func Calculate(in Input) (gatehouse.Pay, error) {
	pay := gatehouse.Pay{Subject: in.Subject, From: in.From, Until: in.Until}
	if len(in.Stretches) == 0 {
		in.Stretches = []Stretch{{in.From, in.Until, in.Totals, in.Rate, in.Salary, in.Parameters}}
	}
	currency := in.Stretches[0].Rate.Amount.Currency
	for _, s := range in.Stretches {
		if _, ok := currency.Exponent(); !ok || s.Rate.Amount.Currency != currency || s.Rate.Per < 1 || s.Rate.Amount.Minor < 0 || s.Salary.Minor < 0 || s.Salary != (gatehouse.Money{}) && s.Salary.Currency != currency {
			return pay, gatehouse.Errorf("pay.rate", "a rate is an amount of a currency for so many minutes; a salary has the same currency, and so has every rate of a period", "there is no pay rate")
		}
	}
	pay.Gross.Currency, pay.Deductions.Currency, pay.Net.Currency = currency, currency, currency
	known := map[gatehouse.EarningsCode]bool{}
	e := env{in: in, pays: map[gatehouse.EarningsCode]gatehouse.Money{}, gross: &pay.Gross, deductions: &pay.Deductions}
	for _, earning := range in.Scheme {
		known[earning.Code] = true
		lines, err := e.lines(earning)
		if err != nil {
			return pay, err
		}
		for _, l := range lines {
			sum := &pay.Gross
			if earning.Kind == gatehouse.Deduction {
				sum = &pay.Deductions
			}
			if *sum, err = sum.Add(l.Amount); err != nil {
				return pay, err
			}
			if e.pays[earning.Code], err = (gatehouse.Money{Minor: e.pays[earning.Code].Minor, Currency: currency}).Add(l.Amount); err != nil {
				return pay, err
			}
			pay.Lines = append(pay.Lines, l)
		}
	}
	for _, s := range in.Stretches {
		for _, t := range s.Totals {
			if !known[t.Code] {
				return pay, gatehouse.Errorf("pay.code", "add it to the pay scheme", "the scheme does not say how %q is paid", string(t.Code))
			}
		}
	}
	var err error
	pay.Net, err = pay.Gross.Add(pay.Deductions)
	return pay, err
}

// lines are those of one earning.
func (e *env) lines(earning gatehouse.Earning) (out []gatehouse.PayLine, err error) {
	currency := e.gross.Currency
	rounding := earning.Rounding
	if rounding == "" {
		rounding = gatehouse.RoundHalfUp
	}
	switch earning.Kind {
	case gatehouse.Allowance, gatehouse.Deduction:
		minor, err := e.reckon(earning.Formula, currency, rounding)
		if err != nil {
			return nil, gatehouse.Errorf("pay.formula", "look at the formula of "+string(earning.Code), "%s cannot be reckoned: %w", string(earning.Code), err)
		}
		if minor < 0 {
			return nil, gatehouse.Errorf("pay.formula", "an allowance and a deduction are 0 or more: use max(0, …)", "%s is below zero", string(earning.Code))
		}
		if minor == 0 {
			return nil, nil
		}
		if earning.Kind == gatehouse.Deduction {
			minor = -minor
		}
		return []gatehouse.PayLine{{Code: earning.Code, Title: earning.Title, Amount: gatehouse.Money{Minor: minor, Currency: currency}}}, nil
	case gatehouse.PaidByTime, gatehouse.PaidPremium, gatehouse.Unpaid:
	default:
		return nil, gatehouse.Errorf("pay.code", "use time, premium, unpaid, allowance or deduction", "%q has no kind", string(earning.Code))
	}
	for _, s := range e.in.Stretches {
		more, err := e.timed(s, earning, rounding)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// timed are the lines of one stretch's hours of a code.
func (e *env) timed(s Stretch, earning gatehouse.Earning, rounding gatehouse.Rounding) (out []gatehouse.PayLine, err error) {
	for _, t := range s.Totals {
		if t.Code != earning.Code || t.Minutes == 0 {
			continue
		}
		l := gatehouse.PayLine{Code: t.Code, Title: earning.Title, Minutes: t.Minutes, Rate: t.Rate, Amount: gatehouse.Money{Currency: s.Rate.Amount.Currency}}
		if len(e.in.Stretches) > 1 {
			l.From, l.Until = s.From, s.Until
		}
		rate := t.Rate
		switch {
		case t.TimeOff:
			off, ok := gatehouse.MulDiv(int64(t.Minutes), int64(t.Rate), regularRate, gatehouse.RoundHalfUp)
			if !ok {
				return nil, tooLarge()
			}
			l.TimeOff, rate = int(off), 0
		case earning.Kind == gatehouse.Unpaid:
			rate = 0
		case earning.Kind == gatehouse.PaidPremium:
			rate = max(0, rate-regularRate)
		}
		minor, ok := gatehouse.MulDiv(s.Rate.Amount.Minor, int64(t.Minutes)*int64(rate), s.Rate.Per*regularRate, rounding)
		if !ok {
			return nil, tooLarge()
		}
		l.Amount.Minor = minor
		out = append(out, l)
	}
	return out, nil
}

func tooLarge() error {
	return gatehouse.Errorf("money.too_large", "look at the hours and the rate", "an amount is larger than any that is paid")
}

// CheckScheme finds codes that are there twice or say nothing, and formulas that cannot be
// read.
func CheckScheme(scheme []gatehouse.Earning) (found []Problem) {
	seen := map[gatehouse.EarningsCode]bool{}
	for _, e := range scheme {
		bad := func(code, reason string) { found = append(found, Problem{e.Line, code, reason}) }
		if gatehouse.CheckName(string(e.Code)) != nil {
			bad("pay.code", "a code has 1 to 40 lower-case letters, digits and hyphens")
		} else if seen[e.Code] {
			bad("pay.twice", "code "+string(e.Code)+" is there twice")
		}
		seen[e.Code] = true
		formula := e.Kind == gatehouse.Allowance || e.Kind == gatehouse.Deduction
		switch {
		case formula:
			if err := CheckFormula(e.Formula); err != nil {
				bad("pay.formula", err.Error())
			}
		case e.Kind != gatehouse.PaidByTime && e.Kind != gatehouse.PaidPremium && e.Kind != gatehouse.Unpaid:
			bad("pay.kind", "a code is paid by time, as a premium, unpaid, or is an allowance or a deduction")
		case e.Formula != "":
			bad("pay.formula", "hours have no formula")
		}
	}
	return found
}
