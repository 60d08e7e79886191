package enroll

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/workingset"
	"gatehouse/rules/privacy"

	"github.com/google/go-cmp/cmp"
)

var site = gatehouse.Place{Org: "acme", Site: "hq"}

// desk is an enrolment desk in memory: stores, a sealer that only marks what it
// sealed, and eyes that see what the test says.
type desk struct {
	gatehouse.SubjectStore
	gatehouse.BlobStore
	see      map[string]gatehouse.Observation // by the photo's text
	subjects map[gatehouse.SubjectID]gatehouse.SubjectCommit
	intents  []gatehouse.Intent
	items    []gatehouse.WorkingItem
	sealed   []gatehouse.SealContext
	failPut  error
	people   []entry
	given    map[gatehouse.SubjectID][]gatehouse.Consent
	told     []gatehouse.SubjectStatus
	deleted  []gatehouse.BlobID
}

type entry struct {
	subject  gatehouse.SubjectID
	template []float32
}

func (d *desk) See(_ context.Context, img gatehouse.Image, _ gatehouse.Look) (gatehouse.Observation, error) {
	o, ok := d.see[string(img.Bytes)]
	if !ok {
		return o, gatehouse.Errorf("image.damaged", "", "not a picture")
	}
	return o, nil
}
func (d *desk) Nearest(_ gatehouse.Place, t []float32) (gatehouse.Match, bool) {
	best := gatehouse.Match{Similarity: -2}
	for _, e := range d.people {
		if s := dot(e.template, t); s > best.Similarity {
			best = gatehouse.Match{Subject: e.subject, Similarity: s}
		}
	}
	return best, len(d.people) > 0
}
func (d *desk) Size(gatehouse.Place) int { return len(d.people) }
func (d *desk) Add(_ gatehouse.Place, s gatehouse.SubjectID, _ gatehouse.ID, t []float32) error {
	d.people = append(d.people, entry{s, t})
	return nil
}
func (d *desk) Rotate(gatehouse.Place, [32]byte)                              {}
func (d *desk) Turn(t []float32, _, _ [32]byte) []float32                     { return t }
func (d *desk) ReplaceWorking(context.Context, []gatehouse.WorkingItem) error { return nil }
func (d *desk) Seal(_ context.Context, _ gatehouse.SubjectID, _ gatehouse.RetentionClass, where gatehouse.SealContext, b []byte, _ gatehouse.Padding) ([]byte, error) {
	d.sealed = append(d.sealed, where)
	return append([]byte("sealed:"), b...), nil
}
func (d *desk) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}
func (d *desk) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}
func (d *desk) SealWorking(_ gatehouse.SealContext, b []byte) ([]byte, error) { return b, nil }
func (d *desk) OpenWorking(_ gatehouse.SealContext, b []byte) ([]byte, error) { return b, nil }
func (d *desk) PutBlob(context.Context, gatehouse.BlobID, []byte) error       { return nil }
func (d *desk) BeginIntent(_ context.Context, i gatehouse.Intent) error {
	d.intents = append(d.intents, i)
	return nil
}
func (d *desk) FinishIntent(context.Context, gatehouse.ID) error    { d.intents = nil; return nil }
func (d *desk) Intents(context.Context) ([]gatehouse.Intent, error) { return d.intents, nil }
func (d *desk) PutSubject(_ context.Context, c gatehouse.SubjectCommit) error {
	if d.failPut != nil {
		return d.failPut
	}
	d.subjects[c.Subject.ID] = c
	return nil
}
func (d *desk) PutConsent(_ context.Context, c gatehouse.Consent, leaf []byte) error {
	commit := d.subjects[c.Subject]
	if commit.Consents = append(commit.Consents, c); !bytes.Equal(leaf, gatehouse.ConsentLeaf(c, c.Given)) {
		return errors.New("the consent has no leaf that commits to it")
	}
	d.subjects[c.Subject] = commit
	return nil
}
func (d *desk) PutWorking(_ context.Context, items []gatehouse.WorkingItem) error {
	d.items = append(d.items, items...)
	return nil
}
func (d *desk) DeleteWorking(context.Context, gatehouse.Place, gatehouse.SubjectID, ...gatehouse.WorkingKind) error {
	return nil
}
func (d *desk) Working(context.Context, func(gatehouse.WorkingItem) error) error { return nil }

