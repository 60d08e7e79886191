package stay_test

import (
	"encoding/json"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// What the driver typed who paid is a second reading of a plate that the entry misread: it
// counts once it is paid, after a restart too, and not for a stay that nobody paid.
func TestWhoPaidIsKnownAtTheExit(t *testing.T) {
	for _, pays := range []bool{true, false} {
		s := open(t)
		s.at("in", "AB13CDE") // a fleet's: a plate beside it is hardly a misread
		s.now = s.now.Add(30 * time.Minute)
		in := s.at("in", "A812CDE") // of AB12CDE
		s.now = s.now.Add(30 * time.Minute)
		id, err := s.FindStay(t.Context(), here, gatehouse.StayQuery{Plate: "ab 12-cde", Entered: in.At.Add(10 * time.Minute)}, s.now)
		if err != nil || id != in.ID {
			t.Fatal(err)
		}
		s.must(s.Says(t.Context(), id, "ab 12-cde"))
		s.must(s.Says(t.Context(), id, "XX99XXX")) // nothing like it: it takes no place
		s.must(s.StayPaid(t.Context(), here, id))  // told again of what is not paid yet
		if pays {
			s.pay(id, 200)
		}
		s.must(s.StayPaid(t.Context(), here, id))
		s.restart()
		s.now = s.now.Add(2 * time.Minute)
		out := s.at("out", "AB12CDE")
		e, err := s.Exit(t.Context(), out.ID)
		if err != nil || !out.Decision.Grant {
			t.Fatalf("%+v, %v", out.Decision, err)
		}
		if !pays {
			if e.State != string(pairing.Unpaired) || s.state(id) != gatehouse.StayOpen {
				t.Errorf("typed and not paid: %+v", e)
			}
			continue
		}
		if e.Reason != string(pairing.AsTyped) || e.Stay != id || s.state(id) != gatehouse.StayLeft || s.booked[id] != 200 {
			t.Errorf("typed and paid: %+v, booked %d", e, s.booked[id])
		}
		var c gatehouse.Corrected
		s.must(json.Unmarshal([]byte(s.sealed[len(s.sealed)-1]), &c))
		if c.Raw != "AB12CDE" || c.Text != "A812CDE" {
			t.Errorf("beside what was read is kept %+v", c)
		}
	}
}
