package storetest

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
)

func newSubject(place gatehouse.Place) gatehouse.SubjectCommit {
	sub := gatehouse.Subject{Place: place, ID: gatehouse.RandomID(), Kind: gatehouse.PersonSubject, Status: gatehouse.Active,
		Enrolled: noon, Record: noise(4096),
		Photos: []gatehouse.Evidence{{Blob: gatehouse.RandomID(), Kind: gatehouse.CropEvidence, Digest: [32]byte(noise(32))}}}
	return gatehouse.SubjectCommit{Subject: sub, Leaf: gatehouse.SubjectLeaf(sub, noon), Consents: []gatehouse.Consent{
		{Place: place, Subject: sub.ID, Purpose: gatehouse.FaceAtDoors, Given: noon, How: "terminal", Reference: noise(64)}}}
}

func testSubject(t *testing.T, s *suite) {
	person := newSubject(here)
	s.must(s.PutSubject(s.ctx(), person))
	bare := gatehouse.SubjectCommit{Subject: gatehouse.Subject{Place: here, ID: gatehouse.RandomID(), Kind: gatehouse.VehicleSubject,
		Status: gatehouse.SuspendedStatus, Enrolled: noon}, Leaf: []byte("leaf")}
	s.must(s.PutSubject(s.ctx(), bare))
	s.reopen()
	for _, c := range []gatehouse.SubjectCommit{person, bare} {
		got, err := s.Subject(s.ctx(), here, c.Subject.ID)
		s.must(err)
		if diff := cmp.Diff(c.Subject, got); diff != "" {
			t.Errorf("subject (-want +got):\n%s", diff)
		}
	}
	replaced := newSubject(here)
	replaced.Subject.ID = person.Subject.ID
	replaced.Consents = nil
	replaced.Subject.Photos = replaced.Subject.Photos[:0]
	s.must(s.PutSubject(s.ctx(), replaced))
	got, err := s.Subject(s.ctx(), here, person.Subject.ID)
	s.must(err)
	if !bytes.Equal(got.Record, replaced.Subject.Record) || len(got.Photos) != 0 {
		t.Error("the subject was not replaced whole")
	}
	if c, err := s.Consents(s.ctx(), here, person.Subject.ID); err != nil || len(c) != 1 {
		t.Errorf("replacing a subject left %d consents (%v), want the one that was given", len(c), err)
	}
	_, err = s.Subject(s.ctx(), here, gatehouse.RandomID())
	s.wantCode(err, "store.not_found")

	foreign := newSubject(here)
	foreign.Consents[0].Subject = gatehouse.RandomID()
	s.wantCode(s.PutSubject(s.ctx(), foreign), "store.invalid")
	unsigned := newSubject(here)
	unsigned.Leaf = nil
	s.wantCode(s.PutSubject(s.ctx(), unsigned), "store.invalid")
	if got := len(s.leaves(0)); got != 3 {
		t.Errorf("%d leaves, want 3", got)
	}
}

func testSubjectPages(t *testing.T, s *suite) {
	want := map[gatehouse.SubjectID]gatehouse.Subject{}
	for range 23 {
		c := newSubject(here)
		s.must(s.PutSubject(s.ctx(), c))
		want[c.Subject.ID] = c.Subject
	}
	var after gatehouse.SubjectID
	for {
		got, err := s.Subjects(s.ctx(), here, after, 5)
		s.must(err)
		for _, sub := range got {
			if bytes.Compare(sub.ID[:], after[:]) <= 0 {
				t.Fatal("subjects out of order")
			}
			if diff := cmp.Diff(want[sub.ID], sub); diff != "" {
				t.Errorf("subject (-want +got):\n%s", diff)
			}
			delete(want, sub.ID)
			after = sub.ID
		}
		if len(got) < 5 {
			break
		}
	}
	if len(want) != 0 {
		t.Errorf("%d subjects were not listed", len(want))
	}
	late := newSubject(here)
	late.Subject.Enrolled = late.Subject.Enrolled.Add(time.Hour)
	s.must(s.PutSubject(s.ctx(), late))
	var roll []gatehouse.Subject
	s.must(s.Roll(s.ctx(), here, func(sub gatehouse.Subject) error { roll = append(roll, sub); return nil }))
	if len(roll) != 24 || roll[0].ID != late.Subject.ID || !roll[0].Enrolled.Equal(late.Subject.Enrolled) || roll[0].Kind != late.Subject.Kind || roll[0].Record != nil {
		t.Errorf("the roll has %d, first %+v", len(roll), roll[0])
	}
	_, err := s.Subjects(s.ctx(), here, after, 0)
	s.wantCode(err, "store.invalid")
}

