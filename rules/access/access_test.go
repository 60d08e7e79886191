package access

import (
	"testing"
	"time"

	"gatehouse"

	"pgregory.net/rapid"
)

var shanghai = time.FixedZone("CST", 8*3600)

// monday is a Monday at the given local hour and minute.
func monday(h, m int) time.Time { return time.Date(2026, 11, 23, h, m, 0, 0, shanghai) }

func office() map[string]gatehouse.Schedule {
	return map[string]gatehouse.Schedule{"office": {Name: "office", Windows: []gatehouse.Window{{Day: time.Monday, From: 8 * 60, Until: 18 * 60}}}}
}

// granted is a face that passes every step; each test spoils one thing.
func granted() Facts {
	return Facts{
		Gate: gatehouse.Gate{ID: "front", Kind: gatehouse.Door, Policy: gatehouse.GatePolicy{
			LivenessRequired: true, RepeatWithin: 5 * time.Second, MinPlateConfidence: 0.8}},
		Reading: gatehouse.Reading{Kind: gatehouse.FaceReading, Known: true, Confidence: 0.9, Live: gatehouse.Liveness{Judged: true, Live: true}},
		Badge: &gatehouse.Badge{Kind: gatehouse.PersonSubject, Status: gatehouse.Active, FaceConsent: true,
			Grants: []gatehouse.Grant{{Gate: "front", Schedule: "office"}}},
		Now:      monday(9, 0),
		Calendar: gatehouse.Calendar{Schedules: office()},
	}
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*Facts)
		want  gatehouse.Reason
	}{
		{"all is well", func(f *Facts) {}, gatehouse.Granted},
		{"nobody matched", func(f *Facts) { f.Badge, f.Reading.Known = nil, false }, gatehouse.Unknown},
		{"too poor a picture", func(f *Facts) { f.Badge, f.Reading.Known, f.Reading.Weak = nil, false, true }, gatehouse.LowConfidence},
		{"a replay", func(f *Facts) { f.Reading.Live.Live = false }, gatehouse.NotLive},
		{"a replay where the site does not ask", func(f *Facts) { f.Reading.Live.Live = false; f.Gate.Policy.LivenessRequired = false }, gatehouse.Granted},
		{"consent withdrawn", func(f *Facts) { f.Badge.FaceConsent = false }, gatehouse.NoConsent},
		{"consent withdrawn, by card", func(f *Facts) { f.Badge.FaceConsent = false; f.Reading.Kind = gatehouse.CardReading }, gatehouse.Granted},
		{"suspended", func(f *Facts) { f.Badge.Status = gatehouse.SuspendedStatus }, gatehouse.Suspended},
		{"before validity", func(f *Facts) { f.Badge.ValidFrom = f.Now.Add(time.Second) }, gatehouse.NotYetValid},
		{"validity begins now", func(f *Facts) { f.Badge.ValidFrom = f.Now }, gatehouse.Granted},
		{"validity ends now", func(f *Facts) { f.Badge.ValidUntil = f.Now }, gatehouse.Expired},
		{"another gate only", func(f *Facts) { f.Badge.Grants[0].Gate = "back" }, gatehouse.NotHere},
		{"every gate", func(f *Facts) { f.Badge.Grants[0].Gate = "*" }, gatehouse.Granted},
		{"the first minute", func(f *Facts) { f.Now = monday(8, 0) }, gatehouse.Granted},
		{"a minute early", func(f *Facts) { f.Now = monday(7, 59) }, gatehouse.OutsideHours},
		{"the last minute", func(f *Facts) { f.Now = monday(17, 59) }, gatehouse.Granted},
		{"the end", func(f *Facts) { f.Now = monday(18, 0) }, gatehouse.OutsideHours},
		{"another day", func(f *Facts) { f.Now = monday(9, 0).AddDate(0, 0, 1) }, gatehouse.OutsideHours},
		{"a schedule that is gone", func(f *Facts) { f.Calendar.Schedules = nil }, gatehouse.OutsideHours},
		{"a second grant helps", func(f *Facts) {
			f.Now = monday(20, 0)
			f.Badge.Grants = append(f.Badge.Grants, gatehouse.Grant{Gate: "*", Schedule: Always})
		}, gatehouse.Granted},
		{"let through 4.9 s ago", func(f *Facts) { f.LastGranted = f.Now.Add(-4900 * time.Millisecond) }, gatehouse.Repeated},
		{"let through 5 s ago", func(f *Facts) { f.LastGranted = f.Now.Add(-5 * time.Second) }, gatehouse.Granted},
		{"the clock went back", func(f *Facts) { f.LastGranted = f.Now.Add(time.Hour) }, gatehouse.Granted},
		{"face alone, two asked", func(f *Facts) { f.Gate.Policy.SecondFactor = true }, gatehouse.NeedSecondFactor},
		{"a twin", func(f *Facts) { f.Badge.NeedSecondFactor = true }, gatehouse.NeedSecondFactor},
		{"the same factor twice", func(f *Facts) {
			f.Gate.Policy.SecondFactor = true
			f.Also = []gatehouse.ReadingKind{gatehouse.FaceReading}
		}, gatehouse.NeedSecondFactor},
		{"face and card", func(f *Facts) {
			f.Gate.Policy.SecondFactor = true
			f.Also = []gatehouse.ReadingKind{gatehouse.CardReading}
		}, gatehouse.Granted},
		{"PIN alone, two asked", func(f *Facts) { f.Gate.Policy.SecondFactor = true; f.Reading.Kind = gatehouse.PINReading }, gatehouse.NeedSecondFactor},
		{"card alone, two asked of faces", func(f *Facts) { f.Gate.Policy.SecondFactor = true; f.Reading.Kind = gatehouse.CardReading }, gatehouse.Granted},
		{"a wrong card", func(f *Facts) { f.Badge, f.Reading.Known, f.Reading.Kind = nil, false, gatehouse.CardReading }, gatehouse.WrongCredential},
		{"an allowed plate", func(f *Facts) { f.Reading.Kind = gatehouse.PlateReading }, gatehouse.Granted},
		{"an allowed plate, badly read", func(f *Facts) { f.Reading.Kind = gatehouse.PlateReading; f.Reading.Confidence = 0.79 }, gatehouse.LowConfidence},
		{"a plate on no list", func(f *Facts) { f.Badge, f.Reading.Known, f.Reading.Kind = nil, false, gatehouse.PlateReading }, gatehouse.Unknown},
		{"suspended comes before hours", func(f *Facts) { f.Badge.Status = gatehouse.SuspendedStatus; f.Now = monday(3, 0) }, gatehouse.Suspended},
		{"a replay comes before suspended", func(f *Facts) { f.Badge.Status = gatehouse.SuspendedStatus; f.Reading.Live.Live = false }, gatehouse.NotLive},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := granted()
			c.spoil(&f)
			d := Decide(f)
			if d.Reason != c.want || d.Grant != (c.want == gatehouse.Granted) || d.Rule == "" {
				t.Errorf("got %+v, want %s", d, c.want)
			}
		})
	}
}

