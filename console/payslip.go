package console

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"gatehouse"
)

// payslipBody is a payslip's page, which is the answer to a form: it has no address.
type payslipBody struct {
	Sheet  PaySheet
	Back   string
	Action string // of the form that asks for it as a PDF
	Reason string
	Own    bool
}

func (c *Console) ownPayslip(w http.ResponseWriter, r *http.Request) {
	by := actor(r)
	c.openPayslip(w, r, by.Person, payslipBody{Back: "/hours/own", Own: true}, func(status int, problem string) { c.ownHours(w, r, status, problem) })
}

func (c *Console) payslip(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.openPayslip(w, r, id, payslipBody{Back: "/hours/pay/" + id.String()}, func(status int, problem string) { c.personPay(w, r, status, problem, nil) })
}

// openPayslip answers with somebody's payslip, as a page or as a PDF.
func (c *Console) openPayslip(w http.ResponseWriter, r *http.Request, person gatehouse.SubjectID, b payslipBody, again func(status int, problem string)) {
	lang := languageOf(w, r)
	id, err := gatehouse.ParseID(r.PathValue("slip"))
	if err == nil {
		err = formIn(w, r, maxHoursForm)
	}
	if err == nil && !b.Own {
		if b.Reason = strings.TrimSpace(r.PostForm.Get("reason")); b.Reason == "" {
			err = gatehouse.Errorf("vault.reason", "say in a few words why", "this needs a reason")
		}
	}
	var slip gatehouse.Payslip
	if err == nil {
		slip, err = c.o.Payslips.Payslip(r.Context(), who(r), actor(r), person, id, b.Reason)
	}
	label := c.hoursLabel(person)
	if err == nil && r.PostForm.Get("as") == "pdf" {
		var pdf []byte
		if pdf, err = c.o.Payslips.PayslipPDF(lang, func(lang string) PaySheet { return paySheetOf(lang, label, slip) }); err == nil {
			c.attachment(w, "payslip-"+string(slip.From)+"-"+string(slip.Until)+".pdf", "application/pdf", pdf)
			return
		}
	}
	if status, problem := setRight(lang, err); status != 0 {
		again(status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b.Sheet, b.Action = paySheetOf(lang, label, slip), r.URL.Path
	c.render(w, r, http.StatusOK, "payslip", "payslip.title", map[bool]string{true: "ownhours", false: "periods"}[b.Own], b)
}

// paySheetOf puts a payslip into words.
func paySheetOf(lang, label string, p gatehouse.Payslip) PaySheet {
	s := PaySheet{Title: text(lang, "payslip.title"), Facts: [][2]string{{text(lang, "people.label"), label}, {text(lang, "periods.days"), daysText(p.From, p.Until)}}}
	stretches := p.Stretches
	if len(stretches) == 0 {
		stretches = []gatehouse.PayStretch{{Rate: p.Rate, Salary: p.Salary}}
	}
	for _, one := range stretches {
		when := ""
		if one.From != "" {
			when = " (" + daysText(one.From, one.Until) + ")"
		}
		s.Facts = append(s.Facts, [2]string{text(lang, "payslip.rate"), rateText(one.Rate) + when})
		if one.Salary != (gatehouse.Money{}) {
			s.Facts = append(s.Facts, [2]string{text(lang, "payslip.salary"), one.Salary.String() + when})
		}
	}
	if p.Number != "" && p.Number != label {
		s.Facts = append(s.Facts, [2]string{text(lang, "payslip.number"), p.Number})
	}
	for _, l := range p.Lines {
		one := PaySheetLine{Title: l.Title, Amount: l.Amount.Decimal(), Note: lineNote(lang, p, l)}
		if one.Title == "" {
			one.Title = string(l.Code)
		}
		if l.Minutes != 0 {
			one.Time, one.Rate = minutesText(l.Minutes), percentText(l.Rate)
		}
		if l.TimeOff != 0 {
			one.Title += " (" + text(lang, "hours.timeoff") + " " + minutesText(l.TimeOff) + ")"
		}
		s.Lines = append(s.Lines, one)
	}
	s.Sums = [][2]string{{text(lang, "payslip.gross"), p.Gross.String()}, {text(lang, "payslip.deductions"), p.Deductions.String()}, {text(lang, "payslip.net"), p.Net.String()}}
	return s
}

func daysText(from, until gatehouse.Date) string { return string(from) + " – " + string(until) }

// lineNote says how a line came about: the days and the rate of a part of the period, the
// formula of an amount, and where the minutes were worked, if at more than one place.
func lineNote(lang string, p gatehouse.Payslip, l gatehouse.PayLine) string {
	var notes []string
	for _, one := range p.Stretches {
		if l.From != "" && l.From == one.From {
			notes = append(notes, daysText(one.From, one.Until)+": "+rateText(one.Rate))
		}
	}
	switch {
	case len(p.Stretches) > 0 && namesValue(l.Formula):
		notes = append(notes, fmt.Sprintf(text(lang, "payslip.mean"), l.Formula))
	case l.Formula != "":
		notes = append(notes, l.Formula)
	}
	if len(l.Shares) > 1 && l.Minutes != 0 {
		for _, w := range l.Shares {
			where := strings.Join(strings.Fields(string(w.Site)+" "+w.CostCentre+" "+w.Project), " ")
			notes = append(notes, where+" "+minutesText(int(w.Weight)))
		}
	}
	return strings.Join(notes, "; ")
}

// formulaWords are what a formula names that no terms can change.
var formulaWords = map[string]bool{"": true, "gross": true, "deductions": true, "days": true, "hours": true, "pay": true, "min": true, "max": true, "when": true}

// namesValue reports whether a formula names a rate, a salary or a figure.
func namesValue(formula string) bool {
	for i, part := range strings.Split(formula, `"`) { // codes stand between quotes
		if i%2 == 1 {
			continue
		}
		for _, word := range strings.FieldsFunc(part, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if !formulaWords[word] && unicode.IsLetter(rune(word[0])) {
				return true
			}
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
