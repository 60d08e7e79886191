package scene

import (
	"bytes"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

// The same seed draws the same frames, so that a failed demo can be played again;
// frames of one walk differ, and every frame is a JPEG of the camera's size.
func TestScenesAreReproducible(t *testing.T) {
	draw := func() [][]byte {
		r := rand.New(rand.NewPCG(1, 2))
		portrait := imaging.New(120, 120)
		for i := range portrait.Pix {
			portrait.Pix[i] = byte(i * 7)
		}
		frames := append(Person(portrait, RandomLook(r), 3, r), Replay(portrait, RandomLook(r), 2, r)...)
		return append(frames, Enrolment(portrait, r), Empty(true), Empty(false))
	}
	one, two := draw(), draw()
	for i := range one {
		if !bytes.Equal(one[i], two[i]) {
			t.Errorf("frame %d differs between two runs", i)
		}
		if i > 0 && bytes.Equal(one[i], one[i-1]) {
			t.Errorf("frames %d and %d are the same", i-1, i)
		}
		m, err := imaging.Decode(one[i], imaging.Limits{})
		if err != nil || m.W < 400 || m.H < 400 {
			t.Errorf("frame %d: %v", i, err)
		}
	}
}

func TestPlatesShowTheirTextAndMudHidesIt(t *testing.T) {
	path := filepath.Join(models.Dir(), "fonts", "ZCOOLQingKeHuangYou-Regular.ttf")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the typeface is not fetched: run `make assets`")
	}
	p, err := LoadPlates(path)
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.draw("沪A8K372", "cn-blue"), p.draw("沪A8K373", "cn-blue")
	if a.H != plateH || a.W < 3*plateH || bytes.Equal(a.Pix, b.Pix) {
		t.Errorf("two plates are one picture, or of a strange size %d×%d", a.W, a.H)
	}
	r := rand.New(rand.NewPCG(1, 2))
	clean := p.Car("B XK 4521", "eu", color.RGBA{90, 30, 30, 255}, false, Look{Zoom: 1, Gain: 1, Warmth: 1, Quality: 90}, 1, r)
	muddy := p.Car("B XK 4521", "eu", color.RGBA{90, 30, 30, 255}, true, Look{Zoom: 1, Gain: 1, Warmth: 1, Quality: 90}, 1, r)
	if bytes.Equal(clean[0], muddy[0]) {
		t.Error("the mud is missing")
	}
	if _, err := LoadPlates("nowhere.ttf"); err == nil {
		t.Error("a missing typeface is no error")
	}
}
