// Package track follows faces and plates over the frames of one camera, so that
// one person or car walking or driving through is one Sighting and not thirty.
//
// It is pure: no clock, no model, no I/O. Time is passed in, and the judgements
// that need a model (is this face live, what does this plate say after so many
// frames) are functions that the caller injects.
package track

import (
	"slices"
	"time"

	"gatehouse"
)

// maxTracks bounds how many tracks are followed at a time, against a picture
// full of painted faces. The ones not seen for longest go first.
const maxTracks = 100

// Options say how a Tracker follows and when it makes up its mind. A zero field
// means its default.
type Options struct {
	// MaxGap is how long a track may go unseen and still be the same one; then it
	// is finished. Default 1.5 s.
	MaxGap time.Duration
	// FaceFinal is how long a face is watched, from the first frame that could be
	// described, before its sighting is Final, so that a door answers while the
	// person stands there; up to three times as long while the face comes nearer. A
	// face that was never described is Final when it is gone. Default 3 s.
	FaceFinal time.Duration
	// FaceFrames is in how many frames a face must be seen to be reported at all. 2
	// keeps out what the detector takes for a face for a moment, and suits a stream;
	// a device that posts single pictures needs 1, the default.
	FaceFrames int
	// PlateFinal is the same for a plate whose text does not settle. Default 8 s.
	PlateFinal time.Duration
	// PlateStable is in how many frames running the vote must say the same, and
	// each frame's own read agree with it, for the plate to be Final; three times as
	// many where it is not sure. Default 5.
	PlateStable int
	// PlateMemory is how long a finished plate is remembered: the same text within
	// this time is the same car. Default 10 s.
	PlateMemory time.Duration
	// PlateSure is the confidence (0..1) that lets a plate count that was seen in
	// one frame only, and that the vote must reach to be Final early. Default 0.9.
	PlateSure float64
	// Pictures is how many crops a sighting keeps, best first. Default 3.
	Pictures int
	// LiveFrames is in how many frames liveness must have been scored before there
	// is a verdict. Default 3.
	LiveFrames int
	// JudgeLive turns the frames' liveness scores (each 0..1, in order of time) into
	// one, 0..1. Default: the median.
	JudgeLive func(scores []float32) float32
	// LiveThreshold is the least judged score of a live face; it belongs to the
	// liveness model and comes from its registry entry. Default 0.5.
	LiveThreshold float32
	// Vote combines a plate's reads, in order of time, into one. Default: the text
	// with the greatest sum of confidences.
	Vote func([]gatehouse.PlateRead) gatehouse.PlateRead
	// SameFace and OtherFace are cosine similarities between two frames of a video:
	// at SameFace or above it is one person wherever the box is, below OtherFace it
	// is another one even in the same place (a cut), unless one of the two pictures
	// is too poor to say. They belong to the face model: two frames of one face a tenth of a
	// second apart are 0.6 alike and more, two people hardly ever 0.35. Defaults 0.5
	// and 0.35.
	SameFace, OtherFace float32
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.MaxGap, 1500*time.Millisecond)
	def(&o.FaceFinal, 3*time.Second)
	def(&o.PlateFinal, 8*time.Second)
	def(&o.PlateMemory, 10*time.Second)
	o.FaceFrames = max(o.FaceFrames, 1)
	if o.PlateStable <= 0 {
		o.PlateStable = 5
	}
	if o.PlateSure <= 0 {
		o.PlateSure = 0.9
	}
	if o.Pictures <= 0 {
		o.Pictures = 3
	}
	if o.LiveFrames <= 0 {
		o.LiveFrames = 3
	}
	if o.LiveThreshold <= 0 {
		o.LiveThreshold = 0.5
	}
	if o.JudgeLive == nil {
		o.JudgeLive = median
	}
	if o.Vote == nil {
		o.Vote = heaviest
	}
	if o.SameFace <= 0 {
		o.SameFace = 0.5
	}
	if o.OtherFace <= 0 {
		o.OtherFace = 0.35
	}
	return o
}

// Tracker follows the faces and plates of one camera. It is not safe for
// concurrent use.
type Tracker struct {
	o      Options
	next   uint64
	now    time.Time
	faces  []*faceTrack
	plates []*plateTrack
	gone   []*plateTrack // finished, still remembered by their text
}

// New returns a tracker that has seen nothing.
func New(o Options) *Tracker { return &Tracker{o: o.withDefaults()} }

// Add takes what vision saw in the frame received at the given time and returns
// the sightings that changed: updates of tracks seen in this frame, and Final
// ones of tracks that settled or timed out. A track's Final sighting is returned
// once and is its last; a plate's track that turns out to be a misread of another
// one beside it ends without a Final sighting, so that it is no passage of its
// own. Times must not go back; one that does counts as the
// latest time so far.
//
// A sighting's slices are the caller's to keep and not to change.
func (t *Tracker) Add(at time.Time, obs gatehouse.Observation) []gatehouse.Sighting {
	out := t.Tick(at)
	at = t.now
	f := frame{at: at, w: obs.Width, h: obs.Height}
	out = append(out, t.addFaces(f, obs.Faces)...)
	out = append(out, t.addPlates(f, obs.Plates)...)
	return out
}

// Tick finishes the tracks that were not seen for MaxGap before the given time,
// or that were watched for long enough, and returns the Final sightings. It is to
// be called about once a second while no frames come.
func (t *Tracker) Tick(at time.Time) []gatehouse.Sighting {
	if at.After(t.now) {
		t.now = at
	}
	return append(t.tickFaces(), t.tickPlates()...)
}

