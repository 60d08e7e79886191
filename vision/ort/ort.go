// Package ort runs ONNX models. It is the one package that imports the ONNX
// Runtime binding, and it is linked into the vision child process only in the
// sense that nobody else calls Start: native code never runs beside the gallery,
// the keys or the gates.
package ort

import (
	"fmt"
	"os"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"
)

var start sync.Once
var startErr error

// Start loads the runtime from the shared library at path, once a process. Later
// calls return the first call's error, if any.
func Start(path string) error {
	start.Do(func() {
		if _, err := os.Stat(path); err != nil {
			startErr = fmt.Errorf("ONNX Runtime is not at %s: run `make assets` (or set GATEHOUSE_ASSETS to the folder that holds it)", path)
			return
		}
		onnx.SetSharedLibraryPath(path)
		if err := onnx.InitializeEnvironment(onnx.WithLogLevelError()); err != nil {
			startErr = fmt.Errorf("ONNX Runtime at %s does not start: %w", path, err)
			return
		}
		_ = onnx.DisableTelemetry()
	})
	return startErr
}

// Tensor is a dense float32 tensor in row-major order.
type Tensor struct {
	Shape []int64
	Data  []float32
}

// Model is one loaded model. Run may be called from one goroutine at a time.
type Model struct {
	Inputs, Outputs []Port
	session         *onnx.DynamicAdvancedSession
}

// Port describes an input or output; a dimension of -1 is free.
type Port struct {
	Name  string
	Shape []int64
}

// Load reads a model from its bytes; threads is the number of cores that one Run
// may use (0: the runtime's choice).
func Load(data []byte, threads int) (*Model, error) {
	ins, outs, err := onnx.GetInputOutputInfoWithONNXData(data)
	if err != nil {
		return nil, fmt.Errorf("not a model that ONNX Runtime can read: %w", err)
	}
	m := &Model{}
	names := func(infos []onnx.InputOutputInfo, ports *[]Port) []string {
		var n []string
		for _, i := range infos {
			*ports = append(*ports, Port{Name: i.Name, Shape: i.Dimensions})
			n = append(n, i.Name)
		}
		return n
	}
	opts, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer opts.Destroy()
	if threads > 0 {
		if err := opts.SetIntraOpNumThreads(threads); err != nil {
			return nil, err
		}
	}
	if err := opts.SetGraphOptimizationLevel(onnx.GraphOptimizationLevelEnableAll); err != nil {
		return nil, err
	}
	// Idle workers must not spin: a gate is idle most of the day.
	if err := opts.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); err != nil {
		return nil, err
	}
	m.session, err = onnx.NewDynamicAdvancedSessionWithONNXData(data, names(ins, &m.Inputs), names(outs, &m.Outputs), opts)
	if err != nil {
		return nil, fmt.Errorf("the model does not load: %w", err)
	}
	return m, nil
}

// Run feeds the model's inputs in order and returns copies of its outputs in order.
func (m *Model) Run(inputs ...Tensor) ([]Tensor, error) {
	if len(inputs) != len(m.Inputs) {
		return nil, fmt.Errorf("the model takes %d inputs, not %d", len(m.Inputs), len(inputs))
	}
	in := make([]onnx.Value, len(inputs))
	for i, t := range inputs {
		v, err := onnx.NewTensor(onnx.NewShape(t.Shape...), t.Data)
		if err != nil {
			return nil, err
		}
		defer v.Destroy()
		in[i] = v
	}
	out := make([]onnx.Value, len(m.Outputs))
	if err := m.session.Run(in, out); err != nil {
		return nil, err
	}
	res := make([]Tensor, len(out))
	for i, v := range out {
		t, ok := v.(*onnx.Tensor[float32])
		if !ok {
			v.Destroy()
			return nil, fmt.Errorf("output %s is not float32", m.Outputs[i].Name)
		}
		res[i] = Tensor{Shape: append([]int64(nil), t.GetShape()...), Data: append([]float32(nil), t.GetData()...)}
		t.Destroy()
	}
	return res, nil
}

// Close releases the model.
func (m *Model) Close() error { return m.session.Destroy() }
