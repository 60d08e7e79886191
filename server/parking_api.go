package server

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/flow/stay"
	"gatehouse/rules/parking"
)

var _ api.Parking = admin{}

// CarParks implements api.Parking.
func (a admin) CarParks(context.Context) (wire.CarParksResponse, error) {
	return wire.CarParksResponse{CarParks: a.carParks()}, nil
}

// carParks are the car parks as they stand.
func (s *Server) carParks() []wire.CarPark {
	out := []wire.CarPark{}
	for _, o := range s.stays.Occupancies() {
		out = append(out, wireCarPark(o))
	}
	return out
}

func wireCarPark(o stay.Occupancy) wire.CarPark {
	c := o.CarPark
	return wire.CarPark{ID: c.ID, Name: c.Name, Capacity: c.Capacity, Inside: o.Inside, Free: o.Free, Full: o.Full, Classes: o.Classes, Kept: o.Kept, Corrected: o.Corrected, Groups: o.Groups, Waiting: o.Waiting, Unmatched: o.Unmatched,
		Entries: c.Entries, Exits: c.Exits, Tariff: c.Tariff}
}

func (s *Server) wireStay(r gatehouse.StayRecord) wire.Stay {
	out := wire.Stay{ID: r.ID, CarPark: r.CarPark, State: r.State, Reason: r.Reason, Subject: r.Subject, Known: r.Known, Class: r.Class, EntryGate: r.EntryGate, ExitGate: r.ExitGate,
		EntryPassage: r.EntryPassage, ExitPassage: r.ExitPassage, Entered: r.Entered, Left: r.Left, Owed: r.Owed, Group: r.Group, By: r.By, Corrected: r.Correction != nil}
	if r.Charge != nil {
		out.Currency, out.Charged = r.Charge.Currency, r.Charge.Total.Minor
	}
	if l, ok := s.stays.Looked(r.ID); ok {
		out.Look = &wire.StayLook{Same: l.Same, By: l.By, At: l.At}
	}
	return out
}

func wireExit(e gatehouse.StayExit) wire.Exit {
	return wire.Exit{ID: e.ID, CarPark: e.CarPark, Gate: e.Gate, At: e.At, Subject: e.Subject, Known: e.Known, State: e.State, Reason: e.Reason, Stay: e.Stay, Could: e.Could, By: e.By, Attached: e.Attached}
}

// pageOf is how many rows are asked for.
func pageOf(limit int) int {
	if limit == 0 {
		return 50
	}
	return limit
}

// Stays implements api.Parking.
func (a admin) Stays(ctx context.Context, q wire.StaysQuery) (wire.StaysResponse, error) {
	limit := pageOf(q.Limit)
	found, err := a.stays.List(ctx, gatehouse.StayFilter{CarPark: q.CarPark, State: q.State, Before: q.Before, Limit: limit})
	out := wire.StaysResponse{Stays: []wire.Stay{}}
	for _, r := range found {
		out.Stays = append(out.Stays, a.wireStay(r))
	}
	if len(found) == limit {
		out.Next = found[limit-1].ID
	}
	return out, err
}

// Stay implements api.Parking.
func (a admin) Stay(ctx context.Context, id gatehouse.ID, lang string) (wire.StayDetail, error) {
	r, err := a.stays.Stay(ctx, id)
	if err != nil {
		return wire.StayDetail{}, err
	}
	out := wire.StayDetail{Stay: a.wireStay(r)}
	due, charged, err := a.stays.Bill(ctx, r, time.Now())
	if err != nil || !charged {
		return out, err
	}
	c := due.Charge
	out.Charge = &wire.StayCharge{Tariff: c.Tariff, Version: c.Version, Currency: c.Currency, Until: c.Until, Total: c.Total.Minor, Tax: c.Tax.Minor, Paid: due.Paid.Minor, Due: due.Due.Minor, LeaveBy: due.LeaveBy, Lines: []wire.ChargeLine{}}
	for _, l := range c.Lines {
		out.Charge.Lines = append(out.Charge.Lines, wire.ChargeLine{Kind: string(l.Kind), Text: parking.Say(l, c.Currency, lang), From: l.From, Until: l.Until, Count: l.Count, Amount: l.Amount})
	}
	return out, nil
}

