// Package drill plays the thief: it plants marked people, vehicles and pictures,
// runs traffic through the real server, stops it, and searches every byte of the
// data directory for the marks. The same traffic through a plain store is the
// control: there the same search must find all of them.
package drill

import (
	"context"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/flow/enroll"
	"gatehouse/internal/child/childtest"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
	"gatehouse/vault"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

func TestMain(m *testing.M) {
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChild, "__vision": worker.RunChild})
}

// actor is a planted person with a picture to enrol and frames to arrive in.
type actor struct {
	record  gatehouse.PersonRecord
	photo   []byte
	arrival [][]byte
}

type car struct {
	plate   string
	known   bool
	arrival [][]byte
}

// plant invents the marked people and cars.
func plant(t *testing.T) (people []actor, cars []car) {
	t.Helper()
	assets := models.Dir()
	files, _ := filepath.Glob(filepath.Join(assets, "portraits", "*.jpg"))
	if len(files) < 20 {
		t.Skip("the portraits are not fetched: run `make assets`")
	}
	slices.Sort(files)
	r := rand.New(rand.NewPCG(7, 7))
	names := []string{"Ambrosine Quillfeather", "欧阳修竹", "Zbigniew Örnsköld", "司马青衫", "Thessaly Marchbanks"}
	for i, name := range names {
		raw, err := os.ReadFile(files[i*9])
		if err != nil {
			t.Fatal(err)
		}
		portrait, err := imaging.Decode(raw, imaging.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, actor{
			record: gatehouse.PersonRecord{Name: name, NationalID: "11010519491231" + string(rune('0'+i)) + "02X", Phone: "+8613900" + string(rune('1'+i)) + "77665",
				Email: "marked" + string(rune('a'+i)) + "@example.test", Address: "Musterweg " + string(rune('1'+i)) + "7, 10115 Berlin", BirthDate: "1979-03-1" + string(rune('0'+i)),
				Number: "EMP-84" + string(rune('0'+i)) + "21", Unit: "Marked Unit " + string(rune('A'+i))},
			photo:   scene.Enrolment(portrait, r),
			arrival: scene.Person(portrait, scene.RandomLook(r), 5, r),
		})
	}
	plates, err := scene.LoadPlates(filepath.Join(assets, "fonts", "ZCOOLQingKeHuangYou-Regular.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range []struct{ text, class string }{{"沪A8K372", "cn-blue"}, {"BX41KTM", "eu"}, {"京N6P905", "cn-blue"}, {"RVL3J47", "br"}} {
		cars = append(cars, car{p.text, i%2 == 0, plates.Car(p.text, p.class, color.RGBA{90, 30, 30, 255}, false, scene.RandomLook(r), 5, r)})
	}
	return people, cars
}

func (a actor) request(label string) wire.EnrollPersonRequest {
	return wire.EnrollPersonRequest{Label: label, Record: a.record, Photos: [][]byte{a.photo}, ConsentGiven: true, ConsentHow: "reference", ConsentRef: "Aktenordner Kirschholz 12",
		Card: "card-" + a.record.Number, PIN: "90417" + a.record.Number[len(a.record.Number)-3:], Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}
}

// marks lists everything that must not be found. The templates are computed here
// from the enrolment photos, as the product does.
func marksOf(t *testing.T, eyes gatehouse.Eyes, people []actor, cars []car) []mark {
	t.Helper()
	all := []mark{textMark("consent reference", "Aktenordner Kirschholz 12"),
		// Whatever it shows: no picture that this program or a camera wrote.
		{"jpeg header", map[string][]byte{"encoder's": {0xff, 0xd8, 0xff, 0xdb, 0x00, 0x84, 0x00}}}}
	for _, a := range people {
		r := a.record
		for name, text := range map[string]string{"name": r.Name, "id": r.NationalID, "phone": r.Phone, "email": r.Email, "address": r.Address, "birth": r.BirthDate, "number": r.Number, "unit": r.Unit} {
			all = append(all, textMark(name+" "+r.Number, text))
		}
		all = append(all, pictureMark(t, "photo "+r.Number, a.photo))
		seen, err := eyes.See(t.Context(), gatehouse.Image{Format: gatehouse.JPEG, Bytes: a.photo}, gatehouse.Look{Faces: true, Templates: true})
		if err != nil || len(seen.Faces) != 1 || seen.Faces[0].Template == nil {
			t.Fatalf("a planted photo has %d faces: %v", len(seen.Faces), err)
		}
		all = append(all, templateMark("template "+r.Number, seen.Faces[0].Template))
	}
	for i, c := range cars {
		all = append(all, textMark("plate "+string(rune('0'+i)), c.plate))
	}
	return all
}

func config(t *testing.T) server.Config {
	c := server.DefaultConfig()
	dir := t.TempDir()
	c.Data, c.GateKey, c.Listen, c.LogLevel = filepath.Join(dir, "data"), filepath.Join(t.TempDir(), "gate.key"), "localhost:0", "error"
	for i := range c.Gates {
		c.Gates[i].SecondFactor, c.Gates[i].Liveness, c.Gates[i].MinPlateConfidence = false, false, 0.3
	}
	c.Strangers.Keep, c.Strangers.Purpose = true, "the drill searches their pictures too"
	return c
}

func TestAThiefOfTheDataDirectoryGetsNothing(t *testing.T) {
	people, cars := plant(t)
	c := config(t)
	log, err := os.Create(filepath.Join(c.Data + "-log"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), c, server.Options{NewPassphrase: []byte("correct horse battery staple"), Stderr: log})
	if err != nil {
		t.Fatal(err)
	}
	eyes := s.Eyes()
	marks := marksOf(t, eyes, people, cars)
	granted := sealedTraffic(t, s, people, cars)
	// The vault is used too: what it opens and logs must not stay behind.
	if err := s.Unseal(t.Context(), []byte("correct horse battery staple")); err != nil {
		t.Fatal(err)
	}
	searchFor(t, s, people)
	control, dir := newRig(t, eyes, s.Gates(), s.Place())
	plainTraffic(t, control, people, cars)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if granted < len(people)-1 {
		t.Fatalf("only %d of %d people were let in: the traffic did not do its work", granted, len(people))
	}

	hits, _, read := search(t, c.Data, marks)
	logged, _, _ := search(t, filepath.Dir(log.Name()), marks)
	for _, h := range append(hits, logged...) {
		t.Errorf("found %s as %s in %s", h.mark, h.form, h.file)
	}
	// With the gate key the databases open, and every value in them is still sealed.
	opened, values := dump(t, c)
	inside, _, _ := search(t, opened, marks)
	for _, h := range inside {
		t.Errorf("with the gate key: found %s as %s in %s", h.mark, h.form, h.file)
	}
	// A dump that shows nothing at all would prove nothing: metadata must be in it.
	if _, seen, _ := search(t, opened, []mark{textMark("gate", "front-door")}); values < 100 || len(seen) == 0 {
		t.Errorf("the dump of %d values does not even show the gates", values)
	}
	_, found, _ := search(t, dir, marks)
	forms := 0
	for _, m := range marks {
		for form := range m.forms {
			if len(m.forms[form]) < 6 {
				continue
			}
			forms++
			if !found[m.name][form] {
				t.Errorf("the control does not show %s as %s: the search is blind to it", m.name, form)
			}
		}
	}
	t.Logf("%d marks in %d forms; %d bytes searched: %d hits; %d values with the gate key: %d hits; control: %d marks found", len(marks), forms, read, len(hits), values, len(inside), len(found))
}

// searchFor fills the search index, which then holds every mark as it is, and finds
// the planted people in it.
func searchFor(t *testing.T, s *server.Server, people []actor) {
	t.Helper()
	if err := s.IndexArchive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, a := range people {
		got, err := s.Admin().Search(t.Context(), wire.SearchRequest{Reason: "the drill", Name: a.record.Name, NationalID: a.record.NationalID, Phone: a.record.Phone, Email: a.record.Email, Limit: 10})
		if err != nil || len(got.Hits) == 0 {
			t.Fatalf("the index finds %d rows of a planted person, %v", len(got.Hits), err)
		}
	}
}

// sealedTraffic enrols and lets arrive through the product.
func sealedTraffic(t *testing.T, s *server.Server, people []actor, cars []car) (granted int) {
	t.Helper()
	admin := s.Admin()
	for i, a := range people {
		if _, err := admin.EnrollPerson(t.Context(), a.request("B-"+string(rune('0'+i)))); err != nil {
			t.Fatalf("person %d: %v", i, err)
		}
	}
	enrolCars(t, admin, cars)
	for _, d := range []wire.DeviceAddRequest{{ID: "door-cam", Kind: gatehouse.Camera, Gate: "front-door"}, {ID: "lane-cam", Kind: gatehouse.Camera, Gate: "entry-lane", Source: "rtsp://marked:password@localhost/1"}} {
		if _, err := admin.AddDevice(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	post := func(device gatehouse.DeviceID, frames [][]byte) {
		for _, f := range frames {
			now = now.Add(200 * time.Millisecond)
			got, err := s.Post(t.Context(), gatehouse.Capture{Device: device, Kind: gatehouse.FrameCapture, Received: now, Image: gatehouse.Image{Format: gatehouse.JPEG, Bytes: f}})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range got {
				if p.Decision.Grant {
					granted++
				}
			}
		}
		now = now.Add(5 * time.Second)
	}
	for _, a := range people {
		post("door-cam", a.arrival)
	}
	for _, c := range cars {
		post("lane-cam", c.arrival)
	}
	return granted
}

func enrolCars(t *testing.T, admin api.Admin, cars []car) {
	t.Helper()
	for i, c := range cars {
		if !c.known {
			continue
		}
		if _, err := admin.EnrollVehicle(t.Context(), wire.EnrollVehicleRequest{Label: "V-" + string(rune('0'+i)), Record: gatehouse.VehicleRecord{Plate: c.plate}, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// plainTraffic sends the same through the control. A car's plate reaches it as the
// planted text: what is searched is the writing, not the reading.
func plainTraffic(t *testing.T, r *rig, people []actor, cars []car) {
	t.Helper()
	for i, a := range people {
		q := a.request("B-" + string(rune('0'+i)))
		_, err := r.enroll.Person(t.Context(), enroll.Person{Label: q.Label, Record: q.Record, Photos: q.Photos, Grants: q.Grants,
			Consent: enroll.Agreement{Given: true, How: q.ConsentHow, Reference: gatehouse.Secret(q.ConsentRef)}, Card: gatehouse.Secret(q.Card), PIN: gatehouse.Secret(q.PIN)})
		if err != nil {
			t.Fatalf("control, person %d: %v", i, err)
		}
	}
	for _, c := range cars {
		s := gatehouse.Sighting{Kind: gatehouse.PlateReading, Frames: 5, Final: true, Last: time.Now(), Plate: gatehouse.PlateRead{Text: c.plate, Raw: c.plate, Confidence: 0.9}}
		if _, _, err := r.flow.Sight(t.Context(), gatehouse.Device{ID: "lane-cam", Gate: "entry-lane"}, s, s.Last); err != nil {
			t.Fatal(err)
		}
	}
}
