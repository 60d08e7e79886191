package attendance

import "gatehouse"

// Counting says at which gates passages are punches, and for whom a face may be one.
type Counting struct {
	Gates map[gatehouse.GateID]bool
	// FaceConsent reports whether the subject agreed at that moment that a face counts as
	// attendance (gatehouse.FaceAtAttendance): another purpose than opening a door.
	FaceConsent func(gatehouse.Passage) bool
	// NoFaces is set where the law profile does not let faces count at all.
	NoFaces bool
}

// Of makes a committed passage a punch; false where it is none: denied, by somebody who
// is not enrolled, at a gate that does not count, by a face that may not, or where the
// sensor saw that nobody passed. The punch has the passage's id, so that a passage that
// is followed twice is one punch.
func (c Counting) Of(p gatehouse.Passage) (gatehouse.Punch, bool) {
	face := p.Kind == gatehouse.FaceReading
	switch {
	case !p.Decision.Grant, !p.Known, !c.Gates[p.Gate], p.Kind == gatehouse.PlateReading, p.Outcome == gatehouse.NotPassed,
		face && (c.NoFaces || c.FaceConsent == nil || !c.FaceConsent(p)):
		return gatehouse.Punch{}, false
	}
	return gatehouse.Punch{ID: p.ID, Subject: p.Subject, Source: gatehouse.FromPassage, Site: p.Site, Gate: p.Gate, Direction: p.Direction, At: p.At, Made: p.At}, true
}
