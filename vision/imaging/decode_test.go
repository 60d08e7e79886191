package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"go/build"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
)

// scene is a picture with four different corners and a gradient.
func scene(w, h int) *RGB {
	m := New(w, h)
	for y := range h {
		for x := range w {
			d := m.Pix[3*(y*w+x):]
			d[0], d[1], d[2] = byte(255*x/w), byte(255*y/h), byte(128+100*((x/8+y/8)%2))
		}
	}
	return m
}

func asJPEG(t testing.TB, m *RGB) []byte {
	t.Helper()
	b, err := EncodeJPEG(m, 92)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// meanDifference is the mean absolute difference of two pictures of one size.
func meanDifference(t *testing.T, a, b *RGB) float64 {
	t.Helper()
	if a.W != b.W || a.H != b.H {
		t.Fatalf("%d×%d and %d×%d differ in size", a.W, a.H, b.W, b.H)
	}
	sum := 0
	for i, v := range a.Pix {
		sum += max(int(v), int(b.Pix[i])) - min(int(v), int(b.Pix[i]))
	}
	return float64(sum) / float64(len(a.Pix))
}

func pngChunk(kind string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// withChunk puts a chunk behind a PNG's IHDR.
func withChunk(data, chunk []byte) []byte {
	return bytes.Join([][]byte{data[:33], chunk, data[33:]}, nil)
}

func tiffWith(order binary.AppendByteOrder, orientation uint16) []byte {
	b := []byte("MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		b = []byte("II*\x00")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, tag := range []uint16{0x010F, orientationTag} {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, 3)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, orientation)
		b = order.AppendUint16(b, 0)
	}
	return order.AppendUint32(b, 0)
}

// withExif puts an APP1 segment behind a JPEG's SOI.
func withExif(data, tiff []byte) []byte {
	body := append([]byte("Exif\x00\x00"), tiff...)
	seg := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(len(body)+2))
	return bytes.Join([][]byte{data[:2], seg, body, data[2:]}, nil)
}

func TestDecodeRefusesBadInput(t *testing.T) {
	good := asJPEG(t, scene(64, 48))
	goodPNG := asPNG(t, scene(64, 48).ToImage())
	header := func(w, h uint32) []byte {
		b := binary.BigEndian.AppendUint32(nil, w)
		b = binary.BigEndian.AppendUint32(b, h)
		return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(b, 8, 2, 0, 0, 0))...)
	}
	bigJPEG := bytes.Clone(good) // says 65,500×65,500 in its frame header
	at := bytes.Index(bigJPEG, []byte{0xFF, 0xC0})
	copy(bigJPEG[at+5:], []byte{0xFF, 0xDC, 0xFF, 0xDC})
	broken := bytes.Clone(good) // a Huffman table that is none
	at = bytes.Index(broken, []byte{0xFF, 0xC4})
	for i := range 16 {
		broken[at+5+i] = 0xFF
	}
	badCRC := bytes.Clone(goodPNG)
	badCRC[30] ^= 1
	var animated bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})
	if err := gif.EncodeAll(&animated, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	scans := append(bytes.Clone(good[:len(good)-2]), bytes.Repeat([]byte{0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0}, 200)...)

	for _, c := range []struct {
		name, code string
		data       []byte
		limits     Limits
	}{
		{"no bytes", CodeEmpty, nil, Limits{}},
		{"text", CodeUnsupported, []byte("hello, gate"), Limits{}},
		{"zeros", CodeUnsupported, make([]byte, 1000), Limits{}},
		{"animated GIF", CodeUnsupported, animated.Bytes(), Limits{}},
		{"WebP", CodeUnsupported, []byte("RIFF\x20\x00\x00\x00WEBPVP8 "), Limits{}},
		{"HEIC", CodeUnsupported, []byte("\x00\x00\x00\x18ftypheic"), Limits{}},
		{"MP4", CodeUnsupported, []byte("\x00\x00\x00\x18ftypisom"), Limits{}},
		{"PDF", CodeUnsupported, []byte("%PDF-1.7\n"), Limits{}},
		{"JPEG of two bytes", CodeTruncated, good[:2], Limits{}},
		{"JPEG cut in its header", CodeTruncated, good[:200], Limits{}},
		{"JPEG cut in its data", CodeTruncated, good[:len(good)*2/3], Limits{}},
		{"JPEG with broken tables", CodeDamaged, broken, Limits{}},
		{"JPEG bomb", CodeTooLarge, bigJPEG, Limits{}},
		{"JPEG with hundreds of scans", CodeUnsupported, scans, Limits{}},
		{"PNG cut in its data", CodeTruncated, goodPNG[:len(goodPNG)/2], Limits{}},
		{"PNG signature only", CodeTruncated, goodPNG[:8], Limits{}},
		{"PNG bomb", CodeTooLarge, header(100_000, 100_000), Limits{}},
		{"PNG bomb over 32 bits", CodeTooLarge, header(0x7fffffff, 0x7fffffff), Limits{}},
		{"PNG with a wrong checksum", CodeDamaged, badCRC, Limits{}},
		{"PNG without pixels", CodeDamaged, header(0, 0), Limits{}},
		{"more bytes than allowed", CodeTooLarge, good, Limits{MaxBytes: 100}},
		{"more pixels than allowed", CodeTooLarge, good, Limits{MaxPixels: 64*48 - 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Decode(c.data, c.limits)
			var e *gatehouse.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, %v; want a gatehouse.Error", m, err)
			}
			if e.Code != c.code {
				t.Errorf("code %s, want %s (%v)", e.Code, c.code, err)
			}
			if e.Hint == "" || e.Message == "" {
				t.Errorf("no hint or message: %+v", e)
			}
		})
	}
	if _, err := Decode(good, Limits{MaxPixels: 64 * 48}); err != nil {
		t.Errorf("a picture exactly at the limit: %v", err)
	}
	// A phone's motion photo is a JPEG with a film behind it.
	film := append(bytes.Clone(good), bytes.Repeat([]byte{0xFF, 0xDA, 0, 8}, 1000)...)
	if _, err := Decode(film, Limits{}); err != nil {
		t.Errorf("a picture with bytes behind its end: %v", err)
	}
	deep := asPNG(t, image.NewNRGBA64(image.Rect(0, 0, 64, 48)))
	if _, err := Decode(deep, Limits{MaxPixels: 64 * 48}); gatehouse.ErrorCode(err) != CodeTooLarge {
		t.Errorf("a 16-bit picture of that size: %v", err)
	}
}