// Whatever the facts are, a decision has a reason of the closed list with a
// sentence, nobody who is unknown, suspended or without consent gets in, and a
// grant names a gate of the subject's grants.
func TestDecideNeverOpensForTheWrongOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := granted()
		f.Reading.Kind = rapid.SampledFrom([]gatehouse.ReadingKind{gatehouse.FaceReading, gatehouse.PlateReading, gatehouse.CardReading, gatehouse.PINReading, gatehouse.QRReading}).Draw(t, "kind")
		f.Reading.Known = rapid.Bool().Draw(t, "known")
		f.Reading.Weak = rapid.Bool().Draw(t, "weak")
		f.Reading.Live.Live = rapid.Bool().Draw(t, "live")
		f.Reading.Confidence = rapid.Float64Range(0, 1).Draw(t, "confidence")
		f.Badge.FaceConsent = rapid.Bool().Draw(t, "consent")
		f.Badge.Status = rapid.SampledFrom([]gatehouse.SubjectStatus{gatehouse.Active, gatehouse.SuspendedStatus, ""}).Draw(t, "status")
		f.Now = f.Now.Add(time.Duration(rapid.IntRange(0, 7*24*60).Draw(t, "minutes")) * time.Minute)
		d := Decide(f)
		if d.Reason.Sentence("en") == string(d.Reason) || d.Reason.Sentence("zh") == d.Reason.Sentence("en") {
			t.Fatalf("reason %q has no sentence", d.Reason)
		}
		if !d.Grant {
			return
		}
		face := f.Reading.Kind == gatehouse.FaceReading
		inHours := f.Now.Weekday() == time.Monday && f.Now.Hour() >= 8 && f.Now.Hour() < 18
		if !f.Reading.Known || f.Reading.Weak || f.Badge.Status != gatehouse.Active || !inHours || face && (!f.Badge.FaceConsent || !f.Reading.Live.Live) {
			t.Fatalf("granted %+v", f)
		}
	})
}

// The trace of a decision says what was asked before, what decided, and what was not
// asked any more.
func TestTrace(t *testing.T) {
	for rule, want := range map[string][3]int{ // held, failed, unasked
		"recognition at door":   {0, 1, 7},
		"grant at door":         {5, 1, 2},
		"second factor at door": {7, 1, 0},
	} {
		var got [3]int
		for _, s := range Trace(gatehouse.Decision{Rule: rule}) {
			switch s.State {
			case StepHeld:
				got[0]++
			case StepFailed:
				got[1]++
			case StepUnasked:
				got[2]++
			}
		}
		if got != want {
			t.Errorf("%s: %v, want %v", rule, got, want)
		}
	}
	for _, s := range Trace(gatehouse.Decision{Grant: true, Rule: "grant person at door, always"}) {
		if s.State != StepHeld {
			t.Errorf("a grant says %s of %s", s.State, s.Name)
		}
	}
	if Trace(gatehouse.Decision{Rule: "fail secure at door"}) != nil {
		t.Error("a decision that was made in another way has a trace")
	}
}
