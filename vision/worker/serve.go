package worker

import (
	"context"
	"os"
	"runtime/debug"
	"strconv"

	"gatehouse"
	"gatehouse/internal/child"
)

// threadsEnv tells the child Options.Threads.
const threadsEnv = "GATEHOUSE_VISION_THREADS"

// RunChild is the child's main: it serves the parent that started it, and returns
// nil when that parent goes away. Called by hand it fails with child.alone.
func RunChild(ctx context.Context) error {
	// Every frame leaves several megabytes of pixels behind, and little lives long:
	// collecting less often saves a tenth of a frame's time for some 40 MB. The
	// limit makes it collect in earnest after a huge picture.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(300 << 20)
	threads, _ := strconv.Atoi(os.Getenv(threadsEnv))
	return child.Serve(ctx, handlers(NewEngine(max(threads, 1))))
}

func handlers(e *Engine) map[string]child.Handler {
	return map[string]child.Handler{
		seeMethod: func(_ context.Context, r *child.Request) (any, [][]byte, error) {
			req, err := decode[seeRequest](r)
			if err != nil {
				return nil, nil, err
			}
			img, err := req.image(r.Blobs)
			if err != nil {
				return nil, nil, err
			}
			o, err := e.See(img, req.Look)
			if err != nil {
				return nil, nil, clean(err)
			}
			header, blobs := pack(o)
			return header, blobs, nil
		},
		loadMethod: func(_ context.Context, r *child.Request) (any, [][]byte, error) {
			req, err := decode[loadRequest](r)
			if err != nil {
				return nil, nil, err
			}
			return nil, nil, e.Load(req.Faces, req.Plates)
		},
	}
}

// clean gives an error without a code one, and drops its text, which may quote
// what a picture says.
func clean(err error) error {
	if gatehouse.ErrorCode(err) != "" {
		return err
	}
	return gatehouse.Errorf("vision.failed", "this is a fault of the program; the picture may show how", "a model failed on this picture")
}
