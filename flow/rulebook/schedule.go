package rulebook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/access"
)

// checked returns the schedule in order, or says what is wrong with it.
func checked(s gatehouse.Schedule) (gatehouse.Schedule, error) {
	days := func(hint string) error {
		return gatehouse.Errorf("rules.days", hint, "the schedule's days cannot be kept")
	}
	if len(s.Windows) > maxWindows || len(s.Days) > maxDays {
		return s, days(fmt.Sprintf("use at most %d windows and %d days of their own", maxWindows, maxDays))
	}
	s.Windows, s.Days = slices.Clone(s.Windows), slices.Clone(s.Days)
	for _, w := range s.Windows {
		if err := access.CheckWindow(gatehouse.Span{From: w.From, Until: w.Until}); err != nil {
			return s, err
		}
		if w.Day < time.Sunday || w.Day > time.Saturday {
			return s, days("a week has seven days")
		}
	}
	slices.SortFunc(s.Windows, func(a, b gatehouse.Window) int {
		return cmp.Or(int(a.Day)-int(b.Day), a.From-b.From, a.Until-b.Until)
	})
	s.Windows = slices.Compact(s.Windows)
	slices.SortFunc(s.Days, func(a, b gatehouse.SpecialDay) int { return strings.Compare(string(a.Date), string(b.Date)) })
	for i, d := range s.Days {
		if _, err := gatehouse.ParseDate(string(d.Date)); err != nil {
			return s, err
		}
		if i > 0 && s.Days[i-1].Date == d.Date || len(d.Spans) > maxWindows {
			return s, days("give each date once, with all its spans")
		}
		for _, span := range d.Spans {
			if err := access.CheckWindow(span); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}
