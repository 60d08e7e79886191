package storetest

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
)

func testPlans(t *testing.T, s *suite) {
	p := gatehouse.FloorPlan{Place: here, ID: "ground-floor", Title: "Ground floor", Picture: noise(5000), Width: 800, Height: 600, Spots: map[gatehouse.GateID]gatehouse.Spot{"front": {X: 120, Y: 990}, "back": {X: 0, Y: 1000}}}
	put := func(p gatehouse.FloorPlan) error {
		return s.PutPlan(s.ctx(), p, gatehouse.PlanLeaf(noon, p, "put", "chief"))
	}
	unknown := p
	unknown.Picture = nil
	s.wantCode(put(unknown), "store.not_found") // there is no picture yet
	s.must(put(p))
	moved := unknown
	moved.Title, moved.Spots = "Level 0", map[gatehouse.GateID]gatehouse.Spot{"front": {X: 500, Y: 500}}
	s.must(put(moved))
	s.reopen()
	got, err := s.Plans(s.ctx(), here)
	s.must(err)
	if diff := cmp.Diff([]gatehouse.FloorPlan{moved}, got); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
	if picture, err := s.PlanPicture(s.ctx(), here, "ground-floor"); err != nil || !bytes.Equal(picture, p.Picture) {
		t.Errorf("the picture did not stay: %d bytes, %v", len(picture), err)
	}
	_, err = s.PlanPicture(s.ctx(), there, "ground-floor")
	s.wantCode(err, "store.not_found")
	if got, err := s.Plans(s.ctx(), there); err != nil || len(got) != 0 {
		t.Errorf("another site has %v, %v", got, err)
	}
	s.wantCode(s.RemovePlan(s.ctx(), here, "gone", []byte("leaf")), "store.not_found")
	s.must(s.RemovePlan(s.ctx(), here, "ground-floor", []byte("leaf")))
	if got, err := s.Plans(s.ctx(), here); err != nil || len(got) != 0 {
		t.Errorf("still there: %v, %v", got, err)
	}
	if n := len(s.leaves(0)); n != 3 {
		t.Errorf("%d leaves, want 3", n)
	}
}
