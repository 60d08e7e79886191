// Package why explains whether somebody may pass a gate at a moment, and what would have
// to change where they may not. It asks the very questions that the gate asks, of the
// badge and the rules as they stand now; nothing is opened for it.
package why

import (
	"slices"
	"time"

	"gatehouse"
	"gatehouse/rules/access"
)

// Ports are what an explanation rests on.
type Ports struct {
	Gates    map[gatehouse.GateID]gatehouse.Gate
	Location *time.Location
	Badges   Badges
	Rules    Rules
	Now      func() time.Time
}

// Badges is what the gates know of each subject.
type Badges interface {
	Badge(gatehouse.SubjectID) (gatehouse.Badge, bool)
}

// Rules is the site's rule book.
type Rules interface {
	Of(gatehouse.SubjectID) ([]gatehouse.AccessRule, gatehouse.Calendar)
}

// Explainer answers questions. It is safe for concurrent use.
type Explainer struct{ p Ports }

// New returns an explainer.
func New(p Ports) *Explainer {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Explainer{p}
}

// Question is about one subject at one gate.
type Question struct {
	Subject gatehouse.SubjectID
	Gate    gatehouse.GateID
	At      time.Time // zero: now
	// By is what is shown; "" for what is usual: a vehicle's plate, a face and a card of
	// whom face recognition was agreed with, otherwise a card.
	By gatehouse.ReadingKind
	// Alone says that nothing else of the subject is shown beside it.
	Alone bool
}

// Explanation is the answer.
type Explanation struct {
	Subject  gatehouse.SubjectID
	Label    string // of the badge; "" for nobody
	Gate     gatehouse.Gate
	At       time.Time // in the site's time zone
	By       gatehouse.ReadingKind
	Decision gatehouse.Decision
	Steps    []Step
	Grants   []Grant
}

// Step is one question that the gate asks.
type Step struct {
	Name   string
	State  access.StepState // held or failed: also behind the one that decided; unasked where there is nobody to ask it of
	Reason gatehouse.Reason // of a step that failed
	kind   gatehouse.ReadingKind
}

// Grant is one thing that may allow the subject, here or elsewhere.
type Grant struct{ access.Considered }

// Ask explains. Errors: gate.unknown, store.not_found for nobody who is enrolled,
// why.by for what a gate does not read.
func (e *Explainer) Ask(q Question) (Explanation, error) {
	gate, ok := e.p.Gates[q.Gate]
	if !ok {
		return Explanation{}, gatehouse.Errorf("gate.unknown", "use an id from `gates` in gatehouse.yml", "there is no such gate")
	}
	badge, ok := e.p.Badges.Badge(q.Subject)
	if !ok {
		return Explanation{}, gatehouse.Errorf("store.not_found", "`gatehouse people` lists who is enrolled", "there is no such subject here")
	}
	if q.At.IsZero() {
		q.At = e.p.Now()
	}
	switch {
	case q.By != "":
	case badge.Kind == gatehouse.VehicleSubject:
		q.By = gatehouse.PlateReading
	case badge.FaceConsent:
		q.By = gatehouse.FaceReading
	default:
		q.By = gatehouse.CardReading
	}
	if !slices.Contains(credentials, q.By) {
		return Explanation{}, gatehouse.Errorf("why.by", "use face, card, pin, qr or plate", "a gate does not read that")
	}
	f := access.Facts{Gate: gate, Badge: &badge, Now: q.At.In(e.p.Location),
		Reading: gatehouse.Reading{Kind: q.By, Subject: q.Subject, Known: true, Confidence: 1, Live: gatehouse.Liveness{Judged: true, Live: true}}}
	if !q.Alone {
		f.Also = credentials
	}
	return e.explain(f), nil
}

// credentials are what somebody can show.
var credentials = []gatehouse.ReadingKind{gatehouse.FaceReading, gatehouse.PlateReading, gatehouse.CardReading, gatehouse.PINReading, gatehouse.QRReading}

// Passage explains a passage: what was seen as it was recorded, judged by the badge and
// the rules of now. Of a stranger it says what the gate said.
func (e *Explainer) Passage(p gatehouse.Passage) Explanation {
	f := access.Facts{Gate: e.p.Gates[p.Gate], Now: p.At.In(e.p.Location), Reading: gatehouse.Reading{Kind: p.Kind, Subject: p.Subject, Known: p.Known, Confidence: 1}}
	if f.Gate.ID == "" { // it is not there any more
		f.Gate = gatehouse.Gate{ID: p.Gate, Name: string(p.Gate)}
	}
	if b, ok := e.p.Badges.Badge(p.Subject); ok && p.Known {
		f.Badge = &b
	}
	f.Reading.Weak = p.Decision.Reason == gatehouse.LowConfidence
	f.Reading.Live = gatehouse.Liveness{Judged: true, Live: p.Decision.Reason != gatehouse.NotLive}
	if p.Decision.Reason != gatehouse.NeedSecondFactor {
		f.Also = credentials
	}
	if p.Decision.Reason == gatehouse.Repeated {
		f.LastGranted = f.Now
	}
	return e.explain(f)
}

func (e *Explainer) explain(f access.Facts) Explanation {
	out := Explanation{Subject: f.Reading.Subject, Gate: f.Gate, At: f.Now, By: f.Reading.Kind}
	if f.Badge != nil {
		out.Label = f.Badge.Label
		f.Rules, f.Calendar = e.p.Rules.Of(f.Reading.Subject)
	}
	x := access.Explain(f)
	out.Decision = x.Decision
	for _, a := range x.Answers {
		s := Step{Name: a.Name, State: access.StepHeld, Reason: a.Reason, kind: f.Reading.Kind}
		switch {
		case !a.Asked:
			s.State = access.StepUnasked
		case a.Reason != "":
			s.State = access.StepFailed
		}
		out.Steps = append(out.Steps, s)
	}
	for _, g := range x.Grants {
		out.Grants = append(out.Grants, Grant{g})
	}
	return out
}
