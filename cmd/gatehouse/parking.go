package main

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// ParkingCmd is about who is in the car parks.
type ParkingCmd struct {
	Status  ParkingStatusCmd  `cmd:"" default:"1" help:"How full the car parks are."`
	Stays   ParkingStaysCmd   `cmd:"" help:"List stays, newest first."`
	Stay    ParkingStayCmd    `cmd:"" help:"Show one stay, and how its charge comes about."`
	Exits   ParkingExitsCmd   `cmd:"" help:"List the exits that wait for a person."`
	Attach  ParkingAttachCmd  `cmd:"" help:"End a stay with an exit that waits for a person."`
	Dismiss ParkingDismissCmd `cmd:"" help:"Note that no entry belongs to an exit."`
	Ticket  ParkingTicketCmd  `cmd:"" help:"Let a vehicle without a plate in, and print its ticket's code."`
	Lost    ParkingLostCmd    `cmd:"" help:"Note that the driver of a stay, who waits at an exit, has lost the ticket."`
	End     ParkingEndCmd     `cmd:"" help:"End a stay whose vehicle is gone, without a charge."`
	Count   ParkingCountCmd   `cmd:"" help:"Say how many vehicles were counted in a car park, and why that differs."`
}

// ParkingStatusCmd says how full the car parks are.
type ParkingStatusCmd struct{}

// Run prints a line a car park.
func (ParkingStatusCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.CarParksResponse, error) { return a.CarParks(ctx) }, func(all wire.CarParksResponse) {
		for _, c := range all.CarParks {
			out.Say("%-20s  %d of %d inside, %d free, %d waiting at an exit, %d exits for a person", c.ID, c.Inside, c.Capacity, c.Free, c.Waiting, c.Unmatched)
		}
		if len(all.CarParks) == 0 {
			out.Say("There is no car park; see `parking` in gatehouse.yml.")
		}
	})
}

// ParkingCountCmd corrects a count that drifted.
type ParkingCountCmd struct {
	CarPark string `arg:"" help:"The car park's id."`
	Inside  int    `arg:"" help:"How many vehicles are in it."`
	Reason  string `required:"" help:"Why others are known: missed_exits, missed_entries or other." placeholder:"REASON"`
}

// Run prints how full it is now.
func (cmd ParkingCountCmd) Run(ctx context.Context, out *Out) error {
	q := wire.CountRequest{CarPark: cmd.CarPark, Inside: cmd.Inside, Reason: gatehouse.CountReason(cmd.Reason)}
	return answer(ctx, out, func(a api.Admin) (wire.CarPark, error) { return a.CountCarPark(ctx, q) }, func(c wire.CarPark) {
		out.Say("%s: %d of %d inside, %d free; the count changed what is known by %+d.", c.ID, c.Inside, c.Capacity, c.Free, c.Corrected)
	})
}

// ParkingStaysCmd lists stays.
type ParkingStaysCmd struct {
	CarPark string `help:"Of this car park only." placeholder:"ID"`
	State   string `help:"inside, open, waiting, ambiguous, left, lost, withdrawn or unpaid." placeholder:"STATE"`
	Before  string `help:"The cursor: next of the page before." placeholder:"ID"`
	Limit   int    `help:"The most rows." default:"50"`
}

// Run prints a line a stay.
func (cmd ParkingStaysCmd) Run(ctx context.Context, out *Out) error {
	q := wire.StaysQuery{CarPark: cmd.CarPark, State: cmd.State, Limit: min(max(cmd.Limit, 1), 200)}
	if cmd.Before != "" {
		var err error
		if q.Before, err = gatehouse.ParseID(cmd.Before); err != nil {
			return err
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.StaysResponse, error) { return a.Stays(ctx, q) }, func(page wire.StaysResponse) {
		for _, s := range page.Stays {
			out.Say("%s", stayWords(s))
		}
	})
}

func stayWords(s wire.Stay) string {
	until, cost := "          ", ""
	if !s.Left.IsZero() {
		until = s.Left.Local().Format("15:04")
	}
	if s.Currency != "" {
		cost = gatehouse.Money{Minor: s.Charged, Currency: s.Currency}.String()
	}
	if s.Owed > 0 {
		cost += ", owes " + gatehouse.Money{Minor: s.Owed, Currency: s.Currency}.String()
		switch {
		case s.Look == nil:
			cost += ", nobody has looked"
		case s.Look.Same:
			cost += ", the same vehicle"
		default:
			cost += ", not the same vehicle"
		}
	}
	return fmt.Sprintf("%s  %-12s  %s–%s  %-9s  %-14s  %s", s.ID, s.CarPark, s.Entered.Local().Format("2006-01-02 15:04"), until, s.State, s.Reason, cost)
}

