package face

import (
	"gatehouse"
	"gatehouse/vision/imaging"
)

const landmarkSide = 64

// landmarks returns the 68 points of a face (iBUG order) in pixels of the picture.
// The model sees the square of the box's height around its middle, as the package
// that it comes from does (fr_detect.js, scaleResult); the box as it is, stretched,
// gave the same error rates within their intervals.
func (e *Engine) landmarks(img *imaging.RGB, d detection) (points [68]gatehouse.Point, err error) {
	side := d.y1 - d.y0
	x, y := (d.x0+d.x1-side)/2, d.y0
	grey := imaging.ToGrey(imaging.CropResize(img, float64(x), float64(y), float64(side), float64(side), landmarkSide, landmarkSide))
	in := e.planes(landmarkSide * landmarkSide)
	for i, v := range grey.Pix {
		in[i] = float32(v) / 256
	}
	out, err := run(e.landmark, in, 1, 1, landmarkSide, landmarkSide)
	if err != nil {
		return points, err
	}
	for i := range points {
		points[i] = gatehouse.Point{X: x + out[0].Data[2*i]*side, Y: y + out[0].Data[2*i+1]*side}
	}
	return points, nil
}

// five reduces the 68 points to those that faces are aligned by: the eyes' centres
// (of the four lid points), the nose's tip, the mouth's corners.
func five(p [68]gatehouse.Point) [5]gatehouse.Point {
	mean := func(at ...int) (m gatehouse.Point) {
		for _, i := range at {
			m.X += p[i].X / float32(len(at))
			m.Y += p[i].Y / float32(len(at))
		}
		return m
	}
	return [5]gatehouse.Point{
		mean(37, 38, 40, 41), mean(43, 44, 46, 47), p[30], mean(48, 60), mean(54, 64),
	}
}
