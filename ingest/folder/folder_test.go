package folder

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/ingest/frames"
	"gatehouse/ingest/health"
)

func pictures(t *testing.T) (jpg, pngs []byte) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	var a, b bytes.Buffer
	if err := jpeg.Encode(&a, m, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return a.Bytes(), b.Bytes()
}

func write(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFolder has every kind of entry that a folder may hold; what is no picture is
// counted and the source goes on.
func TestFolder(t *testing.T) {
	jpg, pngs := pictures(t)
	dir, outside := t.TempDir(), t.TempDir()
	write(t, dir, "10.jpg", jpg)
	write(t, dir, "02.png", pngs)
	write(t, dir, "03-really-a-png.jpeg", pngs)
	write(t, dir, "04-empty.jpg", nil)
	write(t, dir, "05-notes.txt", []byte("no picture"))
	write(t, outside, "secret.jpg", jpg)
	if err := os.Symlink(filepath.Join(outside, "secret.jpg"), filepath.Join(dir, "06-escape.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("10.jpg", filepath.Join(dir, "07-inside.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("08-self.jpg", filepath.Join(dir, "08-self.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "09-folder.jpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	huge, err := os.Create(filepath.Join(dir, "01-huge.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = huge.Write(jpg)
	if err := huge.Truncate(frames.MaxBytes + 1); err != nil {
		t.Fatal(err)
	}
	_ = huge.Close()

	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	src, err := Open(context.Background(), Spec{Device: "cam", Gate: "door", Dir: dir, Interval: time.Second, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var got []gatehouse.Capture
	for c := range src.Captures() {
		got = append(got, c)
	}
	want := []gatehouse.ImageFormat{gatehouse.PNG, gatehouse.PNG, gatehouse.JPEG, gatehouse.JPEG} // 02, 03, 07, 10
	if len(got) != len(want) || src.Err() != nil {
		t.Fatalf("%d pictures, error %v; want %d", len(got), src.Err(), len(want))
	}
	for i, c := range got {
		if c.Image.Format != want[i] || !c.Claimed.Equal(start.Add(time.Duration(i)*time.Second)) || c.Device != "cam" || c.Gate != "door" || len(c.Image.Bytes) == 0 {
			t.Errorf("picture %d: %+v", i, c)
		}
	}
	h := src.Health()
	if h.State != health.Ended || h.Frames != 4 || h.Failed != 5 {
		t.Errorf("health %+v, want 4 pictures and 5 failed", h)
	}
	if strings.Contains(h.LastError, ".jpg") || h.LastError == "" {
		t.Errorf("last error %q", h.LastError)
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(context.Background(), Spec{Dir: filepath.Join(t.TempDir(), "none")}); gatehouse.ErrorCode(err) != "source.not_found" {
		t.Errorf("a folder that is not there: %v", err)
	}
	src, err := Open(context.Background(), Spec{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := <-src.Captures(); ok || src.Err() != nil {
		t.Errorf("an empty folder: %v", src.Err())
	}
}

func TestLoopRealtimeClose(t *testing.T) {
	jpg, _ := pictures(t)
	dir := t.TempDir()
	write(t, dir, "a.jpg", jpg)
	write(t, dir, "b.jpg", jpg)
	begin := time.Now() // before its first picture can be due
	src, err := Open(context.Background(), Spec{Dir: dir, Interval: 50 * time.Millisecond, Loop: true, Realtime: true})
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time
	for i := range 5 {
		c := <-src.Captures()
		if i > 0 && c.Claimed.Sub(last) != 50*time.Millisecond {
			t.Errorf("claimed times are %s apart", c.Claimed.Sub(last))
		}
		last = c.Claimed
	}
	if d := time.Since(begin); d < 200*time.Millisecond {
		t.Errorf("five pictures 50 ms apart took %s", d)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := <-src.Captures(); ok {
		t.Error("a closed folder goes on")
	}
}
