package bench

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/vision/models"
)

// Every passage must be on every page: otherwise the bench would leave out the slowest.
func TestFeedReachesEveryPage(t *testing.T) {
	if _, err := os.Stat(filepath.Join(models.Dir(), "models")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	dir := t.TempDir()
	got, err := RunFeed(t.Context(), FeedOptions{Pages: 3, PerS: 20, For: time.Second, Dir: dir, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", got)
	if got.Pages != 3 || got.Lost != 0 || got.Shown < 30 || got.Shown%3 != 0 || got.P50 <= 0 || got.P99 < got.P50 || got.Updates <= 0 || got.Updates > 11 {
		t.Errorf("got %+v", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d things are left of the bench: %v", len(left), err)
	}
}
