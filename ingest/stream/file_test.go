package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/ingest/health"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestFileFrames(t *testing.T) {
	cases := []struct {
		name, source string
		spec         Spec
		frames       int
		w, h         int
		step         time.Duration
	}{
		{"25 to 5", "testsrc2=s=320x240:r=25:d=3", Spec{FPS: 5}, 15, 320, 240, 200 * time.Millisecond},
		{"30 to 10", "testsrc2=s=320x240:r=30:d=2", Spec{}, 20, 320, 240, 100 * time.Millisecond},
		{"a slow source is not repeated", "testsrc2=s=320x240:r=2:d=4", Spec{FPS: 10}, 8, 320, 240, 500 * time.Millisecond},
		{"scaled down", "testsrc2=s=640x360:r=5:d=1", Spec{FPS: 5, MaxWidth: 320}, 5, 320, 180, 200 * time.Millisecond},
		{"never scaled up", "testsrc2=s=320x180:r=5:d=1", Spec{FPS: 5, MaxWidth: 1280}, 5, 320, 180, 200 * time.Millisecond},
		{"odd sizes", "testsrc2=s=321x181:r=5:d=1,format=yuv444p", Spec{FPS: 5}, 5, 320, 180, 200 * time.Millisecond},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"-c:v", "ffv1"}
			c.spec.URL, c.spec.Start = clip(t, "a.mkv", c.source, args...), epoch
			src := open(t, c.spec)
			got := all(t, src)
			if src.Err() != nil || len(got) != c.frames {
				t.Fatalf("%d frames, error %v; want %d", len(got), src.Err(), c.frames)
			}
			for i, g := range got {
				if g.Image.Format != gatehouse.YUV420 || g.Image.Width != c.w || g.Image.Height != c.h || len(g.Image.Bytes) != c.w*c.h*3/2 {
					t.Fatalf("frame %d is %s %d×%d of %d bytes", i, g.Image.Format, g.Image.Width, g.Image.Height, len(g.Image.Bytes))
				}
				// Containers round times to a millisecond, and rates to whole frames.
				if d := g.Claimed.Sub(epoch) - time.Duration(i)*c.step; d < -40*time.Millisecond || d > 40*time.Millisecond {
					t.Fatalf("frame %d claims %s, want about %s", i, g.Claimed.Sub(epoch), time.Duration(i)*c.step)
				}
				if g.Device != "cam" || g.Gate != "door" || g.Kind != gatehouse.FrameCapture || (i > 0 && g.Received.Before(got[i-1].Received)) {
					t.Fatalf("frame %d: %+v", i, g)
				}
			}
			if h := src.Health(); h.State != health.Ended || h.Frames != uint64(c.frames) {
				t.Fatalf("health %+v", h)
			}
		})
	}
}

// TestFrameContent makes sure that rows are not shifted and planes not swapped.
func TestFrameContent(t *testing.T) {
	// Y 81, U 90, V 240 is red in studio-range BT.601.
	got := all(t, open(t, Spec{URL: clip(t, "a.mkv", "color=c=red:s=64x48:r=5:d=1,format=yuv420p", "-c:v", "ffv1")}))
	p := got[0].Image.Bytes
	for i, want := range map[int]int{0: 81, 64*48 - 1: 81, 64 * 48: 90, 64*48*5/4 - 1: 90, 64 * 48 * 5 / 4: 240, 64*48*3/2 - 1: 240} {
		if d := int(p[i]) - want; d < -2 || d > 2 {
			t.Errorf("byte %d is %d, want %d", i, p[i], want)
		}
	}
}

// TestSizeChange is a video that changes its size in the middle: every frame has
// the size that it was shot in, and none is stretched or lost.
func TestSizeChange(t *testing.T) {
	a := clip(t, "a.ts", "color=c=red:s=320x240:r=5:d=2", h264...)
	b := clip(t, "b.ts", "color=c=blue:s=480x270:r=5:d=2", append(h264, "-output_ts_offset", "2")...)
	one, _ := os.ReadFile(a)
	two, _ := os.ReadFile(b)
	both := filepath.Join(t.TempDir(), "both.ts")
	if err := os.WriteFile(both, append(one, two...), 0o600); err != nil {
		t.Fatal(err)
	}
	src := open(t, Spec{URL: both, FPS: 5})
	sizes := map[string]int{}
	for _, c := range all(t, src) {
		sizes[fmt.Sprintf("%dx%d", c.Image.Width, c.Image.Height)]++
		y := c.Image.Bytes[0]
		if red := c.Image.Width == 320; red != (y > 60) {
			t.Fatalf("a frame of %d×%d has luma %d", c.Image.Width, c.Image.Height, y)
		}
	}
	if src.Err() != nil || sizes["320x240"] < 9 || sizes["480x270"] < 9 || len(sizes) != 2 {
		t.Fatalf("sizes %v, error %v; want 10 frames of each", sizes, src.Err())
	}
}

