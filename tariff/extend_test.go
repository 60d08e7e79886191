package tariff

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// manual is the file that docs/parking.md shows: every word of one.
func manual(t *testing.T) []byte {
	t.Helper()
	page, err := os.ReadFile("../docs/parking.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/parking.md shows no file")
	}
	return []byte(text)
}

func files(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"manual": manual(t)}
	names, _ := filepath.Glob("testdata/published/*.yml")
	if len(names) < 40 {
		t.Fatalf("%d published tariffs", len(names))
	}
	for i, name := range names {
		if i%3 != 0 { // a third shows every form of it, in a third of the time
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = raw
	}
	return all
}

// Every tariff that was published goes through a form and comes back as it was: in the place of
// its last version, and as another version behind it.
func TestWhatAFormSavesIsWhatItShowed(t *testing.T) {
	for name, raw := range files(t) {
		_, d, kept, err := Last(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		was, _ := Read(raw)
		same, problems := Extend(raw, d)
		if len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
			continue
		}
		if is, _ := Read(same); !cmp.Equal(was, is, byName) {
			t.Errorf("%s: what was saved unchanged is another tariff: %s", name, cmp.Diff(was, is, byName))
		}
		if _, again, k, err := Last(same); err != nil || !maps.Equal(d, again) || k != kept {
			t.Errorf("%s: it is shown otherwise: %v %+v, not %+v", name, err, k, kept)
		}
		d["from"], d["until"] = "2099-01-01", ""
		last := was.Versions[len(was.Versions)-1]
		if !last.Until.IsZero() {
			d["from"] = last.Until.Format("2006-01-02 15:04")
		}
		longer, problems := Extend(raw, d)
		if len(problems) > 0 {
			t.Errorf("%s: another version: %v", name, problems)
			continue
		}
		// All that stood there still does, in its order.
		rest := longer
		for line := range bytes.Lines(raw) {
			at := bytes.Index(rest, bytes.TrimRight(line, "\n"))
			if at < 0 {
				t.Errorf("%s: the line %q is gone", name, line)
				break
			}
			rest = rest[at:]
		}
		is, _ := Read(longer)
		if len(is.Versions) != len(was.Versions)+1 {
			t.Errorf("%s: %d versions", name, len(is.Versions))
			continue
		}
		a, b := was.Versions[len(was.Versions)-1], is.Versions[len(was.Versions)]
		if !reflect.DeepEqual(a.Plans, b.Plans) || a.Tax != b.Tax || a.Round != b.Round || a.Grace != b.Grace || a.Cut != b.Cut {
			t.Errorf("%s: the new version charges otherwise", name)
		}
	}
}

// byName compares time zones that were loaded twice.
var byName = cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })

// What stands behind the versions, between them and in comments stays; comments of a version
// that is replaced stand before it.
func TestAFormKeepsWhatItDoesNotShow(t *testing.T) {
	raw := `# Centre: ask Ms Meier
tariff: centre
currency: EUR
time_zone: Europe/Berlin
versions:
  - from: 2026-01-01 # the council's decision 17
    grace: 10m
    plans:
      # cars and all else
      - classes: [car]
        periods: [{steps: [{block: 1h, price: 2.00}]}]

# feasts
holidays: {christmas: 12-25}
`
	_, d, kept, err := Last([]byte(raw))
	if err != nil || kept != (Kept{Versions: 0, Holidays: 1, Comments: 4}) {
		t.Fatalf("%+v, %v", kept, err)
	}
	d["plans[0].periods[0].steps[0].price"] = "2.50"
	out, problems := Extend([]byte(raw), d)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, want := range []string{"# Centre: ask Ms Meier\n", "# the council's decision 17\n", "# cars and all else\n", "\n# feasts\nholidays: {christmas: 12-25}\n", "price: 2.50"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is gone:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "2.00") {
		t.Errorf("the version was not replaced:\n%s", out)
	}
	flow := strings.Replace(raw, raw[strings.Index(raw, "versions:"):strings.Index(raw, "\n# feasts")], "versions: [{from: 2026-01-01, plans: [{classes: [car], periods: [{steps: [{block: 1h, price: 2.00}]}]}]}]\n", 1)
	if _, problems := Read([]byte(flow)); len(problems) > 0 {
		t.Fatal(problems)
	}
	if _, problems := Extend([]byte(flow), d); len(problems) != 1 || problems[0].Code != "tariff.form" {
		t.Errorf("a file on one line: %v", problems)
	}
}

