package doctor

import (
	"context"
	"strings"
)

// attendance looks at hours worked, where passages count as coming and going.
func (d *doctor) attendance(ctx context.Context) {
	if len(d.config.Attendance.Gates) == 0 {
		return
	}
	if d.live == nil {
		d.notRunning("rules of hours", "shifts", "holidays")
		return
	}
	p, err := d.live.HoursPlans(ctx)
	if err != nil {
		d.error("rules of hours", Fail, err)
		return
	}
	d.judge("rules of hours", len(p.Rules) > 0, Warn, "run `gatehouse attendance rules --preset`, or choose a law on the page of shifts", "the rules of hours %s", said(len(p.Rules) > 0, "are set", "are not set: nothing is rounded, and there is no overtime"))
	d.judge("shifts", len(p.Shifts) > 0 && len(p.Roster) > 0, Warn, "make shifts and a roster: who is late or absent is known against a plan only (docs/attendance.md)", "shifts: %d, lines of the roster: %d", len(p.Shifts), len(p.Roster))
	year := d.o.Now().Format("2006")
	known := false
	for _, day := range p.Calendar.Days {
		known = known || strings.HasPrefix(string(day.Date), year)
	}
	d.judge("holidays", known, Warn, "run `gatehouse attendance holidays`, with the years that come", "public holidays of this year %s", said(known, "are known", "are not known"))
}
