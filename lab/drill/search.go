package drill

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// search looks for marks, pictures and digests in everything that a thief has, and
// inside the compressed streams that it finds there.
type search struct {
	marks   []mark
	matcher *matcher
	index   *digests // nil: not looked for

	read      int64
	found     map[int]map[string]string // mark -> form -> where first
	pictures  map[string]int            // where -> pictures that begin there
	guessed   map[string]int            // where -> digests that brute force found
	advance   func(bytes int64)         // progress; may be nil
	unpackers unpackers
}

func newSearch(marks []mark, m *matcher, index *digests) *search {
	return &search{marks: marks, matcher: m, index: index, found: map[int]map[string]string{}, pictures: map[string]int{}, guessed: map[string]int{}}
}

// The bounds of looking into compressed streams: a stream in a stream in a stream, and
// 64 MiB from one of them.
const (
	maxDepth    = 3
	maxUnpacked = 64 << 20
)

// A file is read in pieces; each begins with the end of the one before.
const (
	piece   = 32 << 20
	overlap = 1 << 20
)

// bytes searches what lies at where.
func (s *search) bytes(where string, b []byte) { s.layer(where, b, 0) }

func (s *search) layer(where string, b []byte, depth int) {
	if depth == 0 {
		s.read += int64(len(b))
	}
	s.matcher.scan(b, func(p *pattern) {
		forms := s.found[p.mark]
		if forms == nil {
			forms = map[string]string{}
			s.found[p.mark] = forms
		}
		if _, there := forms[p.form]; !there {
			forms[p.form] = where
		}
	})
	if n := countPictures(b); n > 0 {
		s.pictures[where] += n
	}
	s.digestsIn(where, b)
	if depth == maxDepth {
		return
	}
	s.unpackers.each(b, func(kind string, plain []byte) { s.layer(where+" ("+kind+")", plain, depth+1) })
}

// digestsIn tries the digests on the bytes, and on what they spell in hexadecimal and
// base64.
func (s *search) digestsIn(where string, b []byte) {
	if s.index == nil {
		return
	}
	n := s.index.count(b)
	for _, decoded := range spelled(b) {
		n += s.index.count(decoded)
	}
	if n > 0 {
		s.guessed[where] += n
	}
}

// file searches one file and its name.
func (s *search) file(ctx context.Context, where, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was temporary
	}
	if err != nil {
		return err
	}
	defer f.Close()
	s.bytes(where, []byte(filepath.Base(path)))
	buf := make([]byte, 0, 64<<10)
	if info, err := f.Stat(); err == nil {
		buf = make([]byte, 0, min(info.Size(), piece)+overlap+512)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(f, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		s.bytes(where, buf)
		if s.advance != nil {
			s.advance(int64(n))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		keep := copy(buf, buf[len(buf)-overlap:])
		buf = buf[:keep]
	}
}

// tree searches every regular file below root; where names the root in findings.
func (s *search) tree(ctx context.Context, where, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return s.file(ctx, filepath.ToSlash(filepath.Join(where, rel)), path)
	})
}

// unpackers open the compressed streams in some bytes.
type unpackers struct{ zstd *zstd.Decoder }

var magics = []struct {
	kind  string
	magic []byte
}{{"gzip", []byte{0x1f, 0x8b, 8}}, {"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}}, {"zlib", []byte{0x78, 0x01}}, {"zlib", []byte{0x78, 0x9c}}, {"zlib", []byte{0x78, 0xda}}}

// each calls f with what every stream in b unpacks to, as far as it does: a stream that
// is cut off or followed by something else counts with what came before.
func (u *unpackers) each(b []byte, f func(kind string, plain []byte)) {
	for _, m := range magics {
		for at := 0; ; at++ {
			i := bytes.Index(b[at:], m.magic)
			if i < 0 {
				break
			}
			at += i
			if plain := u.unpack(m.kind, b[at:]); len(plain) >= leastForm {
				f(m.kind, plain)
			}
		}
	}
}

func (u *unpackers) unpack(kind string, b []byte) []byte {
	var r io.Reader
	switch kind {
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil
		}
		z.Multistream(false)
		r = z
	case "zlib":
		if b[0]&0x0f != 8 || len(b) < 2 || (int(b[0])<<8+int(b[1]))%31 != 0 {
			return nil
		}
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil
		}
		r = z
	default:
		var err error
		if u.zstd == nil {
			u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
		}
		if err != nil || u.zstd.Reset(bytes.NewReader(b)) != nil {
			return nil
		}
		r = u.zstd
	}
	var out bytes.Buffer
	// An error ends what can be read; what was read counts.
	_, err := io.Copy(&out, io.LimitReader(r, maxUnpacked))
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) && out.Len() < 32 {
		return nil // noise that looked like a stream for a moment
	}
	return out.Bytes()
}

// leastHex and leastBase64 are the shortest runs of digits that are decoded: what a
// digest of 16 bytes takes.
const leastHex, leastBase64 = 32, 22

// spelled decodes the runs of hexadecimal and base64 digits in b, from each place at
// which a group of digits may begin: other digits may stand before.
func spelled(b []byte) (all [][]byte) {
	for _, run := range runs(b, &hexDigit, leastHex) {
		for from := range 2 {
			digits := run[from:]
			if plain, err := hex.DecodeString(string(digits[:len(digits)/2*2])); err == nil {
				all = append(all, plain)
			}
		}
	}
	for _, run := range runs(b, &base64Digit, leastBase64) {
		for from := range 4 {
			digits := run[min(from, len(run)):]
			digits = digits[:len(digits)-len(digits)%4+len(digits)%4/2*2]
			for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				if plain, err := encoding.DecodeString(string(digits)); err == nil {
					all = append(all, plain)
					break
				}
			}
		}
	}
	return all
}

// runs are the stretches of at least n digits in b.
func runs(b []byte, digit *[256]bool, n int) (all [][]byte) {
	for i := 0; i < len(b); {
		if !digit[b[i]] {
			i++
			continue
		}
		end := i + 1
		for end < len(b) && digit[b[end]] {
			end++
		}
		if end-i >= n {
			all = append(all, b[i:end])
		}
		i = end
	}
	return all
}

var hexDigit, base64Digit = func() (h, b [256]bool) {
	for c := range 256 {
		digit, lower, upper := c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z'
		h[c] = digit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		b[c] = digit || lower || upper || c == '+' || c == '/' || c == '-' || c == '_'
	}
	return h, b
}()