// CorrectPlate implements api.Parking.
func (a admin) CorrectPlate(ctx context.Context, id gatehouse.ID, r wire.PlateRequest) (wire.Stay, error) {
	return a.changedStay(ctx, id, a.stays.Correct(ctx, id, gatehouse.Secret(r.Plate), a.asker(ctx)))
}

// EndStay implements api.Parking.
func (a admin) EndStay(ctx context.Context, id gatehouse.ID) (wire.Stay, error) {
	return a.changedStay(ctx, id, a.stays.End(ctx, id, a.asker(ctx)))
}

// changedStay reads a stay that was changed.
func (a admin) changedStay(ctx context.Context, id gatehouse.ID, err error) (wire.Stay, error) {
	if err != nil {
		return wire.Stay{}, err
	}
	a.committed()
	r, err := a.stays.Stay(ctx, id)
	return a.wireStay(r), err
}

// LoseTicket implements api.Parking.
func (a admin) LoseTicket(ctx context.Context, id gatehouse.ID, r wire.LostTicketRequest) (wire.Stay, error) {
	_, err := a.stays.LoseTicket(ctx, id, r.Exit, a.asker(ctx))
	return a.changedStay(ctx, id, err)
}

// ValidateStay implements api.Parking.
func (a admin) ValidateStay(ctx context.Context, id gatehouse.ID, r wire.ValidationRequest) (wire.Right, error) {
	v := gatehouse.Validation{Issuer: r.Issuer, Kind: r.Kind, Time: time.Duration(r.Minutes) * time.Minute, BasisPoints: int64(r.Percent) * 100}
	if r.Minutes < 0 || r.Minutes > int(parking.MaxStay/time.Minute) || r.Percent < 0 || r.Percent > 100 {
		return wire.Right{}, gatehouse.Errorf("parking.validation", "see docs/parking.md", "this gives nothing that can be counted")
	}
	if r.Kind == gatehouse.MoneyValidation {
		due, err := a.stays.DueOf(ctx, a.site.Place, id, time.Now())
		if err != nil {
			return wire.Right{}, err
		}
		if v.Money, err = gatehouse.ParseMoney(r.Money, due.Charge.Currency); err != nil {
			return wire.Right{}, err
		}
	}
	v, err := a.stays.Validate(ctx, id, v, a.asker(ctx))
	if err != nil {
		return wire.Right{}, err
	}
	a.committed()
	return wire.Right{Kind: gatehouse.ValidationItem, ID: v.ID.String(), Stay: id, Name: v.Issuer, What: string(v.Kind), At: v.At}, nil
}

// Exits implements api.Parking.
func (a admin) Exits(ctx context.Context, q wire.StaysQuery) (wire.ExitsResponse, error) {
	limit := pageOf(q.Limit)
	found, err := a.stays.Unmatched(ctx, q.CarPark, q.Before, limit)
	out := wire.ExitsResponse{Exits: []wire.Exit{}}
	for _, e := range found {
		out.Exits = append(out.Exits, wireExit(e))
	}
	if len(found) == limit {
		out.Next = found[limit-1].ID
	}
	return out, err
}

// Exit implements api.Parking.
func (a admin) Exit(ctx context.Context, id gatehouse.ID) (wire.Exit, error) {
	e, err := a.stays.Exit(ctx, id)
	return wireExit(e), err
}

// maxCandidates is how many stays are offered for an exit.
const maxCandidates = 50

// ExitCandidates implements api.Parking.
func (a admin) ExitCandidates(ctx context.Context, id gatehouse.ID) (wire.StaysResponse, error) {
	found, err := a.stays.Candidates(ctx, id, maxCandidates)
	out := wire.StaysResponse{Stays: []wire.Stay{}}
	for _, r := range found {
		out.Stays = append(out.Stays, a.wireStay(r))
	}
	return out, err
}

// AttachExit implements api.Parking.
func (a admin) AttachExit(ctx context.Context, id gatehouse.ID, r wire.AttachRequest) (wire.StayDetail, error) {
	if _, err := a.stays.Attach(ctx, stay.Attaching{Exit: id, Stay: r.Stay, By: a.asker(ctx), Charge: r.Charge}); err != nil {
		return wire.StayDetail{}, err
	}
	a.committed()
	return a.Stay(ctx, r.Stay, "")
}

