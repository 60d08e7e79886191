package tariff

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

const good = `# a comment
tariff: centre
currency: EUR
time_zone: Europe/Berlin
holidays: {christmas: 12-25, easter: 2026-04-05}
versions:
  - from: 2026-01-01
    grace: 10m
    exit_within: 15m
    tax: {name: VAT, percent: 19}
    round: {to: 0.10}
    validations: 1
    plans:
      - classes: [car]
        periods:
          - name: day
            days: mon-sat
            hours: 07:00-20:00
            steps:
              - {block: 1h, price: 2.00, for: 1h}
              - {block: 30m, price: 0.50}
            cap: 8.00
          - name: night
            days: mon-sat
            hours: 20:00-07:00
            flat: 3.00
          - {name: Sunday, days: "sun,holiday", flat: 2.00}
        caps:
          - {per: any_24h, amount: 12.00, across_stays: true}
        lost_ticket: {price: 20, how: at_least}
  - from: 2027-01-01 06:00
    plans:
      - classes: [car, motorbike]
        periods:
          - {steps: [{block: 1h, price: 1}]}
`

func TestRead(t *testing.T) {
	tariff, problems := Read([]byte(good))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	v := tariff.Versions[0]
	if tariff.Name != "centre" || v.Currency != "EUR" || v.Zone.String() != "Europe/Berlin" || v.Grace != 10*time.Minute || v.Tax.BasisPoints != 1900 || v.Round.To != 10 ||
		!v.Until.Equal(tariff.Versions[1].From) || !tariff.Versions[1].Until.IsZero() || tariff.Versions[1].From.Hour() != 6 || len(v.Holidays) != 2 {
		t.Errorf("%+v", tariff)
	}
	if p := v.Plans[0].Periods[0]; p.From != 420 || p.Until != 1200 || len(p.Days) != 6 || *p.Cap != 800 || p.Steps[1].Price != 50 || p.Steps[0].For != time.Hour {
		t.Errorf("%+v", p)
	}
	if l := v.Plans[0].Lost; l.Price != 2000 || l.How != gatehouse.LostAtLeast {
		t.Errorf("%+v", l)
	}
}

