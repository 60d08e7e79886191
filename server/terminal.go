package server

import (
	"context"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/internal/child"
	"gatehouse/rules/terminal"
)

// hasScreen reports whether such a device shows people what became of them.
func hasScreen(kind gatehouse.DeviceKind) bool {
	return kind == gatehouse.Terminal || kind == gatehouse.Kiosk
}

// maxNews is how many decisions a terminal may fetch late.
const maxNews = 8

// screens are what the terminals are to be told: decisions come from their pictures, from
// tracks and second factors that ended meanwhile, and from other devices at their gate, and
// are fetched with whatever the terminal asks next. It is safe for concurrent use.
type screens struct {
	mu sync.Mutex
	of map[gatehouse.DeviceID]*screen
}

type screen struct {
	device   gatehouse.Device
	last     uint64
	news     []news             // oldest first
	guidance gatehouse.Guidance // of the last picture
	owes     time.Time          // until then somebody who was recognized here may show a second factor
	told     time.Time          // when a face was last decided here
}

type news struct {
	wire.TerminalNews
	at time.Time
}

func newScreens() *screens { return &screens{of: map[gatehouse.DeviceID]*screen{}} }

// at returns the device's screen, made when it is first needed, and anew where the device
// now stands elsewhere. Called with the lock held.
func (s *screens) at(d gatehouse.Device) *screen {
	one := s.of[d.ID]
	if one == nil || one.device != d {
		// Numbers go on where the server's last run ended, as the clock does.
		one = &screen{device: d, last: uint64(time.Now().UnixMilli())}
		s.of[d.ID] = one
	}
	return one
}

// drop forgets the screen of a device that was revoked.
func (s *screens) drop(id gatehouse.DeviceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, id)
}

// saw notes what the last picture of a device showed.
func (s *screens) saw(d gatehouse.Device, g gatehouse.Guidance) {
	if !hasScreen(d.Kind) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(d).guidance = g
}

// wait notes that somebody was recognized at the device, after the moment begun, and may
// show a second factor until then.
func (s *screens) wait(d gatehouse.Device, begun, until time.Time) {
	if !hasScreen(d.Kind) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.at(d); !one.told.After(begun) { // else it has come already
		one.owes = until
	}
}

// tell notes a passage for every screen at the gate that hears of it. label is the
// badge's, "" where nobody is greeted.
func (s *screens) tell(p gatehouse.Passage, gate gatehouse.Gate, label string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.of {
		own := p.Device == one.device.ID
		if own && p.Kind == gatehouse.FaceReading {
			one.owes, one.told = time.Time{}, now
		}
		if !terminal.Hears(one.device, gate, p, now) {
			continue
		}
		one.last++
		n := wire.TerminalNews{N: one.last, Answer: terminal.Tell(p.Kind, p.Decision)}
		if own && p.Decision.Grant {
			n.Label = label
		}
		one.news = append(one.news, news{n, now})
		one.news = one.news[max(0, len(one.news)-maxNews):]
	}
}

// read fills in what a screen shows: what came after the news that the terminal has, and
// whether somebody is waited for.
func (s *screens) read(d gatehouse.Device, after uint64, now time.Time, out *wire.TerminalState) (saw gatehouse.Guidance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.at(d)
	out.News, out.Last, out.Waits = []wire.TerminalNews{}, one.last, now.Before(one.owes)
	for _, n := range one.news {
		if after != 0 && n.N > after && now.Sub(n.at) <= terminal.Fresh {
			out.News = append(out.News, n.TerminalNews)
		}
	}
	return one.guidance
}

// tellScreens tells the terminals of a passage.
func (s *Server) tellScreens(p gatehouse.Passage) {
	label := ""
	if s.config.Terminal.Greeting && p.Known && p.Decision.Grant {
		if b, ok := s.working.Badge(p.Subject); ok {
			label = b.Label
		}
	}
	s.screens.tell(p, s.site.Gates[p.Gate], label, time.Now())
}

// Look implements api.Terminals.
func (s *Server) Look(ctx context.Context, c gatehouse.Capture, after uint64) (wire.TerminalState, error) {
	d, err := s.device(ctx, c.Device)
	if err != nil {
		return wire.TerminalState{}, err
	}
	if !hasScreen(d.Kind) { // before its picture counts
		_, _, err := s.stateOf(d, after)
		return wire.TerminalState{}, err
	}
	begun := time.Now()
	_, err = s.Post(ctx, c)
	switch gatehouse.ErrorCode(err) {
	case "", "vision.unavailable", "passage.unrecorded": // the answer says so
	default:
		return wire.TerminalState{}, err
	}
	out, saw, failed := s.stateOf(d, after)
	if err == nil {
		out.Guidance = saw
	}
	out.NextMS = int(terminal.Pace(out.Guidance, time.Since(begun)).Milliseconds())
	return out, failed
}

// Terminal implements api.Terminals.
func (s *Server) Terminal(_ context.Context, d gatehouse.Device, after uint64) (wire.TerminalState, error) {
	out, _, err := s.stateOf(d, after)
	return out, err
}

// stateOf is what a terminal shows now, and what its last picture showed.
func (s *Server) stateOf(d gatehouse.Device, after uint64) (out wire.TerminalState, saw gatehouse.Guidance, err error) {
	if !hasScreen(d.Kind) {
		return out, "", gatehouse.Errorf("device.kind", "enrol it with `gatehouse device add --kind terminal --code`, if it is a tablet at a gate", "a device of the kind %s has no screen", d.Kind)
	}
	now := time.Now()
	gate := s.site.Gates[d.Gate]
	out = wire.TerminalState{Gate: gate.Name, Looks: gate.Kind == gatehouse.Door, Faces: s.eyes.Status().State == child.Up, SecondFactor: gate.Policy.SecondFactor,
		NextMS: int(terminal.Pace("", 0).Milliseconds()), Page: s.page.Tag(), Time: now.UnixMilli()}
	saw = s.screens.read(d, after, now, &out)
	return out, saw, nil
}
