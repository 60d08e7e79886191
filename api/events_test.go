package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/feed"
	"gatehouse/flow/follow"
)

// told is api.Events over a list.
type told struct {
	mu      sync.Mutex
	list    []follow.Event
	changed chan struct{}
}

func newTold() *told { return &told{changed: make(chan struct{})} }

func (e *told) add(gate gatehouse.GateID) follow.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	one := follow.Event{Position: uint64(len(e.list) + 1), Kind: follow.PassageEvent, Passage: gatehouse.Passage{Place: place, ID: gatehouse.NewID(time.Now()), Gate: gate}}
	e.list = append(e.list, one)
	close(e.changed)
	e.changed = make(chan struct{})
	return one
}

func (e *told) After(_ context.Context, position uint64) ([]follow.Event, uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := min(uint64(len(e.list)), position+500)
	return e.list[min(position, end):end], end, nil
}

func (e *told) Newest() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return uint64(len(e.list))
}

func (e *told) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// listen opens a stream and returns its lines, without those that say that it lives.
func listen(t *testing.T, base, path string, headers ...string) (lines chan string, answer *http.Response) {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	lines = make(chan string, 100_000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(answer.Body); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines, answer
}

// next is the next event: its kind, id and data.
func next(t *testing.T, lines chan string) (kind, id, data string) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case l, ok := <-lines:
			switch field, value, _ := strings.Cut(l, ": "); {
			case !ok:
				return "closed", "", ""
			case field == "event":
				kind = value
			case field == "id":
				id = value
			case field == "data":
				data = value
			case l == "" && data != "":
				return kind, id, data
			case l == "":
				id = "" // it only says that the stream lives
			}
		case <-late:
			t.Fatal("nothing came")
		}
	}
}

func streaming(t *testing.T, events *told, hub *feed.Hub, alive func(context.Context) bool) (base string, a *api.API) {
	t.Helper()
	w := &world{}
	var handler http.Handler
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	a = api.New(api.Options{Place: place, Passages: w, Resources: site{w}, Events: events, Hub: hub, Alive: alive, PerMinute: 100_000})
	handler = guarded(a, w, server.Listener.Addr().String())
	server.Start()
	t.Cleanup(func() { a.Close(); server.Close() })
	return "http://" + server.Listener.Addr().String(), a
}

func TestEventsAreToldAndToldAgain(t *testing.T) {
	events := newTold()
	for range 3 {
		events.add("front-door")
	}
	base, a := streaming(t, events, nil, nil)
	show := program("see-passages")[:2]
	lines, answer := listen(t, base, "/api/v1/events", show...)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	time.Sleep(50 * time.Millisecond)
	first := events.add("lane")
	kind, id, data := next(t, lines)
	if kind != "passage" || !strings.Contains(data, first.Passage.ID.String()) || !strings.HasPrefix(id, "4-") {
		t.Fatalf("%s %s %s: what was before is told only to who asks for it", kind, id, data)
	}
	for _, no := range []string{"name", "plate", "confidence", "label"} {
		if strings.Contains(data, no) {
			t.Errorf("an event says %q: %s", no, data)
		}
	}
	events.add("front-door")
	events.add("lane")
	// Resumed behind the first: the two are told, also by the other way to say it.
	for _, c := range [][]string{append(show, "Last-Event-ID", id), append(show, "X-Nothing", "")} {
		path := "/api/v1/events"
		if c[2] != "Last-Event-ID" {
			path += "?after=" + id
		}
		again, _ := listen(t, base, path, c...)
		_, five, _ := next(t, again)
		_, six, _ := next(t, again)
		if !strings.HasPrefix(five, "5-") || !strings.HasPrefix(six, "6-") {
			t.Errorf("told again: %s, %s", five, six)
		}
	}
	// A caller is told of its own gates, whatever it asks for.
	own, _ := listen(t, base, "/api/v1/events?after=0-"+fmt.Sprint(time.Now().Unix()), program("see-passages@lane")[:2]...)
	other, _ := listen(t, base, "/api/v1/events?gate=front-door&after=0-"+fmt.Sprint(time.Now().Unix()), program("see-passages@lane")[:2]...)
	for range 2 {
		if _, _, data := next(t, own); !strings.Contains(data, `"gate":"lane"`) {
			t.Errorf("told of %s", data)
		}
	}
	events.add("front-door")
	events.add("lane")
	if _, _, data := next(t, own); !strings.Contains(data, `"gate":"lane"`) {
		t.Errorf("told of %s", data)
	}
	select {
	case l := <-other:
		for ; l != "" || len(other) > 0; l = <-other {
			if strings.HasPrefix(l, "data:") {
				t.Errorf("another gate's events: %s", l)
			}
		}
	case <-time.After(300 * time.Millisecond):
	}
	// What cannot be told again is said.
	for _, last := range []string{"3-" + fmt.Sprint(time.Now().Add(-8*24*time.Hour).Unix()), "999-" + fmt.Sprint(time.Now().Unix())} {
		gap, _ := listen(t, base, "/api/v1/events", append(show, "Last-Event-ID", last)...)
		if kind, id, data := next(t, gap); kind != "gap" || !strings.HasPrefix(id, "8-") || !strings.Contains(data, `"since":"20`) {
			t.Errorf("behind %s: %s %s %s", last, kind, id, data)
		}
	}
	for _, bad := range []string{"x", "-1-2", "1", "99999999999999999999-1", "1-x"} {
		if _, answer := listen(t, base, "/api/v1/events", append(show, "Last-Event-ID", bad)...); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("behind %q: %d", bad, answer.StatusCode)
		}
	}
	a.Close()
	for range 20 {
		if kind, _, _ := next(t, lines); kind == "closed" {
			return
		}
	}
	t.Error("the stream outlives the server")
}

