package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/console"
	"gatehouse/console/consoletest"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// authenticator gives the tab a security key of its own, which knows its owner's finger.
func authenticator(t *testing.T, ctx context.Context) webauthn.AuthenticatorID {
	t.Helper()
	if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: "internal", HasResidentKey: true, HasUserVerification: true, HasPrf: true,
		AutomaticPresenceSimulation: true, IsUserVerified: true}})
	if err != nil {
		t.Fatal(err)
	}
	return got.AuthenticatorID
}

func at(s *consoletest.Site, path string) string { return "http://localhost:" + port(s) + path }

// From the set-up link to a second person's first day, by the keyboard where a form is.
func TestTheFirstAdministratorAndTheFirstGuard(t *testing.T) {
	s := site(t)
	s.Arrive(passage(gatehouse.CardReading, "front-door", gatehouse.SubjectID{}, gatehouse.WrongCredential), gatehouse.Detail{})
	s.Arrive(passage(gatehouse.PlateReading, "car-park", gatehouse.SubjectID{}, gatehouse.Unknown), gatehouse.Detail{})
	ctx, c := tab(t)
	authenticator(t, ctx)
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.Auth.MintSetUp())))
	until(t, ctx, "location.pathname == '/set-up'")
	for _, v := range violations(t, ctx) {
		t.Errorf("the set-up: %s", v)
	}
	pictures(t, ctx, ask[string](t, ctx, "location.origin"), "setup", "/set-up")
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#login"), "admin-1"+kb.Enter)))
	until(t, ctx, "location.pathname == '/account' && document.body.innerText.includes('Add a passkey now')")
	if s.Accounts.Ready() {
		t.Fatal("somebody counts as able to sign in who has no passkey")
	}
	// Until there is a passkey the account reaches nothing else.
	must(t, chromedp.Do(ctx, chromedp.Navigate(at(s, "/accounts"))))
	until(t, ctx, "location.pathname == '/account'")
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#label"), "blue key"+kb.Tab+" ")))
	until(t, ctx, "location.search == '?welcome' && document.body.innerText.includes('blue key')")
	if !s.Accounts.Ready() {
		t.Fatal("the site is not set up")
	}
	// An administrator's first page is none that shows anybody.
	must(t, chromedp.Do(ctx, chromedp.Navigate(at(s, "/"))))
	until(t, ctx, "location.pathname == '/accounts'")
	if nav := ask[string](t, ctx, "document.querySelector('nav').innerText"); strings.Contains(nav, "Live") || strings.Contains(nav, "People") {
		t.Errorf("an administrator is offered %q", nav)
	}
	// A guard for the front door.
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#login"), "guard-7"+kb.Tab+"Mei Lin"),
		chromedp.Click(chromedp.CSS("input[name=role][value=guard]")), chromedp.Click(chromedp.CSS("input[name=gates-guard][value=front-door]")),
		chromedp.Click(chromedp.CSS("#h-add ~ form button"))))
	until(t, ctx, "document.querySelector('.invite .command') != null")
	invitation := ask[string](t, ctx, "document.querySelector('.invite .command').textContent")
	quiet(t, c)

	other, oc := tab(t)
	authenticator(t, other)
	must(t, chromedp.Do(other, chromedp.Navigate(invitation)))
	until(t, other, "location.pathname == '/account'")
	must(t, chromedp.Do(other, chromedp.Click(chromedp.CSS("[data-make] button"))))
	until(t, other, "location.search == '?welcome'")
	must(t, chromedp.Do(other, chromedp.Navigate(at(s, "/"))))
	until(t, other, "document.querySelectorAll('#rows .row').length == 1 && document.querySelectorAll('.gate').length == 1")
	if body := ask[string](t, other, "document.body.innerText"); strings.Contains(body, "Car park") || strings.Contains(body, "Accounts") || !strings.Contains(body, "Front door") {
		t.Errorf("a guard of the front door sees:\n%s", body)
	}
	if n := ask[string](t, other, "document.querySelector('#counts dd').textContent"); n != "1" {
		t.Errorf("the guard's gate had one passage, and the page counts %s", n)
	}
	// Signed out, and in again with the passkey alone: no name is typed.
	must(t, chromedp.Do(other, chromedp.Click(chromedp.CSS("form[action='/leave'] button"))))
	until(t, other, "document.body.innerText.includes('You are signed out')")
	must(t, chromedp.Do(other, chromedp.Navigate(at(s, "/passages"))))
	until(t, other, "document.querySelector('[data-begin] button:not(:disabled)') != null")
	must(t, chromedp.Do(other, chromedp.Click(chromedp.CSS("[data-begin] button"))))
	until(t, other, "location.pathname == '/passages' && document.querySelectorAll('#rows .row').length == 1")
	// The page stands behind a 401, which the console of the browser mentions.
	for _, line := range strings.Split(oc.all(), "\n") {
		if line != "" && !strings.Contains(line, "401") {
			t.Errorf("the browser complained: %s", line)
		}
	}
	// Other roles end the session at once.
	guard, _ := s.Accounts.ByLogin("guard-7")
	must(t, s.Accounts.SetRoles(t.Context(), "test", guard.ID, []gatehouse.Assignment{{Role: gatehouse.Auditor}}))
	must(t, chromedp.Do(other, chromedp.Navigate(at(s, "/passages"))))
	until(t, other, "document.querySelector('h1').textContent == 'Sign in'")
	if got := s.Leaves.Of(gatehouse.SignInLeafKind); !slices.Equal(got, []string{"set-up", "invite", "passkey", "invite", "passkey", "passkey"}) {
		t.Errorf("the audit log has the sign-ins %v", got)
	}
	if got := s.Leaves.Of(gatehouse.AccountLeafKind); !slices.Equal(got, []string{"added", "passkey-added", "added", "redeemed", "passkey-added", "roles"}) {
		t.Errorf("the audit log has the changes %v", got)
	}
}

