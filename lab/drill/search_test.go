package drill

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// hide puts a value somewhere into noise.
func hide(r *rand.Rand, value []byte, size int) []byte {
	b := make([]byte, size+len(value))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	copy(b[r.IntN(size+1):], value)
	return b
}

func searchOf(t *testing.T, marks ...mark) *search {
	t.Helper()
	m, err := newMatcher(marks)
	if err != nil {
		t.Fatal(err)
	}
	return newSearch(marks, m, nil)
}

// The matcher finds exactly what a plain search finds, wherever it stands.
func TestMatcherAgreesWithAPlainSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		alphabet := rapid.SampledFrom([]string{"ab", "abcdefgh", "\x00\x01a"}).Draw(t, "alphabet") // many near misses
		word := func(n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = alphabet[r.IntN(len(alphabet))]
			}
			return string(b)
		}
		var marks []mark
		for i := range 1 + r.IntN(20) {
			marks = append(marks, mark{kind: Name, n: i, text: word(leastForm + r.IntN(12))})
		}
		m, err := newMatcher(marks)
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(word(r.IntN(400)))
		if r.IntN(2) == 0 {
			text = append(text, marks[0].text...)
		}
		got, want := map[int]bool{}, map[int]bool{}
		m.scan(text, func(p *pattern) {
			if p.form == "utf-8" {
				got[p.mark] = true
			}
		})
		for i, one := range marks {
			if bytes.Contains(text, []byte(one.text)) {
				want[i] = true
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("in %q: found %v, want %v", text, got, want)
		}
	})
}

func TestAMarkIsFoundInEveryDisguise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const text = "欧阳竹青 Zbigniew 8812"
	packed := func(write func(*bytes.Buffer)) []byte {
		var b bytes.Buffer
		write(&b)
		return b.Bytes()
	}
	gz := packed(func(b *bytes.Buffer) { w := gzip.NewWriter(b); fmt.Fprint(w, "name,", text, "\n"); w.Close() })
	for name, value := range map[string][]byte{
		"plain":  []byte(text),
		"base64": []byte(base64.StdEncoding.EncodeToString([]byte("xx" + text + "yy"))),
		"gzip":   gz,
		"zlib":   packed(func(b *bytes.Buffer) { w := zlib.NewWriter(b); fmt.Fprint(w, text); w.Close() }),
		"zstd":   packed(func(b *bytes.Buffer) { w, _ := zstd.NewWriter(b); fmt.Fprint(w, text); w.Close() }),
		"gzip in zstd in noise": packed(func(b *bytes.Buffer) {
			w, _ := zstd.NewWriter(b)
			w.Write(hide(r, gz, 500))
			w.Close()
		}),
		"gzip, cut off": packed(func(b *bytes.Buffer) {
			w, _ := gzip.NewWriterLevel(b, gzip.NoCompression)
			fmt.Fprint(w, text)
			w.Flush()
			w.Write(make([]byte, 1000))
			w.Close()
		})[:100],
	} {
		s := searchOf(t, mark{kind: Name, n: 1, text: text}, mark{kind: Name, n: 2, text: "somebody else"})
		s.bytes("here", hide(r, value, 5000))
		if len(s.found) != 1 || s.found[0] == nil {
			t.Errorf("%s: found %v", name, s.found)
		}
	}
	s := searchOf(t, mark{kind: Name, n: 1, text: text})
	s.bytes("here", hide(r, nil, 4<<20))
	if len(s.found) != 0 || len(s.pictures) != 0 {
		t.Errorf("noise shows %v, %v", s.found, s.pictures)
	}
}

