package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/timesheet"
	"gatehouse/flow/wages"
)

// Wages is pay, all of it sealed; *wages.Wages is one. The codes of their errors are its.
type Wages interface {
	SetTerms(ctx context.Context, by wages.Actor, who gatehouse.SubjectID, from gatehouse.Date, t gatehouse.PayTerms) (gatehouse.StoredPayTerms, error)
	RemoveTerms(ctx context.Context, by wages.Actor, who gatehouse.SubjectID, id gatehouse.ID) error
	Terms(ctx context.Context, who gatehouse.SubjectID) ([]gatehouse.StoredPayTerms, error)
	Slips(ctx context.Context, who gatehouse.SubjectID) ([]gatehouse.StoredPayslip, error)
	Runs(ctx context.Context) ([]gatehouse.PayRun, error)
	Problems(ctx context.Context, run gatehouse.ID) ([]gatehouse.StoredPayslip, error)
	Ask(ctx context.Context, by wages.Actor, from, until gatehouse.Date) (gatehouse.PayRun, error)
	Approve(ctx context.Context, by wages.Actor, id gatehouse.ID) (gatehouse.PayRun, error)
	Reckon(ctx context.Context, by wages.Actor, id gatehouse.ID) (gatehouse.PayRun, error)
}

// Payslips opens what is sealed of pay, which is a disclosure with a reason, and draws
// it. Errors: wages.no_slip, vault.reason, vault.sealed, vault.budget, store.not_found.
type Payslips interface {
	// Payslip is one of the person's; without a reason it is who asks' own, or wages.no_slip.
	Payslip(ctx context.Context, who Who, by timesheet.Actor, person gatehouse.SubjectID, id gatehouse.ID, reason string) (gatehouse.Payslip, error)
	PayTerms(ctx context.Context, who Who, by timesheet.Actor, person gatehouse.SubjectID, id gatehouse.ID, reason string) (gatehouse.PayTerms, error)
	// PayslipPDF draws what in gives for a language: lang, or English where no font has its
	// characters.
	PayslipPDF(lang string, in func(lang string) PaySheet) ([]byte, error)
}

// PaySheet is a payslip in words.
type PaySheet struct {
	Title string
	Facts [][2]string
	Lines []PaySheetLine
	Sums  [][2]string // the last is what is paid
}

// PaySheetLine is one line: what for, how long, at which rate, how much; Note says how it
// came about.
type PaySheetLine struct{ Title, Time, Rate, Amount, Note string }

func paying(r *http.Request) wages.Actor {
	by, as := actor(r), who(r)
	return wages.Actor{Account: by.Account, Person: by.Person, Operator: as.Operator, Role: as.Role}
}

func (c *Console) wagesRoutes() []auth.Route {
	if c.o.Wages == nil {
		return nil
	}
	pay, own := auth.NeedsFresh(gatehouse.PayPeriods), auth.NeedsFresh(gatehouse.OwnHours)
	return []auth.Route{
		{Pattern: "POST /hours/own/payslips/{slip}", Policy: own, Handler: c.ownPayslip, Page: "/hours/own"},
		{Pattern: "GET /hours/pay/{id}", Policy: auth.Needs(gatehouse.PayPeriods), Handler: func(w http.ResponseWriter, r *http.Request) { c.personPay(w, r, http.StatusOK, "", nil) }},
		{Pattern: "POST /hours/pay/{id}", Policy: pay, Handler: c.setTerms, Page: "/hours/pay/{id}"},
		{Pattern: "POST /hours/pay/{id}/terms/{terms}", Policy: pay, Handler: c.onTerms, Page: "/hours/pay/{id}"},
		{Pattern: "POST /hours/pay/{id}/payslips/{slip}", Policy: pay, Handler: c.payslip, Page: "/hours/pay/{id}"},
		{Pattern: "POST /hours/periods/pay", Policy: pay, Handler: c.askPay, Page: "/hours/periods"},
		{Pattern: "POST /hours/periods/pay/{id}", Policy: pay, Handler: c.changeRun, Page: "/hours/periods"},
	}
}

type personPayBody struct {
	ID      gatehouse.SubjectID
	Label   string
	Terms   []gatehouse.StoredPayTerms
	Slips   []gatehouse.StoredPayslip
	Opened  *termsView // read for this page
	Today   gatehouse.Date
	Problem string
}

// termsView are terms in words.
type termsView struct {
	Number, Rate, Salary string
	Figures, Shares      []string
}

func (c *Console) personPay(w http.ResponseWriter, r *http.Request, status int, problem string, opened *termsView) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	b := personPayBody{ID: id, Problem: problem, Opened: opened, Today: gatehouse.DateOf(c.o.Now().In(c.o.Location))}
	if err == nil {
		err = c.o.Hours.Known(r.Context(), id)
	}
	if err == nil {
		b.Label = c.hoursLabel(id)
		b.Terms, err = c.o.Wages.Terms(r.Context(), id)
	}
	if err == nil {
		b.Slips, err = c.o.Wages.Slips(r.Context(), id)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, status, "personpay", "personpay.title", "periods", b)
}