// StayArg names a stay.
type StayArg struct {
	ID string `arg:"" help:"The stay's id."`
}

// ParkingStayCmd shows one.
type ParkingStayCmd struct {
	StayArg
	Lang string `help:"The language of the lines." enum:"en,zh" default:"en"`
}

// Run prints the stay and the lines of its charge.
func (cmd ParkingStayCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.StayDetail, error) { return a.Stay(ctx, id, cmd.Lang) }, func(d wire.StayDetail) { sayStay(out, d) })
}

func sayStay(out *Out, d wire.StayDetail) {
	out.Say("%s", stayWords(d.Stay))
	if d.Charge == nil {
		out.Say("Nothing is charged.")
		return
	}
	money := func(n int64) string { return gatehouse.Money{Minor: n, Currency: d.Charge.Currency}.String() }
	for _, l := range d.Charge.Lines {
		out.Say("%14s  %s", money(l.Amount), l.Text)
	}
	out.Say("%14s  in all (tariff %s, version %d); paid %s, due %s", money(d.Charge.Total), d.Charge.Tariff, d.Charge.Version, money(d.Charge.Paid), money(d.Charge.Due))
}

// ParkingExitsCmd lists the exits that wait for a person.
type ParkingExitsCmd struct {
	CarPark string `help:"Of this car park only." placeholder:"ID"`
}

// Run prints a line an exit.
func (cmd ParkingExitsCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.ExitsResponse, error) {
		return a.Exits(ctx, wire.StaysQuery{CarPark: cmd.CarPark, Limit: 200})
	}, func(page wire.ExitsResponse) {
		for _, e := range page.Exits {
			out.Say("%s  %-12s  %s  %-10s  %-9s  %s", e.ID, e.CarPark, e.At.Local().Format("2006-01-02 15:04"), e.Gate, e.State, e.Reason)
			for _, id := range e.Could {
				out.Say("    could be %s", id)
			}
		}
	})
}

// ParkingAttachCmd attaches a stay to an exit.
type ParkingAttachCmd struct {
	Exit   string `arg:"" help:"The exit's id."`
	Stay   string `arg:"" help:"The stay that it ended."`
	Charge bool   `help:"Charge what the stay cost; otherwise nobody owes it."`
}

// Run attaches.
func (cmd ParkingAttachCmd) Run(ctx context.Context, out *Out) error {
	exit, err := gatehouse.ParseID(cmd.Exit)
	if err != nil {
		return err
	}
	stay, err := gatehouse.ParseID(cmd.Stay)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.StayDetail, error) {
		return a.AttachExit(ctx, exit, wire.AttachRequest{Stay: stay, Charge: cmd.Charge})
	}, func(d wire.StayDetail) { sayStay(out, d) })
}

// ParkingDismissCmd dismisses an exit.
type ParkingDismissCmd struct {
	Exit string `arg:"" help:"The exit's id."`
}

// Run dismisses.
func (cmd ParkingDismissCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.Exit)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Exit, error) { return a.DismissExit(ctx, id) }, func(wire.Exit) { out.Say("Nobody has to look at it any more.") })
}

// ParkingEndCmd ends a stay by hand.
type ParkingEndCmd struct{ StayArg }

// Run ends it.
func (cmd ParkingEndCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Stay, error) { return a.EndStay(ctx, id) }, func(s wire.Stay) { out.Say("%s", stayWords(s)) })
}

// ParkingLostCmd notes that a ticket was lost.
type ParkingLostCmd struct {
	StayArg
	Gate string `arg:"" name:"exit" help:"The exit at which the driver waits."`
}

// Run notes it.
func (cmd ParkingLostCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Stay, error) {
		return a.LoseTicket(ctx, id, wire.LostTicketRequest{Exit: gatehouse.GateID(cmd.Gate)})
	}, func(s wire.Stay) { out.Say("%s", stayWords(s)) })
}

// ParkingTicketCmd lets a vehicle without a plate in.
type ParkingTicketCmd struct {
	Gate  string `arg:"" help:"The entry."`
	Class string `help:"Of the vehicle." enum:"car,motorbike,truck,bus" default:"car"`
}

