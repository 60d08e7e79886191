package wire

import (
	"time"

	"gatehouse"
)

// DriverAccount is the page of a driver who has passes. GET /api/v1/parking/accounts.
type DriverAccount struct {
	ID       gatehouse.ID        `json:"id"`
	Holder   gatehouse.SubjectID `json:"holder"` // the person or vehicle by whose erasure it goes
	Label    string              `json:"label"`  // of the holder's badge
	Since    time.Time           `json:"since"`
	Invoice  bool                `json:"invoice"`           // its vehicles leave without paying, and it is sent an invoice
	BuyerAt  time.Time           `json:"buyer_at,omitzero"` // when whom invoices are made out to was sealed
	Browsers int                 `json:"browsers"`          // that are signed in
	Vehicles []DriverVehicle     `json:"vehicles"`
	Passes   []gatehouse.ID      `json:"passes"`
}

// DriverVehicle is one of an account's.
type DriverVehicle struct {
	Vehicle gatehouse.SubjectID `json:"vehicle"`
	Label   string              `json:"label"`
}

// DriverAccountsResponse lists them, the oldest first.
type DriverAccountsResponse struct {
	Accounts []DriverAccount `json:"accounts"`
}

// DriverAccountRequest makes one. POST /api/v1/parking/accounts.
type DriverAccountRequest struct {
	Holder  gatehouse.SubjectID `json:"holder"`
	Invoice bool                `json:"invoice,omitempty"`
}

// DriverVehicleRequest adds a vehicle. POST /api/v1/parking/accounts/{id}/vehicles.
type DriverVehicleRequest struct {
	Vehicle gatehouse.SubjectID `json:"vehicle"`
}

// DriverInvoiceRequest says whether an account is sent an invoice. PUT /api/v1/parking/accounts/{id}/invoice.
type DriverInvoiceRequest struct {
	Invoice bool `json:"invoice"`
}

// PageLink opens a page of a driver's or a shop's. It is shown this once.
type PageLink struct {
	Code string `json:"code"`
	Path string `json:"path"` // of the site; the code stands behind the #, where no server sees it
}

// PassOrderRequest orders another month of a season pass, or money on a pass of value.
// POST /api/v1/parking/orders.
type PassOrderRequest struct {
	Pass   gatehouse.ID `json:"pass"`
	Amount *Money       `json:"amount,omitempty"` // of a pass of value
}

// PassOrder is paid for as a stay is, by its id.
type PassOrder struct {
	ID     gatehouse.ID        `json:"id"`
	Pass   gatehouse.ID        `json:"pass"`
	Kind   gatehouse.OrderKind `json:"kind"`
	From   time.Time           `json:"from"`
	Until  time.Time           `json:"until"`
	Amount Money               `json:"amount"`
}

// GiveBackRequest takes money off a pass of value again, for the order that put it there.
// POST /api/v1/parking/passes/{id}/give-backs.
type GiveBackRequest struct {
	Order  gatehouse.ID         `json:"order"`
	Amount Money                `json:"amount"`
	Reason gatehouse.BookReason `json:"reason"`
	ID     gatehouse.ID         `json:"id,omitzero"` // of the caller's choice: the same is given back once
}

// Shop is a shop that gives something toward stays. GET /api/v1/parking/shops.
type Shop struct {
	ID      gatehouse.ID             `json:"id"`
	Name    string                   `json:"name"`
	Kind    gatehouse.ValidationKind `json:"kind"`
	Minutes int                      `json:"minutes,omitempty"`
	Percent int                      `json:"percent,omitempty"`
	Money   *Money                   `json:"money,omitempty"`
	PerStay int                      `json:"per_stay"` // of its codes count for one stay
	PerDay  int                      `json:"per_day"`  // codes that it may make
	Linked  bool                     `json:"linked"`   // its page has a link
	Today   int                      `json:"today"`    // codes that it made today
	Open    int                      `json:"open"`     // codes that nobody used yet
	Used    int                      `json:"used"`     // of the last two weeks'
}

// ShopsResponse lists them by name.
type ShopsResponse struct {
	Shops []Shop `json:"shops"`
}

// ShopRequest makes a shop, or changes the one of the id. POST /api/v1/parking/shops.
type ShopRequest struct {
	ID      gatehouse.ID             `json:"id,omitzero"`
	Name    string                   `json:"name"`
	Kind    gatehouse.ValidationKind `json:"kind"` // time, percent, money, full
	Minutes int                      `json:"minutes,omitempty"`
	Percent int                      `json:"percent,omitempty"`
	Money   *Money                   `json:"money,omitempty"`
	PerStay int                      `json:"per_stay"`
	PerDay  int                      `json:"per_day"`
}

// ParkingKiosk is a screen at a lane. GET /api/v1/parking/kiosks.
type ParkingKiosk struct {
	ID    gatehouse.ID     `json:"id"`
	Gate  gatehouse.GateID `json:"gate"`
	Made  time.Time        `json:"made"`
	Since time.Time        `json:"since,omitzero"` // when a browser was enrolled; none where it waits for its code
}

// ParkingKiosksResponse lists them, the oldest first.
type ParkingKiosksResponse struct {
	Kiosks []ParkingKiosk `json:"kiosks"`
}

// ParkingKioskRequest makes a place for a screen. POST /api/v1/parking/kiosks.
type ParkingKioskRequest struct {
	Gate gatehouse.GateID `json:"gate"`
}
