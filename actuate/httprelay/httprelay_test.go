package httprelay

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/actuate"
	"gatehouse/actuate/actuatetest"
)

// device is a relay with a door contact, on a port that stays its own.
type device struct {
	t    *testing.T
	mu   sync.Mutex
	addr string
	srv  *http.Server

	outcome  gatehouse.Outcome
	after    time.Duration
	passed   string // the status field
	asked    int    // for it
	commands []*http.Request
	bodies   []string
	answer   func(w http.ResponseWriter) // instead of opening
	push     func(gatehouse.Outcome)     // instead of the status field
}

func newDevice(t *testing.T) *device {
	d := &device{t: t, addr: actuatetest.Address(t), passed: "none"}
	d.away(false)
	t.Cleanup(func() { d.away(true) })
	return d
}

func (d *device) away(away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if away {
		_ = d.srv.Close()
		return
	}
	l, err := net.Listen("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.addr = l.Addr().String()
	d.srv = &http.Server{Handler: d}
	go func(s *http.Server) { _ = s.Serve(l) }(d.srv)
}

func (d *device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.URL.Path == "/status" {
		d.asked++
		fmt.Fprintf(w, `{"inputs":[{"door":%q}]}`, d.passed)
		return
	}
	d.commands, d.bodies = append(d.commands, r), append(d.bodies, string(body))
	if d.answer != nil {
		d.answer(w)
		return
	}
	outcome := d.outcome
	if d.push != nil {
		time.AfterFunc(d.after, func() { d.push(outcome) })
		return
	}
	// The door is shut when it is opened, and the contact stays open for longer than
	// it takes to be asked.
	d.passed = "none"
	time.AfterFunc(d.after+100*time.Millisecond, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.passed = string(outcome)
	})
}

func (d *device) count() int { d.mu.Lock(); defer d.mu.Unlock(); return len(d.commands) }

func (d *device) gate() Gate {
	url := "http://" + d.addr
	return Gate{
		Open: Request{URL: url + "/open?for={hold_s}&id={passage}"},
		Status: Status{
			Request: Request{URL: url + "/status"}, Field: "inputs.0.door",
			Passed: string(gatehouse.Passed), NotPassed: string(gatehouse.NotPassed), Closed: "none",
			Every: 20 * time.Millisecond, Idle: 100 * time.Millisecond,
		},
		Timeout: time.Second,
	}
}

func (d *device) rig(t *testing.T, g Gate) (actuatetest.Rig, *Relays) {
	r, err := New(Config{Gates: map[gatehouse.GateID]Gate{"door": g}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return actuatetest.Rig{
		Actuator: r, Gate: "door", Commands: d.count, Away: d.away,
		Answer: func(o gatehouse.Outcome, after time.Duration) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.outcome, d.after = o, after
		},
	}, r
}

func TestActuatorPolling(t *testing.T) {
	actuatetest.Run(t, func(t *testing.T) actuatetest.Rig {
		d := newDevice(t)
		rig, _ := d.rig(t, d.gate())
		return rig
	})
}

func TestActuatorCallback(t *testing.T) {
	actuatetest.Run(t, func(t *testing.T) actuatetest.Rig {
		d := newDevice(t)
		g := d.gate()
		g.Status = Status{}
		rig, r := d.rig(t, g)
		d.push = func(o gatehouse.Outcome) { r.Sense("door", actuate.Signal{Outcome: o}) }
		return rig
	})
}

func TestRequest(t *testing.T) {
	d := newDevice(t)
	g := d.gate()
	g.Open = Request{URL: "http://" + d.addr + "/rpc/Switch.Set", Body: `{"id":0,"on":true,"toggle_after":{hold_s},"ms":{hold_ms}}`, User: "admin", Password: "s3cret"}
	rig, _ := d.rig(t, g)
	rig.Answer(gatehouse.Passed, 0)
	c := gatehouse.OpenCommand{Gate: "door", Passage: gatehouse.RandomID(), Hold: 1500 * time.Millisecond, ConfirmWithin: 2 * time.Second}
	if got := actuatetest.Wait(t, rig.Actuator.Open(context.Background(), c), 20*time.Second); got.Outcome != gatehouse.Passed {
		t.Fatalf("got %+v", got)
	}
	r := d.commands[0]
	user, pass, _ := r.BasicAuth()
	if r.Method != http.MethodPost || d.bodies[0] != `{"id":0,"on":true,"toggle_after":1.5,"ms":1500}` || user != "admin" || pass != "s3cret" ||
		r.Header.Get("Idempotency-Key") != c.Passage.String() || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s, headers %v", r.Method, d.bodies[0], r.Header)
	}
}

