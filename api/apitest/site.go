package apitest

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// Site is api.Resources of a site that has gates and nothing else.
type Site struct {
	NoParking
	List []wire.GateInfo
}

var _ api.Resources = Site{}

func none() error { return gatehouse.Errorf("store.not_found", "check the id", "there is none here") }

// Gates implements api.Resources.
func (s Site) Gates(context.Context) (wire.GatesResponse, error) {
	return wire.GatesResponse{Gates: s.List}, nil
}

// Subjects implements api.Resources.
func (Site) Subjects(context.Context, gatehouse.SubjectID, int) (wire.SubjectsResponse, error) {
	return wire.SubjectsResponse{}, nil
}

// Subject implements api.Resources.
func (Site) Subject(context.Context, gatehouse.SubjectID) (wire.Subject, error) {
	return wire.Subject{}, none()
}

// EnrollPerson implements api.Resources.
func (Site) EnrollPerson(context.Context, wire.EnrollPersonRequest) (wire.EnrollResponse, error) {
	return wire.EnrollResponse{}, none()
}

// EnrollVehicle implements api.Resources.
func (Site) EnrollVehicle(context.Context, wire.EnrollVehicleRequest) (wire.EnrollResponse, error) {
	return wire.EnrollResponse{}, none()
}

// SetStatus implements api.Resources.
func (Site) SetStatus(context.Context, gatehouse.SubjectID, gatehouse.SubjectStatus) error {
	return none()
}

// WithdrawConsent implements api.Resources.
func (Site) WithdrawConsent(context.Context, gatehouse.SubjectID) error { return none() }

// Erase implements api.Resources.
func (Site) Erase(context.Context, wire.EraseRequest) (wire.Erasure, error) {
	return wire.Erasure{}, none()
}

// Erasure implements api.Resources.
func (Site) Erasure(context.Context, gatehouse.ID) (wire.Erasure, error) {
	return wire.Erasure{}, none()
}

// Devices implements api.Resources.
func (Site) Devices(context.Context) (wire.DevicesResponse, error) {
	return wire.DevicesResponse{Devices: []wire.Device{}}, nil
}

// DeviceCode implements api.Resources.
func (Site) DeviceCode(context.Context, wire.DeviceAddRequest) (wire.DeviceCodeResponse, error) {
	return wire.DeviceCodeResponse{}, none()
}

// RevokeDevice implements api.Resources.
func (Site) RevokeDevice(context.Context, gatehouse.DeviceID) error { return none() }

// DisclosureFacts implements api.Resources.
func (Site) DisclosureFacts(context.Context, gatehouse.ID, int) (wire.DisclosuresResponse, error) {
	return wire.DisclosuresResponse{Disclosures: []wire.DisclosureFact{}}, nil
}

// Health implements api.Resources.
func (Site) Health(context.Context) (wire.Health, error) { return wire.Health{}, nil }
