package stay_test

import (
	"testing"
	"time"

	"gatehouse"
)

// How full a car park was is what its stays say: who turned back was never inside, and who
// was never seen to leave is inside until the stay was given up.
func TestHowFullItWas(t *testing.T) {
	s := open(t)
	begun := s.now.Truncate(time.Hour).Add(time.Hour)
	s.now = begun.Add(5 * time.Minute)
	s.sensor(s.at("in", "AB12CDE"), gatehouse.NotPassed)
	paid := s.at("in", "BC23DEF")
	s.now = s.now.Add(time.Minute)
	s.at("in", "CD34EFG")
	s.now = begun.Add(90 * time.Minute)
	s.pay(paid.ID, 100_00)
	if p := s.at("out", "BC23DEF"); !p.Decision.Grant {
		t.Fatalf("not let out: %+v", p.Decision)
	}
	hours, whole, err := s.Busy(t.Context(), "centre", begun, begun.Add(3*time.Hour))
	if err != nil || !whole || len(hours) != 3 {
		t.Fatalf("%+v, %t, %v", hours, whole, err)
	}
	for i, want := range [][3]int{{2, 2, 0}, {2, 0, 1}, {1, 0, 0}} {
		if h := hours[i]; !h.From.Equal(begun.Add(time.Duration(i)*time.Hour)) || [3]int{h.Most, h.In, h.Out} != want {
			t.Errorf("hour %d is %+v, not %v", i, h, want)
		}
	}
	if _, _, err := s.Busy(t.Context(), "nowhere", begun, begun.Add(time.Hour)); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("no car park: %v", err)
	}
	s.now = s.now.Add(40 * 24 * time.Hour) // longer than anybody stays
	s.must(s.Tidy(t.Context()))
	late := s.now.Truncate(24 * time.Hour)
	if hours, _, err := s.Busy(t.Context(), "centre", late.Add(-time.Hour), late); err != nil || hours[0].Most != 0 {
		t.Errorf("who was lost is inside still: %+v, %v", hours, err)
	}
}
