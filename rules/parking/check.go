package parking

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// The bounds of a tariff. They keep whatever a file says within what can be charged
// in a moment and shown on a page.
const (
	maxPrice    = gatehouse.MaxMinor / 1_000_000 // a year of started minutes stays below MaxMinor
	maxVersions = 1000
	maxPlans    = 30
	maxPeriods  = 50
	maxSteps    = 100
	maxCaps     = 30
	maxHolidays = 2000
	maxBlock    = 31 * 24 * time.Hour
	maxGrace    = 24 * time.Hour
)

// checker collects problems. It goes on after the first: who mends a file wants all.
type checker struct{ found []Problem }

func (c *checker) say(code, path, format string, args ...any) {
	c.found = append(c.found, Wrong(code, path, format, args...))
}

// Check returns what is wrong with a tariff; nothing where it can be charged by.
func Check(t gatehouse.Tariff) []Problem {
	c := &checker{}
	if gatehouse.CheckName(t.Name) != nil {
		c.say("name", "tariff", "a tariff's name is lower-case letters, digits and hyphens, at most 40")
	}
	if len(t.Versions) == 0 || len(t.Versions) > maxVersions {
		c.say("versions", "versions", "a tariff has 1 to %d versions", maxVersions)
		return c.found
	}
	for i := range t.Versions {
		v, path := &t.Versions[i], fmt.Sprintf("versions[%d]", i)
		if i > 0 {
			c.after(&t.Versions[i-1], v, path)
		}
		c.version(v, path)
	}
	return c.found
}

// after compares a version with the one before it.
func (c *checker) after(before, v *gatehouse.TariffVersion, path string) {
	if v.Currency != before.Currency {
		c.say("currency", path+".currency", "the currency changes from %s to %s: that is another tariff", before.Currency, v.Currency)
	}
	switch {
	case !v.From.After(before.From):
		c.say("order", path+".from", "a version begins later than the one before it")
	case !before.Until.IsZero() && before.Until.Before(v.From):
		c.say("gap", path+".from", "from %s until %s no version is in force", before.Until.Format(time.DateTime), v.From.Format(time.DateTime))
	case !before.Until.IsZero() && before.Until.After(v.From):
		c.say("overlap", path+".from", "the version before it is in force until %s", before.Until.Format(time.DateTime))
	}
}

func (c *checker) version(v *gatehouse.TariffVersion, path string) {
	if _, ok := v.Currency.Exponent(); !ok {
		c.say("currency", path+".currency", "there is no such currency; use a code of ISO 4217, such as EUR or CNY")
	}
	if v.Zone == nil {
		c.say("time_zone", path+".time_zone", "there is no such time zone; use a name such as Europe/Berlin")
	}
	if !v.Until.IsZero() && !v.Until.After(v.From) {
		c.say("order", path+".until", "it ends before it begins")
	}
	for _, d := range []struct {
		name string
		time.Duration
	}{{"grace", v.Grace}, {"complimentary", v.Complimentary}, {"exit_within", v.ExitWithin}} {
		if d.Duration < 0 || d.Duration > maxGrace || d.Duration%time.Minute != 0 {
			c.say("duration", path+"."+d.name, "it may be 0 to 24 hours, in whole minutes")
		}
	}
	if v.MaxValidations < 0 || v.MaxValidations > 100 {
		c.say("validations", path+".validations", "0 to 100 may count")
	}
	if len(v.Holidays) > maxHolidays {
		c.say("holidays", path+".holidays", "more than %d holidays", maxHolidays)
	}
	for i, h := range v.Holidays {
		year := h.Year
		if year == 0 {
			year = 2024 // a leap year: 29 February may be one
		}
		if d := time.Date(year, h.Month, h.Day, 0, 0, 0, 0, time.UTC); d.Month() != h.Month || d.Day() != h.Day || year < 1970 || year > 9999 {
			c.say("holiday", fmt.Sprintf("%s.holidays[%d]", path, i), "there is no such day")
		}
	}
	if v.Tax.BasisPoints < 0 || v.Tax.BasisPoints > 10_000 {
		c.say("tax", path+".tax.percent", "a tax is 0 to 100 per cent")
	}
	if v.Round.To < 0 || v.Round.To > maxPrice {
		c.say("round", path+".round.to", "a price is rounded to an amount that is larger than nothing")
	}
	if _, ok := gatehouse.MulDiv(1, 1, 1, v.Round.How); v.Round.To > 0 && !ok {
		c.say("round", path+".round.how", "it may be down, up, half_up or half_even")
	}
	c.plans(v, path)
}

