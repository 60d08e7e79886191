package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console/consoletest"
	"gatehouse/flow/timesheet"
	"gatehouse/rules/attendance"

	"github.com/chromedp/chromedp"
)

// shiftTeam is a team's week: the last Monday to Friday that are over. The first of them
// forgot to punch on leaving on Monday, the second came late on Tuesday, and the third stayed
// on Wednesday. Two others are a team that is too small to be shown.
type shiftTeam struct {
	people []gatehouse.SubjectID
	monday time.Time
	query  string
}

func newShiftTeam(t *testing.T, s *consoletest.Site) shiftTeam {
	t.Helper()
	ctx, by := t.Context(), timesheet.Actor{Account: gatehouse.RandomID()}
	now := time.Now().UTC()
	monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7-7).Truncate(24 * time.Hour)
	team := shiftTeam{monday: monday, query: fmt.Sprintf("?from=%s&until=%s", monday.Format(time.DateOnly), monday.AddDate(0, 0, 6).Format(time.DateOnly))}
	from := gatehouse.DateOf(monday)
	must(t, s.Hours.PutShift(ctx, by, 0, gatehouse.Shift{ID: "early", Title: "Early shift", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 360, Until: 870}}, Breaks: []gatehouse.ShiftBreak{{From: 600, Until: 630}}}))
	for id, title := range map[gatehouse.GroupID]string{"line-1": "Line 1", "store": "Store"} {
		must(t, s.Hours.PutTeam(ctx, by, 0, gatehouse.Team{ID: id, Title: title}))
		_, err := s.Hours.PutRoster(ctx, by, gatehouse.RosterEntry{Group: id, From: from, Pattern: []gatehouse.ShiftID{"early", "early", "early", "early", "early", "", ""}})
		must(t, err)
	}
	rules := attendance.China()
	rules.GraceIn, rules.GraceOut = gatehouse.PunchGrace{Early: 20, Late: 5}, gatehouse.PunchGrace{Early: 5, Late: 10}
	must(t, s.Hours.PutRules(ctx, by, 0, from, rules))
	must(t, s.Hours.PutLeaveKind(ctx, by, 0, gatehouse.LeaveKind{ID: "annual", Title: "Annual leave", Code: "leave", PerYear: 24 * 480}))
	for i := range 7 {
		id := s.Enrol(gatehouse.PersonSubject, fmt.Sprintf("L-%02d", i+1), "Somebody", gatehouse.Active)
		team.people = append(team.people, id)
		group := gatehouse.GroupID("line-1")
		if i >= 5 {
			group = "store"
		}
		_, err := s.Hours.PutMember(ctx, by, gatehouse.TeamMember{Team: group, Who: id, From: from})
		must(t, err)
		for day := range 5 {
			at := func(hour, minute int) time.Time {
				return monday.AddDate(0, 0, day).Add(time.Duration(hour*60+minute) * time.Minute)
			}
			come, leave := at(5, 50+i), at(14, 31+i)
			switch {
			case i == 1 && day == 1:
				come = at(6, 25)
			case i == 2 && day == 2:
				leave = at(16, 45)
			}
			s.Punch(id, come, gatehouse.In)
			if i != 0 || day != 0 {
				s.Punch(id, leave, gatehouse.Out)
			}
		}
	}
	return team
}

// pages are those about hours, by name.
func (h shiftTeam) pages() map[string]string {
	return map[string]string{"hours": "/hours" + h.query, "timesheet": "/hours/people/" + h.people[0].String() + h.query, "hourplans": "/hours/plans", "periods": "/hours/periods", "personpay": "/hours/pay/" + h.people[0].String(), "performance": "/hours/performance" + h.query, "punches": "/hours/import"}
}

// asked leaves a correction, leave and a closed period behind.
func asked(t *testing.T, s *consoletest.Site, team shiftTeam) {
	t.Helper()
	ctx, one, other := t.Context(), timesheet.Actor{Account: gatehouse.RandomID()}, timesheet.Actor{Account: gatehouse.RandomID()}
	_, err := s.Hours.Close(ctx, one, gatehouse.DateOf(team.monday.AddDate(0, 0, -14)), gatehouse.DateOf(team.monday.AddDate(0, 0, -8)))
	must(t, err)
	_, err = s.Hours.Close(ctx, one, gatehouse.DateOf(team.monday.AddDate(0, 0, -7)), gatehouse.DateOf(team.monday.AddDate(0, 0, -1)))
	must(t, err)
	_, err = s.Hours.Reopen(ctx, other, gatehouse.DateOf(team.monday.AddDate(0, 0, -7)), gatehouse.DateOf(team.monday.AddDate(0, 0, -1)))
	must(t, err)
	who := team.people[0]
	_, err = s.Hours.Ask(ctx, one, timesheet.Asked{Who: who, Kind: gatehouse.AddPunch, At: team.monday.Add(14*time.Hour + 30*time.Minute), Direction: gatehouse.Out, Reason: "the reader was dark"})
	must(t, err)
	dispute, err := s.Hours.Ask(ctx, one, timesheet.Asked{Who: who, Kind: gatehouse.DisputeTime, At: team.monday.AddDate(0, 0, 1), Reason: "no break was given"})
	must(t, err)
	_, err = s.Hours.Decide(ctx, other, dispute.ID, false)
	must(t, err)
	_, err = s.Hours.AskLeave(ctx, one, who, "annual", team.monday.AddDate(0, 0, 14), team.monday.AddDate(0, 0, 16), "a wedding")
	must(t, err)
}