func TestDecodeKeepsPixels(t *testing.T) {
	want := scene(67, 41) // odd on purpose: the last chroma column serves one pixel
	got, err := Decode(asPNG(t, want.ToImage()), Limits{})
	if err != nil || !bytes.Equal(got.Pix, want.Pix) {
		t.Fatalf("PNG is not exact: %v", err)
	}
	if got, err = Decode(asJPEG(t, want), Limits{}); err != nil {
		t.Fatal(err)
	}
	if d := meanDifference(t, got, want); d > 4 {
		t.Errorf("JPEG differs by %.1f", d)
	}
}

// TestDecodeAgreesWithStandardColours compares the tight loops with At() on the
// standard library's own samples of every JPEG kind.
func TestDecodeAgreesWithStandardColours(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(build.Default.GOROOT, "src/image/testdata/video-*.jpeg"))
	more, _ := filepath.Glob(filepath.Join(build.Default.GOROOT, "src/image/png/testdata/pngsuite/basn*.png"))
	if len(files) < 4 || len(more) < 4 {
		t.Skip("the Go installation has no image samples")
	}
	for _, file := range append(files, more...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			ref, _, err := image.Decode(bytes.NewReader(data))
			if err != nil {
				t.Skip(err)
			}
			got, err := Decode(data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			b := ref.Bounds()
			for y := range got.H {
				for x := range got.W {
					c := color.NRGBAModel.Convert(ref.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
					for i, v := range []byte{c.R, c.G, c.B} {
						v = overWhite(v, c.A)
						if g := got.Pix[3*(y*got.W+x)+i]; max(g, v)-min(g, v) > 1 {
							t.Fatalf("pixel %d,%d: %d, want %d", x, y, g, v)
						}
					}
				}
			}
		})
	}
}

