package track_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vision/track"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

// person makes templates of one made-up person: a fixed direction with noise, as
// the frames of a video have it (two frames are about 0.8 alike).
type person struct {
	r    *rand.Rand
	base []float64
}

func newPerson(seed uint64) *person {
	r := rand.New(rand.NewPCG(seed, 7))
	p := &person{r: r}
	for range 128 {
		p.base = append(p.base, r.NormFloat64())
	}
	return p
}

func (p *person) template() []float32 {
	v := make([]float32, len(p.base))
	var n float64
	for i, b := range p.base {
		x := b + 0.5*p.r.NormFloat64()
		v[i] = float32(x)
		n += x * x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(n))
	}
	return v
}

// face is the person's face at x, y, w pixels wide, in good light.
func (p *person) face(x, y, w int) gatehouse.FaceSeen {
	return gatehouse.FaceSeen{Box: gatehouse.Box{X: x, Y: y, W: w, H: w}, Score: 0.95, Template: p.template(), Live: 0.9,
		Quality: gatehouse.FaceQuality{EyeDistance: float32(w) * 0.45, Sharpness: 300, Brightness: 120}}
}

func faces(f ...gatehouse.FaceSeen) gatehouse.Observation {
	return gatehouse.Observation{Width: 1280, Height: 720, Faces: f}
}

// run feeds a script of frames and returns, per track, its sightings.
type run struct {
	t   *testing.T
	tr  *track.Tracker
	all map[uint64][]gatehouse.Sighting
	seq []uint64 // tracks in the order in which they first appeared
}

func newRun(t *testing.T, o track.Options) *run {
	return &run{t: t, tr: track.New(o), all: map[uint64][]gatehouse.Sighting{}}
}

func (r *run) take(s []gatehouse.Sighting) {
	r.t.Helper()
	for _, x := range s {
		before := r.all[x.Track]
		if n := len(before); n == 0 {
			r.seq = append(r.seq, x.Track)
		} else if before[n-1].Final {
			r.t.Fatalf("track %d: a sighting after its Final one", x.Track)
		} else if before[n-1].Frames > x.Frames || before[n-1].Last.After(x.Last) {
			r.t.Fatalf("track %d went back: %d frames to %d", x.Track, before[n-1].Frames, x.Frames)
		}
		r.all[x.Track] = append(before, x)
	}
}

func (r *run) add(ms int, o gatehouse.Observation) { r.t.Helper(); r.take(r.tr.Add(at(ms), o)) }

// end lets everything time out and returns the Final sightings in order of appearance.
func (r *run) end(ms int) (finals []gatehouse.Sighting) {
	r.t.Helper()
	r.take(r.tr.Tick(at(ms)))
	for _, id := range r.seq {
		s := r.all[id]
		if last := s[len(s)-1]; last.Final {
			finals = append(finals, last)
		}
	}
	return finals
}

func TestOnePersonWalkingThroughIsOneSighting(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	for i := range 20 { // 2.5 s at 8 frames a second, growing
		r.add(i*125, faces(p.face(200+20*i, 100, 60+3*i)))
	}
	got := r.end(10_000)
	if len(got) != 1 {
		t.Fatalf("%d sightings, want 1", len(got))
	}
	s := got[0]
	if s.Frames != 20 || !s.First.Equal(at(0)) || !s.Last.Equal(at(19*125)) {
		t.Errorf("frames %d from %v to %v", s.Frames, s.First, s.Last)
	}
	if s.Box.W != 60+3*19 {
		t.Errorf("the best frame is %d wide; the nearest, sharpest one is %d", s.Box.W, 60+3*19)
	}
	if !s.Live.Judged || !s.Live.Live {
		t.Errorf("liveness %+v", s.Live)
	}
}

func TestShortDropOutStaysOneTrack(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	r.add(0, faces(p.face(100, 100, 100)))
	r.add(125, faces())
	r.add(1300, faces(p.face(700, 150, 100))) // elsewhere by now
	if got := r.end(10_000); len(got) != 1 || got[0].Frames != 2 {
		t.Fatalf("got %+v", got)
	}
}

