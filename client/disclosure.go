package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"gatehouse"
	"gatehouse/api/wire"
)

// Budget says what is set and left.
func (c *Client) Budget(ctx context.Context) (wire.Budget, error) {
	return get[wire.Budget](ctx, c, "/admin/v1/budget")
}

// SetBudget sets the limits; it needs the vault's passphrase.
func (c *Client) SetBudget(ctx context.Context, r wire.BudgetSetRequest) (out wire.Budget, err error) {
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	return post[wire.Budget](ctx, c, "/admin/v1/budget", r)
}

// Reasons lists disclosures with their reasons, which is a disclosure itself.
func (c *Client) Reasons(ctx context.Context, r wire.ReasonsRequest) (wire.ReasonsResponse, error) {
	return post[wire.ReasonsResponse](ctx, c, "/admin/v1/audit/reasons", r)
}

// Operators lists who can be told apart by a signature.
func (c *Client) Operators(ctx context.Context) (wire.OperatorsResponse, error) {
	return get[wire.OperatorsResponse](ctx, c, "/admin/v1/operators")
}

// Operator gives what it takes to sign as one.
func (c *Client) Operator(ctx context.Context, name string) (wire.Operator, error) {
	return get[wire.Operator](ctx, c, "/admin/v1/operators/"+url.PathEscape(name))
}

// AddOperator registers one; it needs the vault's passphrase.
func (c *Client) AddOperator(ctx context.Context, r wire.OperatorRequest) (out wire.OperatorsResponse, err error) {
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	return post[wire.OperatorsResponse](ctx, c, "/admin/v1/operators", r)
}

// RemoveOperator ends one; it needs the vault's passphrase.
func (c *Client) RemoveOperator(ctx context.Context, r wire.OperatorRequest) (out wire.OperatorsResponse, err error) {
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	return post[wire.OperatorsResponse](ctx, c, "/admin/v1/operators/remove", r)
}

// SpareCanary enrols somebody made up, who can become a canary.
func (c *Client) SpareCanary(ctx context.Context, r wire.CanarySpareRequest) (wire.CanarySpareResponse, error) {
	return post[wire.CanarySpareResponse](ctx, c, "/admin/v1/canaries/spare", r)
}

// PlantCanary plants some; it needs the vault's passphrase.
func (c *Client) PlantCanary(ctx context.Context, r wire.CanaryPlantRequest) (out wire.CanaryPlantResponse, err error) {
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	return post[wire.CanaryPlantResponse](ctx, c, "/admin/v1/canaries", r)
}

// Canaries lists them; it needs the vault's passphrase.
func (c *Client) Canaries(ctx context.Context, r wire.CanariesRequest) (out wire.CanariesResponse, err error) {
	if err := c.seal(ctx, &r.With); err != nil {
		return out, err
	}
	return post[wire.CanariesResponse](ctx, c, "/admin/v1/canaries/list", r)
}

// CanaryStatus says whether a canary shut the vault.
func (c *Client) CanaryStatus(ctx context.Context) (wire.CanaryStatus, error) {
	return get[wire.CanaryStatus](ctx, c, "/admin/v1/canaries/status")
}

// LiftCanary hands in an operator's signature.
func (c *Client) LiftCanary(ctx context.Context, r wire.SignedRequest) (wire.CanaryStatus, error) {
	return post[wire.CanaryStatus](ctx, c, "/admin/v1/canaries/lift", r)
}

// PlanRelease says what a release would open.
func (c *Client) PlanRelease(ctx context.Context, r wire.ReleasePlanRequest) (wire.ReleasePlan, error) {
	return post[wire.ReleasePlan](ctx, c, "/admin/v1/releases/plan", r)
}

// RequestRelease hands in a signed request.
func (c *Client) RequestRelease(ctx context.Context, r wire.ReleaseRequest) (wire.Release, error) {
	return post[wire.Release](ctx, c, "/admin/v1/releases", r)
}

// Releases lists the newest.
func (c *Client) Releases(ctx context.Context) (wire.ReleasesResponse, error) {
	return get[wire.ReleasesResponse](ctx, c, "/admin/v1/releases")
}

// Release gives one with what was signed.
func (c *Client) Release(ctx context.Context, id gatehouse.ID) (wire.Release, error) {
	return get[wire.Release](ctx, c, "/admin/v1/releases/"+id.String())
}

// ApproveRelease hands in a second operator's signature.
func (c *Client) ApproveRelease(ctx context.Context, r wire.SignedRequest) (wire.Release, error) {
	return post[wire.Release](ctx, c, "/admin/v1/releases/approve", r)
}

// WriteRelease copies the encrypted file to w. Where it fails, what was written is no
// whole file. One that was written is written once more only with again. It takes as long as it takes: ctx ends it.
func (c *Client) WriteRelease(ctx context.Context, id gatehouse.ID, again bool, w io.Writer) error {
	to := c.base + "/admin/v1/releases/" + id.String() + "/write"
	if again {
		to += "?again=1"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, nil)
	if err != nil {
		return err
	}
	patient := http.Client{Transport: c.http.Transport}
	answer, err := patient.Do(r)
	if err != nil {
		return gatehouse.Errorf("client.unreachable", "start it with `gatehouse serve`", "the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
		return errors.Join(err, problem(answer.StatusCode, b))
	}
	if _, err := io.Copy(w, answer.Body); err != nil {
		return gatehouse.Errorf("client.broken", "try again: nothing is lost", "the file broke off: %w", err)
	}
	return nil
}

// TestAlarm has an alarm sent that says that it is a test.
func (c *Client) TestAlarm(ctx context.Context) error {
	_, err := post[struct{}](ctx, c, "/admin/v1/alarms/test", nil)
	return err
}

func get[A any](ctx context.Context, c *Client, path string) (out A, err error) {
	err = c.ask(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

func post[A any](ctx context.Context, c *Client, path string, q any) (out A, err error) {
	err = c.ask(ctx, http.MethodPost, path, q, &out)
	return out, err
}
