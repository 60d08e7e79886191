package worker_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/child/childtest"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

// The test binary is the child too, as gatehouse is.
func TestMain(m *testing.M) {
	childtest.Main(m, map[string]func(context.Context) error{worker.ChildArg: worker.RunChild})
}

func assets(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(models.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "onnxruntime", "libonnxruntime.so.1")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	return dir
}

func start(t *testing.T, o worker.Options) *worker.Worker {
	t.Helper()
	if o.Assets == "" {
		o.Assets = assets(t)
	}
	w, err := worker.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func portrait(t *testing.T) gatehouse.Image {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(assets(t), "portraits", "*.jpg"))
	if err != nil || len(all) == 0 {
		t.Skip("no portraits here: run `make assets`")
	}
	data, err := os.ReadFile(all[0])
	if err != nil {
		t.Fatal(err)
	}
	return gatehouse.Image{Format: gatehouse.JPEG, Bytes: data}
}

func grey(t *testing.T, w, h int) gatehouse.Image {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = color.Gray{Y: 128}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return gatehouse.Image{Format: gatehouse.JPEG, Bytes: b.Bytes()}
}

var everything = gatehouse.Look{Faces: true, Plates: true, Region: "any", Templates: true, Live: true, Crops: true, Still: true}

func TestSeesAPortraitThroughTheChild(t *testing.T) {
	w := start(t, worker.Options{})
	o, err := w.See(t.Context(), portrait(t), everything)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Faces) != 1 {
		t.Fatalf("%d faces in a portrait", len(o.Faces))
	}
	f := o.Faces[0]
	if len(f.Template) != 512 || f.Live < 0 || f.Live > 1 || f.Quality.EyeDistance < 20 {
		t.Errorf("template of %d, live %v, quality %+v", len(f.Template), f.Live, f.Quality)
	}
	var length float64
	for _, x := range f.Template {
		length += float64(x) * float64(x)
	}
	if length < 0.999 || length > 1.001 {
		t.Errorf("the template's length is %v, not 1", length)
	}
	for name, b := range map[string][]byte{"crop": f.Crop, "still": o.Still} {
		c, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || max(c.Width, c.Height) > 960 {
			t.Errorf("the %s is no JPEG of at most 960 pixels: %v %dx%d", name, err, c.Width, c.Height)
		}
	}
	if got, err := w.See(t.Context(), portrait(t), gatehouse.Look{Faces: true}); err != nil || got.Still != nil || len(got.Faces) != 1 || got.Faces[0].Template != nil || got.Faces[0].Crop != nil || got.Faces[0].Live != -1 {
		t.Errorf("what was not asked for came: %v", err)
	}
}

