package mqtt

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"gatehouse"
	"gatehouse/actuate"
	"gatehouse/actuate/actuatetest"
)

var topics = Topics{Command: cmdTopic, Sensor: sensorTopic, State: stateTopic, Availability: availTop}

func connect(t *testing.T, c Config) *Broker {
	t.Helper()
	if c.Gates == nil {
		c.Gates = map[gatehouse.GateID]Topics{"door": topics}
	}
	b, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within 10 s", what)
}

func cmd(within time.Duration) gatehouse.OpenCommand {
	return gatehouse.OpenCommand{Gate: "door", Passage: gatehouse.NewID(time.Now()), Hold: time.Second, ConfirmWithin: within}
}

func TestActuator(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(t *testing.T) broker
		avail string
	}{
		"mochi":                       {func(t *testing.T) broker { return &inProcess{at: freePort(t)} }, availTop},
		"mosquitto":                   {func(t *testing.T) broker { return &debianBroker{at: freePort(t), dir: t.TempDir()} }, availTop},
		"a device without its health": {func(t *testing.T) broker { return &inProcess{at: freePort(t)} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			actuatetest.Run(t, func(t *testing.T) actuatetest.Rig {
				b := c.make(t)
				b.start(t)
				t.Cleanup(b.stop)
				d := newDevice(t, b.addr())
				tp := topics
				tp.Availability = c.avail
				a := connect(t, Config{Broker: "tcp://" + b.addr(), Gates: map[gatehouse.GateID]Topics{"door": tp}})
				eventually(t, "connected", a.Connected)
				return actuatetest.Rig{
					Actuator: a, Gate: "door", Answer: d.answer, Commands: d.count,
					Away: func(away bool) {
						if away {
							b.stop()
						} else {
							b.start(t)
						}
					},
				}
			})
		})
	}
}

// TestBrokerKilledInTheMiddle: the gate was told, and then the broker dies.
func TestBrokerKilledInTheMiddle(t *testing.T) {
	brokers(t, func(t *testing.T, b broker) {
		d := newDevice(t, b.addr())
		d.answer(gatehouse.Unconfirmed, 0)
		a := connect(t, Config{Broker: "tcp://" + b.addr()})
		c := cmd(1500 * time.Millisecond)
		ch := a.Open(context.Background(), c)
		eventually(t, "the command", func() bool { return d.count() == 1 })
		time.Sleep(700 * time.Millisecond) // for the acknowledgement
		b.stop()
		if got := actuatetest.Wait(t, ch, 20*time.Second); got.Outcome != gatehouse.Unconfirmed {
			t.Errorf("got %+v", got)
		}
		if s := a.State("door"); s.State != actuate.GateFault {
			t.Errorf("state %+v without a broker", s)
		}
		b.start(t)
		eventually(t, "connected again", func() bool { return a.State("door").State == actuate.GateClosed })
		if d.count() != 1 {
			t.Errorf("%d commands: one was sent again after the reconnect", d.count())
		}
	})
}

// TestFrozenBroker: the connection stands and nobody answers, as when a switch or a
// virtual machine hangs. What was reported unreachable must not open the gate when
// the broker wakes.
func TestFrozenBroker(t *testing.T) {
	b := &debianBroker{at: freePort(t), dir: t.TempDir()}
	b.start(t)
	t.Cleanup(b.stop)
	d := newDevice(t, b.addr())
	a := connect(t, Config{Broker: "tcp://" + b.addr(), Deliver: 500 * time.Millisecond})
	eventually(t, "state", func() bool { return a.State("door").State == actuate.GateClosed })
	if err := b.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	got := actuatetest.Wait(t, a.Open(context.Background(), cmd(time.Minute)), 20*time.Second)
	if got.Outcome != gatehouse.Unreachable || time.Since(begin) > 20*time.Second {
		t.Errorf("got %+v after %s, want unreachable after 0.5 s", got, time.Since(begin))
	}
	_ = b.cmd.Process.Signal(syscall.SIGCONT)
	time.Sleep(1500 * time.Millisecond)
	if d.count() != 0 {
		t.Error("the gate opened late")
	}
	d.mu.Lock()
	t.Logf("%d expired commands reached the device, which ignored them", d.expired)
	d.mu.Unlock()
	d.answer(gatehouse.Passed, 0)
	eventually(t, "working again", func() bool {
		return (<-a.Open(context.Background(), cmd(time.Second))).Outcome == gatehouse.Passed
	})
}

