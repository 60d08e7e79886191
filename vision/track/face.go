package track

import (
	"math"
	"time"

	"gatehouse"
)

// maxScores is how many frames' liveness scores are kept; the latest count.
const maxScores = 32

// blurred is the sharpness (variance of the Laplacian) below which a face is out
// of focus or moving.
const blurred = 40

// faceTrack is one person's face over time.
type faceTrack struct {
	base
	sum           []float64 // Σ weight·template
	mean          []float32 // of the sum, unit length; nil before the first template
	latest        []float32 // the last template, and the quality of its frame
	latestQuality gatehouse.FaceQuality
	described     time.Time             // the first frame with a template; zero before
	quality       gatehouse.FaceQuality // of the best frame
	scores        []float32
}

// FaceWeight says how much a frame tells about a face, 0..1: the product of its
// size (all there is at 60 pixels between the eyes), sharpness (at a Laplacian
// variance of 300), pose (falling by half at 25° of turn or nod together) and
// exposure. The shape follows what ISO/IEC 29794-5 counts as a face's quality;
// the constants are round figures, not fitted.
func FaceWeight(q gatehouse.FaceQuality) float64 {
	size := min(float64(q.EyeDistance)/60, 1)
	sharp := 0.2 + 0.8*min(float64(q.Sharpness)/300, 1)
	turn := hypot(float64(q.Yaw), float64(q.Pitch)) / 25
	pose := 1 / (1 + turn*turn)
	light := 1.0
	if b := float64(q.Brightness); b < 60 {
		light = 0.3 + 0.7*b/60
	} else if b > 200 {
		light = max(0.3, 1-0.7*(b-200)/55)
	}
	return max(size*sharp*pose*light, 1e-3)
}

// comparable reports whether two frames' templates are good enough, and seen at
// angles near enough to each other, to say "this is somebody else". Consecutive
// frames of one face are alike even in profile or out of focus; a frontal and a
// profile view of one person are not.
func comparable(a, b gatehouse.FaceQuality) bool {
	return min(a.EyeDistance, b.EyeDistance) >= 14 &&
		math.Abs(float64(a.Yaw-b.Yaw)) <= 30 && math.Abs(float64(a.Pitch-b.Pitch)) <= 30
}

// match says whether the face can be the track's, and how likely (higher is better).
func (f *faceTrack) match(o *Options, fr frame, s gatehouse.FaceSeen) (score float64, ok bool) {
	dist, size, over := f.distance(fr.at, s.Box), sizes(f.box, s.Box), iou(f.box, s.Box)
	// The longer it was away, the further it may have gone: a person walking past
	// moves about two face widths a second.
	gap := fr.at.Sub(f.last).Seconds()
	near := size >= 0.5 && (over >= 0.2 || dist <= 0.8+2*gap)
	other := o.OtherFace
	if min(f.latestQuality.Sharpness, s.Quality.Sharpness) < blurred {
		other /= 2 // motion blur halves what two frames of one face have in common
	}
	sim, known := cosine(f.mean, s.Template)
	if last, both := cosine(f.latest, s.Template); both {
		sim = max(sim, last)
	}
	switch {
	case !known:
		return over - dist, near
	case sim >= o.SameFace:
		return 2*float64(sim) + over - min(dist, 4)/4, true
	case sim < other && comparable(f.latestQuality, s.Quality):
		return 0, false
	case sim < other:
		// The two cannot be compared: believe it only where it hardly moved.
		return float64(sim) + over - dist, size >= 0.6 && over >= 0.3 && gap <= 0.6
	default:
		return 2*float64(sim) + over - dist, near
	}
}

// see adds one frame.
func (f *faceTrack) see(o *Options, fr frame, s gatehouse.FaceSeen) {
	w := FaceWeight(s.Quality)
	asPicture := w
	if s.Template == nil {
		asPicture = w * 1e-3 // any described frame is a better picture than one that is not
	}
	if asPicture > f.bestWeight {
		f.quality = s.Quality
	}
	f.base.see(fr, s.Box, asPicture, s.Crop, s.Thumb, o.Pictures)
	if s.Live >= 0 && !f.done {
		f.scores = append(f.scores, s.Live)
		f.scores = f.scores[max(0, len(f.scores)-maxScores):]
	}
	if s.Template == nil {
		return
	}
	if f.described.IsZero() {
		f.described = fr.at
	}
	f.latest, f.latestQuality = s.Template, s.Quality
	if len(f.sum) != len(s.Template) {
		f.sum = make([]float64, len(s.Template))
	}
	for i, v := range s.Template {
		f.sum[i] += w * float64(v)
	}
	f.mean = unit(f.sum)
}

