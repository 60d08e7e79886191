package server

import (
	"testing"

	"gatehouse"
)

// A rekey of the gallery needs no photos, and everybody is known afterwards as before,
// also after a restart.
func TestRotatingTheGallery(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	s := open(t, c)
	photo, frames := actor(t, 11)
	id := enrol(t, s, "B-1", "Ana", photo)
	addDevice(t, s, "cam")
	arrives := func(s *Server, when string) {
		t.Helper()
		for _, p := range walk(t, s, "cam", frames) {
			if p.Decision.Grant && p.Subject == id && p.Kind == gatehouse.FaceReading {
				return
			}
		}
		t.Errorf("%s: she is not let in", when)
	}
	got, err := s.Admin().RotateGallery(t.Context())
	if err != nil || got.Templates != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	arrives(s, "after the rekey")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrives(open(t, c), "after a restart")
}
