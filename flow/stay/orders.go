package stay

import (
	"context"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// maxTopUp bounds, in minor units, what is put on a pass at once.
const maxTopUp = 100_000_00

// maxOpenOrders bounds the orders of a pass that nobody paid yet: whoever has an account's page
// open makes them, and each is a row and a leaf.
const maxOpenOrders = 10

// orderKept is for how long an order that nobody paid is kept: a payment may be late.
const orderKept = 7 * 24 * time.Hour

// passOf finds a pass and its vehicle: parking.unknown_right.
func (s *Stays) passOf(id gatehouse.ID) (gatehouse.Pass, gatehouse.SubjectID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for vehicle, passes := range s.data.passes {
		for _, p := range passes {
			if p.ID == id {
				return p, vehicle, nil
			}
		}
	}
	return gatehouse.Pass{}, gatehouse.SubjectID{}, gatehouse.Errorf("parking.unknown_right", "see `gatehouse pass list`", "there is no such pass")
}

// Renew orders another month of a season pass. It is paid for under the order's ID as a stay
// is, and counts once it is; one that nobody paid yet is given again. Errors:
// parking.unknown_right, parking.not_for_sale, parking.too_many.
func (s *Stays) Renew(ctx context.Context, pass gatehouse.ID, by string) (gatehouse.PassOrder, error) {
	p, vehicle, err := s.passOf(pass)
	if err != nil {
		return gatehouse.PassOrder{}, err
	}
	now := s.Now().UTC()
	from, until, ok := parking.Renewal(p, now, s.Location)
	if !ok {
		return gatehouse.PassOrder{}, gatehouse.Errorf("parking.not_for_sale", "give it a price with `gatehouse pass add --price`", "this pass cannot be renewed by paying")
	}
	return s.order(ctx, vehicle, gatehouse.PassOrder{Pass: pass, Kind: gatehouse.RenewalOrder, Name: p.Name, From: from, Until: until, Amount: p.Price, Tax: p.Tax, Made: now}, by)
}

// TopUp orders money on a pass of value, as Renew does a month. Errors: parking.unknown_right,
// parking.not_for_sale, parking.right, parking.too_many.
func (s *Stays) TopUp(ctx context.Context, pass gatehouse.ID, amount gatehouse.Money, by string) (gatehouse.PassOrder, error) {
	p, vehicle, err := s.passOf(pass)
	switch {
	case err != nil:
		return gatehouse.PassOrder{}, err
	case p.Kind != gatehouse.ValuePass:
		return gatehouse.PassOrder{}, gatehouse.Errorf("parking.not_for_sale", "put it on a pass of value", "this pass holds no money")
	case amount.Minor <= 0 || amount.Minor > maxTopUp || amount.Currency != p.Value.Currency:
		return gatehouse.PassOrder{}, wrongRight("the amount is of the pass's currency, and at most %d minor units", maxTopUp)
	}
	now := s.Now().UTC()
	return s.order(ctx, vehicle, gatehouse.PassOrder{Pass: pass, Kind: gatehouse.TopUpOrder, Name: p.Name, From: now, Until: now, Amount: amount, Made: now}, by)
}

func (s *Stays) order(ctx context.Context, vehicle gatehouse.SubjectID, o gatehouse.PassOrder, by string) (gatehouse.PassOrder, error) {
	s.orderChanges.Lock() // two at once make one
	defer s.orderChanges.Unlock()
	open := 0
	s.mu.RLock()
	for _, x := range s.data.orders {
		if x.Done.IsZero() && x.Pass == o.Pass {
			open++
		}
		// Its time to begin moves where a pass is over: what is open is paid for as it stands.
		if x.Done.IsZero() && x.Pass == o.Pass && x.Kind == o.Kind && x.Amount == o.Amount && o.Made.Sub(x.Made) < orderKept/2 && !o.From.Before(x.From) {
			s.mu.RUnlock()
			return x.PassOrder, nil
		}
	}
	s.mu.RUnlock()
	if open >= maxOpenOrders {
		return gatehouse.PassOrder{}, gatehouse.Errorf("parking.too_many", "pay one of them, or wait for a week", "%d orders of this pass wait to be paid", open)
	}
	o.ID = gatehouse.RandomID()
	return o, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.OrderItem, ID: o.ID.String(), Subject: vehicle}, o, by)
}