func TestAFaceOfOneFrameCountsWhereAsked(t *testing.T) {
	for want, o := range map[int]track.Options{1: {}, 0: {FaceFrames: 2}} {
		r := newRun(t, o)
		r.add(0, faces(newPerson(1).face(100, 100, 100)))
		if got := r.end(10_000); len(got) != want || len(r.seq) != want {
			t.Errorf("with %d frames asked for: %d sightings, want %d", o.FaceFrames, len(got), want)
		}
	}
	p, r := newPerson(1), newRun(t, track.Options{FaceFrames: 2})
	r.add(0, faces(p.face(100, 100, 100)))
	r.add(125, faces(p.face(100, 100, 100)))
	if got := r.end(10_000); len(got) != 1 || got[0].Frames != 2 || !got[0].First.Equal(at(0)) {
		t.Errorf("got %+v", got)
	}
}

func TestAPartOfAFaceIsNoSecondPerson(t *testing.T) {
	a, b := newPerson(1), newPerson(2)
	r := newRun(t, track.Options{})
	for i := range 5 {
		whole, chin := a.face(100, 100, 200), b.face(140, 220, 110)
		r.add(i*125, faces(whole, chin))
	}
	if got := r.end(10_000); len(got) != 1 || got[0].Box.W != 200 {
		t.Errorf("%d sightings, want the whole face only", len(got))
	}
	r = newRun(t, track.Options{})
	for i := range 5 { // one before the other, a third of the rear face hidden
		r.add(i*125, faces(a.face(100, 100, 120), b.face(180, 100, 100)))
	}
	if got := r.end(10_000); len(got) != 2 {
		t.Errorf("%d sightings of two people, one before the other", len(got))
	}
}

func TestLongGapIsANewTrack(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	r.add(0, faces(p.face(100, 100, 100)))
	r.add(1501, faces(p.face(100, 100, 100)))
	if got := r.end(10_000); len(got) != 2 {
		t.Fatalf("%d sightings, want 2", len(got))
	}
}

func TestCutToAnotherPersonAtTheSamePlace(t *testing.T) {
	a, b := newPerson(1), newPerson(2)
	r := newRun(t, track.Options{})
	for i := range 5 {
		r.add(i*125, faces(a.face(300, 100, 120)))
	}
	for i := 5; i < 10; i++ {
		r.add(i*125, faces(b.face(300, 100, 120)))
	}
	got := r.end(10_000)
	if len(got) != 2 || got[0].Frames != 5 || got[1].Frames != 5 {
		t.Fatalf("got %d sightings, want one of each person", len(got))
	}
	for i, p := range []*person{a, b} {
		if sim := dot(got[i].Template, p.template()); sim < 0.7 {
			t.Errorf("template of person %d is only %.2f alike", i, sim)
		}
	}
}

func TestPoorFramesDoNotSplitATrack(t *testing.T) {
	p, other := newPerson(1), newPerson(9)
	r := newRun(t, track.Options{})
	for i := range 8 {
		f := p.face(300, 100, 120)
		if i%2 == 1 { // turned away: the template says nothing
			f.Template, f.Quality.Yaw = other.template(), 60
		}
		r.add(i*125, faces(f))
	}
	got := r.end(10_000)
	if len(got) != 1 {
		t.Fatalf("%d sightings, want 1", len(got))
	}
	if sim := dot(got[0].Template, p.template()); sim < 0.7 {
		t.Errorf("the mean is only %.2f like the good frames: poor ones weigh too much", sim)
	}
}

func TestTwoPeopleCrossing(t *testing.T) {
	a, b := newPerson(1), newPerson(2)
	r := newRun(t, track.Options{FaceFinal: time.Minute})
	for i := range 21 {
		fa, fb := a.face(100+40*i, 100, 100), b.face(900-40*i, 110, 100)
		if i%2 == 0 {
			r.add(i*125, faces(fa, fb))
		} else {
			r.add(i*125, faces(fb, fa))
		}
	}
	got := r.end(10_000)
	if len(got) != 2 || got[0].Frames != 21 || got[1].Frames != 21 {
		t.Fatalf("got %d sightings", len(got))
	}
	if dot(got[0].Template, a.template()) < 0.7 || dot(got[1].Template, b.template()) < 0.7 {
		t.Error("the two were mixed up")
	}
}

func TestFinalWhileThePersonStandsThere(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	finals := 0
	for i := range 100 {
		r.add(i*125, faces(p.face(300, 100, 120)))
		for _, s := range r.all {
			if s[len(s)-1].Final && finals == 0 {
				finals = i
			}
		}
	}
	if got := r.end(60_000); len(got) != 1 {
		t.Fatalf("%d sightings of somebody who stood there, want 1", len(got))
	}
	if finals != 24 {
		t.Errorf("final in frame %d, want 24 (3 s)", finals)
	}
}

