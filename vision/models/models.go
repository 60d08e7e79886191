// Package models is the registry: for every model file that Gatehouse uses, its
// hash, licence, origin, shapes and preprocessing, and for those that decide
// something, the calibrated thresholds with the figures that gave them. A file
// that differs is refused: thresholds and templates hold for one model only.
package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gatehouse"
	"gatehouse/vision/ort"
)

// Codes of the errors of this package.
const (
	CodeMissing = "model.missing" // the file, or the runtime, is not there
	CodeAltered = "model.altered" // the file's hash is not the registry's
	CodeShape   = "model.shape"   // the model's inputs or outputs are not the registry's
	CodeUnknown = "model.unknown" // no such name in the registry
	CodeRuntime = "model.runtime" // the runtime refuses to start or to load the model
)

// AssetsEnv names the environment variable that overrides where Dir looks.
const AssetsEnv = "GATEHOUSE_ASSETS"

const hint = "run `make assets`, or set " + AssetsEnv + " to the folder that holds models/ and onnxruntime/"

// Entry says everything about one file that its users must agree on.
type Entry struct {
	Name    string // how code asks for it
	File    string // below the assets folder
	SHA256  string // of the file, lower-case hex
	Licence string // SPDX identifier
	Source  string // npm package@version and the path in it

	// Inputs and Outputs are the shapes, in order; -1 is free. Both are empty for a
	// file that is no model.
	Inputs, Outputs [][]int64
	// Order, Mean and Std are the preprocessing: each channel is (value-Mean)/Std,
	// value 0..255, in this order of channels. Order is "" for a grey or no input.
	Order     string // "RGB", "BGR" or ""
	Mean, Std [3]float32
	Dims      int    // length of the template it makes; 0 for other models
	Note      string // the rest of the contract: what the input shows, what the output means
}

// Find returns the registry's entry of that name.
func Find(name string) (Entry, error) {
	i := slices.IndexFunc(Registry, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, gatehouse.Errorf(CodeUnknown, "use a name of the registry (vision/models)", "no model is called %q", name)
	}
	return Registry[i], nil
}

// Dir returns the assets folder: $GATEHOUSE_ASSETS where it is set, else the first
// third_party that exists next to the executable's folder or in the working
// directory or one of its parents up to the module's root, else "third_party".
func Dir() string {
	if d := os.Getenv(AssetsEnv); d != "" {
		return d
	}
	const name = "third_party"
	isDir := func(p string) bool {
		info, err := os.Stat(p)
		return err == nil && info.IsDir()
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		if d := filepath.Join(filepath.Dir(exe), "..", name); isDir(d) {
			return d
		}
	}
	wd, err := os.Getwd()
	for err == nil {
		if d := filepath.Join(wd, name); isDir(d) {
			return d
		}
		_, notRoot := os.Stat(filepath.Join(wd, "go.mod"))
		parent := filepath.Dir(wd)
		if notRoot == nil || parent == wd {
			break
		}
		wd = parent
	}
	return name
}

// Load returns the bytes of a registered file after checking its hash. Errors are
// *gatehouse.Error: CodeUnknown, CodeMissing, CodeAltered.
func Load(name string) ([]byte, error) {
	e, err := Find(name)
	if err != nil {
		return nil, err
	}
	return e.load(Dir())
}

func (e Entry) load(dir string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(e.File)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, gatehouse.Errorf(CodeMissing, hint, "the model %s is not at %s: %w", e.Name, filepath.Join(dir, e.File), err)
	}
	if err != nil {
		return nil, gatehouse.Errorf(CodeMissing, hint, "the model %s cannot be read: %w", e.Name, err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != e.SHA256 {
		return nil, gatehouse.Errorf(CodeAltered, "remove the file and "+hint,
			"the model %s differs from the registered one: SHA-256 is %s…, not %s…", e.Name, got[:12], e.SHA256[:12])
	}
	return data, nil
}

// CheckShape compares a loaded model's inputs and outputs with the registry; the
// error is a *gatehouse.Error with CodeShape.
func CheckShape(e Entry, inputs, outputs [][]int64) error {
	for _, side := range []struct {
		what      string
		got, want [][]int64
	}{{"inputs", inputs, e.Inputs}, {"outputs", outputs, e.Outputs}} {
		if !slices.EqualFunc(side.got, side.want, func(a, b []int64) bool { return slices.Equal(a, b) }) {
			return gatehouse.Errorf(CodeShape, "use the model that the registry names: "+hint,
				"the model %s has the %s %v, not %v", e.Name, side.what, side.got, side.want)
		}
	}
	return nil
}

// Open starts the runtime, loads a registered model, and checks its hash and
// shapes. threads is the number of cores that one Run may use. Errors are
// *gatehouse.Error with one of this package's codes.
func Open(name string, threads int) (*ort.Model, error) {
	e, err := Find(name)
	if err != nil {
		return nil, err
	}
	dir := Dir()
	data, err := e.load(dir)
	if err != nil {
		return nil, err
	}
	lib := filepath.Join(dir, "onnxruntime", "libonnxruntime.so.1")
	if _, err := os.Stat(lib); err != nil {
		return nil, gatehouse.Errorf(CodeMissing, hint, "ONNX Runtime is not at %s: %w", lib, err)
	}
	if err := ort.Start(lib); err != nil {
		return nil, gatehouse.Errorf(CodeRuntime, hint, "ONNX Runtime does not start: %w", err)
	}
	m, err := ort.Load(data, threads)
	if err != nil {
		return nil, gatehouse.Errorf(CodeRuntime, hint, "the model %s does not load: %w", name, err)
	}
	if err := CheckShape(e, shapes(m.Inputs), shapes(m.Outputs)); err != nil {
		_ = m.Close()
		return nil, err
	}
	return m, nil
}

func shapes(ports []ort.Port) [][]int64 {
	out := make([][]int64, len(ports))
	for i, p := range ports {
		out[i] = p.Shape
	}
	return out
}