func TestLoop(t *testing.T) {
	src := open(t, Spec{URL: clip(t, "a.mkv", "testsrc2=s=64x64:r=10:d=1", "-c:v", "ffv1"), FPS: 10, Loop: true, Start: epoch})
	var last time.Time
	for i := range 35 {
		c := take(t, src, time.Minute)
		if i > 0 {
			if d := c.Claimed.Sub(last); d < 80*time.Millisecond || d > 120*time.Millisecond {
				t.Fatalf("frame %d comes %s after the last, also across the loop", i, d)
			}
		}
		last = c.Claimed
	}
}

func TestRealtime(t *testing.T) {
	src := open(t, Spec{URL: clip(t, "a.mkv", "testsrc2=s=64x64:r=10:d=2", "-c:v", "ffv1"), FPS: 10, Realtime: true})
	first := take(t, src, time.Minute)
	rest := all(t, src)
	last := rest[len(rest)-1]
	if d := last.Received.Sub(first.Received); d < time.Second {
		t.Errorf("two seconds of video took %s", d)
	}
	// Two seconds take two, and not none or four; a busy machine is late with some.
	if drift := last.Received.Sub(first.Received) - last.Claimed.Sub(first.Claimed); drift.Abs() > 1500*time.Millisecond {
		t.Errorf("received and claimed drift apart by %s", drift)
	}
}

// TestFileWaitsForReader: without Realtime nothing is dropped, however slow.
func TestFileWaitsForReader(t *testing.T) {
	src := open(t, Spec{URL: clip(t, "a.mkv", "testsrc2=s=640x480:r=10:d=2", "-c:v", "ffv1"), FPS: 10, Stall: time.Second})
	n := 0
	for range src.Captures() {
		if n++; n == 5 {
			time.Sleep(1500 * time.Millisecond) // longer than Stall
		}
	}
	if n != 20 || src.Err() != nil || src.Health().Dropped != 0 {
		t.Fatalf("%d frames, error %v, health %+v; want all 20", n, src.Err(), src.Health())
	}
}

