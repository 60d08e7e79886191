// Package watch looks at a video, a folder of pictures or a camera the way a gate
// would, and reports the passages: a dry run, without a server, in which nothing
// is stored.
package watch

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/ingest"
	"gatehouse/vision/face"
	"gatehouse/vision/models"
	"gatehouse/vision/plate"
	"gatehouse/vision/track"
)

// Of a video, fps frames a second are looked at, so that somebody who is in the
// picture for a third of a second is in three of them; videoFrames is in how many a
// face must be seen, which keeps out what looks like a face for a moment. The
// pictures of a folder may each show somebody else.
const (
	fps         = 10
	videoFrames = 2
)

// Passage is one person or car that came by.
type Passage struct {
	Time time.Time `json:"time"` // when it was first seen; in a file: the start plus the position
	Kind string    `json:"kind"` // face or plate
	// Subject is the gallery's name for the person; null for a stranger and for a plate.
	Subject *string `json:"subject"`
	// Plate is the text, voted over the frames; null for a face.
	Plate *string `json:"plate"`
	// Confidence, 0..1: of a plate, the vote's; of a face, how clear the answer was:
	// 0.5 at the threshold, 1 for an identical template or one that is nobody's.
	Confidence float64 `json:"confidence"`
	Live       *bool   `json:"live"` // null where it was not judged
	Frames     int     `json:"frames"`
	Box        [4]int  `json:"box"` // x, y, width, height in pixels of the best frame
}

// Options say what to watch.
type Options struct {
	Source  string // a video file, a folder of pictures, or a camera's URL
	Eyes    gatehouse.Eyes
	Faces   bool
	Plates  bool
	Region  string  // for plates
	Gallery *People // nil: everybody is a stranger
	// Start is the time of a file's first frame; zero: now.
	Start time.Time
	// Ready waits until the eyes are back after vision.unavailable; nil: the frame
	// is passed over.
	Ready func(context.Context) error
	// Warn hears of frames that were passed over; nil: nobody does.
	Warn func(format string, args ...any)
}

// Run watches until the source ends or ctx does, and calls report for every
// passage, in the order in which they ended. It fails with source.* where the
// source cannot be opened, breaks or (source.no_pictures) holds nothing that can be
// looked at, and with what report returns.
func Run(ctx context.Context, o Options, report func(Passage) error) error {
	if o.Warn == nil {
		o.Warn = func(string, ...any) {}
	}
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	src, err := ingest.Open(ctx, ingest.Spec{Device: "watch", Gate: "watch", URL: o.Source, FPS: fps, Start: o.Start, IdleEvery: time.Second})
	if err != nil {
		return err
	}
	defer src.Close()
	frames := videoFrames
	if info, err := os.Stat(o.Source); err == nil && info.IsDir() {
		frames = 1
	}
	w := &watcher{o: o, report: report, tracker: track.New(track.Options{
		// nobody waits at a gate: better frames may still come
		PlateStable: 3 * fps, PlateFinal: 30 * time.Second,
		FaceFrames: frames, JudgeLive: face.JudgeLiveness, LiveThreshold: models.LiveThreshold, Vote: plate.Vote, Pictures: 1,
	})}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case c, more := <-src.Captures():
			if !more {
				if err := w.end(); err != nil {
					return err
				}
				if ctx.Err() != nil {
					return nil
				}
				return w.ended(src.Err(), src.Health())
			}
			if err := w.frame(ctx, c); err != nil {
				return err
			}
		case now := <-tick.C:
			w.condition(src.Health())
			// Only a camera's time goes on by itself.
			if w.live {
				if err := w.take(w.tracker.Tick(now)); err != nil {
					return err
				}
			}
		}
	}
}

type watcher struct {
	o       Options
	tracker *track.Tracker
	report  func(Passage) error
	last    time.Time
	live    bool // a camera: frames carry no time of their own
	// what of the source was last spoken of, and for how many seconds nothing was
	state    ingest.State
	attempts int
	silent   int
	// frames that were looked at, and that could not be
	seen, failed int
}

