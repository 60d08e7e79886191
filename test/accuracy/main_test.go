// Package accuracy measures vision on real pictures that are not part of the
// project: they lie in a folder beside the checkout, named by EVALDATA or
// ../shared/evaldata, and these tests skip where it is absent, and with -short.
package accuracy

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/internal/child/childtest"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

// The test binary is the vision child too, as gatehouse is.
func TestMain(m *testing.M) {
	childtest.Main(m, map[string]func(context.Context) error{worker.ChildArg: worker.RunChild})
}

// data returns a path in the evaluation data, or skips the test.
func data(t *testing.T, elements ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("measuring takes a while: left out with -short")
	}
	root := os.Getenv("EVALDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "evaldata")
	}
	p := filepath.Join(append([]string{root}, elements...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("the evaluation data is not here (%s)", filepath.Join(elements...))
	}
	return p
}

// eyes starts a vision process, or skips the test where there are no models.
func eyes(t *testing.T, o worker.Options) *worker.Worker {
	t.Helper()
	if _, err := os.Stat(filepath.Join(models.Dir(), "onnxruntime", "libonnxruntime.so.1")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	w, err := worker.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}
