package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// picture writes the page as it stands, whole, at three widths, light and dark, into the
// folder that GATEHOUSE_SCREENSHOTS names. Without one it does nothing.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_SCREENSHOTS")
	if dir == "" {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir)
	}
	must(t, os.MkdirAll(dir, 0o755))
	for _, width := range []int64{390, 1024, 1600} {
		for _, scheme := range []string{"light", "dark"} {
			must(t, chromedp.Do(ctx, media(scheme), chromedp.EmulateViewport(width, 1000), chromedp.Sleep(250*time.Millisecond)))
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644))
		}
	}
	must(t, chromedp.Do(ctx, media("light"), chromedp.EmulateViewport(1024, 900)))
}

// pictures are those of an address, in both languages.
func pictures(t *testing.T, ctx context.Context, base, name, path string) {
	t.Helper()
	if os.Getenv("GATEHOUSE_SCREENSHOTS") == "" {
		return
	}
	for _, lang := range []string{"zh", "en"} {
		must(t, chromedp.Do(ctx, chromedp.Navigate(base+inLanguage(path, lang))))
		until(t, ctx, "document.readyState === 'complete'")
		picture(t, ctx, name+"-"+lang)
	}
}

// answered brings the browser to the pages that only a form leads to, and calls each with
// their names. The site is unsealed, and its office is filled.
func answered(t *testing.T, ctx context.Context, base, lang string, each func(name string)) {
	t.Helper()
	send := func(path, form, fields string) {
		t.Helper()
		must(t, chromedp.Do(ctx, chromedp.Navigate(base+inLanguage(path, lang))))
		until(t, ctx, "document.readyState === 'complete'")
		ask[bool](t, ctx, "((f, v) => { for (const n in v) f.querySelector('[name=' + n + ']').value = v[n]; setTimeout(() => f.requestSubmit(), 0); return true })(document.querySelector("+quoted(form)+"), "+fields+")")
	}
	send("/devices", "form[action='/devices/code']", `{id: "tablet-9"}`)
	until(t, ctx, "location.pathname === '/devices/code' && document.readyState === 'complete'")
	each("devicecode")
	send("/privacy/requests", "form[action='/privacy/held']", `{subject: "Staff 105", reason: "asked at the desk"}`)
	until(t, ctx, "location.pathname === '/privacy/held' && document.readyState === 'complete'")
	each("held")
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/people")))
	path := ask[string](t, ctx, "[...document.querySelectorAll('tbody th a')].find(a => a.innerText.startsWith('Staff')).pathname")
	send(path, "form[action$='/record']", `{reason: "a letter to post"}`)
	until(t, ctx, "location.pathname.endsWith('/record') && document.readyState === 'complete'")
	each("record")
}

// Every page of the console is in `make screenshots`: under its template's name, or another.
func TestEveryPageIsPictured(t *testing.T) {
	other := map[string]string{"enrol": "people-new", "import": "import", "message": "missing", "certificate": "erasure", "erasure": "erasing", "books": "books", "arrived": "" /* leads on at once */}
	sources, err := filepath.Glob("*_test.go")
	must(t, err)
	var all strings.Builder
	for _, file := range sources {
		b, err := os.ReadFile(file)
		must(t, err)
		all.Write(b)
	}
	templates, err := filepath.Glob("../../console/templates/*.html")
	must(t, err)
	pages := 0
	for _, file := range templates {
		b, err := os.ReadFile(file)
		must(t, err)
		name := strings.TrimSuffix(filepath.Base(file), ".html")
		if !strings.Contains(string(b), `{{define "main"}}`) {
			continue
		}
		pages++
		if is, ok := other[name]; ok {
			name = is
		}
		if name != "" && !regexp.MustCompile(`"`+name+`(-(en|zh))?"`).MatchString(all.String()) {
			t.Errorf("%s has no picture", filepath.Base(file))
		}
	}
	if pages < 60 {
		t.Errorf("%d pages only", pages)
	}
}
