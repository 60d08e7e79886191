package imaging

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
)

// Limits bounds what Decode accepts. A zero field means its default.
type Limits struct {
	MaxBytes  int // of the encoded file; default 20 MiB
	MaxPixels int // width × height; default 50 million; a third for progressive JPEG, half for 16-bit PNG
}

// DefaultLimits is what a gate accepts from a camera or an operator.
var DefaultLimits = Limits{MaxBytes: 20 << 20, MaxPixels: 50_000_000}

const (
	// maxScans bounds a progressive JPEG: each scan walks over every block again for
	// as little as a dozen bytes, so a small file could keep a core busy for minutes.
	// Encoders write about 10.
	maxScans = 40
	// Pictures that take more memory to decode than the usual three bytes a pixel may
	// have fewer pixels: a progressive JPEG keeps four bytes for each coefficient, a
	// 16-bit PNG eight bytes for each pixel.
	progressiveWeight, deepWeight = 3, 2
)

// Decode turns an untrusted JPEG (baseline or progressive; grey, YCbCr, RGB,
// CMYK, YCCK) or PNG (any depth, palette, interlaced) into pixels, upright as its
// EXIF orientation says. Transparency is laid over white; of an animated PNG only
// the first frame is seen. The size is checked before anything is allocated for it.
//
// Errors are *gatehouse.Error with one of the Code constants of this package.
func Decode(data []byte, limits Limits) (*RGB, error) {
	if limits.MaxBytes <= 0 {
		limits.MaxBytes = DefaultLimits.MaxBytes
	}
	if limits.MaxPixels <= 0 {
		limits.MaxPixels = DefaultLimits.MaxPixels
	}
	if len(data) == 0 {
		return nil, fail(CodeEmpty, "send the picture's bytes as the body of the request, or a file that is not empty", "the picture has zero bytes")
	}
	if len(data) > limits.MaxBytes {
		return nil, fail(CodeTooLarge, "send a smaller JPEG; 1280×720 is enough", "the picture has %d bytes, more than the %d allowed", len(data), limits.MaxBytes)
	}
	kind := sniff(data)
	var config func(io.Reader) (image.Config, error)
	var decode func(io.Reader) (image.Image, error)
	var orient int
	switch kind {
	case "JPEG":
		facts := inspectJPEG(data)
		if facts.scans > maxScans {
			return nil, fail(CodeUnsupported, "save it again as an ordinary JPEG", "the JPEG has more than %d scans", maxScans)
		}
		if facts.progressive {
			limits.MaxPixels /= progressiveWeight
		}
		config, decode, orient = jpeg.DecodeConfig, jpeg.Decode, facts.orientation
	case "PNG":
		config, decode, orient = png.DecodeConfig, png.Decode, pngOrientation(data)
	case "":
		return nil, fail(CodeUnsupported, "send a JPEG or PNG", "these bytes are no picture that is known here")
	default:
		return nil, fail(CodeUnsupported, "convert it to JPEG or PNG", "this is %s; only JPEG and PNG are read", kind)
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, decodeError(kind, err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return nil, fail(CodeDamaged, "save or send the picture again", "the %s says that it is %d×%d pixels", kind, c.Width, c.Height)
	}
	if m := c.ColorModel; m == color.NRGBA64Model || m == color.RGBA64Model || m == color.Gray16Model {
		limits.MaxPixels /= deepWeight
	}
	if c.Width > limits.MaxPixels/c.Height {
		return nil, fail(CodeTooLarge, "send a smaller picture; 1280×720 is enough", "the %s is %d×%d pixels, more than the %d allowed", kind, c.Width, c.Height, limits.MaxPixels)
	}
	m, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, decodeError(kind, err)
	}
	return Orient(FromImage(m), orient), nil
}

// sniff names the format of an encoded picture by its first bytes: "JPEG", "PNG",
// the name (with its article) of a format that is refused, or "".
func sniff(data []byte) string {
	has := func(at int, magic string) bool {
		return len(data) >= at+len(magic) && string(data[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\xff\xd8"):
		return "JPEG"
	case has(0, "\x89PNG"):
		return "PNG"
	case has(0, "GIF8"):
		return "a GIF"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "a WebP picture"
	case has(0, "BM"):
		return "a BMP"
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		return "a TIFF"
	case has(4, "ftypavif"), has(4, "ftypavis"):
		return "an AVIF picture"
	case has(4, "ftyphe"), has(4, "ftypmif1"), has(4, "ftypmsf1"):
		return "a HEIC picture"
	case has(4, "ftyp"), has(0, "\x1aE\xdf\xa3"):
		return "a video"
	case has(0, "%PDF"):
		return "a PDF"
	case has(0, "<svg"), has(0, "<?xml"):
		return "an SVG or XML file"
	}
	return ""
}

// decodeError sorts what the standard decoders say into a cut file, a variant
// that they do not know, and plain damage.
func decodeError(kind string, err error) error {
	var jpegRare jpeg.UnsupportedError
	var pngRare png.UnsupportedError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.Contains(err.Error(), "not enough pixel data"),
		strings.Contains(err.Error(), "short Huffman data"):
		return fail(CodeTruncated, "send it again, whole", "the %s ends before the picture does", kind)
	case strings.Contains(err.Error(), "dimension overflow"):
		return fail(CodeTooLarge, "send a smaller picture; 1280×720 is enough", "the %s says that it has more pixels than can be counted", kind)
	case errors.As(err, &jpegRare), errors.As(err, &pngRare):
		return fail(CodeUnsupported, "save it again as an ordinary 8-bit JPEG or PNG", "a rare kind of %s: %w", kind, err)
	}
	return fail(CodeDamaged, "save or send the picture again", "the %s is damaged: %w", kind, err)
}
