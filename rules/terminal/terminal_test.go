package terminal

import (
	"testing"
	"time"

	"gatehouse"
)

// good is a face that is well seen, at x in a picture of 640×480.
func good(x int) gatehouse.FaceSeen {
	return gatehouse.FaceSeen{Box: gatehouse.Box{X: x, Y: 120, W: 150, H: 190}, Score: 0.98,
		Quality: gatehouse.FaceQuality{EyeDistance: 64, Sharpness: 300, Brightness: 130}}
}

func TestGuide(t *testing.T) {
	with := func(change func(*gatehouse.FaceSeen)) []gatehouse.FaceSeen {
		f := good(240)
		change(&f)
		return []gatehouse.FaceSeen{f}
	}
	small := func(x int) gatehouse.FaceSeen {
		f := good(x)
		f.Box.W, f.Box.H, f.Quality.EyeDistance = 60, 80, 26
		return f
	}
	mouth := good(265) // a part of a face that was taken for one
	mouth.Box.Y, mouth.Box.W, mouth.Box.H = 200, 100, 90
	for name, c := range map[string]struct {
		faces []gatehouse.FaceSeen
		want  gatehouse.Guidance
	}{
		"nobody":                          {nil, gatehouse.NobodyThere},
		"a pattern on the wall":           {with(func(f *gatehouse.FaceSeen) { f.Score = 0.4 }), gatehouse.NobodyThere},
		"one person":                      {[]gatehouse.FaceSeen{good(240)}, gatehouse.WellSeen},
		"two people":                      {[]gatehouse.FaceSeen{good(60), good(400)}, gatehouse.OneAtATime},
		"somebody waits behind":           {[]gatehouse.FaceSeen{good(60), small(400)}, gatehouse.WellSeen},
		"a mouth taken for a face":        {[]gatehouse.FaceSeen{good(240), mouth}, gatehouse.WellSeen},
		"far away":                        {[]gatehouse.FaceSeen{small(300)}, gatehouse.ComeCloser},
		"far away, and dark and blurred":  {with(func(f *gatehouse.FaceSeen) { f.Quality = gatehouse.FaceQuality{EyeDistance: 20, Brightness: 9} }), gatehouse.ComeCloser},
		"too near":                        {with(func(f *gatehouse.FaceSeen) { f.Box.H = 400 }), gatehouse.StepBack},
		"dark":                            {with(func(f *gatehouse.FaceSeen) { f.Quality.Brightness = 30 }), gatehouse.TooDark},
		"the sun on it":                   {with(func(f *gatehouse.FaceSeen) { f.Quality.Brightness = 240 }), gatehouse.TooBright},
		"looks to the left":               {with(func(f *gatehouse.FaceSeen) { f.Quality.Yaw = -35 }), gatehouse.LookHere},
		"looks down":                      {with(func(f *gatehouse.FaceSeen) { f.Quality.Pitch = 30 }), gatehouse.LookHere},
		"moves":                           {with(func(f *gatehouse.FaceSeen) { f.Quality.Sharpness = 12 }), gatehouse.HoldStill},
		"moves in the dark: light first":  {with(func(f *gatehouse.FaceSeen) { f.Quality.Sharpness, f.Quality.Brightness = 12, 30 }), gatehouse.TooDark},
		"the template plays no part here": {with(func(f *gatehouse.FaceSeen) { f.Template, f.Live = []float32{1}, 0.01 }), gatehouse.WellSeen},
	} {
		if got := Guide(gatehouse.Observation{Width: 640, Height: 480, Faces: c.faces}); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

// Nobody learns from a terminal whom the site knows: each of these looks like the others.
func TestAStrangerLearnsNothing(t *testing.T) {
	same := func(kind gatehouse.ReadingKind, want gatehouse.Answer, reasons ...gatehouse.Reason) {
		t.Helper()
		for _, r := range reasons {
			if got := Tell(kind, gatehouse.Decision{Reason: r}); got != want {
				t.Errorf("%s, %s: %s, not %s", kind, r, got, want)
			}
		}
	}
	same(gatehouse.FaceReading, gatehouse.AnotherWay, gatehouse.Unknown, gatehouse.LowConfidence, gatehouse.NotLive, gatehouse.NoConsent)
	for _, kind := range []gatehouse.ReadingKind{gatehouse.CardReading, gatehouse.PINReading, gatehouse.QRReading} {
		same(kind, gatehouse.AskReception, gatehouse.WrongCredential, gatehouse.Suspended, gatehouse.NotYetValid, gatehouse.Expired, gatehouse.NotHere,
			gatehouse.OutsideHours, gatehouse.NeedSecondFactor, gatehouse.Unknown)
	}
}

// Whoever is known by their face is told what helps.
func TestTell(t *testing.T) {
	for _, c := range []struct {
		kind gatehouse.ReadingKind
		d    gatehouse.Decision
		want gatehouse.Answer
	}{
		{gatehouse.FaceReading, gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}, gatehouse.Welcome},
		{gatehouse.CardReading, gatehouse.Decision{Grant: true, Reason: gatehouse.StorageFull}, gatehouse.Welcome}, // fail safe
		{gatehouse.FaceReading, gatehouse.Decision{Reason: gatehouse.NeedSecondFactor}, gatehouse.SecondFactor},
		{gatehouse.FaceReading, gatehouse.Decision{Reason: gatehouse.OutsideHours}, gatehouse.AskReception},
		{gatehouse.FaceReading, gatehouse.Decision{Reason: gatehouse.Suspended}, gatehouse.AskReception},
		{gatehouse.CardReading, gatehouse.Decision{Reason: gatehouse.Repeated}, gatehouse.AlreadyIn},
		{gatehouse.CardReading, gatehouse.Decision{Reason: gatehouse.StorageFailed}, gatehouse.OutOfOrder},
		{gatehouse.RemoteReading, gatehouse.Decision{Grant: true, Reason: gatehouse.OpenedRemotely}, gatehouse.Welcome},
		{gatehouse.FaceReading, gatehouse.Decision{Reason: "a reason of tomorrow"}, gatehouse.AskReception},
	} {
		if got := Tell(c.kind, c.d); got != c.want {
			t.Errorf("%s, %+v: %s, not %s", c.kind, c.d, got, c.want)
		}
	}
}

func TestHears(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	device := gatehouse.Device{ID: "tablet", Kind: gatehouse.Terminal, Gate: "door"}
	two := gatehouse.Gate{ID: "door", Policy: gatehouse.GatePolicy{SecondFactor: true, SecondFactorWithin: 10 * time.Second}}
	p := func(gate gatehouse.GateID, from gatehouse.DeviceID, kind gatehouse.ReadingKind, grant bool, ago time.Duration) gatehouse.Passage {
		return gatehouse.Passage{Gate: gate, Device: from, Kind: kind, Decision: gatehouse.Decision{Grant: grant}, At: now.Add(-ago)}
	}
	for name, c := range map[string]struct {
		gate gatehouse.Gate
		p    gatehouse.Passage
		want bool
	}{
		"its own":                          {two, p("door", "tablet", gatehouse.FaceReading, false, time.Second), true},
		"another gate's":                   {two, p("other", "tablet", gatehouse.FaceReading, true, time.Second), false},
		"let in by the reader beside it":   {two, p("door", "reader", gatehouse.CardReading, true, time.Second), true},
		"opened from afar":                 {two, p("door", "", gatehouse.RemoteReading, true, time.Second), true},
		"turned away by the reader":        {two, p("door", "reader", gatehouse.CardReading, false, time.Second), false},
		"a PIN that does not open, of two": {two, p("door", "tablet", gatehouse.PINReading, false, time.Second), false},
		"a PIN that does not open, alone":  {gatehouse.Gate{ID: "door"}, p("door", "tablet", gatehouse.PINReading, false, time.Second), true},
		"a second factor did not come":     {two, p("door", "tablet", gatehouse.FaceReading, false, 10100*time.Millisecond), true},
		"recorded late, after an outage":   {two, p("door", "tablet", gatehouse.FaceReading, true, time.Minute), false},
	} {
		if got := Hears(device, c.gate, c.p, now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestPace(t *testing.T) {
	if got := Pace(gatehouse.NobodyThere, 30*time.Millisecond); got != time.Second {
		t.Errorf("nobody: %v", got)
	}
	if got := Pace(gatehouse.ComeCloser, 30*time.Millisecond); got != 250*time.Millisecond {
		t.Errorf("somebody: %v", got)
	}
	if got := Pace(gatehouse.WellSeen, 3*time.Second); got != 3*time.Second {
		t.Errorf("somebody, while vision is slow: %v", got)
	}
}
