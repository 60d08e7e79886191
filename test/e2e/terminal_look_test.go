package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"

	"github.com/chromedp/chromedp"
)

// Somebody comes to a door where two factors are asked for and is told so, shows a card,
// and looks at everything else. Every state keeps the rules of accessibility, upright on a
// tablet and on a phone, in light and dark. With GATEHOUSE_SCREENSHOTS each is written
// there instead, in both languages.
func TestATerminalAsksForASecondFactor(t *testing.T) {
	s, base, passed := doors(t, func(c *server.Config) {
		c.Gates[1].RepeatWithin = time.Second
		c.Law.Profile, c.Terminal.Contact = "eu", "privacy@example.org"
	})
	enrolled(t, s, 0)
	ctx, c := tablet(t, walk(t, 0, 90))
	dir := os.Getenv("GATEHOUSE_SCREENSHOTS")
	if dir != "" && !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir)
	}
	// Each state is looked at on both screens; in the other language only for screenshots.
	langs := []string{"en", "zh"}
	if dir == "" {
		langs = langs[:1]
	}
	lang := ""
	look := func(name string) {
		t.Helper()
		for _, l := range []struct {
			width, height int64
			scheme        string
		}{{768, 1024, "light"}, {390, 844, "dark"}, {768, 1024, "dark"}, {390, 844, "light"}} {
			if dir == "" && (l.width == 768) == (l.scheme == "dark") {
				continue
			}
			must(t, chromedp.Do(ctx, media(l.scheme), chromedp.EmulateViewport(l.width, l.height)))
			if dir != "" {
				png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				must(t, err)
				must(t, os.MkdirAll(dir, 0o755))
				must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("terminal-%s-%s-%d-%s.png", name, lang, l.width, l.scheme)), png, 0o644))
			} else {
				for _, v := range violations(t, ctx) {
					t.Errorf("%s at %d px, %s: %s", name, l.width, l.scheme, v)
				}
			}
			if ask[bool](t, ctx, "document.documentElement.scrollWidth > innerWidth") {
				t.Errorf("%s at %d px is wider than the screen", name, l.width)
			}
		}
	}
	for _, lang = range langs {
		must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/terminal?lang="+lang)))
		if lang == "en" {
			until(t, ctx, "document.body.dataset.state === 'enrol'")
			look("enrol")
			code, err := s.Admin().DeviceCode(t.Context(), wire.DeviceAddRequest{ID: "tablet-4", Kind: gatehouse.Terminal, Gate: "side-door"})
			must(t, err)
			must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#code"), code.Code)))
			press(t, ctx, "#enrol-form button")
		}
		until(t, ctx, "document.body.dataset.state === 'stand' && document.getElementById('gate').innerText === 'Side door'")
		waitLong(t, ctx, "document.body.dataset.mode === 'awake'")
		look("guide")
		waitLong(t, ctx, "document.getElementById('guide').dataset.guide === 'second_factor'")
		look("waits")
		swipe(t, ctx, terminalCard)
		waitLong(t, ctx, "!document.getElementById('answer').hidden")
		time.Sleep(200 * time.Millisecond) // it fades in
		look("granted")
		cleared(t, ctx)
		swipe(t, ctx, "1234567890")
		waitLong(t, ctx, "!document.getElementById('answer').hidden")
		time.Sleep(200 * time.Millisecond)
		look("denied")
		cleared(t, ctx)
		pressUntil(t, ctx, "#pin-open", "document.getElementById('pad').open")
		pressUntil(t, ctx, "[data-digit='4']", "document.getElementById('pad-dots').innerText.length > 0")
		look("pin")
		pressUntil(t, ctx, "#pad [data-close]", "!document.getElementById('pad').open")
		pressUntil(t, ctx, "#notice-open", "document.getElementById('notice').open")
		look("notice")
		pressUntil(t, ctx, "#notice [data-close]", "!document.getElementById('notice').open")
		pressUntil(t, ctx, "#qr-open", "document.body.dataset.qr === 'on'")
		look("qr")
		pressUntil(t, ctx, "#qr-open", "document.body.dataset.qr === 'off'")
		// The clock comes back once nobody is there, and the camera's picture is gone.
		waitLong(t, ctx, "document.body.dataset.mode === 'idle' && document.getElementById('guide').dataset.guide === 'nobody'")
		look("idle")
	}
	quiet(t, c)
	if !passed.has("side-door face granted") {
		t.Errorf("what was decided: %v", passed.all)
	}
}