func testStatus(t *testing.T, s *suite) {
	c := newSubject(here)
	s.must(s.PutSubject(s.ctx(), c))
	leaf := gatehouse.StatusLeaf(c.Subject, gatehouse.SuspendedStatus, noon)
	s.must(s.SetStatus(s.ctx(), here, c.Subject.ID, gatehouse.SuspendedStatus, leaf))
	s.wantCode(s.SetStatus(s.ctx(), here, gatehouse.RandomID(), gatehouse.SuspendedStatus, leaf), "store.not_found")
	s.wantCode(s.SetStatus(s.ctx(), there, c.Subject.ID, gatehouse.SuspendedStatus, leaf), "store.not_found")
	s.reopen()
	got, err := s.Subject(s.ctx(), here, c.Subject.ID)
	s.must(err)
	if got.Status != gatehouse.SuspendedStatus || len(got.Photos) != 1 || !bytes.Equal(got.Record, c.Subject.Record) {
		t.Errorf("status %q; photos and record must stay", got.Status)
	}
	if all := s.leaves(0); len(all) != 2 || all[1].leaf != string(leaf) {
		t.Errorf("%d leaves, want the enrolment's and the status's", len(all))
	}
}

func testConsents(t *testing.T, s *suite) {
	c := newSubject(here)
	s.must(s.PutSubject(s.ctx(), c))
	given := c.Consents[0]
	withdrawn := given
	withdrawn.Withdrawn = noon.Add(time.Hour)
	again := given
	again.Given, again.Reference = noon.Add(2*time.Hour), nil
	hours := again
	hours.Purpose, hours.How = gatehouse.FaceAtAttendance, "reference"
	hours.Notice, hours.Guardian, hours.By = "zh", true, "0a1b"
	for _, consent := range []gatehouse.Consent{withdrawn, again, hours} {
		s.must(s.PutConsent(s.ctx(), consent, gatehouse.ConsentLeaf(consent, noon)))
	}
	s.reopen()
	got, err := s.Consents(s.ctx(), here, c.Subject.ID)
	s.must(err)
	if diff := cmp.Diff([]gatehouse.Consent{withdrawn, hours, again}, got); diff != "" {
		t.Errorf("consents (-want +got):\n%s", diff)
	}
	nobody := given
	nobody.Subject = gatehouse.RandomID()
	s.wantCode(s.PutConsent(s.ctx(), nobody, []byte("leaf")), "store.not_found")
	if got, err := s.Consents(s.ctx(), here, nobody.Subject); err != nil || len(got) != 0 {
		t.Errorf("%d consents of nobody (%v)", len(got), err)
	}
}

func testDevices(t *testing.T, s *suite) {
	camera := gatehouse.Device{Place: here, ID: "camera-1", Kind: gatehouse.Camera, Gate: "lane"}
	reader := gatehouse.Device{Place: here, ID: "a-reader", Kind: gatehouse.Reader, Gate: "front-door"}
	for _, d := range []gatehouse.Device{camera, reader} {
		s.must(s.PutDevice(s.ctx(), d, gatehouse.DeviceLeaf(d, noon)))
	}
	camera.Gate = "front-door"
	s.must(s.PutDevice(s.ctx(), camera, gatehouse.DeviceLeaf(camera, noon)))
	s.reopen()
	got, err := s.Devices(s.ctx(), here)
	s.must(err)
	if diff := cmp.Diff([]gatehouse.Device{reader, camera}, got); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
}

func testIntents(t *testing.T, s *suite) {
	first := gatehouse.Intent{ID: gatehouse.NewID(noon), Verb: "enrol", Body: noise(100)}
	second := gatehouse.Intent{ID: gatehouse.NewID(noon.Add(time.Second)), Verb: "erase", Body: noise(10)}
	for _, i := range []gatehouse.Intent{second, first} {
		s.must(s.BeginIntent(s.ctx(), i))
	}
	second.Body = noise(20)
	s.must(s.BeginIntent(s.ctx(), second)) // once more with what is known by now
	s.reopen()
	got, err := s.Intents(s.ctx())
	s.must(err)
	if diff := cmp.Diff([]gatehouse.Intent{first, second}, got); diff != "" {
		t.Errorf("intents (-want +got):\n%s", diff)
	}
	s.must(s.FinishIntent(s.ctx(), first.ID))
	s.must(s.FinishIntent(s.ctx(), first.ID)) // twice is once
	s.reopen()
	if got, err := s.Intents(s.ctx()); err != nil || len(got) != 1 || got[0].ID != second.ID {
		t.Errorf("%d intents are left (%v), want the second", len(got), err)
	}
}

func (s *suite) workingSet() map[gatehouse.ID]gatehouse.WorkingItem {
	s.Helper()
	all := map[gatehouse.ID]gatehouse.WorkingItem{}
	s.must(s.Working(s.ctx(), func(w gatehouse.WorkingItem) error { all[w.Row] = w; return nil }))
	return all
}

