package tariff

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/rules/parking"
)

func published(t *testing.T, name string) gatehouse.TariffVersion {
	t.Helper()
	raw, err := os.ReadFile("testdata/published/" + name + ".yml")
	if err != nil {
		t.Fatal(err)
	}
	tariff, problems := Read(raw)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return tariff.Versions[0]
}

// The curve is what Charge says, at every minute.
func TestCurveIsWhatIsCharged(t *testing.T) {
	v := published(t, "gb-stoke-john-street")
	from := time.Date(2026, 3, 6, 17, 20, 0, 0, v.Zone)
	curve, err := Price(v, gatehouse.Car, from, 30*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for d := time.Duration(0); d <= 30*time.Hour; d += time.Minute {
		c, err := parking.Charge(gatehouse.Stay{Class: gatehouse.Car, Entered: from}, from.Add(d), v, parking.Rights{})
		if err != nil || curve.at(d) != c.Total.Minor {
			t.Fatalf("after %v the curve says %d, the charge is %s, %v", d, curve.at(d), c.Total, err)
		}
	}
	if _, err := Price(v, gatehouse.Car, from, MaxChart+time.Minute); gatehouse.ErrorCode(err) != "tariff.chart" {
		t.Errorf("a chart without end: %v", err)
	}
}

// A name from a file can put nothing into a page.
func TestSVGIsWellFormed(t *testing.T) {
	curve, err := Price(published(t, "jp-24h-900"), `"><script>alert(1)</script>`, time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := curve.SVG(&b); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for d := xml.NewDecoder(&b); ; {
		tk, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if e, ok := tk.(xml.StartElement); ok {
			if e.Name.Local == "script" {
				t.Fatal("a script got into the picture")
			}
			for _, a := range e.Attr {
				if a.Name.Local == "d" {
					steps = strings.Count(a.Value, "V")
				}
			}
		}
	}
	if steps != 18 { // 9 steps of 100 to the cap of 900, on each of two days
		t.Errorf("the line has %d steps", steps)
	}
}

func TestTextKeepsItsWidth(t *testing.T) {
	for _, name := range []string{"jp-24h-900", "us-binghamton", "fr-lyon-nocturne-2017"} {
		v := published(t, name)
		curve, err := Price(v, gatehouse.Car, time.Date(2026, 3, 2, 9, 0, 0, 0, v.Zone), 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := curve.Text(&b, 72, 12); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != 14 || !strings.Contains(b.String(), "█") {
			t.Errorf("%s: %d lines\n%s", name, len(lines), b.String())
		}
		for _, l := range lines {
			if utf8.RuneCountInString(l) > 92 {
				t.Errorf("%s: a line of %d characters", name, utf8.RuneCountInString(l))
			}
		}
	}
}
