package access

import (
	"fmt"
	"slices"
	"time"

	"gatehouse"
)

// Considered is one thing that may allow a subject at the gate: a grant of its own, or a
// rule of a group that it is in. What stands against it is in the order in which it is
// asked: the gate, the days, the hours.
type Considered struct {
	Rule     gatehouse.RuleID // "" for a grant of the subject's own
	Group    gatehouse.GroupID
	Revision uint64
	Gates    []gatehouse.GateID
	Schedule string

	Here  bool // it counts at this gate
	Valid Validity
	Open  bool // its schedule holds at the moment
	// Next is when its schedule holds again; zero where it does now, or never does.
	Next time.Time
}

// Validity says whether a day lies within a rule's.
type Validity string

// The validities.
const (
	InForce Validity = "in-force"
	NotYet  Validity = "not-yet"
	Over    Validity = "over"
)

// Allows reports whether nothing stands against it.
func (c Considered) Allows() bool { return c.Here && c.Valid == InForce && c.Open }

// words name what granted; they are metadata.
func (c Considered) words(f Facts) string {
	if c.Rule == "" {
		return fmt.Sprintf("grant %s at %s, %s", f.Badge.Kind, c.Gates[0], c.Schedule)
	}
	return fmt.Sprintf("rule %s of %s at %s, %s, version %d", c.Rule, c.Group, f.Gate.ID, c.Schedule, c.Revision)
}

// eachConsidered calls ask for everything that may allow the subject, its own grants
// first, until ask says true.
func eachConsidered(f Facts, ask func(Considered) bool) {
	for _, g := range f.Badge.Grants {
		c := Considered{Gates: []gatehouse.GateID{g.Gate}, Schedule: g.Schedule, Valid: InForce}
		if ask(c.judged(f)) {
			return
		}
	}
	for _, r := range f.Rules {
		c := Considered{Rule: r.ID, Group: r.Group, Revision: r.Revision, Gates: r.Gates, Schedule: r.Schedule, Valid: validityOf(r, gatehouse.DateOf(f.Now))}
		if ask(c.judged(f)) {
			return
		}
	}
}

func (c Considered) judged(f Facts) Considered {
	c.Here = slices.Contains(c.Gates, f.Gate.ID) || slices.Contains(c.Gates, "*")
	c.Open = Open(c.Schedule, f.Calendar, f.Now)
	return c
}

func validityOf(r gatehouse.AccessRule, day gatehouse.Date) Validity {
	switch {
	case r.From != "" && day < r.From:
		return NotYet
	case r.Until != "" && day > r.Until:
		return Over
	}
	return InForce
}

// matching finds what opens the gate now, or the reason of the one that came nearest to
// it.
func matching(f Facts) (best Considered, reason gatehouse.Reason) {
	reason = gatehouse.NotHere
	eachConsidered(f, func(c Considered) bool {
		nearest := reason
		switch {
		case c.Allows():
			best, nearest = c, ""
		case !c.Here:
		case c.Valid == InForce:
			nearest = gatehouse.OutsideHours
		case reason == gatehouse.NotHere && c.Valid == NotYet:
			nearest = gatehouse.NotYetValid
		case reason == gatehouse.NotHere:
			nearest = gatehouse.Expired
		}
		reason = nearest
		return reason == ""
	})
	return best, reason
}
