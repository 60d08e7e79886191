package face

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

// engine returns an engine on one core, or skips the test where the models are absent.
func engine(tb testing.TB) *Engine {
	tb.Helper()
	if _, err := os.Stat(filepath.Join(models.Dir(), "models")); err != nil {
		tb.Skip("no models here: run `make assets`")
	}
	e, err := New(1)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.Close)
	return e
}

// portrait returns one of the demo's portraits, or skips the test.
func portrait(tb testing.TB, name string) *imaging.RGB {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(models.Dir(), "portraits", name))
	if err != nil {
		tb.Skip("no portraits here: run `make assets`")
	}
	m, err := imaging.Decode(data, imaging.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// frame puts a portrait into a grey 1280×720 picture, its top left corner at (x, y),
// brought to side pixels.
func frame(m *imaging.RGB, x, y, side int) *imaging.RGB {
	out := imaging.New(1280, 720)
	for i := range out.Pix {
		out.Pix[i] = 110
	}
	put(out, imaging.Resize(m, side, side*m.H/m.W), x, y)
	return out
}

func put(out, m *imaging.RGB, x, y int) {
	for j := range min(m.H, out.H-y) {
		copy(out.Pix[3*((y+j)*out.W+x):3*((y+j)*out.W+min(x+m.W, out.W))], m.Pix[3*m.W*j:])
	}
}

func BenchmarkStages(b *testing.B) {
	e := engine(b)
	img := frame(portrait(b, "000m.jpg"), 400, 100, 500)
	found, err := e.find(img, false)
	if err != nil || len(found) != 1 {
		b.Fatalf("%d faces, %v", len(found), err)
	}
	points, err := e.landmarks(img, found[0])
	if err != nil {
		b.Fatal(err)
	}
	aligned, _ := align(img, five(points))
	for _, stage := range []struct {
		name string
		run  func() error
	}{
		{"detect", func() error { _, err := e.find(img, false); return err }},
		{"landmarks", func() error { _, err := e.landmarks(img, found[0]); return err }},
		{"align", func() error { align(img, five(points)); return nil }},
		{"quality", func() error { quality(five(points), aligned); return nil }},
		{"template", func() error { _, err := e.describe(aligned); return err }},
		{"liveness", func() error { _, err := e.liveness(img, found[0]); return err }},
		{"crop", func() error { _, _, err := surroundings(img, found, 0); return err }},
		{"all", func() error { _, err := e.See(img, Options{Template: true, Live: true}); return err }},
		{"all and crop", func() error { _, err := e.See(img, Options{Template: true, Live: true, Crop: true}); return err }},
		{"tiles", func() error { _, err := e.find(img, true); return err }},
	} {
		b.Run(stage.name, func(b *testing.B) {
			for b.Loop() {
				if err := stage.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