// DismissExit implements api.Parking.
func (a admin) DismissExit(ctx context.Context, id gatehouse.ID) (wire.Exit, error) {
	if err := a.stays.Dismiss(ctx, id, a.asker(ctx)); err != nil {
		return wire.Exit{}, err
	}
	a.committed()
	return a.Exit(ctx, id)
}

// Ticket implements api.Parking.
func (a admin) Ticket(ctx context.Context, r wire.TicketRequest) (wire.TicketResponse, error) {
	code, err := a.stays.Ticket(ctx, r.Gate, r.Class)
	return wire.TicketResponse{Code: code.Reveal()}, err
}

func wireTariff(t gatehouse.StoredTariff, file bool) wire.TariffRevision {
	w := wire.TariffRevision{Name: t.Name, Revision: t.Revision, At: t.At, By: t.By}
	if file {
		w.File = string(t.Body)
	}
	return w
}

// Tariffs implements api.Parking.
func (a admin) Tariffs(context.Context) (wire.TariffsResponse, error) {
	out := wire.TariffsResponse{Tariffs: []wire.TariffRevision{}}
	for _, t := range a.stays.TariffList() {
		out.Tariffs = append(out.Tariffs, wireTariff(t, false))
	}
	return out, nil
}

// TariffHistory implements api.Parking.
func (a admin) TariffHistory(_ context.Context, name string) (wire.TariffsResponse, error) {
	out := wire.TariffsResponse{Tariffs: []wire.TariffRevision{}}
	all, err := a.stays.TariffHistory(name)
	for _, t := range all {
		out.Tariffs = append(out.Tariffs, wireTariff(t, true))
	}
	return out, err
}

// PutTariff implements api.Parking.
func (a admin) PutTariff(ctx context.Context, r wire.TariffRequest) (wire.TariffRevision, error) {
	t, err := a.stays.PutTariff(ctx, []byte(r.File), a.asker(ctx))
	if err == nil {
		a.committed()
	}
	return wireTariff(t, false), err
}

// Rights implements api.Parking.
func (a admin) Rights(ctx context.Context) (wire.RightsResponse, error) {
	items, err := a.stays.Rights(ctx)
	out := wire.RightsResponse{Rights: []wire.Right{}}
	for _, i := range items {
		if i.Kind == gatehouse.ShopCodeItem {
			continue // there may be thousands, and none says anything
		}
		out.Rights = append(out.Rights, a.wireRight(i))
	}
	if err != nil {
		return out, err
	}
	return out, a.holdings(ctx, out.Rights)
}

// holdings fills in what passes of value hold.
func (a admin) holdings(ctx context.Context, rights []wire.Right) error {
	var purses []gatehouse.ID
	for _, r := range rights {
		if id, err := gatehouse.ParseID(r.ID); err == nil && r.Kind == gatehouse.PassItem && r.What == string(gatehouse.ValuePass) {
			purses = append(purses, id)
		}
	}
	held, err := a.books.HeldBy(ctx, a.site.Place, purses)
	for i, r := range rights {
		if id, err := gatehouse.ParseID(r.ID); err == nil {
			if m, ok := held[id]; ok {
				w := moneyOf(m)
				rights[i].Holds = &w
			}
		}
	}
	return err
}

// wireRight puts an item into the words of the API; its body was checked when it was put.
func (a admin) wireRight(i gatehouse.ParkingItem) wire.Right {
	w := wire.Right{Kind: i.Kind, ID: i.ID, Vehicle: i.Subject, Stay: i.Stay, At: i.At}
	switch i.Kind {
	case gatehouse.PassItem:
		var p gatehouse.Pass
		_ = json.Unmarshal(i.Body, &p)
		w.Name, w.What, w.From, w.Until, w.Uses, w.Used = p.Name, string(p.Kind), p.From, p.Until, p.Uses, a.stays.Used(p.ID)
		if p.Price.Currency != "" {
			m := moneyOf(p.Price)
			w.Price = &m
		}
	case gatehouse.OrderItem:
		var o gatehouse.PassOrder
		_ = json.Unmarshal(i.Body, &o)
		m := moneyOf(o.Amount)
		w.Name, w.What, w.From, w.Until, w.Price = o.Name, string(o.Kind), o.From, o.Until, &m
	case gatehouse.ShopItem:
		var x gatehouse.Shop
		_ = json.Unmarshal(i.Body, &x)
		w.Name, w.What = x.Name, string(x.Gives.Kind)
	case gatehouse.ReservationItem:
		var r gatehouse.Reservation
		_ = json.Unmarshal(i.Body, &r)
		w.From, w.Until = r.From, r.Until
	case gatehouse.QuotaItem:
		var q gatehouse.Quota
		_ = json.Unmarshal(i.Body, &q)
		w.Name, w.Spaces = q.Group, q.Spaces
	case gatehouse.ValidationItem:
		var v gatehouse.Validation
		_ = json.Unmarshal(i.Body, &v)
		w.Name, w.What = v.Issuer, string(v.Kind)
	}
	return w
}

