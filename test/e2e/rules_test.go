package e2e

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
	"gatehouse/server"
	"gatehouse/vision/models"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// product is a whole running server, with a door and a reader at it.
type product struct {
	*server.Server
	link, base string
	reader     *client.Client
	passages   chan gatehouse.Passage // that were committed
}

const reader = gatehouse.DeviceID("door-reader")

// run starts a server with two doors that open in simulation, and a link that signs in.
func run(t *testing.T) *product {
	t.Helper()
	return start(t, true)
}

// start starts it; not local, its link is the one that sets a site up.
func start(t *testing.T, local bool, change ...func(*server.Config)) *product {
	t.Helper()
	if _, err := os.Stat(filepath.Join(models.Dir(), "models")); err != nil {
		t.Skip("the models are not fetched: run `make assets`")
	}
	c := server.DefaultConfig()
	c.Data, c.GateKey, c.Listen, c.LogLevel, c.Site.Name = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key"), "localhost:0", "error", "Harbour Works"
	c.Gates, c.Devices = nil, nil
	for id, name := range map[string]string{"front-door": "Front door", "back-door": "Back door"} {
		g := server.DefaultGate()
		g.ID, g.Name, g.Actuator.Kind, g.RepeatWithin = id, name, "simulated", 0
		c.Gates = append(c.Gates, g)
	}
	for _, do := range change {
		do(&c)
	}
	p := &product{passages: make(chan gatehouse.Passage, 100)}
	s, err := server.Open(t.Context(), c, server.Options{NewPassphrase: []byte("correct horse battery staple"), Stderr: testWriter{t}, LocalSession: local,
		Committed: func(one gatehouse.Passage) { p.passages <- one }})
	must(t, err)
	p.Server = s
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- s.Run(ctx, func(link string) { ready <- link }) }()
	t.Cleanup(func() {
		stop()
		<-done
		s.Close(context.Background())
	})
	select {
	case p.link = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	u, err := url.Parse(p.link)
	must(t, err)
	p.base = u.Scheme + "://" + u.Host
	added, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: reader, Kind: gatehouse.Reader, Gate: "front-door"})
	must(t, err)
	p.reader = client.AsDevice(p.base, added.Token)
	return p
}

// show holds a card to the reader and says what the gate decided.
func (p *product) show(t *testing.T, card string) gatehouse.Passage {
	t.Helper()
	_, err := p.reader.PostCredential(t.Context(), reader, wire.CredentialRequest{Kind: gatehouse.CardCapture, Value: card})
	must(t, err)
	return <-p.passages
}

// Somebody is turned away; the page says why; a site manager makes a group and a rule,
// and the same card opens the same door a moment later.
func TestARuleLetsSomebodyIn(t *testing.T) {
	p := run(t)
	_, err := p.Admin().EnrollPerson(t.Context(), wire.EnrollPersonRequest{Label: "Staff 104", Record: gatehouse.PersonRecord{Name: "Amara Okafor"}, ConsentGiven: true, ConsentHow: "reference", ConsentRef: "form 1",
		Card: "4711", Grants: []gatehouse.Grant{{Gate: "back-door", Schedule: "always"}}})
	must(t, err)
	denied := p.show(t, "4711")
	if denied.Decision.Reason != gatehouse.NotHere {
		t.Fatalf("before any rule: %+v", denied)
	}
	ctx, c := tab(t)
	visit := func(path string) { must(t, chromedp.Do(ctx, chromedp.Navigate(p.base+path))) }
	must(t, chromedp.Do(ctx, chromedp.Navigate(p.link)))
	visit("/passages/" + denied.ID.String() + "?lang=en")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a[href$='/why']"))))
	until(t, ctx, "location.pathname.endsWith('/why') && document.body.innerText.includes('Add a grant for this gate')")

	fill := func(selector, text string) {
		must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(selector), text)))
	}
	visit("/rules?lang=en")
	fill("#group-title", "Night cleaning")
	fill("#group-id", "night-cleaning"+kb.Enter)
	until(t, ctx, "location.pathname == '/rules/groups/night-cleaning'")
	fill("input[name=text]", "staff 1"+kb.Enter)
	until(t, ctx, "document.querySelector('fieldset input[name=subject]') !== null")
	if at := ask[string](t, ctx, "location.href"); strings.Contains(at, "staff") {
		t.Errorf("the address says whom somebody looked for: %s", at)
	}
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("fieldset input[name=subject]")), chromedp.Click(chromedp.CSS("main form button.primary"))))
	until(t, ctx, "document.querySelector('.note').innerText.includes('members: 1') && document.querySelector('tbody').innerText.includes('Staff 104')")
	if p.show(t, "4711").Decision.Reason != gatehouse.NotHere {
		t.Error("a group without a rule lets somebody in")
	}
	visit("/rules/grants/-?group=night-cleaning")
	fill("#id", "front")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("input[name=gate][value=front-door]")), chromedp.Click(chromedp.CSS("main form button.primary"))))
	until(t, ctx, "location.pathname == '/rules' && document.body.innerText.includes('Front door')")
	granted := p.show(t, "4711")
	if granted.Decision.Reason != gatehouse.Granted || !strings.HasPrefix(granted.Decision.Rule, "rule front of night-cleaning at front-door") {
		t.Errorf("after the rule: %+v", granted)
	}

	// A schedule that is closed now, and a mistake in it that is said beside the form.
	visit("/rules/schedules/-")
	day := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Weekday().String()[:3])
	set := func(id, value string) {
		ask[bool](t, ctx, "document.getElementById('"+id+"').value = '"+value+"', true")
	}
	set("windows", "mon 7-9")
	fill("#name", "some-day"+kb.Enter)
	until(t, ctx, "!!document.querySelector('[role=alert]') && document.getElementById('windows').value == 'mon 7-9'")
	set("windows", day+" 07:00-19:00")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main form button.primary"))))
	until(t, ctx, "location.pathname == '/rules/schedules/some-day' && document.querySelectorAll('.week rect.fill').length == 1")
	visit("/rules/grants/front")
	set("schedule", "some-day")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main form button.primary"))))
	until(t, ctx, "location.pathname == '/rules' && document.body.innerText.includes('some-day')")
	late := p.show(t, "4711")
	if late.Decision.Reason != gatehouse.OutsideHours {
		t.Errorf("outside the schedule: %+v", late)
	}
	visit("/rules/why?subject=" + late.Subject.String() + "&gate=front-door")
	until(t, ctx, "document.getElementById('answer').innerText.includes('closed; opens')")
	visit("/rules/changes")
	if rows := ask[int](t, ctx, "document.querySelectorAll('tbody tr').length"); rows != 5 {
		t.Errorf("%d versions, want 5", rows)
	}
	if all := c.all(); strings.Count(all, "422") != strings.Count(all, "error") {
		t.Errorf("the browser complained:\n%s", all)
	}
}

