package privacy

import "testing"

// A site may be stricter than its law, never laxer.
func TestLawOf(t *testing.T) {
	for _, c := range []struct {
		profile  string
		age      int
		want     int
		atWork   bool
		signed   bool
		mayExist bool
	}{
		{"", 0, 14, true, false, true},
		{"cn", 0, 14, true, false, true},
		{"cn", 18, 18, true, false, true},
		{"cn", 13, 0, false, false, false},
		{"cn", 22, 0, false, false, false},
		{"cn", -1, 0, false, false, false},
		{"eu", 0, 16, true, false, true},
		{"eu", 14, 0, false, false, false},
		{"fr", 0, 15, false, false, true},
		{"us-il", 0, 18, true, true, true},
		{"uk", 0, 0, false, false, false},
	} {
		l, err := LawOf(c.profile, c.age)
		if (err == nil) != c.mayExist {
			t.Errorf("%q with %d: %v", c.profile, c.age, err)
			continue
		}
		if l.GuardianAge != c.want || l.FacesAtWork != c.atWork || l.Signed != c.signed {
			t.Errorf("%q with %d is %+v", c.profile, c.age, l)
		}
	}
}
