package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

const attendancePath = "/api/v1/attendance/"

func attendance[A any](ctx context.Context, c *Client, method, path string, q any) (A, error) {
	var out A
	err := c.ask(ctx, method, attendancePath+path, q, &out)
	return out, err
}

func hoursQuery(from, until gatehouse.Date) url.Values {
	return url.Values{"from": {string(from)}, "until": {string(until)}}
}

func timesQuery(state gatehouse.CorrectionState, before gatehouse.ID, limit int) string {
	v := url.Values{"limit": {strconv.Itoa(limit)}}
	if state != "" {
		v.Set("state", string(state))
	}
	if !before.IsZero() {
		v.Set("before", before.String())
	}
	return v.Encode()
}

// HoursPlans gives the book of hours: shifts, teams, rosters and rules.
func (c *Client) HoursPlans(ctx context.Context) (wire.HoursPlans, error) {
	return attendance[wire.HoursPlans](ctx, c, http.MethodGet, "plans", nil)
}

// PlanChanges pages the book's versions, the newest first, below before (0: all).
func (c *Client) PlanChanges(ctx context.Context, before uint64) (wire.PlanChanges, error) {
	return attendance[wire.PlanChanges](ctx, c, http.MethodGet, "changes?before="+strconv.FormatUint(before, 10), nil)
}

// PutPlan makes or replaces one part of the book.
func (c *Client) PutPlan(ctx context.Context, r wire.PlanRequest) (wire.PlanResponse, error) {
	return attendance[wire.PlanResponse](ctx, c, http.MethodPost, "plans", r)
}

// RemovePlan takes a part out of the book.
func (c *Client) RemovePlan(ctx context.Context, kind gatehouse.HoursKind, id string) (wire.PlanResponse, error) {
	return attendance[wire.PlanResponse](ctx, c, http.MethodDelete, "plans/"+url.PathEscape(id)+"?kind="+url.QueryEscape(string(kind)), nil)
}

// PeopleHours gives everybody's hours of some days.
func (c *Client) PeopleHours(ctx context.Context, from, until gatehouse.Date) (wire.PeopleHours, error) {
	return attendance[wire.PeopleHours](ctx, c, http.MethodGet, "people?"+hoursQuery(from, until).Encode(), nil)
}

// Timesheet gives somebody's hours, as they are or as they were when the period was closed.
func (c *Client) Timesheet(ctx context.Context, id gatehouse.SubjectID, from, until gatehouse.Date, closed bool) (wire.Timesheet, error) {
	v := hoursQuery(from, until)
	v.Set("closed", strconv.FormatBool(closed))
	return attendance[wire.Timesheet](ctx, c, http.MethodGet, "people/"+id.String()+"?"+v.Encode(), nil)
}

// HoursDifferences gives what became of somebody's hours since a version and moment, or,
// with neither, since the period was closed.
func (c *Client) HoursDifferences(ctx context.Context, id gatehouse.SubjectID, from, until gatehouse.Date, version uint64, at time.Time) (wire.HoursDifferences, error) {
	v := hoursQuery(from, until)
	if !at.IsZero() {
		v.Set("version", strconv.FormatUint(version, 10))
		v.Set("at", at.Format(time.RFC3339))
	}
	return attendance[wire.HoursDifferences](ctx, c, http.MethodGet, "people/"+id.String()+"/differences?"+v.Encode(), nil)
}

// LeaveBalances gives what somebody has of each kind of leave.
func (c *Client) LeaveBalances(ctx context.Context, id gatehouse.SubjectID) (wire.LeaveBalances, error) {
	return attendance[wire.LeaveBalances](ctx, c, http.MethodGet, "people/"+id.String()+"/balances", nil)
}

// EnterPunch enters a punch for somebody else.
func (c *Client) EnterPunch(ctx context.Context, r wire.PunchRequest) error {
	return c.ask(ctx, http.MethodPost, attendancePath+"punches", r, nil)
}

// ImportPunches imports punches of another system.
func (c *Client) ImportPunches(ctx context.Context, r wire.PunchImportRequest) (wire.PunchImport, error) {
	return attendance[wire.PunchImport](ctx, c, http.MethodPost, "import", r)
}

// Corrections pages correction requests, the newest first.
func (c *Client) Corrections(ctx context.Context, state gatehouse.CorrectionState, before gatehouse.ID, limit int) (wire.Corrections, error) {
	return attendance[wire.Corrections](ctx, c, http.MethodGet, "corrections?"+timesQuery(state, before, limit), nil)
}