// onPay carries out what a form on somebody's page of pay asks for.
func (c *Console) onPay(w http.ResponseWriter, r *http.Request, do func(id gatehouse.SubjectID) error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.onHours(w, r, "/hours/pay/"+id.String(), func(status int, problem string) { c.personPay(w, r, status, problem, nil) }, func() error { return do(id) })
}

func (c *Console) setTerms(w http.ResponseWriter, r *http.Request) {
	c.onPay(w, r, func(id gatehouse.SubjectID) error {
		t, err := termsForm(func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) })
		if err == nil {
			_, err = c.o.Wages.SetTerms(r.Context(), paying(r), id, gatehouse.Date(r.PostForm.Get("from")), t)
		}
		return err
	})
}

// termsForm reads terms: amounts as people write them, figures as NAME AMOUNT a line, and
// shares as WEIGHT COST-CENTRE PROJECT a line.
func termsForm(f func(string) string) (t gatehouse.PayTerms, err error) {
	currency := gatehouse.Currency(strings.ToUpper(f("currency")))
	t.Number = f("number")
	if t.Rate.Amount, err = gatehouse.ParseMoney(f("rate"), currency); err != nil {
		return t, err
	}
	hours, err := strconv.ParseInt(f("per"), 10, 32)
	if err != nil || hours < 1 {
		return t, gatehouse.Errorf("pay.rate", "give whole hours, 1 or more", "a rate is for so many hours")
	}
	t.Rate.Per = hours * 60
	if f("salary") != "" {
		if t.Salary, err = gatehouse.ParseMoney(f("salary"), currency); err != nil {
			return t, err
		}
	}
	for line := range strings.Lines(f("figures")) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 2 {
			return t, gatehouse.Errorf("pay.figures", "write a name and an amount on each line", "this is no figure")
		}
		if t.Figures == nil {
			t.Figures = map[string]gatehouse.Money{}
		}
		if t.Figures[words[0]], err = gatehouse.ParseMoney(words[1], currency); err != nil {
			return t, err
		}
	}
	for line := range strings.Lines(f("shares")) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		weight, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil || len(words) > 3 {
			return t, gatehouse.Errorf("pay.split", "write a weight, a cost centre and a project on each line", "this is no share")
		}
		s := gatehouse.PayShare{Weight: weight}
		if len(words) > 1 {
			s.CostCentre = words[1]
		}
		if len(words) > 2 {
			s.Project = words[2]
		}
		t.Shares = append(t.Shares, s)
	}
	return t, nil
}

// onTerms removes terms, or opens them with a reason.
func (c *Console) onTerms(w http.ResponseWriter, r *http.Request) {
	var opened *termsView
	again := func(status int, problem string) { c.personPay(w, r, status, problem, nil) }
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var terms gatehouse.ID
	if err == nil {
		terms, err = gatehouse.ParseID(r.PathValue("terms"))
	}
	if err == nil {
		err = formIn(w, r, maxHoursForm)
	}
	if err == nil && r.PostForm.Get("do") == "remove" {
		c.onPay(w, r, func(id gatehouse.SubjectID) error { return c.o.Wages.RemoveTerms(r.Context(), paying(r), id, terms) })
		return
	}
	if err == nil {
		var t gatehouse.PayTerms
		if t, err = c.o.Payslips.PayTerms(r.Context(), who(r), actor(r), id, terms, strings.TrimSpace(r.PostForm.Get("reason"))); err == nil {
			opened = termsViewOf(t)
		}
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		again(status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.personPay(w, r, http.StatusOK, "", opened)
}

func rateText(r gatehouse.PayRate) string {
	return r.Amount.String() + " / " + minutesText(int(r.Per)) + " h"
}

func termsViewOf(t gatehouse.PayTerms) *termsView {
	v := &termsView{Number: t.Number, Rate: rateText(t.Rate)}
	if t.Salary != (gatehouse.Money{}) {
		v.Salary = t.Salary.String()
	}
	for _, name := range sortedKeys(t.Figures) {
		v.Figures = append(v.Figures, name+" "+t.Figures[name].String())
	}
	for _, s := range t.Shares {
		v.Shares = append(v.Shares, strings.TrimSpace(strconv.FormatInt(s.Weight, 10)+" "+s.CostCentre+" "+s.Project))
	}
	return v
}

func (c *Console) askPay(w http.ResponseWriter, r *http.Request) {
	c.onPeriods(w, r, func() error {
		from, until, _ := strings.Cut(r.PostForm.Get("period"), " ")
		_, err := c.o.Wages.Ask(r.Context(), paying(r), gatehouse.Date(from), gatehouse.Date(until))
		return err
	})
}

// changeRun approves a run or has the vault reckon it.
func (c *Console) changeRun(w http.ResponseWriter, r *http.Request) {
	c.onPeriods(w, r, func() error {
		id, err := gatehouse.ParseID(r.PathValue("id"))
		switch {
		case err != nil:
		case r.PostForm.Get("do") == "approve":
			_, err = c.o.Wages.Approve(r.Context(), paying(r), id)
		case r.PostForm.Get("do") == "reckon":
			_, err = c.o.Wages.Reckon(r.Context(), paying(r), id)
		default:
			err = gatehouse.Errorf("form.malformed", "", "the form was not filled in")
		}
		return err
	})
}
