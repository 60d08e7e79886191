package e2e

import (
	"sync/atomic"
	"testing"

	"gatehouse"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// firstPage bounds what a browser without a cache is sent for the first page, with a full
// list and the pictures in sight, in bytes.
const firstPage = 100 << 10

// A first visit over a slow line at a gate is a small one, at a desk and on a phone.
func TestTheFirstPageIsSmall(t *testing.T) {
	s := site(t)
	morning(s)
	for i := range 80 {
		reason := gatehouse.Granted
		if i%5 == 0 {
			reason = gatehouse.Unknown
		}
		s.Arrive(passage(gatehouse.FaceReading, "front-door", gatehouse.SubjectID{}, reason), gatehouse.Detail{}, portrait(i%12))
	}
	for name, size := range map[string][2]int64{"desk": {1920, 1080}, "phone": {390, 844}} {
		t.Run(name, func(t *testing.T) {
			ctx, c := tab(t)
			var sent atomic.Int64
			must(t, chromedp.Listen(ctx, func(e any) {
				if e, ok := e.(*network.EventLoadingFinished); ok {
					sent.Add(int64(e.EncodedDataLength))
				}
			}))
			must(t, chromedp.Do(ctx, chromedp.EmulateViewport(size[0], size[1]), enter(t, s)))
			until(t, ctx, "document.readyState == 'complete' && document.querySelectorAll('#rows .row').length > 30 && document.getElementById('pulse').classList.contains('is-on')")
			until(t, ctx, "[...document.querySelectorAll('#rows img')].some(i => i.naturalWidth > 0)")
			t.Logf("%d bytes", sent.Load())
			if sent.Load() == 0 || sent.Load() > firstPage {
				t.Errorf("the first page takes %d bytes, and may take %d", sent.Load(), firstPage)
			}
			quiet(t, c)
		})
	}
}
