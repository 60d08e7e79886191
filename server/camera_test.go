package server

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// serving runs s with its cameras until stop is called.
func serving(t *testing.T, s *Server) (stop func()) {
	t.Helper()
	s.opts.Cameras = true
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Run(ctx, func(string) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func (s *Server) cameraNow(id gatehouse.DeviceID) *camera {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cameras[id]
}

func TestEnrolledCamerasMoveAndStay(t *testing.T) {
	c := testConfig(t)
	back := c.Gates[0]
	back.ID = "back-door"
	c.Gates = append(c.Gates, back)
	photo, frames := actor(t, 9)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "1.jpg"), photo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, c)
	stop := serving(t, s)
	enrol(t, s, "B-1", "Ana", photo)
	add := func(id gatehouse.DeviceID, kind gatehouse.DeviceKind, gate gatehouse.GateID, source string, again bool) {
		t.Helper()
		answer, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: id, Kind: kind, Gate: gate, Source: source})
		if err != nil || answer.Again != again {
			t.Fatalf("%s: again %t, %v", id, answer.Again, err)
		}
	}

	// A source that is given later replaces the one that is being read, at the new gate.
	add("cam", gatehouse.Camera, "front-door", folder, false)
	first := s.cameraNow("cam")
	if first == nil || first.stop == nil {
		t.Fatal("an enrolled camera's source is not read")
	}
	add("cam", gatehouse.Camera, "back-door", folder, true)
	if second := s.cameraNow("cam"); second == first || second.device.Gate != "back-door" || second.stop == nil || !first.gone.Load() {
		t.Errorf("after it was enrolled anew: %+v", second.device)
	}
	if got, err := first.frame(t.Context(), gatehouse.Capture{Received: time.Now(), Image: gatehouse.Image{Format: gatehouse.JPEG, Bytes: frames[0]}}); err != nil || len(got) > 0 {
		t.Errorf("a camera that was replaced decided: %+v, %v", got, err)
	}
	// A post that was on its way when the device moved changes nothing.
	moved := s.cameraNow("cam")
	if s.cameraOf(first.device) != nil || s.cameraNow("cam") != moved || moved.gone.Load() {
		t.Error("a late post put the camera back where it stood")
	}
	// A relay's address is no camera's.
	add("relay", gatehouse.Relay, "front-door", "http://localhost:1/open", false)
	if s.cameraNow("relay") != nil {
		t.Error("a relay's address is read as a camera")
	}

	// A device that posts decides where it stands now.
	add("tablet", gatehouse.Terminal, "front-door", "", false)
	if got := walk(t, s, "tablet", frames); len(got) != 1 || got[0].Gate != "front-door" || !got[0].Decision.Grant {
		t.Errorf("before the move: %+v", got)
	}
	add("tablet", gatehouse.Terminal, "back-door", "", true)
	if got := walk(t, s, "tablet", frames); len(got) != 1 || got[0].Gate != "back-door" || !got[0].Decision.Grant {
		t.Errorf("after the move: %+v", got)
	}

	// The sealed address is read again after a restart, though no file names the camera.
	stop()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	if st, err := s.Admin().Status(t.Context()); err != nil || st.Running {
		t.Errorf("a store that a command opened calls itself running: %v", err)
	}
	stop = serving(t, s)
	defer stop()
	if cam := s.cameraNow("cam"); cam == nil || cam.stop == nil || cam.device.Gate != "back-door" {
		t.Error("the camera is gone after a restart")
	}
	if st, err := s.Admin().Status(t.Context()); err != nil || !st.Running {
		t.Errorf("a running server calls itself stopped: %v", err)
	}
}
