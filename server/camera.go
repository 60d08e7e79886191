package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/ingest"
	"gatehouse/rules/access"
	"gatehouse/rules/terminal"
	"gatehouse/vision/face"
	"gatehouse/vision/models"
	"gatehouse/vision/plate"
	"gatehouse/vision/track"
)

// camera carries one device's frames through vision, its tracker and the flow.
type camera struct {
	server *Server
	device gatehouse.Device
	look   gatehouse.Look
	stop   context.CancelFunc // ends its source; nil where its frames are posted
	gone   atomic.Bool        // the device was enrolled anew: this one decides nothing more
	source atomic.Pointer[ingest.Source]
	lag    atomic.Int64 // ms from the newest frame's receipt to when it had been looked at

	mu        sync.Mutex
	tracker   *track.Tracker
	lastStill time.Time
	denied    map[uint64]time.Time // faces that may try once more when that time has come
}

// plateFrames is in how many frames of a stream a plate must be read before it may
// open a lane: one frame alone has nothing to be voted against.
const plateFrames = 2

// againAfter is how long somebody who was not recognized has to stand at the door
// until they are looked at afresh: a mask was taken off, glare is gone.
const againAfter = 4 * time.Second

// stillEvery is how often a camera's whole picture goes to the memory ring: encoding
// one costs as much as recognizing a face.
const stillEvery = time.Second

// seeWithin is how long one picture may take. Whoever stands at the gate has moved on
// by then, and the other cameras want their turn.
const seeWithin = 5 * time.Second

// trackOptions is how tracks are followed with the models of the registry. In a
// stream a face must be seen twice, since detectors err in single frames; a device
// that posts pictures may post one only.
func trackOptions(stream bool) track.Options {
	faceFrames := 1
	if stream {
		faceFrames = 2
	}
	return track.Options{FaceFrames: faceFrames, Vote: plate.Vote, JudgeLive: face.JudgeLiveness, LiveThreshold: models.LiveThreshold}
}

// cameraOf returns the camera of a device that posts its frames, making it when it
// is first needed. A device that was enrolled anew, at another gate or as another
// kind, gets a new one: nothing it posts may open the gate where it stood before. It
// returns nil while a source is read for the device elsewhere: it is being moved.
func (s *Server) cameraOf(d gatehouse.Device) *camera {
	s.mu.Lock()
	c, ok := s.cameras[d.ID]
	s.mu.Unlock()
	switch {
	case ok && c.device == d:
		return c
	case ok && c.stop != nil:
		return nil
	}
	return s.putCamera(d, nil)
}

// putCamera makes the device's camera and retires the one that it had. stop ends the
// source of its frames, nil where they are posted.
func (s *Server) putCamera(d gatehouse.Device, stop context.CancelFunc) *camera {
	gate := s.site.Gates[d.Gate]
	look := gatehouse.Look{Faces: true, Templates: true, Live: true, Crops: true}
	if gate.Kind == gatehouse.Lane {
		look = gatehouse.Look{Plates: true, Region: gate.Region, Crops: true}
	}
	c := &camera{server: s, device: d, look: look, stop: stop, tracker: track.New(trackOptions(stop != nil)), denied: map[uint64]time.Time{}}
	s.mu.Lock()
	old := s.cameras[d.ID]
	if old != nil && stop == nil && old.device == d { // another post was first
		s.mu.Unlock()
		return old
	}
	s.cameras[d.ID] = c
	s.mu.Unlock()
	if old != nil {
		old.retire()
	}
	return c
}

// retire ends a camera whose device was enrolled anew.
func (c *camera) retire() {
	c.gone.Store(true)
	if c.stop != nil {
		c.stop()
		c.server.gates.setCamera(c.device.Gate, "none")
	}
}

