package doctor

import (
	"context"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// parking looks at car parks, where the site has some: what they charge, how that is paid,
// and what of it waits for a person.
func (d *doctor) parking(ctx context.Context) {
	c := d.config
	if len(c.Parking) == 0 {
		return
	}
	charges := slices.ContainsFunc(c.Parking, func(p server.CarParkConfig) bool { return p.Tariff != "" })
	d.judge("seller", !charges || c.Paying.Seller.Address != "", Warn, "set paying.seller.address: a receipt without one is refused by many tax offices", "receipts name %s", said(c.Paying.Seller.Address != "", "who they are from", "no address of who they are from"))
	if d.live == nil {
		d.notRunning("tariffs", "ways to pay", "exits", "books")
		return
	}
	d.tariffs(ctx)
	d.paying(ctx)
	today := gatehouse.DateOf(d.o.Now())
	if r, err := d.live.BooksReport(ctx, today, today); err != nil {
		d.error("books", Fail, err)
	} else {
		d.judge("books", r.Waiting == 0 && len(r.Overpaid) == 0, Warn, "see the page of the books, or `gatehouse books report`: refund what was paid twice, and compare with the provider", "stays that were paid too much for: %d; messages about payments that are not known: %d", len(r.Overpaid), r.Waiting)
	}
}

// tariffs compares what car parks name with what is stored, and counts the exits that
// wait for a person.
func (d *doctor) tariffs(ctx context.Context) {
	parks, err := d.live.CarParks(ctx)
	var stored wire.TariffsResponse
	if err == nil {
		stored, err = d.live.Tariffs(ctx)
	}
	if err != nil {
		d.error("tariffs", Fail, err)
		return
	}
	var missing []string
	waiting := 0
	for _, p := range parks.CarParks {
		waiting += p.Unmatched
		if p.Tariff != "" && !slices.ContainsFunc(stored.Tariffs, func(t wire.TariffRevision) bool { return t.Name == p.Tariff }) {
			missing = append(missing, p.Tariff)
		}
	}
	if len(missing) == 0 {
		d.add("tariffs", OK, "", "every tariff that a car park names is there")
	} else {
		d.add("tariffs", Fail, "put it into force with `gatehouse tariff put FILE`: until then nothing is charged", "a tariff is not there: %s", strings.Join(missing, ", "))
	}
	d.judge("exits", waiting == 0, Warn, "attach them on the page of exits, or with `gatehouse parking attach`", "exits that wait for a person: %d", waiting)
}

// paying looks whether Stripe's secrets are there, where payments are taken by it.
func (d *doctor) paying(ctx context.Context) {
	if !d.config.Paying.Stripe {
		d.add("ways to pay", OK, "", "payments are taken at the desk only")
		return
	}
	set, err := d.live.Secrets(ctx)
	if err != nil {
		d.error("ways to pay", Fail, err)
		return
	}
	for _, name := range []string{"stripe", "stripe-webhook"} {
		if !slices.ContainsFunc(set.Secrets, func(s wire.SecretName) bool { return s.Name == name }) {
			d.add("ways to pay", Fail, "run `gatehouse secret set` with that name (docs/parking.md)", "Stripe's secret %s is not set: drivers cannot pay", name)
			return
		}
	}
	d.add("ways to pay", OK, "", "Stripe's secrets are set")
}
