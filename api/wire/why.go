package wire

import (
	"time"

	"gatehouse"
)

// WhyRequest asks whether somebody may pass, and why. POST /admin/v1/why.
type WhyRequest struct {
	Subject gatehouse.SubjectID   `json:"subject"`
	Gate    gatehouse.GateID      `json:"gate"`
	At      time.Time             `json:"at,omitzero"`     // default: now
	By      gatehouse.ReadingKind `json:"by,omitempty"`    // default: what is usual for the subject
	Alone   bool                  `json:"alone,omitempty"` // nothing else is shown beside it
}

// Why answers: the decision that the gate would make, each question that it asks, and
// everything that may allow the subject.
type Why struct {
	Subject  gatehouse.SubjectID   `json:"subject"`
	Label    string                `json:"label"`
	Gate     gatehouse.GateID      `json:"gate"`
	At       time.Time             `json:"at"`
	By       gatehouse.ReadingKind `json:"by"`
	Decision string                `json:"decision"` // granted or denied
	Reason   gatehouse.Reason      `json:"reason"`
	Says     string                `json:"says"`
	Rule     string                `json:"rule"`
	Steps    []WhyStep             `json:"steps"`
	Grants   []WhyGrant            `json:"grants"`
}

// WhyStep is one question: held, failed, or unasked where there is nobody to ask it of.
type WhyStep struct {
	Name   string           `json:"name"`
	State  string           `json:"state"`
	Reason gatehouse.Reason `json:"reason,omitempty"`
	Says   string           `json:"says"`
	Change string           `json:"change,omitempty"` // what would have to change
}

// WhyGrant is a grant of the subject's own, or a rule of a group that it is in.
type WhyGrant struct {
	Rule     gatehouse.RuleID   `json:"rule,omitempty"`
	Group    gatehouse.GroupID  `json:"group,omitempty"`
	Gates    []gatehouse.GateID `json:"gates"`
	Schedule string             `json:"schedule"`
	Allows   bool               `json:"allows"`
	Opens    time.Time          `json:"opens,omitzero"` // when its schedule holds again
	Says     string             `json:"says"`
}
