package apitest

import (
	"context"

	"gatehouse"
	"gatehouse/api/wire"
)

// NoParking is api.Parking of a site without a car park.
type NoParking struct{}

// CarParks implements api.Parking.
func (NoParking) CarParks(context.Context) (wire.CarParksResponse, error) {
	return wire.CarParksResponse{CarParks: []wire.CarPark{}}, nil
}

// Stays implements api.Parking.
func (NoParking) Stays(context.Context, wire.StaysQuery) (wire.StaysResponse, error) {
	return wire.StaysResponse{Stays: []wire.Stay{}}, nil
}

// Stay implements api.Parking.
func (NoParking) Stay(context.Context, gatehouse.ID, string) (wire.StayDetail, error) {
	return wire.StayDetail{}, noParking("unknown_stay")
}

// CorrectPlate implements api.Parking.
func (NoParking) CorrectPlate(context.Context, gatehouse.ID, wire.PlateRequest) (wire.Stay, error) {
	return wire.Stay{}, noParking("unknown_stay")
}

// EndStay implements api.Parking.
func (NoParking) EndStay(context.Context, gatehouse.ID) (wire.Stay, error) {
	return wire.Stay{}, noParking("unknown_stay")
}

// LoseTicket implements api.Parking.
func (NoParking) LoseTicket(context.Context, gatehouse.ID, wire.LostTicketRequest) (wire.Stay, error) {
	return wire.Stay{}, noParking("unknown_stay")
}

// ValidateStay implements api.Parking.
func (NoParking) ValidateStay(context.Context, gatehouse.ID, wire.ValidationRequest) (wire.Right, error) {
	return wire.Right{}, noParking("unknown_stay")
}

// Exits implements api.Parking.
func (NoParking) Exits(context.Context, wire.StaysQuery) (wire.ExitsResponse, error) {
	return wire.ExitsResponse{Exits: []wire.Exit{}}, nil
}

// Exit implements api.Parking.
func (NoParking) Exit(context.Context, gatehouse.ID) (wire.Exit, error) {
	return wire.Exit{}, noParking("unknown_exit")
}

// ExitCandidates implements api.Parking.
func (NoParking) ExitCandidates(context.Context, gatehouse.ID) (wire.StaysResponse, error) {
	return wire.StaysResponse{}, noParking("unknown_exit")
}

// AttachExit implements api.Parking.
func (NoParking) AttachExit(context.Context, gatehouse.ID, wire.AttachRequest) (wire.StayDetail, error) {
	return wire.StayDetail{}, noParking("unknown_exit")
}

// DismissExit implements api.Parking.
func (NoParking) DismissExit(context.Context, gatehouse.ID) (wire.Exit, error) {
	return wire.Exit{}, noParking("unknown_exit")
}

// Ticket implements api.Parking.
func (NoParking) Ticket(context.Context, wire.TicketRequest) (wire.TicketResponse, error) {
	return wire.TicketResponse{}, gatehouse.Errorf("gate.unknown", "this site has no car park", "there is none here")
}

// Tariffs implements api.Parking.
func (NoParking) Tariffs(context.Context) (wire.TariffsResponse, error) {
	return wire.TariffsResponse{Tariffs: []wire.TariffRevision{}}, nil
}

// TariffHistory implements api.Parking.
func (NoParking) TariffHistory(context.Context, string) (wire.TariffsResponse, error) {
	return wire.TariffsResponse{}, noParking("unknown_tariff")
}

// PutTariff implements api.Parking.
func (NoParking) PutTariff(context.Context, wire.TariffRequest) (wire.TariffRevision, error) {
	return wire.TariffRevision{}, noParking("tariff")
}

// Rights implements api.Parking.
func (NoParking) Rights(context.Context) (wire.RightsResponse, error) {
	return wire.RightsResponse{Rights: []wire.Right{}}, nil
}

// PutPass implements api.Parking.
func (NoParking) PutPass(context.Context, wire.PassRequest) (wire.Right, error) {
	return wire.Right{}, noParking("vehicle")
}

// PutReservation implements api.Parking.
func (NoParking) PutReservation(context.Context, wire.ReservationRequest) (wire.Right, error) {
	return wire.Right{}, noParking("vehicle")
}

// PutQuota implements api.Parking.
func (NoParking) PutQuota(context.Context, wire.QuotaRequest) (wire.Right, error) {
	return wire.Right{}, noParking("right")
}

// CountCarPark implements api.Parking.
func (NoParking) CountCarPark(context.Context, wire.CountRequest) (wire.CarPark, error) {
	return wire.CarPark{}, noParking("unknown_park")
}

// Deny implements api.Parking.
func (NoParking) Deny(context.Context, wire.DenyRequest) (wire.Right, error) {
	return wire.Right{}, noParking("vehicle")
}

// RemoveRight implements api.Parking.
func (NoParking) RemoveRight(context.Context, gatehouse.ParkingItemKind, string) error {
	return noParking("unknown_right")
}

func noParking(code string) error {
	return gatehouse.Errorf("parking."+code, "this site has no car park", "there is none here")
}
