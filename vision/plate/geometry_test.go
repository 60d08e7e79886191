package plate

import (
	"math"
	"math/rand/v2"
	"testing"

	"gatehouse"
	"gatehouse/vision/imaging"
)

func TestMinAreaRectRecoversRotation(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, degrees := range []float64{-40, -20, -5, 0, 3, 15, 30, 44} {
		angle := degrees * math.Pi / 180
		want := rect{c: vec{200, 120}, u: vec{math.Cos(angle), math.Sin(angle)}, w: 140, h: 40}
		q := want.quad()
		pts := q[:]
		for range 200 {
			pts = append(pts, q[0].lerp(q[1], rng.Float64()).lerp(q[3].lerp(q[2], rng.Float64()), rng.Float64()))
		}
		got := minAreaRect(hull(append([]vec(nil), pts...)))
		if got.c.sub(want.c).len() > 1 || math.Abs(got.w-want.w) > 2 || math.Abs(got.h-want.h) > 2 || got.u.dot(want.u) < 0.999 {
			t.Errorf("%v°: got %+v, want %+v", degrees, got, want)
		}
	}
}

func TestHullOfDegenerateSets(t *testing.T) {
	for _, pts := range [][]vec{nil, {{1, 1}}, {{1, 1}, {1, 1}}, {{0, 0}, {1, 1}, {2, 2}}, {{3, 3}, {3, 3}, {3, 3}, {3, 3}}} {
		r := minAreaRect(hull(pts))
		if math.IsNaN(r.w) || math.IsInf(r.w, 0) || r.u.len() < 0.99 {
			t.Errorf("%v: %+v", pts, r)
		}
	}
}

func TestOverlap(t *testing.T) {
	a := gatehouse.Box{X: 0, Y: 0, W: 10, H: 10}
	tests := []struct {
		b    gatehouse.Box
		want float64
	}{
		{a, 1},
		{gatehouse.Box{X: 20, Y: 0, W: 10, H: 10}, 0},
		{gatehouse.Box{X: 2, Y: 2, W: 5, H: 5}, 1},
		{gatehouse.Box{X: 5, Y: 0, W: 10, H: 10}, 0.5},
		{gatehouse.Box{}, 0},
	}
	for _, tt := range tests {
		if got := overlap(a, tt.b); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("overlap with %v is %v, want %v", tt.b, got, tt.want)
		}
	}
}

func TestJoinGeometry(t *testing.T) {
	at := func(x, y, w, h float64) line { return line{rect: rect{c: vec{x, y}, u: vec{1, 0}, w: w, h: h}} }
	tests := []struct {
		name              string
		a, b              line
		adjoining, stacks bool
	}{
		{"two halves of one line", at(100, 50, 60, 30), at(180, 52, 80, 30), true, false},
		{"the wrong way round", at(180, 52, 80, 30), at(100, 50, 60, 30), false, false},
		{"far apart", at(100, 50, 60, 30), at(260, 50, 60, 30), false, false},
		{"a small label beside a line", at(100, 50, 60, 30), at(160, 50, 40, 10), false, false},
		{"two-line plate", at(100, 50, 60, 24), at(100, 85, 120, 40), false, true},
		{"upside down", at(100, 85, 120, 40), at(100, 50, 60, 24), false, false},
		{"a sign far above", at(100, 0, 60, 24), at(100, 185, 120, 40), false, false},
	}
	for _, tt := range tests {
		if got := adjoining(tt.a, tt.b); got != tt.adjoining {
			t.Errorf("%s: adjoining is %v", tt.name, got)
		}
		if got := stacked(tt.a, tt.b); got != tt.stacks {
			t.Errorf("%s: stacked is %v", tt.name, got)
		}
	}
}