// What cannot be charged by is refused, with the field's name.
func TestAFormIsRefusedByItsField(t *testing.T) {
	raw := manual(t)
	for _, c := range []struct{ name, field, text, code, at string }{
		{"a gap", "plans[0].periods[0].hours", "08:00-20:00", "tariff.gap", "plans[0].periods"},
		{"an overlap", "plans[0].periods[0].hours", "06:00-20:00", "tariff.overlap", "plans[0].periods[1]"},
		{"a negative price", "plans[0].periods[0].steps[0].price", "-2.00", "tariff.price", "plans[0].periods[0].steps[0].price"},
		{"too many digits", "plans[0].periods[0].cap", "12.005", "tariff.price", "plans[0].periods[0].cap"},
		{"another currency", "currency", "USD", "tariff.currency", "currency"},
		{"no number", "validations", "two", "tariff.validations", "validations"},
		{"before the last version", "from", "2025-01-01", "tariff.order", "from"},
		{"no date", "from", "soon", "tariff.date", "from"},
		{"a quote", "from", `2026-01-01" #`, "tariff.date", "from"},
		{"another line", "grace", "10m\n    validations: 9", "tariff.duration", "grace"},
		{"a word of another kind", "round.how", "up}, plans: [", "tariff.round", "round.how"},
		{"an end before the begin", "until", "2020-01-01", "tariff.order", "until"},
		{"an unknown class of thing", "boundary", "jump", "tariff.boundary", "boundary"},
	} {
		_, d, _, err := Last(raw)
		if err != nil {
			t.Fatal(err)
		}
		d["from"] = "2027-01-01"
		d[c.field] = c.text
		out, problems := Extend(raw, d)
		if out != nil || !slices.ContainsFunc(problems, func(p Problem) bool { return p.Code == c.code && p.Path == c.at && p.Reason != "" }) {
			t.Errorf("%s: %v, want %s at %s", c.name, problems, c.code, c.at)
		}
	}
}

// A name may be anything that people write.
func TestANameIsOneWord(t *testing.T) {
	h := Head{"new", "EUR", "Europe/Berlin"}
	for _, name := range []string{`"`, `a: b`, `- x`, "# y", "'z'", "日间", "a\\nb", "{", "yes", "1", "<b>&"} {
		d := Draft{"from": "2026-01-01", "plans[0].classes": "car", "plans[0].periods[0].name": name, "plans[0].periods[0].steps[0].block": "1h", "plans[0].periods[0].steps[0].price": "2"}
		raw, problems := New(h, d)
		got, _ := Read(raw)
		if len(problems) > 0 || got.Versions[0].Plans[0].Periods[0].Name != name {
			t.Errorf("%q: %v\n%s", name, problems, raw)
		}
	}
	d := Draft{"from": "2026-01-01", "plans[0].classes": "car, ev", "plans[2].classes": "bus", "plans[2].periods[7].flat": "3", "plans[0].periods[1].steps[4].block": "1h", "plans[0].periods[1].steps[4].price": "2", "plans[0].periods[3].name": " "}
	raw, problems := New(h, d)
	if tidy := d.Tidy(); len(problems) > 0 || tidy["plans[1].periods[0].flat"] != "3" || tidy["plans[0].periods[0].steps[0].price"] != "2" {
		t.Errorf("empty rows: %v, %v\n%s", problems, tidy, raw)
	}
}
