package server

import "testing"

func TestAttendanceThatCannotBe(t *testing.T) {
	gates := []GateConfig{{ID: "front-door", Kind: "door"}, {ID: "lane", Kind: "lane"}}
	for _, c := range []struct {
		AttendanceConfig
		law string
		ok  bool
	}{
		{AttendanceConfig{Gates: []string{"front-door"}, Faces: true}, "eu", true},
		{AttendanceConfig{Gates: []string{"front-door"}}, "fr", true},
		{AttendanceConfig{Gates: []string{"front-door"}, Faces: true}, "fr", false},
		{AttendanceConfig{Gates: []string{"lane"}}, "", false},
		{AttendanceConfig{Gates: []string{"gone"}}, "", false},
	} {
		if err := c.check(gates, c.law); (err == nil) != c.ok {
			t.Errorf("%+v under %q: %v", c.AttendanceConfig, c.law, err)
		}
	}
}