// TestNoSecondPulse: a command whose answer is lost is not sent again, unless the
// relay is known to recognize it.
func TestNoSecondPulse(t *testing.T) {
	hijack := func(w http.ResponseWriter) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	fail := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	hang := func(http.ResponseWriter) { time.Sleep(400 * time.Millisecond) }
	moved := func(w http.ResponseWriter) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	for name, c := range map[string]struct {
		answer     func(http.ResponseWriter)
		repeatable bool
		most       int
	}{
		"lost answer":             {hijack, false, 1},
		"error":                   {fail, false, 1},
		"hangs":                   {hang, false, 1},
		"redirect":                {moved, true, 1},
		"lost answer, repeatable": {hijack, true, 20},
		"error, repeatable":       {fail, true, 20},
	} {
		d := newDevice(t)
		d.answer = c.answer
		g := d.gate()
		g.Repeatable, g.Timeout, g.Status = c.repeatable, 200*time.Millisecond, Status{}
		rig, _ := d.rig(t, g)
		cmd := gatehouse.OpenCommand{Gate: "door", Passage: gatehouse.RandomID(), ConfirmWithin: time.Second}
		if got := actuatetest.Wait(t, rig.Actuator.Open(context.Background(), cmd), 20*time.Second); got.Outcome != gatehouse.Unreachable {
			t.Errorf("%s: got %+v", name, got)
		}
		if n := d.count(); n < 1 || n > c.most || (c.most > 1 && n < 2) {
			t.Errorf("%s: %d commands, at most %d", name, n, c.most)
		}
		for _, r := range d.commands {
			if r.Header.Get("Idempotency-Key") != cmd.Passage.String() {
				t.Errorf("%s: a command without the passage's id", name)
			}
		}
	}
}

// TestStaleStatus: what the sensor said before the command confirms nothing.
func TestStaleStatus(t *testing.T) {
	d := newDevice(t)
	d.passed = string(gatehouse.Passed)
	rig, _ := d.rig(t, d.gate())
	d.answer = func(http.ResponseWriter) {}
	for asked := func() int { d.mu.Lock(); defer d.mu.Unlock(); return d.asked }; asked() < 2; { // the first answer has been understood then
		time.Sleep(10 * time.Millisecond)
	}
	c := gatehouse.OpenCommand{Gate: "door", Passage: gatehouse.RandomID(), ConfirmWithin: 500 * time.Millisecond}
	if got := actuatetest.Wait(t, rig.Actuator.Open(context.Background(), c), 20*time.Second); got.Outcome != gatehouse.Unconfirmed {
		t.Errorf("got %+v", got)
	}
}

func TestState(t *testing.T) {
	d := newDevice(t)
	rig, _ := d.rig(t, d.gate())
	is := func(want string) {
		t.Helper()
		for range 2000 {
			if rig.Actuator.State("door").State == want {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("state %+v, want %s", rig.Actuator.State("door"), want)
	}
	is(actuate.GateClosed)
	d.away(true)
	is(actuate.GateFault)
	d.away(false)
	is(actuate.GateClosed)
}

// TestSecretsStayOut: neither errors nor logs hold the address or the credentials.
func TestSecretsStayOut(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	r, err := New(Config{Gates: map[gatehouse.GateID]Gate{"door": {Open: Request{URL: "http://127.0.0.1:1/open?key=s3cret1", User: "u", Password: "s3cret2", Bearer: "s3cret3"}}}})
	if err != nil {
		t.Fatal(err)
	}
	got := actuatetest.Wait(t, r.Open(context.Background(), gatehouse.OpenCommand{Gate: "door", Passage: gatehouse.RandomID(), ConfirmWithin: 300 * time.Millisecond}), 20*time.Second)
	_ = r.Close()
	if got.Outcome != gatehouse.Unreachable || !strings.Contains(log.String(), "relay.unreachable") || strings.Contains(log.String(), "s3cret") {
		t.Errorf("got %+v, log %s", got, log.String())
	}
	for _, url := range []string{"", "10.0.0.1/open", "ftp://h/", "http://u:s3cret@h/", "http://%zz"} {
		if _, err := New(Config{Gates: map[gatehouse.GateID]Gate{"door": {Open: Request{URL: url}}}}); gatehouse.ErrorCode(err) != "relay.bad_address" || strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestTLS(t *testing.T) {
	opened := 0
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { opened++ }))
	defer srv.Close()
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	trusting := srv.Client().Transport.(*http.Transport).TLSClientConfig
	for _, c := range []struct {
		tls  *tls.Config
		want gatehouse.Outcome
	}{{nil, gatehouse.Unreachable}, {trusting, gatehouse.Unconfirmed}} {
		r, err := New(Config{TLS: c.tls, Gates: map[gatehouse.GateID]Gate{"door": {Open: Request{URL: srv.URL}}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := actuatetest.Wait(t, r.Open(context.Background(), gatehouse.OpenCommand{Gate: "door", Passage: gatehouse.RandomID(), ConfirmWithin: 400 * time.Millisecond}), 20*time.Second); got.Outcome != c.want {
			t.Errorf("got %+v, want %s", got, c.want)
		}
		_ = r.Close()
	}
	if opened != 1 {
		t.Errorf("%d commands, want one, to the relay whose certificate is trusted", opened)
	}
}

func FuzzValue(f *testing.F) {
	f.Add(`{"inputs":[{"door":"open"}]}`, "inputs.0.door")
	f.Add(`{"a":1e999,"b":[true,null]}`, "b.0")
	f.Add(`[[[[]]]]`, "0.0.0")
	f.Add(`"x"`, "")
	f.Add("{", "a")
	f.Fuzz(func(t *testing.T, body, field string) {
		v, err := value(strings.NewReader(body), field)
		if err == nil && len(v) > len(body)+8 {
			t.Fatalf("%q out of %q", v, body)
		}
		if err != nil && gatehouse.ErrorCode(err) != "relay.bad_answer" {
			t.Fatal(err)
		}
	})
}