func TestApproachingFaceIsNotGivenUp(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	for i := range 48 { // 6 s
		r.add(i*125, faces(p.face(400, 100, int(30*math.Pow(1.04, float64(i))))))
	}
	got := r.end(60_000)
	if len(got) != 1 || got[0].Frames < 48 {
		t.Fatalf("got %+v, want one sighting that lasts while the face comes nearer", len(got))
	}
}

func TestUndescribedFaceIsFinalWhenGone(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	for i := range 80 {
		f := p.face(300, 100, 18)
		f.Template, f.Live = nil, -1
		r.add(i*125, faces(f))
	}
	if got := r.end(80*125 + 1000); len(got) != 0 {
		t.Fatal("final while it may still come nearer")
	}
	got := r.end(80*125 + 1500)
	if len(got) != 1 || got[0].Template != nil || got[0].Live.Judged {
		t.Fatalf("got %+v", got)
	}
}

func TestSettleSwallows(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	r.add(0, faces(p.face(300, 100, 120)))
	r.tr.Settle(r.seq[0])
	for i := 1; i < 60; i++ {
		if s := r.tr.Add(at(i*125), faces(p.face(300, 100, 120))); len(s) != 0 {
			t.Fatalf("frame %d: %d sightings of a settled track", i, len(s))
		}
	}
	if s := r.tr.Tick(at(60_000)); len(s) != 0 {
		t.Fatalf("a settled track ended with a sighting")
	}
}

func TestAgainStartsAfresh(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	for i := range 30 {
		r.add(i*125, faces(p.face(300, 100, 120)))
	}
	first := r.seq[0]
	r.tr.Again(first)
	for i := 30; i < 40; i++ {
		r.add(i*125, faces(p.face(300, 100, 120)))
	}
	got := r.end(60_000)
	if len(got) != 2 || got[1].Track == first || got[1].Frames != 10 {
		t.Fatalf("got %+v", got)
	}
	r.tr.Again(got[1].Track) // gone: ignored
	if s := r.tr.Tick(at(120_000)); len(s) != 0 {
		t.Fatal("a track came back from nowhere")
	}
}

func TestLivenessOverFrames(t *testing.T) {
	for _, c := range []struct {
		name         string
		scores       []float32
		judged, live bool
	}{
		{"too few frames", []float32{0.9, 0.9}, false, false},
		{"live with one bad frame", []float32{0.9, 0.1, 0.8, 0.9}, true, true},
		{"replay with one lucky frame", []float32{0.1, 0.95, 0.2, 0.1}, true, false},
		{"frames that were not judged do not count", []float32{-1, 0.9, -1, 0.9}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPerson(1)
			r := newRun(t, track.Options{})
			for i, score := range c.scores {
				f := p.face(300, 100, 120)
				f.Live = score
				r.add(i*125, faces(f))
			}
			got := r.end(60_000)[0].Live
			if got.Judged != c.judged || got.Live != c.live {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestPicturesAreTheBestFew(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{Pictures: 2})
	for i, w := range []int{60, 120, 40, 100} {
		f := p.face(300, 100, w)
		f.Crop = []byte{byte(w)}
		r.add(i*125, faces(f))
	}
	got := r.end(60_000)[0].Pictures
	if len(got) != 2 || got[0].JPEG[0] != 120 || got[1].JPEG[0] != 100 {
		t.Fatalf("kept %d pictures, want those of 120 and 100 pixels: %+v", len(got), got)
	}
	if !got[0].At.Equal(at(125)) || got[0].Kind != gatehouse.CropEvidence {
		t.Errorf("best picture %v %v", got[0].At, got[0].Kind)
	}
}

func TestTimeGoingBackIsHeld(t *testing.T) {
	p := newPerson(1)
	r := newRun(t, track.Options{})
	r.add(1000, faces(p.face(300, 100, 120)))
	r.add(0, faces(p.face(300, 100, 120)))
	if got := r.end(60_000); len(got) != 1 || got[0].Last.Before(got[0].First) {
		t.Fatalf("got %+v", got)
	}
}

func dot(a, b []float32) (s float64) {
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}