// A straight cut of a picture must return the picture's own values.
func TestRectifyKeepsPixels(t *testing.T) {
	img := imaging.New(64, 48)
	for y := range img.H {
		for x := range img.W {
			p := img.Pix[3*(y*img.W+x):]
			p[0], p[1], p[2] = byte(3*x), byte(4*y), byte(x+y)
		}
	}
	const w, h = 20, 10
	out := make([]float32, 3*w*h)
	if !rectify(out, img, quad{{8, 6}, {28, 6}, {28, 16}, {8, 16}}, w, h) {
		t.Fatal("a plain rectangle was refused")
	}
	for y := range h {
		for x := range w {
			p := img.Pix[3*((6+y)*img.W+8+x):]
			for c, want := range []byte{p[2], p[1], p[0]} { // blue first
				if got := (out[c*w*h+y*w+x] + 1) * 127.5; math.Abs(float64(got)-float64(want)) > 0.01 {
					t.Fatalf("channel %d at %d,%d is %v, want %d", c, x, y, got, want)
				}
			}
		}
	}
	if rectify(out, img, quad{{8, 6}, {28, 6}, {8, 16}, {28, 16}}, w, h) {
		t.Error("a crossed quad was accepted")
	}
	if !rectify(out, img, quad{{-30, -30}, {100, -30}, {100, 90}, {-30, 90}}, w, h) {
		t.Error("a quad that reaches beyond the picture was refused")
	}
}

// Strokes that lean by a known amount must be found to lean by it.
func TestSlant(t *testing.T) {
	for _, want := range []float64{-0.6, -0.24, 0, 0.24, 0.6} {
		img := imaging.New(300, 120)
		for y := range img.H {
			for x := range img.W {
				if at := float64(x) - want*(float64(y)-60); math.Mod(at+300, 24) < 7 && y > 38 && y < 82 {
					p := img.Pix[3*(y*img.W+x):]
					p[0], p[1], p[2] = 230, 230, 230
				}
			}
		}
		got := (&Reader{}).slant(img, rect{c: vec{150, 60}, u: vec{1, 0}, w: 180, h: 48})
		if math.Abs(got-want) > 0.13 {
			t.Errorf("slant %v found as %v", want, got)
		}
	}
}

// A line that leaves out a neighbouring character must be told from a whole one.
func TestGoesOn(t *testing.T) {
	img := imaging.New(300, 120)
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	bar := func(x0, x1 int) { // a character of three strokes, like an E
		for y := 40; y < 80; y++ {
			for x := x0; x < x1; x++ {
				if x < x0+4 || y < 47 || y > 72 || y > 56 && y < 63 {
					p := img.Pix[3*(y*img.W+x):]
					p[0], p[1], p[2] = 20, 20, 20
				}
			}
		}
	}
	for i := range 6 {
		bar(60+24*i, 78+24*i)
	}
	box := func(from, to float64) rect {
		return rect{c: vec{(from + to) / 2, 60}, u: vec{1, 0}, w: to - from, h: 46}
	}
	r := &Reader{}
	if r.goesOn(img, box(57, 201), 6) {
		t.Error("a whole line seems to go on")
	}
	if !r.goesOn(img, box(81, 201), 5) {
		t.Error("a line without its first character seems whole")
	}
	if !r.goesOn(img, box(57, 177), 5) {
		t.Error("a line without its last character seems whole")
	}
	if r.goesOn(img, box(280, 420), 6) || r.goesOn(img, rect{u: vec{1, 0}}, 0) {
		t.Error("something goes on where there is nothing")
	}
}

// The detector's input must be the picture at another size: a constant stays one.
func TestScaleIntoKeepsPlainColour(t *testing.T) {
	img := imaging.New(100, 70)
	for i := range img.W * img.H {
		img.Pix[3*i], img.Pix[3*i+1], img.Pix[3*i+2] = 10, 20, 30
	}
	for _, size := range [][2]int{{32, 32}, {160, 96}, {100, 70}} {
		out := make([]float32, 3*size[0]*size[1])
		var ax axis
		scaleInto(out, img, window{5, 5, 90, 60}, size[0], size[1], [3]float32{1, 2, 3}, [3]float32{1, 2, 4}, &ax)
		for c, want := range []float32{30 - 1, (20 - 2) / 2, (10 - 3) / 4.0} {
			for i := range size[0] * size[1] {
				if got := out[c*size[0]*size[1]+i]; math.Abs(float64(got-want)) > 1e-3 {
					t.Fatalf("%v: channel %d has %v, want %v", size, c, got, want)
				}
			}
		}
	}
}
