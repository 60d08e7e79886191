// Package access decides who may pass a gate. Decide is a pure function over
// values and a time: no clock, no I/O, no context.
package access

import (
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Facts is all that a decision depends on.
type Facts struct {
	Gate    gatehouse.Gate
	Reading gatehouse.Reading
	// Badge is what the gate knows of the recognized subject; nil for nobody.
	Badge *gatehouse.Badge
	// Now is the moment of the reading in the site's time zone: schedules are local.
	Now time.Time
	// Rules are those of the groups that the subject is in.
	Rules []gatehouse.AccessRule
	// Calendar has the schedules by name, and the holidays. "always" needs none.
	Calendar gatehouse.Calendar
	// Also lists the other kinds of credential that the same subject showed at
	// this gate within the policy's SecondFactorWithin.
	Also []gatehouse.ReadingKind
	// LastGranted is when the subject was last let through this gate; zero for never.
	LastGranted time.Time
}

// Always is the schedule without windows: any time.
const Always = "always"

// step looks at the facts and either ends the decision with a reason or says "".
type step struct {
	name string
	ask  func(Facts) gatehouse.Reason
}

// The steps are asked in this order and the first reason counts. Who it is comes
// before what they may do, so that a stranger learns nothing about the rules; what
// a person can mend on the spot (a second factor) comes last.
var steps = []step{
	{"recognition", recognition},
	{"liveness", liveness},
	{"consent", consent},
	{"status", status},
	{"validity", validity},
	{"grant", grant},
	{"repetition", repetition},
	{"second factor", secondFactor},
}

// Decide grants or denies, with exactly one reason and the rule that gave it.
func Decide(f Facts) gatehouse.Decision {
	for _, s := range steps {
		if reason := s.ask(f); reason != "" {
			return gatehouse.Decision{Reason: reason, Rule: s.name + " at " + string(f.Gate.ID)}
		}
	}
	best, _ := matching(f)
	return gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: best.words(f)}
}

// Certain reports whether more frames of the same track cannot change the
// decision for the better: a grant, or a denial that does not rest on how well the
// subject was seen.
func Certain(d gatehouse.Decision) bool {
	switch d.Reason {
	case gatehouse.Unknown, gatehouse.LowConfidence, gatehouse.NotLive:
		return false
	}
	return true
}

func recognition(f Facts) gatehouse.Reason {
	r := f.Reading
	switch {
	case r.Known && f.Badge != nil && !r.Weak:
		if r.Kind == gatehouse.PlateReading && r.Confidence < f.Gate.Policy.MinPlateConfidence {
			return gatehouse.LowConfidence
		}
		return ""
	case r.Weak:
		return gatehouse.LowConfidence
	case r.Kind == gatehouse.FaceReading, r.Kind == gatehouse.PlateReading:
		return gatehouse.Unknown
	}
	return gatehouse.WrongCredential
}

func liveness(f Facts) gatehouse.Reason {
	if f.Reading.Kind == gatehouse.FaceReading && f.Gate.Policy.LivenessRequired && !f.Reading.Live.Live {
		return gatehouse.NotLive
	}
	return ""
}

func consent(f Facts) gatehouse.Reason {
	if f.Reading.Kind == gatehouse.FaceReading && !f.Badge.FaceConsent {
		return gatehouse.NoConsent
	}
	return ""
}

func status(f Facts) gatehouse.Reason {
	if f.Badge.Status != gatehouse.Active {
		return gatehouse.Suspended
	}
	return ""
}

func validity(f Facts) gatehouse.Reason {
	if !f.Badge.ValidFrom.IsZero() && f.Now.Before(f.Badge.ValidFrom) {
		return gatehouse.NotYetValid
	}
	if !f.Badge.ValidUntil.IsZero() && !f.Now.Before(f.Badge.ValidUntil) {
		return gatehouse.Expired
	}
	return ""
}

func grant(f Facts) gatehouse.Reason {
	_, reason := matching(f)
	return reason
}

func repetition(f Facts) gatehouse.Reason {
	since := f.Now.Sub(f.LastGranted)
	if !f.LastGranted.IsZero() && since.Abs() < f.Gate.Policy.RepeatWithin {
		return gatehouse.Repeated
	}
	return ""
}

// secondFactor asks for another credential where a face or a PIN alone is not
// enough. A card, a QR code or a plate counts alone: it is held, not copied from afar.
func secondFactor(f Facts) gatehouse.Reason {
	alone := f.Reading.Kind == gatehouse.FaceReading || f.Reading.Kind == gatehouse.PINReading
	required := f.Gate.Policy.SecondFactor || f.Badge.NeedSecondFactor
	if alone && required && !slices.ContainsFunc(f.Also, func(k gatehouse.ReadingKind) bool { return k != f.Reading.Kind }) {
		return gatehouse.NeedSecondFactor
	}
	return ""
}

// Step is one question of a decision, in the order in which they are asked.
type Step struct {
	Name  string // "recognition", "liveness", …
	State StepState
}

// StepState says how a step went.
type StepState string

// The states.
const (
	StepHeld    StepState = "held"    // nothing stood against it
	StepFailed  StepState = "failed"  // it gave the decision's reason
	StepUnasked StepState = "unasked" // an earlier one had decided
)

// Trace says, of a decision that Decide made, which questions were asked before it and
// which one gave the reason. It is nil for a decision that was made in another way.
func Trace(d gatehouse.Decision) []Step {
	name, _, _ := strings.Cut(d.Rule, " at ")
	last := slices.IndexFunc(steps, func(s step) bool { return s.name == name })
	if last < 0 && !d.Grant {
		return nil
	}
	trace := make([]Step, len(steps))
	for i, s := range steps {
		trace[i] = Step{Name: s.name, State: StepHeld}
		switch {
		case d.Grant || i < last:
		case i == last:
			trace[i].State = StepFailed
		default:
			trace[i].State = StepUnasked
		}
	}
	return trace
}
