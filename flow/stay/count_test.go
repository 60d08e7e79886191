package stay_test

import (
	"testing"
	"time"

	"gatehouse"
)

// occupied is what the car park says: inside, free, corrected, kept.
func (s *site) occupied() [4]int {
	o := s.Occupancies()[0]
	return [4]int{o.Inside, o.Free, o.Corrected, o.Kept}
}

// A person's count is what counts, also after a restart, and fades as what was missed becomes
// known: nobody is counted away twice.
func TestACountIsCorrected(t *testing.T) {
	s := open(t)
	first := s.at("in", "AB12CDE")
	s.now = s.now.Add(time.Minute)
	second := s.at("in", "XY98ZZZ")
	_, err := s.Count(t.Context(), "north", 1, gatehouse.CountMissedExits, "chief")
	s.wantCode(err, "parking.unknown_park")
	for _, n := range []int{-1, 4} {
		_, err = s.Count(t.Context(), "centre", n, gatehouse.CountMissedExits, "chief")
		s.wantCode(err, "parking.count")
	}
	_, err = s.Count(t.Context(), "centre", 1, "because", "chief")
	s.wantCode(err, "parking.count")

	s.now = s.now.Add(time.Minute)
	_, err = s.Count(t.Context(), "centre", 1, gatehouse.CountMissedExits, "chief") // one of the two is gone
	s.must(err)
	want := func(what string, w [4]int) {
		t.Helper()
		for range 2 {
			if got := s.occupied(); got != w {
				t.Errorf("%s: %v, want %v", what, got, w)
			}
			s.restart() // and the same from the rows
		}
	}
	want("one was counted", [4]int{1, 2, -1, 0})
	s.now = s.now.Add(time.Minute)
	s.must(s.End(t.Context(), first.ID, "chief")) // it was this one
	want("the one that was gone is ended", [4]int{1, 2, 0, 0})
	s.pay(second.ID, 200)
	s.at("out", "XY98ZZZ")
	want("the other has left", [4]int{0, 3, 0, 0})

	s.now = s.now.Add(time.Minute)
	_, err = s.Count(t.Context(), "centre", 2, gatehouse.CountMissedEntries, "chief")
	s.must(err)
	want("two that nobody saw come in", [4]int{2, 1, 2, 0})
	s.now = s.now.Add(time.Hour)
	s.at("out", "QQ11QQQ")
	want("one of them leaves", [4]int{1, 2, 1, 0})
	s.now = s.now.Add(time.Minute)
	dismissed := s.at("out", "WW22WWW")
	s.must(s.Dismiss(t.Context(), dismissed.ID, "chief"))
	want("the other leaves, and somebody looked at it", [4]int{0, 3, 0, 0})
	_, err = s.Count(t.Context(), "centre", 3, gatehouse.CountOther, "chief")
	s.must(err)
	if p := s.at("in", "AB12CDE"); p.Decision.Reason != gatehouse.CarParkFull {
		t.Errorf("full by a count: %+v", p.Decision)
	}
	s.now = s.now.Add(21 * 24 * time.Hour)
	want("nobody stays for longer", [4]int{0, 3, 0, 0})
}

// Spaces are kept for reservations while they could be used, and for quotas where the site says
// so; a class with spaces of its own takes no others.
func TestPlacesAreKept(t *testing.T) {
	s := open(t)
	s.ports.CarParks[0].Keeps = gatehouse.KeepReservations
	s.ports.CarParks[0].Apart = map[gatehouse.VehicleClass]int{"motorbike": 1}
	s.restart()
	booked := s.enrol("RR55RRR")
	_, err := s.PutReservation(t.Context(), booked, gatehouse.Reservation{From: s.now.Add(time.Hour), Until: s.now.Add(3 * time.Hour), Early: 30 * time.Minute}, "chief")
	s.must(err)
	if got := s.occupied(); got != [4]int{0, 2, 0, 0} || s.Occupancies()[0].Classes["motorbike"] != 1 {
		t.Errorf("before: %v", got)
	}
	s.now = s.now.Add(40 * time.Minute)
	if got := s.occupied(); got != [4]int{0, 1, 0, 1} {
		t.Errorf("in its time: %v", got)
	}
	visitor := s.at("in", "AB12CDE")
	s.now = s.now.Add(time.Minute)
	if p := s.at("in", "XY98ZZZ"); !visitor.Decision.Grant || p.Decision.Reason != gatehouse.CarParkFull {
		t.Errorf("the kept space went to a visitor: %+v", p.Decision)
	}
	s.now = s.now.Add(time.Minute)
	if p := s.at("in", "RR55RRR"); !p.Decision.Grant || s.occupied() != [4]int{2, 0, 0, 0} {
		t.Errorf("whose space it is: %+v, %v", p.Decision, s.occupied())
	}
	s.ports.CarParks[0].Keeps = gatehouse.KeepQuotas
	s.ports.CarParks[0].Capacity = 10
	s.restart()
	s.must(s.PutQuota(t.Context(), gatehouse.Quota{Group: "staff", Spaces: 4}, "chief"))
	if got := s.occupied(); got != [4]int{2, 3, 0, 4} {
		t.Errorf("with a quota: %v", got)
	}
}
