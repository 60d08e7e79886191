package e2e

import (
	"context"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
	"gatehouse/vision/models"

	"github.com/chromedp/chromedp"
)

const centreTariff = `tariff: centre
currency: EUR
time_zone: UTC
versions:
  - from: 2020-01-01
    plans:
      - classes: [car]
        periods: [{steps: [{block: 1h, price: 2.00}]}]
`

// parkingSite is the product with a car park of five spaces.
func parkingSite(t *testing.T) *product {
	t.Helper()
	return start(t, true, func(c *server.Config) {
		for _, id := range []string{"entry-lane", "exit-lane"} {
			g := server.DefaultGate()
			g.ID, g.Name, g.Kind, g.Actuator.Kind = id, strings.ReplaceAll(id, "-", " "), "lane", "none"
			if id == "exit-lane" {
				g.Direction, g.Actuator.Kind = "out", "simulated"
			}
			c.Gates = append(c.Gates, g)
		}
		c.Parking = []server.CarParkConfig{{ID: "centre", Name: "Town centre", Capacity: 5, Entries: []string{"entry-lane"}, Exits: []string{"exit-lane"}, Longest: 24 * time.Hour, Tariff: "centre"}}
	})
}

// drive lets a car drive up to a lane's camera, and gives the passage.
func (p *product) drive(t *testing.T, gate gatehouse.GateID, text string) gatehouse.Passage {
	t.Helper()
	plates, err := scene.LoadPlates(filepath.Join(models.Dir(), "fonts", "ZCOOLQingKeHuangYou-Regular.ttf"))
	must(t, err)
	id := gatehouse.DeviceID(gate) + "-camera"
	added, err := p.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: id, Kind: gatehouse.Camera, Gate: gate})
	must(t, err)
	camera := client.AsDevice(p.base, added.Token)
	r := rand.New(rand.NewPCG(3, 5))
	frames := plates.Car(text, "cn-blue", color.RGBA{90, 30, 30, 255}, false, scene.RandomLook(r), 6, r)
	for i := range 60 { // then the lane is empty, and the track ends
		frame := scene.Empty(true)
		if i < len(frames) {
			frame = frames[i]
		}
		_, err := camera.PostFrame(t.Context(), id, "image/jpeg", frame)
		must(t, err)
		select {
		case one := <-p.passages:
			return one
		default:
		}
	}
	select {
	case one := <-p.passages:
		return one
	case <-time.After(20 * time.Second):
		t.Fatalf("nothing passed %s", gate)
	}
	return gatehouse.Passage{}
}

