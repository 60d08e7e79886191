package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/feed"
	"gatehouse/flow/follow"
)

// Events is what happened, in the order of the committed log; flow/follow has it.
type Events interface {
	// After returns events behind a position, oldest first, and up to where they are all.
	After(ctx context.Context, position uint64) (events []follow.Event, until uint64, err error)
	Newest() uint64
	// Changed is closed when there is something behind Newest.
	Changed() <-chan struct{}
}

// The stream's times and bounds: what comes within coalesce is sent at once; a quiet
// stream says that it lives; who does not read is let go and resumes by the last id. What
// was missed is told again for a week and for replayMost events, and then left to the list
// of passages.
const (
	coalesce      = 100 * time.Millisecond
	heartbeat     = 15 * time.Second
	writeWithin   = 10 * time.Second
	replayFor     = 7 * 24 * time.Hour
	replayMost    = 10_000
	streamsEach   = 8
	streamsAtOnce = 512
)

func (a *API) eventOperations() []operation {
	return []operation{{
		Route: auth.Route{Pattern: "GET /api/v1/events", Policy: auth.Needs(gatehouse.SeePassages).OrToken(), Handler: a.events},
		id:    "streamEvents", tag: tagPassages, summary: "Be told what happens, as it happens", stream: true,
		about: "Server-sent events, of the gates that the caller may see. passage: one was recorded; outcome: what became of one is known; both with a Passage as data and an id. gate: a gate's or camera's state is another, with a GateInfo as data. " +
			"gap: more was missed than is told again (a week, or 10,000 events); data says since when, and the list of passages has the rest. ended: the session or token has ended. " +
			"Last-Event-ID, or after, is the id of the last event that arrived: what was missed comes first. Without it only what is new is told. What happens within 100 ms is sent together, and a stream on which nothing happens says that it lives every 15 s.",
		query: []parameter{{name: "after", about: "Like Last-Event-ID, for programs that cannot send it.", like: ""},
			{name: "gate", about: "Of this gate only.", like: gatehouse.GateID("")}},
		header:   []parameter{{name: "Last-Event-ID", about: "The id of the last event that arrived.", like: ""}},
		replies:  []reply{{status: http.StatusOK, body: &content{kinds: []string{"text/event-stream"}}, about: "Events, until the caller goes away."}},
		problems: []string{"request.malformed", "name.malformed", "request.not_served", "request.streams"},
	}}
}

// eventID names a place in the log, and when that was the newest.
type eventID struct {
	position uint64
	at       time.Time
}

// String is what travels.
func (e eventID) String() string {
	return strconv.FormatUint(e.position, 10) + "-" + strconv.FormatInt(e.at.Unix(), 10)
}

func parseEventID(s string) (eventID, error) {
	p, t, ok := strings.Cut(s, "-")
	position, err1 := strconv.ParseUint(p, 10, 62)
	at, err2 := strconv.ParseInt(t, 10, 64)
	if !ok || err1 != nil || err2 != nil || at < 0 {
		return eventID{}, gatehouse.Errorf("request.malformed", "send the id of an event as it arrived, or none", "this is no event's id")
	}
	return eventID{position, time.Unix(at, 0)}, nil
}

// streams counts those that are open, by caller.
type streams struct {
	mu  sync.Mutex
	all int
	of  map[string]int
}

