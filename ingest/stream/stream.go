// Package stream reads video through ffmpeg, one child process a source: files,
// and cameras over RTSP and HTTP. A decoder of outside bytes as large as ffmpeg
// belongs in a process of its own; a crash of it is one reconnect.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/ingest/health"
)

// Spec says which file or camera to read and how; ingest.Spec tells what each
// field means.
type Spec struct {
	Device    gatehouse.DeviceID
	Gate      gatehouse.GateID
	URL       string
	FPS       float64
	MaxWidth  int
	Loop      bool
	Realtime  bool
	Start     time.Time
	IdleEvery time.Duration
	Stall     time.Duration
}

// Back-off between two connections to a camera; a connection that lasted for
// settled begins again at backoffMin.
const (
	backoffMin = 500 * time.Millisecond
	backoffMax = 30 * time.Second
	settled    = 30 * time.Second
)

// connecting is how long the first frame may take at least: a camera sends nothing
// that can be decoded before its next key frame.
const connecting = 12 * time.Second

// Source yields a video's frames as 4:2:0 planes.
type Source struct {
	spec   Spec
	in     input
	ffmpeg string
	out    chan gatehouse.Capture
	stop   context.CancelFunc
	done   chan struct{}
	health health.Monitor
	gate   *Motion // nil where every frame passes
	free   chan []byte
	closed sync.Once
	err    error // written before done is closed

	base time.Duration // where the current run of a looped file begins
	last time.Duration // the last frame's position, base included
	pace time.Time     // when position 0 was, for Realtime
}

// Open starts reading. A camera that cannot be reached is no error. Errors:
// source.unsupported, source.not_found, source.forbidden, source.ffmpeg_missing,
// source.bad_option.
func Open(ctx context.Context, s Spec) (*Source, error) {
	in, err := parse(s.URL)
	if err != nil {
		return nil, err
	}
	if !in.live {
		if err := regular(in.path); err != nil {
			return nil, err
		}
	}
	if s.FPS == 0 {
		s.FPS = 10
		if in.live {
			s.FPS = 5
		}
	}
	if !(s.FPS > 0 && s.FPS <= 60) || s.MaxWidth < 0 {
		return nil, gatehouse.Errorf("source.bad_option", "use 0 to 60 frames a second and a width of 0 or more", "these options of a source make no sense")
	}
	if s.MaxWidth > 0 {
		s.MaxWidth = max(s.MaxWidth&^1, 16)
	}
	if s.Stall <= 0 {
		s.Stall = 10 * time.Second
	}
	if s.IdleEvery == 0 && in.live {
		s.IdleEvery = 2 * time.Second
	}
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, gatehouse.Errorf("source.ffmpeg_missing", "install it: apt-get install ffmpeg", "video is read by ffmpeg, which is not installed")
	}
	ctx, stop := context.WithCancel(ctx)
	src := &Source{spec: s, in: in, ffmpeg: ffmpeg, stop: stop, done: make(chan struct{}), free: make(chan []byte, 2)}
	src.out = make(chan gatehouse.Capture)
	if src.drops() {
		src.out = make(chan gatehouse.Capture, 1) // the newest frame waits here
	}
	if s.IdleEvery > 0 {
		src.gate = NewMotion(s.IdleEvery)
	}
	src.health.Set(health.Down, time.Now())
	go src.run(ctx)
	return src, nil
}

// regular refuses what is no plain file: a pipe would block, a device is no video.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gatehouse.Errorf("source.not_found", "check the path", "this video file does not exist")
	case err != nil:
		return gatehouse.Errorf("source.forbidden", "let the user that runs gatehouse read it", "this video file may not be read")
	case !info.Mode().IsRegular():
		return gatehouse.Errorf("source.unsupported", "give a video file, a folder of pictures or a camera's address", "this path is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return gatehouse.Errorf("source.forbidden", "let the user that runs gatehouse read it", "this video file may not be read")
	}
	return f.Close()
}

// Captures yields the frames; see ingest.Source.
func (s *Source) Captures() <-chan gatehouse.Capture { return s.out }

// Health may be called at any time.
func (s *Source) Health() health.Health { return s.health.Health(time.Now()) }

// Err is set once Captures is closed.
func (s *Source) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close ends ffmpeg and waits for it.
func (s *Source) Close() error {
	s.closed.Do(s.stop)
	<-s.done
	return nil
}

// drops says that frames are dropped for a slow reader.
func (s *Source) drops() bool { return s.in.live || s.spec.Realtime }

func (s *Source) run(ctx context.Context) {
	defer func() {
		s.health.Set(health.Ended, time.Now())
		close(s.done)
		close(s.out)
	}()
	wait := backoffMin
	for {
		began := time.Now()
		frames, err := s.play(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.health.Fail(err.Error())
		}
		if !s.in.live {
			if err != nil || !s.spec.Loop {
				s.err = err
				return
			}
			s.base = s.last + time.Duration(float64(time.Second)/s.spec.FPS)
			continue
		}
		if !errors.Is(err, errStalled) || frames == 0 {
			s.health.Set(health.Down, time.Now())
		}
		if time.Since(began) >= settled {
			wait = backoffMin
		}
		if !sleep(ctx, wait) {
			return
		}
		wait = min(2*wait, backoffMax)
		s.health.Update(func(h *health.Health) { h.Reconnects++ })
	}
}

