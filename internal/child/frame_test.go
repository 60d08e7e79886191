package child

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFrameRoundTrip(t *testing.T) {
	for _, f := range []*frame{
		{kind: requestFrame, id: 1, method: "open", header: []byte(`{"a":1}`), timeout: 5},
		{kind: replyFrame, id: 1 << 60, blobs: [][]byte{{}, {1}, bytes.Repeat([]byte{7}, 3<<20)}},
		{kind: cancelFrame, id: 9},
	} {
		var b bytes.Buffer
		if err := writeFrame(&b, f, 64<<20); err != nil {
			t.Fatal(err)
		}
		if b.Len() != f.size()+4 {
			t.Errorf("wrote %d bytes, want %d", b.Len(), f.size()+4)
		}
		got, err := readFrame(&b, 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		same := cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) })
		if d := cmp.Diff(f, got, cmp.AllowUnexported(frame{}), same); d != "" {
			t.Error(d)
		}
		if _, err := readFrame(&b, 64<<20); !errors.Is(err, io.EOF) {
			t.Errorf("behind the last frame: %v, want EOF", err)
		}
	}
}

func TestFrameLimits(t *testing.T) {
	if err := writeFrame(io.Discard, &frame{kind: replyFrame, blobs: [][]byte{make([]byte, 1000)}}, 999); !errors.Is(err, errFrameTooLong) {
		t.Errorf("writing beyond the limit: %v", err)
	}
	if _, err := readFrame(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff}), 64<<20); !errors.Is(err, errFrameTooLong) {
		t.Errorf("a length beyond the limit: %v", err)
	}
	if _, err := readFrame(bytes.NewReader([]byte{0, 0x10, 0, 0, 1, 2}), 64<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut frame: %v", err)
	}
	// The length alone must not make the reader allocate: 60 MiB are claimed, 2 bytes come.
	short := append(binary.BigEndian.AppendUint32(nil, 60<<20), 1, 2)
	if a := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = readFrame(bytes.NewReader(short), 64<<20)
		}
	}).AllocedBytesPerOp(); a > 2<<20 {
		t.Errorf("reading a lying length allocated %d bytes", a)
	}
}

// FuzzFrame: whatever arrives is either refused or means exactly the bytes that it
// came as.
func FuzzFrame(f *testing.F) {
	for _, s := range []*frame{
		{kind: requestFrame, id: 1, method: "m", header: []byte("{}"), blobs: [][]byte{{1, 2}, {}}},
		{kind: cancelFrame},
		{kind: failureFrame, header: []byte(`{"code":"x"}`)},
	} {
		var b bytes.Buffer
		if err := writeFrame(&b, s, 1<<20); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 1 << 20
		r := bytes.NewReader(in)
		got, err := readFrame(r, limit)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := writeFrame(&out, got, limit); err != nil {
			t.Fatal(err)
		}
		if used := in[:len(in)-r.Len()]; !bytes.Equal(used, out.Bytes()) {
			t.Fatalf("read %x, wrote %x", used, out.Bytes())
		}
	})
}
