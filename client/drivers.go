package client

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
)

// DriverAccounts lists the accounts of drivers who have passes.
func (c *Client) DriverAccounts(ctx context.Context) (wire.DriverAccountsResponse, error) {
	return got[wire.DriverAccountsResponse](ctx, c, http.MethodGet, parking+"/accounts", nil)
}

// OpenDriverAccount makes one.
func (c *Client) OpenDriverAccount(ctx context.Context, r wire.DriverAccountRequest) (wire.DriverAccount, error) {
	return got[wire.DriverAccount](ctx, c, http.MethodPost, parking+"/accounts", r)
}

// AddDriverVehicle makes a vehicle one of an account's.
func (c *Client) AddDriverVehicle(ctx context.Context, id gatehouse.ID, r wire.DriverVehicleRequest) (wire.DriverAccount, error) {
	return got[wire.DriverAccount](ctx, c, http.MethodPost, parking+"/accounts/"+id.String()+"/vehicles", r)
}

// SetDriverInvoice says whether an account is sent an invoice.
func (c *Client) SetDriverInvoice(ctx context.Context, id gatehouse.ID, r wire.DriverInvoiceRequest) (wire.DriverAccount, error) {
	return got[wire.DriverAccount](ctx, c, http.MethodPut, parking+"/accounts/"+id.String()+"/invoice", r)
}

// LinkDriverAccount makes the code that opens an account's page.
func (c *Client) LinkDriverAccount(ctx context.Context, id gatehouse.ID) (wire.PageLink, error) {
	return got[wire.PageLink](ctx, c, http.MethodPost, parking+"/accounts/"+id.String()+"/link", nil)
}

// OrderPass orders another month of a pass, or money on it.
func (c *Client) OrderPass(ctx context.Context, r wire.PassOrderRequest) (wire.PassOrder, error) {
	return got[wire.PassOrder](ctx, c, http.MethodPost, parking+"/orders", r)
}

// GiveBack takes money off a pass again.
func (c *Client) GiveBack(ctx context.Context, pass gatehouse.ID, r wire.GiveBackRequest) (wire.BooksEntry, error) {
	return got[wire.BooksEntry](ctx, c, http.MethodPost, parking+"/passes/"+pass.String()+"/give-backs", r)
}

// Shops lists the shops.
func (c *Client) Shops(ctx context.Context) (wire.ShopsResponse, error) {
	return got[wire.ShopsResponse](ctx, c, http.MethodGet, parking+"/shops", nil)
}

// PutShop makes a shop, or changes it.
func (c *Client) PutShop(ctx context.Context, r wire.ShopRequest) (wire.Shop, error) {
	return got[wire.Shop](ctx, c, http.MethodPost, parking+"/shops", r)
}

// LinkShop makes the code that opens a shop's page.
func (c *Client) LinkShop(ctx context.Context, id gatehouse.ID) (wire.PageLink, error) {
	return got[wire.PageLink](ctx, c, http.MethodPost, parking+"/shops/"+id.String()+"/link", nil)
}

// ParkingKiosks lists the screens at lanes.
func (c *Client) ParkingKiosks(ctx context.Context) (wire.ParkingKiosksResponse, error) {
	return got[wire.ParkingKiosksResponse](ctx, c, http.MethodGet, parking+"/kiosks", nil)
}

// AddParkingKiosk makes the code that one is enrolled by.
func (c *Client) AddParkingKiosk(ctx context.Context, r wire.ParkingKioskRequest) (wire.PageLink, error) {
	return got[wire.PageLink](ctx, c, http.MethodPost, parking+"/kiosks", r)
}
