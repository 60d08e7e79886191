package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console/consoletest"
	"gatehouse/vision/imaging"

	"github.com/chromedp/chromedp"
)

// site starts a console over a site in memory.
func site(t *testing.T) *consoletest.Site {
	t.Helper()
	s := consoletest.New(nil, time.UTC, nil)
	t.Cleanup(s.Close)
	return s
}

// enter opens the console by a fresh link.
func enter(t *testing.T, s *consoletest.Site) chromedp.Action[chromedp.Void] {
	t.Helper()
	return chromedp.Navigate(s.Auth.Mint())
}

func passage(kind gatehouse.ReadingKind, gate gatehouse.GateID, subject gatehouse.SubjectID, reason gatehouse.Reason) gatehouse.Passage {
	p := gatehouse.Passage{Gate: gate, Device: gatehouse.DeviceID(gate) + "-camera", Direction: gatehouse.In, Kind: kind, Subject: subject,
		Known: reason != gatehouse.Unknown && reason != gatehouse.LowConfidence, Frames: 9, Latency: 61 * time.Millisecond,
		Decision: gatehouse.Decision{Reason: reason}, Outcome: gatehouse.NoAction}
	if reason == gatehouse.Granted {
		p.Decision.Grant, p.Outcome, p.Decision.Rule = true, gatehouse.Pending, "grant staff at "+string(gate)+" in office-hours"
	}
	return p
}

func plate(text string, weak int) gatehouse.Detail {
	d := gatehouse.Detail{Plate: text, RawPlate: text, Confidence: 0.97}
	for i, r := range text {
		c := gatehouse.CharRead{Char: r, Confidence: 0.99 - 0.01*float64(i)}
		if i == weak {
			c.Confidence, d.Confidence = 0.58, 0.58
		}
		d.Chars = append(d.Chars, c)
	}
	d.Candidates = []gatehouse.PlateCandidate{{Text: text, Confidence: d.Confidence}, {Text: text[:len(text)-1] + "8", Confidence: 0.31}}
	return d
}

// portrait returns a demo portrait, or a plain picture where none was fetched.
func portrait(n int) gatehouse.Picture {
	b, err := os.ReadFile(filepath.Join("..", "..", "third_party", "portraits", fmt.Sprintf("%03d%c.jpg", n, "fm"[n%2])))
	if err != nil {
		return consoletest.Picture(240, 240, uint8(n*30))
	}
	return gatehouse.Picture{Kind: gatehouse.CropEvidence, JPEG: b, Thumb: thumb(b), At: time.Now()}
}

var thumbs sync.Map // by the picture, since it takes a while

// thumb is what the vision process makes of a picture for a list.
func thumb(jpeg []byte) []byte {
	if b, ok := thumbs.Load(string(jpeg)); ok {
		return b.([]byte)
	}
	m, err := imaging.Decode(jpeg, imaging.Limits{})
	if err != nil {
		return nil
	}
	b, _ := imaging.Thumb(m, imaging.ThumbSide)
	thumbs.Store(string(jpeg), b)
	return b
}

