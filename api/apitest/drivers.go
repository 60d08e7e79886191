package apitest

import (
	"context"

	"gatehouse"
	"gatehouse/api/wire"
)

// DriverAccounts implements api.ParkingDrivers.
func (NoParking) DriverAccounts(context.Context) (wire.DriverAccountsResponse, error) {
	return wire.DriverAccountsResponse{Accounts: []wire.DriverAccount{}}, nil
}

// OpenDriverAccount implements api.ParkingDrivers.
func (NoParking) OpenDriverAccount(context.Context, wire.DriverAccountRequest) (wire.DriverAccount, error) {
	return wire.DriverAccount{}, noParking("vehicle")
}

// AddDriverVehicle implements api.ParkingDrivers.
func (NoParking) AddDriverVehicle(context.Context, gatehouse.ID, wire.DriverVehicleRequest) (wire.DriverAccount, error) {
	return wire.DriverAccount{}, noParking("unknown_account")
}

// SetDriverInvoice implements api.ParkingDrivers.
func (NoParking) SetDriverInvoice(context.Context, gatehouse.ID, wire.DriverInvoiceRequest) (wire.DriverAccount, error) {
	return wire.DriverAccount{}, noParking("unknown_account")
}

// LinkDriverAccount implements api.ParkingDrivers.
func (NoParking) LinkDriverAccount(context.Context, gatehouse.ID) (wire.PageLink, error) {
	return wire.PageLink{}, noParking("unknown_account")
}

// OrderPass implements api.ParkingDrivers.
func (NoParking) OrderPass(context.Context, wire.PassOrderRequest) (wire.PassOrder, error) {
	return wire.PassOrder{}, noParking("unknown_right")
}

// GiveBack implements api.ParkingDrivers.
func (NoParking) GiveBack(context.Context, gatehouse.ID, wire.GiveBackRequest) (wire.BooksEntry, error) {
	return wire.BooksEntry{}, gatehouse.Errorf("books.too_much", "this site has no car park", "there is none here")
}

// Shops implements api.ParkingDrivers.
func (NoParking) Shops(context.Context) (wire.ShopsResponse, error) {
	return wire.ShopsResponse{Shops: []wire.Shop{}}, nil
}

// PutShop implements api.ParkingDrivers.
func (NoParking) PutShop(context.Context, wire.ShopRequest) (wire.Shop, error) {
	return wire.Shop{}, noParking("shop")
}

// LinkShop implements api.ParkingDrivers.
func (NoParking) LinkShop(context.Context, gatehouse.ID) (wire.PageLink, error) {
	return wire.PageLink{}, noParking("unknown_shop")
}

// ParkingKiosks implements api.ParkingDrivers.
func (NoParking) ParkingKiosks(context.Context) (wire.ParkingKiosksResponse, error) {
	return wire.ParkingKiosksResponse{Kiosks: []wire.ParkingKiosk{}}, nil
}

// AddParkingKiosk implements api.ParkingDrivers.
func (NoParking) AddParkingKiosk(context.Context, wire.ParkingKioskRequest) (wire.PageLink, error) {
	return wire.PageLink{}, gatehouse.Errorf("gate.unknown", "this site has no car park", "there is none here")
}
