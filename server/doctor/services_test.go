package doctor

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// What a car park charges, how that is paid and what hours are counted by is looked at
// where a site has it, and nowhere else.
func TestParkingAndHours(t *testing.T) {
	const all = "  - {id: way-in, kind: lane}\n  - {id: way-out, kind: lane, direction: out}\nparking:\n  - {id: centre, name: Centre, capacity: 10, entries: [way-in], exits: [way-out], longest_stay: 720h, tariff: centre}\nattendance: {gates: [front-door]}\n"
	const paid = all + "paying: {stripe: true, seller: {address: 1 High Street}}\n"
	sound := func() running {
		return running{parks: wire.CarParksResponse{CarParks: []wire.CarPark{{ID: "centre", Tariff: "centre"}}}, tariffs: wire.TariffsResponse{Tariffs: []wire.TariffRevision{{Name: "centre"}}},
			plans:   wire.HoursPlans{Shifts: make([]wire.Shift, 1), Roster: make([]wire.RosterEntry, 1), Rules: make([]wire.HoursRules, 1), Calendar: wire.WorkCalendar{Days: []wire.CalendarDay{{Date: gatehouse.Date(time.Now().Format("2006") + "-01-01")}}}},
			secrets: wire.SecretsResponse{Secrets: []wire.SecretName{{Name: "stripe"}, {Name: "stripe-webhook"}}}}
	}
	look := func(more string, r running) Report {
		config, _ := site(t, more)
		return Run(t.Context(), Options{Path: config, Only: []string{"parking", "attendance"}, Live: func(context.Context, server.Config) (Live, error) { return r, nil }})
	}
	report := look(paid, sound())
	for _, name := range []string{"seller", "tariffs", "ways to pay", "exits", "books"} {
		want(t, report, "parking", name, OK)
	}
	for _, name := range []string{"rules of hours", "shifts", "holidays"} {
		want(t, report, "attendance", name, OK)
	}
	for _, c := range []struct {
		name, more, area, check string
		verdict                 Verdict
		change                  func(*running)
	}{
		{"receipts without an address", all, "parking", "seller", Warn, func(*running) {}},
		{"a tariff that is not there", paid, "parking", "tariffs", Fail, func(r *running) { r.tariffs.Tariffs[0].Name = "other" }},
		{"no secret of Stripe's", paid, "parking", "ways to pay", Fail, func(r *running) { r.secrets.Secrets = r.secrets.Secrets[:1] }},
		{"the desk only", all, "parking", "ways to pay", OK, func(r *running) { r.secrets.Secrets = nil }},
		{"an exit that waits", paid, "parking", "exits", Warn, func(r *running) { r.parks.CarParks[0].Unmatched = 1 }},
		{"a stay that was paid twice", paid, "parking", "books", Warn, func(r *running) { r.books.Overpaid = make([]wire.BooksStay, 1) }},
		{"messages of nobody", paid, "parking", "books", Warn, func(r *running) { r.books.Waiting = 1 }},
		{"no rules", paid, "attendance", "rules of hours", Warn, func(r *running) { r.plans.Rules = nil }},
		{"shifts that nobody works", paid, "attendance", "shifts", Warn, func(r *running) { r.plans.Roster = nil }},
		{"last year's holidays", paid, "attendance", "holidays", Warn, func(r *running) { r.plans.Calendar.Days[0].Date = "2020-01-01" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sound()
			c.change(&r)
			want(t, look(c.more, r), c.area, c.check, c.verdict)
		})
	}
	for _, c := range look("", sound()).Checks {
		if c.Area == "parking" || c.Area == "attendance" {
			t.Errorf("a site without them is told of %s", c.Name)
		}
	}
	config, _ := site(t, paid)
	for _, c := range examine(t, config, "parking", "attendance").Checks {
		if c.Area != "configuration" && c.Name != "seller" && (c.Verdict != Skipped || !strings.Contains(c.Reason, "no server")) {
			t.Errorf("without a server %s is %s", c.Name, c.Verdict)
		}
	}
}
