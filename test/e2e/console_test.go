package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/console/consoletest"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// quiet fails where the browser complained: a violated policy, an error of the
// script, a file that is missing.
func quiet(t *testing.T, c *complaints) {
	t.Helper()
	if s := c.all(); s != "" {
		t.Errorf("the browser complained:\n%s", s)
	}
}

func TestTheLinkWorksOnce(t *testing.T) {
	s := site(t)
	ctx, c := tab(t)
	link := s.Auth.Mint()
	must(t, chromedp.Do(ctx, chromedp.Navigate(link)))
	if title := ask[string](t, ctx, "document.title"); !strings.HasPrefix(title, "Live ·") {
		t.Fatalf("the link led to %q", title)
	}
	if at := ask[string](t, ctx, "location.pathname"); at != "/" {
		t.Errorf("the token stayed in the address: %q", at)
	}
	if cookie := ask[string](t, ctx, "document.cookie"); cookie != "" {
		t.Errorf("a script can read the cookie: %q", cookie)
	}
	quiet(t, c)

	other, _ := tab(t)
	must(t, chromedp.Do(other, chromedp.Navigate(link)))
	if h := ask[string](t, other, "document.querySelector('h1').textContent"); !strings.Contains(h, "does not work any more") {
		t.Errorf("a spent link answered %q", h)
	}
	must(t, chromedp.Do(other, chromedp.Navigate("http://localhost:"+port(s)+"/")))
	if h := ask[string](t, other, "document.querySelector('h1').textContent"); h != "Sign in" {
		t.Errorf("without a session: %q", h)
	}
}

func TestAPassageAppearsByItself(t *testing.T) {
	s := site(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 104", "Amara Okafor", gatehouse.Active)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), enter(t, s))) // a row in sight has its picture
	until(t, ctx, "document.getElementById('pulse').classList.contains('is-on')")
	ask[bool](t, ctx, "window.stayed = true")

	p := s.Arrive(passage(gatehouse.FaceReading, "front-door", id, gatehouse.Granted), gatehouse.Detail{}, portrait(0))
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 1")
	row := ask[string](t, ctx, "document.querySelector('#rows .row').innerText")
	for _, want := range []string{"Staff 104", "Granted", "Front door", "Allowed here now.", "Opening", "61 ms"} {
		if !strings.Contains(row, want) {
			t.Errorf("the row lacks %q: %q", want, row)
		}
	}
	until(t, ctx, "document.querySelector('#rows img').naturalWidth > 0")
	s.Finish(p.ID, gatehouse.Passed)
	until(t, ctx, "document.querySelector('.row .outcome').textContent == 'Passed'")
	until(t, ctx, "document.querySelector('#counts dd').textContent == '1'")
	s.Hub.SetGate(gatehouse.GateState{Gate: "front-door", State: "fault", Camera: "down"})
	until(t, ctx, "document.querySelector('#g-front-door').innerText.includes('Fault')")
	s.Hub.SetFaces(false)
	until(t, ctx, "document.body.innerText.includes('Face recognition is restarting')")

	// The vault opens: the name comes without a reload; it is sealed: the name goes.
	s.Unseal()
	until(t, ctx, "document.querySelector('#rows').innerText.includes('Amara Okafor')")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#vault button"))))
	until(t, ctx, "document.querySelector('#rows').innerText.includes('Staff 104') && !document.body.innerText.includes('Amara')")
	quiet(t, c)
}

func TestTheStreamResumes(t *testing.T) {
	s := site(t)
	ctx, _ := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s)))
	until(t, ctx, "document.getElementById('pulse').classList.contains('is-on')")
	s.Server.CloseClientConnections()
	for range 3 {
		s.Arrive(passage(gatehouse.CardReading, "front-door", gatehouse.SubjectID{}, gatehouse.WrongCredential), gatehouse.Detail{})
	}
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 3")
}

