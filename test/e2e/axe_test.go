package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"github.com/chromedp/chromedp"
)

// violations runs axe-core (https://github.com/dequelabs/axe-core) on the page as it
// stands, with the rules of WCAG 2.2 AA and the best practices.
func violations(t *testing.T, ctx context.Context) []string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("..", "..", "third_party", "web", "axe.min.js"))
	if os.IsNotExist(err) {
		t.Skip("no axe-core: run `make assets`")
	}
	must(t, err)
	// The page's policy forbids scripts of others; the debugger is no page.
	ask[bool](t, ctx, string(script)+"; true")
	ask[bool](t, ctx, `window.axeDone = null, axe.run(document, {resultTypes: ["violations"]}).then(r => window.axeDone = JSON.stringify(
		r.violations.map(v => v.id + " (" + v.impact + "): " + v.nodes.map(n => n.target.join(" ") + " " + n.failureSummary).join("; ")))), true`)
	until(t, ctx, "window.axeDone !== null")
	var found []string
	must(t, json.Unmarshal([]byte(ask[string](t, ctx, "window.axeDone")), &found))
	return found
}

// tooWide is by how much a page is wider than its window, in CSS pixels.
const tooWide = `document.documentElement.scrollWidth - document.documentElement.clientWidth`

// No page breaks a rule of accessibility, in light and dark, on a phone and a desk, in
// both languages; and none is wider than a phone.
func TestPagesAreAccessible(t *testing.T) {
	s := site(t)
	car := morning(s)
	ruled(t, s)
	floorPlan(t, s)
	s.Raise(gatehouse.Alarm{Kind: gatehouse.TestAlarm})
	office(s)
	ctx, _ := tabFor(t, 5*time.Minute)
	must(t, chromedp.Do(ctx, enter(t, s)))
	s.Server.URL = "http://localhost:" + port(s)
	s.Unseal()
	team := newShiftTeam(t, s)
	owner := s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}, gatehouse.Assignment{Role: gatehouse.Administrator}, gatehouse.Assignment{Role: gatehouse.Employee})
	must(t, s.Accounts.SetPerson(t.Context(), "test", owner.ID, team.people[0]))
	asked(t, s, team)
	somebody := s.Account("guard-7", gatehouse.Assignment{Role: gatehouse.Guard, Gates: []gatehouse.GateID{"front-door"}})
	paths := slices.Sorted(maps.Values(enrolments(t, ctx, s)))
	paths = append(paths, slices.Sorted(maps.Values(officePages(s)))...)
	paths = append(paths, slices.Sorted(maps.Values(team.pages()))...)
	for i, path := range append(paths, "/", "/passages/"+car.ID.String(), "/passages", "/traffic", "/people", "/disclosures", "/search", "/no-such-page",
		"/?only=denied", "/live/wall", "/alarms", "/gates", "/gates/front-door", "/plans/ground-floor", "/plans/-", "/rules", "/rules/groups/staff", "/rules/grants/night", "/rules/schedules/nights", "/rules/schedules/-", "/rules/changes", whyPath(s), "/passages/"+deniedPassage(s)+"/why",
		"/accounts", "/accounts/"+somebody.ID.String(), "/signin", "/account", "/account/code", "/again", "/hours/own"+team.query) {
		if path == "/account" { // one's own: a demo's session has none
			must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(owner.ID))))
		}
		looks := []struct {
			scheme, lang string
			width        int64
		}{{"light", "en", 1600}, {"dark", "zh", 390}}
		if i < len(paths) { // they share their parts: each is looked at in one of the two
			looks = looks[i%2:][:1]
		}
		for _, look := range looks {
			must(t, chromedp.Do(ctx, media(look.scheme), chromedp.EmulateViewport(look.width, 900), chromedp.Navigate(s.Server.URL+inLanguage(path, look.lang))))
			until(t, ctx, "document.readyState === 'complete'")
			for _, v := range violations(t, ctx) {
				t.Errorf("%s, %s, %s, %d px: %s", path, look.scheme, look.lang, look.width, v)
			}
		}
		// On a phone nothing has to be pushed sideways but a table in its own frame.
		must(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 844)))
		if over := ask[int](t, ctx, tooWide); over > 0 {
			t.Errorf("%s is %d px too wide for a phone: %s", path, over, ask[string](t, ctx, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth && !e.closest(".scroll")).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ")`))
		}
	}
	must(t, chromedp.Do(ctx, enter(t, s)))
	answered(t, ctx, s.Server.URL, "en", func(name string) {
		for _, v := range violations(t, ctx) {
			t.Errorf("%s: %s", name, v)
		}
	})
	// The control: what is broken on purpose is found.
	ask[bool](t, ctx, `document.querySelector("main").append(Object.assign(document.createElement("p"), {id: "wide", textContent: "x"})), document.getElementById("wide").style.width = "400px", true`)
	if over := ask[int](t, ctx, tooWide); over < 10 {
		t.Errorf("a paragraph of 400 px makes the page %d px too wide", over)
	}
	ask[bool](t, ctx, `document.body.insertAdjacentHTML("beforeend", "<img src='/static/icon.svg'><button></button>"), true`)
	if broken := fmt.Sprint(violations(t, ctx)); !strings.Contains(broken, "image-alt") || !strings.Contains(broken, "button-name") {
		t.Errorf("a picture without a text and a button without a name are not found: %s", broken)
	}
}
