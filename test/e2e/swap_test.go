package e2e

import (
	"testing"

	"gatehouse"
	"gatehouse/flow/timesheet"

	"github.com/chromedp/chromedp"
)

// One asks, the colleague agrees, somebody else approves, and their days are planned anew.
func TestASwapInTheConsole(t *testing.T) {
	s := site(t)
	team := newShiftTeam(t, s)
	ctx, said := tab(t)
	s.Server.URL = "http://localhost:" + port(s)
	one, two := team.people[0], team.people[1]
	tuesday := team.monday.AddDate(0, 0, 15)
	day := func(n int) gatehouse.Date { return gatehouse.DateOf(tuesday.AddDate(0, 0, n)) }
	for who, off := range map[gatehouse.SubjectID]gatehouse.Date{two: day(0), one: day(1)} {
		_, err := s.Hours.PutRoster(t.Context(), timesheet.Actor{Account: gatehouse.RandomID()}, gatehouse.RosterEntry{Who: who, From: off, Until: off, Pattern: []gatehouse.ShiftID{""}})
		must(t, err)
	}
	var accounts []gatehouse.AccountID
	for i, who := range []gatehouse.SubjectID{one, two} {
		a := s.Account([]string{"e-1", "e-2"}[i], gatehouse.Assignment{Role: gatehouse.Employee})
		must(t, s.Accounts.SetPerson(t.Context(), "test", a.ID, who))
		accounts = append(accounts, a.ID)
	}
	boss := s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager})
	enter := func(account gatehouse.AccountID, path string) {
		t.Helper()
		must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(account)), chromedp.Navigate(s.Server.URL+path)))
	}
	enter(accounts[0], "/hours/own?lang=en")
	fill(t, ctx, `form[action^="/hours/own/swaps"]`, map[string]string{"mine": string(day(0)), "colleague": "L-02", "theirs": string(day(1))})
	until(t, ctx, `document.querySelector('[value="end"]') !== null`)
	for _, v := range violations(t, ctx) {
		t.Errorf("the page: %s", v)
	}
	pictures(t, ctx, s.Server.URL, "swap-asked", "/hours/own")
	enter(boss.ID, "/hours")
	if ask[bool](t, ctx, `document.querySelector('form[action*="/hours/swaps/"]') !== null`) {
		t.Error("a swap waits for approval before the colleague agreed")
	}
	enter(accounts[1], "/hours/own")
	ask[bool](t, ctx, `(document.querySelector('[value="agree"]').click(), true)`)
	until(t, ctx, `document.querySelector('[value="agree"]') === null && document.querySelector('[value="end"]') !== null`)
	enter(boss.ID, "/hours")
	until(t, ctx, `document.querySelector(".worries").textContent.includes("L-01") && document.querySelector(".worries").textContent.includes("L-02")`)
	pictures(t, ctx, s.Server.URL, "swap-to-approve", "/hours")
	ask[bool](t, ctx, `(document.querySelector('form[action*="/hours/swaps/"] button').click(), true)`)
	until(t, ctx, `document.querySelector('form[action*="/hours/swaps/"]') === null && document.readyState === "complete"`)
	v, err := s.Hours.Sheet(t.Context(), one, day(0), day(1), timesheet.AsOf{})
	must(t, err)
	if v.Sheet.Days[0].Due != 0 || v.Sheet.Days[1].Due == 0 {
		t.Errorf("after the swap %s is due %d and %d minutes", day(0), v.Sheet.Days[0].Due, v.Sheet.Days[1].Due)
	}
	if all := said.all(); all != "" {
		t.Errorf("the browser complains: %s", all)
	}
}