// An answer that was used, one for another browser, one without the finger, and one with
// a false signature sign nobody in.
func TestPasskeysThatAreNone(t *testing.T) {
	s := site(t)
	ctx, _ := tab(t)
	key := authenticator(t, ctx)
	a, token, err := s.Accounts.Add(t.Context(), "test", newAccount("manager-1", gatehouse.SiteManager))
	must(t, err)
	must(t, chromedp.Do(ctx, chromedp.Navigate(auth.InviteURL(at(s, ""), token))))
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("[data-make] button"))))
	until(t, ctx, "location.search == '?welcome'")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form[action='/leave'] button"))))
	until(t, ctx, "document.body.innerText.includes('You are signed out')")
	must(t, chromedp.Do(ctx, chromedp.Navigate(at(s, "/signin"))))
	until(t, ctx, "document.querySelector('[data-begin] button:not(:disabled)') != null")
	// What the page would post is kept, and posted by hand. It asks for the PRF besides.
	ask[bool](t, ctx, `(window.attempt = async (times) => {
		const begun = await (await fetch('/signin/passkey/begin', {method: 'POST'})).json();
		begun.extensions = {prf: {eval: {first: new Uint8Array(32).buffer}}};
		const options = PublicKeyCredential.parseRequestOptionsFromJSON({...begun, extensions: undefined});
		options.extensions = begun.extensions;
		const made = await navigator.credentials.get({publicKey: options});
		window.body = JSON.stringify(made.toJSON());
		window.codes = [];
		for (let i = 0; i < times; i++) window.codes.push((await fetch('/signin/passkey/finish', {method: 'POST', body: window.body})).status);
		window.done = true;
	}, true)`)
	try := func(times int) string {
		t.Helper()
		ask[bool](t, ctx, fmt.Sprintf("(window.done = false, window.attempt(%d).catch(e => { window.codes = [e.name]; window.done = true; }), true)", times))
		until(t, ctx, "window.done")
		return ask[string](t, ctx, "window.codes.join(' ')")
	}
	if got := try(2); got != "200 403" {
		t.Errorf("an answer that was used before: %s", got)
	}
	if n := len(s.Auth.Sessions(a.ID)); n != 1 {
		t.Errorf("%d sessions", n)
	}
	// The challenge is another browser's.
	stolen := ask[string](t, ctx, "window.body")
	other, _ := tab(t)
	must(t, chromedp.Do(other, chromedp.Navigate(at(s, "/signin"))))
	ask[bool](t, other, "(fetch('/signin/passkey/begin', {method: 'POST'}).then(() => fetch('/signin/passkey/finish', {method: 'POST', body: "+fmt.Sprintf("%q", stolen)+"})).then(r => { window.code = r.status; }), true)")
	until(t, other, "window.code > 0")
	if got := ask[int](t, other, "window.code"); got != 403 {
		t.Errorf("another browser's answer: %d", got)
	}
	yes := true
	_, err = chromedp.Call(ctx, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: key, IsBogusSignature: &yes})
	must(t, err)
	if got := try(1); got != "403" {
		t.Errorf("a false signature: %s", got)
	}
	_, err = chromedp.Call(ctx, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: key, IsBadUV: &yes})
	must(t, err)
	if got := try(1); got != "403" {
		t.Errorf("without user verification: %s", got)
	}
	_, err = chromedp.Call(ctx, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: key})
	must(t, err)
	must(t, s.Accounts.SetDisabled(t.Context(), "test", a.ID, true))
	if got := try(1); got != "403" {
		t.Errorf("a disabled account: %s", got)
	}
	must(t, s.Accounts.SetDisabled(t.Context(), "test", a.ID, false))
	if got := try(1); got != "200" {
		t.Errorf("enabled again: %s", got)
	}
}

