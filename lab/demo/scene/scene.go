// Package scene draws what the demo's cameras see: people from portraits and cars
// with rendered plates, changed in pose, light, sharpness and compression between
// enrolment and arrival, so that they go through the real pipeline as strangers to it.
package scene

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"gatehouse/vision/imaging"
)

// Look is how a picture is spoiled on its way into the camera.
type Look struct {
	Turn    float64 // in-plane rotation in degrees
	Shear   float64 // horizontal shear, a rough stand-in for yaw; 0 is frontal
	Zoom    float64 // 1 fills the frame's height
	DX, DY  float64 // shift in fractions of the frame
	Gain    float64 // brightness factor
	Warmth  float64 // red over blue; 1 is neutral
	Blur    int     // radius in pixels
	Noise   float64 // standard deviation in grey levels
	Quality int     // JPEG quality
}

// RandomLook draws the light, sharpness and compression of one arrival.
func RandomLook(r *rand.Rand) Look {
	return Look{Turn: r.NormFloat64() * 4, Shear: r.NormFloat64() * 0.04, Zoom: 0.95 + r.Float64()*0.12,
		Gain: 0.8 + r.Float64()*0.4, Warmth: 0.94 + r.Float64()*0.12, Blur: r.IntN(2), Noise: 1 + r.Float64()*3, Quality: 68 + r.IntN(24)}
}

// walk returns the look in frame i of n: somebody comes nearer and sways.
func (l Look) walk(i, n int) Look {
	t := float64(i) / float64(max(1, n-1))
	l.Zoom *= 0.86 + 0.14*t
	l.DX += 0.02 * math.Sin(5*t)
	l.DY += 0.012 * math.Sin(9*t)
	l.Turn += 1.5 * math.Sin(4*t)
	return l
}

// spoil applies light, noise and blur to the whole frame and encodes it.
func (l Look) spoil(m *image.RGBA, r *rand.Rand) []byte {
	gain := [3]float64{l.Gain * l.Warmth, l.Gain, l.Gain / l.Warmth}
	for i := 0; i < len(m.Pix); i += 4 {
		noise := r.NormFloat64() * l.Noise
		for c := range 3 {
			m.Pix[i+c] = clamp(float64(m.Pix[i+c])*gain[c] + noise)
		}
	}
	rgb := imaging.FromImage(m)
	if l.Blur > 0 {
		imaging.Blur(rgb, wholeBox(rgb), l.Blur)
	}
	var b bytes.Buffer
	// Encoding to memory cannot fail for a picture of this size.
	_ = jpeg.Encode(&b, rgb.ToImage(), &jpeg.Options{Quality: l.Quality})
	return b.Bytes()
}

func clamp(v float64) uint8 { return uint8(max(0, min(255, v))) }

// place draws src into dst by the look's pose: scaled so that Zoom 1 fills the
// height, turned and sheared around the centre, shifted; its edges fade over
// feather pixels of the source.
func (l Look) place(dst *image.RGBA, src *imaging.RGB, feather float64) {
	b := dst.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	scale := h * l.Zoom / float64(src.H)
	sin, cos := math.Sincos(l.Turn * math.Pi / 180)
	cx, cy := w*(0.5+l.DX), h*(0.5+l.DY)
	half := [2]float64{float64(src.W) / 2, float64(src.H) / 2}
	for y := range b.Dy() {
		for x := range b.Dx() {
			dx, dy := (float64(x)-cx)/scale, (float64(y)-cy)/scale
			sx := dx*cos + dy*sin
			sy := -dx*sin + dy*cos
			sx -= l.Shear * sy
			u, v := sx+half[0], sy+half[1]
			inside := min(u, v, float64(src.W-1)-u, float64(src.H-1)-v) // distance to the edge
			if inside < 0 {
				continue
			}
			cover := 1.0
			if feather > 0 {
				cover = min(1, inside/feather)
			}
			r, g, bl := sample(src, u, v)
			under := dst.RGBAAt(x, y)
			mix := func(over, below uint8) uint8 { return clamp(float64(over)*cover + float64(below)*(1-cover)) }
			dst.SetRGBA(x, y, color.RGBA{mix(r, under.R), mix(g, under.G), mix(bl, under.B), 255})
		}
	}
}

// sample reads a pixel between pixels, bilinearly.
func sample(m *imaging.RGB, u, v float64) (r, g, b uint8) {
	x, y := min(int(u), m.W-2), min(int(v), m.H-2)
	fx, fy := u-float64(x), v-float64(y)
	var out [3]uint8
	for c := range 3 {
		at := func(i, j int) float64 { return float64(m.Pix[3*(j*m.W+i)+c]) }
		out[c] = clamp((at(x, y)*(1-fx)+at(x+1, y)*fx)*(1-fy) + (at(x, y+1)*(1-fx)+at(x+1, y+1)*fx)*fy)
	}
	return out[0], out[1], out[2]
}

// fill paints a rectangle.
func fill(m *image.RGBA, r image.Rectangle, c color.Color) {
	draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// gradient paints a vertical gradient.
func gradient(m *image.RGBA, top, bottom color.RGBA) {
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		t := float64(y-b.Min.Y) / float64(b.Dy())
		mix := func(p, q uint8) uint8 { return uint8(float64(p)*(1-t) + float64(q)*t) }
		fill(m, image.Rect(b.Min.X, y, b.Max.X, y+1), color.RGBA{mix(top.R, bottom.R), mix(top.G, bottom.G), mix(top.B, bottom.B), 255})
	}
}
