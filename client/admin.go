package client

import (
	"context"
	"net/http"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
)

func itoa(n int) string { return strconv.Itoa(n) }

// EnrollPerson enrols a person.
func (c *Client) EnrollPerson(ctx context.Context, r wire.EnrollPersonRequest) (wire.EnrollResponse, error) {
	var out wire.EnrollResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/people", r, &out)
	return out, err
}

// EnrollVehicle enrols a vehicle.
func (c *Client) EnrollVehicle(ctx context.Context, r wire.EnrollVehicleRequest) (wire.EnrollResponse, error) {
	var out wire.EnrollResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/vehicles", r, &out)
	return out, err
}

// Subjects pages by id, behind after; limit is 1..200.
func (c *Client) Subjects(ctx context.Context, after gatehouse.SubjectID, limit int) (wire.SubjectsResponse, error) {
	path := "/admin/v1/subjects?limit=" + itoa(limit)
	if !after.IsZero() {
		path += "&after=" + after.String()
	}
	var out wire.SubjectsResponse
	err := c.ask(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// SetStatus suspends a subject or makes it active again.
func (c *Client) SetStatus(ctx context.Context, id gatehouse.SubjectID, to gatehouse.SubjectStatus) error {
	var out wire.StatusRequest
	return c.ask(ctx, http.MethodPost, "/admin/v1/subjects/"+id.String()+"/status", wire.StatusRequest{Status: to}, &out)
}

// WithdrawConsent ends a person's consent to face recognition; their templates are
// removed, their card, PIN and QR code go on working.
func (c *Client) WithdrawConsent(ctx context.Context, id gatehouse.SubjectID) error {
	var out struct{}
	return c.ask(ctx, http.MethodDelete, "/admin/v1/subjects/"+id.String()+"/consent", nil, &out)
}

// AddDevice enrols a device; the answer holds its token, which is shown this once.
func (c *Client) AddDevice(ctx context.Context, r wire.DeviceAddRequest) (wire.DeviceAddResponse, error) {
	var out wire.DeviceAddResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/devices", r, &out)
	return out, err
}

// Seal closes the vault.
func (c *Client) Seal(ctx context.Context) (wire.VaultStatus, error) {
	var out wire.VaultStatus
	err := c.ask(ctx, http.MethodPost, "/admin/v1/vault/seal", nil, &out)
	return out, err
}

// VaultStatus says whether the vault is unsealed.
func (c *Client) VaultStatus(ctx context.Context) (wire.VaultStatus, error) {
	var out wire.VaultStatus
	err := c.ask(ctx, http.MethodGet, "/admin/v1/vault", nil, &out)
	return out, err
}

// Link mints a one-time link to the console.
func (c *Client) Link(ctx context.Context) (wire.LinkResponse, error) {
	var out wire.LinkResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/link", nil, &out)
	return out, err
}

// Status says how the server is.
func (c *Client) Status(ctx context.Context) (wire.Status, error) {
	var out wire.Status
	err := c.ask(ctx, http.MethodGet, "/admin/v1/status", nil, &out)
	return out, err
}