// Run prints the code.
func (cmd ParkingTicketCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.TicketResponse, error) {
		return a.Ticket(ctx, wire.TicketRequest{Gate: gatehouse.GateID(cmd.Gate), Class: gatehouse.VehicleClass(cmd.Class)})
	}, func(t wire.TicketResponse) { out.Say("%s", t.Code) })
}

// PassCmd is about rights to park.
type PassCmd struct {
	Add      PassAddCmd      `cmd:"" help:"Give a vehicle a pass: season, uses, exit or value."`
	Reserve  PassReserveCmd  `cmd:"" help:"Reserve a space for a vehicle."`
	Quota    PassQuotaCmd    `cmd:"" help:"Say how many spaces a group (a tenant, the staff) may use at once."`
	Deny     PassDenyCmd     `cmd:"" help:"Keep a vehicle out."`
	Order    PassOrderCmd    `cmd:"" help:"Order another month of a season pass, or money on a pass of value."`
	GiveBack PassGiveBackCmd `cmd:"" help:"Take money off a pass of value again, to refund it."`
	List     PassListCmd     `cmd:"" help:"List passes, reservations, quotas, the denied, and validations."`
	Rm       PassRmCmd       `cmd:"" help:"Take one of them away."`
}

// VehicleArg names an enrolled vehicle.
type VehicleArg struct {
	Vehicle string `arg:"" help:"The vehicle's id."`
}

func (v VehicleArg) id() (gatehouse.SubjectID, error) { return gatehouse.ParseID(v.Vehicle) }

// PassAddCmd gives a pass.
type PassAddCmd struct {
	VehicleArg
	Kind     string    `help:"season, uses, exit or value." enum:"season,uses,exit,value" default:"season"`
	Name     string    `help:"What the product is called; names nobody." required:"" placeholder:"NAME"`
	From     time.Time `help:"When it begins; now where it is left out." placeholder:"RFC3339"`
	Until    time.Time `help:"When it ends." placeholder:"RFC3339"`
	Window   []string  `help:"When a season pass counts: 'mon-fri 18:00-24:00'; at any time where it is left out." placeholder:"WHEN"`
	Uses     int       `help:"Of uses: how many."`
	Quota    string    `help:"The group that it shares spaces with." placeholder:"GROUP"`
	Price    sum       `help:"What another month of a season pass costs its driver, as '119.00 EUR'."`
	Tax      int64     `help:"The tax in the price, in hundredths of a per cent." placeholder:"N"`
	Currency string    `help:"Of a pass of value." placeholder:"EUR"`
}

// Run gives it.
func (cmd PassAddCmd) Run(ctx context.Context, out *Out) error {
	id, err := cmd.id()
	if err != nil {
		return err
	}
	if cmd.From.IsZero() {
		cmd.From = time.Now()
	}
	q := wire.PassRequest{Vehicle: id, Kind: gatehouse.PassKind(cmd.Kind), Name: cmd.Name, From: cmd.From.UTC(), Windows: cmd.Window, Uses: cmd.Uses, Quota: cmd.Quota, Tax: cmd.Tax, Currency: gatehouse.Currency(cmd.Currency)}
	if m := cmd.Price.wire(); m.Currency != "" {
		q.Price = &m
	}
	if !cmd.Until.IsZero() {
		q.Until = cmd.Until.UTC()
	}
	return answer(ctx, out, func(a api.Admin) (wire.Right, error) { return a.PutPass(ctx, q) }, func(r wire.Right) { sayRight(out, r) })
}

// PassReserveCmd reserves.
type PassReserveCmd struct {
	VehicleArg
	From  time.Time `help:"When it begins." required:"" placeholder:"RFC3339"`
	Until time.Time `help:"When it ends." required:"" placeholder:"RFC3339"`
	Early int       `help:"Minutes that it covers before." default:"0"`
	Late  int       `help:"Minutes that it covers after." default:"0"`
}

// Run reserves.
func (cmd PassReserveCmd) Run(ctx context.Context, out *Out) error {
	id, err := cmd.id()
	if err != nil {
		return err
	}
	q := wire.ReservationRequest{Vehicle: id, From: cmd.From.UTC(), Until: cmd.Until.UTC(), Early: cmd.Early, Late: cmd.Late}
	return answer(ctx, out, func(a api.Admin) (wire.Right, error) { return a.PutReservation(ctx, q) }, func(r wire.Right) { sayRight(out, r) })
}

