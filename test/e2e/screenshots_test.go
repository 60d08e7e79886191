package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestScreenshots writes every page at 390, 1024 and 1600 pixels, light and dark,
// in both languages, into the folder that GATEHOUSE_SCREENSHOTS names, relative to
// the repository's root (`make screenshots` sets it to build/screenshots).
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("GATEHOUSE_SCREENSHOTS")
	if dir == "" {
		t.Skip("set GATEHOUSE_SCREENSHOTS to a folder to write screenshots")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir)
	}
	must(t, os.MkdirAll(dir, 0o755))
	s := site(t)
	car := morning(s)
	ruled(t, s)
	floorPlan(t, s)
	s.Raise(gatehouse.Alarm{Kind: gatehouse.GateAlarm, Gate: "car-park"})
	office(s)
	ctx, _ := tabFor(t, 40*time.Minute)
	must(t, chromedp.Do(ctx, enter(t, s)))
	somebody := s.Account("guard-7", gatehouse.Assignment{Role: gatehouse.Guard, Gates: []gatehouse.GateID{"front-door"}})
	team := newShiftTeam(t, s)
	owner := s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}, gatehouse.Assignment{Role: gatehouse.Administrator}, gatehouse.Assignment{Role: gatehouse.Employee})
	must(t, s.Accounts.SetPerson(t.Context(), "test", owner.ID, team.people[0]))
	asked(t, s, team)
	pages := map[string]string{"live": "/", "passage": "/passages/" + car.ID.String(), "passages": "/passages", "traffic": "/traffic",
		"people": "/people", "search": "/search", "disclosures": "/disclosures", "missing": "/no-such-page",
		"alarms": "/alarms", "wall": "/live/wall", "plan": "/plans/ground-floor", "gates": "/gates", "gate": "/gates/front-door", "rules": "/rules", "group": "/rules/groups/staff", "rule": "/rules/grants/night", "schedule": "/rules/schedules/nights", "changes": "/rules/changes",
		"why": whyPath(s), "why-passage": "/passages/" + deniedPassage(s) + "/why",
		"accounts": "/accounts", "someone": "/accounts/" + somebody.ID.String(), "signin": "/signin"}
	maps.Copy(pages, enrolments(t, ctx, s))
	maps.Copy(pages, officePages(s))
	maps.Copy(pages, team.pages())
	only := os.Getenv("GATEHOUSE_SCREENSHOTS_OF") // a part of pages' names; "" for every page
	shoot := func(name, path string) {
		if !strings.Contains(name, only) {
			return
		}
		for _, width := range []int64{390, 1024, 1600} {
			for _, scheme := range []string{"light", "dark"} {
				must(t, chromedp.Do(ctx, media(scheme), chromedp.EmulateViewport(width, 844)))
				if width > 390 {
					must(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 1000)))
				}
				must(t, chromedp.Do(ctx, chromedp.Navigate(s.Server.URL+path), chromedp.Sleep(250*time.Millisecond)))
				png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				must(t, err)
				must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644))
			}
		}
	}
	// The link was opened under localhost; the cookie belongs to that name.
	s.Server.URL = "http://localhost:" + port(s)
	shoot("live-sealed", "/?lang=en")
	s.Unseal()
	for _, lang := range []string{"en", "zh"} {
		for name, path := range pages {
			shoot(name+"-"+lang, inLanguage(path, lang))
		}
	}
	for _, lang := range []string{"en", "zh"} {
		answered(t, ctx, s.Server.URL, lang, func(name string) {
			if strings.Contains(name, only) {
				picture(t, ctx, name+"-"+lang)
			}
		})
	}
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintFor(owner.ID))))
	for _, lang := range []string{"en", "zh"} {
		for name, path := range map[string]string{"account": "/account", "code": "/account/code", "again": "/again", "ownhours": "/hours/own" + team.query} {
			shoot(name+"-"+lang, inLanguage(path, lang))
		}
	}
}

func media(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}
