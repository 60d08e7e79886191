package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/console/consoletest"
	"gatehouse/flow/tokens"
	"gatehouse/rules/privacy"

	"github.com/chromedp/chromedp"
)

// office fills a site with what a privacy officer, an auditor and an administrator see.
func office(s *consoletest.Site) {
	now := time.Now()
	device := func(id gatehouse.DeviceID, kind gatehouse.DeviceKind, gate gatehouse.GateID, state, shows string) console.DeviceState {
		return console.DeviceState{Device: gatehouse.Device{Place: consoletest.Place, ID: id, Kind: kind, Gate: gate}, State: state, Shows: shows, Last: now.Add(-3 * time.Second)}
	}
	front, lane := device("front-camera", gatehouse.Camera, "front-door", "ok", "none"), device("entry-camera", gatehouse.Camera, "car-park", "stalled", "none")
	front.Reads, front.FPS, front.Lag, front.Dropped = true, 4.9, 84*time.Millisecond, 12
	lane.Reads, lane.FPS, lane.Lag, lane.Dropped, lane.Reconnects = true, 0.2, 2900*time.Millisecond, 1381, 4
	gone := device("old-reader", gatehouse.Reader, "front-door", "", "revoked")
	gone.Last = time.Time{}
	s.Equipment = []console.DeviceState{lane, front, gone, device("reader-1", gatehouse.Reader, "front-door", "ok", "key"), device("tablet-1", gatehouse.Terminal, "front-door", "ok", "key")}

	papers(s, now)
	programs(s, now)
}

// programs lets two programs in, and tells one of what happens.
func programs(s *consoletest.Site, now time.Time) {
	ctx := context.Background()
	_, _, err := s.Tokens.Add(ctx, "site/3f1c9a2b7d4e5f60718293a4b5c6d7e8", tokens.New{Name: "payroll", Scopes: []gatehouse.Permission{gatehouse.SeePassages, gatehouse.SeePeople, gatehouse.SeeStatus}, At: []gatehouse.GateID{"front-door"}, For: 90 * 24 * time.Hour})
	_, shown, err2 := s.Tokens.Add(ctx, "admin-socket", tokens.New{Name: "display-3", For: 366 * 24 * time.Hour})
	_, err3 := s.Tokens.VerifyToken(ctx, shown)
	hook, err4 := s.Webhooks.Add(ctx, "site/3f1c9a2b7d4e5f60718293a4b5c6d7e8", gatehouse.Webhook{Name: "payroll", URL: "https://hooks.example.org/services/gatehouse/4711/harbour-works"})
	if err := errors.Join(err, err2, err3, err4, s.Webhooks.SetPaused(ctx, "test", "payroll", true)); err != nil {
		panic(err)
	}
	for i, d := range []gatehouse.Delivery{{State: gatehouse.DeliveryWaits, Kind: gatehouse.TestHook}, {State: gatehouse.DeliveryDone, Answer: 204, Attempts: 1}, {State: gatehouse.DeliveryFailed, Answer: 503, Attempts: 9, Code: "webhook.refused"}, {State: gatehouse.DeliveryWaits, Attempts: 3, Code: "webhook.unreachable"}} {
		at := now.Add(time.Duration(-i) * time.Hour)
		d.ID, d.Webhook, d.At, d.Next = gatehouse.NewID(at), hook.ID, at, now.Add(time.Minute)
		if d.Kind == "" {
			d.Kind, d.Passage = gatehouse.PassageHook, gatehouse.NewID(at)
		}
		if d.Attempts > 0 {
			d.Tried = at.Add(time.Second)
		}
		_ = s.Deliveries.AddDeliveries(ctx, consoletest.Place, 0, []gatehouse.Delivery{d})
	}
}

