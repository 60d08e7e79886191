// Package worker runs vision in a process of its own. The parent's side, Worker,
// is gatehouse.Eyes: it hands a picture over and gets back what was seen. The
// child's side, RunChild, decodes untrusted pictures and runs the models. The
// child holds no key and no gallery, and gets no secret of the parent's
// environment; when it crashes or hangs it is started again, and meanwhile See
// fails at once, so that cards, PINs and QR codes go on opening doors.
package worker

import (
	"context"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vision/models"
)

// ChildArg is the hidden argument with which the binary becomes the child.
const ChildArg = "__vision"

// Options say how the child runs.
type Options struct {
	Exec    []string // the child's command line; default: this executable with ChildArg
	Threads int      // cores that one model run may use; default 1
	Assets  string   // the folder that holds models/ and onnxruntime/; default models.Dir()
	// Faces and Plates load those models before Start returns; what is not loaded
	// then is loaded by the first frame that needs it (about a second).
	Faces, Plates bool
	// CallLimit is how long one picture may take before the child counts as hung
	// and is killed. Default 20 s: 50 megapixels take about two.
	CallLimit time.Duration
	Log       *slog.Logger
	OnState   func(child.Status) // hears of every change of the child's state; may be nil
}

// Worker is a supervised vision process. It is gatehouse.Eyes, safe for
// concurrent use: pictures wait their turn in the caller, under its deadline.
type Worker struct {
	process *child.Process
	turn    chan struct{} // holds a token for each call in the child
}

var _ gatehouse.Eyes = (*Worker)(nil)

// Start runs the child and returns when it serves and the models asked for are
// loaded. It fails with vision.unavailable, or with the model.* code of a model
// that is missing or altered. End it with Stop.
func Start(ctx context.Context, o Options) (*Worker, error) {
	if o.Threads <= 0 {
		o.Threads = 1
	}
	if o.Assets == "" {
		o.Assets = models.Dir()
	}
	assets, err := filepath.Abs(o.Assets)
	if err != nil {
		return nil, gatehouse.Errorf("vision.unavailable", "give the assets folder by its full path", "the assets folder cannot be found: %w", err)
	}
	if o.CallLimit <= 0 {
		o.CallLimit = 20 * time.Second
	}
	p, err := child.Start(ctx, child.Spec{
		Name: "vision", Exec: o.Exec, CallLimit: o.CallLimit, Log: o.Log, OnState: o.OnState, MaxFrame: maxMessage,
		Env: []string{models.AssetsEnv + "=" + assets, threadsEnv + "=" + strconv.Itoa(o.Threads)},
		Init: func(ctx context.Context, call child.CallFunc) error {
			if !o.Faces && !o.Plates {
				return nil
			}
			_, err := call(ctx, loadMethod, loadRequest{o.Faces, o.Plates}, nil, nil)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	// Two: while the models look at one picture, the next is sent and decoded.
	return &Worker{process: p, turn: make(chan struct{}, 2)}, nil
}

// See implements gatehouse.Eyes. Errors: image.* for a picture that cannot be
// decoded, plate.region, vision.unavailable while the child is down or when it
// ends during the call, vision.timeout when ctx ends first.
func (w *Worker) See(ctx context.Context, img gatehouse.Image, l gatehouse.Look) (gatehouse.Observation, error) {
	if err := checkSize(img); err != nil {
		return gatehouse.Observation{}, err
	}
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return gatehouse.Observation{}, gatehouse.Errorf("vision.timeout", "more pictures come than this machine can look at; lower the cameras' rate", "the picture's turn did not come in time: %w", ctx.Err())
	}
	var answer seen
	blobs, err := w.process.Call(ctx, seeMethod, seeRequest{Look: l, Format: img.Format, Width: img.Width, Height: img.Height}, [][]byte{img.Bytes}, &answer)
	if err != nil {
		return gatehouse.Observation{}, err
	}
	return unpack(answer, blobs)
}

// Wait returns when the child is up, or with vision.unavailable when ctx ends first.
func (w *Worker) Wait(ctx context.Context) error { return w.process.Wait(ctx) }

// Status says whether the child is up.
func (w *Worker) Status() child.Status { return w.process.Status() }

// Stop ends the child and returns when it is gone.
func (w *Worker) Stop() { w.process.Stop() }
