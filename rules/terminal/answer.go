package terminal

import (
	"time"

	"gatehouse"
)

// Tell says what a terminal tells of a decision on a credential of the kind.
//
// A face that is not known, is unsure, is no live one or has no consent gets one answer,
// so that nobody can try out photographs of people and learn whom the site knows. A card,
// PIN or QR code gets one answer whether it is wrong or its holder may not pass now, so
// that a found card tells nothing either. Whoever is known by their face and may not pass
// is sent to the reception, which sees why.
func Tell(kind gatehouse.ReadingKind, d gatehouse.Decision) gatehouse.Answer {
	if d.Grant {
		return gatehouse.Welcome
	}
	switch d.Reason {
	case gatehouse.Repeated:
		return gatehouse.AlreadyIn
	case gatehouse.FacesUnavailable, gatehouse.StorageFull, gatehouse.StorageFailed, gatehouse.SealingFailed:
		return gatehouse.OutOfOrder
	case gatehouse.NeedSecondFactor:
		if kind == gatehouse.FaceReading {
			return gatehouse.SecondFactor
		}
	case gatehouse.Unknown, gatehouse.LowConfidence, gatehouse.NotLive, gatehouse.NoConsent:
		if kind == gatehouse.FaceReading {
			return gatehouse.AnotherWay
		}
	}
	return gatehouse.AskReception
}

// Fresh is how long a decision is news to a terminal: whoever it was about has gone then.
const Fresh = 10 * time.Second

// Hears reports whether the terminal is told of the passage at all: of its own, and of
// whoever was let in at its gate by a reader beside the door or from afar.
// Of a PIN that does not open where two factors are asked for it hears nothing: a wrong
// one and a right one that waits look alike.
func Hears(device gatehouse.Device, gate gatehouse.Gate, p gatehouse.Passage, now time.Time) bool {
	switch {
	case p.Gate != device.Gate, now.Sub(p.At) > Fresh+gate.Policy.SecondFactorWithin: // it may have waited
		return false
	case p.Decision.Grant:
		return true
	case p.Kind == gatehouse.PINReading && gate.Policy.SecondFactor:
		return false
	}
	return p.Device == device.ID
}
