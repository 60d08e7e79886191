package face

import (
	"gatehouse"
	"gatehouse/vision/imaging"
)

const alignedSide = 112

// reference is where the five points lie in an aligned face (InsightFace, arcface
// 112×112).
var reference = [5]gatehouse.Point{
	{X: 38.2946, Y: 51.6963}, {X: 73.5318, Y: 51.5014}, {X: 56.0252, Y: 71.7366},
	{X: 41.5493, Y: 92.3655}, {X: 70.7299, Y: 92.2041},
}

// align cuts the face out so that its five points lie on the reference as nearly
// as rotation, scale and shift allow.
func align(img *imaging.RGB, points [5]gatehouse.Point) (*imaging.RGB, bool) {
	back, ok := imaging.Similarity(reference[:], points[:])
	if !ok {
		return nil, false
	}
	return imaging.Warp(img, back, alignedSide, alignedSide), true
}

// minContrast is the spread of grey values below which a face counts as badly lit.
const minContrast = 128

// relight spreads the grey values of a badly lit aligned face over the whole range,
// the three channels alike; other faces stay as they are. With probes darkened to a
// fifth, FNIR at 1 % FPIR falls from 8.7 % to 2.6 % (469 probes), the figure of
// the same probes in full light; spreading every face gains nothing.
func relight(aligned *imaging.RGB) *imaging.RGB {
	var count [256]int
	for _, v := range imaging.ToGrey(aligned).Pix {
		count[v]++
	}
	percentile := func(share int) int {
		left := aligned.W * aligned.H * share / 100
		for v, n := range count {
			if left -= n; left < 0 {
				return v
			}
		}
		return 255
	}
	lo, hi := percentile(1), percentile(99)
	if hi-lo >= minContrast || hi-lo < 2 {
		return aligned
	}
	var table [256]byte
	for v := range table {
		table[v] = byte(min(max((v-lo)*255/(hi-lo), 0), 255))
	}
	out := imaging.New(aligned.W, aligned.H)
	for i, v := range aligned.Pix {
		out.Pix[i] = table[v]
	}
	return out
}
