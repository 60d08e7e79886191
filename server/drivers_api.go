package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/rules/parking"
)

var _ api.ParkingDrivers = admin{}

func wireDriver(v gatehouse.DriverView) wire.DriverAccount {
	w := wire.DriverAccount{ID: v.ID, Holder: v.Holder, Label: v.Label, Since: v.Since, Invoice: v.Invoice, BuyerAt: v.BuyerAt, Browsers: v.Browsers, Vehicles: []wire.DriverVehicle{}, Passes: []gatehouse.ID{}}
	for _, x := range v.Vehicles {
		w.Vehicles = append(w.Vehicles, wire.DriverVehicle(x))
	}
	for _, p := range v.Passes {
		w.Passes = append(w.Passes, p.ID)
	}
	return w
}

// DriverAccounts implements api.ParkingDrivers.
func (a admin) DriverAccounts(ctx context.Context) (wire.DriverAccountsResponse, error) {
	all, err := a.stays.Accounts(ctx)
	out := wire.DriverAccountsResponse{Accounts: []wire.DriverAccount{}}
	for _, v := range all {
		out.Accounts = append(out.Accounts, wireDriver(v))
	}
	return out, err
}

// OpenDriverAccount implements api.ParkingDrivers.
func (a admin) OpenDriverAccount(ctx context.Context, r wire.DriverAccountRequest) (wire.DriverAccount, error) {
	defer a.committed()
	v, err := a.stays.OpenAccountFor(ctx, r.Holder, r.Invoice, a.asker(ctx))
	return wireDriver(v), err
}

// changedDriver reads an account that was changed.
func (a admin) changedDriver(ctx context.Context, id gatehouse.ID, err error) (wire.DriverAccount, error) {
	if err != nil {
		return wire.DriverAccount{}, err
	}
	a.committed()
	v, err := a.stays.Account(ctx, id)
	return wireDriver(v), err
}

// AddDriverVehicle implements api.ParkingDrivers.
func (a admin) AddDriverVehicle(ctx context.Context, id gatehouse.ID, r wire.DriverVehicleRequest) (wire.DriverAccount, error) {
	return a.changedDriver(ctx, id, a.stays.AddVehicle(ctx, id, r.Vehicle, a.asker(ctx)))
}

// SetDriverInvoice implements api.ParkingDrivers.
func (a admin) SetDriverInvoice(ctx context.Context, id gatehouse.ID, r wire.DriverInvoiceRequest) (wire.DriverAccount, error) {
	return a.changedDriver(ctx, id, a.stays.SetInvoice(ctx, id, r.Invoice, a.asker(ctx)))
}

// LinkDriverAccount implements api.ParkingDrivers.
func (a admin) LinkDriverAccount(ctx context.Context, id gatehouse.ID) (wire.PageLink, error) {
	defer a.committed()
	code, err := a.stays.LinkAccount(ctx, id, a.asker(ctx))
	if err != nil {
		return wire.PageLink{}, err
	}
	return wire.PageLink{Code: code.Reveal(), Path: "/pay/account#k=" + code.Reveal()}, nil
}

// OrderPass implements api.ParkingDrivers.
func (a admin) OrderPass(ctx context.Context, r wire.PassOrderRequest) (wire.PassOrder, error) {
	var o gatehouse.PassOrder
	var err error
	if r.Amount == nil {
		o, err = a.stays.Renew(ctx, r.Pass, a.asker(ctx))
	} else {
		o, err = a.stays.TopUp(ctx, r.Pass, ofMoney(*r.Amount), a.asker(ctx))
	}
	a.committed()
	return wire.PassOrder{ID: o.ID, Pass: o.Pass, Kind: o.Kind, From: o.From, Until: o.Until, Amount: moneyOf(o.Amount)}, err
}

// GiveBack implements api.ParkingDrivers.
func (a admin) GiveBack(ctx context.Context, pass gatehouse.ID, r wire.GiveBackRequest) (wire.BooksEntry, error) {
	e, err := a.books.GiveBack(ctx, r.Order, pass, ofMoney(r.Amount), r.Reason, a.asker(ctx), once(r.ID))
	return entryOf(e), err
}

func wireShop(u gatehouse.ShopUse) wire.Shop {
	w := wire.Shop{ID: u.ID, Name: u.Name, Kind: u.Gives.Kind, Minutes: int(u.Gives.Time / time.Minute), Percent: int(u.Gives.BasisPoints / 100), PerStay: u.PerStay, PerDay: u.PerDay, Linked: len(u.Link) > 0, Today: u.Today, Open: u.Open, Used: u.Used}
	if u.Gives.Money.Currency != "" {
		m := moneyOf(u.Gives.Money)
		w.Money = &m
	}
	return w
}

// Shops implements api.ParkingDrivers.
func (a admin) Shops(context.Context) (wire.ShopsResponse, error) {
	out := wire.ShopsResponse{Shops: []wire.Shop{}}
	for _, u := range a.stays.Shops() {
		out.Shops = append(out.Shops, wireShop(u))
	}
	return out, nil
}

// PutShop implements api.ParkingDrivers.
func (a admin) PutShop(ctx context.Context, r wire.ShopRequest) (wire.Shop, error) {
	x := gatehouse.Shop{ID: r.ID, Name: r.Name, PerStay: r.PerStay, PerDay: r.PerDay, Gives: gatehouse.Validation{Kind: r.Kind, Time: time.Duration(r.Minutes) * time.Minute, BasisPoints: int64(r.Percent) * 100}}
	if r.Minutes < 0 || r.Minutes > int(parking.MaxStay/time.Minute) || r.Percent < 0 || r.Percent > 100 {
		return wire.Shop{}, gatehouse.Errorf("parking.validation", "see docs/parking.md", "this gives nothing that can be counted")
	}
	if r.Money != nil {
		x.Gives.Money = ofMoney(*r.Money)
	}
	defer a.committed()
	x, err := a.stays.PutShop(ctx, x, a.asker(ctx))
	if err != nil {
		return wire.Shop{}, err
	}
	for _, u := range a.stays.Shops() {
		if u.ID == x.ID {
			return wireShop(u), nil
		}
	}
	return wireShop(gatehouse.ShopUse{Shop: x}), nil
}

// LinkShop implements api.ParkingDrivers.
func (a admin) LinkShop(ctx context.Context, id gatehouse.ID) (wire.PageLink, error) {
	defer a.committed()
	code, err := a.stays.LinkShop(ctx, id, a.asker(ctx))
	if err != nil {
		return wire.PageLink{}, err
	}
	return wire.PageLink{Code: code.Reveal(), Path: "/pay/shop#k=" + code.Reveal()}, nil
}

// ParkingKiosks implements api.ParkingDrivers.
func (a admin) ParkingKiosks(context.Context) (wire.ParkingKiosksResponse, error) {
	out := wire.ParkingKiosksResponse{Kiosks: []wire.ParkingKiosk{}}
	for _, k := range a.stays.Kiosks() {
		out.Kiosks = append(out.Kiosks, wire.ParkingKiosk{ID: k.ID, Gate: k.Gate, Made: k.Made, Since: k.Since})
	}
	return out, nil
}

// AddParkingKiosk implements api.ParkingDrivers.
func (a admin) AddParkingKiosk(ctx context.Context, r wire.ParkingKioskRequest) (wire.PageLink, error) {
	defer a.committed()
	_, code, err := a.stays.AddKiosk(ctx, r.Gate, a.asker(ctx))
	if err != nil {
		return wire.PageLink{}, err
	}
	return wire.PageLink{Code: code.Reveal(), Path: "/pay/screen#k=" + code.Reveal()}, nil
}
