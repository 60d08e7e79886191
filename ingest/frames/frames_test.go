package frames

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"gatehouse"
)

var (
	now    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	jpegs  = []byte("\xff\xd8\xff\xe0rest of a picture")
	pngs   = []byte("\x89PNG\r\n\x1a\nrest of a picture")
	toobig = io.MultiReader(bytes.NewReader(jpegs), io.LimitReader(zeros{}, MaxBytes))
)

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestParse(t *testing.T) {
	const typ = "image/jpeg"
	for name, c := range map[string]struct {
		typ, claimed string
		body         io.Reader
		code         string
		want         time.Time
	}{
		"jpeg":            {typ, "", bytes.NewReader(jpegs), "", time.Time{}},
		"png":             {"image/png", "", bytes.NewReader(pngs), "", time.Time{}},
		"parameters":      {"Image/JPEG; q=1", "", bytes.NewReader(jpegs), "", time.Time{}},
		"no type":         {"", "", bytes.NewReader(jpegs), "request.content_type", time.Time{}},
		"other type":      {"image/gif", "", strings.NewReader("GIF89a"), "request.content_type", time.Time{}},
		"broken type":     {"image/jpeg; =", "", bytes.NewReader(jpegs), "request.content_type", time.Time{}},
		"wrong type":      {"image/png", "", bytes.NewReader(jpegs), "request.content_type", time.Time{}},
		"no picture":      {typ, "", strings.NewReader("<html>"), "image.type", time.Time{}},
		"cut magic":       {typ, "", bytes.NewReader(jpegs[:2]), "image.type", time.Time{}},
		"empty":           {typ, "", bytes.NewReader(nil), "image.empty", time.Time{}},
		"too big":         {typ, "", toobig, "image.too_big", time.Time{}},
		"breaks off":      {typ, "", io.MultiReader(bytes.NewReader(jpegs), iotest.ErrReader(io.ErrUnexpectedEOF)), "image.unreadable", time.Time{}},
		"claimed":         {typ, "2026-01-02T03:04:01.5Z", bytes.NewReader(jpegs), "", now.Add(-3500 * time.Millisecond)},
		"claimed, zone":   {typ, "2026-01-02T11:04:05+08:00", bytes.NewReader(jpegs), "", now},
		"clock at 1970":   {typ, "1970-01-01T00:00:10Z", bytes.NewReader(jpegs), "", time.Time{}},
		"clock in future": {typ, "2031-01-02T03:04:05Z", bytes.NewReader(jpegs), "", time.Time{}},
		"no time":         {typ, "yesterday", bytes.NewReader(jpegs), "request.time", time.Time{}},
	} {
		h := http.Header{}
		h.Set("Content-Type", c.typ)
		if c.claimed != "" {
			h.Set(TimeHeader, c.claimed)
		}
		got, err := Parse(h, c.body, now)
		if gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%s: error %v, want %q", name, err, c.code)
			continue
		}
		if err == nil && (got.Kind != gatehouse.FrameCapture || !got.Received.Equal(now) || !got.Claimed.Equal(c.want) || len(got.Image.Bytes) == 0 || Sniff(got.Image.Bytes) != got.Image.Format) {
			t.Errorf("%s: %+v, want claimed %s", name, got, c.want)
		}
	}
}

// TestMaxBytesReader: the server's own limit, hit before ours, is the same error.
func TestMaxBytesReader(t *testing.T) {
	body := http.MaxBytesReader(nil, io.NopCloser(io.MultiReader(bytes.NewReader(jpegs), io.LimitReader(zeros{}, 1000))), 100)
	if _, err := Read(body); gatehouse.ErrorCode(err) != "image.too_big" {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("image/jpeg", "", jpegs)
	f.Add("image/png; a=b", "2026-01-02T03:04:05Z", pngs)
	f.Add("image/jpeg", "0000-01-01T00:00:00Z", []byte{})
	f.Add("multipart/form-data; boundary=x", "9999-12-31T23:59:60Z", []byte{0xff})
	f.Fuzz(func(t *testing.T, typ, claimed string, body []byte) {
		h := http.Header{"Content-Type": {typ}, TimeHeader: {claimed}}
		c, err := Parse(h, bytes.NewReader(body), now)
		if err != nil {
			var e *gatehouse.Error
			if !errors.As(err, &e) || e.Code == "" || e.Hint == "" {
				t.Fatalf("an error without code or hint: %v", err)
			}
			if len(typ) > 12 && strings.Contains(err.Error(), typ) {
				t.Fatalf("the error repeats what was sent: %v", err)
			}
			return
		}
		if Sniff(body) != c.Image.Format || !bytes.Equal(c.Image.Bytes, body) {
			t.Fatal("the picture is not what was sent")
		}
		if d := now.Sub(c.Claimed); !c.Claimed.IsZero() && (d > maxPast || d < -maxFuture) {
			t.Fatalf("claimed %s was taken", c.Claimed)
		}
	})
}
