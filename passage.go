package gatehouse

import "time"

// Passage is capture → reading → decision → actuation → confirmed by the sensor.
// Its fields are metadata: none is personal without the vault.
type Passage struct {
	Place
	ID        ID
	Gate      GateID
	Device    DeviceID
	Direction Direction
	At        time.Time // when the deciding capture was received
	Kind      ReadingKind
	Subject   SubjectID // enrolled, or a one-off of its own
	Known     bool      // Subject is enrolled
	Frames    int
	Decision  Decision
	Latency   time.Duration // from the deciding capture, or the end of the track, to the commit
	Outcome   Outcome
	OutcomeAt time.Time // zero while Outcome is pending
}

// Outcome is what happened at the gate after the decision.
type Outcome string

// A denied passage has no outcome to wait for.
const (
	NoAction    Outcome = "none"        // denied: nothing was actuated
	Pending     Outcome = "pending"     // granted, the gate was told, no confirmation yet
	Passed      Outcome = "passed"      // the sensor said that somebody passed
	NotPassed   Outcome = "not_passed"  // opened, and nobody passed in time
	Tailgated   Outcome = "tailgated"   // another passed behind, on the same opening
	Unconfirmed Outcome = "unconfirmed" // no confirmation came in time
	Unreachable Outcome = "unreachable" // the relay or broker could not be reached
)

// Detail is the part of a passage that is sealed: what it says belongs to the
// archive and is opened by the vault only. It is encoded as JSON before sealing.
type Detail struct {
	Plate      string           `json:"plate,omitempty"`
	RawPlate   string           `json:"raw_plate,omitempty"`
	Chars      []CharRead       `json:"chars,omitempty"`
	Candidates []PlateCandidate `json:"candidates,omitempty"`
	Class      string           `json:"class,omitempty"`
	Confidence float64          `json:"confidence"`
	Live       *float32         `json:"live,omitempty"`
	Box        Box              `json:"box"`
	Reason     string           `json:"reason,omitempty"` // of a remote opening, in the operator's words
}
