package main

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// DriverCmd is about the pages of drivers who have passes.
type DriverCmd struct {
	Add     DriverAddCmd     `cmd:"" help:"Make an account for a person or vehicle that is enrolled."`
	Vehicle DriverVehicleCmd `cmd:"" help:"Make a vehicle one of an account's."`
	Invoice DriverInvoiceCmd `cmd:"" help:"Let an account's vehicles leave without paying; it is sent an invoice."`
	Link    DriverLinkCmd    `cmd:"" help:"Print the code that opens an account's page, once; it ends those before."`
	List    DriverListCmd    `cmd:"" help:"List the accounts."`
	Rm      DriverRmCmd      `cmd:"" help:"Take an account away; its passes stay."`
}

// DriverAddCmd makes an account.
type DriverAddCmd struct {
	Holder  gatehouse.ID `arg:"" help:"The person or vehicle by whose erasure it goes."`
	Invoice bool         `help:"Its vehicles leave without paying, and it is sent an invoice."`
}

func sayDriver(out *Out) func(wire.DriverAccount) {
	return func(a wire.DriverAccount) {
		how := ""
		if a.Invoice {
			how = "by invoice"
		}
		out.Say("%s  %-20s  %d vehicles  %d passes  %d browsers  %s", a.ID, a.Label, len(a.Vehicles), len(a.Passes), a.Browsers, how)
	}
}

func sayLink(out *Out) func(wire.PageLink) {
	return func(l wire.PageLink) { out.Say("%s\nor the site's address with %s", l.Code, l.Path) }
}

// Run makes it.
func (cmd DriverAddCmd) Run(ctx context.Context, out *Out) error {
	q := wire.DriverAccountRequest{Holder: cmd.Holder, Invoice: cmd.Invoice}
	return answer(ctx, out, func(a api.Admin) (wire.DriverAccount, error) { return a.OpenDriverAccount(ctx, q) }, sayDriver(out))
}

// DriverVehicleCmd adds a vehicle.
type DriverVehicleCmd struct {
	Account gatehouse.ID `arg:"" help:"The account."`
	Vehicle gatehouse.ID `arg:"" help:"The vehicle."`
}

// Run adds it.
func (cmd DriverVehicleCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.DriverAccount, error) {
		return a.AddDriverVehicle(ctx, cmd.Account, wire.DriverVehicleRequest{Vehicle: cmd.Vehicle})
	}, sayDriver(out))
}

// DriverInvoiceCmd sets how an account pays.
type DriverInvoiceCmd struct {
	Account gatehouse.ID `arg:"" help:"The account."`
	Off     bool         `help:"Its vehicles pay as others do."`
}

// Run sets it.
func (cmd DriverInvoiceCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.DriverAccount, error) {
		return a.SetDriverInvoice(ctx, cmd.Account, wire.DriverInvoiceRequest{Invoice: !cmd.Off})
	}, sayDriver(out))
}

// DriverLinkCmd makes a link.
type DriverLinkCmd struct {
	Account gatehouse.ID `arg:"" help:"The account."`
}

// Run prints the code.
func (cmd DriverLinkCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PageLink, error) { return a.LinkDriverAccount(ctx, cmd.Account) }, sayLink(out))
}

// DriverListCmd lists the accounts.
type DriverListCmd struct{}

// Run prints a line an account.
func (DriverListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.DriverAccountsResponse, error) { return a.DriverAccounts(ctx) }, func(all wire.DriverAccountsResponse) {
		for _, a := range all.Accounts {
			sayDriver(out)(a)
		}
	})
}

// DriverRmCmd takes an account away.
type DriverRmCmd struct {
	Account gatehouse.ID `arg:"" help:"The account."`
}

// Run removes it.
func (cmd DriverRmCmd) Run(ctx context.Context, out *Out) error {
	return removeRight(ctx, out, gatehouse.DriverAccountItem, cmd.Account.String())
}

func removeRight(ctx context.Context, out *Out, kind gatehouse.ParkingItemKind, id string) error {
	return answer(ctx, out, func(a api.Admin) (struct{}, error) { return struct{}{}, a.RemoveRight(ctx, kind, id) }, func(struct{}) { out.Say("It is gone.") })
}

// ShopCmd is about shops that give something toward stays.
type ShopCmd struct {
	Add  ShopAddCmd  `cmd:"" help:"Make a shop, or change it."`
	Link ShopLinkCmd `cmd:"" help:"Print the code that opens a shop's page; it ends the one before."`
	List ShopListCmd `cmd:"" help:"List the shops."`
	Rm   ShopRmCmd   `cmd:"" help:"Take a shop away: its page and its codes end."`
}

// ShopAddCmd makes a shop.
type ShopAddCmd struct {
	Name    string       `arg:"" help:"What it is called; names nobody."`
	Minutes int          `help:"Time that each code gives." xor:"what"`
	Percent int          `help:"A share of the price, 1 to 100." xor:"what"`
	Money   sum          `help:"An amount, as '2.50 EUR'." xor:"what"`
	Full    bool         `help:"All of it." xor:"what"`
	PerStay int          `help:"How many of its codes count for one stay." default:"1"`
	PerDay  int          `help:"How many codes it may make a day." default:"50"`
	ID      gatehouse.ID `help:"The shop that is changed." placeholder:"ID"`
}

func sayShop(out *Out) func(wire.Shop) {
	return func(s wire.Shop) {
		out.Say("%s  %-20s  %-7s  %d a stay  %d of %d today  %d open  %d used", s.ID, s.Name, s.Kind, s.PerStay, s.Today, s.PerDay, s.Open, s.Used)
	}
}