// fill sets a form's fields and sends it.
func fill(t *testing.T, ctx context.Context, form string, fields map[string]string) {
	t.Helper()
	for name, value := range fields {
		ask[bool](t, ctx, fmt.Sprintf(`(document.querySelector('%s [name="%s"]').value = %q, true)`, form, name, value))
	}
	ask[bool](t, ctx, fmt.Sprintf(`(document.querySelector('%s').requestSubmit(document.querySelector('%s button')), true)`, form, form))
}

// A missed punch is asked for, approved by somebody else, and the minutes change; nobody
// approves their own. What changed is shown before and after.
func TestACorrectionInTheConsole(t *testing.T) {
	s := site(t)
	team := newShiftTeam(t, s)
	ctx, said := tab(t)
	s.Server.URL = "http://localhost:" + port(s)
	who := team.people[0]
	own := s.Account("e-1", gatehouse.Assignment{Role: gatehouse.Employee}, gatehouse.Assignment{Role: gatehouse.HR})
	must(t, s.Accounts.SetPerson(t.Context(), "test", own.ID, who))
	boss := s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager})

	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(own.ID)), chromedp.Navigate(s.Server.URL+"/hours/own"+team.query+"&lang=en")))
	sum := `document.querySelector("tfoot strong").textContent`
	if got := ask[string](t, ctx, sum); got != "32:00" {
		t.Fatalf("%s hours before the correction, want four days of eight", got)
	}
	fill(t, ctx, `form[action^="/hours/own/corrections"]`, map[string]string{"kind": "add", "day": team.monday.Format(time.DateOnly), "clock": "14:30", "direction": "out", "reason": "the reader was dark"})
	until(t, ctx, `document.body.textContent.includes("waiting")`)

	// As HR they see it, and may not decide it.
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Server.URL+"/hours"+team.query)))
	until(t, ctx, `document.body.textContent.includes("Somebody else decides your own request.")`)
	if n := ask[int](t, ctx, `document.querySelectorAll('button[value="approve"]').length`); n != 0 {
		t.Errorf("%d buttons approve one's own request", n)
	}
	list, err := s.Hours.Corrections(t.Context(), gatehouse.TimesQuery{Limit: 10})
	must(t, err)
	if all := said.all(); all != "" {
		t.Errorf("the browser complains: %s", all)
	}
	status := ask[int](t, ctx, `(() => { const x = new XMLHttpRequest(); x.open("POST", "/hours/corrections/`+list[0].ID.String()+`/decide", false); x.setRequestHeader("Content-Type", "application/x-www-form-urlencoded"); x.send("decision=approve"); return x.status })()`)
	if status != 422 {
		t.Errorf("approving one's own request answers %d", status)
	}

	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(boss.ID)), chromedp.Navigate(s.Server.URL+"/hours"+team.query)))
	until(t, ctx, `document.querySelector(".worries li").textContent.includes("0:00 → 8:00")`)
	s.Unseal()
	ask[bool](t, ctx, `(document.querySelector('form[action*="/reason"] button').click(), true)`)
	until(t, ctx, `document.body.textContent.includes("the reader was dark")`)
	ask[bool](t, ctx, `(document.querySelector('button[value="approve"]').click(), true)`)
	until(t, ctx, `!document.querySelector('button[value="approve"]')`)
	if got := ask[string](t, ctx, `document.querySelector("#h-decided").parentElement.textContent`); !strings.Contains(got, "approved") || !strings.Contains(got, "L-01") {
		t.Errorf("the list does not say what was decided: %q", got)
	}
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Server.URL+"/hours/people/"+who.String()+team.query)))
	if got := ask[string](t, ctx, sum); got != "40:00" {
		t.Errorf("%s hours after it, want 40:00", got)
	}
	if !ask[bool](t, ctx, `document.body.textContent.includes("Between these two punches.") && document.body.textContent.includes("correction")`) {
		t.Error("the minutes do not say what made them so")
	}

	// Somebody who goes late and comes early again is a warning about the law.
	s.Punch(team.people[4], team.monday.Add(23*time.Hour), gatehouse.In)
	s.Punch(team.people[4], team.monday.Add(24*time.Hour), gatehouse.Out)
	must(t, s.Hours.PutRules(t.Context(), timesheet.Actor{Account: boss.ID}, timesheet.Any, gatehouse.DateOf(team.monday), attendance.EuropeanUnion()))
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Server.URL+"/hours"+team.query)))
	until(t, ctx, `document.querySelector("#h-law") !== null && document.querySelector("#h-law").parentElement.textContent.includes("L-05")`)
	if ask[bool](t, ctx, `document.querySelector("#h-law").parentElement.textContent.includes("L-02")`) {
		t.Error("somebody is warned of who rested long enough")
	}
	must(t, s.Hours.PutRules(t.Context(), timesheet.Actor{Account: boss.ID}, timesheet.Any, gatehouse.DateOf(team.monday), attendance.China()))

	// A period that was closed says what became of it since.
	closed, err := s.Hours.Close(t.Context(), timesheet.Actor{Account: own.ID}, gatehouse.DateOf(team.monday), gatehouse.DateOf(team.monday.AddDate(0, 0, 6)))
	must(t, err)
	must(t, s.Hours.PutRules(t.Context(), timesheet.Actor{Account: boss.ID}, timesheet.Any, closed.From, gatehouse.AttendanceRules{Name: "none"}))
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Server.URL+"/hours/people/"+team.people[2].String()+team.query)))
	until(t, ctx, `document.querySelector("#h-changed").parentElement.textContent.includes("overtime-150")`)
}

