package stay

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gatehouse"
)

// maxHeld bounds the stays of one answer.
const maxHeld = 20_000

// HeldOf gathers what is held of a person or vehicle here and in the books. Nothing of it is
// opened: it is metadata under their id, and a reference to what is sealed.
func (s *Stays) HeldOf(ctx context.Context, id gatehouse.SubjectID) (h gatehouse.HeldParking, err error) {
	items, err := s.Store.ParkingItems(ctx, s.Place)
	if err != nil {
		return h, err
	}
	paid := func(stay gatehouse.ID) error {
		if s.Passes == nil {
			return nil
		}
		found, err := s.Passes.ReceiptsOf(ctx, s.Place, stay, time.Time{}, s.Now().Add(24*time.Hour))
		h.Receipts = append(h.Receipts, found...)
		return err
	}
	for _, i := range items {
		if i.Subject != id {
			continue
		}
		r := gatehouse.HeldRight{Kind: i.Kind, From: i.At}
		switch i.Kind {
		case gatehouse.PassItem:
			err = takeOne(i.Body, func(p gatehouse.Pass) { r.Name, r.What, r.From, r.Until = p.Name, string(p.Kind), p.From, p.Until })
			if pass, failed := gatehouse.ParseID(i.ID); err == nil && failed == nil && s.Passes != nil {
				var held map[gatehouse.ID]gatehouse.Money
				held, err = s.Passes.HeldBy(ctx, s.Place, []gatehouse.ID{pass})
				r.Holds = held[pass]
			}
		case gatehouse.ReservationItem:
			err = takeOne(i.Body, func(x gatehouse.Reservation) { r.From, r.Until = x.From, x.Until })
		case gatehouse.OrderItem:
			var o gatehouse.PassOrder
			if err = json.Unmarshal(i.Body, &o); err == nil {
				r.Name, r.What, r.From, r.Until, r.Holds = o.Name, string(o.Kind), o.From, o.Until, o.Amount
				err = paid(o.ID)
			}
		case gatehouse.DriverAccountItem:
			err = takeOne(i.Body, func(a gatehouse.DriverAccount) {
				if r.From = a.Since; len(a.Buyer) > 0 {
					h.Buyer = &gatehouse.SealedRef{Where: gatehouse.BuyerContext(s.Place, a.ID), Sealed: a.Buyer}
				}
			})
		}
		if err != nil {
			return h, err
		}
		h.Rights = append(h.Rights, r)
	}
	err = s.eachStay(ctx, gatehouse.StayFilter{Subject: id}, func(r gatehouse.StayRecord) {
		if len(h.Stays) < maxHeld {
			h.Stays = append(h.Stays, r)
		} else {
			h.More = true
		}
	})
	if err != nil {
		return h, err
	}
	for _, r := range h.Stays {
		if err := paid(r.ID); err != nil {
			return h, err
		}
	}
	slices.SortFunc(h.Receipts, func(a, b gatehouse.Receipt) int { return int(a.Number) - int(b.Number) })
	return h, nil
}
