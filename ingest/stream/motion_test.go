package stream

import (
	"math/rand/v2"
	"testing"
	"time"
)

// scene is a still, noisy picture.
func scene(r *rand.Rand, w, h int, noise float64) []byte {
	p := make([]byte, w*h)
	for y := range h {
		for x := range w {
			v := 40 + float64((x*7+y*3)%120) + r.NormFloat64()*noise
			p[y*w+x] = byte(min(max(v, 0), 255))
		}
	}
	return p
}

// put draws a square of side px that is 25 levels brighter.
func put(p []byte, w, x, y, px int) {
	for j := range px {
		for i := range px {
			p[(y+j)*w+x+i] = byte(min(int(p[(y+j)*w+x+i])+25, 255))
		}
	}
}

func TestMotionGate(t *testing.T) {
	const w, h = 640, 360
	r := rand.New(rand.NewPCG(1, 1))
	m := NewMotion(2 * time.Second)
	now := epoch
	step := func(change func(p []byte)) bool {
		p := scene(r, w, h, 4)
		if change != nil {
			change(p)
		}
		now = now.Add(200 * time.Millisecond)
		return m.Pass(p, w, h, now)
	}
	if !step(nil) {
		t.Fatal("the first frame was held back")
	}
	for range 20 { // the first frame's linger
		step(nil)
	}
	passed := 0
	for range 100 { // 20 s of nothing but noise
		if step(nil) {
			passed++
		}
	}
	if passed < 9 || passed > 11 || !m.Idle() {
		t.Fatalf("%d of 100 frames without motion passed in 20 s, want one in 2 s; idle %v", passed, m.Idle())
	}
	// A face-sized thing passes with the very first frame that shows it.
	if !step(func(p []byte) { put(p, w, 300, 100, 40) }) || m.Idle() {
		t.Fatal("the first frame of motion was held back")
	}
	// Somebody who walks is seen all the time, and who stops, for a while.
	for i := range 20 {
		if !step(func(p []byte) { put(p, w, 300+8*i, 100, 40) }) {
			t.Fatalf("frame %d of a walk was held back", i)
		}
	}
	for i := range 25 {
		if !step(func(p []byte) { put(p, w, 460, 100, 40) }) {
			t.Fatalf("somebody stands still before the door and is not looked at after %d frames", i)
		}
	}
	// What stays becomes background within a minute, and its leaving is motion.
	for range 300 {
		step(func(p []byte) { put(p, w, 460, 100, 40) })
	}
	if !m.Idle() {
		t.Fatal("a parked thing counts as motion for ever")
	}
	if !step(nil) {
		t.Fatal("a parked thing left unseen")
	}
}

func TestMotionSizes(t *testing.T) {
	m := NewMotion(time.Second)
	now := epoch
	for _, s := range [][2]int{{2, 2}, {16, 16}, {15, 40}, {17, 33}, {8194, 16}, {640, 360}} {
		for range 3 {
			now = now.Add(100 * time.Millisecond)
			if !m.Pass(make([]byte, s[0]*s[1]), s[0], s[1], now) {
				t.Errorf("%v: the first frames of a new size were held back", s)
			}
		}
	}
	// A clock that jumps back must not shut the gate.
	if !m.Pass(make([]byte, 640*360), 640, 360, now.Add(-time.Hour)) {
		t.Error("a frame was held back after the clock jumped back")
	}
}

func BenchmarkMotion720p(b *testing.B) {
	p := scene(rand.New(rand.NewPCG(1, 1)), 1280, 720, 4)
	m := NewMotion(time.Second)
	now := epoch
	for b.Loop() {
		now = now.Add(200 * time.Millisecond)
		m.Pass(p, 1280, 720, now)
	}
}
