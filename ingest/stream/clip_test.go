package stream

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/ingest/health"
)

// clip makes a video with ffmpeg: source is a lavfi graph, args what follows.
func clip(t testing.TB, name, source string, args ...string) string {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: apt-get install ffmpeg")
	}
	path := filepath.Join(t.TempDir(), name)
	a := append([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", source}, args...)
	if out, err := exec.Command(ffmpeg, append(a, "-y", path)...).CombinedOutput(); err != nil {
		t.Fatalf("making a clip: %v\n%s", err, out)
	}
	return path
}

var h264 = []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"}

func open(t testing.TB, s Spec) *Source {
	t.Helper()
	s.Device, s.Gate = "cam", "door"
	src, err := Open(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// all reads a source to its end.
func all(t testing.TB, s *Source) []gatehouse.Capture {
	t.Helper()
	var out []gatehouse.Capture
	timeout := time.After(60 * time.Second)
	for {
		select {
		case c, ok := <-s.Captures():
			if !ok {
				return out
			}
			out = append(out, c)
		case <-timeout:
			t.Fatalf("the source did not end; health %+v", s.Health())
		}
	}
}

// take waits for one frame.
func take(t testing.TB, s *Source, within time.Duration) gatehouse.Capture {
	t.Helper()
	select {
	case c, ok := <-s.Captures():
		if !ok {
			t.Fatalf("the source ended: %v", s.Err())
		}
		return c
	case <-time.After(within):
		t.Fatalf("no frame within %s; health %+v", within, s.Health())
	}
	panic("unreachable")
}

// until waits for a condition of the source's health, reading frames meanwhile.
func until(t testing.TB, s *Source, within time.Duration, what string, f func(health.Health) bool) health.Health {
	t.Helper()
	deadline := time.After(within)
	for {
		if h := s.Health(); f(h) {
			return h
		}
		select {
		case <-s.Captures():
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%s: not within %s; health %+v", what, within, s.Health())
		}
	}
}

// children are the processes below this one whose command line begins with ffmpeg.
func children(t testing.TB) (lines []string) {
	t.Helper()
	procs, _ := filepath.Glob("/proc/self/task/*/children")
	for _, p := range procs {
		b, _ := os.ReadFile(p)
		for _, pid := range strings.Fields(string(b)) {
			cmd, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			env, _ := os.ReadFile("/proc/" + pid + "/environ")
			if strings.Contains(string(cmd), "showinfo") {
				lines = append(lines, strings.ReplaceAll(string(cmd)+string(env), "\x00", " "))
			}
		}
	}
	return lines
}
