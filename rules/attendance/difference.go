package attendance

import (
	"bytes"
	"cmp"
	"slices"

	"gatehouse"
)

// Totals is what a timesheet comes to, by code and rate in that order. Leave without a code
// is unpaid, and no total.
func Totals(s gatehouse.Timesheet) []gatehouse.CodeTotal {
	var out []gatehouse.CodeTotal
	for _, d := range s.Days {
		for _, e := range d.Entries {
			if e.Code == "" || !e.Paid() && e.Kind != gatehouse.OnLeave {
				continue
			}
			i := slices.IndexFunc(out, func(t gatehouse.CodeTotal) bool {
				return t.Code == e.Code && t.Rate == e.Rate && t.TimeOff == e.TimeOff
			})
			if i < 0 {
				i, out = len(out), append(out, gatehouse.CodeTotal{Code: e.Code, Rate: e.Rate, TimeOff: e.TimeOff})
			}
			out[i].Minutes += e.Minutes()
		}
	}
	slices.SortFunc(out, func(a, b gatehouse.CodeTotal) int {
		off := 0
		if a.TimeOff != b.TimeOff {
			off = 1
			if b.TimeOff {
				off = -1
			}
		}
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Rate, b.Rate), off)
	})
	return out
}

// Differences says day by day what became of hours and exceptions, and which punches and
// rules made it so. Two timesheets that are equal have none.
func Differences(before, after gatehouse.Timesheet) (out []gatehouse.TimesheetDifference) {
	a, b := before.Days, after.Days
	for len(a) > 0 || len(b) > 0 {
		var x, y gatehouse.TimesheetDay
		if len(a) > 0 && (len(b) == 0 || a[0].Date <= b[0].Date) {
			x = a[0]
		}
		if len(b) > 0 && (len(a) == 0 || b[0].Date <= a[0].Date) {
			y = b[0]
		}
		if x.Date != "" {
			a = a[1:]
		}
		if y.Date != "" {
			b = b[1:]
		}
		out = append(out, dayDifferences(x, y)...)
	}
	return out
}

func dayDifferences(x, y gatehouse.TimesheetDay) (out []gatehouse.TimesheetDifference) {
	minutes := map[gatehouse.EarningsCode][2]int{}
	exceptions := map[gatehouse.ExceptionKind][2]int{}
	for side, d := range []gatehouse.TimesheetDay{x, y} {
		for _, e := range d.Entries {
			if e.Code != "" && (e.Paid() || e.Kind == gatehouse.OnLeave) {
				n := minutes[e.Code]
				n[side] += e.Minutes()
				minutes[e.Code] = n
			}
		}
		for _, e := range d.Exceptions {
			n := exceptions[e.Kind]
			n[side]++
			exceptions[e.Kind] = n
		}
	}
	punches, rules := otherPunches(x, y), otherRules(x, y)
	day := max(x.Date, y.Date)
	for code, n := range minutes {
		if n[0] != n[1] {
			out = append(out, gatehouse.TimesheetDifference{Date: day, Code: code, Before: n[0], After: n[1], Punches: punches, Rules: rules})
		}
	}
	for kind, n := range exceptions {
		if n[0] != n[1] {
			out = append(out, gatehouse.TimesheetDifference{Date: day, Exception: kind, Before: n[0], After: n[1], Punches: punches, Rules: rules})
		}
	}
	slices.SortFunc(out, func(a, b gatehouse.TimesheetDifference) int {
		return cmp.Or(cmp.Compare(a.Exception, b.Exception), cmp.Compare(a.Code, b.Code))
	})
	return out
}

// otherPunches are the punches that only one of two days has, or uses otherwise.
func otherPunches(x, y gatehouse.TimesheetDay) (out []gatehouse.ID) {
	use := map[gatehouse.ID]gatehouse.PunchUse{}
	for _, p := range x.Punches {
		use[p.Punch] = p
	}
	for _, p := range y.Punches {
		if use[p.Punch] == p {
			delete(use, p.Punch)
		} else {
			use[p.Punch] = p
		}
	}
	for id := range use {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b gatehouse.ID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

func otherRules(x, y gatehouse.TimesheetDay) (out []gatehouse.TimeRule) {
	minutes := map[gatehouse.TimeRule]int{}
	for _, e := range x.Entries {
		minutes[e.Rule] -= e.Minutes()
	}
	for _, e := range y.Entries {
		minutes[e.Rule] += e.Minutes()
	}
	for rule, n := range minutes {
		if n != 0 {
			out = append(out, rule)
		}
	}
	slices.Sort(out)
	return out
}
