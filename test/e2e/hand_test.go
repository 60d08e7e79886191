package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hand works a page: with a mouse, or with the keyboard alone.
type hand struct {
	t    *testing.T
	ctx  context.Context
	keys bool
}

// byHand runs a journey once with a mouse and once with the keyboard alone.
func byHand(t *testing.T, journey func(t *testing.T, open func() (hand, *complaints))) {
	for _, name := range []string{"mouse", "keyboard"} {
		t.Run(name, func(t *testing.T) {
			journey(t, func() (hand, *complaints) {
				ctx, c := tab(t)
				must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)))
				return hand{t, ctx, name == "keyboard"}, c
			})
		})
	}
}

// visit types an address, which both do with the keyboard.
func (h hand) visit(address string) {
	h.t.Helper()
	must(h.t, chromedp.Do(h.ctx, chromedp.Navigate(address)))
}

// there waits for a page that is complete.
func (h hand) there(expr string) {
	h.t.Helper()
	until(h.t, h.ctx, "document.readyState == 'complete' && ("+expr+")")
}

func (h hand) says() string { return ask[string](h.t, h.ctx, "document.body.innerText") }

func (h hand) key(keys string) {
	h.t.Helper()
	must(h.t, chromedp.Do(h.ctx, chromedp.KeyEvent(keys)))
}

// reach tabs until the focus is on the first that the selector names, or on another radio
// button of its group, from which the arrows lead to it.
func (h hand) reach(css string) {
	h.t.Helper()
	const group = "e => e.type == 'radio' ? e.name : ''"
	for range 120 {
		if ask[bool](h.t, h.ctx, "document.activeElement === document.querySelector("+quoted(css)+")") {
			return
		}
		if ask[bool](h.t, h.ctx, "(g => g(document.activeElement) != '' && g(document.activeElement) == g(document.querySelector("+quoted(css)+")))("+group+")") {
			h.key(kb.ArrowDown)
		} else {
			h.key(kb.Tab)
		}
	}
	h.t.Fatalf("the keyboard does not reach %s on\n%s", css, h.says())
}

// press follows a link, presses a button, opens a summary or ticks a box.
func (h hand) press(css string) {
	h.t.Helper()
	until(h.t, h.ctx, "document.querySelector("+quoted(css)+") !== null")
	if !h.keys {
		must(h.t, chromedp.Do(h.ctx, chromedp.Click(chromedp.CSS(css))))
		return
	}
	h.reach(css)
	if !ask[bool](h.t, h.ctx, "document.activeElement.type == 'radio' || document.activeElement.matches(':focus-visible')") {
		h.t.Errorf("the focus on %s is not seen", css)
	}
	switch ask[string](h.t, h.ctx, "document.activeElement.type || ''") {
	case "checkbox", "radio":
		h.key(" ")
	default:
		h.key(kb.Enter)
	}
}

// write writes into a field, in the place of what it holds.
func (h hand) write(css, text string) {
	h.t.Helper()
	until(h.t, h.ctx, "document.querySelector("+quoted(css)+") !== null")
	if !h.keys {
		must(h.t, chromedp.Do(h.ctx, chromedp.Click(chromedp.CSS(css))))
	} else {
		h.reach(css)
	}
	if ask[bool](h.t, h.ctx, "document.activeElement.value != ''") {
		h.key(strings.Repeat(kb.Backspace, ask[int](h.t, h.ctx, "document.activeElement.value.length")))
	}
	h.key(text)
}
