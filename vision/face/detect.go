package face

import (
	"cmp"
	"math"
	"slices"

	"gatehouse"
	"gatehouse/vision/imaging"
)

const (
	detectorW, detectorH = 320, 240
	// minScore is the detector's own default (Ultra-Light-Fast-Generic-Face-Detector).
	minScore = 0.65
	maxIoU   = 0.4
	maxTiles = 12
)

// detection is a face's box in pixels of the picture, with fractions; it may
// reach beyond the picture's edge.
type detection struct{ x0, y0, x1, y1, score float32 }

func (d detection) area() float32 { return (d.x1 - d.x0) * (d.y1 - d.y0) }

// box rounds the detection and clips it to the picture.
func (d detection) box(w, h int) gatehouse.Box {
	x, y := int(math.Round(float64(d.x0))), int(math.Round(float64(d.y0)))
	return imaging.Clip(gatehouse.Box{X: x, Y: y, W: int(math.Round(float64(d.x1))) - x, H: int(math.Round(float64(d.y1))) - y}, w, h)
}

// find returns the faces of the whole picture, and of its tiles if asked.
func (e *Engine) find(img *imaging.RGB, tiles bool) ([]detection, error) {
	if img.W < 8 || img.H < 8 {
		return nil, nil
	}
	all, err := e.findIn(img, 0, 0)
	if err != nil || !tiles {
		return suppress(all, img.W, img.H), err
	}
	for _, t := range tileBoxes(img.W, img.H) {
		more, err := e.findIn(imaging.Crop(img, t), t.X, t.Y)
		if err != nil {
			return nil, err
		}
		// A face cut by a tile's inner edge is left to the neighbour that shows it whole.
		for _, d := range more {
			if d.x0 < float32(t.X)+2 && t.X > 0 || d.y0 < float32(t.Y)+2 && t.Y > 0 ||
				d.x1 > float32(t.X+t.W)-2 && t.X+t.W < img.W || d.y1 > float32(t.Y+t.H)-2 && t.Y+t.H < img.H {
				continue
			}
			all = append(all, d)
		}
	}
	return suppress(all, img.W, img.H), nil
}

// tileBoxes cuts a picture into 4:3 parts that overlap by a third, as small as
// maxTiles allows but not below twice the detector's input; none for a picture
// that is small already.
func tileBoxes(w, h int) []gatehouse.Box {
	for tw := 2 * detectorW; tw < w || tw*3/4 < h; tw = tw * 5 / 4 {
		th := tw * 3 / 4
		xs, ys := starts(w, tw), starts(h, th)
		if len(xs)*len(ys) > maxTiles {
			continue
		}
		var out []gatehouse.Box
		for _, y := range ys {
			for _, x := range xs {
				out = append(out, gatehouse.Box{X: x, Y: y, W: min(tw, w), H: min(th, h)})
			}
		}
		return out
	}
	return nil
}

// starts spreads windows of the given size over n pixels, overlapping by a third or more.
func starts(n, size int) []int {
	if size >= n {
		return []int{0}
	}
	k := 1 + int(math.Ceil(float64(n-size)/(float64(size)*2/3)))
	out := make([]int, k)
	for i := range out {
		out[i] = i * (n - size) / (k - 1)
	}
	return out
}

// findIn runs the detector over a picture that lies at (ox, oy) of a larger one.
func (e *Engine) findIn(img *imaging.RGB, ox, oy int) ([]detection, error) {
	small, scale, dx, dy := imaging.Letterbox(img, detectorW, detectorH)
	in := imaging.Planar(e.planes(3*detectorW*detectorH), small, imaging.OrderRGB, [3]float32{127, 127, 127}, [3]float32{128, 128, 128})
	out, err := run(e.detect, in, 1, 3, detectorH, detectorW)
	if err != nil {
		return nil, err
	}
	scores, boxes := out[0].Data, out[1].Data
	var found []detection
	for i := range len(scores) / 2 {
		if !(scores[2*i+1] >= minScore) {
			continue
		}
		b := boxes[4*i : 4*i+4]
		at := func(v float32, size int, shift float64, origin int) float32 {
			return float32((float64(v)*float64(size)-shift)/scale) + float32(origin)
		}
		d := detection{at(b[0], detectorW, dx, ox), at(b[1], detectorH, dy, oy), at(b[2], detectorW, dx, ox), at(b[3], detectorH, dy, oy), scores[2*i+1]}
		if d.x1-d.x0 >= 4 && d.y1-d.y0 >= 4 {
			found = append(found, d)
		}
	}
	return found, nil
}

// suppress keeps the best of overlapping detections, and drops those whose centre
// lies outside the picture.
func suppress(all []detection, w, h int) []detection {
	slices.SortFunc(all, func(a, b detection) int { return cmp.Compare(b.score, a.score) })
	var kept []detection
next:
	for _, d := range all {
		cx, cy := (d.x0+d.x1)/2, (d.y0+d.y1)/2
		if cx < 0 || cy < 0 || cx > float32(w) || cy > float32(h) {
			continue
		}
		for _, k := range kept {
			if iou(d, k) > maxIoU {
				continue next
			}
		}
		kept = append(kept, d)
	}
	return kept
}

// iou is the intersection of two boxes over their union.
func iou(a, b detection) float32 {
	w := min(a.x1, b.x1) - max(a.x0, b.x0)
	h := min(a.y1, b.y1) - max(a.y0, b.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (a.area() + b.area() - w*h)
}
