package timesheet

import (
	"context"

	"gatehouse"
)

// noted is a store that tells of whom something was changed, once it was: lists of hours
// are remembered. What fails may have been written in part, and is told too.
type noted struct {
	gatehouse.HoursStore
	h *Hours
}

// AddPunches implements gatehouse.HoursStore.
func (n noted) AddPunches(ctx context.Context, place gatehouse.Place, punches []gatehouse.Punch, leaf []byte) (int, error) {
	who := make([]gatehouse.SubjectID, len(punches))
	for i, p := range punches {
		who[i] = p.Subject
	}
	defer n.h.touched(who...)
	return n.HoursStore.AddPunches(ctx, place, punches, leaf)
}

// DropPunches implements gatehouse.HoursStore.
func (n noted) DropPunches(ctx context.Context, place gatehouse.Place, ids []gatehouse.ID) error {
	var who []gatehouse.SubjectID
	for _, id := range ids {
		if p, err := n.Punch(ctx, place, id); err == nil {
			who = append(who, p.Subject)
		}
	}
	defer n.h.touched(who...)
	return n.HoursStore.DropPunches(ctx, place, ids)
}

// PutTimeCorrection implements gatehouse.HoursStore.
func (n noted) PutTimeCorrection(ctx context.Context, c gatehouse.TimeCorrection, leaf []byte) error {
	defer n.h.touched(c.Subject)
	return n.HoursStore.PutTimeCorrection(ctx, c, leaf)
}

// PutLeave implements gatehouse.HoursStore.
func (n noted) PutLeave(ctx context.Context, l gatehouse.LeaveRequest, leaf []byte) error {
	defer n.h.touched(l.Subject)
	return n.HoursStore.PutLeave(ctx, l, leaf)
}