// faceOf is a good face with a template in direction x.
func faceOf(template ...float32) gatehouse.FaceSeen {
	return gatehouse.FaceSeen{Box: gatehouse.Box{W: 100, H: 100}, Template: template, Quality: gatehouse.FaceQuality{EyeDistance: 60, Sharpness: 100, Brightness: 120}}
}

// fault is what vision would say; its limits are tested there.
func fault(q gatehouse.FaceQuality) (code, sentence string) {
	switch {
	case q.EyeDistance < 24:
		return "face.small", "too small"
	case q.Sharpness < 12:
		return "face.blurred", "blurred"
	case q.Brightness < 30:
		return "face.dark", "dark"
	}
	return "", ""
}

func newDesk(t *testing.T) (*desk, *Enroller, *workingset.Set) {
	t.Helper()
	ana, ben := faceOf(1, 0, 0), faceOf(0, 1, 0)
	tiny, blurred, dark, background := faceOf(0, 0, 1), faceOf(0, 0, 1), faceOf(0, 0, 1), faceOf(0, 0, 1)
	tiny.Quality.EyeDistance, blurred.Quality.Sharpness, dark.Quality.Brightness, background.Box.W = 10, 2, 10, 30
	seen := func(f ...gatehouse.FaceSeen) gatehouse.Observation { return gatehouse.Observation{Faces: f} }
	d := &desk{subjects: map[gatehouse.SubjectID]gatehouse.SubjectCommit{}, see: map[string]gatehouse.Observation{
		"ana": seen(ana), "ana again": seen(faceOf(0.9, 0.1, 0)), "ben": seen(ben), "nobody": seen(), "both": seen(ana, ben),
		"tiny": seen(tiny), "blurred": seen(blurred), "dark": seen(dark), "ana and a passer-by": seen(ana, background)}}
	w, err := workingset.Load(t.Context(), site, d, d, d)
	if err != nil {
		t.Fatal(err)
	}
	e := New(Ports{Place: site, Eyes: d, Gallery: d, Threshold: func(int) float32 { return 0.5 }, Fault: fault, Sealer: d, Keep: d, Subjects: d, Blobs: d, Working: w,
		Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }})
	return d, e, w
}

func person(photos ...string) Person {
	p := Person{Label: "B-1", Record: gatehouse.PersonRecord{Name: "Ana"}, Consent: Agreement{Given: true, How: "reference", Reference: "form 7"}}
	for _, ph := range photos {
		p.Photos = append(p.Photos, []byte(ph))
	}
	return p
}