// Settle says that the track was decided: it returns no more sightings, and goes
// on swallowing its frames so that the same person or car is not a second
// passage. An unknown or finished track is ignored.
func (t *Tracker) Settle(track uint64) {
	for _, f := range t.faces {
		if f.id == track {
			f.done = true
		}
	}
	for _, p := range t.plates {
		if p.id == track {
			p.done = true
		}
	}
}

// Again says that the track was decided against and that what is still there may
// try once more (a mask taken off, glare gone): it goes on as a new sighting with
// a new id, judged by the frames from now on only. An unknown or finished track
// is ignored.
func (t *Tracker) Again(track uint64) {
	for i, f := range t.faces {
		if f.id == track {
			t.faces[i] = &faceTrack{base: t.fresh(f.base)}
		}
	}
	for i, p := range t.plates {
		if p.id == track {
			t.plates[i] = &plateTrack{base: t.fresh(p.base)}
		}
	}
}

// fresh is a track at the same place that has seen nothing.
func (t *Tracker) fresh(old base) base {
	t.next++
	return base{id: t.next, first: old.last, last: old.last, box: old.box, vx: old.vx, vy: old.vy, bestWeight: -1}
}

// frame is when and how large the frame was that is being added.
type frame struct {
	at   time.Time
	w, h int
}

// base is what face and plate tracks have in common.
type base struct {
	id          uint64
	first, last time.Time
	frames      int
	done        bool // Final was returned, or the flow decided
	box         gatehouse.Box
	vx, vy      float64 // of the box's centre, pixels a second
	grown       []grown // the box's size in the frames of the last second

	bestWeight   float64
	bestBox      gatehouse.Box
	bestW, bestH int
	pictures     []weighted
}

// grown is how large a track's box was at a time.
type grown struct {
	at   time.Time
	size float64 // width and height together, pixels
}

// approaching reports whether the box grew by a seventh or more a second lately:
// what comes nearer is better seen in a moment, so there is no hurry to give up.
func (b *base) approaching() bool {
	if len(b.grown) < 2 {
		return false
	}
	first, last := b.grown[0], b.grown[len(b.grown)-1]
	dt := last.at.Sub(first.at).Seconds()
	return dt >= 0.4 && first.size > 0 && last.size/first.size >= 1+dt/7
}

// overdue reports whether a track has been watched for limit since it was first
// worth something; for three times that while it is coming nearer.
func (b *base) overdue(since, now time.Time, limit time.Duration) bool {
	if since.IsZero() {
		return false
	}
	watched := now.Sub(since)
	return watched >= 3*limit || watched >= limit && !b.approaching()
}

// weighted is a picture with how good it is.
type weighted struct {
	picture gatehouse.Picture
	weight  float64
}

func (t *Tracker) newBase(f frame, box gatehouse.Box) base {
	t.next++
	return base{id: t.next, first: f.at, box: box, bestWeight: -1}
}

// see moves the track to a box of this frame, which is worth weight as a picture.
func (b *base) see(f frame, box gatehouse.Box, weight float64, crop, thumb []byte, keep int) {
	if dt := f.at.Sub(b.last).Seconds(); b.frames > 0 && dt > 0 {
		x0, y0 := centre(b.box)
		x1, y1 := centre(box)
		// half of the old speed damps the detector's jitter
		b.vx, b.vy = (b.vx+(x1-x0)/dt)/2, (b.vy+(y1-y0)/dt)/2
	}
	b.box, b.last = box, f.at
	b.frames++
	b.grown = append(b.grown, grown{f.at, float64(box.W + box.H)})
	for len(b.grown) > 1 && f.at.Sub(b.grown[0].at) > time.Second {
		b.grown = b.grown[1:]
	}
	if weight > b.bestWeight {
		b.bestWeight, b.bestBox, b.bestW, b.bestH = weight, box, f.w, f.h
	}
	if len(crop) == 0 || b.done {
		return
	}
	b.pictures = append(b.pictures, weighted{gatehouse.Picture{Kind: gatehouse.CropEvidence, Box: box, JPEG: crop, Thumb: thumb, At: f.at}, weight})
	slices.SortStableFunc(b.pictures, func(x, y weighted) int {
		switch {
		case x.weight > y.weight:
			return -1
		case x.weight < y.weight:
			return 1
		}
		return 0
	})
	b.pictures = b.pictures[:min(len(b.pictures), keep)]
}

// sighting fills in what both kinds share.
func (b *base) sighting(kind gatehouse.ReadingKind) gatehouse.Sighting {
	s := gatehouse.Sighting{Track: b.id, Kind: kind, First: b.first, Last: b.last, Frames: b.frames,
		Box: b.bestBox, FrameW: b.bestW, FrameH: b.bestH}
	for _, p := range b.pictures {
		s.Pictures = append(s.Pictures, p.picture)
	}
	return s
}

// distance is how far the box's centre lies from where the track would be now, in
// units of the two boxes' mean size.
func (b *base) distance(at time.Time, box gatehouse.Box) float64 {
	dt := min(at.Sub(b.last).Seconds(), 0.5)
	x0, y0 := centre(b.box)
	x1, y1 := centre(box)
	size := float64(b.box.W+b.box.H+box.W+box.H) / 4
	if size <= 0 {
		return 1e9
	}
	still := hypot(x1-x0, y1-y0)
	moved := hypot(x1-x0-b.vx*dt, y1-y0-b.vy*dt)
	return min(still, moved) / size
}
