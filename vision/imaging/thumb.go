package imaging

// ThumbSide is the size of a crop in a list, which is drawn 64 pixels wide, and TileSide
// that of a gate's latest frame beside others, in pixels of the longest side.
const ThumbSide, TileSide = 96, 320

const thumbQuality = 60

// Thumb returns the picture as a JPEG for a list, at most side pixels wide and high.
func Thumb(m *RGB, side int) ([]byte, error) {
	if long := max(m.W, m.H); long > side {
		m = Resize(m, max(m.W*side/long, 1), max(m.H*side/long, 1))
	}
	return EncodeJPEG(m, thumbQuality)
}
