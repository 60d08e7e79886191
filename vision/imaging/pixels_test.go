package imaging

import (
	"bytes"
	"math"
	"testing"

	"gatehouse"
)

func plain(w, h int, r, g, b byte) *RGB {
	m := New(w, h)
	for i := range w * h {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = r, g, b
	}
	return m
}

func TestResizeKeepsPlainColour(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 5}, {100, 3}, {33, 200}, {320, 240}} {
		m := Resize(plain(61, 43, 10, 128, 255), size[0], size[1])
		for i, v := range m.Pix {
			if want := []byte{10, 128, 255}[i%3]; v != want {
				t.Fatalf("%v: channel %d is %d, want %d", size, i%3, v, want)
			}
		}
	}
}

func TestResizeByWholeFactorIsTheMean(t *testing.T) {
	m := New(4, 2)
	for i := range 8 {
		m.Pix[3*i] = byte(10 * i)
	}
	got := Resize(m, 2, 1)
	if got.Pix[0] != 25 || got.Pix[3] != 45 {
		t.Errorf("means %d and %d, want 25 and 45", got.Pix[0], got.Pix[3])
	}
}

func TestResizeUpInterpolates(t *testing.T) {
	m := New(2, 1)
	m.Pix[3] = 200
	got := Resize(m, 4, 1)
	want := []byte{0, 50, 150, 200} // OpenCV's INTER_LINEAR
	for x, v := range want {
		if got.Pix[3*x] != v {
			t.Errorf("column %d: %d, want %d", x, got.Pix[3*x], v)
		}
	}
}

func TestLetterboxMapsBack(t *testing.T) {
	out, scale, ox, oy := Letterbox(plain(1280, 720, 200, 200, 200), 320, 240)
	if out.W != 320 || out.H != 240 || scale != 0.25 || ox != 0 || oy != 30 {
		t.Fatalf("%d×%d scale %v offset %v,%v", out.W, out.H, scale, ox, oy)
	}
	if out.Pix[0] != 0 || out.Pix[3*(120*320+160)] != 200 {
		t.Error("the bars are not black or the middle is empty")
	}
}

func TestSimilarityRecoversRotationScaleShift(t *testing.T) {
	from := []gatehouse.Point{{X: 38, Y: 51}, {X: 73, Y: 51}, {X: 56, Y: 71}, {X: 41, Y: 92}, {X: 70, Y: 92}}
	s, c := math.Sincos(0.3)
	truth := Affine{2 * c, -2 * s, 17, 2 * s, 2 * c, -9}
	to := make([]gatehouse.Point, len(from))
	for i, p := range from {
		x, y := truth.Apply(float64(p.X), float64(p.Y))
		to[i] = gatehouse.Point{X: float32(x), Y: float32(y)}
	}
	got, ok := Similarity(from, to)
	if !ok {
		t.Fatal("no transform")
	}
	inv, ok := got.Invert()
	if !ok {
		t.Fatal("no inverse")
	}
	for i, p := range to {
		x, y := inv.Apply(float64(p.X), float64(p.Y))
		if math.Hypot(x-float64(from[i].X), y-float64(from[i].Y)) > 1e-3 {
			t.Errorf("point %d comes back to %v,%v", i, x, y)
		}
	}
	same := []gatehouse.Point{{X: 1, Y: 1}, {X: 1, Y: 1}}
	if _, ok := Similarity(same, same); ok {
		t.Error("one point twice gives a transform")
	}
	nan := float32(math.NaN())
	if _, ok := Similarity([]gatehouse.Point{{X: nan}, {Y: 1}}, same); ok {
		t.Error("NaN gives a transform")
	}
}

func TestWarpIdentityShiftAndOutside(t *testing.T) {
	m := scene(40, 30)
	if got := Warp(m, Affine{A: 1, E: 1}, 40, 30); !bytes.Equal(got.Pix, m.Pix) {
		t.Error("the identity changes pixels")
	}
	got := Warp(m, Affine{A: 1, C: 5, E: 1, F: 7}, 40, 30)
	if !bytes.Equal(got.Pix[:3], m.Pix[3*(7*40+5):][:3]) {
		t.Error("the shift does not start at 5,7")
	}
	if last := got.Pix[len(got.Pix)-3:]; last[0]|last[1]|last[2] != 0 {
		t.Error("outside is not black")
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), 1e300, -1e300} {
		Warp(m, Affine{A: f, C: f, E: f, F: f}, 4, 4) // must not panic
	}
}

func TestWarpShrinkingAgreesWithResize(t *testing.T) {
	m := scene(400, 320)
	got := CropResize(m, 0, 0, 400, 320, 100, 80)
	if d := meanDifference(t, got, Resize(m, 100, 80)); d > 4 {
		t.Errorf("off by %.1f", d)
	}
	for _, v := range CropResize(m, 10_000, 10_000, 400, 320, 100, 80).Pix {
		if v != 0 {
			t.Fatal("a crop outside the picture is not black")
		}
	}
}

func TestCropClips(t *testing.T) {
	m := scene(20, 10)
	got := Crop(m, gatehouse.Box{X: 15, Y: -3, W: 100, H: 6})
	if got.W != 5 || got.H != 3 || !bytes.Equal(got.Pix[:3], m.Pix[45:48]) {
		t.Errorf("%d×%d", got.W, got.H)
	}
	if got := Crop(m, gatehouse.Box{X: 30, Y: 0, W: 5, H: 5}); got.W != 0 || got.H != 0 {
		t.Errorf("outside: %d×%d", got.W, got.H)
	}
}

