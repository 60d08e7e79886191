package models

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
)

// assets returns the assets folder, or skips the test.
func assets(t *testing.T) string {
	t.Helper()
	dir := Dir()
	if _, err := os.Stat(filepath.Join(dir, "models")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	return dir
}

func wantCode(t *testing.T, err error, code string, says ...string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Fatalf("got %v, want code %s", err, code)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%v does not say %q", err, s)
		}
	}
}

func TestRegistryOpensEveryFile(t *testing.T) {
	assets(t)
	for _, e := range Registry {
		if len(e.Inputs) == 0 {
			if _, err := Load(e.Name); err != nil {
				t.Error(err)
			}
			continue
		}
		m, err := Open(e.Name, 1)
		if err != nil {
			t.Error(err)
			continue
		}
		_ = m.Close()
	}
}

func TestRegistryIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Registry {
		if e.Name == "" || seen[e.Name] || len(e.SHA256) != 64 || e.Licence == "" || e.Source == "" || e.Note == "" {
			t.Errorf("entry %q is incomplete or double", e.Name)
		}
		seen[e.Name] = true
		if len(e.Inputs) > 0 && e.Std == ([3]float32{}) {
			t.Errorf("%s has no preprocessing", e.Name)
		}
	}
}

func TestMissingModelSaysHowToGetIt(t *testing.T) {
	t.Setenv(AssetsEnv, t.TempDir())
	_, err := Load(FaceDetect)
	wantCode(t, err, CodeMissing, "make assets")
	_, err = Open(FaceDetect, 1)
	wantCode(t, err, CodeMissing, "make assets")
}

func TestMissingRuntimeSaysHowToGetIt(t *testing.T) {
	from := assets(t)
	dir := t.TempDir()
	copyFile(t, filepath.Join(from, "models/fr_detect.onnx"), filepath.Join(dir, "models/fr_detect.onnx"))
	t.Setenv(AssetsEnv, dir)
	_, err := Open(FaceDetect, 1)
	wantCode(t, err, CodeMissing, "make assets", "ONNX Runtime")
}

func TestAlteredModelIsRefused(t *testing.T) {
	from := assets(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "models/fr_detect.onnx")
	copyFile(t, filepath.Join(from, "models/fr_detect.onnx"), path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(AssetsEnv, dir)
	_, err = Load(FaceDetect)
	wantCode(t, err, CodeAltered, "make assets")

	// another model under this name is altered, too
	copyFile(t, filepath.Join(from, "models/fr_landmark.onnx"), path)
	_, err = Load(FaceDetect)
	wantCode(t, err, CodeAltered)
}

func TestWrongShapeIsRefused(t *testing.T) {
	e, err := Find(FaceDetect)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckShape(e, e.Inputs, e.Outputs); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ in, out [][]int64 }{
		{[][]int64{{1, 3, 480, 640}}, e.Outputs},
		{[][]int64{{1, 3, 240}}, e.Outputs},
		{nil, e.Outputs},
		{e.Inputs, e.Outputs[:1]},
		{e.Inputs, [][]int64{{1, 4420, 2}, {1, 4420, 14}}},
	} {
		wantCode(t, CheckShape(e, c.in, c.out), CodeShape, FaceDetect, "make assets")
	}
}

func TestUnknownName(t *testing.T) {
	_, err := Load("face-age")
	wantCode(t, err, CodeUnknown)
}

func TestDirPrefersTheEnvironment(t *testing.T) {
	t.Setenv(AssetsEnv, "elsewhere")
	if d := Dir(); d != "elsewhere" {
		t.Errorf("Dir is %q", d)
	}
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	for _, d := range []string{deep, filepath.Join(root, "third_party")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(AssetsEnv, "")
	t.Chdir(deep)
	want, _ := filepath.EvalSymlinks(filepath.Join(root, "third_party"))
	if got, _ := filepath.EvalSymlinks(Dir()); got != want {
		t.Errorf("Dir from a subfolder is %q, want %q", got, want)
	}
	// no further up than the module's root
	if err := os.WriteFile(filepath.Join(deep, "go.mod"), []byte("module x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if d := Dir(); d != "third_party" {
		t.Errorf("Dir goes beyond the module's root: %q", d)
	}
}

func TestThresholdGrowsWithTheGalleryAndKeepsItsBudget(t *testing.T) {
	for _, shape := range []float64{0, -0.1, 0.05} {
		c := Calibration{Tail: 0.2, Rate: 0.01, Scale: 0.03, Shape: shape, Budget: 0.005, Low: 0.2}
		last := float32(0)
		for _, n := range []int{1, 10, 240, 10_000, 100_000} {
			th := c.Threshold(n)
			if th <= last {
				t.Errorf("shape %v: threshold for %d people is %v, not above %v", shape, n, th, last)
			}
			last = th
			fpir := 1 - math.Pow(1-c.FalseMatchRate(float64(th)), float64(n))
			if math.Abs(fpir-c.Budget) > 1e-4 {
				t.Errorf("shape %v: FPIR for %d people is %v, not %v", shape, n, fpir, c.Budget)
			}
		}
	}
}

func TestRegistryThresholdIsSane(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 240, 100_000} {
		if th := Threshold(n); !(th >= float32(FaceCalibration.Low) && th < 0.9) {
			t.Errorf("threshold for %d people: %v", n, th)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, bytes.Clone(data), 0o644); err != nil {
		t.Fatal(err)
	}
}
