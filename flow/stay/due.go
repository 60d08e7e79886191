package stay

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
	"gatehouse/rules/parking/pairing"
)

var _ gatehouse.PayableStays = (*Stays)(nil)

// enteredWithin is how exactly a driver has to know when the stay began.
const enteredWithin = 15 * time.Minute

// FindStay implements gatehouse.PayableStays.
func (s *Stays) FindStay(_ context.Context, place gatehouse.Place, q gatehouse.StayQuery, now time.Time) (gatehouse.ID, error) {
	none := gatehouse.Errorf("parking.not_found", "check the plate and the time of entry; the help button reaches a person", "no stay can be found by this")
	if place != s.Place || strings.ContainsFunc(q.Plate, notOfAPlate) || len(q.Plate) > 64 {
		return gatehouse.ID{}, none
	}
	m := gatehouse.Mark{Plate: gatehouse.PlateRead{Text: gatehouse.NormalizePlate(q.Plate), Confidence: 1}}
	if q.Ticket != "" {
		m.Ticket, m.Plate.Text = gatehouse.TicketCode(q.Ticket), ""
	}
	_, known := s.Working.ByPlate(m.Plate.Text)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var could []pairing.Open
	for _, of := range []map[gatehouse.ID]*gatehouse.StayRecord{s.inside, s.owing} {
		for id, r := range of {
			mark, there := s.marks[id]
			if there && (q.Ticket != "" || r.Entered.Sub(q.Entered).Abs() <= enteredWithin) {
				could = append(could, pairing.Open{ID: id, Mark: mark.Mark, Entered: r.Entered})
			}
		}
	}
	if v := pairing.Pair(pairing.Exit{Mark: m, At: now, Known: known}, could); v.State == pairing.Paired {
		return v.Stay, nil
	}
	return gatehouse.ID{}, none
}

// DueOf implements gatehouse.PayableStays.
func (s *Stays) DueOf(ctx context.Context, place gatehouse.Place, stay gatehouse.ID, now time.Time) (gatehouse.StayDue, error) {
	if place != s.Place {
		return gatehouse.StayDue{}, gatehouse.Errorf("parking.unknown_stay", "see the list of stays", "there is no such stay")
	}
	if o, ok := s.orderOf(stay); ok {
		return s.dueOfOrder(ctx, o)
	}
	r, err := s.stay(ctx, stay)
	if err != nil {
		return gatehouse.StayDue{}, err
	}
	d := gatehouse.StayDue{Stay: r.ID, State: r.State}
	switch r.State {
	case gatehouse.StayLost, gatehouse.StayWithdrawn:
		return d, nil // nothing is owed
	case gatehouse.StayLeft:
		return s.dueAfter(ctx, d, r)
	}
	if s.parks[r.CarPark].Tariff == "" {
		return gatehouse.StayDue{}, gatehouse.Errorf("parking.no_tariff", "name one in gatehouse.yml", "nothing is charged in this car park")
	}
	bill, err := s.bill(ctx, r, now)
	if err != nil {
		return gatehouse.StayDue{}, err
	}
	d.Charge, d.Paid, d.Due, d.LeaveBy = bill.Charge, bill.Paid, bill.Due, bill.LeaveBy
	return d, nil
}

// dueAfter says what a stay that ended still owes.
func (s *Stays) dueAfter(ctx context.Context, d gatehouse.StayDue, r gatehouse.StayRecord) (gatehouse.StayDue, error) {
	if r.Charge == nil {
		return d, nil
	}
	d.Charge = *r.Charge
	d.Paid, d.Due = gatehouse.Money{Currency: d.Charge.Currency}, gatehouse.Money{Currency: d.Charge.Currency}
	paid, err := s.payments(ctx, r.ID)
	if err != nil {
		return d, err
	}
	for _, p := range paid {
		if d.Paid, err = d.Paid.Add(p.Amount); err != nil {
			return d, err
		}
	}
	if r.Owed > 0 {
		d.Due.Minor = max(0, d.Charge.Total.Minor-d.Paid.Minor)
	}
	return d, nil
}

// StayPaid implements gatehouse.PayableStays.
func (s *Stays) StayPaid(ctx context.Context, place gatehouse.Place, stay gatehouse.ID) error {
	if _, ok := s.orderOf(stay); ok {
		return s.orderPaid(ctx, stay)
	}
	now := s.Now()
	due, err := s.DueOf(ctx, place, stay, now)
	if err != nil {
		return err
	}
	switch {
	case due.State == gatehouse.StayLeft:
		return s.settled(ctx, stay, due)
	case due.Due.Minor > 0:
		return nil
	case due.State != gatehouse.StayWaiting:
		return s.paidUntil(ctx, stay, due.LeaveBy)
	}
	return s.letOut(ctx, stay, now)
}

