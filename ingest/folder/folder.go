// Package folder reads a folder of pictures as a source of captures.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/ingest/frames"
	"gatehouse/ingest/health"
)

// Spec says which folder to read and how.
type Spec struct {
	Device gatehouse.DeviceID
	Gate   gatehouse.GateID
	Dir    string
	// Interval is the claimed time between two pictures; 0: 200 ms.
	Interval time.Duration
	Start    time.Time // claimed time of the first picture
	Loop     bool
	Realtime bool // wait Interval between two pictures
}

// Source yields the JPEG and PNG files of a folder by name. What is no picture by
// its first bytes, is empty or is over frames.MaxBytes is counted as failed and
// passed over; so is a link that leads out of the folder.
type Source struct {
	spec   Spec
	root   *os.Root
	out    chan gatehouse.Capture
	stop   context.CancelFunc
	done   chan struct{}
	health health.Monitor
	closed sync.Once
	err    error // written before out is closed
}

// Open lists the folder and starts reading it.
func Open(ctx context.Context, s Spec) (*Source, error) {
	if s.Interval <= 0 {
		s.Interval = 200 * time.Millisecond
	}
	root, err := os.OpenRoot(s.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, gatehouse.Errorf("source.not_found", "check the path", "this folder of pictures does not exist")
	case errors.Is(err, fs.ErrPermission):
		return nil, gatehouse.Errorf("source.forbidden", "let the user that runs gatehouse read it", "this folder of pictures may not be read")
	case err != nil:
		return nil, gatehouse.Errorf("source.failed", "check that the path is a folder", "this folder of pictures cannot be opened")
	}
	ctx, stop := context.WithCancel(ctx)
	src := &Source{spec: s, root: root, out: make(chan gatehouse.Capture), stop: stop, done: make(chan struct{})}
	go src.run(ctx)
	return src, nil
}

// Captures yields the pictures, waiting for the reader.
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

// Close ends the source.
func (s *Source) Close() error {
	s.closed.Do(s.stop)
	<-s.done
	return nil
}

func (s *Source) run(ctx context.Context) {
	defer close(s.done)
	defer close(s.out)
	defer func() { _ = s.root.Close() }()
	defer func() { s.health.Set(health.Ended, time.Now()) }()
	place := 0
	for {
		names, err := s.names()
		if err != nil {
			s.err = err
			s.health.Fail(err.Error())
			return
		}
		took := 0
		for _, name := range names {
			if ctx.Err() != nil {
				return
			}
			img, err := s.read(name)
			if err != nil {
				s.health.Fail(err.Error())
				s.health.Update(func(h *health.Health) { h.Failed++ })
				continue
			}
			if place > 0 && s.spec.Realtime && !sleep(ctx, s.spec.Interval) {
				return
			}
			now := time.Now()
			c := gatehouse.Capture{
				Device: s.spec.Device, Gate: s.spec.Gate, Kind: gatehouse.FrameCapture,
				Claimed: s.spec.Start.Add(time.Duration(place) * s.spec.Interval), Received: now, Image: img,
			}
			place++
			took++
			s.health.Frame(0, 0, now)
			select {
			case s.out <- c:
				s.health.Update(func(h *health.Health) { h.Frames++ })
			case <-ctx.Done():
				return
			}
		}
		if !s.spec.Loop {
			return
		}
		if took == 0 && !sleep(ctx, time.Second) {
			return // a loop over nothing waits for pictures
		}
	}
}

// names lists the folder's files in the order of their names.
func (s *Source) names() ([]string, error) {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return nil, gatehouse.Errorf("source.failed", "check the disk and the folder's permissions", "the folder of pictures cannot be listed")
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// read takes one picture. An os.Root follows no link out of the folder, and a
// file that is not regular (a pipe would block for ever) is refused before it is
// opened; errors name the picture by nothing, since file names name people.
func (s *Source) read(name string) (gatehouse.Image, error) {
	info, err := s.root.Stat(name)
	if err != nil {
		return gatehouse.Image{}, gatehouse.Errorf("image.unreadable", "pictures must lie in the folder itself, readable, and no link may lead out of it", "a file of the folder cannot be read")
	}
	if !info.Mode().IsRegular() {
		return gatehouse.Image{}, gatehouse.Errorf("image.unreadable", "keep only JPEG and PNG files in the folder", "an entry of the folder is no regular file")
	}
	f, err := s.root.Open(name)
	if err != nil {
		return gatehouse.Image{}, gatehouse.Errorf("image.unreadable", "let the user that runs gatehouse read it", "a file of the folder cannot be read")
	}
	defer f.Close()
	img, err := frames.Read(f)
	if err != nil {
		return gatehouse.Image{}, fmt.Errorf("a file of the folder: %w", err)
	}
	return img, nil
}

// sleep waits and reports whether ctx lasted that long.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
