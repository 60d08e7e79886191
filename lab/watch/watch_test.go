package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/ingest"
	"gatehouse/internal/child/childtest"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

// The test binary is the vision child too, as gatehouse is.
func TestMain(m *testing.M) {
	childtest.Main(m, map[string]func(context.Context) error{worker.ChildArg: worker.RunChild})
}

// script is eyes that see, in the n-th frame, what the n-th entry says: a name
// whose face is there, "plate:TEXT", "error:CODE", or nothing.
type script struct {
	frames []string
	n      int
}

func (s *script) See(_ context.Context, _ gatehouse.Image, _ gatehouse.Look) (gatehouse.Observation, error) {
	what := s.frames[min(s.n, len(s.frames)-1)]
	s.n++
	o := gatehouse.Observation{Width: 640, Height: 480}
	kind, rest, _ := strings.Cut(what, ":")
	switch kind {
	case "":
	case "error":
		return o, gatehouse.Errorf(rest, "", "scripted")
	case "plate":
		o.Plates = []gatehouse.PlateSeen{{Box: gatehouse.Box{X: 10 + s.n, Y: 20, W: 100, H: 25}, Read: gatehouse.PlateRead{Text: rest, Confidence: 0.9}}}
	default:
		// every name has a direction of its own
		t := make([]float32, 512)
		t[int(kind[0])%512] = 1
		o.Faces = []gatehouse.FaceSeen{{Box: gatehouse.Box{X: 100 + 5*s.n, Y: 50, W: 80, H: 90}, Score: 0.9, Template: t, Live: 0.9,
			Quality: gatehouse.FaceQuality{EyeDistance: 40, Sharpness: 200, Brightness: 120}}}
	}
	return o, nil
}

