package child

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
)

// machine is another machine: a listener on loopback that answers like testChild.
type machine struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	ends  chan error // why each connection ended
}

func startMachine(t *testing.T, h Handler, limits Limits) *machine {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{Listener: l, ends: make(chan error, 100)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns = append(m.conns, c)
			m.mu.Unlock()
			wg.Go(func() { m.ends <- ServeConn(t.Context(), c, h, limits) })
		}
	})
	t.Cleanup(func() { l.Close(); m.cut(); wg.Wait() })
	return m
}

// cut ends every connection, as a network does.
func (m *machine) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		c.Close()
	}
	m.conns = nil
}

func (m *machine) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", m.Addr().String())
}

func connect(t *testing.T, m *machine, change ...func(*RemoteSpec)) *Remote {
	t.Helper()
	spec := RemoteSpec{Name: "test", Called: "the test machine", Dial: m.dial, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&spec)
	}
	r := Connect(spec)
	t.Cleanup(r.Stop)
	return r
}

func wantUp(t *testing.T, r *Remote) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := r.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}

var echo = byMethod(map[string]Handler{
	"echo": func(_ context.Context, r *Request) (any, [][]byte, error) { return r.Header, r.Blobs, nil },
	"hang": func(ctx context.Context, _ *Request) (any, [][]byte, error) { <-ctx.Done(); return nil, nil, ctx.Err() },
})

var roomy = Limits{MaxFrame: 1 << 20, Concurrent: 8, Memory: 2 << 20, Idle: time.Minute, Stall: time.Minute}

func TestRemoteCallsAndComesBack(t *testing.T) {
	m := startMachine(t, echo, roomy)
	r := connect(t, m, func(s *RemoteSpec) { s.MaxFrame = 1 << 20 })
	for round := range 3 {
		wantUp(t, r)
		var reply int
		blobs, err := r.Call(t.Context(), "echo", round, [][]byte{bytes.Repeat([]byte{9}, 300_000)}, &reply)
		if err != nil || reply != round || len(blobs) != 1 || len(blobs[0]) != 300_000 {
			t.Fatalf("round %d: %d, %d attachments, %v", round, reply, len(blobs), err)
		}
		hung := make(chan error, 1)
		go func() { _, err := r.Call(t.Context(), "hang", nil, nil, nil); hung <- err }()
		for { // until it is under way
			r.mu.Lock()
			c := r.conn
			r.mu.Unlock()
			c.mu.Lock()
			n := len(c.pending)
			c.mu.Unlock()
			if n > 0 {
				break
			}
		}
		m.cut()
		if err := <-hung; gatehouse.ErrorCode(err) != "test.unavailable" {
			t.Fatalf("a call over a cut connection: %v", err)
		}
	}
	wantUp(t, r)
	if _, err := r.Call(t.Context(), "no such", nil, nil, nil); gatehouse.ErrorCode(err) != "request.unknown" {
		t.Errorf("a method that is not there: %v", err)
	}
	if _, err := r.Call(t.Context(), "echo", nil, [][]byte{make([]byte, 2<<20)}, nil); gatehouse.ErrorCode(err) != "test.too_large" {
		t.Errorf("more than a message holds: %v", err)
	}
	r.Stop()
	if _, err := r.Call(t.Context(), "echo", 1, nil, nil); gatehouse.ErrorCode(err) != "test.unavailable" || r.Status().State != Stopped {
		t.Errorf("after Stop: %v, %+v", err, r.Status())
	}
}

// A machine that is away keeps nobody from starting, and says why it is away.
func TestRemoteIsAway(t *testing.T) {
	var refused atomic.Int32
	r := Connect(RemoteSpec{Name: "test", Called: "the test machine", Log: slog.New(slog.DiscardHandler),
		Dial: func(context.Context) (net.Conn, error) { refused.Add(1); return nil, errors.New("no route") }})
	defer r.Stop()
	for refused.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	_, err := r.Call(t.Context(), "echo", 1, nil, nil)
	if gatehouse.ErrorCode(err) != "test.unavailable" || r.Status().Reason != "no route" {
		t.Errorf("%v, %+v", err, r.Status())
	}
}