// TestSensorBeforeAck: a sensor that is faster than the acknowledgement counts. The
// acknowledgement never comes here, since receive is called directly.
func TestSensorBeforeAck(t *testing.T) {
	b := &debianBroker{at: freePort(t), dir: t.TempDir()}
	b.start(t)
	t.Cleanup(b.stop)
	newDevice(t, b.addr())
	a := connect(t, Config{Broker: "tcp://" + b.addr()})
	eventually(t, "state", func() bool { return a.State("door").State == actuate.GateClosed })
	_ = b.cmd.Process.Signal(syscall.SIGSTOP)
	c := cmd(2 * time.Second)
	ch := a.Open(context.Background(), c)
	said := make(chan bool)
	go func() { // once the command is under way
		defer close(said)
		for range 20 {
			time.Sleep(50 * time.Millisecond)
			a.receive(sensorTopic, []byte("passed"), false)
		}
	}()
	got := actuatetest.Wait(t, ch, 20*time.Second)
	<-said
	if got.Outcome != gatehouse.Passed {
		t.Errorf("got %+v", got)
	}
	_ = b.cmd.Process.Signal(syscall.SIGCONT)
}

// TestSensorMessages: what a sensor may say, and what confirms nothing.
func TestSensorMessages(t *testing.T) {
	brokers(t, func(t *testing.T, b broker) {
		d := newDevice(t, b.addr())
		d.answer(gatehouse.Unconfirmed, 0)
		// A stale retained message, from before.
		d.say(sensorTopic, true, "passed")
		a := connect(t, Config{Broker: "tcp://" + b.addr()})
		eventually(t, "state", func() bool { return a.State("door").State == actuate.GateClosed })
		say := func(payload string) { d.say(sensorTopic, false, payload) }

		one, two := cmd(time.Minute), cmd(time.Minute)
		first, second := a.Open(context.Background(), one), a.Open(context.Background(), two)
		eventually(t, "both commands", func() bool { return d.count() == 2 })
		for _, bad := range []string{"", "open sesame", "{", `{"outcome":"granted"}`, `{"outcome":"passed","passage":"nonsense"}`,
			`{"outcome":"passed","passage":"` + gatehouse.RandomID().String() + `"}`, "\xff\xfe", strings.Repeat("passed", 2000)} {
			say(bad)
		}
		select {
		case got := <-first:
			t.Fatalf("a wrong message confirmed %+v", got)
		case got := <-second:
			t.Fatalf("a wrong message confirmed %+v", got)
		case <-time.After(300 * time.Millisecond):
		}
		eventually(t, "wrong messages are counted", func() bool { return a.Ignored() >= 8 })
		// The second passage is confirmed by its id, the first by the plain word.
		say(`{"outcome":"not_passed","passage":"` + two.Passage.String() + `"}`)
		if got := actuatetest.Wait(t, second, 20*time.Second); got.Outcome != gatehouse.NotPassed {
			t.Errorf("got %+v", got)
		}
		say(" PASSED\n")
		if got := actuatetest.Wait(t, first, 20*time.Second); got.Outcome != gatehouse.Passed {
			t.Errorf("got %+v", got)
		}
	})
}

