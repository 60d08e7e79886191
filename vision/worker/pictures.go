package worker

import (
	"gatehouse"
	"gatehouse/vision/imaging"
)

// Sizes of the pictures that leave the child, in pixels of the longest side, and
// their JPEG quality.
const (
	stillSide, stillQuality     = 960, 80
	largeSide, largeQuality     = 1920, 88
	vehicleSide, vehicleQuality = 640, 85
)

// encodeStill gives the whole frame for the memory ring. It is made of every
// frame, so it is shrunk by a whole factor, which is faster than by any other:
// 1280×720 becomes 640×360. A large one is for a plan and has no tile.
func encodeStill(m *imaging.RGB, large bool) (still, tile []byte, err error) {
	if large {
		still, err = imaging.EncodeJPEG(shrink(m, largeSide), largeQuality)
		return still, nil, err
	}
	n := (max(m.W, m.H) + stillSide - 1) / stillSide
	m = imaging.Resize(m, max(m.W/n, 1), max(m.H/n, 1))
	if still, err = imaging.EncodeJPEG(m, stillQuality); err != nil {
		return nil, nil, err
	}
	tile, err = imaging.Thumb(m, imaging.TileSide)
	return still, tile, err
}

// vehicleCrop gives the surroundings of a plate: about the front or rear of a car,
// five plates wide, mostly above the plate; and the same for a list. Faces in it are hidden.
func vehicleCrop(m *imaging.RGB, plate gatehouse.Box, faces []gatehouse.FaceSeen) (crop, thumb []byte, err error) {
	w := max(5*plate.W, 160)
	h := w * 3 / 4
	area := imaging.Clip(gatehouse.Box{X: plate.X + plate.W/2 - w/2, Y: plate.Y + plate.H/2 - h*3/4, W: w, H: h}, m.W, m.H)
	part := imaging.Crop(m, area)
	for _, f := range faces {
		// hair and chin reach beyond the detector's box
		dx, dy := f.Box.W/5, f.Box.H/4
		imaging.Hide(part, gatehouse.Box{X: f.Box.X - dx - area.X, Y: f.Box.Y - dy - area.Y, W: f.Box.W + 2*dx, H: f.Box.H + 2*dy})
	}
	if crop, err = imaging.EncodeJPEG(shrink(part, vehicleSide), vehicleQuality); err != nil {
		return nil, nil, err
	}
	thumb, err = imaging.Thumb(part, imaging.ThumbSide)
	return crop, thumb, err
}

func shrink(m *imaging.RGB, side int) *imaging.RGB {
	long := max(m.W, m.H)
	if long <= side {
		return m
	}
	return imaging.Resize(m, max(m.W*side/long, 1), max(m.H*side/long, 1))
}
