package plate

import (
	"math"
	"slices"

	"gatehouse/vision/imaging"
)

// axis holds the resampling table of one picture side, kept between calls.
type axis struct {
	lo, hi []int
	f      []float32
}

// scaleInto resamples the window of img to w×h and writes it as three planes in
// the order B, G, R, each value (v-mean)/std. Bilinear with the centres aligned, as
// the models were trained (OpenCV INTER_LINEAR).
func scaleInto(dst []float32, img *imaging.RGB, win window, w, h int, mean, std [3]float32, ax *axis) {
	plane := w * h
	sx, sy := float64(win.w)/float64(w), float64(win.h)/float64(h)
	ax.lo, ax.hi, ax.f = ax.lo[:0], ax.hi[:0], ax.f[:0]
	for x := range w {
		at := max(0, (float64(x)+0.5)*sx-0.5)
		lo := min(int(at), win.w-1)
		ax.lo = append(ax.lo, 3*(win.x+lo))
		ax.hi = append(ax.hi, 3*(win.x+min(lo+1, win.w-1)))
		ax.f = append(ax.f, float32(at-float64(lo)))
	}
	scale := [3]float32{1 / std[0], 1 / std[1], 1 / std[2]}
	for y := range h {
		at := max(0, (float64(y)+0.5)*sy-0.5)
		lo := min(int(at), win.h-1)
		fy := float32(at - float64(lo))
		r0 := img.Pix[3*img.W*(win.y+lo):]
		r1 := img.Pix[3*img.W*(win.y+min(lo+1, win.h-1)):]
		b, g, r := dst[y*w:y*w+w], dst[plane+y*w:plane+y*w+w], dst[2*plane+y*w:2*plane+y*w+w]
		for x := range w {
			l, hi, fx := ax.lo[x], ax.hi[x], ax.f[x]
			p0, p1, q0, q1 := r0[l:l+3:l+3], r0[hi:hi+3:hi+3], r1[l:l+3:l+3], r1[hi:hi+3:hi+3]
			w11 := fx * fy
			w10, w01 := fy-w11, fx-w11
			w00 := 1 - fx - w10
			r[x] = (w00*float32(p0[0]) + w01*float32(p1[0]) + w10*float32(q0[0]) + w11*float32(q1[0]) - mean[2]) * scale[2]
			g[x] = (w00*float32(p0[1]) + w01*float32(p1[1]) + w10*float32(q0[1]) + w11*float32(q1[1]) - mean[1]) * scale[1]
			b[x] = (w00*float32(p0[2]) + w01*float32(p1[2]) + w10*float32(q0[2]) + w11*float32(q1[2]) - mean[0]) * scale[0]
		}
	}
}

// rectify cuts the quad out of img, straightened to w×h, and writes it as three
// planes in the order B, G, R, each value (v-127.5)/127.5. Where the quad is
// larger than the output, every pixel is the mean of n×n samples. Outside the
// picture the nearest edge pixel is taken. It reports whether the quad is convex.
func rectify(dst []float32, img *imaging.RGB, q quad, w, h int) bool {
	var c [4][2]float64
	for i, p := range q {
		c[i] = [2]float64{p.x, p.y}
	}
	hm, ok := imaging.RectToQuad(float64(w), float64(h), c)
	if !ok {
		return false
	}
	shrink := max(q[1].sub(q[0]).len()/float64(w), q[3].sub(q[0]).len()/float64(h))
	n := min(4, max(1, int(math.Round(shrink))))
	plane := w * h
	step := 1 / float64(n)
	norm := float32(1 / (127.5 * float64(n*n)))
	maxX, maxY := float64(img.W-1), float64(img.H-1)
	for y := range h {
		for x := range w {
			var r, g, b float32
			for j := range n {
				for i := range n {
					fx, fy := hm.Apply(float64(x)+(float64(i)+0.5)*step, float64(y)+(float64(j)+0.5)*step)
					fx, fy = min(max(fx-0.5, 0), maxX), min(max(fy-0.5, 0), maxY)
					x0, y0 := int(fx), int(fy)
					ax, ay := float32(fx-float64(x0)), float32(fy-float64(y0))
					x1, y1 := min(x0+1, img.W-1), min(y0+1, img.H-1)
					p00, p01 := img.Pix[3*(y0*img.W+x0):], img.Pix[3*(y0*img.W+x1):]
					p10, p11 := img.Pix[3*(y1*img.W+x0):], img.Pix[3*(y1*img.W+x1):]
					w11 := ax * ay
					w10, w01 := ay-w11, ax-w11
					w00 := 1 - ax - w10
					r += w00*float32(p00[0]) + w01*float32(p01[0]) + w10*float32(p10[0]) + w11*float32(p11[0])
					g += w00*float32(p00[1]) + w01*float32(p01[1]) + w10*float32(p10[1]) + w11*float32(p11[1])
					b += w00*float32(p00[2]) + w01*float32(p01[2]) + w10*float32(p10[2]) + w11*float32(p11[2])
				}
			}
			k := y*w + x
			dst[k] = b*norm - 1
			dst[plane+k] = g*norm - 1
			dst[2*plane+k] = r*norm - 1
		}
	}
	return true
}

