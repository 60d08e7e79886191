package scene

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"gatehouse"
	"gatehouse/vision/imaging"
)

// The door camera's frame.
const (
	doorW, doorH = 640, 480
)

func wholeBox(m *imaging.RGB) gatehouse.Box { return gatehouse.Box{W: m.W, H: m.H} }

// Person returns n frames of somebody who walks up to the door camera.
func Person(portrait *imaging.RGB, l Look, n int, r *rand.Rand) [][]byte {
	backdrop := wall(portrait)
	frames := make([][]byte, n)
	for i := range n {
		frame := image.NewRGBA(backdrop.Bounds())
		copy(frame.Pix, backdrop.Pix)
		step := l.walk(i, n)
		step.Zoom *= 1.36 // the portrait's own surroundings fill the frame
		step.place(frame, portrait, float64(portrait.W)/9)
		frames[i] = l.spoil(frame, r)
	}
	return frames
}

// Replay returns n frames of a portrait that somebody holds up on a phone: the
// screen's bezel, its coarser pixels and bands, and the blue of its light.
func Replay(portrait *imaging.RGB, l Look, n int, r *rand.Rand) [][]byte {
	screen := onScreen(portrait)
	backdrop := wall(portrait)
	frames := make([][]byte, n)
	l.Zoom *= 0.8
	l.Warmth *= 0.9
	for i := range n {
		frame := image.NewRGBA(backdrop.Bounds())
		copy(frame.Pix, backdrop.Pix)
		l.walk(i, n).place(frame, screen, 0)
		frames[i] = l.spoil(frame, r)
	}
	return frames
}

// onScreen shows the portrait on a phone's screen.
func onScreen(portrait *imaging.RGB) *imaging.RGB {
	const bezel = 26
	inner := imaging.Resize(portrait, 300, 300)
	m := imaging.New(inner.W+2*bezel, inner.H+4*bezel)
	for i := range m.Pix {
		m.Pix[i] = 12
	}
	for y := range inner.H {
		for x := range inner.W {
			at := 3 * ((y+2*bezel)*m.W + x + bezel)
			from := 3 * (y*inner.W + x)
			// Bands from the screen's refresh and a grid from its pixels.
			band := 0.9 + 0.1*math.Sin(float64(y)/5)
			if x%3 == 2 || y%3 == 2 {
				band *= 0.82
			}
			for c := range 3 {
				m.Pix[at+c] = clamp(float64(inner.Pix[from+c])*band + 14)
			}
		}
	}
	return m
}

// wall is what stands behind the person: a room in the colours of the portrait's
// own edge, with a door frame and a floor.
func wall(portrait *imaging.RGB) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, doorW, doorH))
	top, bottom := edgeColour(portrait, 0), edgeColour(portrait, portrait.H*2/3)
	gradient(m, top, bottom)
	frame := color.RGBA{top.R / 2, top.G / 2, top.B / 2, 255}
	for _, x := range []int{24, doorW - 36} {
		fill(m, image.Rect(x, 0, x+12, doorH-18), frame)
	}
	fill(m, image.Rect(0, doorH-18, doorW, doorH), color.RGBA{60, 62, 66, 255})
	return m
}

// edgeColour is the mean colour of the portrait's left and right edge below row y.
func edgeColour(m *imaging.RGB, y int) color.RGBA {
	var sum [3]int
	n := 0
	for ; y < m.H; y++ {
		for _, x := range []int{0, 1, m.W - 2, m.W - 1} {
			for c := range 3 {
				sum[c] += int(m.Pix[3*(y*m.W+x)+c])
			}
			n++
		}
	}
	return color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255}
}

// Enrolment returns the portrait as somebody would hand it in: another crop, light
// and compression than any arrival.
func Enrolment(portrait *imaging.RGB, r *rand.Rand) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 400, 400))
	l := Look{Zoom: 1, Gain: 1, Warmth: 1, Noise: 0.5, Quality: 92}
	gradient(m, color.RGBA{214, 216, 220, 255}, color.RGBA{190, 192, 198, 255})
	l.place(m, portrait, 0)
	return l.spoil(m, r)
}