func TestAClickOpensThePassage(t *testing.T) {
	s := site(t)
	car := morning(s)
	s.Unseal()
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s), chromedp.Click(chromedp.CSS("#p-"+car.ID.String()))))
	until(t, ctx, "location.pathname.startsWith('/passages/') && document.querySelectorAll('.film img').length == 3")
	body := ask[string](t, ctx, "document.querySelector('main').innerText")
	for _, want := range []string{"沪A82K39", "Granted", "grant staff at car-park in office-hours", "Candidates", "58 %", "Passed", car.ID.String()} {
		if !strings.Contains(body, want) {
			t.Errorf("the passage lacks %q:\n%s", want, body)
		}
	}
	until(t, ctx, "[...document.querySelectorAll('.film img')].slice(0, 1).every(i => i.naturalWidth > 0)")

	// Its pictures leave memory; the archive opens them for a reason.
	s.Ring.Forget(car.ID)
	must(t, chromedp.Do(ctx, chromedp.Reload(), chromedp.SendKeys(chromedp.CSS("#reason"), "damage to the barrier"+kb.Enter)))
	until(t, ctx, "document.querySelectorAll('.film img').length == 3 && document.body.innerText.includes('From the archive')")
	must(t, chromedp.Do(ctx, chromedp.Navigate("http://localhost:"+port(s)+"/disclosures"), chromedp.Click(chromedp.CSS("form[action='/disclosures/reasons'] button"))))
	until(t, ctx, "document.querySelector('main').innerText.includes('damage to the barrier')")
	if b := ask[string](t, ctx, "document.querySelector('main').innerText"); !strings.Contains(b, "damage to the barrier") {
		t.Errorf("the disclosure log lacks the reason:\n%s", b)
	}
	quiet(t, c)
}

func TestKeyboardAlone(t *testing.T) {
	s := site(t)
	morning(s)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s)))
	focused := func() string { return ask[string](t, ctx, "document.activeElement.textContent.trim()") }
	press := func(keys string) { must(t, chromedp.Do(ctx, chromedp.KeyEvent(keys))) }

	press(kb.Tab)
	if focused() != "Skip to content" {
		t.Fatalf("the first stop is %q", focused())
	}
	if !ask[bool](t, ctx, "document.activeElement.getBoundingClientRect().top >= 0") {
		t.Error("the skip link is not seen while it has the focus")
	}
	// Unseal: the summary, the passphrase, Enter.
	for range 30 {
		if focused() == "Unseal" {
			break
		}
		press(kb.Tab)
	}
	press(kb.Enter)
	press(kb.Tab)
	must(t, chromedp.Do(ctx, chromedp.KeyEvent(consoletest.Passphrase), chromedp.KeyEvent(kb.Enter)))
	until(t, ctx, "document.readyState == 'complete' && document.querySelector('#vault').innerText.includes('Vault open')")
	// The list: Tab to it, arrows along it, Enter opens.
	for range 30 {
		if ask[bool](t, ctx, "!!document.activeElement.closest('.row')") {
			break
		}
		press(kb.Tab)
	}
	press(kb.ArrowDown)
	if !strings.Contains(focused(), "沪A82K39") {
		t.Errorf("the second row is %q", focused())
	}
	if !ask[bool](t, ctx, "getComputedStyle(document.activeElement, '::after').outlineStyle == 'solid'") {
		t.Error("the focus is not seen")
	}
	// What arrives must not take the focus away.
	s.Arrive(passage(gatehouse.FaceReading, "front-door", gatehouse.SubjectID{}, gatehouse.Unknown), gatehouse.Detail{}, portrait(3))
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 14")
	if !strings.Contains(focused(), "沪A82K39") {
		t.Errorf("a new row moved the focus to %q", focused())
	}
	press(kb.Enter)
	until(t, ctx, "location.pathname.startsWith('/passages/')")
	quiet(t, c)
}

func TestNothingIsWiderThanAPhone(t *testing.T) {
	s := site(t)
	car := morning(s)
	s.Unseal()
	ruled(t, s)
	floorPlan(t, s)
	ctx, _ := tab(t)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 844), enter(t, s)))
	paths := slices.Sorted(maps.Values(enrolments(t, ctx, s)))
	for _, path := range append(paths, "/", "/passages", "/passages/"+car.ID.String(), "/people", "/disclosures", "/nothing", "/alarms", "/live/wall", "/gates", "/gates/front-door", "/plans/ground-floor", "/plans/-", "/rules", "/rules/groups/staff", "/rules/grants/night", "/rules/schedules/nights", "/rules/changes", whyPath(s)) {
		for _, lang := range []string{"en", "zh"} {
			must(t, chromedp.Do(ctx, chromedp.Navigate("http://localhost:"+port(s)+inLanguage(path, lang))))
			if over := ask[int](t, ctx, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s in %s is %d px too wide", path, lang, over)
			}
		}
	}
}

