package drill

import (
	"bytes"
	"encoding/binary"
)

// countPictures says how many pictures begin in b: a magic number with a structure
// behind it that noise has less than once in a terabyte.
func countPictures(b []byte) (n int) {
	for _, m := range []struct {
		magic []byte
		fits  func([]byte) bool
	}{{[]byte{0xff, 0xd8, 0xff}, jpegFits}, {[]byte("\x89PNG\r\n\x1a\n"), pngFits}, {[]byte("RIFF"), webpFits}, {[]byte("GIF8"), gifFits}} {
		for at := 0; ; at++ {
			i := bytes.Index(b[at:], m.magic)
			if i < 0 {
				break
			}
			at += i
			if m.fits(b[at:]) {
				n++
			}
		}
	}
	return n
}

// jpegFits follows the segments from the start: two markers with plausible lengths,
// each where the one before ends (ITU-T T.81, B.1).
func jpegFits(b []byte) bool {
	at := 2
	for range 2 {
		if len(b) < at+4 || b[at] != 0xff {
			return false
		}
		switch marker := b[at+1]; {
		case marker >= 0xe0 && marker <= 0xef, marker == 0xdb, marker == 0xc4, marker >= 0xc0 && marker <= 0xc2, marker == 0xfe, marker == 0xdd:
		default:
			return false
		}
		length := int(binary.BigEndian.Uint16(b[at+2:]))
		if length < 3 {
			return false
		}
		at += 2 + length
	}
	return len(b) > at && b[at] == 0xff
}

func pngFits(b []byte) bool { return len(b) >= 16 && string(b[12:16]) == "IHDR" }

func webpFits(b []byte) bool { return len(b) >= 15 && string(b[8:15]) == "WEBPVP8" }

func gifFits(b []byte) bool {
	return len(b) >= 13 && (b[4] == '7' || b[4] == '9') && b[5] == 'a' && binary.LittleEndian.Uint16(b[6:]) > 0 && binary.LittleEndian.Uint16(b[8:]) > 0
}
