package parking

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// A month is the calendar's, of the site, also where the next one is shorter or clocks change.
func TestRenewal(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ until, now, from, to string }{
		{"2026-01-15T00:00:00+01:00", "2026-01-10T12:00:00+01:00", "2026-01-15T00:00:00+01:00", "2026-02-15T00:00:00+01:00"},
		{"2026-01-31T12:00:00+01:00", "2026-01-10T12:00:00+01:00", "2026-01-31T12:00:00+01:00", "2026-02-28T12:00:00+01:00"},
		{"2028-01-31T12:00:00+01:00", "2028-01-10T12:00:00+01:00", "2028-01-31T12:00:00+01:00", "2028-02-29T12:00:00+01:00"},
		{"2026-12-31T23:59:00+01:00", "2026-12-01T12:00:00+01:00", "2026-12-31T23:59:00+01:00", "2027-01-31T23:59:00+01:00"},
		{"2026-03-01T00:00:00+01:00", "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		{"2026-01-15T00:00:00+01:00", "2026-06-10T08:30:20+02:00", "2026-06-10T08:30:00+02:00", "2026-07-10T08:30:00+02:00"}, // it was over
	} {
		at := func(s string) time.Time {
			v, err := time.Parse(time.RFC3339, s)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		p := gatehouse.Pass{Kind: gatehouse.SeasonPass, Until: at(c.until), Price: gatehouse.Money{Minor: 1, Currency: "EUR"}}
		from, until, ok := Renewal(p, at(c.now), berlin)
		if !ok || !from.Equal(at(c.from)) || !until.Equal(at(c.to)) {
			t.Errorf("until %s, asked for at %s: %v to %v", c.until, c.now, from, until)
		}
	}
	for _, p := range []gatehouse.Pass{{Kind: gatehouse.SeasonPass, Until: time.Now()}, {Kind: gatehouse.UsesPass, Until: time.Now(), Price: gatehouse.Money{Minor: 1, Currency: "EUR"}}} {
		if _, _, ok := Renewal(p, time.Now(), time.UTC); ok {
			t.Errorf("%+v can be renewed", p)
		}
	}
}

func TestPaidBy(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	stay := gatehouse.Stay{Class: gatehouse.Car}
	due := gatehouse.Money{Minor: 400, Currency: "EUR"}
	purse := func(id byte, holds int64, c gatehouse.Currency, change func(*gatehouse.Pass)) Purse {
		p := gatehouse.Pass{ID: gatehouse.ID{id}, Kind: gatehouse.ValuePass, From: now.Add(-time.Hour)}
		if change != nil {
			change(&p)
		}
		return Purse{p, gatehouse.Money{Minor: holds, Currency: c}}
	}
	for name, c := range map[string]struct {
		same    bool
		purses  []Purse
		invoice bool
		by      Payer
		pass    byte
	}{
		"exactly enough":           {true, []Purse{purse(1, 400, "EUR", nil)}, false, PaysPass, 1},
		"one minor unit too few":   {true, []Purse{purse(1, 399, "EUR", nil)}, false, "", 0},
		"the second has enough":    {true, []Purse{purse(1, 399, "EUR", nil), purse(2, 500, "EUR", nil)}, false, PaysPass, 2},
		"another currency":         {true, []Purse{purse(1, 4000, "USD", nil)}, false, "", 0},
		"it is over":               {true, []Purse{purse(1, 4000, "EUR", func(p *gatehouse.Pass) { p.Until = now })}, false, "", 0},
		"of another class":         {true, []Purse{purse(1, 4000, "EUR", func(p *gatehouse.Pass) { p.Classes = []gatehouse.VehicleClass{gatehouse.Truck} })}, false, "", 0},
		"too few, and an account":  {true, []Purse{purse(1, 1, "EUR", nil)}, true, PaysInvoice, 0},
		"read as another":          {false, []Purse{purse(1, 4000, "EUR", nil)}, true, "", 0},
		"a season pass with money": {true, []Purse{purse(1, 4000, "EUR", func(p *gatehouse.Pass) { p.Kind = gatehouse.SeasonPass })}, false, "", 0},
	} {
		if by, pass := PaidBy(stay, c.same, due, now, c.purses, c.invoice); by != c.by || pass != (gatehouse.ID{c.pass}) {
			t.Errorf("%s: paid by %q, %v", name, by, pass)
		}
	}
	if by, _ := PaidBy(stay, true, gatehouse.Money{Currency: "EUR"}, now, nil, true); by != "" {
		t.Error("nothing is due, and an invoice is sent")
	}
}

func TestCheckBuyer(t *testing.T) {
	whole := gatehouse.InvoiceBuyer{Fapiao: gatehouse.SpecialFapiao, Name: " 北方公司 ", TaxNumber: "9135 0100 m000100y43", Address: "福州", Phone: "1", Bank: "工行", BankAccount: "62"}
	got, _, err := CheckBuyer(whole)
	if err != nil || got.Name != "北方公司" || got.TaxNumber != "91350100M000100Y43" {
		t.Errorf("%+v %v", got, err)
	}
	for field, change := range map[string]func(*gatehouse.InvoiceBuyer){
		"name":         func(b *gatehouse.InvoiceBuyer) { b.Name = " " },
		"tax_number":   func(b *gatehouse.InvoiceBuyer) { b.TaxNumber = "91350100M000100Y4" },
		"bank":         func(b *gatehouse.InvoiceBuyer) { b.Bank = "" },
		"bank_account": func(b *gatehouse.InvoiceBuyer) { b.BankAccount = strings.Repeat("1", 201) },
		"address":      func(b *gatehouse.InvoiceBuyer) { b.Address = "a\nb" },
		"phone":        func(b *gatehouse.InvoiceBuyer) { b.Phone = "\xff" },
		"fapiao":       func(b *gatehouse.InvoiceBuyer) { b.Fapiao = "golden" },
	} {
		b := whole
		change(&b)
		_, at, err := CheckBuyer(b)
		if at != field || gatehouse.ErrorCode(err) != "parking.buyer" {
			t.Errorf("%s: %q %v", field, at, err)
		}
		if err != nil && (strings.Contains(err.Error(), "北方") || strings.Contains(err.Error(), "9135")) {
			t.Errorf("the error says what was typed: %v", err)
		}
	}
	if _, _, err := CheckBuyer(gatehouse.InvoiceBuyer{Name: "North Ltd", TaxNumber: "DE123456789"}); err != nil {
		t.Errorf("an invoice that is no fapiao: %v", err)
	}
}
