// Package terminal decides what a terminal at a gate says: how to be seen better, and
// what became of it. Both are pure functions, and both say as little as will do: who
// somebody is, or how alike a face was, never goes into them.
package terminal

import (
	"slices"

	"gatehouse"
)

// What a face must be to be worth waiting for: round figures, not fitted. A template is
// made from 12 pixels between the eyes on, a photo to enrol by needs 24, and frames weigh
// about half in a track (vision/track.FaceWeight) at each of the other bounds.
const (
	leastEyes  = 36.0 // pixels
	widest     = 0.75 // of the picture's width or height
	darkest    = 50.0 // mean grey of the face, 0..255
	brightest  = 220.0
	mostTurned = 25.0 // degrees
	sharpest   = 25.0 // variance of the Laplacian; below is blurred
	leastScore = 0.6  // of the detector: what it is less sure of may be a pattern on the wall
	// asNear is how large the second face is beside the first, in eye distances, to stand
	// before the terminal too; whoever waits behind is smaller.
	asNear = 0.7
)

// Guide says what whoever stands before the camera should do, from what vision saw in
// one frame. Where several things are wrong it names the one to mend first: a face that
// is too far away is blurred and dark for that alone.
func Guide(o gatehouse.Observation) gatehouse.Guidance {
	faces := slices.DeleteFunc(slices.Clone(o.Faces), func(f gatehouse.FaceSeen) bool { return f.Score < leastScore })
	if len(faces) == 0 {
		return gatehouse.NobodyThere
	}
	slices.SortFunc(faces, func(a, b gatehouse.FaceSeen) int { return b.Box.W*b.Box.H - a.Box.W*a.Box.H })
	f, q := faces[0], faces[0].Quality
	for _, other := range faces[1:] {
		if other.Quality.EyeDistance >= asNear*q.EyeDistance && !inside(other.Box, f.Box) {
			return gatehouse.OneAtATime
		}
	}
	switch {
	case q.EyeDistance < leastEyes:
		return gatehouse.ComeCloser
	case float64(f.Box.W) > widest*float64(o.Width), float64(f.Box.H) > widest*float64(o.Height):
		return gatehouse.StepBack
	case q.Brightness < darkest:
		return gatehouse.TooDark
	case q.Brightness > brightest:
		return gatehouse.TooBright
	case turned(q.Yaw), turned(q.Pitch):
		return gatehouse.LookHere
	case q.Sharpness < sharpest:
		return gatehouse.HoldStill
	}
	return gatehouse.WellSeen
}

func turned(degrees float32) bool { return degrees < -mostTurned || degrees > mostTurned }

// inside reports whether half or more of a lies in b: a mouth that was taken for a face
// of its own is nobody else.
func inside(a, b gatehouse.Box) bool {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	return w > 0 && h > 0 && 2*w*h >= a.W*a.H
}