// leastSlant is the slant that is worth a cut of its own: about 7 degrees.
const leastSlant = 0.12

// slant estimates how far the characters in a rectangle lean: the shift along the
// reading axis per pixel down, at which the columns differ most from their
// neighbours, since upright strokes then fall into few columns (as in deslanting
// handwriting; Bozinovic and Srihari, 1989). A plate seen from the side has its
// baseline tilted and its characters upright, so that turning the baseline level
// makes them lean.
func (r *Reader) slant(img *imaging.RGB, box rect) float64 {
	w := min(max(int(box.w/box.h*recHeight), recHeight), maxWidth)
	n := 3 * recHeight * w
	if cap(r.recBuf) < n {
		r.recBuf = make([]float32, 3*recHeight*maxWidth)
	}
	in := r.recBuf[:n]
	if !rectify(in, img, box.quad(), w, recHeight) {
		return 0
	}
	green := in[w*recHeight : 2*w*recHeight]
	columns := make([]float32, w)
	best, most := 0.0, float32(0)
	for k := -7; k <= 7; k++ {
		lean := 0.12 * float64(k)
		clear(columns)
		// The outer rows hold the frame and whatever is printed near it.
		for y := recHeight / 6; y < recHeight*5/6; y++ {
			shift := int(math.Round(lean * (float64(y) + 0.5 - recHeight/2)))
			row := green[y*w : (y+1)*w]
			for x := max(0, -shift); x < min(w, w-shift); x++ {
				columns[x] += row[x+shift]
			}
		}
		var sum float32
		margin := recHeight / 2
		for x := margin; x+1 < w-margin; x++ {
			d := columns[x+1] - columns[x]
			sum += d * d
		}
		if sum > most*1.02 || k == 0 && sum > most*0.95 {
			best, most = lean, sum
		}
	}
	return best
}

// goesOn reports whether the line seems to have further characters beyond its
// ends: columns that vary from top to bottom as much as those of its own n
// characters do, over most of the width of one more. The plain margin of a plate
// does not, nor does its frame, which is narrow.
func (r *Reader) goesOn(img *imaging.RGB, box rect, n int) bool {
	pitch := box.w / float64(max(n, 1))
	wide := box.grow(1.2*pitch, 1.2*pitch, -0.2*box.h, -0.2*box.h)
	w := min(max(int(wide.w/wide.h*recHeight), recHeight), maxWidth)
	size := 3 * recHeight * w
	if cap(r.recBuf) < size {
		r.recBuf = make([]float32, 3*recHeight*maxWidth)
	}
	in := r.recBuf[:size]
	if !rectify(in, img, wide.quad(), w, recHeight) {
		return false
	}
	spread := make([]float64, w)
	for x := range spread {
		sum, squares := 0.0, 0.0
		for y := range recHeight {
			v := float64(in[w*recHeight+y*w+x])
			sum += v
			squares += v * v
		}
		mean := sum / recHeight
		spread[x] = math.Sqrt(max(0, squares/recHeight-mean*mean))
	}
	unit := float64(w) * pitch / wide.w
	inside := slices.Sorted(slices.Values(spread[int(1.2*unit) : w-int(1.2*unit)]))
	if len(inside) == 0 {
		return false
	}
	least := 0.7 * inside[len(inside)/2]
	if least < 0.02 {
		return false // nothing is written here
	}
	busy := func(columns []float64) bool {
		k := 0
		for _, v := range columns {
			if v >= least {
				k++
			}
		}
		return len(columns) > 0 && float64(k) > 0.6*float64(len(columns))
	}
	return busy(spread[int(0.2*unit):int(unit)]) || busy(spread[w-int(unit):w-int(0.2*unit)])
}