// A refusal at the first question is the reason, and no call goes out.
func TestRemoteIsRefused(t *testing.T) {
	m := startMachine(t, func(context.Context, *Request) (any, [][]byte, error) {
		return nil, nil, gatehouse.Errorf("test.revoked", "ask for another", "this identity was revoked")
	}, roomy)
	r := connect(t, m)
	for r.Status().Reason == "" {
		time.Sleep(time.Millisecond)
	}
	if got := r.Status(); got.Reason != "test.revoked: this identity was revoked (ask for another)" || got.State == Up {
		t.Errorf("%+v", got)
	}
}

// A machine that vanished without a word is found out, and so is one that is silent
// on the answering side.
func TestSilence(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	answered := make(chan struct{})
	go func() {
		c, err := mute.Accept()
		if err != nil {
			return
		}
		if f, err := readFrame(c, 1<<20); err == nil { // the first question is answered, the others are not
			_ = writeFrame(c, &frame{kind: replyFrame, id: f.id}, 1<<20)
		}
		close(answered)
	}()
	r := connect(t, &machine{Listener: mute}, func(s *RemoteSpec) { s.Beat = 20 * time.Millisecond })
	<-answered
	for r.Status().Restarts == 0 && r.Status().State != Down {
		time.Sleep(time.Millisecond)
	}

	m := startMachine(t, echo, Limits{MaxFrame: 1 << 20, Concurrent: 1, Idle: 20 * time.Millisecond})
	if _, err := m.dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-m.ends; err == nil {
		t.Error("a connection without a word did not end")
	}
}

// What a hostile client sends costs what the limits say and ends its connection.
func TestServeConnBounds(t *testing.T) {
	started, release := make(chan struct{}, 100), make(chan struct{})
	h := func(ctx context.Context, r *Request) (any, [][]byte, error) {
		started <- struct{}{}
		select {
		case <-ctx.Done():
		case <-release:
		}
		return nil, nil, context.Canceled
	}
	m := startMachine(t, h, Limits{MaxFrame: 1000, Concurrent: 8, Memory: 2500, Stall: 30 * time.Millisecond})
	for name, b := range map[string][]byte{
		"a length beyond the limit":  {0, 0, 4, 0},
		"a body that does not come":  {0, 0, 0, 200, 1},
		"a body that is no frame":    append(binary.BigEndian.AppendUint32(nil, 30), make([]byte, 30)...),
		"a reply that nobody wanted": encodeFrame(t, &frame{kind: replyFrame, id: 1}),
	} {
		c, err := m.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := <-m.ends; err == nil {
			t.Errorf("%s: the connection ended without a reason", name)
		}
		c.Close()
	}
	// Two requests of 900 bytes fit into the memory, the third waits for one of them.
	m = startMachine(t, h, Limits{MaxFrame: 1000, Concurrent: 8, Memory: 2500, Stall: time.Minute})
	c, err := m.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id := range uint64(3) {
		if err := writeFrame(c, &frame{kind: requestFrame, id: id, method: "m", timeout: 60_000, blobs: [][]byte{make([]byte, 900)}}, 1000); err != nil {
			t.Fatal(err)
		}
	}
	<-started
	<-started
	select {
	case <-started:
		t.Error("the third was begun while two held the memory")
	case <-time.After(50 * time.Millisecond):
	}
	release <- struct{}{}
	if f, err := readFrame(c, 1000); err != nil || f.kind != failureFrame {
		t.Fatal(f, err)
	}
	<-started // now there is room
	c.Close()
}

func encodeFrame(t *testing.T, f *frame) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeFrame(&b, f, 1<<20); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