// papers are those of the privacy officer; the first request and erasure are the newest.
func papers(s *consoletest.Site, now time.Time) {
	people := s.Working.FindBadges("", 6)
	p := &s.Papers
	p.People = 81_204
	for i, one := range people {
		c := console.ConsentState{Consent: gatehouse.Consent{Place: consoletest.Place, Subject: one.Subject, Purpose: gatehouse.FaceAtDoors, Given: now.AddDate(0, -i, -3), How: "terminal"}, Label: one.Label}
		switch i {
		case 1:
			c.Withdrawn = now.AddDate(0, 0, -2)
		case 2:
			c.ValidUntil, c.Lapsing = now.AddDate(0, 0, 11), true
		}
		p.Consents = append(p.Consents, c)
	}
	for i, kind := range []gatehouse.RequestKind{gatehouse.AccessRequest, gatehouse.ErasureRequest, gatehouse.CorrectionRequest, gatehouse.ExportRequest} {
		opened := now.AddDate(0, 0, -12*i-1)
		r := console.RequestState{Request: gatehouse.Request{Place: consoletest.Place, ID: gatehouse.NewID(opened), Kind: kind, Subject: people[i].Subject, Opened: opened,
			Due: privacy.Answer(opened, time.UTC), Note: []byte("by letter")}, Label: people[i].Label}
		if i == 2 {
			r.Done, r.Outcome, r.Answer = now.AddDate(0, 0, -3), gatehouse.RequestGranted, []byte("the name was put right")
		}
		p.Requests = append(p.Requests, r)
	}
	hold := gatehouse.Hold{Place: consoletest.Place, ID: gatehouse.NewID(now), Subject: people[3].Subject, Operator: "site/3f1c9a2b7d4e5f60718293a4b5c6d7e8", Made: now.AddDate(0, -1, 0), Until: now.AddDate(0, 5, 0), Items: 214}
	day := hold
	day.ID, day.Subject, day.Day, day.Items = gatehouse.NewID(now), gatehouse.SubjectID{}, now.AddDate(0, 0, -9).Format(time.DateOnly), 0
	p.Holds = []console.HoldState{{Hold: hold, Label: people[3].Label}, {Hold: day}}
	asked := gatehouse.Release{Request: gatehouse.ReleaseRequest{ID: gatehouse.NewID(now), At: now.Add(-time.Hour), Operator: "anna", Purpose: "authority"}, Count: 310, Expires: now.AddDate(0, 0, 7)}
	approved := asked
	approved.Request.ID, approved.Approver, approved.Approved, approved.Count = gatehouse.NewID(now), "bert", now, 12
	p.Releases = []gatehouse.Release{asked, approved}
	for i := range 3 {
		at := now.AddDate(0, 0, -9*i)
		p.Erasures = append(p.Erasures, console.ErasureState{ID: gatehouse.NewID(at), At: at, Chains: 3 + i, Passages: 120 * i, FinalAt: at.AddDate(0, 0, 33), Entry: int64(91_000 - 700*i)})
	}
}

// officePages are the pages of who looks after privacy, the log and the machine.
func officePages(s *consoletest.Site) map[string]string {
	return map[string]string{"budgets": "/privacy/budgets", "canaries": "/privacy/canaries", "releaseplan": "/privacy/releases/new", "release": "/privacy/releases/" + s.Papers.Releases[0].Request.ID.String(), "tokens": "/tokens", "webhooks": "/webhooks", "webhook": "/webhooks/" + s.Webhooks.List()[0].ID.String(), "audit": "/audit", "settings": "/settings", "devices": "/devices", "health": "/health", "privacy": "/privacy", "consents": "/privacy/consents", "requests": "/privacy/requests", "letter": "/privacy/requests/" + s.Papers.Requests[0].ID.String() + "/letter?in=en", "request": "/privacy/requests/" + s.Papers.Requests[0].ID.String(),
		"retention": "/privacy/retention", "holds": "/privacy/holds", "releases": "/privacy/releases", "erasures": "/privacy/erasures", "erasure": "/privacy/erasures/" + s.Papers.Erasures[0].ID.String()}
}

// The charts are drawn under the pages' own policy, and drawn anew for another width.
func TestChartsOfHealth(t *testing.T) {
	s := site(t)
	ctx, said := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s), chromedp.EmulateViewport(390, 844), chromedp.Navigate("http://localhost:"+port(s)+"/health")))
	until(t, ctx, `document.querySelectorAll(".charts canvas").length === 8`)
	if wide := ask[int](t, ctx, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d px wide on a phone", wide)
	}
	if lit := ask[int](t, ctx, `(() => { const c = document.querySelector(".charts canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n })()`); lit < 500 {
		t.Errorf("%d pixels are drawn", lit)
	}
	if legend := ask[string](t, ctx, `document.querySelector(".u-legend").innerText`); !strings.Contains(legend, "granted") || !strings.Contains(legend, "denied") {
		t.Errorf("the legend says %q", legend)
	}
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1600, 900)))
	until(t, ctx, `document.querySelectorAll(".charts canvas").length === 8 && document.querySelector(".charts canvas").clientWidth > 390`)
	must(t, chromedp.Do(ctx, chromedp.Navigate("http://localhost:"+port(s)+"/health?lang=zh")))
	until(t, ctx, `document.querySelectorAll(".charts canvas").length === 8`)
	if legend := ask[string](t, ctx, `document.querySelector(".u-legend").innerText`); !strings.Contains(legend, "时间") || strings.Contains(legend, "Time") {
		t.Errorf("in Chinese the legend says %q", legend)
	}
	if all := said.all(); all != "" {
		t.Errorf("the browser complains: %s", all)
	}
}