func TestPersonIsEnrolledWhole(t *testing.T) {
	d, e, w := newDesk(t)
	r := person("ana", "ana again")
	r.Record.NationalID, r.Card, r.PIN = "110105194912310021", "4711", "904178"
	id, err := e.Person(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	b, ok := w.Badge(id)
	if !ok || b.Label != "B-1" || !b.FaceConsent || b.NeedSecondFactor {
		t.Errorf("badge %+v", b)
	}
	if got, ok := w.ByCredential(gatehouse.CardItem, "4711"); !ok || got != id {
		t.Error("the card does not lead to the person")
	}
	if _, ok := w.ByCredential(gatehouse.PINItem, "4711"); ok {
		t.Error("a card number counts as a PIN")
	}
	c := d.subjects[id]
	parts, err := gatehouse.UnpackRecord(c.Subject.Record)
	if err != nil || string(parts.Name) != "sealed:Ana" || string(parts.NationalID) != "sealed:110105194912310021" {
		t.Errorf("record %+v, %v", parts, err)
	}
	if len(c.Consents) != 1 || !c.Consents[0].InForce(e.Now()) || len(c.Subject.Photos) != 2 || len(d.people) != 2 {
		t.Errorf("consents %d, photos %d, templates %d", len(c.Consents), len(c.Subject.Photos), len(d.people))
	}
	for _, where := range d.sealed {
		if where.Place != site || where.Row.IsZero() || where.Field == "" {
			t.Errorf("sealed without a place of its own: %+v", where)
		}
	}
	if len(d.intents) != 0 {
		t.Error("the intent was not finished")
	}
}

func TestPersonIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Person)
		photos []string
		code   string
	}{
		{"no label", func(p *Person) { p.Label = "" }, []string{"ana"}, "enroll.label"},
		{"no consent", func(p *Person) { p.Consent.Given = false }, []string{"ana"}, "enroll.consent"},
		{"a child without a guardian", func(p *Person) { p.Record.BirthDate = "2013-01-01" }, []string{"ana"}, "enroll.guardian"},
		{"a date of nonsense", func(p *Person) { p.Record.BirthDate = "1.2.1990" }, []string{"ana"}, "enroll.birth_date"},
		{"a birth in the future", func(p *Person) { p.Record.BirthDate = "2030-01-01" }, []string{"ana"}, "enroll.birth_date"},
		{"no face", nil, []string{"nobody"}, "enroll.no_face"},
		{"two faces", nil, []string{"both"}, "enroll.two_faces"},
		{"a tiny face", nil, []string{"tiny"}, "face.small"},
		{"a blurred face", nil, []string{"blurred"}, "face.blurred"},
		{"a dark face", nil, []string{"dark"}, "face.dark"},
		{"no picture", nil, []string{"text"}, "image.damaged"},
		{"photos of two people", nil, []string{"ana", "ben"}, "enroll.differ"},
		{"an endless label", func(p *Person) { p.Label = strings.Repeat("x", 61) }, []string{"ana"}, "enroll.label"},
		{"a label that moves the cursor", func(p *Person) { p.Label = "a\x1b[2J" }, []string{"ana"}, "enroll.label"},
		{"no way to pass", nil, nil, "enroll.nothing"},
		{"an endless card", func(p *Person) { p.Card = gatehouse.Secret(strings.Repeat("1", 513)) }, nil, "enroll.credential"},
		{"a validity that ends before it begins", func(p *Person) { p.ValidFrom, p.ValidUntil = time.Unix(9, 0), time.Unix(8, 0) }, []string{"ana"}, "enroll.validity"},
		{"an easy PIN", func(p *Person) { p.PIN = "123456" }, nil, "enroll.pin"},
		{"a short PIN", func(p *Person) { p.PIN = "9041" }, nil, "enroll.pin"},
		{"one digit", func(p *Person) { p.PIN = "777777" }, nil, "enroll.pin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, e, _ := newDesk(t)
			r := person(c.photos...)
			if c.change != nil {
				c.change(&r)
			}
			if _, err := e.Person(t.Context(), r); gatehouse.ErrorCode(err) != c.code {
				t.Fatalf("got %v, want %s", err, c.code)
			}
			if len(d.subjects)+len(d.people)+len(d.intents) != 0 {
				t.Error("something was stored all the same")
			}
		})
	}
}