// carPicture is a plain drawing of the front of a car, for screenshots.
func carPicture(shade color.RGBA) gatehouse.Picture {
	img := image.NewRGBA(image.Rect(0, 0, 640, 400))
	box := func(x0, y0, x1, y1 int, c color.RGBA) {
		draw.Draw(img, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	box(0, 0, 640, 400, color.RGBA{120, 130, 134, 255})
	box(0, 280, 640, 400, color.RGBA{84, 88, 90, 255})
	box(110, 150, 530, 330, shade)
	box(170, 80, 470, 160, color.RGBA{38, 48, 56, 255})
	box(130, 190, 200, 225, color.RGBA{240, 236, 210, 255})
	box(440, 190, 510, 225, color.RGBA{240, 236, 210, 255})
	box(250, 265, 390, 300, color.RGBA{245, 245, 245, 255})
	box(130, 330, 190, 370, color.RGBA{22, 22, 22, 255})
	box(450, 330, 510, 370, color.RGBA{22, 22, 22, 255})
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil)
	return gatehouse.Picture{Kind: gatehouse.CropEvidence, JPEG: b.Bytes(), Thumb: thumb(b.Bytes()), At: time.Now()}
}

// morning fills a site with what a guard sees at nine o'clock, and returns one
// passage of a car with everything in it.
func morning(s *consoletest.Site) gatehouse.Passage {
	names := []string{"Amara Okafor", "Jonas Lindqvist", "Mei Lin", "Priya Raman", "陈志远", "Luca Moretti"}
	var people []gatehouse.SubjectID
	for i, n := range names {
		status := gatehouse.Active
		if i == 3 {
			status = gatehouse.SuspendedStatus
		}
		people = append(people, s.Enrol(gatehouse.PersonSubject, fmt.Sprintf("Staff %d", 104+i), n, status))
	}
	van := s.Enrol(gatehouse.VehicleSubject, "Delivery van 2", "LS15EBC", gatehouse.Active)
	car := s.Enrol(gatehouse.VehicleSubject, "Pool car 1", "沪A82K39", gatehouse.Active)
	at := time.Now().Add(-8 * time.Minute)
	arrive := func(p gatehouse.Passage, d gatehouse.Detail, o gatehouse.Outcome, pics ...gatehouse.Picture) gatehouse.Passage {
		at = at.Add(31 * time.Second)
		p.At = at
		p.Latency += time.Duration(at.UnixNano() % 37e6)
		p = s.Arrive(p, d, pics...)
		if p.Decision.Grant && o != gatehouse.Pending {
			s.Finish(p.ID, o)
		}
		return p
	}
	live := float32(0.98)
	face := gatehouse.Detail{Confidence: 0.93, Live: &live}
	none := gatehouse.SubjectID{}
	red, blue, grey := color.RGBA{150, 52, 48, 255}, color.RGBA{52, 84, 130, 255}, color.RGBA{190, 194, 196, 255}
	arrive(passage(gatehouse.FaceReading, "front-door", people[0], gatehouse.Granted), face, gatehouse.Passed, portrait(0))
	arrive(passage(gatehouse.PlateReading, "car-park", van, gatehouse.Granted), plate("LS15EBC", -1), gatehouse.Passed, carPicture(grey))
	arrive(passage(gatehouse.FaceReading, "front-door", people[1], gatehouse.Granted), face, gatehouse.Passed, portrait(1))
	arrive(passage(gatehouse.FaceReading, "front-door", none, gatehouse.Unknown), face, "", portrait(16))
	arrive(passage(gatehouse.FaceReading, "front-door", people[4], gatehouse.Granted), face, gatehouse.Unconfirmed, portrait(5))
	arrive(passage(gatehouse.CardReading, "front-door", people[2], gatehouse.Granted), face, gatehouse.Passed)
	arrive(passage(gatehouse.PlateReading, "car-park", none, gatehouse.LowConfidence), plate("M0TQ66", 1), "", carPicture(red))
	arrive(passage(gatehouse.FaceReading, "front-door", people[3], gatehouse.Suspended), face, "", portrait(8))
	arrive(passage(gatehouse.FaceReading, "front-door", people[5], gatehouse.NotLive), face, "", portrait(7))
	arrive(passage(gatehouse.PlateReading, "car-park", none, gatehouse.Unknown), plate("BYD4E71", -1), "", carPicture(blue))
	arrive(passage(gatehouse.CardReading, "front-door", none, gatehouse.WrongCredential), gatehouse.Detail{}, "")
	p := arrive(passage(gatehouse.PlateReading, "car-park", car, gatehouse.Granted), plate("沪A82K39", 4), gatehouse.Passed, carPicture(blue), carPicture(grey), carPicture(red))
	arrive(passage(gatehouse.FaceReading, "front-door", people[2], gatehouse.Granted), face, gatehouse.Pending, portrait(4), portrait(4))
	s.Ring.PutStill("front-door", portrait(4))
	s.Ring.PutStill("car-park", carPicture(blue))
	s.Hub.SetGate(gatehouse.GateState{Gate: "front-door", State: "open", Camera: "ok", Since: at})
	s.Hub.SetGate(gatehouse.GateState{Gate: "car-park", State: "closed", Camera: "stalled", Since: at})
	return p
}

func port(s *consoletest.Site) string {
	_, p, _ := net.SplitHostPort(s.Server.Listener.Addr().String())
	return p
}

// ruled gives a site groups, rules, a schedule and a holiday.
func ruled(t *testing.T, s *consoletest.Site) {
	t.Helper()
	ctx := t.Context()
	must(t, s.Rules.PutGroup(ctx, "admin-socket", 0, gatehouse.Group{ID: "night-cleaning", Title: "Night cleaning"}))
	must(t, s.Rules.PutGroup(ctx, "admin-socket", 0, gatehouse.Group{ID: "staff", Title: "Staff"}))
	for _, b := range s.Working.FindBadges("", 8) {
		must(t, s.Rules.AddMembers(ctx, "admin-socket", "staff", []gatehouse.SubjectID{b.Subject}))
	}
	nights, err := gatehouse.ParseSchedule("nights", []string{"mon-fri 22:00-06:00", "sat 07:00-12:00 13:00-17:00"}, []string{"2026-12-24 07:00-10:00", "2026-12-31 closed"}, false)
	must(t, err)
	must(t, s.Rules.PutSchedule(ctx, "admin-socket", 0, nights))
	must(t, s.Rules.PutHoliday(ctx, "admin-socket", gatehouse.Holiday{Date: "2026-12-25", Title: "Christmas"}))
	must(t, s.Rules.PutRule(ctx, "admin-socket", 0, gatehouse.AccessRule{ID: "front", Group: "staff", Gates: []gatehouse.GateID{"*"}, Schedule: "office-hours"}))
	must(t, s.Rules.PutRule(ctx, "admin-socket", 0, gatehouse.AccessRule{ID: "night", Group: "night-cleaning", Gates: []gatehouse.GateID{"front-door"}, Schedule: "nights", From: "2026-12-01", Until: "2027-06-30"}))
}

// floorPlan draws a plan and places the gates on it.
func floorPlan(t *testing.T, s *consoletest.Site) {
	t.Helper()
	must(t, s.Plans.Draw(t.Context(), "admin-socket", "ground-floor", "Ground floor", consoletest.Picture(1200, 700, 0).JPEG))
	must(t, s.Plans.Arrange(t.Context(), "admin-socket", "ground-floor", map[gatehouse.GateID]gatehouse.Spot{"front-door": {X: 420, Y: 800}, "car-park": {X: 130, Y: 310}}))
}

// whyPath is the address of a question about somebody who was enrolled.
func whyPath(s *consoletest.Site) string {
	return "/rules/why?at=2026-11-28T21:30&gate=front-door&subject=" + s.Working.FindBadges("Staff", 1)[0].Subject.String()
}

// deniedPassage is the id of a passage that was denied to somebody who is enrolled.
func deniedPassage(s *consoletest.Site) string {
	all, _ := s.Passages(context.Background(), gatehouse.PassageQuery{Limit: 100})
	for _, p := range all {
		if !p.Decision.Grant && p.Known {
			return p.ID.String()
		}
	}
	return ""
}

// inLanguage is the page in a language.
func inLanguage(path, lang string) string {
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang
	}
	return path + "?lang=" + lang
}