// Run makes it.
func (cmd ShopAddCmd) Run(ctx context.Context, out *Out) error {
	q := wire.ShopRequest{ID: cmd.ID, Name: cmd.Name, Minutes: cmd.Minutes, Percent: cmd.Percent, PerStay: cmd.PerStay, PerDay: cmd.PerDay}
	switch m := cmd.Money.wire(); {
	case cmd.Minutes > 0:
		q.Kind = gatehouse.TimeValidation
	case cmd.Percent > 0:
		q.Kind = gatehouse.PercentValidation
	case m.Currency != "":
		q.Kind, q.Money = gatehouse.MoneyValidation, &m
	case cmd.Full:
		q.Kind = gatehouse.FullValidation
	default:
		return gatehouse.Errorf("parking.validation", "name one of --minutes, --percent, --money, --full", "nothing is given")
	}
	return answer(ctx, out, func(a api.Admin) (wire.Shop, error) { return a.PutShop(ctx, q) }, sayShop(out))
}

// ShopLinkCmd makes a link.
type ShopLinkCmd struct {
	Shop gatehouse.ID `arg:"" help:"The shop."`
}

// Run prints the code.
func (cmd ShopLinkCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.PageLink, error) { return a.LinkShop(ctx, cmd.Shop) }, sayLink(out))
}

// ShopListCmd lists the shops.
type ShopListCmd struct{}

// Run prints a line a shop.
func (ShopListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.ShopsResponse, error) { return a.Shops(ctx) }, func(all wire.ShopsResponse) {
		for _, s := range all.Shops {
			sayShop(out)(s)
		}
	})
}

// ShopRmCmd takes a shop away.
type ShopRmCmd struct {
	Shop gatehouse.ID `arg:"" help:"The shop."`
}

// Run removes it.
func (cmd ShopRmCmd) Run(ctx context.Context, out *Out) error {
	return removeRight(ctx, out, gatehouse.ShopItem, cmd.Shop.String())
}

// PassOrderCmd orders something of a pass.
type PassOrderCmd struct {
	Pass   gatehouse.ID `arg:"" help:"The pass."`
	Amount sum          `help:"The money to put on a pass of value, as '20.00 EUR'; a season pass is ordered for another month."`
}

// Run orders, and says by which id it is paid.
func (cmd PassOrderCmd) Run(ctx context.Context, out *Out) error {
	q := wire.PassOrderRequest{Pass: cmd.Pass}
	if m := cmd.Amount.wire(); m.Currency != "" {
		q.Amount = &m
	}
	return answer(ctx, out, func(a api.Admin) (wire.PassOrder, error) { return a.OrderPass(ctx, q) }, func(o wire.PassOrder) {
		out.Say("%s  %s  %s: book it with `gatehouse books take`", o.ID, o.Kind, amount(o.Amount))
	})
}

// PassGiveBackCmd takes money off a pass.
type PassGiveBackCmd struct {
	Pass   gatehouse.ID `arg:"" help:"The pass of value."`
	Order  gatehouse.ID `arg:"" help:"The order that put the money on it."`
	Amount sum          `arg:"" help:"As '2.50 EUR'."`
	reason
}

// Run takes it off.
func (cmd PassGiveBackCmd) Run(ctx context.Context, out *Out) error {
	q := wire.GiveBackRequest{Order: cmd.Order, Amount: cmd.Amount.wire(), Reason: gatehouse.BookReason(cmd.Reason), ID: gatehouse.RandomID()}
	return answer(ctx, out, func(a api.Admin) (wire.BooksEntry, error) { return a.GiveBack(ctx, cmd.Pass, q) }, booked(out))
}

// KioskCmd is about screens at lanes.
type KioskCmd struct {
	Add  KioskAddCmd  `cmd:"" help:"Print the code that a screen at a lane is enrolled by, once."`
	List KioskListCmd `cmd:"" help:"List the screens."`
	Rm   KioskRmCmd   `cmd:"" help:"Take a screen away: it is any browser then."`
}

// KioskAddCmd makes a place for a screen.
type KioskAddCmd struct {
	Gate string `arg:"" help:"The lane."`
}

// Run prints the code.
func (cmd KioskAddCmd) Run(ctx context.Context, out *Out) error {
	q := wire.ParkingKioskRequest{Gate: gatehouse.GateID(cmd.Gate)}
	return answer(ctx, out, func(a api.Admin) (wire.PageLink, error) { return a.AddParkingKiosk(ctx, q) }, sayLink(out))
}

// KioskListCmd lists the screens.
type KioskListCmd struct{}

// Run prints a line a screen.
func (KioskListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.ParkingKiosksResponse, error) { return a.ParkingKiosks(ctx) }, func(all wire.ParkingKiosksResponse) {
		for _, k := range all.Kiosks {
			since := "waits for its code"
			if !k.Since.IsZero() {
				since = "since " + k.Since.Local().Format("2006-01-02 15:04")
			}
			out.Say("%s  %-20s  %s", k.ID, k.Gate, since)
		}
	})
}

// KioskRmCmd takes a screen away.
type KioskRmCmd struct {
	Kiosk gatehouse.ID `arg:"" help:"The screen."`
}

// Run removes it.
func (cmd KioskRmCmd) Run(ctx context.Context, out *Out) error {
	return removeRight(ctx, out, gatehouse.KioskItem, cmd.Kiosk.String())
}
