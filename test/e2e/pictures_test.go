package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// picture writes the page as it stands, whole, at three widths, light and dark, into the
// folder that GATEHOUSE_SCREENSHOTS names. Without one it does nothing.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_SCREENSHOTS")
	if dir == "" {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir)
	}
	must(t, os.MkdirAll(dir, 0o755))
	for _, width := range []int64{390, 1024, 1600} {
		for _, scheme := range []string{"light", "dark"} {
			must(t, chromedp.Do(ctx, media(scheme), chromedp.EmulateViewport(width, 1000), chromedp.Sleep(250*time.Millisecond)))
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644))
		}
	}
	must(t, chromedp.Do(ctx, media("light"), chromedp.EmulateViewport(1024, 900)))
}

// pictures are those of an address, in both languages.
func pictures(t *testing.T, ctx context.Context, base, name, path string) {
	t.Helper()
	if os.Getenv("GATEHOUSE_SCREENSHOTS") == "" {
		return
	}
	for _, lang := range []string{"zh", "en"} {
		must(t, chromedp.Do(ctx, chromedp.Navigate(base+inLanguage(path, lang))))
		until(t, ctx, "document.readyState === 'complete'")
		picture(t, ctx, name+"-"+lang)
	}
}