func TestTextIsInert(t *testing.T) {
	s := site(t)
	evil := `"><img src=x onerror="window.hit=1"><script>window.hit=1</script>`
	id := s.Enrol(gatehouse.PersonSubject, evil, evil, gatehouse.Active)
	van := s.Enrol(gatehouse.VehicleSubject, evil, evil, gatehouse.Active)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s)))
	until(t, ctx, "document.getElementById('pulse').classList.contains('is-on')")
	for _, open := range []bool{false, true} {
		if open {
			s.Unseal()
		}
		s.Arrive(passage(gatehouse.FaceReading, "front-door", id, gatehouse.Granted), gatehouse.Detail{})
		p := passage(gatehouse.PlateReading, "car-park", van, gatehouse.Granted)
		p.Decision.Rule = evil
		p = s.Arrive(p, gatehouse.Detail{Plate: evil, RawPlate: evil + "raw", Class: evil, Chars: []gatehouse.CharRead{{Char: '<', Confidence: 1}},
			Candidates: []gatehouse.PlateCandidate{{Text: evil}}})
		until(t, ctx, fmt.Sprintf("document.getElementById('p-%s') !== null", p.ID))
		until(t, ctx, "document.querySelector('#rows').innerText.includes('onerror')")
	}
	for _, path := range []string{"/people", "/people/" + id.String(), "/people/" + van.String(), "/people/" + id.String() + "/erase", "/passages", "/?lang=%22%3E%3Cscript%3E", "/passages/" + evilPassage(s)} {
		must(t, chromedp.Do(ctx, chromedp.Navigate("http://localhost:"+port(s)+path)))
		if !ask[bool](t, ctx, "window.hit === undefined && document.querySelectorAll('script:not([src]), img[onerror]').length == 0") {
			t.Errorf("%s ran what was a name", path)
		}
	}
	quiet(t, c)
}

func evilPassage(s *consoletest.Site) string {
	p, _ := s.Passages(context.Background(), gatehouse.PassageQuery{Limit: 1})
	return p[0].ID.String()
}

func TestForeignNamesAreRefused(t *testing.T) {
	s := site(t)
	for _, host := range []string{"foo.example", "foo.example:" + port(s), "localhost", "localhost:1", "127.0.0.1.nip.io:" + port(s), ""} {
		r, _ := http.NewRequest(http.MethodGet, s.Server.URL+"/healthz", nil)
		r.Host = host
		if host == "" {
			r.Host = "."
		}
		w, err := http.DefaultClient.Do(r)
		must(t, err)
		w.Body.Close()
		if w.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("Host %q got %d", host, w.StatusCode)
		}
	}
	for _, host := range []string{"localhost:" + port(s), "127.0.0.1:" + port(s), "[::1]:" + port(s), "LOCALHOST:" + port(s)} {
		r, _ := http.NewRequest(http.MethodGet, s.Server.URL+"/static/console.css", nil)
		r.Host = host
		w, err := http.DefaultClient.Do(r)
		must(t, err)
		w.Body.Close()
		if w.StatusCode != http.StatusOK {
			t.Errorf("Host %q got %d", host, w.StatusCode)
		}
	}
}

func TestASessionThatEndsStopsTheStream(t *testing.T) {
	s := site(t)
	ctx, _ := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s)))
	until(t, ctx, "document.getElementById('pulse').classList.contains('is-on')")
	leave(t, ctx)
	s.Arrive(passage(gatehouse.CardReading, "front-door", gatehouse.SubjectID{}, gatehouse.WrongCredential), gatehouse.Detail{})
	until(t, ctx, "document.getElementById('pulse').classList.contains('is-ended')")
	if n := ask[int](t, ctx, "document.querySelectorAll('#rows .row').length"); n != 0 {
		t.Errorf("%d rows came after the session had ended", n)
	}
}
