package attendance

import (
	"cmp"
	"slices"

	"gatehouse"
)

// Parts are Totals, apart for each stretch of days and what hours are charged to: of says
// which part an entry of a day is in. They add up to Totals, and are in the order of their
// first day and then of where.
func Parts(s gatehouse.Timesheet, of func(day gatehouse.Date, e gatehouse.TimeEntry) (from gatehouse.Date, where gatehouse.Where)) []gatehouse.PaidPart {
	type key struct {
		from  gatehouse.Date
		where gatehouse.Where
	}
	days := map[key][]gatehouse.TimesheetDay{}
	var keys []key
	for _, d := range s.Days {
		for _, e := range d.Entries {
			var k key
			k.from, k.where = of(d.Date, e)
			if days[k] == nil {
				keys = append(keys, k)
			}
			days[k] = append(days[k], gatehouse.TimesheetDay{Entries: []gatehouse.TimeEntry{e}})
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.where.Site, b.where.Site), cmp.Compare(a.where.CostCentre, b.where.CostCentre), cmp.Compare(a.where.Project, b.where.Project))
	})
	var out []gatehouse.PaidPart
	for _, k := range keys {
		if totals := Totals(gatehouse.Timesheet{Days: days[k]}); len(totals) > 0 {
			out = append(out, gatehouse.PaidPart{From: k.from, Where: k.where, Totals: totals})
		}
	}
	return out
}
