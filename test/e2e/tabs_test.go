package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"

	"github.com/chromedp/chromedp"
)

// another opens one more tab in the window of a tab.
func another(t *testing.T, ctx context.Context) context.Context {
	t.Helper()
	tab, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	must(t, chromedp.Do(tab))
	return tab
}

// leave signs out from the page, and returns when the server has answered.
func leave(t *testing.T, ctx context.Context) {
	t.Helper()
	ask[bool](t, ctx, "(fetch('/leave', {method: 'POST'}).then(() => { window.left = true }), true)")
	until(t, ctx, "window.left === true")
}

// The tabs of a browser share one stream: what happens is on each of them, whichever has
// the stream; when that one is closed the next has it, and nothing is missed; and all of
// them end with the session.
func TestTabsShareOneStream(t *testing.T) {
	s := site(t)
	var open atomic.Int32
	inner := s.Server.Config.Handler
	s.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live/events" {
			open.Add(1)
			defer open.Add(-1)
		}
		inner.ServeHTTP(w, r)
	})
	first, c := tab(t)
	must(t, chromedp.Do(first, enter(t, s)))
	address := ask[string](t, first, "location.origin + '/'")
	tabs := []context.Context{first}
	for range 2 {
		one := another(t, first)
		must(t, chromedp.Do(one, chromedp.Navigate(address)))
		tabs = append(tabs, one)
	}
	on := "document.getElementById('pulse').classList.contains('is-on')"
	for _, one := range tabs {
		until(t, one, on)
	}
	await := func(want int32, why string) {
		t.Helper()
		for range 1200 {
			if open.Load() == want {
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
		t.Fatalf("%s: %d streams are open", why, open.Load())
	}
	await(1, "three tabs")
	arrive := func() gatehouse.Passage {
		return s.Arrive(passage(gatehouse.FaceReading, "front-door", gatehouse.RandomID(), gatehouse.Granted), gatehouse.Detail{}, portrait(0))
	}
	shows := func(p gatehouse.Passage) string { return "!!document.getElementById('p-" + p.ID.String() + "')" }
	p := arrive()
	for _, one := range tabs {
		until(t, one, shows(p))
	}
	// A page that was read before it joins is told what came in between.
	s.Finish(p.ID, gatehouse.Passed)
	for _, one := range tabs {
		until(t, one, "document.querySelector('.row .outcome').textContent == 'Passed'")
	}

	// The tab that was there first has the stream. It goes while passages go on.
	before := arrive()
	must(t, chromedp.Do(first, chromedp.Navigate("about:blank")))
	after := arrive()
	for _, one := range tabs[1:] {
		until(t, one, shows(before))
		until(t, one, shows(after))
	}
	await(1, "after the tab with the stream was left")
	if all := c.all(); strings.Contains(all, "Content Security Policy") || strings.Contains(all, "exception") {
		t.Errorf("the console says %s", all)
	}
	// Signing out in one ends both.
	last, joined := tabs[1], tabs[2]
	leave(t, last)
	arrive()
	for _, one := range []context.Context{last, joined} {
		until(t, one, "document.getElementById('pulse').classList.contains('is-ended')")
	}
	await(0, "after the session ended")
}

// During a rush pictures are asked for where a row is in sight, and for no other.
func TestPicturesAreForRowsInSight(t *testing.T) {
	s := site(t)
	ctx, _ := tab(t)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), enter(t, s)))
	until(t, ctx, "document.getElementById('pulse').classList.contains('is-on')")
	for range 35 {
		s.Arrive(passage(gatehouse.FaceReading, "front-door", gatehouse.RandomID(), gatehouse.Granted), gatehouse.Detail{}, portrait(0))
	}
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 35")
	until(t, ctx, "document.querySelector('#rows .row img').naturalWidth > 0")
	time.Sleep(500 * time.Millisecond)
	asked := ask[int](t, ctx, "document.querySelectorAll('#rows img[src]').length")
	sight := ask[int](t, ctx, "[...document.querySelectorAll('#rows .row')].filter(r => r.getBoundingClientRect().top < innerHeight).length")
	if asked > sight+1 || asked == 0 || sight >= 35 {
		t.Errorf("%d pictures for %d rows in sight", asked, sight)
	}
	ask[bool](t, ctx, "(document.querySelector('#rows .row:last-child').scrollIntoView(), true)")
	until(t, ctx, "document.querySelector('#rows .row:last-child img').naturalWidth > 0")
}
