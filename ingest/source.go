// Package ingest turns what cameras, files and folders give into captures. A
// Source is opened from a Spec and yields frames until it ends; ingest/stream
// reads video through ffmpeg, ingest/folder reads pictures, and ingest/frames
// takes the pictures that devices post.
package ingest

import (
	"context"
	"os"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/ingest/folder"
	"gatehouse/ingest/health"
	"gatehouse/ingest/stream"
)

// Health is a source's condition at one moment, and State one word for it.
type (
	Health = health.Health
	State  = health.State
)

// The states of a source.
const (
	OK      = health.OK
	Stalled = health.Stalled
	Down    = health.Down
	Ended   = health.Ended
)

// Spec says what to open and how. Only Device, Gate and URL are needed.
type Spec struct {
	Device gatehouse.DeviceID
	Gate   gatehouse.GateID

	// URL is the path of a video file or of a folder of pictures, or a camera's
	// address (rtsp, rtsps, http, https). It may hold a password; it is never
	// logged, nor shown in the process list.
	URL string

	// FPS is how many frames a second to yield, at most 60. 0 means 5 for a
	// camera and 10 for a file.
	FPS float64
	// MaxWidth scales wider frames down, keeping their shape; 0 leaves them.
	MaxWidth int
	// Loop begins a file or folder again at its end. Claimed goes on growing.
	Loop bool
	// Realtime paces a file by its own time and drops frames that the reader is
	// too slow for, as a camera would. Otherwise a file waits for its reader.
	Realtime bool
	// Start is what Claimed counts from in files and folders; zero: the moment of
	// Open. The position in the file is Claimed minus Start.
	Start time.Time
	// Interval is the time between two pictures of a folder; 0: 200 ms.
	Interval time.Duration
	// IdleEvery lets one frame through in this span while nothing moves; 0 means
	// 2 s for a camera and that every frame passes for a file; negative: every
	// frame passes.
	IdleEvery time.Duration
	// Stall is how long a camera may give no frame before it is connected to
	// again; 0: 10 s.
	Stall time.Duration
}

// Source yields captures.
type Source interface {
	// Captures yields frames, in order, until the source ends or is closed; then
	// it is closed. A camera keeps only the newest frame for a slow reader; a file
	// waits (unless Realtime). Every capture owns its bytes.
	//
	// Received is this machine's receipt time and never goes back. Claimed is the
	// position in a file (Start plus that), the file's place in a folder, and zero
	// for a camera: what a camera claims is not carried, so it cannot lie.
	Captures() <-chan gatehouse.Capture
	// Health may be called at any time.
	Health() Health
	// Err says why the source ended: nil after a file's end, after Close and while
	// it runs. Codes: source.undecodable, source.too_big, source.failed.
	Err() error
	// Close ends the source and everything it started, and waits for that. It may
	// be called more than once, and while the channel is read.
	Close() error
}

// Open starts a source. It ends when ctx does. A camera that cannot be reached is
// no error: it is Down, and tried again (0.5 s doubling to 30 s). Errors:
// source.not_found for a file or folder that is not there, source.unsupported for
// a scheme that is no camera's, source.forbidden for a file that may not be read,
// source.ffmpeg_missing where ffmpeg is not installed.
func Open(ctx context.Context, s Spec) (Source, error) {
	if s.Start.IsZero() {
		s.Start = time.Now()
	}
	if !strings.Contains(s.URL, "://") {
		if info, err := os.Stat(s.URL); err == nil && info.IsDir() {
			src, err := folder.Open(ctx, folder.Spec{
				Device: s.Device, Gate: s.Gate, Dir: s.URL, Interval: s.Interval,
				Start: s.Start, Loop: s.Loop, Realtime: s.Realtime,
			})
			if err != nil {
				return nil, err
			}
			return src, nil
		}
	}
	src, err := stream.Open(ctx, stream.Spec{
		Device: s.Device, Gate: s.Gate, URL: s.URL, FPS: s.FPS, MaxWidth: s.MaxWidth,
		Loop: s.Loop, Realtime: s.Realtime, Start: s.Start, IdleEvery: s.IdleEvery, Stall: s.Stall,
	})
	if err != nil {
		return nil, err
	}
	return src, nil
}
