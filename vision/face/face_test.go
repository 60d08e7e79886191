package face

import (
	"fmt"
	"math"
	"testing"

	"gatehouse"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

func see(t *testing.T, e *Engine, img *imaging.RGB, opt Options) []gatehouse.FaceSeen {
	t.Helper()
	faces, err := e.See(img, opt)
	if err != nil {
		t.Fatal(err)
	}
	return faces
}

// one returns the only face of a picture.
func one(t *testing.T, e *Engine, img *imaging.RGB, opt Options) gatehouse.FaceSeen {
	t.Helper()
	faces := see(t, e, img, opt)
	if len(faces) != 1 {
		t.Fatalf("%d faces, want 1", len(faces))
	}
	return faces[0]
}

func TestSeeDescribesAFace(t *testing.T) {
	e := engine(t)
	img := frame(portrait(t, "000m.jpg"), 400, 100, 500)
	f := one(t, e, img, Options{Template: true, Live: true, Crop: true})
	if f.Box.X < 400 || f.Box.Y < 100 || f.Box.X+f.Box.W > 900 || f.Box.Y+f.Box.H > 600 {
		t.Errorf("the box %+v is outside the portrait", f.Box)
	}
	for i, p := range f.Landmarks {
		if p.X < float32(f.Box.X) || p.X > float32(f.Box.X+f.Box.W) || p.Y < float32(f.Box.Y) || p.Y > float32(f.Box.Y+f.Box.H) {
			t.Errorf("landmark %d at %v is outside the box %+v", i, p, f.Box)
		}
	}
	l := f.Landmarks
	if !(l[0].X < l[2].X && l[2].X < l[1].X && l[3].X < l[4].X && l[0].Y < l[2].Y && l[2].Y < l[3].Y) {
		t.Errorf("the landmarks are not eyes, nose, mouth: %v", l)
	}
	if len(f.Template) != 512 {
		t.Fatalf("the template has %d dimensions", len(f.Template))
	}
	if n := Similarity(f.Template, f.Template); math.Abs(float64(n)-1) > 1e-4 {
		t.Errorf("the template's length is %v", n)
	}
	if f.Live < 0 || f.Live > 1 || f.Score < minScore || f.Score > 1 {
		t.Errorf("live %v, score %v", f.Live, f.Score)
	}
	if _, err := imaging.Decode(f.Crop, imaging.Limits{}); err != nil {
		t.Errorf("the crop: %v", err)
	}
	if q := f.Quality; q.EyeDistance < 40 || q.Brightness < 20 || q.Sharpness <= 0 {
		t.Errorf("quality %+v", q)
	}
}

func TestSeeDoesOnlyWhatIsAsked(t *testing.T) {
	e := engine(t)
	f := one(t, e, frame(portrait(t, "000m.jpg"), 400, 100, 500), Options{})
	if f.Template != nil || f.Crop != nil || f.Live != -1 {
		t.Errorf("template %v, crop %v, live %v", f.Template != nil, f.Crop != nil, f.Live)
	}
	f = one(t, e, frame(portrait(t, "000m.jpg"), 400, 100, 500), Options{Template: true, MinEyes: 1000})
	if f.Template != nil {
		t.Error("a face below MinEyes has a template")
	}
}

func TestSeeFindsNothingWhereNothingIs(t *testing.T) {
	e := engine(t)
	for _, size := range [][2]int{{0, 0}, {1, 1}, {7, 7}, {8, 8}, {1, 2000}, {2000, 1}, {640, 480}} {
		if faces := see(t, e, imaging.New(size[0], size[1]), Options{Template: true, Live: true, Crop: true, Tiles: true}); len(faces) != 0 {
			t.Errorf("%v: %d faces in a black picture", size, len(faces))
		}
	}
}

// TestTemplateStandsChanges compares each portrait with changed pictures of the
// same portrait and with the other portraits, at the registry's threshold.
func TestTemplateStandsChanges(t *testing.T) {
	e := engine(t)
	const n = 8
	threshold := models.Threshold(100)
	var enrolled [][]float32
	for i := range n {
		enrolled = append(enrolled, one(t, e, frame(portrait(t, fmt.Sprintf("%03dm.jpg", i)), 300, 60, 600), Options{Template: true}).Template)
	}
	for i := range n {
		base := portrait(t, fmt.Sprintf("%03dm.jpg", i))
		changed := map[string]*imaging.RGB{
			"smaller": frame(base, 700, 300, 200),
			"darker":  darker(frame(base, 300, 60, 600)),
			"blurred": blurred(frame(base, 300, 60, 600)),
			"turned":  turned(frame(base, 300, 60, 600), 12),
		}
		for name, img := range changed {
			got := one(t, e, img, Options{Template: true}).Template
			for j, g := range enrolled {
				s := Similarity(got, g)
				if i == j && s < threshold {
					t.Errorf("%s: %.3f to itself, below %.3f", name, s, threshold)
				}
				if i != j && s >= threshold {
					t.Errorf("%s: %.3f to somebody else, not below %.3f", name, s, threshold)
				}
			}
		}
	}
}

func darker(m *imaging.RGB) *imaging.RGB {
	for i, v := range m.Pix {
		m.Pix[i] = byte(int(v) * 15 / 100)
	}
	return m
}

func blurred(m *imaging.RGB) *imaging.RGB {
	imaging.Blur(m, gatehouse.Box{W: m.W, H: m.H}, 3)
	return m
}

func turned(m *imaging.RGB, degrees float64) *imaging.RGB {
	s, c := math.Sincos(degrees * math.Pi / 180)
	cx, cy := float64(m.W)/2, float64(m.H)/2
	return imaging.Warp(m, imaging.Affine{A: c, B: -s, C: cx - c*cx + s*cy, D: s, E: c, F: cy - s*cx - c*cy}, m.W, m.H)
}

func TestCropShowsOnePersonOnly(t *testing.T) {
	e := engine(t)
	img := frame(portrait(t, "000m.jpg"), 330, 200, 300)
	put(img, imaging.Resize(portrait(t, "001m.jpg"), 300, 300), 630, 200)
	faces := see(t, e, img, Options{Template: true, Crop: true})
	if len(faces) != 2 || faces[0].Box.X > faces[1].Box.X {
		t.Fatalf("%d faces, want 2 from left to right", len(faces))
	}
	for i, f := range faces {
		crop, err := imaging.Decode(f.Crop, imaging.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		left := see(t, e, crop, Options{Template: true})
		own := 0
		for _, g := range left {
			if Similarity(g.Template, f.Template) > 0.6 {
				own++
			}
			if s := Similarity(g.Template, faces[1-i].Template); s > 0.3 {
				t.Errorf("the other person is still in crop %d, similarity %.2f", i, s)
			}
		}
		if own != 1 {
			t.Errorf("crop %d shows its own face %d times", i, own)
		}
	}
}

func TestTilesFindSmallFaces(t *testing.T) {
	e := engine(t)
	img := imaging.New(1920, 1080)
	for i := range img.Pix {
		img.Pix[i] = 110
	}
	put(img, imaging.Resize(portrait(t, "000m.jpg"), 64, 64), 1500, 800)
	whole := see(t, e, img, Options{})
	tiles := see(t, e, img, Options{Tiles: true})
	if len(whole) != 0 {
		t.Logf("the whole picture already shows %d faces", len(whole))
	}
	if len(tiles) != 1 {
		t.Fatalf("%d faces with tiles, want 1", len(tiles))
	}
	if b := tiles[0].Box; b.X < 1490 || b.X+b.W > 1574 || b.Y < 790 || b.Y+b.H > 874 {
		t.Errorf("the face is at %+v", b)
	}
}

func TestMainFacePrefersLargeAndCentral(t *testing.T) {
	face := func(x, y, side int) gatehouse.FaceSeen {
		return gatehouse.FaceSeen{Box: gatehouse.Box{X: x, Y: y, W: side, H: side}}
	}
	for _, c := range []struct {
		name  string
		faces []gatehouse.FaceSeen
		want  int
	}{
		{"none", nil, -1},
		{"one at the edge", []gatehouse.FaceSeen{face(0, 0, 20)}, 0},
		{"larger wins", []gatehouse.FaceSeen{face(40, 40, 40), face(90, 75, 100)}, 1},
		{"central wins over slightly larger at the edge", []gatehouse.FaceSeen{face(0, 80, 90), face(85, 85, 80)}, 1},
		{"empty boxes", []gatehouse.FaceSeen{{}}, -1},
	} {
		if got := Main(c.faces, 250, 250); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSuppressKeepsTheBestOfEachFace(t *testing.T) {
	kept := suppress([]detection{
		{10, 10, 50, 50, 0.8}, {12, 12, 52, 52, 0.9}, {60, 10, 90, 50, 0.7}, {-90, 0, -10, 40, 0.99},
	}, 100, 100)
	if len(kept) != 2 || kept[0].score != 0.9 || kept[1].score != 0.7 {
		t.Errorf("kept %v", kept)
	}
}

func TestTilesCoverThePicture(t *testing.T) {
	for _, size := range [][2]int{{640, 480}, {1280, 720}, {1920, 1080}, {3840, 2160}, {8000, 600}, {500, 9000}} {
		tiles := tileBoxes(size[0], size[1])
		if len(tiles) > maxTiles {
			t.Errorf("%v: %d tiles", size, len(tiles))
		}
		if size[0] > 640 && len(tiles) == 0 {
			t.Errorf("%v: no tiles", size)
		}
		if len(tiles) == 0 {
			continue
		}
		for y := 0; y < size[1]; y += 37 {
			for x := 0; x < size[0]; x += 37 {
				covered := false
				for _, b := range tiles {
					covered = covered || x >= b.X && x < b.X+b.W && y >= b.Y && y < b.Y+b.H
				}
				if !covered {
					t.Fatalf("%v: %d,%d is in no tile", size, x, y)
				}
			}
		}
	}
}

func TestPoseHasSignsAndZero(t *testing.T) {
	yaw, pitch := pose(reference)
	if math.Abs(float64(yaw)) > 3 || math.Abs(float64(pitch)) > 3 {
		t.Errorf("the frontal face turns by %v, nods by %v", yaw, pitch)
	}
	right := reference
	right[2].X += 12
	if yaw, _ = pose(right); yaw < 15 {
		t.Errorf("nose to the right gives %v", yaw)
	}
	down := reference
	down[2].Y += 8
	if _, pitch = pose(down); pitch < 5 {
		t.Errorf("nose down gives %v", pitch)
	}
	if yaw, pitch = pose([5]gatehouse.Point{}); yaw != 0 || pitch != 0 {
		t.Errorf("no face gives %v, %v", yaw, pitch)
	}
}

func TestJudgeLiveness(t *testing.T) {
	for _, c := range []struct {
		name   string
		scores []float32
		lo, hi float32
	}{
		{"nothing judged", []float32{-1, -1}, -1, -1},
		{"no frames", nil, -1, -1},
		{"one frame is itself", []float32{0.7}, 0.69, 0.71},
		{"unjudged frames do not count", []float32{0.7, -1}, 0.69, 0.71},
		{"agreeing frames", []float32{0.9, 0.9, 0.9}, 0.89, 0.91},
		{"one certain frame does not outvote four", []float32{1, 0.2, 0.2, 0.2, 0.2}, 0.01, 0.6},
		{"all zero stays above zero", []float32{0, 0}, 0, 0.01},
	} {
		if got := JudgeLiveness(c.scores); got < c.lo || got > c.hi {
			t.Errorf("%s: %v, want %v to %v", c.name, got, c.lo, c.hi)
		}
	}
}

func TestFuseIsNearerThanItsParts(t *testing.T) {
	a, b := []float32{1, 0, 0}, []float32{0, 1, 0}
	got := Fuse([][]float32{a, b}, nil)
	if s := Similarity(got, got); math.Abs(float64(s)-1) > 1e-6 || math.Abs(float64(got[0]-got[1])) > 1e-6 {
		t.Errorf("the mean of two is %v", got)
	}
	if got := Fuse([][]float32{a, b}, []float32{1, 0}); got[0] != 1 || got[1] != 0 {
		t.Errorf("a weight of 0 counts: %v", got)
	}
	if got := Fuse(nil, nil); got != nil {
		t.Errorf("nothing fuses to %v", got)
	}
}

func TestFaultNamesWhatIsWrong(t *testing.T) {
	good := gatehouse.FaceQuality{EyeDistance: 60, Sharpness: 100, Brightness: 120}
	for want, q := range map[string]gatehouse.FaceQuality{
		"":             good,
		"face.small":   {EyeDistance: 10, Sharpness: 100, Brightness: 120},
		"face.blurred": {EyeDistance: 60, Sharpness: 3, Brightness: 120},
		"face.dark":    {EyeDistance: 60, Sharpness: 100, Brightness: 10},
		"face.bright":  {EyeDistance: 60, Sharpness: 100, Brightness: 250},
		"face.turned":  {EyeDistance: 60, Sharpness: 100, Brightness: 120, Yaw: -60},
	} {
		if got, sentence := Fault(q); got != want || (sentence == "") != (want == "") {
			t.Errorf("%+v: %q %q, want %q", q, got, sentence, want)
		}
	}
}

func TestQualitySeesBlurAndDarkness(t *testing.T) {
	e := engine(t)
	img := frame(portrait(t, "000m.jpg"), 300, 60, 600)
	sharp := one(t, e, img, Options{}).Quality
	if code, _ := Fault(sharp); code != "" {
		t.Errorf("a good portrait has the fault %s: %+v", code, sharp)
	}
	imaging.Blur(img, gatehouse.Box{W: img.W, H: img.H}, 16)
	for _, f := range see(t, e, img, Options{}) {
		if code, _ := Fault(f.Quality); code != "face.blurred" {
			t.Errorf("a blurred portrait has the fault %q: %+v", code, f.Quality)
		}
	}
	dark := frame(portrait(t, "000m.jpg"), 300, 60, 600)
	for i, v := range dark.Pix {
		dark.Pix[i] = v / 8
	}
	for _, f := range see(t, e, dark, Options{}) {
		if code, _ := Fault(f.Quality); code != "face.dark" {
			t.Errorf("a dark portrait has the fault %q: %+v", code, f.Quality)
		}
	}
}
