// Package holidays has the public holidays of countries and regions, from
// github.com/rickar/cal, as calendars that rules/attendance reads. Mainland China's, with
// its adjusted working days, are rules/attendance.ChineseCalendar: nobody can calculate them.
package holidays

import (
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/us"
)

// places are the calendars by ISO 3166 code. Where regions have days of their own, the
// country alone has those of the whole country only.
var places = map[string][]*cal.Holiday{
	"at": at.Holidays, "be": be.Holidays, "ca": ca.Holidays, "cz": cz.Holidays, "dk": dk.Holidays, "es": es.Holidays, "fr": fr.Holidays, "gb": gb.Holidays, "ie": ie.Holidays, "it": it.Holidays,
	"jp": jp.Holidays, "nl": nl.Holidays, "no": no.Holidays, "pl": pl.Holidays, "se": se.Holidays, "us": us.Holidays, "de": de.Holidays,
	"de-bb": de.HolidaysBB, "de-be": de.HolidaysBE, "de-bw": de.HolidaysBW, "de-by": de.HolidaysBY, "de-hb": de.HolidaysHB, "de-he": de.HolidaysHE, "de-hh": de.HolidaysHH, "de-mv": de.HolidaysMV,
	"de-ni": de.HolidaysNI, "de-nw": de.HolidaysNW, "de-rp": de.HolidaysRP, "de-sh": de.HolidaysSH, "de-sl": de.HolidaysSL, "de-sn": de.HolidaysSN, "de-st": de.HolidaysST, "de-th": de.HolidaysTH,
}

// Places lists what Of knows, in order.
func Places() []string { return slices.Sorted(maps.Keys(places)) }

// Of gives a place's public holidays of the years first to last, both included, 2000 to
// 2199. A holiday that is observed on another day is that day. Errors: holidays.unknown,
// holidays.years.
func Of(place string, first, last int) (gatehouse.WorkCalendar, error) {
	list, ok := places[strings.ToLower(place)]
	if !ok {
		return gatehouse.WorkCalendar{}, gatehouse.Errorf("holidays.unknown", "use one of "+strings.Join(Places(), ", ")+"; or list the days yourself", "there is no such calendar")
	}
	if first < 2000 || last > 2199 || last < first {
		return gatehouse.WorkCalendar{}, gatehouse.Errorf("holidays.years", "give years from 2000 to 2199", "there are no such years")
	}
	c := gatehouse.WorkCalendar{Name: strings.ToLower(place), Source: "github.com/rickar/cal v2", Weekend: []time.Weekday{time.Saturday, time.Sunday}}
	days := map[gatehouse.Date]gatehouse.CalendarDay{}
	// The first of January may be observed on the last of December, and the other way round.
	for year := first - 1; year <= last+1; year++ {
		for _, h := range list {
			if _, observed := h.Calc(year); observed.Year() >= first && observed.Year() <= last {
				d := gatehouse.DateOf(observed)
				if before, twice := days[d]; twice && before.Title <= h.Name {
					continue // two on one day: the same of them in every order
				}
				days[d] = gatehouse.CalendarDay{Date: d, Kind: gatehouse.HolidayDay, Title: h.Name}
			}
		}
	}
	for _, d := range slices.Sorted(maps.Keys(days)) {
		c.Days = append(c.Days, days[d])
	}
	return c, nil
}
