package api

import (
	"context"
	"net/http"
	"slices"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// ParkingDrivers is what callers see and change of drivers' accounts, of what is sold to them,
// and of shops. None of it names anybody.
type ParkingDrivers interface {
	DriverAccounts(ctx context.Context) (wire.DriverAccountsResponse, error)
	// OpenDriverAccount: parking.vehicle, parking.right, parking.too_many.
	OpenDriverAccount(ctx context.Context, r wire.DriverAccountRequest) (wire.DriverAccount, error)
	// AddDriverVehicle: the same, parking.unknown_account.
	AddDriverVehicle(ctx context.Context, id gatehouse.ID, r wire.DriverVehicleRequest) (wire.DriverAccount, error)
	// SetDriverInvoice and LinkDriverAccount: parking.unknown_account.
	SetDriverInvoice(ctx context.Context, id gatehouse.ID, r wire.DriverInvoiceRequest) (wire.DriverAccount, error)
	LinkDriverAccount(ctx context.Context, id gatehouse.ID) (wire.PageLink, error)
	// OrderPass: parking.unknown_right, parking.not_for_sale, parking.right.
	OrderPass(ctx context.Context, r wire.PassOrderRequest) (wire.PassOrder, error)
	// GiveBack: books.reason, books.too_much, books.currency, books.malformed.
	GiveBack(ctx context.Context, pass gatehouse.ID, r wire.GiveBackRequest) (wire.BooksEntry, error)
	Shops(ctx context.Context) (wire.ShopsResponse, error)
	// PutShop: parking.shop, parking.validation.
	PutShop(ctx context.Context, r wire.ShopRequest) (wire.Shop, error)
	ParkingKiosks(ctx context.Context) (wire.ParkingKiosksResponse, error)
	// AddParkingKiosk: gate.unknown, parking.too_many.
	AddParkingKiosk(ctx context.Context, r wire.ParkingKioskRequest) (wire.PageLink, error)
	// LinkShop: parking.unknown_shop.
	LinkShop(ctx context.Context, id gatehouse.ID) (wire.PageLink, error)
}

func (a *API) driverOperations() []operation {
	manage := auth.Needs(gatehouse.ManageParking).OrToken().OrSocket()
	keep := auth.NeedsFresh(gatehouse.KeepBooks).OrSocket()
	account := []parameter{{name: "id", about: "The account.", like: gatehouse.ID{}, required: true}}
	shop := []parameter{{name: "id", about: "The shop.", like: gatehouse.ID{}, required: true}}
	pass := []parameter{{name: "id", about: "The pass.", like: gatehouse.ID{}, required: true}}
	unknown := []string{"id.malformed", "parking.unknown_account", "store.full"}
	all := []operation{{
		Route: auth.Route{Pattern: "GET /api/v1/parking/accounts", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Resources.DriverAccounts) }},
		id:    "listDriverAccounts", summary: "List the accounts of drivers who have passes", tagged: true,
		replies: answers(http.StatusOK, wire.DriverAccountsResponse{}, "The oldest first."),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/accounts", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Resources.OpenDriverAccount)
		}},
		id: "openDriverAccount", summary: "Make an account for somebody who is enrolled", keyed: true, most: maxSmall,
		about:   "A vehicle that is its holder is one of its vehicles.",
		request: inJSON(wire.DriverAccountRequest{}), replies: answers(http.StatusCreated, wire.DriverAccount{}, "The account."),
		problems: []string{"parking.vehicle", "parking.right", "parking.too_many", "store.full"},
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/accounts/{id}/vehicles", Policy: manage, Handler: onID(a, Resources.AddDriverVehicle)},
		id:    "addDriverVehicle", summary: "Make a vehicle one of an account's", keyed: true, most: maxSmall,
		path: account, request: inJSON(wire.DriverVehicleRequest{}), replies: answers(http.StatusOK, wire.DriverAccount{}, "The account."),
		problems: append([]string{"parking.vehicle", "parking.right", "parking.too_many"}, unknown...),
	}, {
		Route: auth.Route{Pattern: "PUT /api/v1/parking/accounts/{id}/invoice", Policy: manage, Handler: onID(a, Resources.SetDriverInvoice)},
		id:    "setDriverInvoice", summary: "Say whether an account's vehicles leave without paying", keyed: true, most: maxSmall,
		about: "It is then sent an invoice: what its stays cost is owed by transfer.",
		path:  account, request: inJSON(wire.DriverInvoiceRequest{}), replies: answers(http.StatusOK, wire.DriverAccount{}, "The account."),
		problems: unknown,
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/accounts/{id}/link", Policy: manage, Handler: linking(a, Resources.LinkDriverAccount)},
		id:    "linkDriverAccount", summary: "Make the code that opens an account's page, once", keyed: true, most: maxSmall,
		about: "It works for two weeks. The code before it ends, and so does every browser that is signed in.",
		path:  account, replies: answers(http.StatusCreated, wire.PageLink{}, "The code."),
		problems: unknown,
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/orders", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Resources.OrderPass)
		}},
		id: "orderPass", summary: "Order another month of a season pass, or money on a pass of value", keyed: true, most: maxSmall,
		about:   "It is paid for as a stay is, by its id, and counts once it is.",
		request: inJSON(wire.PassOrderRequest{}), replies: answers(http.StatusCreated, wire.PassOrder{}, "The order."),
		problems: []string{"parking.unknown_right", "parking.not_for_sale", "parking.right", "parking.too_many", "store.full"},
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/passes/{id}/give-backs", Policy: keep, Handler: onID(a, Resources.GiveBack)},
		id:    "giveBack", summary: "Take money off a pass of value again, for the order that put it there", keyed: true, most: maxSmall,
		about: "The order was paid too much then: refund its payment.",
		path:  pass, request: inJSON(wire.GiveBackRequest{}), replies: answers(http.StatusOK, wire.BooksEntry{}, "The entry."),
		problems: []string{"id.malformed", "books.reason", "books.too_much", "books.currency", "books.malformed", "store.full"},
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/shops", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Resources.Shops) }},
		id:    "listShops", summary: "List the shops that give something toward stays", tagged: true,
		replies: answers(http.StatusOK, wire.ShopsResponse{}, "By name."),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/shops", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusOK, a.o.Resources.PutShop)
		}},
		id: "putShop", summary: "Make a shop, or change it", keyed: true, most: maxSmall,
		request: inJSON(wire.ShopRequest{}), replies: answers(http.StatusOK, wire.Shop{}, "The shop."),
		problems: []string{"parking.shop", "parking.validation", "parking.too_many", "store.full"},
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/shops/{id}/link", Policy: manage, Handler: linking(a, Resources.LinkShop)},
		id:    "linkShop", summary: "Make the code that opens a shop's page", keyed: true, most: maxSmall,
		about: "It works until the shop gets another.",
		path:  shop, replies: answers(http.StatusCreated, wire.PageLink{}, "The code."),
		problems: []string{"id.malformed", "parking.unknown_shop", "store.full"},
	}}
	all = append(all, operation{
		Route: auth.Route{Pattern: "GET /api/v1/parking/kiosks", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Resources.ParkingKiosks) }},
		id:    "listParkingKiosks", summary: "List the screens at lanes", tagged: true,
		replies: answers(http.StatusOK, wire.ParkingKiosksResponse{}, "The oldest first."),
	}, operation{
		Route: auth.Route{Pattern: "POST /api/v1/parking/kiosks", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Resources.AddParkingKiosk)
		}},
		id: "addParkingKiosk", summary: "Make the code that a screen at a lane is enrolled by, once", keyed: true, most: maxSmall,
		about:   "It works for a day. The screen may ask for stays more often than an address, and calls for help at its lane.",
		request: inJSON(wire.ParkingKioskRequest{}), replies: answers(http.StatusCreated, wire.PageLink{}, "The code."),
		problems: []string{"gate.unknown", "parking.too_many", "store.full"},
	})
	return slices.Clip(all)
}

// onID carries out a change of what the path names.
func onID[Q, A any](a *API, do func(Resources, context.Context, gatehouse.ID, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		carry(a, w, r, http.StatusOK, func(ctx context.Context, q Q) (none A, err error) {
			id, err := gatehouse.ParseID(r.PathValue("id"))
			if err != nil {
				return none, err
			}
			return do(a.o.Resources, ctx, id, q)
		})
	}
}

// linking makes a link of what the path names.
func linking(a *API, do func(Resources, context.Context, gatehouse.ID) (wire.PageLink, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tell(a, w, r, http.StatusCreated, func(ctx context.Context) (wire.PageLink, error) {
			id, err := gatehouse.ParseID(r.PathValue("id"))
			if err != nil {
				return wire.PageLink{}, err
			}
			return do(a.o.Resources, ctx, id)
		})
	}
}
