package plate

import (
	"fmt"
	"math"

	"gatehouse/vision/imaging"
	"gatehouse/vision/ort"
)

const (
	detectStep      = 32   // the detector's sides are multiples of this
	mapThreshold    = 0.3  // of the text probability, PaddleOCR's det_db_thresh
	lineThreshold   = 0.45 // mean probability inside a line; PaddleOCR's box_thresh is 0.6, but plates are small
	unclipRatio     = 1.6  // the model is trained on shrunken lines; PaddleOCR's det_db_unclip_ratio is 1.5
	averageFrom     = 2.5  // shrinking by more than this averages: two taps would skip pixels
	minComponent    = 10   // pixels of the probability map
	maxDetectedText = 200  // lines kept of one picture: bounds the work on pictures of foliage or print
)

// line is one line of text that the detector saw, in pixels of the frame.
type line struct {
	rect
	score float64 // mean text probability, 0..1
}

// ImageNet mean and deviation in the order B, G, R, as the detector was trained.
var (
	detMean = [3]float32{0.406 * 255, 0.456 * 255, 0.485 * 255}
	detStd  = [3]float32{0.225 * 255, 0.224 * 255, 0.229 * 255}
)

// window is the part of a frame that a detector pass looks at, in pixels.
type window struct{ x, y, w, h int }

// detect runs the text detector over the window with the longest side scaled to
// at most side pixels (never enlarged more than zoom times).
func (r *Reader) detect(img *imaging.RGB, win window, side int, zoom float64) ([]line, error) {
	scale := min(float64(side)/float64(max(win.w, win.h)), zoom)
	round := func(n int) int {
		return max(detectStep, int(math.Round(float64(n)*scale/detectStep))*detectStep)
	}
	w, h := round(win.w), round(win.h)
	n := 3 * w * h
	if cap(r.detBuf) < n {
		r.detBuf = make([]float32, n)
	}
	in := r.detBuf[:n]
	if from := win; float64(win.w) > averageFrom*float64(w) {
		small := imaging.CropResize(img, float64(from.x), float64(from.y), float64(from.w), float64(from.h), w, h)
		scaleInto(in, small, window{0, 0, w, h}, w, h, detMean, detStd, &r.axis)
	} else {
		scaleInto(in, img, win, w, h, detMean, detStd, &r.axis)
	}
	out, err := r.models.Detector.Run(ort.Tensor{Shape: []int64{1, 3, int64(h), int64(w)}, Data: in})
	if err != nil {
		return nil, fmt.Errorf("the text detector fails: %w", err)
	}
	if len(out) != 1 || len(out[0].Data) != w*h {
		return nil, fmt.Errorf("the text detector's output is not %d×%d: not the model that the registry names", w, h)
	}
	lines := r.components(out[0].Data, w, h)
	sx, sy := float64(win.w)/float64(w), float64(win.h)/float64(h)
	for i := range lines {
		l := &lines[i]
		// The two scales differ by a few percent at most: the axis keeps its
		// direction, lengths take the scale of the side they run along.
		l.c = vec{float64(win.x) + l.c.x*sx, float64(win.y) + l.c.y*sy}
		l.w *= math.Hypot(l.u.x*sx, l.u.y*sy)
		l.h *= math.Hypot(l.u.y*sx, l.u.x*sy)
		u := vec{l.u.x * sx, l.u.y * sy}
		l.u = u.mul(1 / u.len())
	}
	return lines, nil
}

// components finds the connected regions of the probability map above the
// threshold and returns each as a rotated rectangle, enlarged from the shrunken
// shape that the model marks to the whole line: by area·ratio/perimeter on every
// side (Liao et al., "Real-time Scene Text Detection with Differentiable
// Binarization", 2020, equation 10).
func (r *Reader) components(prob []float32, w, h int) []line {
	if cap(r.seen) < w*h {
		r.seen = make([]bool, w*h)
	}
	seen := r.seen[:w*h]
	clear(seen)
	var lines []line
	for start, p := range prob {
		if p < mapThreshold || seen[start] {
			continue
		}
		stack := append(r.stack[:0], int32(start))
		seen[start] = true
		sum, count := 0.0, 0
		border := r.border[:0]
		for len(stack) > 0 {
			at := int(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			x, y := at%w, at/w
			sum += float64(prob[at])
			count++
			inside := 0
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					nx, ny := x+dx, y+dy
					if nx < 0 || ny < 0 || nx >= w || ny >= h || prob[ny*w+nx] < mapThreshold {
						continue
					}
					inside++
					if k := ny*w + nx; !seen[k] {
						seen[k] = true
						stack = append(stack, int32(k))
					}
				}
			}
			if inside < 9 {
				fx, fy := float64(x), float64(y)
				border = append(border, vec{fx, fy}, vec{fx + 1, fy}, vec{fx, fy + 1}, vec{fx + 1, fy + 1})
			}
		}
		r.stack, r.border = stack, border
		if count < minComponent || sum < lineThreshold*float64(count) {
			continue
		}
		box := minAreaRect(hull(border))
		if min(box.w, box.h) < 2 {
			continue
		}
		d := box.w * box.h * unclipRatio / (2 * (box.w + box.h))
		lines = append(lines, line{rect: box.grow(d, d, d, d), score: sum / float64(count)})
		if len(lines) == maxDetectedText {
			break
		}
	}
	return lines
}
