package client

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
)

// PersonPay says since when somebody has which pay terms, and lists their payslips.
func (c *Client) PersonPay(ctx context.Context, id gatehouse.SubjectID) (wire.PersonPay, error) {
	return attendance[wire.PersonPay](ctx, c, http.MethodGet, "people/"+id.String()+"/pay", nil)
}

// SetPayTerms says what somebody is paid by from a day on.
func (c *Client) SetPayTerms(ctx context.Context, id gatehouse.SubjectID, r wire.PayTermsRequest) (wire.PayTermsRef, error) {
	return attendance[wire.PayTermsRef](ctx, c, http.MethodPost, "people/"+id.String()+"/pay", r)
}

// RemovePayTerms takes pay terms back.
func (c *Client) RemovePayTerms(ctx context.Context, id gatehouse.SubjectID, terms gatehouse.ID) error {
	return c.ask(ctx, http.MethodDelete, attendancePath+"people/"+id.String()+"/pay/"+terms.String(), nil, nil)
}

// OpenPayTerms reads what somebody is paid by: a disclosure.
func (c *Client) OpenPayTerms(ctx context.Context, id gatehouse.SubjectID, terms gatehouse.ID, reason string) (wire.PayTerms, error) {
	return attendance[wire.PayTerms](ctx, c, http.MethodPost, "people/"+id.String()+"/pay/"+terms.String()+"/open", wire.PayReason{Reason: reason})
}

// OpenPayslip reads somebody's payslip: a disclosure.
func (c *Client) OpenPayslip(ctx context.Context, id gatehouse.SubjectID, slip gatehouse.ID, reason string) (wire.Payslip, error) {
	return attendance[wire.Payslip](ctx, c, http.MethodPost, "people/"+id.String()+"/payslips/"+slip.String()+"/open", wire.PayReason{Reason: reason})
}

// PayRuns lists pay of closed periods that was asked for.
func (c *Client) PayRuns(ctx context.Context) (wire.PayRuns, error) {
	return attendance[wire.PayRuns](ctx, c, http.MethodGet, "pay", nil)
}

// AskPay asks for the pay of a closed period.
func (c *Client) AskPay(ctx context.Context, r wire.PeriodRequest) (wire.PayRun, error) {
	return attendance[wire.PayRun](ctx, c, http.MethodPost, "pay", r)
}

// ApprovePay agrees to a pay run as the second person.
func (c *Client) ApprovePay(ctx context.Context, run gatehouse.ID) (wire.PayRun, error) {
	return attendance[wire.PayRun](ctx, c, http.MethodPost, "pay/"+run.String()+"/approve", nil)
}

// ReckonPay has the vault make an approved run's payslips.
func (c *Client) ReckonPay(ctx context.Context, run gatehouse.ID) (wire.PayRun, error) {
	return attendance[wire.PayRun](ctx, c, http.MethodPost, "pay/"+run.String()+"/reckon", nil)
}

// PayProblems lists who has no payslip of a run, and why.
func (c *Client) PayProblems(ctx context.Context, run gatehouse.ID) (wire.Payslips, error) {
	return attendance[wire.Payslips](ctx, c, http.MethodGet, "pay/"+run.String()+"/problems", nil)
}

// PlanPayFile names what a bulk release of a run's payslips consists of.
func (c *Client) PlanPayFile(ctx context.Context, r wire.PayFilePlan) (wire.ReleasePlan, error) {
	var out wire.ReleasePlan
	err := c.ask(ctx, http.MethodPost, "/admin/v1/releases/pay", r, &out)
	return out, err
}
