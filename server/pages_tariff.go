package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"html/template"
	"maps"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/rules/parking"
	"gatehouse/tariff"
)

// DraftTariff implements console.TariffForms. A new version is proposed from tomorrow on; one
// that is not in force yet is shown as it is, to be changed.
func (p parkingPages) DraftTariff(name string) (console.TariffDraft, error) {
	if name == "" {
		zone := p.server.site.Location
		return console.TariffDraft{Currency: string(cmp.Or(p.usualCurrency(), "EUR")), TimeZone: zone.String(), Class: string(gatehouse.Car), For: "2h30m", Values: map[string]string{
			"from": tomorrow(time.Now(), zone), "grace": "10m", "exit_within": "15m", "plans[0].classes": "car", "plans[0].periods[0].name": "day",
			"plans[0].periods[0].steps[0].block": "1h", "plans[0].periods[0].steps[0].price": "2", "plans[0].caps[0].per": "day", "plans[0].caps[0].amount": "20"}}, nil
	}
	all, err := p.TariffHistory(name)
	if err != nil {
		return console.TariffDraft{}, err
	}
	head, values, kept, err := tariff.Last(all[0].Body)
	if err != nil {
		return console.TariffDraft{}, err
	}
	t, err := ReadTariff(all[0].Body)
	if err != nil {
		return console.TariffDraft{}, err
	}
	switch last := t.Versions[len(t.Versions)-1]; {
	case !last.Until.IsZero():
		values["from"] = last.Until.Format("2006-01-02 15:04")
		delete(values, "until")
		kept.Versions++
	case !last.From.After(time.Now()):
		values["from"] = tomorrow(time.Now(), last.Zone)
		kept.Versions++
	}
	return console.TariffDraft{Name: name, Currency: head.Currency, TimeZone: head.TimeZone, Revision: all[0].Revision, Values: values, Versions: kept.Versions, Holidays: kept.Holidays, Comments: kept.Comments,
		Class: string(gatehouse.Car), For: "2h30m"}, nil
}

func tomorrow(now time.Time, zone *time.Location) string {
	return now.In(zone).AddDate(0, 0, 1).Format(time.DateOnly)
}

// usualCurrency is that of the tariffs that are there, "" for none.
func (p parkingPages) usualCurrency() gatehouse.Currency {
	for _, stored := range p.TariffList() {
		if t, err := ReadTariff(stored.Body); err == nil {
			return t.Versions[0].Currency
		}
	}
	return ""
}

// written is a draft as its file.
func (p parkingPages) written(d console.TariffDraft) ([]byte, []tariff.Problem) {
	values := tariff.Draft(maps.Clone(d.Values))
	if d.Revision == 0 {
		delete(values, "currency") // the whole file's
		return tariff.New(tariff.Head{Name: d.Name, Currency: d.Currency, TimeZone: d.TimeZone}, values)
	}
	all, err := p.TariffHistory(d.Name)
	if err != nil {
		return nil, tariff.Unwritten("the tariff is not there any more")
	}
	body := all[0].Body
	if i := len(all) - d.Revision; i >= 0 && i < len(all) {
		body = all[i].Body // that the form was made of; saving finds out that there is a newer one
	}
	if head, last, _, err := tariff.Last(body); err == nil && last["currency"] == "" && values["currency"] == head.Currency {
		delete(values, "currency")
	}
	return tariff.Extend(body, values)
}

// sampled are the lengths of stay whose price is shown.
var sampled = []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// TryTariff implements console.TariffForms.
func (p parkingPages) TryTariff(d console.TariffDraft, lang string) console.TariffTrial {
	out := console.TariffTrial{Values: tariff.Draft(d.Values).Tidy()}
	raw, problems := p.written(d)
	if len(problems) > 0 {
		out.Problems = tariffProblems(problems)
		return out
	}
	if err := try(&out, raw, d, lang); err != nil {
		var e *gatehouse.Error
		if errors.As(err, &e) {
			out.Problems = []console.TariffProblem{{Code: e.Code, Reason: e.Public(), Chinese: parking.Chinese(e.Message)}}
		}
	}
	return out
}

func tariffProblems(all []tariff.Problem) (out []console.TariffProblem) {
	for _, p := range all {
		out = append(out, console.TariffProblem{Field: p.Path, Code: p.Code, Reason: p.Reason, Chinese: p.Chinese})
	}
	return out
}

func try(out *console.TariffTrial, raw []byte, d console.TariffDraft, lang string) error {
	t, _ := tariff.Read(raw)
	v := t.Versions[len(t.Versions)-1]
	at, length, class := tariff.FirstMonday(v.From), 2*time.Hour+30*time.Minute, gatehouse.VehicleClass(cmp.Or(d.Class, string(gatehouse.Car)))
	var err error
	if d.At != "" {
		if at, err = tariff.ParseMoment(d.At, v.Zone); err != nil {
			return err
		}
	}
	if d.For != "" {
		if length, err = tariff.ParseDuration(d.For); err != nil {
			return err
		}
	}
	charge := func(length time.Duration) (gatehouse.Charge, error) {
		return parking.Charge(gatehouse.Stay{Class: class, Entered: at}, at.Add(length), v, parking.Rights{})
	}
	for _, length := range sampled {
		c, err := charge(length)
		if err != nil {
			return err
		}
		out.Samples = append(out.Samples, console.TariffSample{Length: parking.Spoken(length, lang), Total: c.Total})
	}
	if out.Example.Charge, err = charge(length); err != nil {
		return err
	}
	for _, l := range out.Example.Charge.Lines {
		out.Example.Lines = append(out.Example.Lines, console.StayLine{Says: parking.Say(l, v.Currency, lang), Amount: gatehouse.Money{Minor: l.Amount, Currency: v.Currency}})
	}
	curve, err := tariff.Price(v, class, at, charted)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := curve.SVG(&b); err != nil {
		return err
	}
	out.Chart = template.HTML(b.String()) //nolint:gosec // SVG escapes what stands in a file, which its test shows
	return nil
}

// PutTariffDraft implements console.TariffForms.
func (p parkingPages) PutTariffDraft(ctx context.Context, d console.TariffDraft, by string) (gatehouse.StoredTariff, []console.TariffProblem, error) {
	raw, problems := p.written(d)
	if len(problems) > 0 {
		return gatehouse.StoredTariff{}, tariffProblems(problems), nil
	}
	defer p.server.committed()
	t, err := p.PutTariffAfter(ctx, raw, by, d.Revision)
	return t, nil, err
}
