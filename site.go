package gatehouse

import "time"

// Place says where something belongs: the tenant and one of its sites. Every row
// of a site's data begins its key with these two.
type Place struct {
	Org  OrgID
	Site SiteID
}

// GateKind tells a door from a lane.
type GateKind string

// A door is passed by people, a lane by vehicles.
const (
	Door GateKind = "door"
	Lane GateKind = "lane"
)

// Direction is the way through a gate, seen from the site.
type Direction string

// Into the site, or out of it.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Gate is a door or lane that leads from one zone to another.
type Gate struct {
	Place
	ID        GateID
	Kind      GateKind
	Name      string // for people; not personal
	From, To  ZoneID
	Direction Direction
	Region    string // whose plates are expected in a lane: cn, eu, us, br, any
	Policy    GatePolicy
}

// GatePolicy is what a site decides for one gate. It is part of the rules' input.
type GatePolicy struct {
	// LivenessRequired denies a face that was not judged live.
	LivenessRequired bool
	// SecondFactor makes a face alone not enough: a card, PIN or QR code of the
	// same person must come within SecondFactorWithin.
	SecondFactor       bool
	SecondFactorWithin time.Duration
	// RepeatWithin is how long a granted subject is not taken as a new passage.
	RepeatWithin time.Duration
	// MinPlateConfidence is the least confidence (0..1) that opens a lane.
	MinPlateConfidence float64
	// FailSafe opens the gate where a decision cannot be recorded (fail safe);
	// otherwise it stays shut (fail secure).
	FailSafe bool
	// Hold is how long the gate stays open, and ConfirmWithin how long the door
	// sensor may take to say that somebody passed.
	Hold, ConfirmWithin time.Duration
}
