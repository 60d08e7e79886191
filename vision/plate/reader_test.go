package plate

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gatehouse/vision/imaging"
	"gatehouse/vision/ort"
)

// fake answers every run with what it was given.
type fake struct {
	out  []ort.Tensor
	err  error
	runs int
}

func (f *fake) Run(...ort.Tensor) ([]ort.Tensor, error) {
	f.runs++
	return f.out, f.err
}

// blob is a detector that sees one line of text in the middle of every picture.
type blob struct{ runs int }

func (b *blob) Run(in ...ort.Tensor) ([]ort.Tensor, error) {
	b.runs++
	h, w := int(in[0].Shape[2]), int(in[0].Shape[3])
	out := make([]float32, w*h)
	for y := h*2/5 + 1; y < h*3/5-1; y++ {
		for x := w / 5; x < w*4/5; x++ {
			out[y*w+x] = 0.9
		}
	}
	return []ort.Tensor{{Shape: []int64{1, 1, int64(h), int64(w)}, Data: out}}, nil
}

// speller is a recognizer that says the same text of every picture.
type speller struct {
	keys []string
	text string
}

func (s speller) Run(in ...ort.Tensor) ([]ort.Tensor, error) {
	steps, classes := int(in[0].Shape[3])/recStep, len(s.keys)+1
	out := make([]float32, steps*classes)
	for t := range steps {
		row := out[t*classes : (t+1)*classes]
		if text := []rune(s.text); t%2 == 0 && t/2 < len(text) {
			for c, k := range s.keys {
				if k == string(text[t/2]) {
					row[c+1] = 0.99
				}
			}
			row[0] = 0.01
		} else {
			row[0] = 1
		}
	}
	return []ort.Tensor{{Shape: []int64{1, int64(steps), int64(classes)}, Data: out}}, nil
}

func testKeys(t testing.TB) []string {
	t.Helper()
	keys, err := ParseKeys([]byte(strings.Join(strings.Split(digits+letters+provinces+"·-", ""), "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestReadWithDoubles(t *testing.T) {
	keys := testKeys(t)
	img := imaging.New(640, 320)
	tests := []struct{ said, region, text, of, class string }{
		{"京A·12345", "cn", "京A12345", "cn", "cn-black"}, // the picture is black
		{"京A12345", "any", "京A12345", "cn", "cn-black"},
		{"京AD12345", "cn", "京AD12345", "cn", "cn-new-energy"},
		{"ABC1D23", "br", "ABC1D23", "br", "br-mercosur"},
		{"AB12 CDE", "eu", "AB12CDE", "eu", ""},
		{"7ABC123", "us", "7ABC123", "us", ""},
		{"WELCOME", "us", "", "", ""},
		{"20140513", "us", "", "", ""},
		{"ABC1D23", "cn", "", "", ""},
	}
	for _, tt := range tests {
		r := New(Models{Detector: &blob{}, Recognizer: speller{keys, tt.said}, Keys: keys})
		got, err := r.Read(img, tt.region)
		if err != nil {
			t.Fatal(err)
		}
		if tt.text == "" {
			if len(got) != 0 {
				t.Errorf("%q in %s was read as a plate", tt.said, tt.region)
			}
			continue
		}
		if len(got) != 1 {
			t.Errorf("%q in %s: %d plates", tt.said, tt.region, len(got))
			continue
		}
		p := got[0]
		if p.Read.Text != tt.text || p.Read.Raw != tt.said || p.Read.Region != tt.of || p.Read.Class != tt.class {
			t.Errorf("%q in %s: %+v", tt.said, tt.region, p.Read)
		}
		if p.Read.Confidence < 0.5 || p.Read.Confidence > 1 || len(p.Read.Chars) != len([]rune(tt.text)) || len(p.Read.Candidates) > maxCandidates {
			t.Errorf("%q in %s: confidence %v, %d characters, %d candidates", tt.said, tt.region, p.Read.Confidence, len(p.Read.Chars), len(p.Read.Candidates))
		}
		if p.Box.X < 64 || p.Box.X+p.Box.W > 576 || p.Box.Y < 64 || p.Box.Y+p.Box.H > 256 {
			t.Errorf("box %+v is not in the middle of the picture", p.Box)
		}
		if p.Quad[0].X >= p.Quad[1].X || p.Quad[1].Y >= p.Quad[2].Y {
			t.Errorf("the corners %v do not go clockwise from the top left", p.Quad)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	keys := testKeys(t)
	good := imaging.New(64, 64)
	broken := errors.New("broken")
	tests := []struct {
		name   string
		models Models
		img    *imaging.RGB
		region string
		says   string
	}{
		{"an unknown region", Models{&blob{}, speller{keys, "A"}, keys}, good, "mars", "unknown plate region"},
		{"no picture", Models{&blob{}, speller{keys, "A"}, keys}, nil, "cn", "empty"},
		{"a picture without pixels", Models{&blob{}, speller{keys, "A"}, keys}, &imaging.RGB{W: 10, H: 10}, "cn", "empty"},
		{"a detector that fails", Models{&fake{err: broken}, speller{keys, "A"}, keys}, good, "cn", "detector"},
		{"a detector of another shape", Models{&fake{out: []ort.Tensor{{Shape: []int64{1}, Data: []float32{1}}}}, speller{keys, "A"}, keys}, good, "cn", "detector"},
		{"a recognizer that fails", Models{&blob{}, &fake{err: broken}, keys}, good, "cn", "recognizer"},
		{"a recognizer with another dictionary", Models{&blob{}, &fake{out: []ort.Tensor{{Shape: []int64{1, 2, 3}, Data: make([]float32, 6)}}}, keys}, good, "cn", "dictionary"},
	}
	for _, tt := range tests {
		if _, err := New(tt.models).Read(tt.img, tt.region); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}

func TestParseKeysRefusesAShortDictionary(t *testing.T) {
	if _, err := ParseKeys([]byte("a\nb\n")); err == nil {
		t.Error("a dictionary of two characters was accepted")
	}
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"京A·12345": "京A12345", "ls15 ebc": "LS15EBC", "RK-857 AI": "RK857AI", "ＡＢ１２": "AB12", "": "", " ·-": "",
	} {
		if got := Normalize(in); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", in, got, want)
		}
	}
}

// The detector's map of two lines, one of them tilted, must come back as two lines
// at their places, larger than the shrunken shapes that the map marks.
func TestComponents(t *testing.T) {
	const w, h = 320, 160
	prob := make([]float32, w*h)
	want := []rect{{c: vec{80, 60}, u: vec{1, 0}, w: 80, h: 16}, {c: vec{230, 90}, u: vec{math.Cos(0.3), math.Sin(0.3)}, w: 100, h: 14}}
	for y := range h {
		for x := range w {
			for _, r := range want {
				d := vec{float64(x) + 0.5, float64(y) + 0.5}.sub(r.c)
				if math.Abs(d.dot(r.u)) < r.w/2 && math.Abs(d.dot(r.v())) < r.h/2 {
					prob[y*w+x] = 0.8
				}
			}
		}
	}
	prob[5] = 1 // a speck
	got := (&Reader{}).components(prob, w, h)
	if len(got) != len(want) {
		t.Fatalf("%d lines", len(got))
	}
	for i, r := range want {
		g := got[i]
		if g.c.sub(r.c).len() > 2 || g.u.dot(r.u) < 0.99 || g.w < r.w+6 || g.h < r.h+6 || g.w > r.w+30 || g.h > r.h+30 || g.score < 0.79 {
			t.Errorf("line %d: %+v", i, g)
		}
	}
}
