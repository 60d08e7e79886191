package server

import (
	"context"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/intake"
)

// ImportCheck implements api.Admin.
func (a admin) ImportCheck(ctx context.Context, r wire.ImportRequest) (wire.ImportStatus, error) {
	if r.Kind != gatehouse.PersonSubject && r.Kind != gatehouse.VehicleSubject {
		return wire.ImportStatus{}, gatehouse.Errorf("request.malformed", "kind is person or vehicle", "there is no such kind")
	}
	if err := a.checkGrants(r.Grants); err != nil {
		return wire.ImportStatus{}, err
	}
	table, err := readTable(r.File, r.Encoding)
	if err != nil {
		return wire.ImportStatus{}, err
	}
	s, err := a.imports.Check(ctx, socketOperator, table, intake.Options{Kind: r.Kind, Grants: r.Grants, Skip: r.Skip, Location: a.site.Location})
	return importStatus(s), err
}

// Import implements api.Admin.
func (a admin) Import(_ context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	s, err := a.imports.Status(socketOperator, id)
	return importStatus(s), err
}

// ImportStart implements api.Admin.
func (a admin) ImportStart(_ context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	s, err := a.imports.Start(socketOperator, id)
	return importStatus(s), err
}

// ImportStop implements api.Admin.
func (a admin) ImportStop(_ context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	s, err := a.imports.Stop(socketOperator, id)
	return importStatus(s), err
}

func importStatus(s intake.Status) wire.ImportStatus {
	r := s.Report
	out := wire.ImportStatus{ID: s.ID, Kind: s.Kind, State: string(s.State), Encoding: r.Encoding, Rows: r.Rows, Ready: r.Ready, There: r.There + s.There, Bad: r.Bad, NoGates: r.NoGates,
		Enrolled: s.Enrolled, Left: s.Left(), More: r.More, Problems: problemsOf(r.Problems), Failed: problemsOf(s.Failed), Dates: []wire.ImportDates{}}
	for _, d := range r.Dates {
		out.Dates = append(out.Dates, wire.ImportDates(d))
	}
	return out
}

func problemsOf(list []intake.Problem) []wire.ImportProblem {
	out := []wire.ImportProblem{}
	for _, p := range list {
		out = append(out, wire.ImportProblem{Row: p.Row, Column: p.Column, Code: p.Code, Cause: p.Cause("en"), Earlier: p.Other})
	}
	return out
}
