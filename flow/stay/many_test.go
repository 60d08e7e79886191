package stay_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"gatehouse"
)

// What a change costs among GATEHOUSE_PARKING_RIGHTS passes, and what reading all of them does,
// which each change did once: for docs/measurements.md.
func TestManyRights(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("GATEHOUSE_PARKING_RIGHTS"))
	if n == 0 {
		t.Skip("GATEHOUSE_PARKING_RIGHTS is not set")
	}
	s := open(t)
	car := s.enrol("AB12CDE")
	for range n {
		i := gatehouse.ParkingItem{Kind: gatehouse.ReservationItem, ID: gatehouse.RandomID().String(), Subject: gatehouse.RandomID(), Body: []byte(`{"From":"2026-03-02T08:00:00Z","Until":"2026-03-02T18:00:00Z"}`), At: s.now}
		s.must(s.store.PutParkingItem(t.Context(), here, i, []byte("leaf")))
	}
	begin := time.Now()
	s.restart()
	all := time.Since(begin)
	const changes = 50
	begin = time.Now()
	for range changes {
		_, err := s.PutPass(t.Context(), car, gatehouse.Pass{Kind: gatehouse.ExitPass, Name: "One", From: s.now}, "chief")
		s.must(err)
	}
	t.Logf("among %d: a change %v, all read %v", n, time.Since(begin)/changes, all)
}
