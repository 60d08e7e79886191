package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/flow/timesheet"

	"github.com/chromedp/chromedp"
)

// HR enters a rate, which no page shows again without a reason; a second person approves
// the period's pay, the vault reckons it, and the employee reads their own payslip.
func TestPayInTheConsole(t *testing.T) {
	s := site(t)
	team := newShiftTeam(t, s)
	ctx, said := tab(t)
	s.Server.URL = "http://localhost:" + port(s)
	who := team.people[2]
	by := timesheet.Actor{Account: gatehouse.RandomID()}
	planner := s.Account("planner-1", gatehouse.Assignment{Role: gatehouse.HR})
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(planner.ID)), chromedp.Navigate(s.Server.URL+"/hours/plans?lang=en")))
	ask[bool](t, ctx, `(document.querySelector('[name="scheme"]').value = "regular | time | Regular hours\nmeals | allowance | Meals | meal * days", document.querySelector('[name="scheme"]').form.requestSubmit(), true)`)
	until(t, ctx, `document.readyState === "complete" && document.querySelector('[name="scheme"]').defaultValue.includes("meal * days")`)
	if scheme := s.Hours.List().Earnings; len(scheme) != 2 || scheme[1].Formula != "meal * days" || scheme[0].Title != "Regular hours" {
		t.Errorf("the scheme is %+v", scheme)
	}
	_, err := s.Hours.Close(t.Context(), by, gatehouse.DateOf(team.monday), gatehouse.DateOf(team.monday.AddDate(0, 0, 6)))
	must(t, err)
	own := s.Account("e-1", gatehouse.Assignment{Role: gatehouse.Employee})
	must(t, s.Accounts.SetPerson(t.Context(), "test", own.ID, who))
	clerk, chief := s.Account("clerk-1", gatehouse.Assignment{Role: gatehouse.HR}), s.Account("chief-1", gatehouse.Assignment{Role: gatehouse.HR})
	enter := func(account gatehouse.AccountID, path string) {
		t.Helper()
		must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(account)), chromedp.Navigate(s.Server.URL+path)))
	}
	press := func(selector string) {
		t.Helper()
		ask[bool](t, ctx, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
	}
	page := func() string { return ask[string](t, ctx, `document.querySelector("main").textContent`) }

	enter(clerk.ID, "/hours/pay/"+who.String()+"?lang=en")
	fill(t, ctx, fmt.Sprintf(`form[action="/hours/pay/%s"]`, who), map[string]string{"from": "2026-01-01", "rate": "123.45", "currency": "eur", "per": "1"})
	until(t, ctx, `document.body.textContent.includes("from 2026-01-01 on")`)
	if strings.Contains(page(), "123.45") {
		t.Error("the page shows a rate that was sealed")
	}
	terms := `form[action*="/terms/"]`
	ask[bool](t, ctx, `(document.querySelector('`+terms+` [name="reason"]').value = "a question", true)`)
	press(terms + ` [value="open"]`)
	until(t, ctx, `document.body.textContent.includes("The vault is sealed")`)
	refused := said.all() // the browser says that it was
	s.Unseal()
	ask[bool](t, ctx, `(document.querySelector('`+terms+` [name="reason"]').value = "a question", true)`)
	press(terms + ` [value="open"]`)
	until(t, ctx, `document.body.textContent.includes("123.45 EUR / 1:00 h")`)

	enter(clerk.ID, "/hours/periods")
	press(`form[action="/hours/periods/pay"] button`)
	until(t, ctx, `document.body.textContent.includes("waits for a second person")`)
	enter(chief.ID, "/hours/periods")
	press(`[value="approve"]`)
	until(t, ctx, `document.querySelector('[value="reckon"]') !== null`)
	press(`[value="reckon"]`)
	until(t, ctx, `document.body.textContent.includes("payslips: 1")`)
	if got := page(); !strings.Contains(got, "L-01: Nothing says what they are paid by.") || strings.Contains(got, "617.25") {
		t.Errorf("the run says %q", got)
	}

	pictures(t, ctx, s.Server.URL, "periods-paid", "/hours/periods")
	enter(own.ID, "/hours/own?lang=en")
	press(`form[action*="/hours/own/payslips/"] button`)
	until(t, ctx, `document.querySelector("tfoot") !== null && document.querySelector("tfoot").textContent.includes("617.25 EUR")`)
	for _, v := range violations(t, ctx) {
		t.Errorf("the payslip: %s", v)
	}
	picture(t, ctx, "payslip-en")
	if kind := ask[string](t, ctx, `(() => { const x = new XMLHttpRequest(); x.open("POST", location.pathname, false); x.setRequestHeader("Content-Type", "application/x-www-form-urlencoded"); x.send("as=pdf"); return x.status + " " + x.getResponseHeader("Content-Type") })()`); kind != "200 application/pdf" {
		t.Errorf("as a PDF: %s", kind)
	}
	path := ask[string](t, ctx, `location.pathname`)
	if all := said.all(); all != refused {
		t.Errorf("the browser complains: %s", all)
	}

	// The boss looks at their hours, and they see that.
	boss := s.Account("boss-1", gatehouse.Assignment{Role: gatehouse.SiteManager})
	enter(boss.ID, "/hours/people/"+who.String())
	enter(own.ID, "/hours/own/looks")
	pictures(t, ctx, s.Server.URL, "looks", "/hours/own/looks")
	if got := page(); !strings.Contains(got, "Site manager") || !strings.Contains(got, "datahours1") || strings.Contains(got, "boss-1") {
		t.Errorf("who looked: %q", got)
	}

	// A colleague who guesses its address gets nothing.
	other := s.Account("e-2", gatehouse.Assignment{Role: gatehouse.Employee})
	must(t, s.Accounts.SetPerson(context.Background(), "test", other.ID, team.people[1]))
	enter(other.ID, "/hours/own")
	if got := ask[string](t, ctx, `(() => { const x = new XMLHttpRequest(); x.open("POST", "`+path+`", false); x.setRequestHeader("Content-Type", "application/x-www-form-urlencoded"); x.send(""); return x.status + x.responseText })()`); !strings.HasPrefix(got, "422") || strings.Contains(got, "617.25") {
		t.Errorf("a colleague read it: %.300s", got)
	}
}