// AskCorrection asks for a correction in somebody's name.
func (c *Client) AskCorrection(ctx context.Context, r wire.CorrectionAsk) (wire.Correction, error) {
	return attendance[wire.Correction](ctx, c, http.MethodPost, "corrections", r)
}

// DecideCorrection approves or refuses a correction.
func (c *Client) DecideCorrection(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Correction, error) {
	return attendance[wire.Correction](ctx, c, http.MethodPost, "corrections/"+id.String()+"/decision", d)
}

// LeaveRequests pages requests for leave, the newest first.
func (c *Client) LeaveRequests(ctx context.Context, state gatehouse.CorrectionState, before gatehouse.ID, limit int) (wire.LeaveRequests, error) {
	return attendance[wire.LeaveRequests](ctx, c, http.MethodGet, "leave?"+timesQuery(state, before, limit), nil)
}

// AskLeave asks for leave in somebody's name.
func (c *Client) AskLeave(ctx context.Context, r wire.LeaveAsk) (wire.LeaveRequest, error) {
	return attendance[wire.LeaveRequest](ctx, c, http.MethodPost, "leave", r)
}

// DecideLeave approves or refuses leave.
func (c *Client) DecideLeave(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.LeaveRequest, error) {
	return attendance[wire.LeaveRequest](ctx, c, http.MethodPost, "leave/"+id.String()+"/decision", d)
}

// PayPeriods lists those that were closed once.
func (c *Client) PayPeriods(ctx context.Context) (wire.PayPeriods, error) {
	return attendance[wire.PayPeriods](ctx, c, http.MethodGet, "periods", nil)
}

// ClosePeriod ends changes of a period's hours.
func (c *Client) ClosePeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error) {
	return attendance[wire.PayPeriod](ctx, c, http.MethodPost, "periods/close", r)
}

// LockPeriod says that a closed period was paid.
func (c *Client) LockPeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error) {
	return attendance[wire.PayPeriod](ctx, c, http.MethodPost, "periods/lock", r)
}

// ReopenPeriod asks to reopen a period, or agrees to it as the second person.
func (c *Client) ReopenPeriod(ctx context.Context, r wire.PeriodRequest) (wire.PayPeriod, error) {
	return attendance[wire.PayPeriod](ctx, c, http.MethodPost, "periods/reopen", r)
}

// Performance gives punctuality, absence and overtime by team.
func (c *Client) Performance(ctx context.Context, from, until gatehouse.Date) (wire.Performance, error) {
	return attendance[wire.Performance](ctx, c, http.MethodGet, "performance?"+hoursQuery(from, until).Encode(), nil)
}

// PayExports lists closed periods' hours that were asked for as a file.
func (c *Client) PayExports(ctx context.Context) (wire.PayExports, error) {
	return attendance[wire.PayExports](ctx, c, http.MethodGet, "exports", nil)
}

// AskPayExport asks for a closed period's hours as a file.
func (c *Client) AskPayExport(ctx context.Context, r wire.PayExportAsk) (wire.PayExport, error) {
	return attendance[wire.PayExport](ctx, c, http.MethodPost, "exports", r)
}

// ApprovePayExport agrees to an export as the second person.
func (c *Client) ApprovePayExport(ctx context.Context, id gatehouse.ID) (wire.PayExport, error) {
	return attendance[wire.PayExport](ctx, c, http.MethodPost, "exports/"+id.String()+"/approve", nil)
}

// PayExportFile takes an approved export's file.
func (c *Client) PayExportFile(ctx context.Context, id gatehouse.ID) (wire.PayExportFile, error) {
	return attendance[wire.PayExportFile](ctx, c, http.MethodPost, "exports/"+id.String()+"/file", nil)
}

// Swaps lists shifts that people want to exchange.
func (c *Client) Swaps(ctx context.Context, state gatehouse.CorrectionState) (wire.Swaps, error) {
	return attendance[wire.Swaps](ctx, c, http.MethodGet, "swaps?"+timesQuery(state, gatehouse.ID{}, 200), nil)
}

// DecideSwap approves or refuses a swap that both agreed to.
func (c *Client) DecideSwap(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Swap, error) {
	return attendance[wire.Swap](ctx, c, http.MethodPost, "swaps/"+id.String()+"/decision", d)
}
