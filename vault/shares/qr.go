package shares

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"

	"gatehouse"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// modulePixels is the size of a QR code's module in the PNG, and quiet the free space
// around the code in modules, as ISO/IEC 18004 asks for.
const (
	modulePixels = 8
	quiet        = 4
)

// code is the QR code of the words in capitals, which need fewer modules.
func (s Share) code() (barcode.Barcode, error) {
	c, err := qr.Encode(strings.ToUpper(strings.Join(s.Words(), " ")), qr.M, qr.AlphaNumeric)
	if err != nil {
		return nil, gatehouse.Errorf("shares.failed", "this is a fault of the program", "the share's QR code cannot be made: %w", err)
	}
	return c, nil
}

// PNG is the share's QR code as a picture.
func (s Share) PNG() ([]byte, error) {
	c, err := s.code()
	if err != nil {
		return nil, err
	}
	n := c.Bounds().Dx()
	side := (n + 2*quiet) * modulePixels
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if dark(c, x/modulePixels-quiet, y/modulePixels-quiet) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, gatehouse.Errorf("shares.failed", "this is a fault of the program", "the share's QR code cannot be written: %w", err)
	}
	return b.Bytes(), nil
}

// Terminal is the QR code for a dark terminal, two modules in a character.
func (s Share) Terminal() (string, error) {
	c, err := s.code()
	if err != nil {
		return "", err
	}
	n := c.Bounds().Dx()
	var b strings.Builder
	for y := -quiet; y < n+quiet; y += 2 {
		for x := -quiet; x < n+quiet; x++ {
			// What is lit is white.
			switch upper, lower := dark(c, x, y), dark(c, x, y+1); {
			case upper && lower:
				b.WriteString(" ")
			case upper:
				b.WriteString("▄")
			case lower:
				b.WriteString("▀")
			default:
				b.WriteString("█")
			}
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}

func dark(c barcode.Barcode, x, y int) bool {
	if x < 0 || y < 0 || x >= c.Bounds().Dx() || y >= c.Bounds().Dy() {
		return false
	}
	r, _, _, _ := c.At(x, y).RGBA()
	return r == 0
}
