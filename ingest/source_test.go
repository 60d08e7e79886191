package ingest

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
)

// TestOpen opens one of each kind and reads it to its end.
func TestOpen(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: apt-get install ffmpeg")
	}
	dir := t.TempDir()
	var pic bytes.Buffer
	if err := jpeg.Encode(&pic, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), pic.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	video := filepath.Join(t.TempDir(), "100% door: a.mkv") // a name that is no URL
	if out, err := exec.Command(ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=1", "-c:v", "ffv1", "file:"+video).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for name, c := range map[string]struct {
		url    string
		format gatehouse.ImageFormat
		n      int
	}{
		"folder":   {dir, gatehouse.JPEG, 1},
		"video":    {video, gatehouse.YUV420, 10},
		"file URL": {"file://" + filepath.Join(filepath.Dir(video), "100%25%20door:%20a.mkv"), gatehouse.YUV420, 10},
	} {
		before := time.Now()
		src, err := Open(context.Background(), Spec{Device: "cam", Gate: "door", URL: c.url})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n := 0
		for got := range src.Captures() {
			if n++; got.Image.Format != c.format || got.Claimed.Before(before) || got.Device != "cam" {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if err := src.Close(); n != c.n || src.Err() != nil || err != nil || src.Health().State != Ended {
			t.Errorf("%s: %d frames, want %d; %v, health %+v", name, n, c.n, src.Err(), src.Health())
		}
	}
	for url, code := range map[string]string{
		filepath.Join(dir, "none"): "source.not_found",
		"smb://server/share":       "source.unsupported",
		"":                         "source.unsupported",
	} {
		src, err := Open(context.Background(), Spec{URL: url})
		if gatehouse.ErrorCode(err) != code || src != nil {
			t.Errorf("%q: %v, %v, want %s", url, src, err, code)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	src, err := Open(ctx, Spec{URL: video, Loop: true})
	if err != nil {
		t.Fatal(err)
	}
	<-src.Captures()
	cancel()
	for range src.Captures() { // ends, although it loops
	}
}