func TestDecodeLaysAlphaOverWhite(t *testing.T) {
	for name, m := range map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
	}{
		"8 bit":   image.NewNRGBA(image.Rect(0, 0, 2, 1)),
		"16 bit":  image.NewNRGBA64(image.Rect(0, 0, 2, 1)),
		"palette": image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{color.NRGBA{0, 0, 0, 0}, color.NRGBA{200, 0, 0, 128}}),
	} {
		m.Set(0, 0, color.NRGBA{0, 0, 0, 0})
		m.Set(1, 0, color.NRGBA{200, 0, 0, 128})
		got, err := Decode(asPNG(t, m), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want := []byte{255, 255, 255, 227, 127, 127}
		for i := range want {
			if d := int(got.Pix[i]) - int(want[i]); d < -1 || d > 1 {
				t.Errorf("%s: %v, want %v", name, got.Pix, want)
				break
			}
		}
	}
}

func TestDecodeTakesFirstFrameOfAnimatedPNG(t *testing.T) {
	want := scene(16, 8)
	data := asPNG(t, want.ToImage())
	data = withChunk(data, pngChunk("acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0}))
	got, err := Decode(data, Limits{})
	if err != nil || !bytes.Equal(got.Pix, want.Pix) {
		t.Fatalf("first frame: %v", err)
	}
}

func TestDecodeTurnsUpright(t *testing.T) {
	upright := scene(64, 32)
	// inverse[o] undoes orientation o, so storing its result with tag o must come
	// back upright.
	inverse := map[int]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
	for o, inv := range inverse {
		stored := Orient(upright, inv)
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			tiff := tiffWith(order, uint16(o))
			got, err := Decode(withExif(asJPEG(t, stored), tiff), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := meanDifference(t, got, upright); d > 4 {
				t.Errorf("JPEG with orientation %d: off by %.1f", o, d)
			}
			got, err = Decode(withChunk(asPNG(t, stored.ToImage()), pngChunk("eXIf", tiff)), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := meanDifference(t, got, upright); d != 0 {
				t.Errorf("PNG with orientation %d: off by %.1f", o, d)
			}
		}
	}
}

func TestOrientationOfNonsenseIsUpright(t *testing.T) {
	good := asJPEG(t, scene(16, 16))
	for name, tiff := range map[string][]byte{
		"empty":               nil,
		"no TIFF":             []byte("hello world"),
		"directory far away":  []byte("II*\x00\xff\xff\xff\xff"),
		"too many entries":    []byte("II*\x00\x08\x00\x00\x00\xff\xff"),
		"orientation 9":       tiffWith(binary.LittleEndian, 9),
		"orientation 0":       tiffWith(binary.BigEndian, 0),
		"directory cut short": tiffWith(binary.BigEndian, 6)[:20],
	} {
		if o := inspectJPEG(withExif(good, tiff)).orientation; o != 1 {
			t.Errorf("%s: orientation %d", name, o)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good := asJPEG(f, scene(32, 24))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(withExif(good, tiffWith(binary.LittleEndian, 6)))
	f.Add(asPNG(f, scene(16, 16).ToImage()))
	f.Add(asPNG(f, image.NewNRGBA64(image.Rect(0, 0, 3, 3))))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data, Limits{MaxPixels: 1 << 16})
		if err != nil {
			if code := gatehouse.ErrorCode(err); !strings.HasPrefix(code, "image.") {
				t.Fatalf("code %q: %v", code, err)
			}
			return
		}
		if m.W < 1 || m.H < 1 || m.W*m.H > 1<<16 || len(m.Pix) != 3*m.W*m.H {
			t.Fatalf("a picture of %d×%d with %d bytes", m.W, m.H, len(m.Pix))
		}
	})
}

func FuzzOrientation(f *testing.F) {
	f.Add(withExif([]byte{0xFF, 0xD8, 0xFF, 0xD9}, tiffWith(binary.BigEndian, 3)))
	f.Add(append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("eXIf", tiffWith(binary.LittleEndian, 5))...))
	f.Add(tiffWith(binary.LittleEndian, 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []int{inspectJPEG(data).orientation, pngOrientation(data), tiffOrientation(data)} {
			if o < 1 || o > 8 {
				t.Fatalf("orientation %d", o)
			}
		}
	})
}

func BenchmarkDecodeJPEG720p(b *testing.B) {
	data := asJPEG(b, scene(1280, 720))
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(data, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("standard library's part", func(b *testing.B) {
		for b.Loop() {
			_, _ = jpeg.Decode(bytes.NewReader(data))
		}
	})
}
