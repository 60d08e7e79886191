package drill

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3/driver"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// control writes the same marks and pictures as a product without sealing does, and
// searches that in the same way: what it does not find there it could not have found
// in the copy.
func (d *drill) control(ctx context.Context) error {
	marks := d.cast.marks()
	if err := writePlain(ctx, d.controlDir(), marks); err != nil {
		return err
	}
	m, err := newMatcher(marks)
	if err != nil {
		return err
	}
	s := newSearch(marks, m, nil)
	step := d.progress(sizeOf(d.controlDir()), "searching the plain control")
	defer step.finish()
	s.advance = step.add
	if err := s.tree(ctx, "control", d.controlDir()); err != nil {
		return err
	}
	d.report.ControlHits = len(s.found)
	for i := range marks {
		forms, err := marks[i].forms()
		if err != nil {
			return err
		}
		for _, f := range forms {
			d.report.Forms++
			if _, ok := s.found[i][f.name]; ok {
				d.report.ControlForms++
			}
		}
	}
	for _, n := range s.pictures {
		d.report.ControlPictures += n
	}
	return nil
}

// writePlain is the plain store: a database without encryption, exports in the
// encodings that programs write, pictures and what they decode to, templates as
// numbers, and archives of it.
func writePlain(ctx context.Context, dir string, marks []mark) error {
	w := plainWriter{dir: dir, files: map[string]*bytes.Buffer{}}
	var lines []string
	for _, m := range marks {
		switch {
		case m.photo != nil:
			if err := w.photo(m); err != nil {
				return err
			}
		case m.template != nil:
			w.template(m.template)
		default:
			lines = append(lines, m.text)
		}
	}
	if err := w.texts(lines); err != nil {
		return err
	}
	for name, b := range w.files {
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return w.database(ctx, marks)
}

type plainWriter struct {
	dir   string
	files map[string]*bytes.Buffer
}

func (w plainWriter) to(name string) *bytes.Buffer {
	if w.files[name] == nil {
		w.files[name] = &bytes.Buffer{}
	}
	return w.files[name]
}

// texts writes the lines in every encoding.
func (w plainWriter) texts(lines []string) error {
	whole := strings.Join(lines, "\n")
	if err := json.NewEncoder(w.to("people.json")).Encode(lines); err != nil {
		return err
	}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(whole)) {
		le, be = binary.LittleEndian.AppendUint16(le, u), binary.BigEndian.AppendUint16(be, u)
	}
	w.to("export-utf16le.csv").Write(le)
	w.to("export-utf16be.csv").Write(be)
	gz := gzip.NewWriter(w.to("archive.gz"))
	zs, err := zstd.NewWriter(w.to("archive.zst"))
	if err != nil {
		return err
	}
	for _, line := range lines {
		if gbk, err := simplifiedchinese.GBK.NewEncoder().String(line); err == nil {
			fmt.Fprintln(w.to("export-gbk.csv"), gbk)
		}
		digits := hex.EncodeToString([]byte(line))
		fmt.Fprintln(w.to("dump.hex"), digits, strings.ToUpper(digits))
		for shift := range 3 { // whatever stands before decides how base64 reads
			longer := "xx"[:shift%3] + line + "."
			fmt.Fprintln(w.to("messages.b64"), base64.StdEncoding.EncodeToString([]byte(longer)), base64.URLEncoding.EncodeToString([]byte(longer)))
		}
		fmt.Fprintln(gz, line)
		fmt.Fprintln(zs, line)
	}
	if err := gz.Close(); err != nil {
		return err
	}
	return zs.Close()
}

// bandRows is half the height of the band of a picture that is written decoded.
const bandRows = 24

// photo writes a picture's file, what it decodes to, and its file as text.
func (w plainWriter) photo(m mark) error {
	name := fmt.Sprintf("photo-%d", m.n)
	w.to(name + ".jpg").Write(m.photo)
	img, err := jpeg.Decode(bytes.NewReader(m.photo))
	if err != nil {
		return err
	}
	raw, blocks := w.to(name+".raw"), w.to(name+".blocks")
	var rgb, bgr, rgba, grey []byte
	// A band across the middle is enough: that is where the search looks.
	b := img.Bounds()
	top, bottom := max(b.Min.Y, b.Min.Y+b.Dy()/2-bandRows)&^7, min(b.Max.Y, b.Min.Y+b.Dy()/2+bandRows)
	for y := top; y < bottom; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			rgb = append(rgb, byte(r>>8), byte(g>>8), byte(bl>>8))
			bgr = append(bgr, byte(bl>>8), byte(g>>8), byte(r>>8))
			rgba = append(rgba, byte(r>>8), byte(g>>8), byte(bl>>8), 255)
		}
	}
	if luma, stride, ok := lumaOf(img); ok {
		grey = luma[top*stride : bottom*stride]
		for y := top; y+8 <= bottom; y += 8 {
			for x := 0; x+8 <= b.Dx(); x += 8 {
				for row := range 8 {
					blocks.Write(luma[(y+row)*stride+x:][:8])
				}
			}
		}
	}
	for _, pixels := range [][]byte{rgb, bgr, rgba, grey} {
		raw.Write(pixels)
	}
	text := w.to(name + ".txt")
	fmt.Fprintln(text, hex.EncodeToString(m.photo))
	for shift := range 3 {
		text.WriteString(base64.StdEncoding.EncodeToString(append(make([]byte, shift), m.photo...)))
		text.WriteString("\n" + base64.URLEncoding.EncodeToString(append(make([]byte, shift), m.photo...)) + "\n")
	}
	return nil
}

// lumaOf is a decoded JPEG's luma.
func lumaOf(img image.Image) (luma []byte, stride int, ok bool) {
	yc, ok := img.(*image.YCbCr)
	if !ok {
		return nil, 0, false
	}
	return yc.Y, yc.YStride, true
}

// template writes a template as other programs keep it.
func (w plainWriter) template(t []float32) {
	var top float64
	for _, v := range t {
		top = max(top, math.Abs(float64(v)))
	}
	for _, v := range t {
		bits, half := math.Float32bits(v), float16(v)
		w.to("templates.f32").Write(binary.LittleEndian.AppendUint32(nil, bits))
		w.to("templates.f32be").Write(binary.BigEndian.AppendUint32(nil, bits))
		w.to("templates.f16").Write(binary.LittleEndian.AppendUint16(nil, half))
		w.to("templates.f16be").Write(binary.BigEndian.AppendUint16(nil, half))
		w.to("templates.int8").WriteByte(byte(int8(math.Round(float64(v) / top * 127))))
		w.to("templates.fixed8").WriteByte(byte(int8(math.Round(float64(v) * 127))))
	}
}

// database writes the marks into a SQLite file, as a product that stores them plainly.
func (w plainWriter) database(ctx context.Context, marks []mark) error {
	db, err := driver.Open("file:" + filepath.Join(w.dir, "plain.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE TABLE marks (kind TEXT, n INTEGER, value BLOB)`); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, m := range marks {
		var value any = m.text
		if m.photo != nil {
			value = m.photo
		} else if m.template != nil {
			value = floats(m.template)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO marks VALUES (?, ?, ?)`, string(m.kind), m.n, value); err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	return tx.Commit()
}

func floats(t []float32) []byte {
	var b []byte
	for _, v := range t {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