// The figures are those of teams: no person is ranked, and a small team is in none of them.
func TestPerformanceInTheConsole(t *testing.T) {
	s := site(t)
	team := newShiftTeam(t, s)
	ctx, said := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s), chromedp.EmulateViewport(390, 844), chromedp.Navigate("http://localhost:"+port(s)+"/hours/performance"+team.query+"&lang=en")))
	until(t, ctx, `document.querySelectorAll(".charts canvas").length === 2`)
	if wide := ask[int](t, ctx, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d px wide on a phone", wide)
	}
	page := ask[string](t, ctx, `document.querySelector("main").textContent`)
	for text, want := range map[string]bool{"Line 1": true, "96 %": true, "too small to be shown": true, "L-0": false} {
		if got := strings.Contains(page, text); got != want {
			t.Errorf("%q is there: %t", text, got)
		}
	}
	if all := said.all(); all != "" {
		t.Errorf("the browser complains: %s", all)
	}
}

// A file of another clock's punches is checked and imported without being chosen twice.
func TestPunchesOfAnotherClock(t *testing.T) {
	s := site(t)
	ctx, said := tab(t)
	s.Server.URL = "http://localhost:" + port(s)
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}).ID)), chromedp.Navigate(s.Server.URL+"/hours?lang=en")))
	click(t, ctx, "a[href='/hours/import']", "location.pathname == '/hours/import'")
	file := filepath.Join(t.TempDir(), "clock.csv")
	must(t, os.WriteFile(file, []byte("person,at,direction\nB-1,2026-01-05 08:00,in\nB-99,2026-01-05 08:01,in\n"), 0o600))
	must(t, chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file})))
	ask[bool](t, ctx, "(document.querySelector('#layout').value = '2006-01-02 15:04', true)")
	press := func(what, says string) {
		t.Helper()
		ask[bool](t, ctx, "(document.querySelector('.acts [value="+what+"]').click(), true)")
		until(t, ctx, "document.querySelector('#report').innerText.includes("+quoted(says)+")")
	}
	press("check", "there is nobody with this number")
	if text := ask[string](t, ctx, "document.querySelector('#report').innerText"); !strings.Contains(text, "Problems: 1, in 2 rows") {
		t.Errorf("the page says\n%s", text)
	}
	for _, v := range violations(t, ctx) {
		t.Errorf("what is wrong in a file: %s", v)
	}
	picture(t, ctx, "punches-wrong-en")
	must(t, os.WriteFile(file, []byte("person,at,direction\nB-1,2026-01-05 08:00,in\nB-2,2026-01-05 08:01,in\n"), 0o600))
	must(t, chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file})))
	press("check", "Rows: 2. Nothing was written yet.")
	press("import", "Added: 2.")
	quiet(t, said)
}
