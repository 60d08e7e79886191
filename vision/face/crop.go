package face

import (
	"gatehouse"
	"gatehouse/vision/imaging"
)

const (
	cropScale   = 2.2 // of the face's box
	cropMaxSide = 480
	cropQuality = 85
)

// surroundings returns a JPEG of the picture around face i of all, with every other
// face made unrecognizable, so that evidence shows one person only; and the same for a list.
func surroundings(img *imaging.RGB, all []detection, i int) (crop, thumb []byte, err error) {
	d := all[i]
	side := max(d.x1-d.x0, d.y1-d.y0) * cropScale
	cx, cy := (d.x0+d.x1)/2, (d.y0+d.y1)/2
	area := imaging.Clip(gatehouse.Box{X: int(cx - side/2), Y: int(cy - side/2), W: int(side), H: int(side)}, img.W, img.H)
	part := imaging.Crop(img, area)
	own := d.box(img.W, img.H)
	for j, o := range all {
		if j == i {
			continue
		}
		// Hair and chin reach beyond the detector's box.
		mx, my := (o.x1-o.x0)*0.2, (o.y1-o.y0)*0.25
		b := gatehouse.Box{
			X: int(o.x0 - mx), Y: int(o.y0 - my),
			W: int(o.x1 - o.x0 + 2*mx), H: int(o.y1 - o.y0 + 2*my),
		}
		hideOutside(part, b, own, area)
	}
	// by a whole factor: a mean of whole pixels is several times faster
	if k := (max(part.W, part.H) + cropMaxSide - 1) / cropMaxSide; k > 1 {
		part = imaging.Crop(part, gatehouse.Box{W: part.W / k * k, H: part.H / k * k})
		part = imaging.Resize(part, part.W/k, part.H/k)
	}
	if crop, err = imaging.EncodeJPEG(part, cropQuality); err != nil {
		return nil, nil, err
	}
	thumb, err = imaging.Thumb(part, imaging.ThumbSide)
	return crop, thumb, err
}

// hideOutside hides box in part, except where it covers keep; both are in the
// picture's pixels, part shows area of it.
func hideOutside(part *imaging.RGB, box, keep, area gatehouse.Box) {
	box.X, box.Y = box.X-area.X, box.Y-area.Y
	keep.X, keep.Y = keep.X-area.X, keep.Y-area.Y
	kept := imaging.Clip(keep, part.W, part.H)
	saved := imaging.Crop(part, kept)
	imaging.Hide(part, box)
	for y := range saved.H {
		copy(part.Pix[3*((kept.Y+y)*part.W+kept.X):], saved.Pix[3*saved.W*y:3*saved.W*(y+1)])
	}
}
