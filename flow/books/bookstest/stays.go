// Package bookstest stands in for the lanes of a car park, for tests of what is paid: stays
// in memory, charged by rules/parking as the real ones are.
package bookstest

import (
	"context"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// Stays are the stays of one car park. They implement gatehouse.PayableStays.
type Stays struct {
	Tariff gatehouse.TariffVersion
	Books  gatehouse.StayBooks // set before the first question
	Fail   error               // what StayPaid answers, once the lane is away

	mu    sync.Mutex
	stays map[gatehouse.ID]*one
}

type one struct {
	stay   gatehouse.Stay
	plate  string
	ticket string
	told   []time.Time // when StayPaid was called
	opened time.Time   // when it found that nothing is owed any more
}

var _ gatehouse.PayableStays = (*Stays)(nil)

// PerHour is a tariff of a price for each started hour, 19 % tax in it, with 15 minutes to
// leave after paying.
func PerHour(price int64, c gatehouse.Currency, from time.Time) gatehouse.TariffVersion {
	day := gatehouse.Period{Name: "day", Days: []gatehouse.DayKind{0, 1, 2, 3, 4, 5, 6, gatehouse.OnHolidays}, Until: 24 * 60, Steps: []gatehouse.Step{{Block: time.Hour, Per: time.Hour, Price: price}}}
	return gatehouse.TariffVersion{Tariff: "test", Number: 1, Currency: c, Zone: time.UTC, From: from, ExitWithin: 15 * time.Minute, Tax: gatehouse.Tax{Name: "VAT", BasisPoints: 1900},
		Plans: []gatehouse.Plan{{Classes: []gatehouse.VehicleClass{gatehouse.Car}, Periods: []gatehouse.Period{day}}}}
}

// Enter opens a stay.
func (s *Stays) Enter(place gatehouse.Place, plate string, at time.Time) gatehouse.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stays == nil {
		s.stays = map[gatehouse.ID]*one{}
	}
	id := gatehouse.NewID(at)
	s.stays[id] = &one{stay: gatehouse.Stay{Place: place, ID: id, Class: gatehouse.Car, Entered: at}, plate: plate, ticket: "T" + id.String()[20:]}
	return id
}

// Leave closes a stay, and books what it cost by then.
func (s *Stays) Leave(ctx context.Context, id gatehouse.ID, at time.Time) error {
	s.mu.Lock()
	o := s.stays[id]
	o.stay.Left = at
	place := o.stay.Place
	s.mu.Unlock()
	due, err := s.DueOf(ctx, place, id, at)
	if err != nil {
		return err
	}
	return s.Books.BookCharge(ctx, place, id, at, due.Charge)
}

// Ticket is the code of a stay's ticket.
func (s *Stays) Ticket(id gatehouse.ID) string { return s.stays[id].ticket }

// Told says when the stays were told of a payment, and when the lane opened for it.
func (s *Stays) Told(id gatehouse.ID) (told []time.Time, opened time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.stays[id]
	return append([]time.Time(nil), o.told...), o.opened
}

// FindStay implements gatehouse.PayableStays.
func (s *Stays) FindStay(_ context.Context, place gatehouse.Place, q gatehouse.StayQuery, _ time.Time) (gatehouse.ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gatehouse.ID
	for id, o := range s.stays {
		typed := q.Ticket == "" && o.plate == q.Plate && o.stay.Entered.Sub(q.Entered).Abs() <= 15*time.Minute
		if o.stay.Place == place && (typed || q.Ticket != "" && o.ticket == q.Ticket) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		return gatehouse.ID{}, gatehouse.Errorf("parking.not_found", "check what you typed", "no stay was found")
	}
	return found[0], nil
}

// DueOf implements gatehouse.PayableStays.
func (s *Stays) DueOf(ctx context.Context, place gatehouse.Place, id gatehouse.ID, now time.Time) (gatehouse.StayDue, error) {
	s.mu.Lock()
	o := s.stays[id]
	s.mu.Unlock()
	if o == nil || o.stay.Place != place {
		return gatehouse.StayDue{}, gatehouse.Errorf("parking.unknown_stay", "", "there is no such stay")
	}
	payments, err := s.Books.PaymentsOf(ctx, place, id)
	if err != nil {
		return gatehouse.StayDue{}, err
	}
	state := gatehouse.StayOpen
	if !o.stay.Left.IsZero() {
		now, state = o.stay.Left, gatehouse.StayLeft
	}
	var counted []gatehouse.Payment
	for _, p := range payments {
		if p.At.After(now) {
			p.At = now // paid after it left
		}
		counted = append(counted, p)
	}
	bill, err := parking.Settle(o.stay, now, s.Tariff, parking.Rights{}, counted)
	return gatehouse.StayDue{Stay: id, State: state, Charge: bill.Charge, Paid: bill.Paid, Due: bill.Due, LeaveBy: bill.LeaveBy}, err
}

// StayPaid implements gatehouse.PayableStays.
func (s *Stays) StayPaid(ctx context.Context, place gatehouse.Place, id gatehouse.ID) error {
	s.mu.Lock()
	o := s.stays[id]
	if o != nil {
		o.told = append(o.told, time.Now())
	}
	s.mu.Unlock()
	if s.Fail != nil || o == nil {
		return s.Fail
	}
	due, err := s.DueOf(ctx, place, id, time.Now())
	if err == nil && due.Due.Minor == 0 {
		s.mu.Lock()
		if o.opened.IsZero() {
			o.opened = time.Now()
		}
		s.mu.Unlock()
	}
	return err
}
