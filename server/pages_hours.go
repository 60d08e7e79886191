package server

import (
	"context"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/flow/timesheet"
)

var (
	_ console.HoursReasons = pages{}
	_ console.PayFiles     = pages{}
	_ console.PunchFiles   = pages{}
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

// ImportPunches implements console.PunchFiles.
func (p pages) ImportPunches(ctx context.Context, by timesheet.Actor, u console.PunchUpload) (console.PunchReport, error) {
	got, err := p.admin().importPunches(ctx, by, wire.PunchImportRequest{Layout: u.Layout, Zone: u.Zone, In: u.In, Out: u.Out, Neither: u.Neither, DryRun: u.DryRun, File: &wire.PunchFile{Data: u.Data, Encoding: u.Encoding, NoHeader: u.NoHeader, Prefix: u.Prefix,
		Columns: wire.PunchColumns{Person: u.Person, At: u.At, Clock: u.Clock, Direction: u.Direction, Site: u.Site}}})
	out := console.PunchReport{Rows: got.Rows, Added: got.Added}
	for _, x := range got.Problems {
		out.Problems = append(out.Problems, console.PunchProblem(x))
	}
	return out, err
}
