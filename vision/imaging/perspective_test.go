package imaging

import (
	"math"
	"testing"
)

func TestRectToQuadMapsCornersAndCentre(t *testing.T) {
	quads := [][4][2]float64{
		{{0, 0}, {100, 0}, {100, 40}, {0, 40}},
		{{10, 20}, {120, 5}, {130, 60}, {5, 80}},
		{{200, 100}, {300, 160}, {290, 200}, {190, 130}},
	}
	for _, q := range quads {
		h, ok := RectToQuad(320, 48, q)
		if !ok {
			t.Fatalf("%v was refused", q)
		}
		for i, corner := range [4][2]float64{{0, 0}, {320, 0}, {320, 48}, {0, 48}} {
			if x, y := h.Apply(corner[0], corner[1]); math.Hypot(x-q[i][0], y-q[i][1]) > 1e-6 {
				t.Errorf("corner %d goes to %v,%v, want %v", i, x, y, q[i])
			}
		}
		// A projective map keeps lines: the centre goes where the diagonals meet.
		d1x, d1y := q[2][0]-q[0][0], q[2][1]-q[0][1]
		d2x, d2y := q[3][0]-q[1][0], q[3][1]-q[1][1]
		s := ((q[1][0]-q[0][0])*d2y - (q[1][1]-q[0][1])*d2x) / (d1x*d2y - d1y*d2x)
		x, y := h.Apply(160, 24)
		if math.Hypot(x-(q[0][0]+s*d1x), y-(q[0][1]+s*d1y)) > 1e-6 {
			t.Errorf("%v: the centre goes to %v,%v", q, x, y)
		}
	}
}

func TestRectToQuadRefusesWhatIsNoQuad(t *testing.T) {
	for _, q := range [][4][2]float64{
		{},
		{{0, 0}, {10, 0}, {0, 10}, {10, 10}},      // crossed
		{{0, 0}, {10, 0}, {20, 0}, {30, 0}},       // a line
		{{0, 0}, {10, 0}, {3, 3}, {0, 10}},        // dented
		{{0, 0}, {math.NaN(), 0}, {9, 9}, {0, 9}}, // not a number
	} {
		if _, ok := RectToQuad(10, 10, q); ok {
			t.Errorf("%v was accepted", q)
		}
	}
	if _, ok := RectToQuad(0, 10, [4][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}}); ok {
		t.Error("a rectangle without width was accepted")
	}
}
