package why

import (
	"testing"
	"time"
	"unicode"

	"gatehouse"
	"gatehouse/rules/access"
)

type world struct {
	badges map[gatehouse.SubjectID]gatehouse.Badge
	rules  []gatehouse.AccessRule
	days   gatehouse.Calendar
}

func (w *world) Badge(id gatehouse.SubjectID) (gatehouse.Badge, bool) {
	b, ok := w.badges[id]
	return b, ok
}

func (w *world) Of(gatehouse.SubjectID) ([]gatehouse.AccessRule, gatehouse.Calendar) {
	return w.rules, w.days
}

var thursday = time.Date(2026, 11, 26, 20, 0, 0, 0, time.UTC)

func newWorld() (*world, *Explainer, gatehouse.SubjectID) {
	id := gatehouse.RandomID()
	w := &world{badges: map[gatehouse.SubjectID]gatehouse.Badge{id: {Subject: id, Kind: gatehouse.PersonSubject, Label: "Staff 7", Status: gatehouse.Active, FaceConsent: true}},
		rules: []gatehouse.AccessRule{{ID: "day", Group: "staff", Gates: []gatehouse.GateID{"door"}, Schedule: "office"}},
		days:  gatehouse.Calendar{Schedules: map[string]gatehouse.Schedule{"office": {Windows: []gatehouse.Window{{Day: time.Friday, From: 420, Until: 1140}}}}}}
	return w, New(Ports{Gates: map[gatehouse.GateID]gatehouse.Gate{"door": {ID: "door", Kind: gatehouse.Door, Policy: gatehouse.GatePolicy{SecondFactor: true, LivenessRequired: true}}}, Location: time.UTC, Badges: w, Rules: w,
		Now: func() time.Time { return thursday }}), id
}

func TestAsk(t *testing.T) {
	w, e, id := newWorld()
	got, err := e.Ask(Question{Subject: id, Gate: "door"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Decision.Reason != gatehouse.OutsideHours || got.By != gatehouse.FaceReading || got.Label != "Staff 7" {
		t.Errorf("%+v", got)
	}
	if len(got.Grants) != 1 || got.Grants[0].Says("en") != "closed; opens 2026-11-27 07:00" {
		t.Errorf("grants %+v", got.Grants)
	}
	got, _ = e.Ask(Question{Subject: id, Gate: "door", At: thursday.Add(12 * time.Hour)})
	if !got.Decision.Grant {
		t.Errorf("in the morning: %+v", got.Decision)
	}
	if got, _ = e.Ask(Question{Subject: id, Gate: "door", At: thursday.Add(12 * time.Hour), Alone: true}); got.Decision.Reason != gatehouse.NeedSecondFactor {
		t.Errorf("a face alone: %+v", got.Decision)
	}
	b := w.badges[id]
	b.FaceConsent, b.Status = false, gatehouse.SuspendedStatus
	w.badges[id] = b
	got, _ = e.Ask(Question{Subject: id, Gate: "door"})
	failed := ""
	for _, s := range got.Steps {
		if s.State == access.StepFailed {
			failed += s.Name + ": " + s.Change("en") + " "
		}
	}
	if want := "status: Reinstate the person or vehicle. grant: Come when the schedule is open, or give the rule another schedule. "; got.By != gatehouse.CardReading || failed != want {
		t.Errorf("by %s: %s", got.By, failed)
	}
	for code, q := range map[string]Question{"gate.unknown": {Subject: id, Gate: "gone"}, "store.not_found": {Subject: gatehouse.RandomID(), Gate: "door"}, "why.by": {Subject: id, Gate: "door", By: "iris"}} {
		if _, err := e.Ask(q); gatehouse.ErrorCode(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
}

// A recorded passage is explained by what was seen then and what holds now.
func TestPassage(t *testing.T) {
	w, e, id := newWorld()
	p := gatehouse.Passage{Gate: "door", At: thursday, Kind: gatehouse.FaceReading, Subject: id, Known: true}
	for _, r := range []gatehouse.Reason{gatehouse.LowConfidence, gatehouse.NotLive, gatehouse.OutsideHours} {
		p.Decision.Reason = r
		if got := e.Passage(p); got.Decision.Reason != r {
			t.Errorf("%s is explained as %s", r, got.Decision.Reason)
		}
	}
	p.At = thursday.Add(12 * time.Hour)
	for _, r := range []gatehouse.Reason{gatehouse.NeedSecondFactor, gatehouse.Repeated} {
		p.Decision.Reason = r
		e.p.Gates["door"] = gatehouse.Gate{ID: "door", Policy: gatehouse.GatePolicy{SecondFactor: true, RepeatWithin: time.Second}}
		if got := e.Passage(p); got.Decision.Reason != r {
			t.Errorf("%s is explained as %s", r, got.Decision.Reason)
		}
	}
	p.Decision.Reason = gatehouse.OutsideHours
	if got := e.Passage(p); !got.Decision.Grant {
		t.Errorf("the rules let them in by now: %+v", got.Decision)
	}
	p.Known, p.Subject, p.Decision.Reason = false, gatehouse.RandomID(), gatehouse.Unknown
	got := e.Passage(p)
	if got.Decision.Reason != gatehouse.Unknown || got.Label != "" || len(got.Grants) != 0 || got.Steps[5].State != access.StepUnasked {
		t.Errorf("a stranger: %+v", got)
	}
	_ = w
}

// Every step and every reason that a step can give has words in both languages.
func TestWords(t *testing.T) {
	_, e, id := newWorld()
	got, _ := e.Ask(Question{Subject: id, Gate: "door"})
	han := func(s string) bool {
		for _, r := range s {
			if unicode.Is(unicode.Han, r) {
				return true
			}
		}
		return false
	}
	for _, s := range got.Steps {
		s.Reason = ""
		if en, zh := s.Says("en"), s.Says("zh"); en == "" || han(en) || !han(zh) {
			t.Errorf("%s: %q, %q", s.Name, en, zh)
		}
	}
	outside := map[gatehouse.Reason]bool{gatehouse.Granted: true, gatehouse.FacesUnavailable: true, gatehouse.StorageFull: true, gatehouse.StorageFailed: true, gatehouse.SealingFailed: true, gatehouse.OpenedRemotely: true,
		gatehouse.TakeTicket: true, gatehouse.NotAdmitted: true, gatehouse.CarParkFull: true, gatehouse.QuotaFull: true, gatehouse.PaymentOwed: true, gatehouse.StayUnclear: true, gatehouse.NoStay: true} // no access rule
	for _, r := range gatehouse.Reasons {
		s := Step{Reason: r}
		if en, zh := s.Change("en"), s.Change("zh"); !outside[r] && (en == "" || !han(zh)) {
			t.Errorf("nothing says what to change about %s", r)
		}
	}
}