func testWorking(t *testing.T, s *suite) {
	anna, ben := gatehouse.RandomID(), gatehouse.RandomID()
	item := func(kind gatehouse.WorkingKind, subject gatehouse.SubjectID) gatehouse.WorkingItem {
		return gatehouse.WorkingItem{Place: here, Kind: kind, Subject: subject, Row: gatehouse.RandomID(), Sealed: noise(600)}
	}
	items := []gatehouse.WorkingItem{item(gatehouse.TemplateItem, anna), item(gatehouse.BadgeItem, anna), item(gatehouse.BadgeItem, ben),
		item(gatehouse.TokenItem, gatehouse.SubjectID{})}
	s.must(s.PutWorking(s.ctx(), items))
	s.must(s.PutWorking(s.ctx(), nil))
	items[1].Sealed = noise(700)
	s.must(s.PutWorking(s.ctx(), items[1:2]))
	// All or none: the last of these belongs nowhere.
	s.wantCode(s.PutWorking(s.ctx(), []gatehouse.WorkingItem{item(gatehouse.PINItem, ben), {Kind: gatehouse.PINItem}}), "store.invalid")
	s.reopen()
	want := map[gatehouse.ID]gatehouse.WorkingItem{}
	for _, w := range items {
		want[w.Row] = w
	}
	if diff := cmp.Diff(want, s.workingSet()); diff != "" {
		t.Errorf("working set (-want +got):\n%s", diff)
	}
	s.must(s.DeleteWorking(s.ctx(), there, anna))                     // another site's
	s.must(s.DeleteWorking(s.ctx(), here, anna, gatehouse.TokenItem)) // a kind that she has none of
	s.must(s.DeleteWorking(s.ctx(), here, anna))
	s.must(s.DeleteWorking(s.ctx(), here, anna))
	s.wantCode(s.DeleteWorking(s.ctx(), here, gatehouse.SubjectID{}), "store.invalid")
	delete(want, items[0].Row)
	delete(want, items[1].Row)
	s.reopen()
	if diff := cmp.Diff(want, s.workingSet()); diff != "" {
		t.Errorf("working set after a deletion (-want +got):\n%s", diff)
	}
	// Replacing leaves out what is not there (any more), and changes the rest.
	token, badge := items[3], items[2]
	token.Sealed, badge.Sealed = noise(300), noise(310)
	s.must(s.ReplaceWorking(s.ctx(), []gatehouse.WorkingItem{items[0], token, badge}))
	want[token.Row], want[badge.Row] = token, badge
	if diff := cmp.Diff(want, s.workingSet()); diff != "" {
		t.Errorf("working set after a replacement (-want +got):\n%s", diff)
	}
	stop := errors.New("enough")
	if err := s.Working(s.ctx(), func(gatehouse.WorkingItem) error { return stop }); !errors.Is(err, stop) || gatehouse.ErrorCode(err) != "" {
		t.Errorf("the caller's error came back as %v", err)
	}
}

// testPlaces puts the same ids into three places and looks from each.
func testPlaces(t *testing.T, s *suite) {
	template := newCommit(here, noon)
	person := newSubject(here)
	for i, place := range []gatehouse.Place{here, there, other} {
		c := template
		c.Passage.Place = place
		c.Passage.Frames = i
		s.commit(c)
		sub := person
		sub.Subject.Place = place
		sub.Subject.Record = []byte{byte(i)}
		sub.Consents = slices.Clone(person.Consents)
		sub.Consents[0].Place = place
		s.must(s.PutSubject(s.ctx(), sub))
		d := gatehouse.Device{Place: place, ID: "camera-1", Kind: gatehouse.Camera, Gate: gatehouse.GateID(place.Site)}
		s.must(s.PutDevice(s.ctx(), d, []byte("leaf")))
	}
	for i, place := range []gatehouse.Place{here, there, other} {
		got, err := s.Passages(s.ctx(), gatehouse.PassageQuery{Place: place, Limit: 10})
		s.must(err)
		if len(got) != 1 || got[0].Frames != i || got[0].Place != place {
			t.Errorf("%v sees %+v", place, got)
		}
		counts, err := s.CountPassages(s.ctx(), place, noon, noon.Add(time.Second), gatehouse.AllGates())
		s.must(err)
		if counts.Granted != 1 {
			t.Errorf("%v counts %d", place, counts.Granted)
		}
		subs, err := s.Subjects(s.ctx(), place, gatehouse.SubjectID{}, 10)
		s.must(err)
		if len(subs) != 1 || subs[0].Record[0] != byte(i) {
			t.Errorf("%v sees %d subjects", place, len(subs))
		}
		consents, err := s.Consents(s.ctx(), place, person.Subject.ID)
		s.must(err)
		devices, err := s.Devices(s.ctx(), place)
		s.must(err)
		if len(consents) != 1 || len(devices) != 1 || devices[0].Gate != gatehouse.GateID(place.Site) {
			t.Errorf("%v sees %d consents, %d devices", place, len(consents), len(devices))
		}
	}
	nowhere := gatehouse.Place{Org: "acme", Site: "west"}
	_, err := s.Passage(s.ctx(), nowhere, template.Passage.ID)
	s.wantCode(err, "store.not_found")
	_, err = s.Subject(s.ctx(), nowhere, person.Subject.ID)
	s.wantCode(err, "store.not_found")
	if got, err := s.Devices(s.ctx(), nowhere); err != nil || len(got) != 0 {
		t.Errorf("%v sees %d devices (%v)", nowhere, len(got), err)
	}
}
