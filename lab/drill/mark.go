package drill

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"strings"
	"unicode/utf16"

	"gatehouse"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Kind says what a mark is. Findings name a mark by its kind and number, never by
// its value.
type Kind string

// The kinds that are planted: all that is personal or secret and goes through the
// product. Badge labels are none: a site chooses them without names.
const (
	Name         Kind = "name"
	NationalID   Kind = "national id"
	Number       Kind = "number"
	Birth        Kind = "birth date"
	Phone        Kind = "phone"
	Email        Kind = "e-mail"
	Address      Kind = "address"
	Unit         Kind = "unit"
	Plate        Kind = "plate"
	Photo        Kind = "photo"
	Template     Kind = "template"
	PayNumber    Kind = "payroll number"
	Card         Kind = "card"
	PIN          Kind = "pin"
	QR           Kind = "qr"
	CameraSecret Kind = "camera password"
	ConsentRef   Kind = "consent reference"
	StoredSecret Kind = "stored secret"
	Reason       Kind = "operator's reason"
	CanaryLabel  Kind = "canary label"
	StayPlate    Kind = "stay's plate" // read in a picture by an operator, of who came with a ticket
	TicketCode   Kind = "ticket's code"
	Buyer        Kind = "invoice's buyer"
	TaxNumber    Kind = "buyer's tax number"
	BankAccount  Kind = "buyer's bank account"
)

// mark is one planted value: a text, a picture or a template.
type mark struct {
	kind     Kind
	n        int
	erased   bool // its subject was erased before the theft
	text     string
	photo    []byte    // a JPEG
	template []float32 // as the model makes it
}

func (m mark) String() string { return fmt.Sprintf("%s %d", m.kind, m.n) }

// form is one way in which a mark can lie on a disk.
type form struct {
	name  string
	bytes []byte
}

// leastForm is the shortest form that is looked for: shorter ones occur by chance.
const leastForm = 7

// forms lists every way in which programs write such a value. Compressed ones are not
// among them: compressed streams are unpacked where they are found.
func (m mark) forms() ([]form, error) {
	var all []form
	var err error
	switch {
	case m.photo != nil:
		all, err = pictureForms(m.photo)
	case m.template != nil:
		all = templateForms(m.template)
	default:
		all = textForms(m.text)
	}
	kept := all[:0]
	for _, f := range all {
		if len(f.bytes) >= leastForm {
			kept = append(kept, f)
		}
	}
	return kept, err
}

func textForms(text string) []form {
	plain := []byte(text)
	all := []form{{"utf-8", plain}}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(text)) {
		le, be = binary.LittleEndian.AppendUint16(le, u), binary.BigEndian.AppendUint16(be, u)
	}
	// Without the zero in front, which may belong to what stands before.
	all = append(all, form{"utf-16le", bytes.TrimRight(le, "\x00")}, form{"utf-16be", bytes.TrimLeft(be, "\x00")})
	if gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes(plain); err == nil && !bytes.Equal(gbk, plain) {
		all = append(all, form{"gbk", gbk})
	}
	digits := hex.EncodeToString(plain)
	all = append(all, form{"hex", []byte(digits)})
	if upper := strings.ToUpper(digits); upper != digits {
		all = append(all, form{"hex upper", []byte(upper)})
	}
	return append(all, base64Forms("", plain)...)
}

// base64Forms are what base64 of a longer text that holds b shows of it: its inner
// characters depend on where in a group of three it begins. The URL's alphabet counts
// where it makes a difference.
func base64Forms(name string, b []byte) (all []form) {
	for shift := range 3 {
		padded := append(make([]byte, shift), b...)
		from, until := (8*shift+5)/6, 8*len(padded)/6
		std := base64.RawStdEncoding.EncodeToString(padded)[from:until]
		url := base64.RawURLEncoding.EncodeToString(padded)[from:until]
		all = append(all, form{fmt.Sprintf("%sbase64+%d", name, shift), []byte(std)})
		if url != std {
			all = append(all, form{fmt.Sprintf("%sbase64url+%d", name, shift), []byte(url)})
		}
	}
	return all
}

// pictureForms are a JPEG's own bytes, from its middle, and what it decodes to: runs
// of its pixels as grey, RGB, BGR and RGBA, and a block of its luma.
func pictureForms(file []byte) ([]form, error) {
	mid := len(file) / 2
	piece := file[mid:min(mid+48, len(file))]
	all := []form{{"jpeg bytes", piece}, {"jpeg hex", []byte(hex.EncodeToString(piece))}}
	all = append(all, base64Forms("jpeg ", piece)...)
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("a planted picture cannot be decoded: %w", err)
	}
	b := img.Bounds()
	var rgb, bgr, rgba, grey, block []byte
	y := b.Min.Y + b.Dy()/2
	for x := b.Min.X + b.Dx()/3; x < b.Min.X+b.Dx()/3+24; x++ {
		r, g, bl, _ := img.At(x, y).RGBA()
		rgb = append(rgb, byte(r>>8), byte(g>>8), byte(bl>>8))
		bgr = append(bgr, byte(bl>>8), byte(g>>8), byte(r>>8))
		rgba = append(rgba, byte(r>>8), byte(g>>8), byte(bl>>8), 255)
	}
	if yc, ok := img.(*image.YCbCr); ok {
		x := b.Min.X + b.Dx()/3
		grey = yc.Y[yc.YOffset(x, y):][:24]
		for row := range 8 { // an 8×8 block as a decoder hands it on
			block = append(block, yc.Y[yc.YOffset(x&^7, y&^7+row):][:8]...)
		}
	}
	return append(all, form{"pixels rgb", rgb}, form{"pixels bgr", bgr}, form{"pixels rgba", rgba}, form{"pixels grey", grey}, form{"decoded block", block}), nil
}

// templateForms are runs of a template's numbers as float32, float16 and int8, the
// last scaled by the largest number, as quantizers do, and by a fixed 127.
func templateForms(t []float32) []form {
	const from, n = 100, 16
	var top float64
	for _, v := range t {
		top = max(top, math.Abs(float64(v)))
	}
	var le, be, le16, be16, scaled, fixed []byte
	for _, v := range t[min(from, len(t)):min(from+n, len(t))] {
		bits, half := math.Float32bits(v), float16(v)
		le, be = binary.LittleEndian.AppendUint32(le, bits), binary.BigEndian.AppendUint32(be, bits)
		le16, be16 = binary.LittleEndian.AppendUint16(le16, half), binary.BigEndian.AppendUint16(be16, half)
		scaled = append(scaled, byte(int8(math.Round(float64(v)/top*127))))
		fixed = append(fixed, byte(int8(math.Round(float64(v)*127))))
	}
	return []form{{"float32le", le}, {"float32be", be}, {"float16le", le16}, {"float16be", be16}, {"int8 scaled", scaled}, {"int8 fixed", fixed}}
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

// templateOf describes the one face of a photo as an enrolment does; nil where there
// is none that is good enough.
func templateOf(o gatehouse.Observation) []float32 {
	var best gatehouse.FaceSeen
	for _, f := range o.Faces {
		if f.Box.W > best.Box.W {
			best = f
		}
	}
	return best.Template
}
