package attendance

import (
	"time"

	"gatehouse"
)

// ForMember is a team's roster entry as it counts for somebody who is in the team from a day
// until another ("" for no end), both included; false where none of its days does. The
// cycle of its pattern stays where the team has it.
func ForMember(e gatehouse.RosterEntry, from, until gatehouse.Date) (gatehouse.RosterEntry, bool) {
	if e.Cycle == "" {
		e.Cycle = e.From
	}
	e.From = max(e.From, from)
	if until != "" && (e.Until == "" || until < e.Until) {
		e.Until = until
	}
	return e, e.Until == "" || e.From <= e.Until
}

// RulesFrom are rules and the first day on which they count.
type RulesFrom struct {
	From  gatehouse.Date // "" is ever since
	Rules gatehouse.AttendanceRules
}

// WithRules calculates a period in which the rules changed: the days of each under it. The
// weeks at a change are looked at under each of the two. rules are by their first day; before
// the first of them nothing is rounded and there is no overtime. Errors: attendance.period.
func WithRules(in Input, rules []RulesFrom) (gatehouse.Timesheet, error) {
	sheet, _, err := WithRulesUntil(in, rules)
	return sheet, err
}

// WithRulesUntil is WithRules, and the first minute from which on the hours are others by
// time alone: with the same input, until then a later Now gives the same. Never is that.
func WithRulesUntil(in Input, rules []RulesFrom) (gatehouse.Timesheet, gatehouse.Minute, error) {
	sheet, next := gatehouse.Timesheet{Subject: in.Subject, From: in.From, Until: in.Until}, Never
	from, until := in.From, in.Until
	for i := -1; i < len(rules); i++ {
		part := in
		part.From, part.Until, part.Rules = from, until, gatehouse.AttendanceRules{}
		if i >= 0 {
			part.From, part.Rules = max(from, rules[i].From), rules[i].Rules
		}
		if i+1 < len(rules) {
			next, ok := dayOf(rules[i+1].From)
			if !ok {
				next = 0 // ever since
			}
			part.Until = min(until, (next - 1).date())
		}
		if part.From > part.Until && (from <= until || i+1 < len(rules)) {
			continue
		}
		got, soon, err := recalculate(part)
		if err != nil {
			return sheet, Never, err
		}
		next = min(next, soon)
		sheet.Rules = got.Rules
		sheet.Days = append(sheet.Days, got.Days...)
	}
	return sheet, next, nil
}

// ReachOf is Reach for a period in which the rules changed.
func ReachOf(in Input, rules []RulesFrom) (from, until time.Time, err error) {
	in.Rules = gatehouse.AttendanceRules{}
	for _, r := range rules {
		in.Rules.Limits.AverageWeeks = max(in.Rules.Limits.AverageWeeks, r.Rules.Limits.AverageWeeks)
		in.Rules.Limits.OvertimeMonth = max(in.Rules.Limits.OvertimeMonth, r.Rules.Limits.OvertimeMonth)
	}
	from, until, err = Reach(in)
	return from.AddDate(0, 0, -6), until, err // weeks may begin on any day
}
