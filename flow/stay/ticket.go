package stay

import (
	"context"
	"crypto/rand"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// turnedAwayFor is for how long a vehicle whose plate was turned away at an entry keeps the
// screen there from giving a ticket.
const turnedAwayFor = time.Minute

// Entry reports whether a lane is an entry.
func (s *Stays) Entry(gate gatehouse.GateID) bool { return s.lanes[gate].entry }

// Ticket lets a vehicle without a plate in, and gives the code that its driver shows at the
// exit, as a QR code or typed. class is "" for a car. Errors: parking.not_admitted where the
// car park is full, parking.class, gate.unknown, and those of the passage.
func (s *Stays) Ticket(ctx context.Context, gate gatehouse.GateID, class gatehouse.VehicleClass) (gatehouse.Secret, error) {
	l, ours := s.lanes[gate]
	s.mu.RLock()
	opener := s.opener
	s.mu.RUnlock()
	if !ours || !l.entry || opener == nil {
		return "", gatehouse.Errorf("gate.unknown", "name an entry of a car park", "there is no such entry")
	}
	switch class {
	case "":
		class = gatehouse.Car
	case gatehouse.Car, gatehouse.Motorbike, gatehouse.Truck, gatehouse.Bus:
	default:
		return "", gatehouse.Errorf("parking.class", "car, motorbike, truck or bus", "there are no tickets for such a class of vehicle")
	}
	m := gatehouse.Mark{Ticket: rand.Text()[:gatehouse.TicketLength], Class: class}
	if a := s.admission(l.park, gatehouse.AtLane{Mark: m, At: s.Now()}); a.Reason == parking.RefuseVisitor {
		return "", gatehouse.Errorf("parking.not_admitted", "enrol the vehicle first", "only vehicles that are enrolled come in here")
	} else if !a.Let {
		return "", gatehouse.Errorf("parking.not_admitted", "wait until somebody leaves", "the car park is full")
	}
	if _, err := opener.LetOut(ctx, gatehouse.LetOut{Gate: gate, Mark: m, Rule: "ticket in car park " + l.park}); err != nil {
		return "", err
	}
	return gatehouse.Secret(gatehouse.TicketText(m.Ticket)), nil
}

// TakeTicket is Ticket for whoever touches the screen at an entry. It gives none to a vehicle
// whose plate was read and turned away there just now: what keeps that out is no lack of a plate.
func (s *Stays) TakeTicket(ctx context.Context, gate gatehouse.GateID, class gatehouse.VehicleClass) (gatehouse.Secret, error) {
	s.mu.RLock()
	v, stood := s.refused[gate]
	s.mu.RUnlock()
	if stood && v.Mark.Plate.Text != "" && s.Now().Sub(v.At) < turnedAwayFor {
		return "", gatehouse.Errorf("parking.not_admitted", "call for help at the lane", "the vehicle that stands here was turned away by its plate")
	}
	return s.Ticket(ctx, gate, class)
}

// LoseTicket notes that a driver who waits at an exit has lost the ticket of a stay: what a lost
// ticket costs is owed, too, and once nothing is owed any more the exit opens. An operator chooses
// the stay, by its pictures. Errors: parking.unknown_stay, parking.attached, parking.does_not_fit
// where the lane is no exit of its car park, and StayPaid's.
func (s *Stays) LoseTicket(ctx context.Context, stay gatehouse.ID, exit gatehouse.GateID, by string) (gatehouse.StayRecord, error) {
	r, err := s.loseTicket(ctx, stay, exit, by)
	if err != nil {
		return r, err
	}
	if err := s.StayPaid(ctx, s.Place, stay); err != nil { // where nothing is owed
		return r, err
	}
	return s.stay(ctx, stay)
}

func (s *Stays) loseTicket(ctx context.Context, stay gatehouse.ID, exit gatehouse.GateID, by string) (gatehouse.StayRecord, error) {
	s.changes.Lock()
	defer s.changes.Unlock()
	r, err := s.stay(ctx, stay)
	if err != nil {
		return r, err
	}
	if r.Ended() {
		return r, gatehouse.Errorf("parking.attached", "look at it again", "the stay has ended already")
	}
	if l, ours := s.lanes[exit]; !ours || l.entry || l.park != r.CarPark {
		return r, gatehouse.Errorf("parking.does_not_fit", "name the exit at which the driver waits", "this is no exit of the stay's car park")
	}
	if err := s.leaveLane(ctx, exit, stay); err != nil {
		return r, err
	}
	now := s.Now().UTC()
	r.LostTicket, r.State, r.ExitGate, r.ExitPassage, r.By, r.Changed = true, gatehouse.StayWaiting, exit, gatehouse.NewID(now), by, now
	if err := s.Store.ChangeStay(ctx, r, gatehouse.ParkingLeaf(s.Place, "ticket-lost", r.ID.String(), by, []byte(exit), now)); err != nil {
		return r, err
	}
	s.remember(r)
	return r, nil
}
