package drill

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// mark is something personal that was planted, in every form in which it could lie
// on a disk.
type mark struct {
	name  string // what it is, for the report; never the value
	forms map[string][]byte
}

// textMark looks for a text in the encodings that programs write.
func textMark(name, text string) mark {
	m := mark{name, map[string][]byte{}}
	utf8 := []byte(text)
	m.forms["utf-8"] = utf8
	units := utf16.Encode([]rune(text))
	for _, u := range units {
		m.forms["utf-16le"] = binary.LittleEndian.AppendUint16(m.forms["utf-16le"], u)
		m.forms["utf-16be"] = binary.BigEndian.AppendUint16(m.forms["utf-16be"], u)
	}
	if gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes(utf8); err == nil && !bytes.Equal(gbk, utf8) {
		m.forms["gbk"] = gbk
	}
	m.forms["hex"] = []byte(hex.EncodeToString(utf8))
	m.forms["hex upper"] = bytes.ToUpper(m.forms["hex"])
	// Base64 of a longer text that holds this one: its inner characters depend on
	// where in a group of three it begins.
	for shift := range 3 {
		padded := append(make([]byte, shift), utf8...)
		enc := base64.StdEncoding.EncodeToString(padded)
		from, until := (8*shift+5)/6, len(enc)-4
		if until-from >= 6 {
			m.forms[fmt.Sprintf("base64+%d", shift)] = []byte(enc[from:until])
		}
	}
	return m
}

// pictureMark looks for a JPEG's own bytes, from its middle, and for what it
// decodes to: runs of its pixels as grey, RGB and RGBA.
func pictureMark(t *testing.T, name string, file []byte) mark {
	t.Helper()
	m := mark{name, map[string][]byte{}}
	mid := len(file) / 2
	m.forms["jpeg bytes"] = file[mid : mid+48]
	m.forms["jpeg hex"] = []byte(hex.EncodeToString(file[mid : mid+24]))
	m.forms["jpeg base64"] = []byte(base64.StdEncoding.EncodeToString(file[mid/3*3:]))[:48]
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	rgb, rgba, luma := pixels(img)
	m.forms["pixels rgb"], m.forms["pixels rgba"], m.forms["pixels grey"] = rgb, rgba, luma
	return m
}

// pixels returns a run of pixels from the middle of the picture that is not flat.
func pixels(img image.Image) (rgb, rgba, luma []byte) {
	b := img.Bounds()
	y := b.Min.Y + b.Dy()/2
	for x := b.Min.X + b.Dx()/3; x < b.Min.X+b.Dx()/3+24; x++ {
		r, g, bl, _ := img.At(x, y).RGBA()
		rgb = append(rgb, byte(r>>8), byte(g>>8), byte(bl>>8))
		rgba = append(rgba, byte(r>>8), byte(g>>8), byte(bl>>8), 255)
		if yc, ok := img.(*image.YCbCr); ok {
			luma = append(luma, yc.Y[yc.YOffset(x, y)])
		}
	}
	return rgb, rgba, luma
}

// templateMark looks for a run of a template's numbers as float32, float16 and int8.
func templateMark(name string, t []float32) mark {
	const from, n = 100, 16
	m := mark{name, map[string][]byte{}}
	var top float64
	for _, v := range t {
		top = max(top, math.Abs(float64(v)))
	}
	for _, v := range t[from : from+n] {
		bits := math.Float32bits(v)
		m.forms["float32le"] = binary.LittleEndian.AppendUint32(m.forms["float32le"], bits)
		m.forms["float32be"] = binary.BigEndian.AppendUint32(m.forms["float32be"], bits)
		m.forms["float16le"] = binary.LittleEndian.AppendUint16(m.forms["float16le"], float16(v))
		m.forms["float16be"] = binary.BigEndian.AppendUint16(m.forms["float16be"], float16(v))
		// Scaled by the largest value, as quantizers do, and by a fixed 127.
		m.forms["int8 scaled"] = append(m.forms["int8 scaled"], byte(int8(math.Round(float64(v)/top*127))))
		m.forms["int8 fixed"] = append(m.forms["int8 fixed"], byte(int8(math.Round(float64(v)*127))))
	}
	return m
}

// float16 rounds to IEEE 754 binary16, toward zero in the mantissa's last place;
// subnormals become zero. Templates of unit length need no more.
func float16(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, exp, frac := uint16(bits>>16&0x8000), int(bits>>23&0xff)-127+15, uint16(bits>>13&0x3ff)
	if exp <= 0 {
		return sign
	}
	return sign | uint16(exp)<<10 | frac
}

// hit is a mark that was found in a file.
type hit struct{ mark, form, file string }

// search looks for every form of every mark in every byte of every file below dir,
// and in the files' names. It returns the hits, and how many marks were found in at
// least one form.
func search(t *testing.T, dir string, marks []mark) (hits []hit, found map[string]map[string]bool, read int64) {
	t.Helper()
	found = map[string]map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read += int64(len(content))
		content = append(content, []byte("\x00"+path)...)
		for _, m := range marks {
			for form, bytesOf := range m.forms {
				if len(bytesOf) >= 6 && bytes.Contains(content, bytesOf) {
					hits = append(hits, hit{m.name, form, filepath.Base(path)})
					if found[m.name] == nil {
						found[m.name] = map[string]bool{}
					}
					found[m.name][form] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits, found, read
}