func TestBadFiles(t *testing.T) {
	good := clip(t, "good.mp4", "testsrc2=s=320x240:r=10:d=2", h264...)
	b, _ := os.ReadFile(good)
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, path := range map[string]string{
		"empty":           write("empty.mp4", nil),
		"text":            write("notes.mp4", []byte(strings.Repeat("no video at all\n", 100))),
		"cut before moov": write("cut.mp4", b[:len(b)/3]),
		"zeros":           write("zeros.mkv", make([]byte, 1<<16)),
		"sound only":      clip(t, "s.mkv", "sine=d=1", "-c:a", "pcm_s16le"),
	} {
		src := open(t, Spec{URL: path})
		got := all(t, src)
		if err := src.Err(); len(got) != 0 || gatehouse.ErrorCode(err) != "source.undecodable" {
			t.Errorf("%s: %d frames, error %v", name, len(got), err)
		} else if strings.Contains(err.Error(), dir) || strings.Contains(fmt.Sprint(src.Health().Lines), path) {
			t.Errorf("%s: the error or the lines name the file: %v %v", name, err, src.Health().Lines)
		}
	}
	// A stream that is cut in the middle gives what it has.
	ts := clip(t, "a.ts", "testsrc2=s=320x240:r=10:d=4", h264...)
	b, _ = os.ReadFile(ts)
	src := open(t, Spec{URL: write("half.ts", b[:len(b)/2])})
	if got := all(t, src); len(got) < 5 {
		t.Errorf("half a stream gave %d frames, error %v", len(got), src.Err())
	}
	for name, c := range map[string]struct{ url, code string }{
		"missing":   {filepath.Join(dir, "none.mp4"), "source.not_found"},
		"folder":    {dir, "source.unsupported"},
		"nothing":   {"", "source.unsupported"},
		"scheme":    {"ftp://host/a.mp4", "source.unsupported"},
		"concat":    {"concat://a|b", "source.unsupported"},
		"no host":   {"rtsp:///live", "source.unsupported"},
		"newline":   {"rtsp://host/a\nfile 'x'", "source.unsupported"},
		"device":    {"/dev/zero", "source.unsupported"},
		"file host": {"file://server/a.mp4", "source.unsupported"},
	} {
		_, err := Open(context.Background(), Spec{URL: c.url})
		if !errors.Is(err, &gatehouse.Error{Code: c.code}) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if _, err := Open(context.Background(), Spec{URL: good, FPS: -1}); gatehouse.ErrorCode(err) != "source.bad_option" {
		t.Errorf("a negative rate: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Open(context.Background(), Spec{URL: good}); gatehouse.ErrorCode(err) != "source.ffmpeg_missing" {
		t.Errorf("without ffmpeg: %v", err)
	}
}

// TestPlaylistsReachNothing: a "video" that is a playlist must open neither other
// files nor the network. The same playlists do play when ffmpeg is let.
func TestPlaylistsReachNothing(t *testing.T) {
	secret := clip(t, "secret.ts", "testsrc2=s=320x240:r=10:d=2", h264...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var calls atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			c.Close()
		}
	}()
	web := "http://" + l.Addr().String() + "/a.ts"
	hls := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n%s\n#EXT-X-ENDLIST\n"
	for name, text := range map[string]string{
		"hls file":    fmt.Sprintf(hls, secret),
		"hls web":     fmt.Sprintf(hls, web),
		"concat file": "ffconcat version 1.0\nfile '" + secret + "'\n",
		"concat web":  "ffconcat version 1.0\nfile '" + web + "'\n",
		"sdp":         "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
		"dash":        `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1"><BaseURL>` + web + `</BaseURL></Representation></AdaptationSet></Period></MPD>`,
	} {
		for _, ext := range []string{".mp4", ".m3u8", ".mpd"} {
			path := filepath.Join(t.TempDir(), "play"+ext)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			src := open(t, Spec{URL: path})
			if got := all(t, src); len(got) != 0 || gatehouse.ErrorCode(src.Err()) != "source.undecodable" {
				t.Errorf("%s as %s: %d frames, error %v", name, ext, len(got), src.Err())
			}
		}
	}
	if calls.Load() != 0 {
		t.Errorf("a file made %d connections", calls.Load())
	}
}

func TestCloseInTheMiddle(t *testing.T) {
	path := clip(t, "a.mkv", "testsrc2=s=640x480:r=25:d=10", "-c:v", "ffv1")
	before := len(children(t))
	src := open(t, Spec{URL: path, FPS: 25})
	take(t, src, time.Minute)
	if len(children(t)) != before+1 {
		t.Skip("/proc/self/task/*/children is not there")
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	_ = src.Close()
	if left := children(t); len(left) != before {
		t.Fatalf("ffmpeg outlived its source: %v", left)
	}
	if _, open := <-src.Captures(); open || src.Err() != nil {
		t.Fatalf("a closed source goes on, error %v", src.Err())
	}
}

// TestDecoderKilled: ffmpeg dying in the middle of a file is an error, not an end.
func TestDecoderKilled(t *testing.T) {
	path := clip(t, "a.mkv", "testsrc2=s=640x480:r=25:d=10", "-c:v", "ffv1")
	p, err := start("ffmpeg", mustParse(t, path).args(Spec{FPS: 25}), nil, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer p.end()
	if _, err := p.next(func(n int) []byte { return make([]byte, n) }); err != nil {
		t.Fatal(err)
	}
	p.kill()
	for err == nil {
		_, err = p.next(func(n int) []byte { return make([]byte, n) })
	}
	s := &Source{in: input{path: path}}
	if e := s.why(err, p, 1); gatehouse.ErrorCode(e) != "source.failed" {
		t.Fatalf("a killed decoder gives %v", e)
	}
}

func mustParse(t testing.TB, url string) input {
	t.Helper()
	in, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestScriptQuotes(t *testing.T) {
	in := mustParse(t, "rtsp://u:it's'x@host/a")
	want := []byte(`file 'rtsp://u:it'\''s'\''x@host/a'` + "\n")
	if !bytes.Contains(in.script(), want) {
		t.Fatalf("script %q does not quote the address", in.script())
	}
}