func (c *checker) plans(v *gatehouse.TariffVersion, path string) {
	if len(v.Plans) == 0 || len(v.Plans) > maxPlans {
		c.say("plans", path+".plans", "a tariff has 1 to %d plans", maxPlans)
		return
	}
	seen := map[gatehouse.VehicleClass]bool{}
	for i := range v.Plans {
		p, at := &v.Plans[i], fmt.Sprintf("%s.plans[%d]", path, i)
		if len(p.Classes) == 0 {
			c.say("class", at+".classes", "a plan is for some class of vehicle")
		}
		for j, class := range p.Classes {
			switch {
			case gatehouse.CheckName(string(class)) != nil:
				c.say("class", fmt.Sprintf("%s.classes[%d]", at, j), "a class is a name of lower-case letters, digits and hyphens")
			case seen[class]:
				c.say("class", fmt.Sprintf("%s.classes[%d]", at, j), "two plans are for the class %s", class)
			}
			seen[class] = true
		}
		c.plan(v, p, at)
	}
	if !seen[gatehouse.Car] {
		c.say("class", path+".plans", "no plan is for the class car, by which vehicles of any other class are charged")
	}
}

func (c *checker) plan(v *gatehouse.TariffVersion, p *gatehouse.Plan, path string) {
	if len(p.Periods) == 0 || len(p.Periods) > maxPeriods {
		c.say("periods", path+".periods", "a plan has 1 to %d periods", maxPeriods)
		return
	}
	whole := true
	for i := range p.Periods {
		whole = c.period(v, &p.Periods[i], fmt.Sprintf("%s.periods[%d]", path, i)) && whole
	}
	if whole {
		c.coverage(p, path, len(v.Holidays) > 0)
	}
	c.caps(v, p, path)
	switch p.Lost.How {
	case "", gatehouse.LostInstead, gatehouse.LostAtLeast, gatehouse.LostAdded:
	default:
		c.say("lost_ticket", path+".lost_ticket.how", "it may be instead, at_least or added")
	}
	c.price(v, p.Lost.Price, path+".lost_ticket.price")
}

// period reports whether its days and hours can be counted.
func (c *checker) period(v *gatehouse.TariffVersion, p *gatehouse.Period, path string) bool {
	ok := true
	if len(p.Days) == 0 || slices.ContainsFunc(p.Days, func(k gatehouse.DayKind) bool { return k >= gatehouse.DayKinds }) {
		c.say("days", path+".days", "a period has some days")
		ok = false
	}
	if p.From < 0 || p.From >= dayMinutes || p.Until <= 0 || p.Until > dayMinutes || p.From == p.Until {
		c.say("hours", path+".hours", "a period begins at 00:00 to 23:59 and ends at another time, at most 24:00")
		ok = false
	}
	if p.Cap != nil {
		c.price(v, *p.Cap, path+".cap")
		c.multiple(v, *p.Cap, path+".cap")
	}
	switch {
	case p.Flat != nil && len(p.Steps) > 0:
		c.say("steps", path+".flat", "a period has a flat price or steps, not both")
	case p.Flat != nil:
		c.price(v, *p.Flat, path+".flat")
	case len(p.Steps) == 0 || len(p.Steps) > maxSteps:
		c.say("steps", path, "a period has a flat price, or 1 to %d steps", maxSteps)
	}
	for i, s := range p.Steps {
		c.step(v, p, s, i == len(p.Steps)-1, fmt.Sprintf("%s.steps[%d]", path, i))
	}
	return ok
}

func (c *checker) step(v *gatehouse.TariffVersion, p *gatehouse.Period, s gatehouse.Step, last bool, path string) {
	c.price(v, s.Price, path+".price")
	if s.Block < time.Minute || s.Block > maxBlock || s.Block%time.Minute != 0 {
		c.say("step", path+".block", "a block is 1 minute to 31 days, in whole minutes")
		return
	}
	if s.Per < s.Block || s.Per > maxBlock || s.Per%time.Minute != 0 {
		c.say("step", path+".per", "the time that a price is for is the block, or longer")
	}
	switch {
	case s.For == 0 && (!last || p.Repeat):
		c.say("step", path+".for", "only the last step may have no end, and none that is repeated")
	case s.For != 0 && last && !p.Repeat:
		c.say("step", path+".for", "the last step has no end, unless the steps are repeated")
	case s.For < 0 || s.For > MaxStay || s.For%s.Block != 0:
		c.say("step", path+".for", "a step lasts a whole number of its blocks")
	}
}

func (c *checker) price(_ *gatehouse.TariffVersion, p int64, path string) {
	switch {
	case p < 0:
		c.say("price", path, "a price is not negative")
	case p > maxPrice:
		c.say("price", path, "the price is larger than any that can be charged")
	}
}

