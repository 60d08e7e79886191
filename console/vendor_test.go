package console

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The scripts that the console carries are those of the packages that package-lock.json
// pins, unaltered.
func TestCarriedScriptsAreThePinnedOnes(t *testing.T) {
	carried, err := filepath.Glob("static/vendor/*")
	if err != nil || len(carried) < 7 {
		t.Fatalf("%d files are carried, %v", len(carried), err)
	}
	for _, name := range carried {
		want, err := os.ReadFile(filepath.Join("..", "third_party", "web", filepath.Base(name)))
		if os.IsNotExist(err) {
			t.Skip("run `make assets` to compare them with their packages")
		}
		have, failed := os.ReadFile(name)
		if err != nil || failed != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not the package's (%v, %v): copy it from third_party/web", name, err, failed)
		}
	}
}
