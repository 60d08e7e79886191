package bench

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/internal/child/childtest"
	"gatehouse/vault"
	"gatehouse/vault/custody"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

// The test binary is the children too, as gatehouse is.
func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	childtest.Main(m, map[string]func(context.Context) error{worker.ChildArg: worker.RunChild, "__vault": vault.RunChild})
}

func TestMatchAgreesWithExactSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var real [][]float32
	for range 20 {
		real = append(real, noisy(r, make([]float32, 512), 1))
	}
	got, err := match(t.Context(), real, 3000, 50)
	if err != nil {
		t.Fatal(err)
	}
	if got.Agreement != 1 || got.N != 3000 || got.Dims != 512 || got.P50 <= 0 || got.P99 < got.P50 {
		t.Errorf("got %+v", got)
	}
}

// Every capture of an enrolled person must lead to a committed grant: otherwise
// the bench would measure a shorter path than a door's.
func TestPathCommitsAndGrants(t *testing.T) {
	if _, err := os.Stat(filepath.Join(models.Dir(), "portraits")); err != nil {
		t.Skip("no models and portraits here: run `make assets`")
	}
	eyes, err := worker.Start(t.Context(), worker.Options{Faces: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(eyes.Stop)
	dir := t.TempDir()
	got, err := RunPath(t.Context(), PathOptions{Gallery: 500, Captures: 20, Eyes: eyes, Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", got)
	if got.Granted < 15 || got.P50 <= 0 || got.PerS <= 0 {
		t.Errorf("got %+v", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d things are left of the bench: %v", len(left), err)
	}
}

func TestYUVComesBack(t *testing.T) {
	m := imaging.New(1280, 720)
	for i := range m.W * m.H {
		c := [3]byte{200, 60, 30}
		if i%m.W < m.W/2 {
			c = [3]byte{20, 90, 220}
		}
		copy(m.Pix[3*i:], c[:])
	}
	back, err := imaging.FromYUV420(m.W, m.H, yuv420(m))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.Pix {
		if d := int(v) - int(back.Pix[i]); d < -4 || d > 4 {
			t.Fatalf("at %d: %d became %d", i, v, back.Pix[i])
		}
	}
}

// Both kinds must write every passage: a store that drops some would be fast.
func TestCommitMeasuresBothKinds(t *testing.T) {
	got, err := RunCommit(t.Context(), CommitOptions{Passages: 80, Subjects: 20, Gates: 3, ImageBytes: 2000, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if got.Passages != 80 || got.Sealed <= 0 || got.Plain <= 0 || got.Ratio <= 0 || got.Bytes < 500 {
		t.Errorf("got %+v", got)
	}
}
