package enroll

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse"
)

func (d *desk) Remove(_ gatehouse.Place, id gatehouse.SubjectID) int {
	before := len(d.people)
	d.people = slices.DeleteFunc(d.people, func(e entry) bool { return e.subject == id })
	return before - len(d.people)
}

func (d *desk) Subject(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	c, ok := d.subjects[id]
	if !ok {
		return gatehouse.Subject{}, gatehouse.Errorf("store.not_found", "", "nobody")
	}
	return c.Subject, nil
}

func (d *desk) SetStatus(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID, to gatehouse.SubjectStatus, _ []byte) error {
	c := d.subjects[id]
	c.Subject.Status = to
	d.subjects[id] = c
	d.told = append(d.told, to)
	return nil
}

func (d *desk) Consents(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) ([]gatehouse.Consent, error) {
	return d.given[id], nil
}

func (d *desk) DeleteBlob(_ context.Context, id gatehouse.BlobID) error {
	d.deleted = append(d.deleted, id)
	return nil
}

func TestAPhotoIsJudgedAtOnce(t *testing.T) {
	_, e, _ := newDesk(t)
	ana, err := e.Person(t.Context(), person("ana"))
	if err != nil {
		t.Fatal(err)
	}
	for photo, want := range map[string]string{"nobody": "enroll.no_face", "both": "enroll.two_faces", "tiny": "face.small", "blurred": "face.blurred", "dark": "face.dark",
		"no picture": "image.damaged", "ben": "", "ana again": "enroll.duplicate"} {
		j, err := e.Judge(t.Context(), gatehouse.SubjectID{}, []byte(photo), nil)
		if err != nil || j.Code != want || j.Good() != (want == "") {
			t.Errorf("%s is judged %q, %v", photo, j.Code, err)
		}
		if photo == "ana again" && j.Known != ana {
			t.Errorf("whose it is: %s", j.Known)
		}
	}
	// One's own face is no other's; somebody else's photo among one's own is.
	first, _ := e.Judge(t.Context(), ana, []byte("ana again"), nil)
	if !first.Good() || first.Score <= 0 || first.Score > 1 {
		t.Errorf("their own face: %+v", first)
	}
	if j, _ := e.Judge(t.Context(), ana, []byte("ben"), []Judgement{first}); j.Code != "enroll.differ" {
		t.Errorf("another person's photo is judged %q", j.Code)
	}
	// A photo that was refused says nothing of the next.
	if j, _ := e.Judge(t.Context(), ana, []byte("ana"), []Judgement{{Code: "face.dark"}}); !j.Good() {
		t.Errorf("after a bad one: %q", j.Code)
	}
	large, small := gatehouse.FaceQuality{EyeDistance: 100, Sharpness: 100, Brightness: 125}, gatehouse.FaceQuality{EyeDistance: 30, Sharpness: 100, Brightness: 125}
	if score(large) <= score(small) {
		t.Error("the larger face is no better")
	}
}