func TestBadPicturesAreRefusedByCode(t *testing.T) {
	w := start(t, worker.Options{})
	whole := portrait(t).Bytes
	for _, c := range []struct {
		name string
		img  gatehouse.Image
		code string
	}{
		{"zero bytes", gatehouse.Image{Format: gatehouse.JPEG}, "image.empty"},
		{"truncated", gatehouse.Image{Format: gatehouse.JPEG, Bytes: whole[:len(whole)/2]}, "image.truncated"},
		{"not a picture", gatehouse.Image{Format: gatehouse.PNG, Bytes: []byte("hello, this is text")}, "image.unsupported"},
		{"too many bytes", gatehouse.Image{Format: gatehouse.JPEG, Bytes: make([]byte, 21<<20)}, "image.too_large"},
		{"raw frame cut", gatehouse.Image{Format: gatehouse.YUV420, Width: 640, Height: 360, Bytes: make([]byte, 1000)}, "image.damaged"},
		{"raw frame without size", gatehouse.Image{Format: gatehouse.RGB24, Bytes: make([]byte, 1000)}, "image.damaged"},
		{"raw frame of negative size", gatehouse.Image{Format: gatehouse.RGB24, Width: -1, Height: 5, Bytes: make([]byte, 1000)}, "image.damaged"},
		{"raw frame of absurd size", gatehouse.Image{Format: gatehouse.RGB24, Width: 1 << 40, Height: 1 << 40, Bytes: make([]byte, 1000)}, "image.too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.See(t.Context(), c.img, gatehouse.Look{Faces: true})
			if gatehouse.ErrorCode(err) != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
	if got := w.Status().Restarts; got != 0 {
		t.Errorf("bad pictures ended the child %d times", got)
	}
	if _, err := w.See(t.Context(), portrait(t), gatehouse.Look{Plates: true, Region: "mars"}); gatehouse.ErrorCode(err) != "plate.region" {
		t.Errorf("got %v, want plate.region", err)
	}
}

func TestKilledChildIsStartedAgain(t *testing.T) {
	w := start(t, worker.Options{Faces: true})
	if _, err := w.See(t.Context(), portrait(t), gatehouse.Look{Faces: true}); err != nil {
		t.Fatal(err)
	}
	pid := w.Status().PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	failedFast := false
	for time.Now().Before(deadline) {
		began := time.Now()
		_, err := w.See(t.Context(), portrait(t), gatehouse.Look{Faces: true})
		if err == nil && w.Status().PID != pid {
			if !failedFast {
				t.Log("the child was back before anybody noticed")
			}
			return
		}
		if err != nil {
			if gatehouse.ErrorCode(err) != "vision.unavailable" {
				t.Fatalf("while it is down: %v", err)
			}
			if time.Since(began) > 10*time.Second { // at once, however busy the machine is
				t.Fatalf("it took %v to say so", time.Since(began))
			}
			failedFast = true
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the child did not come back in 20 s")
}

// A child that is stopped in its tracks answers nothing; it must be killed and
// replaced, and the call must end.
func TestHungChildIsKilled(t *testing.T) {
	w := start(t, worker.Options{Faces: true, CallLimit: time.Second})
	pid := w.Status().PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err := w.See(t.Context(), portrait(t), gatehouse.Look{Faces: true})
	if gatehouse.ErrorCode(err) != "vision.unavailable" || time.Since(began) > 15*time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for w.Status().PID == pid && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if err := w.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.See(ctx, portrait(t), gatehouse.Look{Faces: true}); err != nil {
		t.Fatalf("after the restart: %v", err)
	}
}

func TestConcurrentCallersAllGetTheirOwnAnswer(t *testing.T) {
	w := start(t, worker.Options{Faces: true})
	small, large := grey(t, 320, 240), grey(t, 640, 480)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			img, want := small, 320
			if i%2 == 1 {
				img, want = large, 640
			}
			for range 4 {
				o, err := w.See(t.Context(), img, gatehouse.Look{Faces: true})
				if err != nil || o.Width != want {
					t.Errorf("width %d, want %d: %v", o.Width, want, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCallerThatGivesUpGetsATimeout(t *testing.T) {
	w := start(t, worker.Options{Faces: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.See(ctx, portrait(t), gatehouse.Look{Faces: true})
	if gatehouse.ErrorCode(err) != "vision.timeout" || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMissingModelsSayHowToGetThem(t *testing.T) {
	_, err := worker.Start(t.Context(), worker.Options{Assets: t.TempDir(), Faces: true})
	if gatehouse.ErrorCode(err) != models.CodeMissing || !strings.Contains(err.Error(), "make assets") {
		t.Errorf("got %v", err)
	}
}

func TestRunChildByHandIsRefused(t *testing.T) {
	if err := worker.RunChild(t.Context()); gatehouse.ErrorCode(err) != "child.alone" {
		t.Errorf("got %v", err)
	}
}

// The whole vision process must stay below 600 MB with every model loaded and
// warm (the limit for memory at rest).
func TestMemoryWithEverythingLoaded(t *testing.T) {
	w := start(t, worker.Options{Faces: true, Plates: true})
	frame := gatehouse.Image{Format: gatehouse.YUV420, Width: 1280, Height: 720, Bytes: make([]byte, 1280*720*3/2)}
	for range 3 {
		for _, img := range []gatehouse.Image{portrait(t), frame} {
			if _, err := w.See(t.Context(), img, everything); err != nil {
				t.Fatal(err)
			}
		}
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(w.Status().PID) + "/status")
	if err != nil {
		t.Skip("no /proc here")
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("resident: %d MB", kb>>10)
			if kb>>10 > 600 {
				t.Errorf("the vision process holds %d MB", kb>>10)
			}
		}
	}
}