// A tariff is put into force on its page; a car comes in, and another leaves that nobody
// saw come in: the barrier opens, and a person attaches the stay. Then it costs what it
// costs, and nobody owes it.
func TestAnExitIsAttachedOnItsPage(t *testing.T) {
	p := parkingSite(t)
	ctx, c := tabFor(t, 3*time.Minute)
	visit := func(path string) { must(t, chromedp.Do(ctx, chromedp.Navigate(p.base+path))) }
	must(t, chromedp.Do(ctx, chromedp.Navigate(p.link)))
	visit("/parking/tariffs?lang=en")
	put := func(file string) {
		t.Helper()
		ask[bool](t, ctx, "document.getElementById('file').value = `"+file+"`, true")
		must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main form button.primary"))))
	}
	put(strings.Replace(centreTariff, "2.00", "-2.00", 1))
	until(t, ctx, "!!document.querySelector('[role=alert]') && document.querySelector('[role=alert]').innerText.includes('line 8') && document.getElementById('file').value.includes('-2.00')")
	put(centreTariff)
	until(t, ctx, "location.search.includes('name=centre') && document.querySelector('.drawing img').naturalWidth > 100")
	// Its form shows what stays cost as somebody types, without a script as well.
	visit("/parking/tariffs/form?name=centre&lang=en")
	until(t, ctx, "document.getElementById('trial').innerText.includes('6.00 EUR')")
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	ask[bool](t, ctx, "(e => { e.value = '3.00'; e.dispatchEvent(new Event('input', {bubbles: true})); return true })(document.getElementById('plans[0].periods[0].steps[0].price'))")
	until(t, ctx, "document.getElementById('trial').innerText.includes('9.00 EUR')")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("button[value='add plans[0].caps']"))))
	until(t, ctx, "!!document.getElementById('plans[0].caps[0].amount') && document.getElementById('plans[0].periods[0].steps[0].price').value == '3.00'")
	if os.Getenv("GATEHOUSE_SCREENSHOTS") != "" {
		defer p.shootParking(t, ctx)
	}

	in := p.drive(t, "entry-lane", "京A12345")
	if !in.Decision.Grant {
		t.Fatalf("not let in: %+v", in.Decision)
	}
	out := p.drive(t, "exit-lane", "沪C88776")
	if !out.Decision.Grant || out.Decision.Reason != gatehouse.NoStay {
		t.Fatalf("a car that nobody saw come in: %+v", out.Decision)
	}
	for range 50 {
		if visit("/parking?lang=en"); ask[bool](t, ctx, "!!document.querySelector('a[href=\"/parking/exits\"]:not(.button)')") {
			break
		}
	}
	if says := ask[string](t, ctx, "document.querySelector('main table').innerText"); !strings.Contains(says, "1 of 5 spaces in use") {
		t.Fatalf("the page says %q", says)
	}
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	// How full it was, as charts and as a table.
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main td a[href^='/parking/occupancy']"))))
	until(t, ctx, "document.querySelectorAll('.charts.is-drawn canvas').length == 2")
	if says := ask[string](t, ctx, "document.querySelector('main .heading').innerText"); !strings.Contains(says, "1 of 5 spaces") {
		t.Errorf("the page says %q", says)
	}
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	visit("/parking?lang=en")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a[href='/parking/exits']:not(.button)"))))
	until(t, ctx, "location.pathname == '/parking/exits' && document.querySelectorAll('tbody tr').length == 1")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("tbody a"))))
	until(t, ctx, "document.querySelectorAll('input[name=stay]').length == 1")
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form[action$='/attach'] button"))))
	until(t, ctx, "!!document.querySelector('[role=alert]')") // none was chosen
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("input[name=stay]")), chromedp.Click(chromedp.CSS("form[action$='/attach'] button"))))
	until(t, ctx, "location.pathname == '/parking/stays/"+in.ID.String()+"' && document.body.innerText.includes('attached by a person, not charged')")
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	detail, err := p.Admin().Stay(t.Context(), in.ID, "en")
	if err != nil || detail.Stay.State != gatehouse.StayLeft || detail.Stay.Owed != 0 || detail.Charge == nil || detail.Stay.ExitPassage != out.ID {
		t.Errorf("%+v, %v", detail, err)
	}
	total := gatehouse.Money{Minor: detail.Charge.Total, Currency: "EUR"}.String() // the minute may have changed in between, or not
	if text := ask[string](t, ctx, "document.querySelector('main table').innerText"); !strings.Contains(text, total) {
		t.Errorf("the page shows %q, and it costs %s", text, total)
	}
	if text := ask[string](t, ctx, "document.documentElement.innerText"); strings.Contains(text, "12345") || strings.Contains(text, "88776") {
		t.Error("a plate is shown on a page about stays")
	}
	if all := c.all(); strings.Count(all, "422") != strings.Count(all, "error") {
		t.Errorf("the browser complained:\n%s", all)
	}
}

// shootParking writes the pages.
func (p *product) shootParking(t *testing.T, ctx context.Context) {
	t.Helper()
	page, err := p.Admin().Stays(t.Context(), wire.StaysQuery{})
	must(t, err)
	left := p.drive(t, "exit-lane", "粤B66554")
	in := p.drive(t, "entry-lane", "浙D70707")
	time.Sleep(time.Until(in.At.Truncate(time.Minute).Add(61 * time.Second))) // its first minute costs nothing
	_ = p.drive(t, "exit-lane", "浙D70707")
	_, err = p.Admin().OpenGate(t.Context(), "exit-lane", wire.OpenRequest{Reason: "the queue is long"})
	must(t, err)
	for owed := 0; owed == 0; time.Sleep(50 * time.Millisecond) {
		unpaid, err := p.Admin().Stays(t.Context(), wire.StaysQuery{State: gatehouse.UnpaidStays})
		must(t, err)
		owed = len(unpaid.Stays)
	}
	must(t, chromedp.Do(ctx, chromedp.Navigate(p.base+"/passages/"+in.ID.String())))
	pictures(t, ctx, p.base, "unpaid", "/parking/unpaid")
	pictures(t, ctx, p.base, "look", "/parking/unpaid/"+in.ID.String())
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	for name, path := range map[string]string{"parking": "/parking", "occupancy": "/parking/occupancy", "stays": "/parking/stays", "stay": "/parking/stays/" + page.Stays[0].ID.String(), "exits": "/parking/exits", "exit": "/parking/exits/" + left.ID.String(), "tariffs": "/parking/tariffs?name=centre", "tariffform": "/parking/tariffs/form?name=centre", "kiosks": "/parking/kiosks"} {
		pictures(t, ctx, p.base, name, path)
	}
}
