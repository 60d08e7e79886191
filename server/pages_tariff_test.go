package server

import (
	"maps"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// A tariff is changed by its form: what it would cost is shown before, what is wrong is refused
// by its field, what was saved is a version behind the others, and two people do not overwrite
// each other.
func TestATariffIsChangedByAForm(t *testing.T) {
	s := open(t, carPark(t))
	p := parkingPages{s.stays, s}
	if _, err := p.PutTariff(t.Context(), []byte("# by the council\n"+strings.TrimPrefix(hourly, "\n")), "chief"); err != nil {
		t.Fatal(err)
	}
	d, err := p.DraftTariff("centre")
	if err != nil || d.Revision != 1 || d.Versions != 1 || d.Comments != 1 || d.Values["plans[0].periods[0].steps[0].price"] != "2.00" || d.Values["from"] == "2020-01-01" {
		t.Fatalf("%+v, %v", d, err)
	}
	price := "plans[0].periods[0].steps[0].price"
	d.Values[price], d.For = "3.00", "2h"
	trial := p.TryTariff(d, "zh")
	if len(trial.Problems) > 0 || trial.Example.Charge.Total.String() != "6.00 EUR" || len(trial.Example.Lines) != 1 || !strings.Contains(trial.Example.Lines[0].Says, "小时") || !strings.HasPrefix(string(trial.Chart), "<svg") {
		t.Errorf("what it would cost: %+v", trial.Example)
	}
	for field, text := range map[string]string{price: "-1", "currency": "USD", "plans[0].periods[0].hours": "08:00-18:00", "from": "2019-01-01"} {
		wrong := d
		wrong.Values = maps.Clone(d.Values)
		wrong.Values[field] = text
		for _, problems := range [][]console.TariffProblem{p.TryTariff(wrong, "en").Problems, func() []console.TariffProblem {
			_, found, err := p.PutTariffDraft(t.Context(), wrong, "chief")
			if err != nil {
				t.Error(err)
			}
			return found
		}()} {
			if len(problems) == 0 || problems[0].Field != field && problems[0].Field != "plans[0].periods" {
				t.Errorf("%s %s: %+v", field, text, problems)
			}
			for _, x := range problems {
				if x.Reason == "" || x.Chinese == "" || x.Reason == x.Chinese || strings.Contains(x.Chinese, "%!") {
					t.Errorf("%s %s is not said in both languages: %+v", field, text, x)
				}
			}
		}
	}
	other := d
	other.Values = maps.Clone(d.Values)
	saved, problems, err := p.PutTariffDraft(t.Context(), d, "chief")
	if err != nil || len(problems) > 0 || saved.Revision != 2 || !strings.HasPrefix(string(saved.Body), "# by the council\n") {
		t.Fatalf("%+v %v %v", saved, problems, err)
	}
	if read, err := ReadTariff(saved.Body); err != nil || len(read.Versions) != 2 || !read.Versions[1].From.After(time.Now()) {
		t.Errorf("%s, %v", saved.Body, err)
	}
	if _, _, err := p.PutTariffDraft(t.Context(), other, "deputy"); gatehouse.ErrorCode(err) != "parking.changed" {
		t.Errorf("saved over another's change: %v", err)
	}
	fresh, err := p.DraftTariff("")
	if err != nil || fresh.Currency != "EUR" {
		t.Fatal(fresh, err)
	}
	fresh.Name = "centre"
	if _, _, err := p.PutTariffDraft(t.Context(), fresh, "chief"); gatehouse.ErrorCode(err) != "parking.changed" {
		t.Errorf("a new tariff by the name of another: %v", err)
	}
	fresh.Name = "roof"
	if _, problems, err := p.PutTariffDraft(t.Context(), fresh, "chief"); err != nil || len(problems) > 0 {
		t.Errorf("a new tariff: %v %v", problems, err)
	}
	if _, err := p.DraftTariff("none"); gatehouse.ErrorCode(err) != "parking.unknown_tariff" {
		t.Error(err)
	}
}