// line keeps what ffmpeg said, without the path of a file, which may name somebody.
func (s *Source) line(text string) {
	if s.in.path != "" {
		text = strings.ReplaceAll(text, s.in.path, "…")
	}
	s.health.Line(text)
}

// errStalled is why a connection without frames was ended.
var errStalled = &gatehouse.Error{Code: "source.stalled"}

// play runs ffmpeg once, to the end of the file or the connection's, and says how
// many frames it gave. err is nil after a file's last frame.
func (s *Source) play(ctx context.Context) (frames int, err error) {
	p, err := start(s.ffmpeg, s.in.args(s.spec), s.in.script(), s.line)
	if err != nil {
		return 0, err
	}
	defer p.end()
	type item struct {
		f   frame
		err error
	}
	next := make(chan item)
	go func() {
		for {
			f, err := p.next(s.buffer)
			select {
			case next <- item{f, err}:
			case <-p.ended:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	limit := max(s.spec.Stall, connecting)
	stall := time.NewTimer(limit)
	defer stall.Stop()
	for {
		stall.Reset(limit)
		select {
		case <-ctx.Done():
			return frames, ctx.Err()
		case <-stall.C:
			err := gatehouse.Errorf(errStalled.Code, "check the camera and the network", "no frame came from %s for %s", health.Address(s.spec.URL), limit)
			if frames > 0 && s.in.live {
				s.health.Fail(err.Error())
				s.health.Set(health.Stalled, time.Now())
			}
			return frames, err
		case it := <-next:
			if it.err != nil {
				return frames, s.why(it.err, p, frames)
			}
			frames++
			limit = s.spec.Stall
			if !s.deliver(ctx, it.f) {
				return frames, ctx.Err()
			}
		}
	}
}

// why turns the end of ffmpeg's output into an error, nil for a file's proper end.
func (s *Source) why(read error, p *process, frames int) error {
	var bad *gatehouse.Error
	if errors.As(read, &bad) {
		return bad
	}
	exit := p.exit()
	switch {
	case s.in.live && exit == nil:
		return gatehouse.Errorf("source.failed", "it is being connected to again", "the connection to %s ended", health.Address(s.spec.URL))
	case s.in.live:
		return gatehouse.Errorf("source.failed", "see the source's last lines; it is being connected to again", "%s cannot be read: ffmpeg gave up (%w)", health.Address(s.spec.URL), exit)
	case frames == 0:
		return gatehouse.Errorf("source.undecodable", "see the source's last lines; give a video file that ffmpeg plays", "this file holds no video that can be read")
	case exit != nil:
		return gatehouse.Errorf("source.failed", "see the source's last lines", "the video broke off (%w)", exit)
	}
	return nil
}

// deliver hands a frame on; false where ctx ended first.
func (s *Source) deliver(ctx context.Context, f frame) bool {
	now := time.Now()
	c := gatehouse.Capture{
		Device: s.spec.Device, Gate: s.spec.Gate, Kind: gatehouse.FrameCapture,
		Image: gatehouse.Image{Format: gatehouse.YUV420, Width: f.w, Height: f.h, Bytes: f.pix},
	}
	if !s.in.live {
		s.last = max(s.base+f.at, s.last)
		c.Claimed = s.spec.Start.Add(s.last)
		if s.spec.Realtime {
			if s.pace.IsZero() {
				s.pace = now.Add(-s.last)
			}
			if !sleep(ctx, time.Until(s.pace.Add(s.last))) {
				return false
			}
			now = time.Now()
		}
	}
	c.Received = now
	s.health.Frame(f.w, f.h, now)
	if s.gate != nil {
		// A file that is read faster than it plays is judged by its own time.
		at := now
		if !s.in.live {
			at = c.Claimed
		}
		pass := s.gate.Pass(f.pix[:f.w*f.h], f.w, f.h, at)
		idle := s.gate.Idle()
		s.health.Update(func(h *health.Health) {
			h.Idle = idle
			if !pass {
				h.Skipped++
			}
		})
		if !pass {
			select {
			case s.free <- f.pix:
			default:
			}
			return true
		}
	}
	if !s.drops() {
		select {
		case s.out <- c:
			s.health.Update(func(h *health.Health) { h.Frames++ })
			return true
		case <-ctx.Done():
			return false
		}
	}
	for {
		select {
		case s.out <- c:
			s.health.Update(func(h *health.Health) { h.Frames++ })
			return true
		default:
		}
		select {
		case <-s.out:
			s.health.Update(func(h *health.Health) { h.Frames--; h.Dropped++ })
		default:
		}
	}
}

// buffer returns n bytes, those of a frame that was held back where they fit.
func (s *Source) buffer(n int) []byte {
	select {
	case b := <-s.free:
		if len(b) == n {
			return b
		}
	default:
	}
	return make([]byte, n)
}

// sleep waits and reports whether ctx lasted that long.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// String names the source without its credentials.
func (s *Source) String() string {
	return fmt.Sprintf("%s at gate %s", s.spec.Device, s.spec.Gate)
}
