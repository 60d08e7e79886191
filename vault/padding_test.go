package vault

import (
	"bytes"
	"testing"

	"gatehouse"
)

func TestPaddedSizes(t *testing.T) {
	for _, c := range []struct {
		how     gatehouse.Padding
		n, want int
	}{
		{gatehouse.PadField, 0, 64}, {gatehouse.PadField, 63, 64}, {gatehouse.PadField, 64, 256}, {gatehouse.PadField, 255, 256},
		{gatehouse.PadField, 256, 1024}, {gatehouse.PadField, 1023, 1024}, {gatehouse.PadField, 1024, 2048}, {gatehouse.PadField, 5000, 5120},
		{gatehouse.PadRecord, 0, 4096}, {gatehouse.PadRecord, 4095, 4096}, {gatehouse.PadRecord, 4096, 8192},
		// Padmé's own example values: E = 15, S = 4, so the low 11 bits are zero.
		{gatehouse.PadImage, 59_999, 61_440}, {gatehouse.PadImage, 61_439, 61_440}, {gatehouse.PadImage, 61_440, 63_488},
	} {
		if got := paddedLen(c.n, c.how); got != c.want {
			t.Errorf("padding %d: %d bytes are padded to %d, want %d", c.how, c.n, got, c.want)
		}
	}
	sizes := map[int]bool{}
	for n := range 1 << 20 {
		got := paddedLen(n, gatehouse.PadImage)
		if got <= n {
			t.Fatalf("%d bytes and the marker do not fit into %d", n, got)
		}
		if n > 100 && float64(got) > 1.12*float64(n+1) {
			t.Fatalf("%d bytes are padded to %d: more than 12 %%", n, got)
		}
		sizes[got] = true
	}
	if len(sizes) > 500 {
		t.Errorf("images up to 1 MiB have %d sizes", len(sizes))
	}
}

func TestSealedSizeHidesLength(t *testing.T) {
	in := install(t)
	subject := gatehouse.RandomID()
	if a, b := in.sealOne(t, subject, "A"), in.sealOne(t, subject, "粤B·12345警"); len(a.Sealed) != len(b.Sealed) || len(a.Sealed) != 2+2*linkSize+nonceSize+64+tagSize {
		t.Errorf("%d and %d bytes", len(a.Sealed), len(b.Sealed))
	}
}

func TestUnpad(t *testing.T) {
	for _, plain := range []string{"", "x", "ends with \x80", "ends with \x80\x00\x00", "\x00\x00"} {
		b := padBehind(3, []byte(plain), gatehouse.PadField)
		if got, ok := unpad(b[3:]); !ok || string(got) != plain {
			t.Errorf("%q came back as %q, %v", plain, got, ok)
		}
	}
	for _, b := range [][]byte{nil, {0, 0}, {1, 0}, []byte("no marker")} {
		if _, ok := unpad(b); ok {
			t.Errorf("%q has no padding, and is unpadded", b)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	where := gatehouse.SealContext{Place: place, Table: "passage", Field: "detail"}
	two := []link{{chain: gatehouse.ID{1}, position: 5}, {chain: gatehouse.ID{2}, position: 1023}}
	secrets := func(n int) [][32]byte { return [][32]byte{{3}, {4}}[:n] }
	f.Add(sealEnvelope(where, two, secrets(2), []byte("LS15EBC"), gatehouse.PadField))
	f.Add(sealEnvelope(where, two[1:], secrets(1), nil, gatehouse.PadImage))
	f.Add([]byte{envelopeVersion, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEnvelope(b)
		if err != nil {
			return
		}
		// What parses is exactly what is there: writing it again gives the same bytes.
		again := []byte{envelopeVersion, byte(len(e.links))}
		for _, l := range e.links {
			if l.position >= chainLength {
				t.Fatalf("position %d", l.position)
			}
			again = append(append(again, l.chain[:]...), byte(l.position>>8), byte(l.position))
		}
		again = append(append(again, e.nonce...), e.ciphertext...)
		if !bytes.Equal(again, b) {
			t.Fatalf("parsed %x, wrote %x", b, again)
		}
		if plain, ok := openEnvelope(where, e, secrets(len(e.links))); ok && len(plain) > 0 && string(plain) != "LS15EBC" {
			t.Fatalf("%q opens, which nobody sealed", plain)
		}
	})
}