// What the site's law asks of a consent is asked before anything is stored, and of other
// photos too.
func TestTheLawOfTheSite(t *testing.T) {
	for _, c := range []struct {
		name, profile string
		age           int
		change        func(*Person)
		code          string
	}{
		{"15 years in China", "cn", 0, func(p *Person) { p.Record.BirthDate = "2011-01-01" }, ""},
		{"15 years under the GDPR", "eu", 0, func(p *Person) { p.Record.BirthDate = "2011-01-01" }, "enroll.guardian"},
		{"15 years in France", "fr", 0, func(p *Person) { p.Record.BirthDate = "2011-01-01" }, ""},
		{"15 years in Illinois", "us-il", 0, func(p *Person) { p.Record.BirthDate = "2011-01-01" }, "enroll.guardian"},
		{"15 years at a site that is stricter", "cn", 16, func(p *Person) { p.Record.BirthDate = "2011-01-01" }, "enroll.guardian"},
		{"an answer at the desk", "eu", 0, func(p *Person) { p.Consent.How, p.Consent.Reference = "terminal", "" }, ""},
		{"an answer at the desk in Illinois", "us-il", 0, func(p *Person) { p.Consent.How, p.Consent.Reference = "terminal", "" }, "enroll.signed"},
		{"a form that lies nowhere", "us-il", 0, func(p *Person) { p.Consent.Reference = "" }, "enroll.signed"},
		{"a signed form", "us-il", 0, nil, ""},
		{"attendance by face", "eu", 0, func(p *Person) { p.Consent.Attendance = true }, ""},
		{"attendance by face in France", "fr", 0, func(p *Person) { p.Consent.Attendance = true }, "enroll.faces_at_work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, e, _ := newDesk(t)
			var err error
			if e.Law, err = privacy.LawOf(c.profile, c.age); err != nil {
				t.Fatal(err)
			}
			r := person("ana")
			if c.change != nil {
				c.change(&r)
			}
			_, err = e.Person(t.Context(), r)
			if gatehouse.ErrorCode(err) != c.code {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if err != nil && len(d.subjects)+len(d.people)+len(d.intents) != 0 {
				t.Error("something was stored all the same")
			}
			if c.code == "enroll.guardian" {
				return
			}
			card := person()
			card.Card = "4711"
			id, err := e.Person(t.Context(), card)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.SetFace(t.Context(), id, [][]byte{[]byte("ben")}, r.Consent, gatehouse.SubjectID{}); gatehouse.ErrorCode(err) != c.code {
				t.Errorf("other photos: %v, want %q", err, c.code)
			}
		})
	}
}

