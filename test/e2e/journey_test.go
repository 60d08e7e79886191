package e2e

import (
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
)

const passphrase = "correct horse battery staple"

// From the link that a first start prints to the first gate that opens: who sets the site
// up, a passkey, the vault, somebody who is enrolled with their consent, and their card.
func TestFromTheFirstStartToTheFirstOpenedGate(t *testing.T) {
	byHand(t, func(t *testing.T, open func() (hand, *complaints)) {
		p := start(t, false)
		h, c := open()
		authenticator(t, h.ctx)
		h.visit(p.link)
		h.there("location.pathname == '/set-up'")
		h.write("#login", "mei-lin")
		h.press("[name=manager]")
		h.press("button.primary")
		h.there("location.pathname == '/account' && !document.querySelector('[data-make] button').disabled")
		h.write("#label", "blue key")
		h.press("[data-make] button")
		h.there("location.search == '?welcome' && document.body.innerText.includes('blue key')")

		h.press("a.brand")
		h.there("location.pathname == '/' && document.getElementById('pulse').classList.contains('is-on')")
		if text := h.says(); !strings.Contains(text, "Nobody has passed yet") && !strings.Contains(text, "Vault sealed") {
			t.Errorf("a first day begins with\n%s", text)
		}
		h.press("#vault summary")
		h.write("#vault [name=passphrase]", passphrase)
		h.press("#vault details button")
		h.there("document.getElementById('vault').classList.contains('is-open')")

		h.press("nav a[href='/people']")
		h.there("location.pathname == '/people'")
		h.press("a[href='/people/new']")
		h.there("location.pathname == '/people/new'")
		h.write("#label", "Staff 7")
		h.write("#name", "Amara Okafor")
		h.press(".acts .primary")
		h.there("location.pathname.endsWith('/consent')")
		for _, box := range []string{"[name=doors]", "[name=notice][value=en]", "[name=how][value=terminal]"} {
			h.press(box)
		}
		h.press(".acts .primary")
		h.there("location.pathname.endsWith('/photos')")
		h.press("a.primary")
		h.there("location.pathname.endsWith('/cards')")
		h.write("#card", "4711")
		h.press(".acts .primary")
		h.there("location.pathname.endsWith('/access')")
		h.press("[name=gate][value=front-door]")
		h.press(".acts .primary")
		h.there("location.pathname.endsWith('/review')")
		h.press(".acts button.primary")
		h.there("/^\\/people\\/[0-9a-f]{32}$/.test(location.pathname)")

		h.press("a.brand")
		h.there("location.pathname == '/' && document.getElementById('pulse').classList.contains('is-on')")
		if got := p.show(t, "4711"); !got.Decision.Grant {
			t.Fatalf("the card does not open the door: %+v", got.Decision)
		}
		h.there("(r => r && r.innerText.includes('Amara Okafor') && r.innerText.includes('Granted') && r.innerText.includes('Front door'))(document.querySelector('#rows .row'))")
		for _, v := range violations(t, h.ctx) {
			t.Error(v)
		}
		quiet(t, c)
	})
}

// A guard's shift: invited, signed in with a passkey, one gate to watch; a stranger comes,
// is looked at and let in with a reason, and the shift ends.
func TestAGuardsShiftWithAStranger(t *testing.T) {
	byHand(t, func(t *testing.T, open func() (hand, *complaints)) {
		p := start(t, false)
		added, err := p.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: "eye", Kind: gatehouse.Camera, Gate: "front-door"})
		must(t, err)
		camera := client.AsDevice(p.base, added.Token)

		boss, _ := open()
		authenticator(t, boss.ctx)
		boss.visit(p.link)
		boss.there("location.pathname == '/set-up'")
		boss.write("#login", "mei-lin")
		boss.press("button.primary")
		boss.there("location.pathname == '/account' && !document.querySelector('[data-make] button').disabled")
		boss.press("[data-make] button")
		boss.there("location.search == '?welcome'")
		boss.press("nav a[href='/accounts']")
		boss.there("location.pathname == '/accounts'")
		boss.write("#login", "guard-7")
		boss.press("input[name=role][value=guard]")
		boss.press("input[name=gates-guard][value=front-door]")
		boss.press("#h-add ~ form button")
		boss.there("document.querySelector('.invite .command') !== null")

		h, c := open()
		authenticator(t, h.ctx)
		h.visit(ask[string](t, boss.ctx, "document.querySelector('.invite .command').textContent"))
		h.there("location.pathname == '/account' && !document.querySelector('[data-make] button').disabled")
		h.press("[data-make] button")
		h.there("location.search == '?welcome'")
		h.press("a.brand")
		h.there("location.pathname == '/' && document.getElementById('pulse').classList.contains('is-on')")
		if text := h.says(); strings.Contains(text, "Back door") || strings.Contains(text, "Accounts") || strings.Contains(text, "People") {
			t.Errorf("the guard of one door sees\n%s", text)
		}

		for _, frame := range walk(t, 11, 8) {
			if _, err := camera.PostFrame(t.Context(), "eye", "image/jpeg", frame); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-p.passages; got.Decision.Grant || got.Decision.Reason != gatehouse.Unknown || got.Known {
			t.Fatalf("a stranger: %+v", got)
		}
		h.there("(r => r && r.innerText.includes('Denied') && r.querySelector('img') !== null)(document.querySelector('#rows .row'))")
		h.press("#rows .row a")
		h.there("location.pathname.startsWith('/passages/') && document.querySelectorAll('.film img').length > 0 && document.querySelector('.film img').naturalWidth > 0")
		if text := h.says(); !strings.Contains(text, "Denied") {
			t.Errorf("the passage says\n%s", text)
		}

		h.press("nav a[href='/gates']")
		h.there("location.pathname == '/gates'")
		h.press("a[href='/gates/front-door']")
		h.there("location.pathname == '/gates/front-door'")
		h.write("#reason", "a courier, shown the delivery note")
		h.press("form[action$='/open'] button")
		h.there("document.querySelector('.done') !== null")
		got := <-p.passages
		for got.Kind == gatehouse.FaceReading { // the stranger looked again
			got = <-p.passages
		}
		if !got.Decision.Grant || got.Kind != gatehouse.RemoteReading || got.Gate != "front-door" {
			t.Errorf("opened: %+v", got)
		}
		if address := ask[string](t, h.ctx, "location.href"); strings.Contains(address, "courier") {
			t.Errorf("the address says %s", address)
		}
		h.press("a.brand")
		h.there("location.pathname == '/' && document.querySelectorAll('#rows .row').length >= 2")
		quiet(t, c)
		h.press("form[action='/leave'] button")
		h.there("document.body.innerText.includes('You are signed out')")
		if all := c.all(); strings.Contains(all, "exception") {
			t.Errorf("the browser complained:\n%s", all)
		}
	})
}
