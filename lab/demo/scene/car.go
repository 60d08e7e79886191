package scene

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"os"

	"gatehouse"
	"gatehouse/vision/imaging"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The lane camera's frame.
const (
	laneW, laneH = 960, 540
)

// Plates renders number plates: Chinese characters in one typeface, Latin letters
// and digits in another.
type Plates struct{ chinese, latin font.Face }

// face returns the typeface that has the character.
func (p *Plates) face(ch rune) font.Face {
	if ch > 0x2e80 {
		return p.chinese
	}
	return p.latin
}

// plateH is the height of a drawn plate in pixels, before the camera.
const plateH = 140

// LoadPlates reads the typeface at path, which must hold the Chinese province
// characters; the Latin one is Go's.
func LoadPlates(path string) (*Plates, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, gatehouse.Errorf("demo.font", "run `make assets`", "the typeface for the plates is missing: %w", err)
	}
	p := &Plates{}
	if p.chinese, err = newFace(raw, 112); err == nil {
		p.latin, err = newFace(gobold.TTF, 122)
	}
	if err != nil {
		return nil, gatehouse.Errorf("demo.font", "run `make assets` again", "the typeface for the plates cannot be read: %w", err)
	}
	return p, nil
}

func newFace(ttf []byte, size float64) (font.Face, error) {
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
}

// style is how a class of plate looks.
type style struct {
	ground, ink, band color.RGBA // band: the strip at the left; zero alpha for none
}

var styles = map[string]style{
	"cn-blue":       {ground: color.RGBA{20, 70, 170, 255}, ink: color.RGBA{245, 245, 245, 255}},
	"cn-yellow":     {ground: color.RGBA{240, 180, 30, 255}, ink: color.RGBA{20, 20, 20, 255}},
	"cn-new-energy": {ground: color.RGBA{150, 220, 160, 255}, ink: color.RGBA{15, 20, 15, 255}},
	"eu":            {ground: color.RGBA{242, 242, 238, 255}, ink: color.RGBA{15, 15, 18, 255}, band: color.RGBA{20, 60, 160, 255}},
	"us":            {ground: color.RGBA{236, 240, 246, 255}, ink: color.RGBA{30, 50, 110, 255}},
	"br":            {ground: color.RGBA{244, 244, 244, 255}, ink: color.RGBA{15, 15, 15, 255}},
}

// draw renders the plate alone: its ground, frame and text.
func (p *Plates) draw(text, class string) *imaging.RGB {
	s, ok := styles[class]
	if !ok {
		s = styles["eu"]
	}
	const margin, tracking = 26, 10
	left := margin
	if s.band.A > 0 {
		left += 34
	}
	width := left + margin
	d := &font.Drawer{}
	for _, ch := range text {
		d.Face = p.face(ch)
		width += d.MeasureString(string(ch)).Ceil() + tracking
	}
	m := image.NewRGBA(image.Rect(0, 0, width, plateH))
	fill(m, m.Bounds(), s.ink)
	fill(m, m.Bounds().Inset(4), s.ground)
	if s.band.A > 0 {
		fill(m, image.Rect(4, 4, 40, plateH-4), s.band)
	}
	d.Dst, d.Src = m, image.NewUniform(s.ink)
	d.Dot = fixed.P(left, plateH-30)
	for _, ch := range text {
		d.Face = p.face(ch)
		d.DrawString(string(ch))
		d.Dot.X += fixed.I(tracking)
	}
	return imaging.FromImage(m)
}