// PassQuotaCmd sets a quota.
type PassQuotaCmd struct {
	Group  string `arg:"" help:"The group's name: lower-case letters, digits, hyphens."`
	Spaces int    `arg:"" help:"How many spaces it may use at once."`
	Pay    bool   `help:"Those beyond it come in as visitors; otherwise they wait outside."`
}

// Run sets it.
func (cmd PassQuotaCmd) Run(ctx context.Context, out *Out) error {
	q := wire.QuotaRequest{Group: cmd.Group, Spaces: cmd.Spaces, Pay: cmd.Pay}
	return answer(ctx, out, func(a api.Admin) (wire.Right, error) { return a.PutQuota(ctx, q) }, func(r wire.Right) { sayRight(out, r) })
}

// PassDenyCmd keeps a vehicle out.
type PassDenyCmd struct{ VehicleArg }

// Run denies.
func (cmd PassDenyCmd) Run(ctx context.Context, out *Out) error {
	id, err := cmd.id()
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Right, error) { return a.Deny(ctx, wire.DenyRequest{Vehicle: id}) }, func(r wire.Right) { sayRight(out, r) })
}

// PassListCmd lists what was given.
type PassListCmd struct{}

// Run prints a line a right.
func (PassListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.RightsResponse, error) { return a.Rights(ctx) }, func(all wire.RightsResponse) {
		for _, r := range all.Rights {
			sayRight(out, r)
		}
	})
}

func sayRight(out *Out, r wire.Right) {
	what := r.What
	switch {
	case r.Uses > 0:
		what += fmt.Sprintf(" %d of %d used", r.Used, r.Uses)
	case r.Kind == gatehouse.QuotaItem:
		what = fmt.Sprintf("%d spaces", r.Spaces)
	}
	until := ""
	if !r.Until.IsZero() {
		until = r.From.Local().Format("2006-01-02 15:04") + " – " + r.Until.Local().Format("2006-01-02 15:04")
	}
	out.Say("%-11s  %s  %-20s  %-16s  %s", r.Kind, r.ID, r.Name, what, until)
}

// PassRmCmd takes a right away.
type PassRmCmd struct {
	Kind string `arg:"" help:"pass, reservation, quota, denied, validation, order or account_vehicle." enum:"pass,reservation,quota,denied,validation,order,account_vehicle"`
	ID   string `arg:"" help:"Its id, or a quota's group."`
}

// Run removes it.
func (cmd PassRmCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (struct{}, error) {
		return struct{}{}, a.RemoveRight(ctx, gatehouse.ParkingItemKind(cmd.Kind), cmd.ID)
	}, func(struct{}) { out.Say("It is gone.") })
}

// ValidationCmd is about what shops give.
type ValidationCmd struct {
	Give ValidationGiveCmd `cmd:"" help:"Give a stay time, money, a share, or all of it."`
}

// ValidationGiveCmd gives one.
type ValidationGiveCmd struct {
	StayArg
	Issuer  string `help:"The shop; names nobody." required:"" placeholder:"NAME"`
	Minutes int    `help:"Time that is not charged." xor:"what"`
	Percent int    `help:"A share of the price, 1 to 100." xor:"what"`
	Money   string `help:"An amount in the tariff's currency." xor:"what" placeholder:"2.50"`
	Full    bool   `help:"All of it." xor:"what"`
}

// Run gives it.
func (cmd ValidationGiveCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	q := wire.ValidationRequest{Issuer: cmd.Issuer, Minutes: cmd.Minutes, Percent: cmd.Percent, Money: cmd.Money}
	switch {
	case cmd.Minutes > 0:
		q.Kind = gatehouse.TimeValidation
	case cmd.Percent > 0:
		q.Kind = gatehouse.PercentValidation
	case cmd.Money != "":
		q.Kind = gatehouse.MoneyValidation
	case cmd.Full:
		q.Kind = gatehouse.FullValidation
	default:
		return gatehouse.Errorf("parking.validation", "name one of --minutes, --percent, --money, --full", "nothing is given")
	}
	return answer(ctx, out, func(a api.Admin) (wire.Right, error) { return a.ValidateStay(ctx, id, q) }, func(r wire.Right) { sayRight(out, r) })
}
