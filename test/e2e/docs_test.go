package e2e

import (
	"strings"
	"testing"

	"gatehouse/api"
	"gatehouse/auth"
	"gatehouse/console/consoletest"

	"github.com/chromedp/chromedp"
)

// The API's page can be read by everybody, on a phone too, and asks no other host.
func TestThePageOfTheAPI(t *testing.T) {
	s := consoletest.New(nil, nil, func(*consoletest.Site) []auth.Route {
		var docs []auth.Route
		for _, r := range api.New(api.Options{}).Routes() {
			if strings.Contains(r.Pattern, "/api/v1/docs") || strings.HasSuffix(r.Pattern, "/openapi.json") {
				docs = append(docs, r)
			}
		}
		return docs
	})
	t.Cleanup(s.Close)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, chromedp.Navigate("http://localhost:"+port(s)+"/api/v1/docs")))
	until(t, ctx, "document.querySelectorAll('article').length > 40")
	for _, found := range violations(t, ctx) {
		t.Error(found)
	}
	for _, width := range []int{390, 1024} {
		must(t, chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), 800)))
		if wide := ask[int](t, ctx, "document.documentElement.scrollWidth"); wide > width {
			t.Errorf("the page is %d wide at %d", wide, width)
		}
	}
	if hosts := ask[string](t, ctx, "[...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).host))].join()"); hosts != ask[string](t, ctx, "location.host") {
		t.Errorf("it asks %s", hosts)
	}
	quiet(t, c)
}
