package drill

import "encoding/binary"

// matcher looks for many patterns in one pass: each is known by its rarest six bytes,
// a bitmap says at once that a place holds none of them, and what passes is compared
// in full. Its cost hardly grows with the number of patterns.
type matcher struct {
	patterns []pattern
	bitmap   []uint64
	windows  map[uint64][]int32 // six bytes -> patterns
}

type pattern struct {
	mark  int // index of its mark
	form  string
	bytes []byte
	at    int // where its six bytes stand
}

const (
	windowBytes = 6
	windowMask  = 1<<(8*windowBytes) - 1
	bitmapBits  = 21 // 256 KiB, which a core's second cache holds
)

func newMatcher(marks []mark) (*matcher, error) {
	m := &matcher{bitmap: make([]uint64, 1<<bitmapBits/64), windows: map[uint64][]int32{}}
	count := map[uint64]int{}
	each := func(b []byte, f func(at int, w uint64)) {
		for at := 0; at+windowBytes <= len(b); at++ {
			f(at, window(b[at:]))
		}
	}
	for i, mark := range marks {
		forms, err := mark.forms()
		if err != nil {
			return nil, err
		}
		for _, f := range forms {
			m.patterns = append(m.patterns, pattern{mark: i, form: f.name, bytes: f.bytes})
			each(f.bytes, func(_ int, w uint64) { count[w]++ })
		}
	}
	for i := range m.patterns {
		p := &m.patterns[i]
		best := -1
		each(p.bytes, func(at int, w uint64) {
			// Zeros and the like are rare among marks and frequent on disks.
			if n := count[w]; (best < 0 || n < best) && w != 0 {
				best, p.at = n, at
			}
		})
		w := window(p.bytes[p.at:])
		m.windows[w] = append(m.windows[w], int32(i))
		slot := bitmapSlot(w)
		m.bitmap[slot/64] |= 1 << (slot % 64)
	}
	return m, nil
}

// window reads six bytes; b has at least as many.
func window(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b) & windowMask
	}
	var eight [8]byte
	copy(eight[:], b[:windowBytes])
	return binary.LittleEndian.Uint64(eight[:])
}

func bitmapSlot(w uint64) uint64 { return w * 0x9E3779B97F4A7C15 >> (64 - bitmapBits) }

// scan calls hit for every pattern in b, as often as it stands there.
func (m *matcher) scan(b []byte, hit func(*pattern)) {
	for i := 0; i+windowBytes <= len(b); i++ {
		var w uint64
		if i+8 <= len(b) {
			w = binary.LittleEndian.Uint64(b[i:]) & windowMask
		} else {
			w = window(b[i:])
		}
		slot := bitmapSlot(w)
		if m.bitmap[slot/64]>>(slot%64)&1 == 0 {
			continue
		}
		for _, k := range m.windows[w] {
			p := &m.patterns[k]
			from := i - p.at
			if from >= 0 && from+len(p.bytes) <= len(b) && string(b[from:from+len(p.bytes)]) == string(p.bytes) {
				hit(p)
			}
		}
	}
}