func TestBackgroundFacesAndChildrenWithGuardians(t *testing.T) {
	_, e, _ := newDesk(t)
	r := person("ana and a passer-by")
	r.Record.BirthDate, r.Consent.Guardian = "2013-01-01", true
	if _, err := e.Person(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestTwinsNeedASecondFactorBoth(t *testing.T) {
	_, e, w := newDesk(t)
	first, err := e.Person(t.Context(), person("ana"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Person(t.Context(), person("ana again"))
	if gatehouse.ErrorCode(err) != "enroll.duplicate" {
		t.Fatalf("the same face twice: %v", err)
	}
	twin := person("ana again")
	twin.DistinctFrom = first
	second, err := e.Person(t.Context(), twin)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []gatehouse.SubjectID{first, second} {
		if b, _ := w.Badge(id); !b.NeedSecondFactor {
			t.Errorf("%s may pass by face alone", id)
		}
	}
}

// What happened to the twin between the intent and its finishing is not undone.
func TestFinishingLaterKeepsTheTwinSuspended(t *testing.T) {
	d, e, w := newDesk(t)
	first, err := e.Person(t.Context(), person("ana"))
	if err != nil {
		t.Fatal(err)
	}
	d.failPut = errors.New("the power went")
	twin := person("ana again")
	twin.DistinctFrom = first
	if _, err := e.Person(t.Context(), twin); err == nil {
		t.Fatal("it was finished at once")
	}
	d.failPut = nil
	b, _ := w.Badge(first)
	b.Status, b.FaceConsent = gatehouse.SuspendedStatus, false
	if err := w.PutBadge(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if n, err := e.Resume(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if b, _ := w.Badge(first); b.Status != gatehouse.SuspendedStatus || b.FaceConsent || !b.NeedSecondFactor {
		t.Errorf("afterwards %+v", b)
	}
}

func TestParallelEnrolmentsOfOnePlateAreOne(t *testing.T) {
	_, e, _ := newDesk(t)
	var all sync.WaitGroup
	var done atomic.Int32
	for range 8 {
		all.Go(func() {
			if _, err := e.Vehicle(context.Background(), Vehicle{Label: "V", Record: gatehouse.VehicleRecord{Plate: "ZZ99 ZZZ"}}); err == nil {
				done.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 {
		t.Errorf("%d of 8 were enrolled", done.Load())
	}
}

func TestCredentialsAreUnique(t *testing.T) {
	_, e, _ := newDesk(t)
	one, two := person(), person()
	one.Card, two.Card = "4711", "4711"
	if _, err := e.Person(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Person(t.Context(), two); gatehouse.ErrorCode(err) != "enroll.credential" {
		t.Errorf("got %v", err)
	}
}

// An enrolment that was cut off after its intent is finished at the next start,
// and finishing twice changes nothing.
func TestAnInterruptedEnrolmentIsFinished(t *testing.T) {
	d, e, w := newDesk(t)
	d.failPut = errors.New("the power went")
	ana := person("ana")
	ana.Into = Membership{By: "ana", Groups: []gatehouse.GroupID{"gone", "staff"}}
	id, err := e.Person(t.Context(), ana)
	if err == nil || len(d.subjects) != 0 || len(d.intents) != 1 {
		t.Fatalf("%v, %d subjects, %d intents", err, len(d.subjects), len(d.intents))
	}
	d.failPut = nil
	if gatehouse.ErrorCode(err) != "enroll.unfinished" {
		t.Errorf("the operator is told %v: they would enrol again", err)
	}
	left := d.intents
	var joined []gatehouse.GroupID
	e.Join = func(_ context.Context, by string, group gatehouse.GroupID, who gatehouse.SubjectID) error {
		if by != "ana" || who != id || len(d.subjects) != 1 {
			t.Errorf("%s puts %s into %s", by, who, group)
		}
		if group == "gone" {
			return gatehouse.Errorf("rules.unknown", "", "there is no such group")
		}
		joined = append(joined, group)
		return nil
	}
	for range 2 {
		d.intents = left
		if n, err := e.Resume(t.Context()); n != 1 || err != nil {
			t.Fatalf("resumed %d, %v", n, err)
		}
	}
	if !slices.Equal(joined, []gatehouse.GroupID{"staff", "staff"}) {
		t.Errorf("groups: %v", joined)
	}
	if _, ok := w.Badge(id); !ok || len(d.subjects) != 1 {
		t.Errorf("%d subjects, badge %t", len(d.subjects), ok)
	}
}

func TestVehicle(t *testing.T) {
	d, e, w := newDesk(t)
	id, err := e.Vehicle(t.Context(), Vehicle{Label: "V-1", Record: gatehouse.VehicleRecord{Plate: "ab-12 cde"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := w.ByPlate("AB12·CDE"); !ok || got != id {
		t.Error("the plate does not lead to the vehicle")
	}
	parts, _ := gatehouse.UnpackRecord(d.subjects[id].Subject.Record)
	if diff := cmp.Diff("sealed:AB12CDE", string(parts.Name)); diff != "" {
		t.Error(diff)
	}
	for code, r := range map[string]Vehicle{"enroll.duplicate": {Label: "V-2", Record: gatehouse.VehicleRecord{Plate: "AB 12 CDE"}}, "enroll.plate": {Label: "V-2", Record: gatehouse.VehicleRecord{Plate: "·"}},
		"enroll.label": {Record: gatehouse.VehicleRecord{Plate: "XY 1"}}} {
		if _, err := e.Vehicle(t.Context(), r); gatehouse.ErrorCode(err) != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}