// What is wrong is refused with its line and a reason.
func TestReadRefuses(t *testing.T) {
	for _, c := range []struct {
		name, was, is string
		line          int
		code          string
		word          string // of the reason
	}{
		{"a gap", "hours: 07:00-20:00", "hours: 08:00-20:00", 16, "tariff.gap", "no period holds Monday, Tuesday, Wednesday, Thursday, Friday, Saturday from 07:00 to 08:00"},
		{"a day without a period", `days: "sun,holiday"`, "days: holiday", 16, "tariff.gap", "Sunday from 00:00 to 24:00"},
		{"a holiday without a period", `days: "sun,holiday"`, "days: sun", 16, "tariff.gap", "holidays from 00:00"},
		{"an overlap", "hours: 20:00-07:00", "hours: 19:30-07:00", 23, "tariff.overlap", "Saturday from 19:30 to 20:00 is in the period day, too"},
		{"a negative price", "price: 2.00", "price: -2.00", 20, "tariff.price", "not negative"},
		{"a negative flat rate", "flat: 3.00", "flat: -3.00", 26, "tariff.price", "not negative"},
		{"a currency that changes", "    plans:\n      - classes: [car, motorbike]", "    currency: CHF\n    plans:\n      - classes: [car, motorbike]", 32, "tariff.currency", "from EUR to CHF"},
		{"no currency", "currency: EUR", "currency: GOLD", 3, "tariff.currency", "no such currency"},
		{"a block of nothing", "block: 30m", "block: 0m", 21, "tariff.step", "1 minute to 31 days"},
		{"a price below the smallest coin", "price: 0.50", "price: 0.505", 21, "tariff.price", "at most 2 behind a point"},
		{"a number that is no number", "price: 0.50", "price: 5e9", 21, "tariff.price", "digits"},
		{"a price beyond all", "price: 0.50", "price: 99999999999.00", 21, "tariff.price", "larger"},
		{"a price beyond int64", "price: 0.50", "price: 99999999999999999999999999", 21, "tariff.price", "larger"},
		{"an unknown word", "cap: 8.00", "maximum: 8.00", 22, "tariff.malformed", "maximum"},
		{"a word twice", "cap: 8.00", "name: noon", 22, "tariff.malformed", "name"},
		{"hours that are none", "hours: 07:00-20:00", "hours: 7-20", 18, "tariff.hours", "07:00-19:00"},
		{"an hour beyond the day", "hours: 07:00-20:00", "hours: 07:00-24:30", 18, "tariff.hours", "07:00-19:00"},
		{"days that are none", "days: mon-sat\n            hours: 07", "days: mon-someday\n            hours: 07", 17, "tariff.days", "mon-fri"},
		{"a time zone that is none", "Europe/Berlin", "Europe/Atlantis", 4, "tariff.time_zone", "no such time zone"},
		{"a file of the system as a time zone", "Europe/Berlin", "../../etc/passwd", 4, "tariff.time_zone", "no such time zone"},
		{"a date that is none", "from: 2026-01-01", "from: 2026-02-30", 7, "tariff.date", "2026-01-31"},
		{"a version before the first", "from: 2027-01-01 06:00", "from: 2025-01-01", 31, "tariff.order", "later than the one before"},
		{"a time without a version", "grace: 10m", "until: 2026-06-01\n    grace: 10m", 32, "tariff.gap", "no version is in force"},
		{"two versions at once", "grace: 10m", "until: 2028-06-01\n    grace: 10m", 32, "tariff.overlap", "until 2028"},
		{"a holiday that is none", "christmas: 12-25", "christmas: 02-30", 5, "tariff.holiday", "12-25"},
		{"a grace of two days", "grace: 10m", "grace: 2d", 8, "tariff.duration", "0 to 24 hours"},
		{"no car", "classes: [car]", "classes: [bus]", 14, "tariff.class", "class car"},
		{"a class twice", "classes: [car, motorbike]", "classes: [car, car]", 33, "tariff.class", "two plans"},
		{"a last step with an end", "{block: 30m, price: 0.50}", "{block: 30m, price: 0.50, for: 3h}", 21, "tariff.step", "last step has no end"},
		{"a step in parts of its block", "price: 2.00, for: 1h", "price: 2.00, for: 90m", 20, "tariff.step", "whole number"},
		{"a cap that rounding breaks", "cap: 8.00", "cap: 8.05", 22, "tariff.cap", "multiple"},
		{"rounding up across stays", "round: {to: 0.10}", "round: {to: 0.10, how: up}", 29, "tariff.cap", "rounded down"},
		{"a cap per week", "per: any_24h", "per: week", 29, "tariff.cap", "any_24h"},
		{"a way to lose that is none", "how: at_least", "how: double", 30, "tariff.lost_ticket", "instead"},
		{"a total that falls", "{block: 1h, price: 2.00, for: 1h}", "{up_to: 1h, total: 3.00}\n              - {up_to: 2h, total: 2.00}", 21, "tariff.price", "does not cost less"},
		{"times that do not grow", "{block: 1h, price: 2.00, for: 1h}", "{up_to: 1h, total: 3.00}\n              - {up_to: 1h, total: 4.00}", 21, "tariff.step", "not later"},
		{"flat and steps", "flat: 3.00", "flat: 3.00\n            steps: [{block: 1h, price: 1}]", 26, "tariff.steps", "not both"},
		{"a step without a price", "{block: 30m, price: 0.50}", "{block: 30m}", 21, "tariff.price", "says 0"},
		{"an alias", "classes: [car, motorbike]", "classes: &x [car, motorbike]", 33, "tariff.malformed", "anchors"},
		{"no YAML", "versions:", "versions: [", 6, "tariff.malformed", ""},
	} {
		changed := strings.Replace(good, c.was, c.is, 1)
		if changed == good {
			t.Errorf("%s: nothing was changed", c.name)
			continue
		}
		_, problems := Read([]byte(changed))
		found := false
		for _, p := range problems {
			found = found || p.Code == c.code && p.Line == c.line && strings.Contains(p.Reason, c.word)
		}
		if !found {
			t.Errorf("%s: %v, want %s on line %d", c.name, problems, c.code, c.line)
		}
	}
	if _, problems := Read(make([]byte, MaxSize+1)); len(problems) != 1 || problems[0].Code != "tariff.too_large" {
		t.Errorf("a file of a mebibyte and a byte: %v", problems)
	}
	if _, problems := Read(nil); len(problems) == 0 {
		t.Error("nothing is a tariff")
	}
}

// Whatever stands in a file, reading it ends, and what passes can be charged by.
func FuzzRead(f *testing.F) {
	f.Add([]byte(good))
	names, _ := filepath.Glob("testdata/published/*.yml")
	for _, name := range names {
		if raw, err := os.ReadFile(name); err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tariff, problems := Read(raw)
		if len(problems) > 0 {
			return
		}
		for _, v := range tariff.Versions {
			if _, err := Price(v, gatehouse.Car, v.From, 26*time.Hour); err != nil {
				t.Error(err)
			}
		}
	})
}

// The manual is a tariff.
func TestTheManualIsSound(t *testing.T) {
	page, err := os.ReadFile("../docs/parking.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(page), "```yaml\n")
	block, _, end := strings.Cut(block, "```")
	if !ok || !end {
		t.Fatal("docs/parking.md shows no file")
	}
	tariff, problems := Read([]byte(block))
	for _, p := range problems {
		t.Error(p)
	}
	if len(problems) == 0 && (len(tariff.Versions[0].Plans) != 2 || len(tariff.Versions[0].Plans[0].Caps) != 5) {
		t.Errorf("%+v", tariff.Versions[0].Plans)
	}
	// Every word that a file may have stands in it.
	for _, word := range words(reflect.TypeFor[file]()) {
		if !strings.Contains(block, word+":") {
			t.Errorf("the manual does not show %s", word)
		}
	}
}