// More than is told again ends in a gap, and then in what is new.
func TestAnEndlessPastEndsInAGap(t *testing.T) {
	events := newTold()
	for range 10_700 {
		events.add("front-door")
	}
	base, _ := streaming(t, events, nil, nil)
	lines, _ := listen(t, base, "/api/v1/events?after=0-"+fmt.Sprint(time.Now().Unix()), program("see-passages")[:2]...)
	n := 0
	kind := ""
	for ; kind != "gap"; n++ {
		if kind, _, _ = next(t, lines); kind == "closed" {
			t.Fatal("it ended")
		}
	}
	if n < 10_000 || n > 10_700 {
		t.Errorf("%d events before the gap", n)
	}
	events.add("front-door")
	if kind, id, _ := next(t, lines); kind != "passage" || !strings.HasPrefix(id, "10701-") {
		t.Errorf("then %s %s", kind, id)
	}
}

// A burst is sent together, a gate's state is told, and a stream ends with what opened it.
func TestStreamsGatherAndEnd(t *testing.T) {
	events, hub := newTold(), feed.NewHub(nil)
	var over atomic.Bool
	base, _ := streaming(t, events, hub, func(context.Context) bool { return !over.Load() })
	lines, _ := listen(t, base, "/api/v1/events", program("see-passages@lane")[:2]...)
	time.Sleep(50 * time.Millisecond)
	hub.SetGate(gatehouse.GateState{Gate: "front-door", State: "open"})
	hub.SetGate(gatehouse.GateState{Gate: "lane", State: "open"})
	if kind, id, data := next(t, lines); kind != "gate" || !strings.Contains(data, `"id":"lane"`) || id != "" {
		t.Errorf("%s %s %s", kind, id, data)
	}
	began := time.Now()
	for range 40 {
		events.add("lane")
	}
	for range 40 {
		next(t, lines)
	}
	if took := time.Since(began); took < 90*time.Millisecond { // what comes within 100 ms is sent together
		t.Errorf("a burst arrived after %v: it was not gathered", took)
	}
	over.Store(true)
	events.add("lane")
	for {
		kind, _, _ := next(t, lines)
		if kind == "ended" {
			break
		}
		if kind == "closed" {
			t.Fatal("it was not said that the stream ended")
		}
	}
}

func TestStreamsAreCounted(t *testing.T) {
	base, _ := streaming(t, newTold(), nil, nil)
	var open []*http.Response
	for i := range 9 {
		_, answer := listen(t, base, "/api/v1/events", program("see-passages")[:2]...)
		open = append(open, answer)
		if want := map[bool]int{true: 200, false: 429}[i < 8]; answer.StatusCode != want {
			t.Errorf("stream %d: %d", i+1, answer.StatusCode)
		}
	}
	if _, answer := listen(t, base, "/api/v1/events", program("see-passages", "status")[:2]...); answer.StatusCode != http.StatusOK {
		t.Errorf("another program's: %d", answer.StatusCode)
	}
	open[0].Body.Close()
	for range 1000 { // until the server has seen it
		if _, answer := listen(t, base, "/api/v1/events", program("see-passages")[:2]...); answer.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("a closed stream goes on to count")
}