// A guard's shift: the page of a gate, a reason, and the gate opens; it is recorded first,
// and the reason is read by who may open what a passage says.
func TestAGateIsOpenedFromAfar(t *testing.T) {
	p := run(t)
	ctx, c := tab(t)
	visit := func(path string) { must(t, chromedp.Do(ctx, chromedp.Navigate(p.base+path))) }
	must(t, chromedp.Do(ctx, chromedp.Navigate(p.link)))
	visit("/gates?lang=en")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a[href='/gates/front-door']"))))
	until(t, ctx, "location.pathname == '/gates/front-door' && document.body.innerText.includes('Open from here')")
	// Without a reason the browser holds it back.
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form[action$='/open'] button"))))
	select {
	case got := <-p.passages:
		t.Fatalf("opened without a reason: %+v", got)
	case <-time.After(300 * time.Millisecond):
	}
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#reason"), "a delivery for Mei Lin"+kb.Enter)))
	until(t, ctx, "document.querySelector('.done') !== null && document.querySelectorAll('.row').length == 1")
	if at := ask[string](t, ctx, "location.href"); strings.Contains(at, "delivery") {
		t.Errorf("the address has the reason: %s", at)
	}
	got := <-p.passages
	if got.Kind != gatehouse.RemoteReading || got.Gate != "front-door" || !strings.HasPrefix(got.Decision.Rule, "remote opening by link-") || got.Outcome != gatehouse.Pending {
		t.Errorf("recorded: %+v", got)
	}
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".done a"))))
	until(t, ctx, "location.pathname.startsWith('/passages/')")
	if body := ask[string](t, ctx, "document.body.innerText"); strings.Contains(body, "delivery") {
		t.Error("the reason is shown while the vault is sealed")
	}
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#vault summary")), chromedp.SendKeys(chromedp.CSS("#vault input[name=passphrase]"), "correct horse battery staple"+kb.Enter)))
	until(t, ctx, "document.readyState == 'complete' && document.body.innerText.includes('Vault open')")
	visit("/passages/" + got.ID.String())
	until(t, ctx, "document.querySelector('.facts').innerText.includes('a delivery for Mei Lin')")
	answer, err := p.Admin().OpenGate(t.Context(), "back-door", wire.OpenRequest{Reason: "fire drill"})
	must(t, err)
	if got := <-p.passages; got.ID != answer.Passage || got.Gate != "back-door" || got.Decision.Rule != "remote opening by admin-socket" {
		t.Errorf("by the command line: %+v", got)
	}
	visit("/gates/back-door")
	until(t, ctx, "document.querySelector('.row').innerText.includes('Opened from')")
	quiet(t, c)
}
