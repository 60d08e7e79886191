package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
)

func newStay(place gatehouse.Place, t time.Time) gatehouse.StayRecord {
	id := gatehouse.NewID(t)
	return gatehouse.StayRecord{CarPark: "centre", State: gatehouse.StayOpen, Reason: "new", Stay: gatehouse.Stay{Place: place, ID: id, Subject: gatehouse.RandomID(),
		Class: gatehouse.Car, EntryGate: "in", EntryPassage: id, Entered: t.Truncate(time.Microsecond)}}
}

func testStays(t *testing.T, s *suite) {
	old, now := newStay(here, noon.AddDate(0, -2, 0)), newStay(here, noon)
	now.Known, now.Group = true, "staff"
	elsewhere := newStay(there, noon)
	for _, r := range []gatehouse.StayRecord{old, now, elsewhere} {
		s.must(s.OpenStay(s.ctx(), r))
	}
	again := old
	again.State = gatehouse.StayLost
	s.must(s.OpenStay(s.ctx(), again)) // it is there, and stays as it is
	left := now
	left.State, left.Left, left.ExitGate, left.ExitPassage, left.Owed, left.Booked, left.By, left.Changed, left.Correction = gatehouse.StayLeft, noon.Add(time.Hour), "out", gatehouse.NewID(noon), 120, true, "chief", noon, noise(64)
	left.Charge = &gatehouse.Charge{Tariff: "centre", Version: 2, Currency: "EUR", Total: gatehouse.Money{Minor: 250, Currency: "EUR"}, Lines: []gatehouse.ChargeLine{{Kind: gatehouse.TimeLine, Count: 2, Amount: 250}}}
	s.must(s.ChangeStay(s.ctx(), left, []byte("leaf")))
	s.reopen()
	got, err := s.Stays(s.ctx(), gatehouse.StayFilter{Place: here, Limit: 10})
	s.must(err)
	if diff := cmp.Diff([]gatehouse.StayRecord{left, old}, got); diff != "" {
		t.Errorf("stays (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		f    gatehouse.StayFilter
		want int
	}{
		{gatehouse.StayFilter{State: gatehouse.InsideStays}, 1},
		{gatehouse.StayFilter{State: "left"}, 1},
		{gatehouse.StayFilter{State: gatehouse.UnpaidStays}, 1},
		{gatehouse.StayFilter{CarPark: "other"}, 0},
		{gatehouse.StayFilter{Subject: old.Subject}, 1},
		{gatehouse.StayFilter{Since: noon.Add(-time.Hour)}, 1},
		{gatehouse.StayFilter{Before: left.ID}, 1},
	} {
		c.f.Place, c.f.Limit = here, 10
		if got, err := s.Stays(s.ctx(), c.f); err != nil || len(got) != c.want {
			t.Errorf("%+v gives %d, %v", c.f, len(got), err)
		}
	}
	if one, err := s.StayOf(s.ctx(), here, left.ID); err != nil || one.Owed != 120 {
		t.Errorf("%+v, %v", one, err)
	}
	_, err = s.StayOf(s.ctx(), there, left.ID)
	s.wantCode(err, "store.not_found")
	_, err = s.StayOf(s.ctx(), here, gatehouse.RandomID())
	s.wantCode(err, "store.not_found")
	s.wantCode(s.ChangeStay(s.ctx(), newStay(here, noon), nil), "store.not_found")
	s.wantCode(s.OpenStay(s.ctx(), gatehouse.StayRecord{Stay: gatehouse.Stay{Place: here}}), "store.invalid")

	if at, begun, err := s.StayCursor(s.ctx(), here); err != nil || at != 0 || begun {
		t.Errorf("the cursor begins at %d, %v", at, err)
	}
	s.must(s.PutStayCursor(s.ctx(), here, 0))
	if _, begun, err := s.StayCursor(s.ctx(), here); err != nil || !begun {
		t.Errorf("it has begun: %v, %v", begun, err)
	}
	s.must(s.PutStayCursor(s.ctx(), here, 9))
	if at, begun, err := s.StayCursor(s.ctx(), here); err != nil || at != 9 || !begun {
		t.Errorf("the cursor is %d, %v", at, err)
	}
}

func testExits(t *testing.T, s *suite) {
	e := gatehouse.StayExit{Place: here, ID: gatehouse.NewID(noon), CarPark: "centre", Gate: "out", At: noon, Subject: gatehouse.RandomID(), State: "ambiguous", Reason: "two_stays",
		Could: []gatehouse.ID{gatehouse.NewID(noon), gatehouse.NewID(noon)}}
	s.must(s.PutExit(s.ctx(), e, nil))
	s.must(s.PutExit(s.ctx(), e, nil))
	s.reopen()
	unmatched := gatehouse.StayFilter{Place: here, State: gatehouse.UnmatchedExits, Limit: 5}
	got, err := s.Exits(s.ctx(), unmatched)
	s.must(err)
	if diff := cmp.Diff([]gatehouse.StayExit{e}, got); diff != "" {
		t.Errorf("exits (-want +got):\n%s", diff)
	}
	e.State, e.Stay, e.By, e.Attached = "paired", e.Could[1], "chief", noon.Add(time.Hour)
	s.must(s.PutExit(s.ctx(), e, []byte("leaf")))
	if got, err := s.Exits(s.ctx(), unmatched); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if one, err := s.ExitOf(s.ctx(), here, e.ID); err != nil || one.By != "chief" || !one.Attached.Equal(e.Attached) {
		t.Errorf("%+v, %v", one, err)
	}
	_, err = s.ExitOf(s.ctx(), there, e.ID)
	s.wantCode(err, "store.not_found")
}

// testStaysForget erases whose stays, exits and passes there are.
func testStaysForget(t *testing.T, s *suite) {
	gone := newSubject(here)
	s.must(s.PutSubject(s.ctx(), gone))
	r := newStay(here, noon)
	r.Subject, r.Known, r.Correction = gone.Subject.ID, true, noise(64)
	s.must(s.OpenStay(s.ctx(), r))
	e := gatehouse.StayExit{Place: here, ID: gatehouse.NewID(noon), CarPark: "centre", Gate: "out", At: noon, Subject: gone.Subject.ID, Known: true, State: "unpaired", Reason: "no_entry"}
	s.must(s.PutExit(s.ctx(), e, nil))
	pass := gatehouse.ParkingItem{Kind: gatehouse.PassItem, ID: gatehouse.RandomID().String(), Subject: gone.Subject.ID, Body: []byte("{}"), At: noon}
	s.must(s.PutParkingItem(s.ctx(), here, pass, []byte("leaf")))
	if traces, err := s.SubjectTraces(s.ctx(), here, gone.Subject.ID); err != nil || traces.Parking != 3 {
		t.Errorf("there is a trace of %d, want a stay, an exit and a pass: %v", traces.Parking, err)
	}
	fresh := gatehouse.RandomID()
	_, err := s.ReplaceSubject(s.ctx(), here, gone.Subject.ID, fresh, []byte("replaced"))
	s.must(err)
	if traces, err := s.SubjectTraces(s.ctx(), here, gone.Subject.ID); err != nil || traces.Parking != 0 {
		t.Errorf("afterwards there is a trace of %d: %v", traces.Parking, err)
	}
	s.must(s.ChangeStay(s.ctx(), r, nil)) // what was on its way brings nobody back
	got, err := s.StayOf(s.ctx(), here, r.ID)
	s.must(err)
	exit, failed := s.ExitOf(s.ctx(), here, e.ID)
	items, err := s.ParkingItems(s.ctx(), here)
	if err := errors.Join(err, failed); err != nil || got.Subject != fresh || got.Known || got.Correction != nil || exit.Subject != fresh || exit.Known || len(items) != 0 {
		t.Errorf("%+v, %+v, %+v, %v", got, exit, items, err)
	}
}

func testParkingData(t *testing.T, s *suite) {
	put := func(revision int, body string) error {
		return s.PutTariff(s.ctx(), here, gatehouse.StoredTariff{Name: "centre", Revision: revision, At: noon, By: "chief", Body: []byte(body)}, []byte("leaf"))
	}
	s.must(put(1, "a"))
	s.wantCode(put(1, "b"), "parking.changed")
	s.must(put(2, "b"))
	s.reopen()
	all, err := s.Tariffs(s.ctx(), here)
	if err != nil || len(all) != 2 || string(all[1].Body) != "b" || !all[1].At.Equal(noon) {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := s.Tariffs(s.ctx(), there); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	i := gatehouse.ParkingItem{Kind: gatehouse.ValidationItem, ID: gatehouse.RandomID().String(), Stay: gatehouse.NewID(noon), Body: []byte("{}"), At: noon}
	s.must(s.PutParkingItem(s.ctx(), here, i, []byte("leaf")))
	items, err := s.ParkingItems(s.ctx(), here)
	s.must(err)
	if diff := cmp.Diff([]gatehouse.ParkingItem{i}, items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	s.wantCode(s.RemoveParkingItem(s.ctx(), there, i.Kind, i.ID, []byte("leaf")), "store.not_found")
	s.must(s.RemoveParkingItem(s.ctx(), here, i.Kind, i.ID, []byte("leaf")))
	// What is about whoever was erased on its way is not kept.
	i.Kind, i.Stay, i.Subject = gatehouse.PassItem, gatehouse.ID{}, gatehouse.RandomID()
	s.must(s.PutParkingItem(s.ctx(), here, i, []byte("leaf")))
	_, err = s.ReplaceSubject(s.ctx(), here, i.Subject, gatehouse.RandomID(), []byte("leaf"))
	s.must(err)
	s.wantCode(s.PutParkingItem(s.ctx(), here, i, []byte("leaf")), "store.not_found")
	if items, err := s.ParkingItems(s.ctx(), here); err != nil || len(items) != 0 {
		t.Errorf("of who was erased: %+v, %v", items, err)
	}
	right := gatehouse.RandomID()
	for _, stay := range []gatehouse.ID{{1}, {2}, {1}} {
		s.must(s.UseRight(s.ctx(), here, right, stay))
	}
	if used, err := s.RightsUsed(s.ctx(), here); err != nil || used[right] != 2 {
		t.Errorf("used %v, %v", used, err)
	}
}
