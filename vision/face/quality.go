package face

import (
	"math"

	"gatehouse"
	"gatehouse/vision/imaging"
)

// What a photo must reach to enrol somebody: templates of LFW faces that were
// blurred to a sharpness of 12 keep about 0.9 of their similarity, at 4 a half.
const (
	minEnrolEyes       = 24
	minEnrolSharpness  = 12
	minEnrolBrightness = 30
	maxEnrolBrightness = 230
	maxEnrolTurn       = 40
)

// Fault says why a picture of a face is not good enough to enrol somebody by it:
// a code (face.small, face.blurred, face.dark, face.bright, face.turned) and a
// sentence; both empty for a good picture.
func Fault(q gatehouse.FaceQuality) (code, sentence string) {
	abs := func(v float32) float32 { return max(v, -v) }
	switch {
	case q.EyeDistance < minEnrolEyes:
		return "face.small", "the face is too small: the eyes must be at least 24 pixels apart"
	case q.Brightness < minEnrolBrightness:
		return "face.dark", "the face is too dark"
	case q.Brightness > maxEnrolBrightness:
		return "face.bright", "the face is overexposed"
	case q.Sharpness < minEnrolSharpness:
		return "face.blurred", "the face is blurred"
	case abs(q.Yaw) > maxEnrolTurn || abs(q.Pitch) > maxEnrolTurn:
		return "face.turned", "the face is turned away: look into the camera"
	}
	return "", ""
}

// inner is the part of an aligned face that shows skin whatever the hair and the
// picture's edges are: brows to mouth.
var inner = gatehouse.Box{X: 22, Y: 26, W: 68, H: 76}

// quality judges the picture of a face from its five points and its aligned picture.
func quality(p [5]gatehouse.Point, aligned *imaging.RGB) gatehouse.FaceQuality {
	grey := imaging.ToGrey(imaging.Crop(aligned, inner))
	yaw, pitch := pose(p)
	return gatehouse.FaceQuality{
		EyeDistance: float32(math.Hypot(float64(p[1].X-p[0].X), float64(p[1].Y-p[0].Y))),
		Sharpness:   grey.LaplacianVariance(),
		Brightness:  grey.Mean(),
		Yaw:         yaw,
		Pitch:       pitch,
	}
}

// pose estimates how far a head is turned (positive: towards the picture's right)
// and nodded (positive: downwards), in degrees, from where the nose's tip lies
// between the eyes and the mouth. The tip stands about 0.55 of the eye distance
// before the plane of eyes and mouth corners, so a turn by θ moves it sideways by
// 0.55·tan θ eye distances of the turned face; likewise for the nod, from the tip's
// resting place on the reference face. Rough: ±10°.
func pose(p [5]gatehouse.Point) (yaw, pitch float32) {
	ex, ey := float64(p[0].X+p[1].X)/2, float64(p[0].Y+p[1].Y)/2
	mx, my := float64(p[3].X+p[4].X)/2, float64(p[3].Y+p[4].Y)/2
	ax, ay := float64(p[1].X-p[0].X), float64(p[1].Y-p[0].Y) // eye to eye
	bx, by := mx-ex, my-ey                                   // eyes to mouth
	det := ax*by - ay*bx
	if math.Abs(det) < 1e-6 {
		return 0, 0
	}
	nx, ny := float64(p[2].X)-ex, float64(p[2].Y)-ey
	// the tip in the face's own coordinates: u along the eyes, v down to the mouth
	u := (nx*by - ny*bx) / det
	v := (ax*ny - ay*nx) / det
	const depth = 0.55
	const rest = 0.496 // v on the reference face
	// the eyes-to-mouth distance is about 1.15 eye distances
	degrees := func(t float64) float32 { return float32(math.Atan(t/depth) * 180 / math.Pi) }
	return degrees(u), degrees((v - rest) * 1.15)
}