// Car returns n frames of a car that drives up to the lane camera. unreadable
// covers the plate with mud.
func (p *Plates) Car(text, class string, paint color.RGBA, unreadable bool, l Look, n int, r *rand.Rand) [][]byte {
	plate := p.draw(text, class)
	if unreadable {
		mud(plate, r)
	}
	frames := make([][]byte, n)
	for i := range n {
		t := float64(i) / float64(max(1, n-1))
		frame := image.NewRGBA(image.Rect(0, 0, laneW, laneH))
		street(frame)
		size := 0.62 + 0.38*t
		body(frame, paint, size)
		pl := l
		pl.Zoom = 0.115 * size * l.Zoom
		pl.Turn *= 0.5
		pl.DY = 0.12 + 0.13*size
		pl.DX = 0.01 * r.NormFloat64()
		pl.place(frame, plate, 2)
		frames[i] = l.spoil(frame, r)
	}
	return frames
}

// street is the lane without a car.
func street(m *image.RGBA) {
	gradient(m, color.RGBA{160, 176, 190, 255}, color.RGBA{96, 98, 102, 255})
	fill(m, image.Rect(0, laneH*6/10, laneW, laneH), color.RGBA{86, 87, 90, 255})
	for y := laneH * 6 / 10; y < laneH; y += 46 {
		fill(m, image.Rect(60, y, 74, y+24), color.RGBA{200, 200, 190, 255})
		fill(m, image.Rect(laneW-74, y, laneW-60, y+24), color.RGBA{200, 200, 190, 255})
	}
}

// body is the car's front.
func body(m *image.RGBA, paint color.RGBA, size float64) {
	cx, base := laneW/2, int(float64(laneH)*(0.62+0.3*size))
	w, h := int(470*size), int(330*size)
	dark := color.RGBA{uint8(int(paint.R) * 6 / 10), uint8(int(paint.G) * 6 / 10), uint8(int(paint.B) * 6 / 10), 255}
	shade := func(x0, y0, x1, y1 int, c color.Color) {
		draw.Draw(m, image.Rect(cx+x0, base+y0, cx+x1, base+y1), image.NewUniform(c), image.Point{}, draw.Over)
	}
	shade(-w/2, -10, w/2, 12, color.RGBA{30, 30, 32, 255}) // shadow
	shade(-w/2, -h*55/100, w/2, -8, paint)                 // bonnet and bumper
	shade(-w*38/100, -h, w*38/100, -h*55/100, paint)       // cabin
	shade(-w*33/100, -h*94/100, w*33/100, -h*60/100, color.RGBA{50, 62, 74, 255})
	shade(-w*36/100, -h*40/100, w*36/100, -h*28/100, dark)                            // grille
	shade(-w*47/100, -h*46/100, -w*36/100, -h*33/100, color.RGBA{240, 240, 225, 255}) // lamps
	shade(w*36/100, -h*46/100, w*47/100, -h*33/100, color.RGBA{240, 240, 225, 255})
}

// mud covers part of a plate: enough is left to see that it is one, and its text is
// read wrong, or unsurely, or now and then right all the same.
func mud(m *imaging.RGB, r *rand.Rand) {
	for range 28 {
		x, y, rad := r.IntN(m.W), r.IntN(m.H), 8+r.IntN(18)
		for j := max(0, y-rad); j < min(m.H, y+rad); j++ {
			for i := max(0, x-rad); i < min(m.W, x+rad); i++ {
				if (i-x)*(i-x)+(j-y)*(j-y) < rad*rad {
					at := 3 * (j*m.W + i)
					m.Pix[at], m.Pix[at+1], m.Pix[at+2] = 92, 74, 54
				}
			}
		}
	}
}

// Empty is a lane or door where nobody is.
func Empty(lane bool) []byte {
	l := Look{Gain: 1, Warmth: 1, Quality: 80}
	r := rand.New(rand.NewPCG(1, 2))
	if lane {
		m := image.NewRGBA(image.Rect(0, 0, laneW, laneH))
		street(m)
		return l.spoil(m, r)
	}
	m := image.NewRGBA(image.Rect(0, 0, doorW, doorH))
	gradient(m, color.RGBA{196, 200, 204, 255}, color.RGBA{140, 142, 148, 255})
	return l.spoil(m, r)
}
