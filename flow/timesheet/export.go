package timesheet

import (
	"context"
	"slices"

	"gatehouse"
)

// maxRecipients is to how many keys one export is encrypted at most, exportsShown how many
// are listed.
const (
	maxRecipients = 16
	exportsShown  = 200
)

// AskExport asks for a closed period's hours as a file that is encrypted to recipients.
// Errors: period.unknown, period.state, export.format, export.recipients.
func (h *Hours) AskExport(ctx context.Context, by Actor, from, until gatehouse.Date, format gatehouse.PayFormat, recipients []string) (gatehouse.PayExport, error) {
	now := h.Now().UTC()
	e := gatehouse.PayExport{Place: h.Place, ID: gatehouse.NewID(now), From: from, Until: until, Format: format, Recipients: recipients, By: by.Account, Made: now}
	if format != gatehouse.PayCSV && format != gatehouse.PayXLSX {
		return e, gatehouse.Errorf("export.format", "use csv or xlsx", "there is no such format")
	}
	if len(recipients) == 0 || len(recipients) > maxRecipients || h.CheckRecipients == nil || h.CheckRecipients(recipients) != nil {
		return e, gatehouse.Errorf("export.recipients", "give 1 to 16 of them, as age-keygen prints them (age1…)", "a recipient is no age public key")
	}
	h.writes.Lock()
	defer h.writes.Unlock()
	if _, err := h.closed(ctx, from, until); err != nil {
		return e, err
	}
	return e, h.Store.PutPayExport(ctx, e, gatehouse.PayExportLeaf(now, "asked", e, by.String()))
}

// closed is the closed or locked period of these days. Errors: period.unknown, period.state.
func (h *Hours) closed(ctx context.Context, from, until gatehouse.Date) (gatehouse.StoredPeriod, error) {
	periods, err := h.Store.Periods(ctx, h.Place)
	if err != nil {
		return gatehouse.StoredPeriod{}, err
	}
	i := slices.IndexFunc(periods, func(p gatehouse.StoredPeriod) bool { return p.From == from && p.Until == until })
	if i < 0 {
		return gatehouse.StoredPeriod{}, gatehouse.Errorf("period.unknown", "close it first", "no period of these days was closed")
	}
	if periods[i].State == gatehouse.OpenPeriod {
		return periods[i], gatehouse.Errorf("period.state", "close it first", "the period is open: its hours may change")
	}
	return periods[i], nil
}

// Exports lists the newest.
func (h *Hours) Exports(ctx context.Context) ([]gatehouse.PayExport, error) {
	return h.Store.PayExports(ctx, h.Place, exportsShown)
}

// Export is one of the newest. Errors: export.unknown.
func (h *Hours) Export(ctx context.Context, id gatehouse.ID) (gatehouse.PayExport, error) {
	all, err := h.Exports(ctx)
	for _, e := range all {
		if e.ID == id {
			return e, nil
		}
	}
	if err == nil {
		err = gatehouse.Errorf("export.unknown", "see `gatehouse attendance export list`", "there is no such export")
	}
	return gatehouse.PayExport{}, err
}

// ApproveExport agrees to an export as a second person. Errors: export.unknown,
// export.two_people, export.approved, period.unknown, period.state.
func (h *Hours) ApproveExport(ctx context.Context, by Actor, id gatehouse.ID) (gatehouse.PayExport, error) {
	h.writes.Lock()
	defer h.writes.Unlock()
	e, err := h.Export(ctx, id)
	switch {
	case err != nil:
		return e, err
	case !e.ApprovedBy.IsZero():
		return e, gatehouse.Errorf("export.approved", "", "the export was approved already")
	case by.Account.IsZero() || by.Account == e.By:
		return e, gatehouse.Errorf("export.two_people", "ask a second person to agree", "an export takes two people")
	}
	if _, err := h.closed(ctx, e.From, e.Until); err != nil {
		return e, err
	}
	e.ApprovedBy, e.Approved = by.Account, h.Now().UTC()
	return e, h.Store.PutPayExport(ctx, e, gatehouse.PayExportLeaf(e.Approved, "approved", e, by.String()))
}

// PersonTotals are what somebody's closed period comes to.
type PersonTotals struct {
	Subject gatehouse.SubjectID
	Team    gatehouse.GroupID
	Parts   []gatehouse.PaidPart
}

// TakeExport is what an approved export says, as the period was closed: the same whatever
// was changed since. That it was taken is written down before. Errors: export.unknown,
// export.two_people, period.unknown, period.state.
func (h *Hours) TakeExport(ctx context.Context, by Actor, id gatehouse.ID) (gatehouse.PayExport, []PersonTotals, error) {
	h.writes.Lock()
	e, err := h.Export(ctx, id)
	var p gatehouse.StoredPeriod
	if err == nil && e.ApprovedBy.IsZero() {
		err = gatehouse.Errorf("export.two_people", "a second person approves it", "nobody has approved this export yet")
	}
	if err == nil {
		p, err = h.closed(ctx, e.From, e.Until)
	}
	if err == nil {
		e.Written = h.Now().UTC()
		err = h.Store.PutPayExport(ctx, e, gatehouse.PayExportLeaf(e.Written, "written", e, by.String()))
	}
	h.writes.Unlock()
	if err != nil {
		return e, nil, err
	}
	as := AsOf{Version: p.Version, At: p.Closed}
	b, done, err := h.bookAs(ctx, as)
	if err != nil {
		return e, nil, err
	}
	defer done()
	var out []PersonTotals
	err = h.everybody(ctx, e.From, e.Until, as, func(c calculated) error {
		if parts := h.parts(b, c, nil); len(parts) > 0 {
			out = append(out, PersonTotals{c.sheet.Subject, c.team, parts})
		}
		return nil
	})
	return e, out, err
}
