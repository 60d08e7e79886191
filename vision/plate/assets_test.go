package plate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/vision/ort"
)

// assets is where `make assets` puts the runtime, the models and the fonts.
const assets = "../../third_party"

// asset returns a file's bytes; the test is skipped where the assets were not
// fetched.
func asset(t testing.TB, name ...string) []byte {
	t.Helper()
	path := filepath.Join(append([]string{assets}, name...)...)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: run `make assets` first", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// newReader loads the models for one core.
func newReader(t testing.TB) *Reader {
	t.Helper()
	detector := asset(t, "models", "ch_PP-OCRv4_det_infer.onnx")
	recognizer := asset(t, "models", "ch_PP-OCRv4_rec_infer.onnx")
	if err := ort.Start(filepath.Join(assets, "onnxruntime", "libonnxruntime.so.1")); err != nil {
		t.Skip(err)
	}
	keys, err := ParseKeys(asset(t, "models", "ppocr_keys_v1.txt"))
	if err != nil {
		t.Fatal(err)
	}
	load := func(data []byte) *ort.Model {
		m, err := ort.Load(data, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() })
		return m
	}
	return New(Models{Detector: load(detector), Recognizer: load(recognizer), Keys: keys})
}