// multiple refuses a cap that rounding a price up could break.
func (c *checker) multiple(v *gatehouse.TariffVersion, p int64, path string) {
	if v.Round.To > 1 && p%v.Round.To != 0 {
		c.say("cap", path, "a cap is a multiple of what prices are rounded to, or rounding would break it")
	}
}

func (c *checker) caps(v *gatehouse.TariffVersion, p *gatehouse.Plan, path string) {
	if len(p.Caps) > maxCaps {
		c.say("cap", path+".caps", "more than %d caps", maxCaps)
		return
	}
	for i, x := range p.Caps {
		at := fmt.Sprintf("%s.caps[%d]", path, i)
		c.price(v, x.Amount, at+".amount")
		c.multiple(v, x.Amount, at+".amount")
		switch x.Per {
		case gatehouse.CapStay, gatehouse.CapDay, gatehouse.Cap24h, gatehouse.CapRolling:
		default:
			c.say("cap", at+".per", "it may be stay, day, 24h or any_24h")
		}
		if slices.ContainsFunc(x.Days, func(k gatehouse.DayKind) bool { return k >= gatehouse.DayKinds }) {
			c.say("days", at+".days", "there is no such kind of day")
		}
		if x.EnteredFrom < 0 || x.EnteredUntil < x.EnteredFrom || x.EnteredUntil > dayMinutes {
			c.say("hours", at+".entered", "the hours of entry are within one day")
		}
		if x.DayBegins < 0 || x.DayBegins >= dayMinutes || x.DayBegins > 0 && x.Per != gatehouse.CapDay {
			c.say("cap", at+".day_begins", "a time of day, for a cap per day")
		}
		if x.AcrossStays && x.Per != gatehouse.CapDay && x.Per != gatehouse.CapRolling {
			c.say("cap", at+".across_stays", "only a cap per day or any_24h can count earlier stays")
		}
		if x.AcrossStays && v.Round.To > 1 && v.Round.How != gatehouse.RoundDown {
			c.say("cap", at+".across_stays", "with a cap across stays, prices are rounded down: rounding each stay up would break it")
		}
	}
}

var kindNames = [gatehouse.DayKinds]bilingual{{"Sunday", "周日"}, {"Monday", "周一"}, {"Tuesday", "周二"}, {"Wednesday", "周三"}, {"Thursday", "周四"}, {"Friday", "周五"}, {"Saturday", "周六"}, {"holidays", "节假日"}}

// coverage finds minutes of the week that no period holds, or two do. Days on which the
// same is wrong are named together.
func (c *checker) coverage(p *gatehouse.Plan, path string, holidays bool) {
	type fault struct {
		from, until, first, second int // second is -1 in a gap
	}
	var order []fault
	days := map[fault][]bilingual{}
	for k := range gatehouse.DayKinds {
		if k == gatehouse.OnHolidays && !holidays {
			break
		}
		for from := 0; from < dayMinutes; {
			now := holders(p, k, from)
			until := from + 1
			for until < dayMinutes && slices.Equal(now, holders(p, k, until)) {
				until++
			}
			f := fault{from, until, 0, -1}
			if len(now) > 1 {
				f.first, f.second = now[0], now[1]
			}
			if len(now) != 1 {
				if days[f] == nil {
					order = append(order, f)
				}
				days[f] = append(days[f], kindNames[k])
			}
			from = until
		}
	}
	for _, f := range order {
		var en, zh []string
		for _, day := range days[f] {
			en, zh = append(en, day.en), append(zh, day.zh)
		}
		clock := []any{f.from / 60, f.from % 60, f.until / 60, f.until % 60}
		hours := bilingual{strings.Join(en, ", ") + fmt.Sprintf(" from %02d:%02d to %02d:%02d", clock...), strings.Join(zh, "、") + fmt.Sprintf(" %02d:%02d 至 %02d:%02d ", clock...)}
		if f.second < 0 {
			c.say("gap", path+".periods", "no period holds %s", hours)
		} else {
			c.say("overlap", fmt.Sprintf("%s.periods[%d]", path, f.second), "%s is in the period %s, too", hours, p.Periods[f.first].Name)
		}
	}
}

// holders lists the periods that hold a minute of a kind of day.
func holders(p *gatehouse.Plan, k gatehouse.DayKind, minute int) []int {
	var all []int
	for i, x := range p.Periods {
		if slices.Contains(x.Days, k) && holds(x, minute) {
			all = append(all, i)
		}
	}
	return all
}
