package e2e

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"

	"github.com/chromedp/chromedp"
)

// The office gives a vehicle passes, makes its driver an account and a shop, all on pages; the
// driver opens theirs by the link, in a browser that then holds a cookie and no more.
func TestTheOfficeAndTheDriver(t *testing.T) {
	p := parkingSite(t)
	_, err := p.Admin().PutTariff(t.Context(), wire.TariffRequest{File: centreTariff})
	must(t, err)
	car, err := p.Admin().EnrollVehicle(t.Context(), wire.EnrollVehicleRequest{Label: "V-7", Record: gatehouse.VehicleRecord{Plate: "京A12345"}, Grants: []gatehouse.Grant{}})
	must(t, err)
	ctx, c := tabFor(t, 3*time.Minute)
	visit := func(path string) { must(t, chromedp.Do(ctx, chromedp.Navigate(p.base+path))) }
	fill := func(form string, fields map[string]string) {
		t.Helper()
		for name, value := range fields {
			ask[bool](t, ctx, "(document.querySelector(\"form[action='"+form+"'] [name="+name+"]\").value = "+quoted(value)+", true)")
		}
		ask[bool](t, ctx, "(setTimeout(() => document.querySelector(\"form[action='"+form+"']\").requestSubmit(), 0), true)")
	}
	accessible := func() {
		t.Helper()
		for _, v := range violations(t, ctx) {
			t.Error(v)
		}
	}
	must(t, chromedp.Do(ctx, chromedp.Navigate(p.link)))
	visit("/parking/rights?lang=en")
	fill("/parking/passes", map[string]string{"vehicle": "V-7", "kind": "season", "name": "Monthly", "until": time.Now().AddDate(0, 0, 20).UTC().Format("2006-01-02T15:04"), "price": "119.00", "tax": "19", "currency": "EUR"})
	until(t, ctx, "location.pathname == '/parking/rights' && document.body.innerText.includes('Monthly')")
	fill("/parking/passes", map[string]string{"vehicle": "V-7", "kind": "value", "name": "Purse", "currency": "eur"})
	until(t, ctx, "document.querySelector('tbody')?.innerText.includes('Purse')")
	fill("/parking/denied", map[string]string{"vehicle": "V-8"})
	until(t, ctx, "document.body.innerText.includes('No vehicle is enrolled as that')")
	pictures(t, ctx, p.base, "rights", "/parking/rights")
	visit("/parking/rights?lang=en")
	accessible()

	visit("/parking/shops?lang=en")
	fill("/parking/shops", map[string]string{"name": "Bakery", "kind": "percent", "many": "50"})
	until(t, ctx, "document.querySelector('tbody')?.innerText.includes('50 %')")
	accessible()
	pictures(t, ctx, p.base, "shops", "/parking/shops")
	visit("/parking/kiosks?lang=en")
	accessible()
	pictures(t, ctx, p.base, "kiosks", "/parking/kiosks")

	visit("/parking/drivers?lang=en")
	accessible()
	pictures(t, ctx, p.base, "drivers", "/parking/drivers")
	fill("/parking/drivers", map[string]string{"holder": car.Subject.String()})
	until(t, ctx, "location.pathname.startsWith('/parking/drivers/') && document.body.innerText.includes('V-7')")
	accessible()
	pictures(t, ctx, p.base, "driver", ask[string](t, ctx, "location.pathname"))
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form[action$='/link'] button"))))
	until(t, ctx, "!!document.querySelector('main code')")
	accessible()
	picture(t, ctx, "pagelink-en")
	link := ask[string](t, ctx, "document.querySelector('main code').innerText")
	if !strings.HasPrefix(link, p.base+"/pay/account#k=") {
		t.Fatalf("the link is %s", link)
	}

	// Somebody else's browser, as far as these pages go: they know no session of the console.
	must(t, chromedp.Do(ctx, chromedp.Navigate(strings.Replace(link, "#", "?lang=en#", 1))))
	until(t, ctx, "document.body.innerText.includes('Monthly') && !location.href.includes('#')")
	if text := ask[string](t, ctx, "document.documentElement.innerText"); !strings.Contains(text, "119.00 EUR") || !strings.Contains(text, "V-7") || strings.Contains(text, "12345") {
		t.Errorf("the page says %s", text)
	}
	accessible()
	pictures(t, ctx, p.base, "account-of-driver", "/pay/account")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form[action*='/renew'] button"))))
	until(t, ctx, "location.pathname.startsWith('/pay/stay/') && document.body.innerText.includes('119.00 EUR')")
	accessible()
	picture(t, ctx, "order-en")
	visit("/pay/account/receipts?lang=zh")
	accessible()
	picture(t, ctx, "receipts-zh")
	must(t, chromedp.Do(ctx, chromedp.Navigate(strings.Replace(link, "#", "?lang=en#", 1)))) // used: the cookie still opens the page
	until(t, ctx, "document.body.innerText.includes('Monthly') || document.body.innerText.includes('opens nothing')")

	// A screen is enrolled at the entry by the office's link; whoever has no plate takes a ticket there.
	visit("/parking/kiosks?lang=en")
	fill("/parking/kiosks", map[string]string{"gate": "entry-lane"})
	until(t, ctx, "!!document.querySelector('main code')")
	screen := ask[string](t, ctx, "document.querySelector('main code').innerText")
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1024, 768), chromedp.Navigate(strings.Replace(screen, "#", "?lang=en#", 1))))
	until(t, ctx, "location.pathname == '/pay/kiosk' && document.body.innerText.includes('No number plate?')")
	accessible()
	picture(t, ctx, "kiosk-entry-en")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("button[value=motorbike]"))))
	until(t, ctx, "/^[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}$/.test(document.getElementById('code')?.innerText ?? '') && !!document.querySelector('figure svg')")
	accessible()
	picture(t, ctx, "ticket-en")
	inside := func() bool {
		stays, err := p.Admin().Stays(t.Context(), wire.StaysQuery{State: gatehouse.InsideStays})
		must(t, err)
		return len(stays.Stays) == 1 && stays.Stays[0].Class == gatehouse.Motorbike
	}
	for end := time.Now().Add(20 * time.Second); !inside(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the ticket opened no stay")
		}
	}
	if all := c.all(); strings.Count(all, "error") > strings.Count(all, "422")+strings.Count(all, "404") {
		t.Errorf("the browser complained:\n%s", all)
	}
}
