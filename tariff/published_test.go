package tariff

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// testdata/published holds tariffs as car parks publish them. Their comments name the
// source, what was left out, and stays with what they cost:
//
//	# source: https://…
//	# example: 2026-03-02 09:10 + 1h20m car = 2.60
//
// with "lost", or validations ("time:1h", "money:1.00", "full"), between the class and
// the price. "by the source" after it marks a price that the source itself states for such a
// time; the others follow from several of its prices. The sources were read once; they
// say what tariffs look like, not what those places charge today.
var exampleLine = regexp.MustCompile(`^# example: (\d{4}-\d\d-\d\d \d\d:\d\d) \+ (\S+) (\S+)((?: \S+)*) = ([\d.]+)( by the source)?$`)

func TestPublishedTariffs(t *testing.T) {
	files, err := filepath.Glob("testdata/published/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	sourced, examples, given := 0, 0, 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yml"), func(t *testing.T) {
			tariff, problems := Read(raw)
			for _, p := range problems {
				t.Error(p)
			}
			if len(problems) > 0 {
				return
			}
			if strings.Contains(string(raw), "# source: https://") || strings.Contains(string(raw), "# source: http://") {
				sourced++
			} else if !strings.Contains(string(raw), "# typical form") {
				t.Error("neither a source nor the word that it is a typical form")
			}
			here := 0
			for line := range strings.Lines(string(raw)) {
				line = strings.TrimSpace(line)
				if !strings.HasPrefix(line, "# example") {
					continue
				}
				here++
				if worked(t, tariff, line) {
					given++
				}
			}
			if here < 2 {
				t.Errorf("only %d examples", here)
			}
			examples += here
		})
	}
	t.Logf("%d published tariffs with %d worked examples, %d of them worked by the source", sourced, examples, given)
	if sourced < 40 || examples < 160 {
		t.Errorf("only %d tariffs with a source, %d examples", sourced, examples)
	}
}

// worked charges one example.
func worked(t *testing.T, tariff gatehouse.Tariff, line string) (bySource bool) {
	t.Helper()
	parts := exampleLine.FindStringSubmatch(line)
	if parts == nil {
		t.Errorf("cannot be read: %s", line)
		return false
	}
	entered, err := time.ParseInLocation("2006-01-02 15:04", parts[1], tariff.Versions[0].Zone)
	if err != nil {
		t.Fatal(err)
	}
	stay := gatehouse.Stay{Class: gatehouse.VehicleClass(parts[3]), Entered: entered}
	r := &reader{currency: tariff.Versions[0].Currency, zone: tariff.Versions[0].Zone}
	until := entered.Add(r.duration(scalar(parts[2]), ""))
	var rights parking.Rights
	for word := range strings.FieldsSeq(parts[4]) {
		if word == "lost" {
			stay.LostTicket = true
			continue
		}
		v, err := ParseValidation(word, tariff.Versions[0].Currency)
		if err != nil {
			t.Fatal(err)
		}
		rights.Validations = append(rights.Validations, v)
	}
	v, err := parking.InForce(tariff, entered)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parking.Charge(stay, until, v, rights)
	if err != nil {
		t.Fatal(err)
	}
	if want := r.amount(scalar(parts[5]), ""); c.Total.Minor != want || len(r.found) > 0 {
		t.Errorf("%s\n  costs %s: %v", line, c.Total, r.found)
		for _, l := range c.Lines {
			t.Errorf("    %s – %s  %8s  %s", l.From.Format("Mon 15:04"), l.Until.Format("Mon 15:04"), gatehouse.Money{Minor: l.Amount, Currency: v.Currency}.Decimal(), parking.Say(l, v.Currency, "en"))
		}
	}
	return parts[6] != ""
}
