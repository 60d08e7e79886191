package attendance

import (
	"time"

	"gatehouse"
)

// LeaveBalance is what somebody has of a kind of leave in the year of a day, in minutes.
type LeaveBalance struct {
	Kind    string
	Accrued int // of this year, up to the day
	Carried int // left from the year before, as far as it may be taken over
	Taken   int // in this year, approved, also ahead
}

// Left is what may still be taken.
func (b LeaveBalance) Left() int { return b.Accrued + b.Carried - b.Taken }

// Balance is the balance on a day of somebody who joined on another ("" long ago). taken are
// the minutes of approved leave by year. Of the years before, only the last is looked at.
func Balance(k gatehouse.LeaveKind, joined, on gatehouse.Date, taken map[int]int) LeaveBalance {
	at, ok := dayOf(on)
	b := LeaveBalance{Kind: k.ID}
	if !ok {
		return b
	}
	year := at.civil().Year()
	b.Accrued, b.Taken = accrued(k, joined, at), taken[year]
	if k.CarryOver > 0 {
		last, _ := dayOf(gatehouse.DateOf(time.Date(year-1, 12, 31, 0, 0, 0, 0, time.UTC)))
		b.Carried = max(0, min(k.CarryOver, accrued(k, joined, last)-taken[year-1]))
	}
	return b
}

// accrued is what the year of a day gives up to it. The month in which somebody joined
// counts whole, and so does the month of the day.
func accrued(k gatehouse.LeaveKind, joined gatehouse.Date, on day) int {
	year, month := on.civil().Year(), int(on.civil().Month())
	first := 1
	if since, ok := dayOf(joined); ok {
		switch c := since.civil(); {
		case since > on || c.Year() > year:
			return 0
		case c.Year() == year:
			first = int(c.Month())
		}
	}
	months := 13 - first
	if k.Monthly {
		months = month - first + 1
	}
	return (k.PerYear*months + 6) / 12
}