// frame looks at one frame and returns the passages that it decided.
func (c *camera) frame(ctx context.Context, capture gatehouse.Capture) ([]gatehouse.Passage, error) {
	look := c.look
	c.mu.Lock()
	if look.Still = capture.Received.Sub(c.lastStill) >= stillEvery; look.Still {
		c.lastStill = capture.Received
	}
	c.mu.Unlock()
	looking, cancel := context.WithTimeout(ctx, seeWithin)
	defer cancel()
	seen, err := c.server.eyes.See(looking, capture.Image, look)
	if gatehouse.ErrorCode(err) == "vision.timeout" {
		return nil, gatehouse.Errorf("server.busy", "send fewer or smaller pictures; 1280×720 is enough", "the picture was not looked at in time: %w", err)
	}
	if err != nil || c.gone.Load() {
		return nil, err
	}
	c.lag.Store(time.Since(capture.Received).Milliseconds())
	if seen.Still != nil {
		c.server.ring.PutStill(c.device.Gate, gatehouse.Picture{Kind: gatehouse.FrameEvidence, JPEG: seen.Still, Thumb: seen.Tile, At: capture.Received})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if hasScreen(c.device.Kind) {
		c.server.screens.saw(c.device, terminal.Guide(seen))
	}
	return c.decide(ctx, c.tracker.Add(capture.Received, seen), capture.Received)
}

// tick finishes the tracks of whoever has left the picture by the moment at.
func (c *camera) tick(ctx context.Context, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for track, when := range c.denied {
		if !at.Before(when) {
			c.tracker.Again(track)
			delete(c.denied, track)
		}
	}
	if _, err := c.decide(ctx, c.tracker.Tick(at), time.Now()); err != nil {
		c.server.log.Warn("a passage failed", "device", c.device.ID, "code", gatehouse.ErrorCode(err))
	}
}

func (c *camera) decide(ctx context.Context, sightings []gatehouse.Sighting, since time.Time) (out []gatehouse.Passage, failed error) {
	for _, sighting := range sightings {
		if c.stop != nil && sighting.Kind == gatehouse.PlateReading && sighting.Frames < plateFrames && !sighting.Final {
			continue // a stream has more frames to vote with
		}
		begun := time.Now()
		p, settled, err := c.server.flow.Sight(ctx, c.device, sighting, since)
		if settled {
			c.tracker.Settle(sighting.Track)
		}
		if settled && p == nil && err == nil { // it waits
			c.server.screens.wait(c.device, begun, begun.Add(c.server.site.Gates[c.device.Gate].Policy.SecondFactorWithin))
		}
		if p != nil {
			out = append(out, *p)
			if p.Kind == gatehouse.FaceReading && !access.Certain(p.Decision) {
				c.denied[sighting.Track] = sighting.Last.Add(againAfter)
			}
		}
		if err != nil {
			failed = err
		}
	}
	return out, failed
}

// run reads the device's source until it ends.
func (c *camera) run(ctx context.Context, src ingest.Source) {
	defer src.Close()
	c.source.Store(&src)
	defer c.source.Store(nil)
	beat := time.NewTicker(250 * time.Millisecond)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-beat.C:
			if c.gone.Load() {
				return
			}
			c.tick(ctx, now)
			c.server.gates.setCamera(c.device.Gate, string(src.Health().State))
		case capture, ok := <-src.Captures():
			if !ok {
				c.tick(ctx, time.Now().Add(time.Minute)) // nobody will come back
				c.server.gates.setCamera(c.device.Gate, "down")
				if err := src.Err(); err != nil {
					c.server.log.Error("a camera ended", "device", c.device.ID, "code", gatehouse.ErrorCode(err))
				}
				return
			}
			capture.Device, capture.Gate = c.device.ID, c.device.Gate
			if _, err := c.frame(ctx, capture); err != nil && ctx.Err() == nil {
				c.server.log.Warn("a frame was not understood", "device", c.device.ID, "code", gatehouse.ErrorCode(err))
			}
		}
	}
}

// idleEvery is how often a frame is looked at while nothing moves: more often than
// a track may go unseen, so that somebody who stands still stays one track.
const idleEvery = time.Second

// startCameras opens the source of every camera that is enrolled or configured. One
// that does not open is logged and tried again; the others go on.
func (s *Server) startCameras(ctx context.Context) error {
	all, err := s.devices(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		if _, ok := s.site.Gates[d.Gate]; !ok {
			s.log.Warn("a device stands at a gate that is not configured", "device", d.ID, "gate", d.Gate)
			continue
		}
		if !s.startCamera(ctx, d) {
			s.gates.setCamera(d.Gate, "none")
		}
	}
	return nil
}

// startCamera reads the device's source from now on, in the place of one that is
// being read. It returns false for a device without a source, and for one whose
// address is no camera's: a relay's is where it is told to open.
func (s *Server) startCamera(ctx context.Context, d gatehouse.Device) bool {
	var src ingest.Source
	if s.opts.Source != nil {
		src = s.opts.Source(d.ID)
	}
	spec := ingest.Spec{Device: d.ID, Gate: d.Gate, Realtime: true, MaxWidth: 1280, IdleEvery: idleEvery}
	for _, c := range s.config.Devices {
		if gatehouse.DeviceID(c.ID) == d.ID {
			spec.URL, spec.FPS, spec.Loop = c.Source, c.FPS, c.Loop
		}
	}
	if sealed, ok := s.working.Source(d.ID); ok {
		spec.URL = sealed
	}
	if src == nil && spec.URL == "" || !takes(d.Kind, gatehouse.FrameCapture) {
		return false
	}
	ctx, stop := context.WithCancel(ctx)
	c := s.putCamera(d, stop)
	s.wait.Go(func() {
		defer stop()
		for pause := time.Second; src == nil; pause = min(2*pause, 30*time.Second) {
			var err error
			if src, err = ingest.Open(ctx, spec); err == nil {
				break
			}
			if c.gone.Load() {
				return
			}
			s.gates.setCamera(d.Gate, "down")
			s.log.Error("a camera does not open", "device", d.ID, "code", gatehouse.ErrorCode(err), "again_in", pause)
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
		c.run(ctx, src)
	})
	return true
}

// tickPosted finishes the tracks of devices that post their frames.
func (s *Server) tickPosted(ctx context.Context) {
	beat := time.NewTicker(250 * time.Millisecond)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-beat.C:
			s.mu.Lock()
			all := make([]*camera, 0, len(s.cameras))
			for _, c := range s.cameras {
				all = append(all, c)
			}
			s.mu.Unlock()
			for _, c := range all {
				c.tick(ctx, now)
			}
		}
	}
}