// pictures makes a folder of n small pictures.
func pictures(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(dir, n), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%03d.jpg", i))
	}
	return names
}

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func run(t *testing.T, o Options, eyes *script) (out []string) {
	t.Helper()
	o.Source, o.Eyes, o.Start = pictures(t, numbered(len(eyes.frames))...), eyes, start
	err := Run(t.Context(), o, func(p Passage) error {
		line, err := json.Marshal(p)
		out = append(out, string(line))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPassagesAsJSONLines(t *testing.T) {
	people, err := LoadPeople(t.Context(), pictures(t, "Ann.jpg", "bob smith.JPG"), &script{frames: []string{"Ann", "bob"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	eyes := &script{frames: []string{"Ann", "Ann", "Ann", "", "bob", "zoe", "zoe", "", "", "", "", "", "", "", "", "", "plate:AB123CD", "plate:AB123CD"}}
	got := run(t, Options{Faces: true, Plates: true, Region: "any", Gallery: people}, eyes)
	want := []string{
		`{"time":"2026-03-02T08:00:00Z","kind":"face","subject":"Ann","plate":null,"confidence":1,"live":true,"frames":3,"box":[105,50,80,90]}`,
		`{"time":"2026-03-02T08:00:00.8Z","kind":"face","subject":"bob smith","plate":null,"confidence":1,"live":null,"frames":1,"box":[125,50,80,90]}`,
		`{"time":"2026-03-02T08:00:01Z","kind":"face","subject":null,"plate":null,"confidence":1,"live":null,"frames":2,"box":[130,50,80,90]}`,
		`{"time":"2026-03-02T08:00:03.2Z","kind":"plate","subject":null,"plate":"AB123CD","confidence":0.961,"live":null,"frames":2,"box":[27,20,100,25]}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFramesThatCannotBeSeenArePassedOver(t *testing.T) {
	var warned []string
	warn := func(format string, args ...any) { warned = append(warned, fmt.Sprintf(format, args...)) }
	eyes := &script{frames: []string{"plate:AB123CD", "error:image.truncated", "plate:AB123CD"}}
	if got := run(t, Options{Plates: true, Warn: warn}, eyes); len(got) != 1 || !strings.Contains(got[0], `"frames":2`) {
		t.Errorf("got %v", got)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "image.truncated") {
		t.Errorf("warned %v", warned)
	}
}

func TestAFrameIsTriedAgainAfterTheEyesCameBack(t *testing.T) {
	ready := 0
	eyes := &script{frames: []string{"plate:AB123CD", "error:vision.unavailable", "plate:AB123CD"}}
	o := Options{Plates: true, Ready: func(context.Context) error { ready++; return nil }}
	got := run(t, o, eyes)
	if ready != 1 || len(got) != 1 || !strings.Contains(got[0], `"frames":3`) {
		t.Errorf("ready %d times, got %v", ready, got)
	}
}

func TestGalleryErrorsNameTheFile(t *testing.T) {
	for _, c := range []struct{ name, sees, code string }{
		{"no face", "", "gallery.no_face"},
		{"only a plate", "plate:AB", "gallery.no_face"},
		{"a broken picture", "error:image.truncated", "image.truncated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := LoadPeople(t.Context(), pictures(t, "carl.png"), &script{frames: []string{c.sees}}, nil)
			if gatehouse.ErrorCode(err) != c.code || !strings.Contains(err.Error(), "carl.png") {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := LoadPeople(t.Context(), pictures(t, "notes.txt"), nil, nil); gatehouse.ErrorCode(err) != "gallery.empty" {
		t.Errorf("no stills: %v", err)
	}
	if _, err := LoadPeople(t.Context(), filepath.Join(t.TempDir(), "none"), nil, nil); gatehouse.ErrorCode(err) != "gallery.folder" {
		t.Errorf("no folder: %v", err)
	}
}

func TestSourceThatIsNotThere(t *testing.T) {
	err := Run(t.Context(), Options{Source: filepath.Join(t.TempDir(), "none.mp4"), Eyes: &script{}}, nil)
	if gatehouse.ErrorCode(err) != "source.not_found" {
		t.Errorf("got %v", err)
	}
}

// A dry run that looked at nothing has not gone well.
func TestSourceWithoutPictures(t *testing.T) {
	text := t.TempDir()
	if err := os.WriteFile(filepath.Join(text, "a.jpg"), []byte("This is text."), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dir string
		warned    string
	}{
		{"an empty folder", t.TempDir(), ""},
		{"a folder of text", text, "image.type"},
		{"a picture that nobody can decode", pictures(t, "a.jpg"), "image.truncated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var warned []string
			o := Options{Source: c.dir, Eyes: &script{frames: []string{"error:image.truncated"}}, Plates: true,
				Warn: func(format string, args ...any) { warned = append(warned, fmt.Sprintf(format, args...)) }}
			if err := Run(t.Context(), o, nil); gatehouse.ErrorCode(err) != "source.no_pictures" {
				t.Errorf("got %v", err)
			}
			if got := strings.Join(warned, "\n"); !strings.Contains(got, c.warned) || c.warned == "" && got != "" {
				t.Errorf("warned %q", got)
			}
		})
	}
}

// A camera that cannot be reached is spoken of at every attempt, not at every tick.
func TestConditionOfACamera(t *testing.T) {
	var warned []string
	w := &watcher{o: Options{Warn: func(format string, args ...any) { warned = append(warned, fmt.Sprintf(format, args...)) }}}
	down := ingest.Health{State: ingest.Down, LastError: "refused", Lines: []string{"first", "Connection refused"}}
	again := down
	again.Reconnects = 1
	for _, step := range []struct {
		health ingest.Health
		ticks  int
		want   string // what is said newly, once; "" for nothing
	}{
		{ingest.Health{State: ingest.Down}, 2, ""},
		{ingest.Health{State: ingest.Down}, 5, "no frame yet"},
		{down, 3, "refused\n  ffmpeg: Connection refused"},
		{again, 3, "refused"},
		{ingest.Health{State: ingest.OK, Reconnects: 2}, 3, "gives frames again"},
		{ingest.Health{State: ingest.OK, Reconnects: 3}, 3, ""},
		{ingest.Health{State: ingest.Stalled, Reconnects: 3, LastError: "no frame"}, 3, "stalled"},
	} {
		warned = nil
		for range step.ticks {
			w.condition(step.health)
		}
		got := strings.Join(warned, "|")
		if !strings.Contains(got, step.want) || (len(warned) != 0) != (step.want != "") || len(warned) > 1 {
			t.Errorf("%+v: warned %q, want %q once", step.health, got, step.want)
		}
	}
}

// Two of the portraits walk by; one of them is in the gallery, beside others.
func TestPortraitsWalkingBy(t *testing.T) {
	all, _ := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	if len(all) < 12 {
		t.Skip("no models and portraits here: run `make assets`")
	}
	eyes, err := worker.Start(t.Context(), worker.Options{Faces: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(eyes.Stop)
	link := func(dir, name, from string) {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	known, unknown := all[0], all[1]
	gallery, walk := t.TempDir(), t.TempDir()
	link(gallery, "known.jpg", known)
	for i, other := range all[2:10] {
		link(gallery, fmt.Sprintf("other %d.jpg", i), other)
	}
	for i := range 6 {
		link(walk, fmt.Sprintf("a%d.jpg", i), known)
		link(walk, fmt.Sprintf("b%d.jpg", i), unknown)
	}
	people, err := LoadPeople(t.Context(), gallery, eyes, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = Run(t.Context(), Options{Source: walk, Eyes: eyes, Faces: true, Gallery: people, Start: start}, func(p Passage) error {
		name := "a stranger"
		if p.Subject != nil {
			name = *p.Subject
		}
		got = append(got, fmt.Sprintf("%s in %d frames", name, p.Frames))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, ", ") != "known in 6 frames, a stranger in 6 frames" {
		t.Errorf("got %v", got)
	}
}