// PutPass implements api.Parking.
func (a admin) PutPass(ctx context.Context, r wire.PassRequest) (wire.Right, error) {
	p := gatehouse.Pass{Kind: r.Kind, Name: r.Name, From: r.From, Until: r.Until, Classes: r.Classes, Uses: r.Uses, Quota: r.Quota, Tax: r.Tax, Value: gatehouse.Money{Currency: r.Currency}}
	if r.Price != nil {
		p.Price = ofMoney(*r.Price)
	}
	for _, line := range r.Windows {
		windows, err := gatehouse.ParseWindows(line)
		if err != nil {
			return wire.Right{}, err
		}
		p.Windows = append(p.Windows, windows...)
	}
	p, err := a.stays.PutPass(ctx, r.Vehicle, p, a.asker(ctx))
	return a.given(ctx, gatehouse.PassItem, p.ID.String(), err)
}

// PutReservation implements api.Parking.
func (a admin) PutReservation(ctx context.Context, r wire.ReservationRequest) (wire.Right, error) {
	minutes := func(n int) time.Duration { return time.Duration(max(-1, min(n, 10_000))) * time.Minute }
	res, err := a.stays.PutReservation(ctx, r.Vehicle, gatehouse.Reservation{From: r.From, Until: r.Until, Early: minutes(r.Early), Late: minutes(r.Late), Classes: r.Classes}, a.asker(ctx))
	return a.given(ctx, gatehouse.ReservationItem, res.ID.String(), err)
}

// PutQuota implements api.Parking.
func (a admin) PutQuota(ctx context.Context, r wire.QuotaRequest) (wire.Right, error) {
	err := a.stays.PutQuota(ctx, gatehouse.Quota{Group: r.Group, Spaces: r.Spaces, Pay: r.Pay}, a.asker(ctx))
	return a.given(ctx, gatehouse.QuotaItem, r.Group, err)
}

// CountCarPark implements api.Parking.
func (a admin) CountCarPark(ctx context.Context, r wire.CountRequest) (wire.CarPark, error) {
	if _, err := a.stays.Count(ctx, r.CarPark, r.Inside, r.Reason, a.asker(ctx)); err != nil {
		return wire.CarPark{}, err
	}
	a.committed()
	all := a.carParks()
	return all[slices.IndexFunc(all, func(c wire.CarPark) bool { return c.ID == r.CarPark })], nil
}

// Deny implements api.Parking.
func (a admin) Deny(ctx context.Context, r wire.DenyRequest) (wire.Right, error) {
	id, err := a.stays.Deny(ctx, r.Vehicle, a.asker(ctx))
	return a.given(ctx, gatehouse.DeniedItem, id.String(), err)
}

// given reads what was just given.
func (a admin) given(ctx context.Context, kind gatehouse.ParkingItemKind, id string, err error) (wire.Right, error) {
	if err != nil {
		return wire.Right{}, err
	}
	a.committed()
	items, err := a.stays.Rights(ctx)
	if at := slices.IndexFunc(items, func(i gatehouse.ParkingItem) bool { return i.Kind == kind && i.ID == id }); err == nil && at >= 0 {
		return a.wireRight(items[at]), nil
	}
	return wire.Right{Kind: kind, ID: id}, err
}

// RemoveRight implements api.Parking.
func (a admin) RemoveRight(ctx context.Context, kind gatehouse.ParkingItemKind, id string) error {
	err := a.stays.RemoveRight(ctx, kind, id, a.asker(ctx))
	if err == nil {
		a.committed()
	}
	return err
}