// Orders gives a vehicle's, the newest first.
func (s *Stays) ordersOf(vehicle gatehouse.SubjectID) (all []gatehouse.PassOrder) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, o := range s.data.orders {
		if o.vehicle == vehicle {
			all = append(all, o.PassOrder)
		}
	}
	return all
}

func (s *Stays) orderOf(id gatehouse.ID) (order, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.data.orders[id]
	return o, ok
}

// order is a PassOrder with whose pass it is about.
type order struct {
	gatehouse.PassOrder
	vehicle gatehouse.SubjectID
}

// dueOfOrder says what is owed for an order.
func (s *Stays) dueOfOrder(ctx context.Context, o order) (gatehouse.StayDue, error) {
	d := gatehouse.StayDue{Stay: o.ID, State: gatehouse.StayOpen, Charge: parking.Sale(o.PassOrder), Paid: gatehouse.Money{Currency: o.Amount.Currency}, Due: gatehouse.Money{Currency: o.Amount.Currency}}
	paid, err := s.payments(ctx, o.ID)
	if err != nil {
		return d, err
	}
	for _, p := range paid {
		if d.Paid, err = d.Paid.Add(p.Amount); err != nil {
			return d, err
		}
	}
	if !o.Done.IsZero() {
		d.State = gatehouse.StayLeft
		return d, nil
	}
	d.Due.Minor = max(0, o.Amount.Minor-d.Paid.Minor)
	return d, nil
}

// orderPaid gives what an order sells once nothing is owed for it, and books what it cost. Each
// step can be done again; the caller does not hold s.changes.
func (s *Stays) orderPaid(ctx context.Context, id gatehouse.ID) error {
	s.orderChanges.Lock()
	defer s.orderChanges.Unlock()
	o, ok := s.orderOf(id)
	if !ok || o.Booked {
		return nil
	}
	if o.Done.IsZero() {
		due, err := s.dueOfOrder(ctx, o)
		if err != nil || due.Due.Minor > 0 {
			return err
		}
		o.Done = s.Now().UTC()
		if o.Kind == gatehouse.RenewalOrder { // another month may have been paid for meanwhile
			p, _, err := s.passOf(o.Pass)
			if err != nil {
				return err
			}
			if from, until, ok := parking.Renewal(p, o.Made, s.Location); ok {
				o.From, o.Until = from, until
			}
		}
		if err := s.putOrder(ctx, o); err != nil {
			return err
		}
	}
	if err := s.bookOrder(ctx, o); err != nil {
		return err
	}
	o.Booked = true
	return s.putOrder(ctx, o)
}

func (s *Stays) putOrder(ctx context.Context, o order) error {
	return s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.OrderItem, ID: o.ID.String(), Subject: o.vehicle}, o.PassOrder, "books")
}

func (s *Stays) bookOrder(ctx context.Context, o order) error {
	switch {
	case s.Books == nil:
		return nil
	case o.Kind == gatehouse.TopUpOrder:
		return s.Passes.TopUp(ctx, s.Place, o.PassOrder)
	}
	return s.Books.BookCharge(ctx, s.Place, o.ID, o.Done, parking.Sale(o.PassOrder))
}

// tidyOrders finishes orders that were paid when nobody could be told, and forgets those that
// nobody paid. The caller does not hold s.changes.
func (s *Stays) tidyOrders(ctx context.Context) error {
	s.mu.RLock()
	var open []order
	for _, o := range s.data.orders {
		if !o.Booked {
			open = append(open, o)
		}
	}
	s.mu.RUnlock()
	var failed error
	for _, o := range open {
		if err := s.orderPaid(ctx, o.ID); err != nil { // of a pass that was taken away: the others go on
			failed = errors.Join(failed, err)
			continue
		}
		if now, ok := s.orderOf(o.ID); ok && now.Done.IsZero() && s.Now().Sub(o.Made) > orderKept {
			if err := s.RemoveRight(ctx, gatehouse.OrderItem, o.ID.String(), "books"); err != nil {
				return err
			}
		}
	}
	return failed
}