func TestStateAndAvailability(t *testing.T) {
	brokers(t, func(t *testing.T, b broker) {
		d := newDevice(t, b.addr())
		a := connect(t, Config{Broker: "tcp://" + b.addr(), Availability: "gatehouse/status"})
		is := func(want string) {
			t.Helper()
			eventually(t, "state "+want, func() bool { return a.State("door").State == want })
		}
		is(actuate.GateClosed) // retained
		d.say(stateTopic, true, "open")
		is(actuate.GateOpen)
		d.say(stateTopic, true, "ajar?")
		is(actuate.GateUnknown)
		d.say(availTop, true, "offline")
		is(actuate.GateFault)
		before := d.count()
		if got := actuatetest.Wait(t, a.Open(context.Background(), cmd(300*time.Millisecond)), 20*time.Second); got.Outcome != gatehouse.Unreachable || d.count() != before {
			t.Errorf("a device that is offline gives %+v", got)
		}
		d.say(availTop, true, `{"state":"online"}`)
		is(actuate.GateUnknown)

		seen := make(chan string, 10)
		d.client.Subscribe("gatehouse/status", 1, func(_ paho.Client, m paho.Message) { seen <- string(m.Payload()) }).Wait()
		if got := <-seen; got != "online" {
			t.Errorf("this server says %q of itself", got)
		}
		_ = a.Close()
		if got := <-seen; got != "offline" {
			t.Errorf("this server says %q when it ends", got)
		}
	})
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(b) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func TestWrongPassword(t *testing.T) {
	var log lines
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	b := &debianBroker{at: freePort(t), dir: t.TempDir(), password: true}
	b.start(t)
	t.Cleanup(b.stop)
	wrong := connect(t, Config{Broker: "tcp://" + b.addr(), User: "gate", Password: "wr0ng-secret"})
	eventually(t, "refused", func() bool { return strings.Contains(log.String(), "mqtt.refused") })
	_ = wrong.Close()
	if wrong.Connected() || !strings.Contains(log.String(), "mqtt.refused") || strings.Contains(log.String(), "wr0ng") {
		t.Errorf("log %s", log.String())
	}
	right := connect(t, Config{Broker: "tcp://" + b.addr(), User: "gate", Password: "s3cret"})
	eventually(t, "connected", right.Connected)
}

func TestConfig(t *testing.T) {
	gates := map[gatehouse.GateID]Topics{"door": topics}
	for name, c := range map[string]struct {
		cfg  Config
		code string
	}{
		"no scheme":    {Config{Broker: "localhost:1883", Gates: gates}, "mqtt.bad_address"},
		"http":         {Config{Broker: "http://localhost", Gates: gates}, "mqtt.bad_address"},
		"password":     {Config{Broker: "tcp://u:s3cret@localhost", Gates: gates}, "mqtt.bad_address"},
		"no command":   {Config{Broker: "tcp://localhost", Gates: map[gatehouse.GateID]Topics{"door": {}}}, "mqtt.bad_topic"},
		"wildcard":     {Config{Broker: "tcp://localhost", Gates: map[gatehouse.GateID]Topics{"door": {Command: "a", Sensor: "#"}}}, "mqtt.bad_topic"},
		"default port": {Config{Broker: "tcp://localhost", Gates: gates}, ""},
	} {
		err := c.cfg.check()
		if err == nil && c.cfg.Broker != "tcp://localhost:1883" {
			t.Errorf("%s: broker %s", name, c.cfg.Broker)
		}
		if gatehouse.ErrorCode(err) != c.code || (err != nil && strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
}

func FuzzPayloads(f *testing.F) {
	for _, s := range []string{"passed", "NOT_PASSED", `{"outcome":"passed","passage":"0102030405060708090a0b0c0d0e0f10"}`, `{"state":"open"}`, "online", "{", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := parseSignal(b)
		if ok != (s.Outcome == gatehouse.Passed || s.Outcome == gatehouse.NotPassed) || (!ok && !s.Passage.IsZero() && s.Outcome != "") {
			t.Fatalf("%v %v", s, ok)
		}
		switch parseState(b) {
		case actuate.GateOpen, actuate.GateClosed, actuate.GateFault, actuate.GateUnknown:
		default:
			t.Fatalf("state %q", parseState(b))
		}
		parseOnline(b)
	})
}
