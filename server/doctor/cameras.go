package doctor

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/ingest"
)

// A camera is late where what was looked at is older than this.
const (
	lateAfter  = 2 * time.Second
	frameAfter = 30 * time.Second
	openWithin = 8 * time.Second
)

func (d *doctor) cameras(ctx context.Context) {
	if d.live == nil {
		d.open(ctx)
		return
	}
	if len(d.health.Cameras) == 0 {
		d.add("cameras", Skipped, "", "there is no camera whose pictures are read")
	}
	for _, c := range d.health.Cameras {
		name, lag := "camera "+string(c.Device), time.Duration(c.LagMS)*time.Millisecond
		age := d.o.Now().Sub(c.LastFrame)
		switch {
		case c.State == "ended":
			d.add(name, Warn, "set loop, if it is a file that stands for a camera", "its source came to its end")
		case c.State != "ok" || age > frameAfter:
			d.add(name, Fail, "check its address, power and network", "it is %s, with %d reconnections", said(c.State == "ok", "silent", c.State), c.Reconnects)
		case lag > lateAfter:
			d.add(name, Warn, "give vision.threads more cores, or lower fps", "%.1f frames/s, looked at %s late, %d dropped", c.FPS, lag, c.Dropped)
		default:
			d.add(name, OK, "", "%.1f frames/s, looked at within %s", c.FPS, lag)
		}
	}
}

// open opens each configured source and waits for a picture.
func (d *doctor) open(ctx context.Context) {
	tried := 0
	for _, c := range d.config.Devices {
		if c.Source == "" {
			continue
		}
		tried++
		name := "camera " + c.ID
		began := time.Now()
		within, cancel := context.WithTimeout(ctx, openWithin)
		src, err := ingest.Open(within, ingest.Spec{Device: gatehouse.DeviceID(c.ID), URL: c.Source, FPS: c.FPS, MaxWidth: 640})
		if err == nil {
			select {
			case _, ok := <-src.Captures():
				if !ok {
					err = src.Err()
				}
			case <-within.Done():
				err = within.Err()
			}
			_ = src.Close()
		}
		cancel()
		d.judge(name, err == nil, Fail, "check its address, power and network", "it %s", said(err == nil, "gave a picture after "+time.Since(began).Round(time.Millisecond).String(), "gave no picture ("+gatehouse.ErrorCode(err)+")"))
	}
	if tried == 0 {
		d.add("cameras", Skipped, "", "gatehouse.yml names no source; sealed addresses are known to a running server only")
	}
}
