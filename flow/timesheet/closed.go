package timesheet

import (
	"cmp"
	"context"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// ClosedPeriod is the closed or locked period of these days. Errors: period.unknown,
// period.state.
func (h *Hours) ClosedPeriod(ctx context.Context, from, until gatehouse.Date) (gatehouse.StoredPeriod, error) {
	return h.closed(ctx, from, until)
}

// ClosedHours are everybody's of a period as it was closed, and the pay scheme of that
// time: of who was planned in it, or worked. cuts are the days within it from which on
// somebody is paid by other terms, in order. Errors: ClosedPeriod's, and the store's.
func (h *Hours) ClosedHours(ctx context.Context, from, until gatehouse.Date, cuts map[gatehouse.SubjectID][]gatehouse.Date) (gatehouse.ClosedHours, error) {
	out := gatehouse.ClosedHours{From: from, Until: until}
	p, err := h.closed(ctx, from, until)
	if err != nil {
		return out, err
	}
	out.Version, out.Closed = p.Version, p.Closed
	as := AsOf{Version: p.Version, At: p.Closed}
	b, done, err := h.bookAs(ctx, as)
	if err != nil {
		return out, err
	}
	defer done()
	out.Scheme, out.Figures = b.earnings, b.figures
	err = h.everybody(ctx, from, until, as, func(c calculated) error {
		s := c.sheet
		one := gatehouse.PaidHours{Subject: s.Subject, Team: c.team, Parts: h.parts(b, c, cuts[s.Subject])}
		for _, d := range s.Days {
			if d.Worked > 0 {
				one.Days++
			}
		}
		if len(one.Parts) > 0 || b.plannedWithin(s.Subject, from, until) {
			out.People = append(out.People, one)
		}
		return nil
	})
	return out, err
}

// parts are somebody's hours apart by cut, site and what their team of the day is charged to.
func (h *Hours) parts(b *book, c calculated, cuts []gatehouse.Date) []gatehouse.PaidPart {
	site := map[gatehouse.ID]gatehouse.SiteID{}
	for _, p := range c.punches {
		site[p.ID] = p.Site
	}
	return attendance.Parts(c.sheet, func(day gatehouse.Date, e gatehouse.TimeEntry) (gatehouse.Date, gatehouse.Where) {
		from := c.sheet.From
		for _, cut := range cuts {
			if cut <= day {
				from = cut
			}
		}
		team := b.teams[b.teamOn(c.sheet.Subject, day)]
		return from, gatehouse.Where{Site: cmp.Or(site[e.In], h.Place.Site), CostCentre: team.CostCentre, Project: team.Project}
	})
}

// plannedWithin reports whether somebody had a plan, of their own or of a team, on one of
// the days.
func (b *book) plannedWithin(who gatehouse.SubjectID, from, until gatehouse.Date) bool {
	for _, m := range b.members[who] {
		if m.From <= until && (m.Until == "" || from <= m.Until) {
			return true
		}
	}
	for _, e := range b.own[who] {
		if e.From <= until && (e.Until == "" || from <= e.Until) {
			return true
		}
	}
	return false
}

// ClosedScheme is the pay scheme of a period as it was closed last, which is today's where
// it was not. It is for titles.
func (h *Hours) ClosedScheme(ctx context.Context, from, until gatehouse.Date) ([]gatehouse.Earning, error) {
	as := AsOf{}
	if p, err := h.closed(ctx, from, until); err == nil {
		as = AsOf{Version: p.Version, At: p.Closed}
	}
	b, done, err := h.bookAs(ctx, as)
	if err != nil {
		return nil, err
	}
	defer done()
	return b.earnings, nil
}
