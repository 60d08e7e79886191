package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/lab/demo"
	"gatehouse/vision/models"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"
)

// The demo is the whole product: drawn frames through vision, the rules, the sealed
// store and a simulated gate to a real browser.
func TestTheDemoFromAFrameToAnOpenedGate(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of traffic; not with -short")
	}
	if _, err := os.Stat(filepath.Join(models.Dir(), "portraits")); err != nil {
		t.Skip("the models are not fetched: run `make assets`")
	}
	const arrivals = 7
	var mu sync.Mutex
	var staged []demo.Arrival
	var passages []gatehouse.Passage
	ready, done := make(chan string, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	dir := t.TempDir()
	go func() {
		done <- demo.Run(ctx, demo.Options{Dir: dir, Listen: "localhost:0", People: 12, Vehicles: 8, Arrivals: arrivals, Pause: 1800 * time.Millisecond, Seed: 3,
			Stderr:    testWriter{t},
			Ready:     func(link string, _ demo.Keys) { ready <- link },
			Arrived:   func(a demo.Arrival) { mu.Lock(); staged = append(staged, a); mu.Unlock() },
			Committed: func(p gatehouse.Passage) { mu.Lock(); passages = append(passages, p); mu.Unlock() },
		})
	}()
	var link string
	select {
	case link = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	window, complaints := tab(t)
	must(t, chromedp.Do(window, chromedp.Navigate(link)))
	wait := func(expr string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			if ok, err := chromedp.Run(window, chromedp.Evaluate[bool](expr)); err == nil && ok {
				return
			}
		}
		t.Fatalf("it never became true: %s\n%s", expr, ask[string](t, window, "document.body.innerText.slice(0, 1500)"))
	}
	ask[bool](t, window, "window.stayed = true")
	wait("[...document.querySelectorAll('#rows .row')].some(r => r.innerText.includes('Granted') && r.innerText.includes('Passed'))")
	wait("document.querySelectorAll('#rows .row').length >= 4 && window.stayed")
	wait("document.querySelector('#rows img').naturalWidth > 0")
	must(t, chromedp.Do(window, chromedp.Click(chromedp.CSS("#rows .row a"))))
	wait("location.pathname.startsWith('/passages/') && document.querySelectorAll('main img').length > 0")
	// A team's week before last was closed, with a correction; last week's waits.
	must(t, chromedp.Do(window, chromedp.Navigate(strings.Split(link, "/enter/")[0]+"/hours?lang=en&from="+time.Now().AddDate(0, 0, -21).Format(time.DateOnly)+"&until="+time.Now().Format(time.DateOnly))))
	wait("document.querySelector('#h-decided').parentElement.innerText.includes('P-001') && document.body.innerText.includes('0:24 late') && document.body.innerText.includes('Waiting for a decision') && document.body.innerText.includes('0:00 → 8:00')")
	if book, err := excelize.OpenFile(filepath.Join(dir, "payroll", "hours.xlsx")); err != nil {
		t.Errorf("the hours are no spreadsheet: %v", err)
	} else if rows, err := book.GetRows(book.GetSheetName(0)); err != nil || len(rows) < 9 || !slices.ContainsFunc(rows, func(r []string) bool { return slices.Contains(r, "overtime-150") }) {
		t.Errorf("%v, %v", rows, err)
	}
	// What was paid for it: 2:35 of overtime at 48 and a half more, in a file for the office.
	if book, err := excelize.OpenFile(filepath.Join(dir, "payroll", "pay.xlsx")); err != nil {
		t.Errorf("the pay is no spreadsheet: %v", err)
	} else if rows, err := book.GetRows(book.GetSheetName(0)); err != nil || !slices.ContainsFunc(rows, func(r []string) bool {
		return len(r) > 8 && r[0] == "P-003" && r[1] != "" && r[4] == "overtime-150" && r[7] == "186.00" && r[8] == "CNY"
	}) {
		t.Errorf("%v, %v", rows, err)
	}
	must(t, chromedp.Do(window, chromedp.Navigate(strings.Split(link, "/enter/")[0]+"/hours/periods")))
	wait("document.body.innerText.includes('payslips: 8')")
	quiet(t, complaints)

	if err := <-done; err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, a := range staged {
		ok := slices.ContainsFunc(passages, func(p gatehouse.Passage) bool {
			d := p.At.Sub(a.At)
			return p.Gate == a.Gate && d > -5*time.Second && d < 7*time.Second && slices.Contains(a.Act.Expected(), p.Decision.Reason)
		})
		if ok {
			right++
		} else {
			t.Logf("%s at %s was not decided as expected", a.Act, a.Gate)
		}
	}
	t.Logf("%d of %d arrivals decided as expected, %d passages", right, len(staged), len(passages))
	if len(staged) != 2*arrivals || right < len(staged)*3/4 {
		t.Errorf("only %d of %d arrivals were decided as expected", right, len(staged))
	}
	if n := len(passages); n > len(staged)*3/2 {
		t.Errorf("%d passages for %d arrivals: one walk must be one passage", n, len(staged))
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	if s := strings.TrimSpace(string(b)); strings.Contains(s, "level=") && w.t.Context().Err() == nil {
		w.t.Log(s)
	}
	return len(b), nil
}
