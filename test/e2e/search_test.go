package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A search with a reason, with the keyboard alone, again and again until the budget is
// spent. Nothing of it is in an address.
func TestSearchUntilTheBudgetIsSpent(t *testing.T) {
	s := site(t)
	morning(s)
	s.Unseal()
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s)))
	must(t, chromedp.Do(ctx, chromedp.Navigate("http://localhost:"+port(s)+"/search?lang=en")))
	fill := func(name, text string) {
		t.Helper()
		for range 60 {
			if ask[string](t, ctx, "document.activeElement.name || ''") == name {
				must(t, chromedp.Do(ctx, chromedp.KeyEvent(text)))
				return
			}
			must(t, chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)))
		}
		t.Fatalf("the keyboard does not reach %s", name)
	}
	fill("name", "Mei")
	fill("reason", "a lost badge")
	must(t, chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter)))
	until(t, ctx, "document.readyState == 'complete' && document.querySelectorAll('.list tbody tr').length > 0")
	if text := ask[string](t, ctx, "document.body.innerText"); !strings.Contains(text, "Mei Lin") || !strings.Contains(text, "What you may still open") {
		t.Errorf("the answer is\n%s", text)
	}
	if address := ask[string](t, ctx, "location.href"); strings.Contains(address, "Mei") || strings.Contains(address, "badge") {
		t.Errorf("the address says %s", address)
	}
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	for range 80 {
		ask[bool](t, ctx, "window.gone = true, document.querySelector('form.fields').requestSubmit(), true")
		until(t, ctx, "document.readyState == 'complete' && !window.gone")
		if ask[bool](t, ctx, "!!document.querySelector('.problem')") {
			break
		}
	}
	if text := ask[string](t, ctx, "document.querySelector('.problem').innerText"); !strings.Contains(text, "budget") {
		t.Errorf("in the end it says %q", text)
	}
	if all := c.all(); strings.Count(all, "429") != strings.Count(all, "error") {
		t.Errorf("the browser complained:\n%s", all)
	}
}