func TestPurposesAreApart(t *testing.T) {
	d, e, _ := newDesk(t)
	r := person("ana")
	r.Consent.Attendance, r.Consent.Guardian, r.Consent.Notice, r.Consent.By = true, true, "zh", "0a1b"
	id, err := e.Person(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	given := d.subjects[id].Consents
	if len(given) != 2 || given[0].Purpose != gatehouse.FaceAtDoors || given[1].Purpose != gatehouse.FaceAtAttendance {
		t.Fatalf("recorded %+v", given)
	}
	for _, c := range given {
		if !c.Guardian || c.Notice != "zh" || c.By != "0a1b" || !c.InForce(e.Now()) {
			t.Errorf("recorded %+v", c)
		}
	}
	d.given = map[gatehouse.SubjectID][]gatehouse.Consent{id: given}
	if err := e.WithdrawConsent(t.Context(), id, gatehouse.FaceAtAttendance); err != nil || len(d.people) != 1 {
		t.Errorf("attendance: %v, %d templates: the door needs them", err, len(d.people))
	}
	if err := e.WithdrawConsent(t.Context(), id, gatehouse.FaceAtDoors); err != nil || len(d.people) != 0 {
		t.Errorf("doors: %v, %d templates", err, len(d.people))
	}
	d.given = nil
	if err := e.WithdrawConsent(t.Context(), id, gatehouse.FaceAtDoors); gatehouse.ErrorCode(err) != "consent.none" {
		t.Errorf("without one: %v", err)
	}
}

func TestOtherPhotosTakeThePlaceOfTheOldOnes(t *testing.T) {
	d, e, w := newDesk(t)
	id, err := e.Person(t.Context(), person("ana"))
	if err != nil {
		t.Fatal(err)
	}
	old := d.subjects[id].Subject.Photos[0].Blob
	d.given = map[gatehouse.SubjectID][]gatehouse.Consent{id: d.subjects[id].Consents}
	if err := e.SetStatus(t.Context(), id, gatehouse.SuspendedStatus); err != nil {
		t.Fatal(err)
	}
	if err := e.SetFace(t.Context(), id, [][]byte{[]byte("ana again"), []byte("ana")}, Agreement{}, gatehouse.SubjectID{}); err != nil {
		t.Fatal(err)
	}
	if len(d.people) != 2 || len(d.subjects[id].Subject.Photos) != 2 || !slices.Equal(d.deleted, []gatehouse.BlobID{old}) {
		t.Errorf("%d templates, %d photos, deleted %v", len(d.people), len(d.subjects[id].Subject.Photos), d.deleted)
	}
	if b, _ := w.Badge(id); b.Status != gatehouse.SuspendedStatus || d.subjects[id].Subject.Status != gatehouse.SuspendedStatus || d.told[len(d.told)-1] != gatehouse.SuspendedStatus {
		t.Error("new photos let a suspended person in, or the log does not say that they stay suspended")
	}
	// No consent, no template.
	d.given = nil
	if err := e.SetFace(t.Context(), id, [][]byte{[]byte("ana")}, Agreement{}, gatehouse.SubjectID{}); gatehouse.ErrorCode(err) != "enroll.consent" {
		t.Errorf("without a consent: %v", err)
	}
	if err := e.SetFace(t.Context(), id, [][]byte{[]byte("ana")}, Agreement{Given: true, How: "reference"}, gatehouse.SubjectID{}); err != nil {
		t.Errorf("with a new one: %v", err)
	}
	// Somebody else's face is refused, and nothing changes.
	if _, err := e.Person(t.Context(), person("ben")); err != nil {
		t.Fatal(err)
	}
	if err := e.SetFace(t.Context(), id, [][]byte{[]byte("ben")}, Agreement{Given: true}, gatehouse.SubjectID{}); gatehouse.ErrorCode(err) != "enroll.duplicate" {
		t.Errorf("another's face: %v", err)
	}
}

func TestCorrecting(t *testing.T) {
	d, e, w := newDesk(t)
	r := person()
	r.Record.NationalID, r.Card = "110105194912310021", "4711"
	id, err := e.Person(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.CorrectPerson(t.Context(), id, gatehouse.PersonRecord{Name: "Anna", Phone: "+49"}, nil); err != nil {
		t.Fatal(err)
	}
	parts, _ := gatehouse.UnpackRecord(d.subjects[id].Subject.Record)
	if string(parts.Name) != "sealed:Anna" || string(parts.NationalID) != "sealed:110105194912310021" || !strings.Contains(string(parts.Rest), "+49") {
		t.Errorf("the record is %q", parts)
	}
	other := ""
	if err := e.CorrectPerson(t.Context(), id, gatehouse.PersonRecord{Name: "Anna"}, &other); err != nil {
		t.Fatal(err)
	}
	if parts, _ = gatehouse.UnpackRecord(d.subjects[id].Subject.Record); len(parts.NationalID) != 0 {
		t.Error("the ID number was taken away and is there")
	}
	if err := e.CorrectPerson(t.Context(), id, gatehouse.PersonRecord{BirthDate: "31.12.1999"}, nil); gatehouse.ErrorCode(err) != "enroll.birth_date" {
		t.Errorf("a date of another form: %v", err)
	}
	// A card that is exchanged opens no more; one of somebody else's is refused.
	if err := e.SetCredential(t.Context(), id, gatehouse.CardItem, "4712"); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.ByCredential(gatehouse.CardItem, "4711"); ok {
		t.Error("the old card still opens")
	}
	if got, _ := w.ByCredential(gatehouse.CardItem, "4712"); got != id || !slices.Equal(w.Kinds(id), []gatehouse.WorkingKind{gatehouse.CardItem}) {
		t.Errorf("the new card leads to %s, kinds %v", got, w.Kinds(id))
	}
	ben := person()
	ben.Card = "4713"
	if _, err := e.Person(t.Context(), ben); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind   gatehouse.WorkingKind
		secret gatehouse.Secret
		code   string
	}{{gatehouse.CardItem, "4713", "enroll.credential"}, {gatehouse.PINItem, "111111", "enroll.pin"}, {gatehouse.TemplateItem, "x", "enroll.kind"}} {
		if err := e.SetCredential(t.Context(), id, c.kind, c.secret); gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%s: %v", c.kind, err)
		}
	}
	if err := e.SetCredential(t.Context(), id, gatehouse.CardItem, ""); err != nil || len(w.Kinds(id)) != 0 {
		t.Errorf("taken away: %v, %v", err, w.Kinds(id))
	}
	if err := e.SetAccess(t.Context(), id, Access{Label: "B-9", Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
		t.Fatal(err)
	}
	if b, _ := w.Badge(id); b.Label != "B-9" || len(b.Grants) != 1 {
		t.Errorf("the badge is %+v", b)
	}
	if err := e.SetAccess(t.Context(), gatehouse.RandomID(), Access{Label: "B-9"}); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("nobody's badge: %v", err)
	}
}

// A plate that was exchanged opens no lane, also where the change was cut off and is
// finished later.
func TestAnotherPlate(t *testing.T) {
	d, e, w := newDesk(t)
	id, err := e.Vehicle(t.Context(), Vehicle{Label: "V-1", Record: gatehouse.VehicleRecord{Plate: "AB12 CDE"}})
	if err != nil {
		t.Fatal(err)
	}
	d.failPut = errors.New("the power went")
	if err := e.CorrectVehicle(t.Context(), id, gatehouse.VehicleRecord{Plate: "XY99 ZZZ"}); gatehouse.ErrorCode(err) != "enroll.unfinished" {
		t.Fatalf("cut off: %v", err)
	}
	d.failPut = nil
	if n, err := e.Resume(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, ok := w.ByPlate("AB12CDE"); ok {
		t.Error("the old plate still opens")
	}
	if got, ok := w.ByPlate("XY99ZZZ"); !ok || got != id {
		t.Error("the new plate does not")
	}
	if err := e.CorrectVehicle(t.Context(), id, gatehouse.VehicleRecord{Plate: "?"}); gatehouse.ErrorCode(err) != "enroll.plate" {
		t.Errorf("no plate: %v", err)
	}
}
