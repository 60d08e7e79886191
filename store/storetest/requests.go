package storetest

import (
	"bytes"
	"testing"
	"time"

	"gatehouse"
)

func testRequests(t *testing.T, s *suite) {
	subject := gatehouse.RandomID()
	s.must(s.PutSubject(s.ctx(), gatehouse.SubjectCommit{Subject: gatehouse.Subject{Place: here, ID: subject, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: at(0)}, Leaf: []byte("enrolled")}))
	first := gatehouse.Request{Place: here, ID: gatehouse.NewID(at(1)), Kind: gatehouse.AccessRequest, Subject: subject, Opened: at(1), Due: at(1).AddDate(0, 1, 0), Note: []byte("sealed note"), Contact: []byte("sealed contact")}
	second := gatehouse.Request{Place: here, ID: gatehouse.NewID(at(2)), Kind: gatehouse.ErasureRequest, Opened: at(2), Due: at(2).AddDate(0, 1, 0)}
	s.must(s.PutRequest(s.ctx(), first, []byte("opened 1")))
	s.must(s.PutRequest(s.ctx(), second, []byte("opened 2")))
	s.reopen()
	same := func(got, want gatehouse.Request) bool {
		return got.ID == want.ID && got.Kind == want.Kind && got.Subject == want.Subject && got.Opened.Equal(want.Opened) && got.Due.Equal(want.Due) && got.Extended == want.Extended &&
			got.Done.Equal(want.Done) && got.Outcome == want.Outcome && bytes.Equal(got.Note, want.Note) && bytes.Equal(got.Answer, want.Answer) && bytes.Equal(got.Contact, want.Contact)
	}
	got, err := s.Requests(s.ctx(), here, gatehouse.ID{}, 10)
	s.must(err)
	if len(got) != 2 || !same(got[0], second) || !same(got[1], first) {
		t.Fatalf("the newest first: %+v", got)
	}
	if got, err = s.Requests(s.ctx(), here, second.ID, 10); err != nil || len(got) != 1 || !same(got[0], first) {
		t.Errorf("behind the second: %+v, %v", got, err)
	}
	if got, err = s.Requests(s.ctx(), there, gatehouse.ID{}, 10); err != nil || len(got) != 0 {
		t.Errorf("another place has %+v, %v", got, err)
	}
	if _, err := s.Request(s.ctx(), there, first.ID); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("another place's: %v", err)
	}
	first.Extended, first.Done, first.Outcome, first.Answer = true, at(3), gatehouse.RequestGranted, []byte("sealed answer")
	s.must(s.PutRequest(s.ctx(), first, []byte("answered 1")))
	if one, err := s.Request(s.ctx(), here, first.ID); err != nil || !same(one, first) {
		t.Errorf("answered: %+v, %v", one, err)
	}

	// Whose it was is gone with the person, and so is what it said; that it was is not.
	fresh := gatehouse.RandomID()
	for id, want := range map[gatehouse.SubjectID]int{subject: 1, fresh: 0} {
		if traces, err := s.SubjectTraces(s.ctx(), here, id); err != nil || traces.Requests != want {
			t.Errorf("%d requests name the subject, want %d, %v", traces.Requests, want, err)
		}
	}
	_, err = s.ReplaceSubject(s.ctx(), here, subject, fresh, []byte("erased"))
	s.must(err)
	if traces, err := s.SubjectTraces(s.ctx(), here, subject); err != nil || traces.Requests != 0 {
		t.Errorf("after the erasure %d requests name the subject, %v", traces.Requests, err)
	}
	one, err := s.Request(s.ctx(), here, first.ID)
	s.must(err)
	if one.Subject != fresh || one.Note != nil || one.Answer != nil || one.Contact != nil || !one.Done.Equal(first.Done) {
		t.Errorf("after the erasure: %+v", one)
	}
	// Nor does somebody bring the id back who read the row before.
	s.must(s.PutRequest(s.ctx(), first, []byte("answered again")))
	if one, err = s.Request(s.ctx(), here, first.ID); err != nil || one.Subject != fresh || one.Note != nil {
		t.Errorf("written from before the erasure: %+v, %v", one, err)
	}
}

func testEachConsent(t *testing.T, s *suite) {
	a, b := gatehouse.RandomID(), gatehouse.RandomID()
	for _, id := range []gatehouse.SubjectID{a, b} {
		s.must(s.PutSubject(s.ctx(), gatehouse.SubjectCommit{Subject: gatehouse.Subject{Place: here, ID: id, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: at(0)}, Leaf: []byte("enrolled"),
			Consents: []gatehouse.Consent{{Place: here, Subject: id, Purpose: gatehouse.FaceAtDoors, Given: at(1), How: "terminal"}}}))
	}
	s.must(s.PutConsent(s.ctx(), gatehouse.Consent{Place: here, Subject: a, Purpose: gatehouse.FaceAtDoors, Given: at(1), Withdrawn: at(2), How: "terminal"}, []byte("withdrawn")))
	read := func(place gatehouse.Place) map[gatehouse.SubjectID]time.Time {
		all := map[gatehouse.SubjectID]time.Time{}
		s.must(s.EachConsent(s.ctx(), place, func(c gatehouse.Consent) error {
			if c.Place != place || c.Purpose != gatehouse.FaceAtDoors || !c.Given.Equal(at(1)) || c.How != "terminal" {
				t.Errorf("%+v", c)
			}
			all[c.Subject] = c.Withdrawn
			return nil
		}))
		return all
	}
	if all := read(here); len(all) != 2 || !all[a].Equal(at(2)) || !all[b].IsZero() {
		t.Errorf("%v", all)
	}
	if all := read(there); len(all) != 0 {
		t.Errorf("another place has %v", all)
	}
	_, err := s.ReplaceSubject(s.ctx(), here, b, gatehouse.RandomID(), []byte("erased"))
	s.must(err)
	if all := read(here); len(all) != 1 {
		t.Errorf("after an erasure: %v", all)
	}
}

// at is some minutes after noon.
func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