// letOut opens the exit that a vehicle waits at, once. The vehicle behind it is not let
// out in its place: who was read there last is who waits.
func (s *Stays) letOut(ctx context.Context, stay gatehouse.ID, now time.Time) error {
	s.mu.Lock()
	r, there := s.inside[stay]
	if !there || r.State != gatehouse.StayWaiting || now.Sub(r.ExitPassage.Time()) > waitAtExit || s.opener == nil {
		s.mu.Unlock()
		return nil
	}
	if _, again := s.letting[stay]; again {
		s.mu.Unlock()
		return nil
	}
	s.letting[stay] = now
	opener := s.opener
	k := s.marks[r.ExitPassage]
	l := gatehouse.LetOut{Gate: r.ExitGate, Mark: k.Mark, Known: k.Known, Subject: k.Subject, Stay: stay, Rule: "paid in car park " + r.CarPark}
	s.mu.Unlock()
	_, err := opener.LetOut(ctx, l)
	if err != nil {
		s.mu.Lock()
		delete(s.letting, stay)
		s.mu.Unlock()
	}
	return err
}

// settled notes what a stay that left owes now.
func (s *Stays) settled(ctx context.Context, stay gatehouse.ID, due gatehouse.StayDue) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	r, err := s.stay(ctx, stay)
	if err != nil || r.State != gatehouse.StayLeft || r.Owed == 0 || r.Owed == due.Due.Minor {
		return err
	}
	r.Owed = due.Due.Minor
	if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
		return err
	}
	s.remember(r)
	return nil
}

func (s *Stays) payments(ctx context.Context, stay gatehouse.ID) ([]gatehouse.Payment, error) {
	if s.Books == nil {
		return nil, nil
	}
	return s.Books.PaymentsOf(ctx, s.Place, stay)
}

// bill says what a stay owes at a moment; a car park without a tariff charges nothing, and
// the bill has no currency then. Errors: parking.no_tariff, those of rules/parking, and
// the books'.
func (s *Stays) bill(ctx context.Context, r gatehouse.StayRecord, at time.Time) (parking.Bill, error) {
	name := s.parks[r.CarPark].Tariff
	if name == "" {
		return parking.Bill{}, nil
	}
	v, err := s.version(name, r.Entered)
	if err != nil {
		return parking.Bill{}, err
	}
	rights, err := s.rights(ctx, r, v)
	if err != nil {
		return parking.Bill{}, err
	}
	paid, err := s.payments(ctx, r.ID)
	if err != nil {
		return parking.Bill{}, err
	}
	if at.Before(r.Entered) {
		at = r.Entered // clocks of two lanes
	}
	return parking.Settle(r.Stay, at, v, rights, paid)
}

// rights is what a stay has that a stranger's has not.
func (s *Stays) rights(ctx context.Context, r gatehouse.StayRecord, v gatehouse.TariffVersion) (parking.Rights, error) {
	s.mu.RLock()
	rights := parking.Rights{Validations: s.data.validations[r.ID]}
	if r.Known {
		for _, p := range s.data.passesOf(r.Subject) {
			if s.counts(p, r) {
				rights.Passes = append(rights.Passes, p)
			}
		}
		rights.Reservations = s.data.reservations[r.Subject]
	}
	s.mu.RUnlock()
	if !r.Known || !acrossStays(v) {
		return rights, nil
	}
	before, err := s.Store.Stays(ctx, gatehouse.StayFilter{Place: s.Place, CarPark: r.CarPark, Subject: r.Subject, Since: r.Entered.Add(-48*time.Hour - MarkKept), Before: r.ID, Limit: 100})
	if err != nil {
		return rights, err
	}
	for _, b := range before {
		if b.Charge != nil && b.State == gatehouse.StayLeft && r.Entered.Sub(b.Left) < 48*time.Hour {
			rights.Prior = append(rights.Prior, b.Charge.Spent...)
		}
	}
	return rights, nil
}

// counts reports whether a pass pays for a stay: one of a quota does only for the stays
// that took a space of it. The caller holds s.mu.
func (s *Stays) counts(p gatehouse.Pass, r gatehouse.StayRecord) bool {
	if _, limited := s.data.quotas[p.Quota]; !limited || p.Quota == "" {
		return true
	}
	return r.Group == p.Quota
}

func acrossStays(v gatehouse.TariffVersion) bool {
	for _, p := range v.Plans {
		for _, c := range p.Caps {
			if c.AcrossStays {
				return true
			}
		}
	}
	return false
}