// frame looks at one frame. One that cannot be decoded is passed over, as at a gate.
func (w *watcher) frame(ctx context.Context, c gatehouse.Capture) error {
	at := c.Claimed
	if at.IsZero() {
		at, w.live = c.Received, true
	}
	w.last = at
	look := gatehouse.Look{Faces: w.o.Faces, Plates: w.o.Plates, Region: w.o.Region, Templates: true, Live: true, Far: true}
	obs, err := w.o.Eyes.See(ctx, c.Image, look)
	if gatehouse.ErrorCode(err) == "vision.unavailable" && w.o.Ready != nil {
		// It may be this very frame that ends the vision process: once more, not for ever.
		if err = w.o.Ready(ctx); err == nil {
			obs, err = w.o.Eyes.See(ctx, c.Image, look)
		}
	}
	var known *gatehouse.Error
	switch {
	case err == nil:
		w.seen++
		return w.take(w.tracker.Add(at, obs))
	case ctx.Err() != nil:
		return nil // the source ends by itself now
	case errors.As(err, &known):
		w.failed++
		w.o.Warn("a frame is passed over: %v", known)
		return nil
	}
	return err
}

// condition says when a source is not giving frames, and why, at every attempt that
// failed, and once when it gives frames again.
func (w *watcher) condition(h ingest.Health) {
	if h.State == ingest.Ended || h.State == w.state && (h.State == ingest.OK || h.Reconnects == w.attempts) {
		return
	}
	if w.state == "" && h.State == ingest.Down && h.LastError == "" {
		if w.silent++; w.silent == patience {
			w.o.Warn("the source is being connected to and has given no frame yet")
		}
		return
	}
	switch {
	case h.State != ingest.OK && h.LastError != "":
		w.o.Warn("the source is %s and is tried again: %s%s", h.State, h.LastError, saidLast(h, 1))
	case h.State != ingest.OK:
		w.o.Warn("the source is %s", h.State)
	case w.state != "":
		w.o.Warn("the source gives frames again")
	}
	w.state, w.attempts = h.State, h.Reconnects
}

// patience is how many seconds a first connection may take before it is spoken of.
const patience = 3

// saidLast is the last lines of the decoder, at most n, each on a line of its own; ""
// where it said nothing.
func saidLast(h ingest.Health, n int) string {
	var b strings.Builder
	for _, line := range h.Lines[max(0, len(h.Lines)-n):] {
		b.WriteString("\n  ffmpeg: " + line)
	}
	return b.String()
}

// ended is why a source gave nothing to look at, nil where something was looked at.
func (w *watcher) ended(err error, h ingest.Health) error {
	if err != nil {
		if said := saidLast(h, 3); said != "" {
			w.o.Warn("the source's last lines:%s", said)
		}
		return err
	}
	if w.seen > 0 {
		return nil
	}
	if w.failed == 0 && h.Failed > 0 {
		w.o.Warn("files that were passed over: %d, the last one for this: %s", h.Failed, h.LastError)
	}
	return gatehouse.Errorf("source.no_pictures", "give a video, or a folder of JPEG and PNG pictures that lie in the folder itself", "there was nothing in the source that could be looked at")
}

// end finishes what is still being followed.
func (w *watcher) end() error { return w.take(w.tracker.Tick(w.last.Add(time.Hour))) }

func (w *watcher) take(sightings []gatehouse.Sighting) error {
	for _, s := range sightings {
		// A face that no frame could describe is too far away to be at the gate.
		if !s.Final || s.Kind == gatehouse.FaceReading && s.Template == nil {
			continue
		}
		if err := w.report(w.passage(s)); err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) passage(s gatehouse.Sighting) Passage {
	p := Passage{Time: s.First.Round(time.Millisecond), Kind: string(s.Kind), Frames: s.Frames, Box: [4]int{s.Box.X, s.Box.Y, s.Box.W, s.Box.H}}
	if s.Kind == gatehouse.PlateReading {
		p.Plate, p.Confidence = &s.Plate.Text, round3(s.Plate.Confidence)
		return p
	}
	name, confidence := w.o.Gallery.Who(s.Template)
	if name != "" {
		p.Subject = &name
	}
	p.Confidence = round3(confidence)
	if s.Live.Judged {
		p.Live = &s.Live.Live
	}
	return p
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }
