package e2e

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/child/childtest"
	"gatehouse/server"
	"gatehouse/vault"
	"gatehouse/vault/custody"
	"gatehouse/vision/worker"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is one chromium for all tests; each test has a context of its own in it,
// with its own cookies.
var browser struct {
	sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChildWith(server.Payroll()), "__vision": worker.RunChild}, func() {
		if browser.cancel != nil {
			browser.cancel()
		}
	})
}

// tab opens a private window in chromium for three minutes. Where there is none the test is
// skipped.
func tab(t *testing.T) (context.Context, *complaints) {
	t.Helper()
	return tabFor(t, 3*time.Minute)
}

// chromium is where the browser is. Where there is none the test is skipped.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	t.Skip("no chromium: install it with apt-get install chromium")
	return ""
}

func tabFor(t *testing.T, lasts time.Duration) (context.Context, *complaints) {
	t.Helper()
	path := chromium(t)
	browser.Do(func() {
		opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
			chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", false),
			chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true)) // a camera that is allowed
		alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
		ctx, cancel := chromedp.NewContext(alloc)
		browser.ctx, browser.cancel = ctx, func() { cancel(); stop() }
		browser.err = chromedp.Do(ctx)
	})
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, lasts)
	t.Cleanup(cancelTime)
	c := &complaints{}
	must(t, chromedp.Do(ctx))
	must(t, c.listen(ctx))
	return ctx, c
}

// complaints are what the browser's console says: policy violations, errors of the
// script, files that did not load.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (c *complaints) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, s)
}

func (c *complaints) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.list, "\n")
}

func (c *complaints) listen(ctx context.Context) error {
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		return err
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	return chromedp.Listen(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			c.add(string(e.Entry.Level) + " " + e.Entry.Text + " " + e.Entry.URL)
		case *runtime.EventExceptionThrown:
			c.add("exception " + e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			c.add("console " + string(e.Type))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, ctx context.Context, expr string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expr))
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return v
}

// until waits until the expression is true in the page, which may be loading.
func until(t *testing.T, ctx context.Context, expr string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expr)); err == nil && ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it never became true: %s\n%s", expr, ask[string](t, ctx, "document.body.innerText.slice(0, 1500)"))
}
