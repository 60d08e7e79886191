package server

import (
	"context"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/timesheet"
)

var (
	_ console.HoursReasons = pages{}
	_ console.PayFiles     = pages{}
)

// CorrectionReason implements console.HoursReasons.
func (p pages) CorrectionReason(ctx context.Context, who console.Who, id gatehouse.ID) (string, error) {
	c, err := p.hours.Correction(ctx, id)
	if err != nil {
		return "", err
	}
	return p.timeReason(ctx, who, "corrections", id, c.Reason)
}

// LeaveReason implements console.HoursReasons.
func (p pages) LeaveReason(ctx context.Context, who console.Who, id gatehouse.ID) (string, error) {
	l, err := p.store.LeaveRequest(ctx, p.site.Place, id)
	if err != nil {
		return "", err
	}
	return p.timeReason(ctx, who, "leave", id, l.Reason)
}

func (p pages) timeReason(ctx context.Context, who console.Who, table string, id gatehouse.ID, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	plain, err := p.lend.As(who.Role).OpenFor(ctx, who.Operator, "person", "hours "+id.String(), []gatehouse.SealedRef{{Where: gatehouse.TimeContext(p.site.Place, table, id), Sealed: sealed}})
	if err != nil || len(plain) == 0 {
		return "", err
	}
	return string(plain[0]), nil
}

// PayFile implements console.PayFiles.
func (p pages) PayFile(ctx context.Context, by timesheet.Actor, id gatehouse.ID) (name string, sealed []byte, err error) {
	name, sealed, _, err = p.payFile(ctx, by, id)
	p.committed()
	return name, sealed, err
}
