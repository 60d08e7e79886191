package parking

import (
	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// Sight is how well a lane has seen a vehicle.
type Sight struct {
	CarPark string
	// Vehicle says that there is a plate or a ticket to go by.
	Vehicle bool
	// Sure says that the text is as sure as the gate asks for, or comes from a ticket;
	// Enough that no better reading will come, or that waiting longer keeps a driver.
	Sure, Enough bool
	// Repeated says that the same was let through here a moment ago.
	Repeated bool
}

// AtEntry decides at a car park's entry. certain is false where another frame may change
// the answer. A vehicle without a plate takes a ticket; one whose plate is not sure comes
// in all the same, when that is all there is: pairing is careful with it.
func AtEntry(s Sight, a Admission) (d gatehouse.Decision, certain bool) {
	switch {
	case s.Repeated:
		return deny(gatehouse.Repeated, s, "repetition"), true
	case !s.Vehicle:
		return deny(gatehouse.TakeTicket, s, "no plate"), s.Enough
	case !s.Sure && !s.Enough:
		return deny(gatehouse.LowConfidence, s, "recognition"), false
	}
	switch a.Reason {
	case RefuseDenied, RefuseVisitor:
		return deny(gatehouse.NotAdmitted, s, "list"), true
	case RefuseFull:
		return deny(gatehouse.CarParkFull, s, "capacity"), true
	case RefuseQuota:
		return deny(gatehouse.QuotaFull, s, "quota"), true
	}
	return gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: string(a.Reason) + " in car park " + s.CarPark}, true
}

// Owing is what a stay that an exit may end owes.
type Owing struct {
	Due gatehouse.Money
	// Unknown says that it could not be found out: no tariff, or books that do not answer.
	// Nobody is kept for that.
	Unknown bool
	// By is what pays it without the driver: a pass of value, or an account. "" for nothing.
	By Payer
	// Paid says that something was paid; otherwise nothing was ever owed.
	Paid bool
}

// AtExit decides at a car park's exit. Who owes something pays first. Where it is not clear
// which stay ends, or that one does, the barrier opens, nobody is charged, and a person
// looks. A ticket that is nobody's opens nothing.
func AtExit(s Sight, v pairing.Verdict, o Owing) (d gatehouse.Decision, certain bool) {
	open := func(r gatehouse.Reason, why string) gatehouse.Decision {
		return gatehouse.Decision{Grant: true, Reason: r, Rule: why + " in car park " + s.CarPark}
	}
	switch {
	case s.Repeated:
		return deny(gatehouse.Repeated, s, "repetition"), true
	case v.State == pairing.Ambiguous:
		return open(gatehouse.StayUnclear, string(v.Reason)), s.Enough
	case v.Reason == pairing.UnknownTicket: // used already, or made up; a plate can still be read
		return deny(gatehouse.WrongCredential, s, "ticket"), true
	case v.State != pairing.Paired:
		return open(gatehouse.NoStay, string(v.Reason)), s.Enough
	case o.Unknown:
		return open(gatehouse.StayUnclear, "charge unknown"), s.Enough
	case o.Due.Minor > 0 && o.By != "":
		return open(gatehouse.Granted, "paid by "+string(o.By)), s.Sure || s.Enough
	case o.Due.Minor > 0:
		return deny(gatehouse.PaymentOwed, s, "payment"), s.Sure || s.Enough
	case o.Paid:
		return open(gatehouse.Granted, "paid"), s.Sure || s.Enough
	}
	return open(gatehouse.Granted, "nothing owed"), s.Sure || s.Enough
}

func deny(r gatehouse.Reason, s Sight, step string) gatehouse.Decision {
	return gatehouse.Decision{Reason: r, Rule: step + " in car park " + s.CarPark}
}