// A file is searched in pieces, and by its name; what stands across two pieces counts.
func TestFilesAreSearchedAcrossPieces(t *testing.T) {
	dir := t.TempDir()
	const text = "Musterweg 17"
	b := make([]byte, 2*piece+100)
	copy(b[piece+overlap+512-5:], text) // the first piece ends within it
	if err := os.WriteFile(filepath.Join(dir, "large"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "EMP-1234567.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := searchOf(t, mark{kind: Address, n: 1, text: text}, mark{kind: Number, n: 1, text: "EMP-1234567"})
	if err := s.tree(t.Context(), "data", dir); err != nil || len(s.found) != 2 || s.found[0]["utf-8"] != "data/large" {
		t.Errorf("found %v, %v", s.found, err)
	}
}

func TestPicturesAreCounted(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	var j, p, g bytes.Buffer
	if err := jpeg.Encode(&j, img, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, img); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&g, img, nil); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 2))
	for name, file := range map[string][]byte{"jpeg": j.Bytes(), "png": p.Bytes(), "gif": g.Bytes(), "webp": []byte("RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00")} {
		if n := countPictures(hide(r, file, 1000)); n != 1 {
			t.Errorf("%s: %d pictures", name, n)
		}
	}
	for _, no := range []string{"", "\xff\xd8\xff", "\xff\xd8\xff\xe0\x00\x01\xff\xdb", "RIFF\x24\x00\x00\x00WAVEfmt ", "GIF89a", "\x89PNG\r\n\x1a\n"} {
		if n := countPictures([]byte(no)); n != 0 {
			t.Errorf("%q: %d pictures", no, n)
		}
	}
}

func TestAnIndexIsGuessed(t *testing.T) {
	key := bytes.Repeat([]byte{9}, 32)
	keyed := func(key []byte, v string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(v))
		return h.Sum(nil)
	}
	plain := func(v string) []byte { s := sha256.Sum256([]byte(v)); return s[:] }
	d := bruteForce([]string{"+8613912300001", "+8613912300002", "沪AB1234"}, []string{"+8613912300002", "沪AB1234"}, nil, [][]byte{key})
	r := rand.New(rand.NewPCG(4, 2))
	for name, c := range map[string]struct {
		value []byte
		want  int
	}{
		"plain":             {plain("+8613912300001"), 1},
		"truncated":         {plain("沪AB1234")[:16], 1},
		"another spelling":  {plain("13912300002"), 1},
		"keyed":             {keyed(key, "沪AB1234"), 1},
		"hexadecimal":       {[]byte("f" + hex.EncodeToString(plain("沪AB1234"))), 1},
		"base64":            {[]byte("ab" + base64.StdEncoding.EncodeToString(plain("沪AB1234"))), 1},
		"of another region": {plain("+4915112345678"), 0},
		"an unknown key":    {keyed([]byte("another"), "沪AB1234"), 0},
	} {
		s := searchOf(t, mark{kind: Name, n: 1, text: "nobody's name"})
		s.index = d
		s.bytes("here", append(append([]byte("\x00\x01"), hide(r, nil, 50)...), append(append([]byte{0}, c.value...), 0)...))
		if s.guessed["here"] != c.want {
			t.Errorf("%s: %d guessed, want %d", name, s.guessed["here"], c.want)
		}
	}
}

func TestListeningSocketsAreSeen(t *testing.T) {
	before, err := listening()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	after, err := listening()
	if err != nil || len(after) != len(before)+1 {
		t.Fatalf("%d sockets, then %d: %v", len(before), len(after), err)
	}
	seen := false
	for _, s := range after {
		seen = seen || s.port == l.Addr().(*net.TCPAddr).Port && s.ip.IsLoopback()
	}
	if !seen {
		t.Errorf("the listener is not among %v", after)
	}
	for text, want := range map[string]string{"0100007F:1F90": "127.0.0.1:8080", "00000000:0050": "0.0.0.0:80",
		"00000000000000000000000001000000:1F90": "::1:8080", "00000000000000000000000000000000:1F90": ":::8080"} {
		ip, port, ok := addressOf(text)
		if got := fmt.Sprintf("%v:%d", ip, port); !ok || got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// A stored template is that of the mark it is nearest to: one that was enrolled from the
// same portrait does not stand for somebody who was erased.
func TestAStoredTemplateIsItsNearestMarks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 2))
	face := make([]float32, 512)
	for i := range face {
		face[i] = float32(r.NormFloat64())
	}
	like := func(spread float64) []float32 {
		out := make([]float32, len(face))
		for i, v := range face {
			out[i] = v + float32(spread*r.NormFloat64())
		}
		return out
	}
	marks := []mark{{kind: Name, text: "nobody"}, {kind: Template, erased: true, template: like(0.02)}, {kind: Template, template: face}}
	if got := nearest(marks, like(1e-4)); got != 2 {
		t.Errorf("it is taken for mark %d", got)
	}
	if got := nearest(marks[:2], like(1e-4)); got != 1 {
		t.Errorf("without its twin it is taken for mark %d", got)
	}
	if got := nearest(marks, like(1)); got != -1 {
		t.Errorf("a stranger is taken for mark %d", got)
	}
}