func unit(v []float64) []float32 {
	var n float64
	for _, x := range v {
		n += x * x
	}
	if n == 0 {
		return nil
	}
	out := make([]float32, len(v))
	n = 1 / math.Sqrt(n)
	for i, x := range v {
		out[i] = float32(x * n)
	}
	return out
}

func (f *faceTrack) sighting(o *Options, final bool) gatehouse.Sighting {
	s := f.base.sighting(gatehouse.FaceReading)
	s.Final, s.Template, s.Quality = final, f.mean, f.quality
	if len(f.scores) >= o.LiveFrames {
		score := o.JudgeLive(f.scores)
		s.Live = gatehouse.Liveness{Judged: true, Live: score >= o.LiveThreshold, Score: score}
	}
	return s
}

// distinct leaves out what the detector saw inside another face, such as a mouth
// and chin taken for a face of their own: of two boxes of which the smaller lies by
// half or more in the larger, the one with the clearly higher score stays,
// otherwise the larger. Two people's boxes do not overlap that much while both
// faces can be seen.
func distinct(faces []gatehouse.FaceSeen) []gatehouse.FaceSeen {
	worse := func(a, b gatehouse.FaceSeen) bool {
		if d := a.Score - b.Score; d < -0.1 || d > 0.1 {
			return d < 0
		}
		return a.Box.W*a.Box.H < b.Box.W*b.Box.H
	}
	var out []gatehouse.FaceSeen
	for i, a := range faces {
		inside := false
		for j, b := range faces {
			inside = inside || i != j && covered(a.Box, b.Box) >= 0.5 && worse(a, b)
		}
		if !inside {
			out = append(out, a)
		}
	}
	return out
}

func (t *Tracker) addFaces(fr frame, faces []gatehouse.FaceSeen) (out []gatehouse.Sighting) {
	faces = distinct(faces)
	var pairs []pair
	for i, f := range t.faces {
		for j, s := range faces {
			if score, ok := f.match(&t.o, fr, s); ok {
				pairs = append(pairs, pair{i, j, score})
			}
		}
	}
	owner := make([]*faceTrack, len(faces))
	for _, p := range assign(pairs) {
		owner[p.seen] = t.faces[p.track]
	}
	for j, s := range faces {
		f := owner[j]
		if f == nil {
			f = &faceTrack{base: t.newBase(fr, s.Box)}
			t.faces = append(t.faces, f)
		}
		f.see(&t.o, fr, s)
		if f.done || f.frames < t.o.FaceFrames {
			continue
		}
		f.done = f.overdue(f.described, fr.at, t.o.FaceFinal)
		out = append(out, f.sighting(&t.o, f.done))
	}
	return append(out, t.dropFaces()...)
}

// dropFaces keeps the number of tracks within bounds.
func (t *Tracker) dropFaces() (out []gatehouse.Sighting) {
	for len(t.faces) > maxTracks {
		oldest := 0
		for i, f := range t.faces {
			if f.last.Before(t.faces[oldest].last) {
				oldest = i
			}
		}
		if f := t.faces[oldest]; !f.done && f.frames >= t.o.FaceFrames {
			out = append(out, f.sighting(&t.o, true))
		}
		t.faces = append(t.faces[:oldest], t.faces[oldest+1:]...)
	}
	return out
}

func (t *Tracker) tickFaces() (out []gatehouse.Sighting) {
	kept := t.faces[:0]
	for _, f := range t.faces {
		left := t.now.Sub(f.last) > t.o.MaxGap
		if !f.done && f.frames >= t.o.FaceFrames && (left || f.overdue(f.described, t.now, t.o.FaceFinal)) {
			f.done = true
			out = append(out, f.sighting(&t.o, true))
		}
		if !left {
			kept = append(kept, f)
		}
	}
	clear(t.faces[len(kept):])
	t.faces = kept
	return out
}
