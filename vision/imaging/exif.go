package imaging

import (
	"bytes"
	"encoding/binary"
)

// The EXIF orientation is the one tag that is read; nothing else of a picture's
// metadata (place, owner, serial number) is looked at or kept.
const orientationTag = 0x0112

// jpegFacts is what a walk over a JPEG's segments tells before anything is decoded.
type jpegFacts struct {
	orientation int // EXIF, 1 to 8; 1 where there is none or it makes no sense
	scans       int
	progressive bool
}

// inspectJPEG walks over the segments up to the end of the picture, with the same
// tolerance as the standard decoder, so that none of the scans that it would
// decode goes uncounted.
func inspectJPEG(data []byte) jpegFacts {
	f := jpegFacts{orientation: 1}
	exif := false
	for p := 2; p+1 < len(data); {
		if data[p] != 0xFF || data[p+1] == 0x00 || data[p+1] == 0xFF {
			p++ // a scan's data, padding, or bytes that belong nowhere
			continue
		}
		marker := data[p+1]
		p += 2
		if marker >= 0xD0 && marker <= 0xD8 || marker == 0x01 { // no length follows
			continue
		}
		if marker == 0xD9 || p+2 > len(data) {
			return f
		}
		n := int(binary.BigEndian.Uint16(data[p:]))
		if n < 2 {
			return f
		}
		segment := data[p+2 : max(p+2, min(p+n, len(data)))]
		switch marker {
		case 0xC2:
			f.progressive = true
		case 0xDA:
			f.scans++
		case 0xE1:
			if tiff, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && !exif {
				f.orientation, exif = tiffOrientation(tiff), true
			}
		}
		p += n
	}
	return f
}

// pngOrientation returns the orientation (1 to 8) of a PNG's eXIf chunk; 1 where
// there is none.
func pngOrientation(data []byte) int {
	for p := 8; p+12 <= len(data); {
		n := binary.BigEndian.Uint32(data[p:])
		if int64(n) > int64(len(data)-p-12) {
			return 1
		}
		switch string(data[p+4 : p+8]) {
		case "eXIf":
			return tiffOrientation(data[p+8 : p+8+int(n)])
		case "IDAT", "IEND":
			return 1
		}
		p += 12 + int(n)
	}
	return 1
}

// tiffOrientation reads the orientation from the first directory of a TIFF
// structure (EXIF 2.3, section 4.6).
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	entries := int64(order.Uint16(b[at:]))
	for i := range entries {
		e := at + 2 + 12*i
		if e+12 > int64(len(b)) {
			return 1
		}
		if order.Uint16(b[e:]) != orientationTag {
			continue
		}
		const short = 3
		v := int(order.Uint16(b[e+8:]))
		if order.Uint16(b[e+2:]) != short || v < 1 || v > 8 {
			return 1
		}
		return v
	}
	return 1
}

// Orient returns the picture as its EXIF orientation (1 to 8) wants it shown; the
// same picture for 1 and for anything outside that range.
func Orient(m *RGB, orientation int) *RGB {
	if orientation < 2 || orientation > 8 {
		return m
	}
	w, h := m.W, m.H
	// Walking over the source row by row, the destination starts somewhere and
	// moves by one step a column and another a row, in pixels.
	dw, dh := w, h
	if orientation >= 5 {
		dw, dh = h, w
	}
	var start, col, row int
	switch orientation {
	case 2: // mirrored
		start, col, row = w-1, -1, w
	case 3: // turned by 180°
		start, col, row = w*h-1, -1, -w
	case 4: // flipped
		start, col, row = w*(h-1), 1, -w
	case 5: // transposed
		start, col, row = 0, dw, 1
	case 6: // to be turned 90° clockwise
		start, col, row = dw-1, dw, -1
	case 7: // transversed
		start, col, row = dw*dh-1, -dw, -1
	case 8: // to be turned 90° anticlockwise
		start, col, row = dw*(dh-1), -dw, 1
	}
	out := New(dw, dh)
	for y := range h {
		src := m.Pix[3*w*y : 3*w*(y+1)]
		d := start + y*row
		for len(src) >= 3 {
			o := out.Pix[3*d : 3*d+3 : 3*d+3]
			o[0], o[1], o[2] = src[0], src[1], src[2]
			src = src[3:]
			d += col
		}
	}
	return out
}
