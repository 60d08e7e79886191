package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A search with a reason, with a mouse and with the keyboard alone, again and again until
// the budget is spent. Nothing of it is in an address.
func TestSearchUntilTheBudgetIsSpent(t *testing.T) {
	byHand(t, func(t *testing.T, open func() (hand, *complaints)) {
		s := site(t)
		morning(s)
		s.Unseal()
		h, c := open()
		must(t, chromedp.Do(h.ctx, enter(t, s)))
		h.visit(at(s, "/?lang=en"))
		h.press("nav a[href='/search']")
		h.there("location.pathname == '/search'")
		h.write("[name=name]", "Mei")
		h.write("[name=reason]", "a lost badge")
		h.press("form.fields button.primary")
		h.there("document.querySelectorAll('.list tbody tr').length > 0")
		if text := h.says(); !strings.Contains(text, "Mei Lin") || !strings.Contains(text, "What you may still open") {
			t.Errorf("the answer is\n%s", text)
		}
		if address := ask[string](t, h.ctx, "location.href"); strings.Contains(address, "Mei") || strings.Contains(address, "badge") {
			t.Errorf("the address says %s", address)
		}
		for _, v := range violations(t, h.ctx) {
			t.Error(v)
		}
		for range 80 { // the same question again, which costs as much each time
			ask[bool](t, h.ctx, "window.gone = true, document.querySelector('form.fields').requestSubmit(), true")
			h.there("!window.gone")
			if ask[bool](t, h.ctx, "!!document.querySelector('.problem')") {
				break
			}
		}
		if text := ask[string](t, h.ctx, "document.querySelector('.problem').innerText"); !strings.Contains(text, "budget") {
			t.Errorf("in the end it says %q", text)
		}
		if all := c.all(); strings.Count(all, "429") != strings.Count(all, "error") {
			t.Errorf("the browser complained:\n%s", all)
		}
	})
}
