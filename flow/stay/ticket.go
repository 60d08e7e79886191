package stay

import (
	"context"
	"crypto/rand"
	"time"

	"gatehouse"
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
	if a := s.admission(l.park, gatehouse.AtLane{Mark: m, At: s.Now()}); !a.Let {
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