func TestHideRemovesDetailAndOnlyInside(t *testing.T) {
	m := scene(128, 128)
	before := ToGrey(Crop(m, gatehouse.Box{X: 34, Y: 34, W: 60, H: 60})).LaplacianVariance()
	orig := bytes.Clone(m.Pix)
	Hide(m, gatehouse.Box{X: 32, Y: 32, W: 64, H: 64})
	after := ToGrey(Crop(m, gatehouse.Box{X: 34, Y: 34, W: 60, H: 60})).LaplacianVariance()
	if after > before/20 {
		t.Errorf("Laplacian variance %.1f before and %.1f after", before, after)
	}
	if !bytes.Equal(m.Pix[:3*128*32], orig[:3*128*32]) || !bytes.Equal(m.Pix[3*128*96:], orig[3*128*96:]) {
		t.Error("pixels outside the box changed")
	}
	Hide(m, gatehouse.Box{X: -5, Y: -5, W: 6, H: 400}) // partly outside: must not panic
}

func TestBlurKeepsMeanAndSoftens(t *testing.T) {
	m := scene(64, 64)
	g := ToGrey(m)
	Blur(m, gatehouse.Box{W: 64, H: 64}, 4)
	b := ToGrey(m)
	if d := b.Mean() - g.Mean(); d > 2 || d < -2 {
		t.Errorf("the mean moved by %v", d)
	}
	if b.LaplacianVariance() > g.LaplacianVariance()/20 {
		t.Errorf("sharpness only fell from %v to %v", g.LaplacianVariance(), b.LaplacianVariance())
	}
}

func TestFromYUV420(t *testing.T) {
	// Studio range: 16 is black, 235 is white; the third frame is BT.601's red.
	for _, c := range []struct{ y, u, v, r, g, b byte }{
		{16, 128, 128, 0, 0, 0}, {235, 128, 128, 255, 255, 255}, {81, 90, 240, 254, 0, 0},
	} {
		w, h := 5, 3
		pix := append(bytes.Repeat([]byte{c.y}, w*h), bytes.Repeat([]byte{c.u}, 6)...)
		pix = append(pix, bytes.Repeat([]byte{c.v}, 6)...)
		m, err := FromYUV420(w, h, pix)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(m.Pix); i += 3 {
			if math.Abs(float64(m.Pix[i])-float64(c.r)) > 1 || math.Abs(float64(m.Pix[i+1])-float64(c.g)) > 1 || math.Abs(float64(m.Pix[i+2])-float64(c.b)) > 1 {
				t.Fatalf("%v gives %v", c, m.Pix[i:i+3])
			}
		}
	}
	if _, err := FromYUV420(4, 4, make([]byte, 23)); err == nil {
		t.Error("a short frame is accepted")
	}
}

func TestPlanarOrders(t *testing.T) {
	m := plain(2, 1, 10, 20, 30)
	one, zero := [3]float32{1, 1, 1}, [3]float32{}
	for order, want := range map[Order][]float32{OrderRGB: {10, 10, 20, 20, 30, 30}, OrderBGR: {30, 30, 20, 20, 10, 10}} {
		got := Planar(nil, m, order, zero, one)
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("order %d: %v, want %v", order, got, want)
				break
			}
		}
	}
}

func BenchmarkResize720pToDetector(b *testing.B) {
	m := scene(1280, 720)
	for b.Loop() {
		Letterbox(m, 320, 240)
	}
}

func BenchmarkWarp112(b *testing.B) {
	m := scene(1280, 720)
	for b.Loop() {
		Warp(m, Affine{1.4, -0.1, 300, 0.1, 1.4, 200}, 112, 112)
	}
}

func BenchmarkEncodeJPEG720p(b *testing.B) {
	m := scene(1280, 720)
	for b.Loop() {
		_, _ = EncodeJPEG(m, 85)
	}
}

func BenchmarkFromYUV420(b *testing.B) {
	pix := make([]byte, 1280*720*3/2)
	for b.Loop() {
		_, _ = FromYUV420(1280, 720, pix)
	}
}

func BenchmarkPlanar128(b *testing.B) {
	m, dst := scene(128, 128), make([]float32, 3*128*128)
	for b.Loop() {
		Planar(dst, m, OrderBGR, [3]float32{}, [3]float32{1, 1, 1})
	}
}

func TestReflectEdges(t *testing.T) {
	m := New(7, 3)
	for x := range 7 {
		m.Pix[3*(7+x)] = byte(x) // the middle row counts up
	}
	ReflectEdges(m, 2, 1, 4, 2)
	want := []byte{3, 2, 2, 3, 3, 2, 2} // only columns 2 and 3 are seen
	for y := range 3 {
		for x, v := range want {
			if got := m.Pix[3*(7*y+x)]; got != v {
				t.Errorf("row %d column %d: %d, want %d", y, x, got, v)
			}
		}
	}
	before := bytes.Clone(m.Pix)
	ReflectEdges(m, 5, 1, 5, 2)
	ReflectEdges(m, -3, -3, 50, 50)
	if !bytes.Equal(m.Pix, before) {
		t.Error("an empty or whole rectangle changes the picture")
	}
}