func (s *streams) take(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= streamsAtOnce || s.of[key] >= streamsEach {
		return false
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.all++
	s.of[key]++
	return true
}

func (s *streams) done(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[key]--; s.of[key] == 0 {
		delete(s.of, key)
	}
}

// events is the stream.
func (a *API) events(w http.ResponseWriter, r *http.Request) {
	s, err := a.newStream(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	caller, _ := auth.CallerFrom(r.Context())
	if !a.streams.take(caller.Key) {
		w.Header().Set("Retry-After", "10")
		a.fail(w, r, gatehouse.Errorf("request.streams", "close one, or share it", "too many streams are open"))
		return
	}
	defer a.streams.done(caller.Key)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that gathers answers would hold events back
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := context.AfterFunc(a.closing, cancel)
	defer stop()
	s.run(ctx)
}

// stream is one that is open.
type stream struct {
	a      *API
	w      http.ResponseWriter
	r      *http.Request
	rc     *http.ResponseController
	gates  gatehouse.Gates
	gate   gatehouse.GateID // "" for all of them
	states *feed.Subscription
	at     uint64
	missed *eventID // what is told again begins behind it; nil: nothing is
	told   int      // again
	gap    bool
}

func (a *API) newStream(w http.ResponseWriter, r *http.Request) (*stream, error) {
	if a.o.Events == nil {
		return nil, notServed()
	}
	s := &stream{a: a, w: w, r: r, rc: http.NewResponseController(w), gates: auth.Gates(r.Context(), gatehouse.SeePassages), at: a.o.Events.Newest()}
	if g := r.URL.Query().Get("gate"); g != "" {
		if err := gatehouse.CheckName(g); err != nil {
			return nil, err
		}
		s.gate = gatehouse.GateID(g)
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("after")
	}
	if last == "" {
		return s, nil
	}
	id, err := parseEventID(last)
	if err != nil {
		return nil, err
	}
	s.missed = &id
	if id.position > s.at || a.o.Now().Sub(id.at) > replayFor {
		s.gap = true // of another log, such as one from before a restore, or too old
	} else {
		s.at = id.position
	}
	return s, nil
}

// sees reports whether the caller is told of a gate.
func (s *stream) sees(gate gatehouse.GateID) bool {
	return s.gates.Has(gate) && (s.gate == "" || s.gate == gate)
}

func (s *stream) run(ctx context.Context) {
	if hub := s.a.o.Hub; hub != nil {
		s.states = hub.Subscribe("")
		defer s.states.Close()
	}
	var b bytes.Buffer
	b.WriteString("retry: 2000\n")
	s.heartbeat(&b)
	for {
		changed := s.a.o.Events.Changed()
		more, err := s.gather(ctx, &b)
		if err != nil {
			s.a.o.Log.Error("events", "code", code(err))
			return // the caller comes again
		}
		if !s.a.o.Alive(s.r.Context()) {
			b.WriteString("event: ended\ndata: {}\n\n")
			s.send(&b)
			return
		}
		if !s.send(&b) || ctx.Err() != nil {
			return
		}
		if more {
			continue
		}
		if !s.wait(ctx, changed) {
			s.heartbeat(&b)
		}
	}
}

// wait returns when there is something new and a moment longer, so that what comes with it
// is sent at once; false where nothing came.
func (s *stream) wait(ctx context.Context, changed <-chan struct{}) bool {
	var states <-chan struct{}
	if s.states != nil {
		states = s.states.Ready()
	}
	quiet := time.NewTimer(heartbeat)
	defer quiet.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-quiet.C:
		return false
	case <-changed:
	case <-states:
	}
	select {
	case <-ctx.Done():
	case <-time.After(coalesce):
	}
	return true
}

// gather writes what is new; more says that there is more to be told again at once.
func (s *stream) gather(ctx context.Context, b *bytes.Buffer) (more bool, err error) {
	events := s.a.o.Events
	if s.missed != nil && (s.gap || s.told > replayMost) {
		s.at = events.Newest()
		s.event(b, "gap", s.id(), wire.EventGap{Since: s.missed.at.UTC(), Until: s.a.o.Now().UTC().Truncate(time.Millisecond)})
		s.missed = nil
	}
	list, until, err := events.After(ctx, s.at)
	if err != nil {
		return false, err
	}
	for _, e := range list {
		s.at = e.Position
		if s.missed != nil {
			s.told++
		}
		if s.sees(e.Passage.Gate) {
			s.event(b, string(e.Kind), s.id(), passage(e.Passage))
		}
	}
	s.at = until
	if until < events.Newest() {
		return true, nil
	}
	s.missed = nil
	return false, s.changes(ctx, b)
}

// changes writes the gates whose state is another.
func (s *stream) changes(ctx context.Context, b *bytes.Buffer) error {
	if s.states == nil || s.a.o.Resources == nil {
		return nil
	}
	ids := map[gatehouse.GateID]bool{}
	all := false
	for _, e := range s.states.Take() {
		switch e.Kind {
		case feed.GateKind:
			ids[e.Gate.Gate] = true
		case feed.Resync:
			all = true
		}
	}
	if len(ids) == 0 && !all {
		return nil
	}
	gates, err := s.a.o.Resources.Gates(ctx)
	for _, g := range gates.Gates {
		if (all || ids[g.ID]) && s.sees(g.ID) {
			s.event(b, "gate", "", g)
		}
	}
	return err
}

func (s *stream) id() string { return eventID{s.at, s.a.o.Now()}.String() }

// event writes one; id "" leaves the last one in force.
func (s *stream) event(b *bytes.Buffer, kind, id string, data any) {
	j, err := json.Marshal(data)
	if err != nil {
		s.a.o.Log.Error("event", "err", err)
		return
	}
	if id != "" {
		fmt.Fprintf(b, "id: %s\n", id)
	}
	fmt.Fprintf(b, "event: %s\ndata: %s\n\n", kind, j) // JSON has no line ends
}

// heartbeat says that the stream lives, and where it is: who comes back after a quiet day
// needs not be told what was not theirs.
func (s *stream) heartbeat(b *bytes.Buffer) {
	if s.missed == nil {
		fmt.Fprintf(b, "id: %s\n", s.id())
	}
	b.WriteString(": alive\n\n")
}

func (s *stream) send(b *bytes.Buffer) bool {
	if b.Len() == 0 {
		return true
	}
	// A server's own write time-out would end the stream; this one replaces it.
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	_, err := s.w.Write(b.Bytes())
	b.Reset()
	return err == nil && s.rc.Flush() == nil
}