// What opens personal data asks once more who is there, and goes back to the page.
func TestAFreshProofBeforeADisclosure(t *testing.T) {
	var ahead atomic.Int64
	s := consoletest.New(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, time.UTC, nil)
	t.Cleanup(s.Close)
	p := s.Arrive(passage(gatehouse.FaceReading, "front-door", gatehouse.RandomID(), gatehouse.Granted), gatehouse.Detail{}, portrait(0))
	s.Ring.Forget(p.ID)
	s.Unseal()
	ctx, _ := tab(t)
	authenticator(t, ctx)
	_, token, err := s.Accounts.Add(t.Context(), "test", newAccount("manager-1", gatehouse.SiteManager))
	must(t, err)
	must(t, chromedp.Do(ctx, chromedp.Navigate(auth.InviteURL(at(s, ""), token))))
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("[data-make] button"))))
	until(t, ctx, "location.search == '?welcome'")
	ahead.Store(int64(11 * time.Minute))
	must(t, chromedp.Do(ctx, chromedp.Navigate(at(s, "/passages/"+p.ID.String())), chromedp.SendKeys(chromedp.CSS("#reason"), "a dispute"+kb.Enter)))
	until(t, ctx, "location.pathname == '/again' && document.querySelector('[data-begin] button:not(:disabled)') != null")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("[data-begin] button"))))
	until(t, ctx, "location.pathname.startsWith('/passages/')")
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#reason"), "a dispute"+kb.Enter)))
	until(t, ctx, "document.body.innerText.includes('From the archive')")
	list, _ := s.Disclosures(t.Context(), gatehouse.ID{}, 10)
	must(t, s.Reasons(t.Context(), console.Who{Operator: "test"}, list))
	a, _ := s.Accounts.ByLogin("manager-1")
	if n := len(slices.DeleteFunc(list, func(d gatehouse.Disclosure) bool {
		return d.Operator != a.ID.String() || d.Role != string(gatehouse.SiteManager) || d.Reason != "a dispute"
	})); n != 1 {
		t.Errorf("%d disclosures name the account, its role and the reason", n)
	}
}
