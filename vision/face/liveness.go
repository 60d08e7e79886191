package face

import (
	"math"

	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

const liveSide = 128

// view is one way of showing a face to the liveness model.
type view struct {
	scale  float64 // side of the square, in heights of the face's box
	reach  float64 // the side's limit, in shorter sides of the picture; above 1 the rest is reflected
	mirror bool
}

// liveViews are averaged. The model knows 2.7 (fr_liveness.js of its package); a
// wider view shows the edges of a phone or a sheet. A face that fills the frame
// leaves no room for it: up to a half more is reflected, since a black border
// counts as an attack and a narrower view changes what the model looks at. One of
// the two is mirrored, so that the pair has no side. Measured on single frames of
// the two spoof sets, log odds averaged: EER 15 % and 16 %, against 27 % and 21 %
// of the first view alone, unmirrored.
var liveViews = [...]view{{2.7, 1, true}, {4, 1.5, false}}

// liveness returns the probability that a face is live and no print or replay,
// from one frame.
func (e *Engine) liveness(img *imaging.RGB, d detection) (float32, error) {
	var sum float64
	for _, v := range liveViews {
		odds, err := e.liveOdds(img, d, v)
		if err != nil {
			return 0, err
		}
		sum += odds / float64(len(liveViews))
	}
	return float32(1 / (1 + math.Exp(-sum-models.LiveBias))), nil
}

// liveOdds returns the log odds of a live face for one view.
func (e *Engine) liveOdds(img *imaging.RGB, d detection, v view) (float64, error) {
	in := imaging.Planar(e.planes(3*liveSide*liveSide), liveCrop(img, d, v), imaging.OrderBGR, [3]float32{}, [3]float32{1, 1, 1})
	out, err := run(e.live, in, 1, 3, liveSide, liveSide)
	if err != nil {
		return 0, err
	}
	z := out[0].Data // live, and two kinds of attack
	a, b := float64(z[1]), float64(z[2])
	top := max(a, b)
	return float64(z[0]) - top - math.Log(math.Exp(a-top)+math.Exp(b-top)), nil
}

// liveCrop cuts the square of a view. It is pushed inside the picture along a side
// where it fits, and completed by reflection where it does not.
func liveCrop(img *imaging.RGB, d detection, v view) *imaging.RGB {
	w, h := float64(img.W-1), float64(img.H-1)
	side := min(v.scale*float64(d.y1-d.y0), v.reach*min(w, h))
	inside := func(start, limit float64) float64 {
		if side > limit {
			return start
		}
		return min(max(start, 0), limit-side)
	}
	x := inside(float64(d.x0+d.x1)/2-side/2, w)
	y := inside(float64(d.y0+d.y1)/2-side/2, h)
	crop := imaging.CropResize(img, x, y, side, side, liveSide, liveSide)
	// what the picture covers whole, in pixels of the crop
	k := liveSide / side
	imaging.ReflectEdges(crop, int(math.Ceil(-x*k)), int(math.Ceil(-y*k)), int((w-x)*k), int((h-y)*k))
	if v.mirror {
		crop = imaging.Mirror(crop)
	}
	return crop
}

// JudgeLiveness fuses the scores of one face over the frames of a passage into one,
// 0..1, to compare with models.LiveThreshold: the mean of the log odds, so that
// many frames that lean one way count for more than one that is sure. Scores that
// were not judged (negative) are left out; with none left it returns -1.
func JudgeLiveness(scores []float32) float32 {
	var sum float64
	n := 0
	for _, s := range scores {
		if s < 0 {
			continue
		}
		const edge = 1e-3 // one frame's certainty has a limit
		p := min(max(float64(s), edge), 1-edge)
		sum += math.Log(p / (1 - p))
		n++
	}
	if n == 0 {
		return -1
	}
	return float32(1 / (1 + math.Exp(-sum/float64(n))))
}
