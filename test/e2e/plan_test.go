package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A floor plan is uploaded; one gate is placed with the pointer and one with the keyboard;
// what is served was drawn anew by the vision process.
func TestGatesOnAFloorPlan(t *testing.T) {
	p := run(t)
	ctx, c := tab(t)
	visit := func(path string) { must(t, chromedp.Do(ctx, chromedp.Navigate(p.base+path))) }
	must(t, chromedp.Do(ctx, chromedp.Navigate(p.link)))
	visit("/gates?lang=en")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a[href='/plans/-']"))))
	until(t, ctx, "location.pathname == '/plans/-'")
	upload := func(script string) {
		t.Helper()
		ask[bool](t, ctx, `window.chosen = false, (async () => { const file = await (`+script+`)();
			const d = new DataTransfer(); d.items.add(file); document.querySelector("input[type=file]").files = d.files; window.chosen = true; })(), true`)
		until(t, ctx, "window.chosen")
	}
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#title"), "Ground floor"), chromedp.SendKeys(chromedp.CSS("#id"), "ground")))
	upload(`async () => new File(["<svg onload=alert(1)>"], "plan.png", {type: "image/png"})`)
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main form button.primary"))))
	until(t, ctx, "!!document.querySelector('[role=alert]') && document.getElementById('title').value == 'Ground floor'")
	upload(`async () => { const c = document.createElement("canvas"); c.width = 800; c.height = 400; const x = c.getContext("2d");
		x.fillStyle = "#fff"; x.fillRect(0, 0, 800, 400); x.strokeRect(50, 50, 700, 300);
		return new File([await new Promise(r => c.toBlob(r, "image/png"))], "plan.png", {type: "image/png"}); }`)
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main form button.primary"))))
	until(t, ctx, "location.pathname == '/plans/ground' && !!document.querySelector('#plan image')")
	kind := "fetch('/plans/ground/picture').then(async r => { window.kind = r.headers.get('Content-Type') + ' ' + new Uint8Array(await r.arrayBuffer())[0].toString(16) }), true"
	ask[bool](t, ctx, kind)
	until(t, ctx, "!!window.kind")
	if got := ask[string](t, ctx, "window.kind"); got != "image/jpeg ff" {
		t.Errorf("a PNG that was uploaded is served as %q", got)
	}
	// The pointer: the middle of the picture is half of both.
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("input[name=chosen][value=front-door]")), chromedp.Click(chromedp.CSS("#plan"))))
	at := func(gate string) string {
		return ask[string](t, ctx, "['x-', 'y-'].map(a => document.querySelector('input[name=\"' + a + '"+gate+"\"]').value).join(' ')")
	}
	if got := at("front-door"); !strings.HasPrefix(got, "50") && !strings.HasPrefix(got, "49.9") {
		t.Errorf("a click into the middle is %q", got)
	}
	// The keyboard: numbers, and the mark follows.
	must(t, chromedp.Do(ctx, chromedp.Focus(chromedp.CSS("input[name='x-back-door']")), chromedp.KeyEvent("25"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("80"), chromedp.KeyEvent(kb.ArrowUp)))
	if got := ask[string](t, ctx, "document.querySelector('g[data-gate=back-door]').getAttribute('transform')"); at("back-door") != "25 80.1" || got != "translate(250 400.5)" {
		t.Errorf("typed: %q at %q", at("back-door"), got)
	}
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	must(t, chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter)))
	until(t, ctx, "location.pathname == '/gates' && document.querySelectorAll('.floor a').length == 2")
	if label := ask[string](t, ctx, "document.querySelector(\".floor a[href='/gates/back-door']\").getAttribute('aria-label')"); !strings.HasPrefix(label, "Back door: ") {
		t.Errorf("the mark is called %q", label)
	}
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	if all := c.all(); strings.Count(all, "422") != strings.Count(all, "error") {
		t.Errorf("the browser complained:\n%s", all)
	}
}
