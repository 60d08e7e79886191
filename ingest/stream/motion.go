package stream

import "time"

// Motion decides whether anything moves in front of a camera, so that an idle one
// costs next to nothing. It compares the brightness of 16×16 pixel blocks with a
// background that follows slowly. It errs towards motion: a lamp that is switched
// on passes, too.
type Motion struct {
	every      time.Duration
	bw, bh     int       // blocks across and down
	background []float32 // mean luma of each block, 0..255
	last       time.Time // of the last frame that passed
	until      time.Time // motion is taken to go on until then
	seen       time.Time // of the last frame
	idle       bool
}

const (
	block = 16
	// changed is how far a block's mean must be from the background, in grey levels.
	// Sensor noise of 4 levels moves a mean of 128 samples by 0.35, and the pulse of
	// an encoder's key frames by 1 to 2; a person moves it by 10 to 100.
	changed = 6
	// moving is how many changed blocks make motion: two are the size of a face 32
	// pixels across, less than can be recognized.
	moving = 2
	// linger is how long frames pass after the last motion, so that somebody who
	// stops before the door is still looked at.
	linger = 3 * time.Second
	// follow is the time constant with which the background takes on what stays.
	follow = 10 * time.Second
)

// NewMotion makes a gate that lets one frame through in each span of every while
// nothing moves.
func NewMotion(every time.Duration) *Motion { return &Motion{every: every} }

// Idle says whether the last frame was taken to show no motion.
func (m *Motion) Idle() bool { return m.idle }

// Pass looks at the luma plane of a w×h frame at the moment now and says whether
// the frame should go on. The first frame, and the first of another size, passes.
func (m *Motion) Pass(luma []byte, w, h int, now time.Time) bool {
	bw, bh := max(w/block, 1), max(h/block, 1)
	fresh := bw != m.bw || bh != m.bh || m.background == nil
	if fresh {
		m.bw, m.bh, m.background = bw, bh, make([]float32, bw*bh)
	}
	rate := float32(1)
	if !fresh {
		rate = float32(min(max(now.Sub(m.seen), 0), follow) / time.Millisecond)
		rate /= float32(follow / time.Millisecond)
	}
	m.seen = now
	count := 0
	var sums [8192 / block]uint32
	for by := range bh {
		row := sums[:min(bw, len(sums))]
		clear(row)
		rows := 0
		// Every second line is enough for a mean.
		for y := by * block; y < min((by+1)*block, h); y += 2 {
			sumBlocks(row, luma[y*w:(y+1)*w])
			rows++
		}
		n := float32(rows * min(block, w))
		for bx, sum := range row {
			mean := float32(sum) / n
			b := &m.background[by*bw+bx]
			if d := mean - *b; !fresh && (d > changed || d < -changed) {
				count++
			}
			*b += (mean - *b) * rate
		}
	}
	if fresh || count >= moving {
		m.until = now.Add(linger)
	}
	m.idle = !now.Before(m.until)
	if m.idle && now.Sub(m.last) < m.every && !now.Before(m.last) {
		return false
	}
	m.last = now
	return true
}

// sumBlocks adds each block's part of one line to its sum.
func sumBlocks(sums []uint32, line []byte) {
	for i := range sums {
		part := line[min(i*block, len(line)):min((i+1)*block, len(line))]
		if len(part) == block {
			p := (*[block]byte)(part)
			sums[i] += uint32(p[0]) + uint32(p[1]) + uint32(p[2]) + uint32(p[3]) +
				uint32(p[4]) + uint32(p[5]) + uint32(p[6]) + uint32(p[7]) +
				uint32(p[8]) + uint32(p[9]) + uint32(p[10]) + uint32(p[11]) +
				uint32(p[12]) + uint32(p[13]) + uint32(p[14]) + uint32(p[15])
			continue
		}
		for _, v := range part {
			sums[i] += uint32(v)
		}
	}
}
