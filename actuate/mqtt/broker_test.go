package mqtt

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"gatehouse"
	"gatehouse/actuate/actuatetest"
)

// broker is a real one, on a port that stays its own.
type broker interface {
	start(t *testing.T)
	stop() // at once, without goodbye where it can
	addr() string
}

func freePort(t *testing.T) string {
	t.Helper()
	return actuatetest.Address(t)
}

// allow lets everybody in.
type allow struct{ mochi.HookBase }

func (*allow) ID() string { return "allow" }
func (*allow) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*allow) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*allow) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// inProcess is mochi-mqtt.
type inProcess struct {
	at  string
	srv *mochi.Server
}

func (b *inProcess) addr() string { return b.at }

func (b *inProcess) start(t *testing.T) {
	t.Helper()
	b.srv = mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := b.srv.AddHook(new(allow), nil); err != nil {
		t.Fatal(err)
	}
	if err := b.srv.AddListener(listeners.NewTCP(listeners.Config{ID: "t", Address: b.at})); err != nil {
		t.Fatal(err)
	}
	if err := b.srv.Serve(); err != nil {
		t.Fatal(err)
	}
}

func (b *inProcess) stop() {
	if b.srv != nil {
		_ = b.srv.Close()
		b.srv = nil
	}
}

// debianBroker is mosquitto, with or without a password.
type debianBroker struct {
	at, dir  string
	password bool
	cmd      *exec.Cmd
}

func (b *debianBroker) addr() string { return b.at }

func (b *debianBroker) start(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto" // Debian's place, in no user's PATH
		if _, err := os.Stat(path); err != nil {
			t.Skip("mosquitto is not installed: apt-get install mosquitto")
		}
	}
	_, port, _ := net.SplitHostPort(b.at)
	me, err := user.Current() // otherwise root becomes mosquitto, who may not read here
	if err != nil {
		t.Fatal(err)
	}
	conf := "user " + me.Username + "\nlistener " + port + " 127.0.0.1\npersistence false\nlog_dest none\n"
	if b.password {
		pw := filepath.Join(b.dir, "passwords")
		if out, err := exec.Command("mosquitto_passwd", "-b", "-c", pw, "gate", "s3cret").CombinedOutput(); err != nil {
			t.Skipf("mosquitto_passwd: %v %s", err, out)
		}
		conf += "allow_anonymous false\npassword_file " + pw + "\n"
	} else {
		conf += "allow_anonymous true\n"
	}
	file := filepath.Join(b.dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	b.cmd = exec.Command(path, "-c", file)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if c, err := net.Dial("tcp", b.at); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("mosquitto does not listen")
}

func (b *debianBroker) stop() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
		b.cmd = nil
	}
}

// brokers are what every test runs against.
func brokers(t *testing.T, f func(t *testing.T, b broker)) {
	t.Helper()
	t.Run("mochi", func(t *testing.T) {
		b := &inProcess{at: freePort(t)}
		b.start(t)
		t.Cleanup(b.stop)
		f(t, b)
	})
	t.Run("mosquitto", func(t *testing.T) {
		b := &debianBroker{at: freePort(t), dir: t.TempDir()}
		b.start(t)
		t.Cleanup(b.stop)
		f(t, b)
	})
}

// device is a relay with a door contact behind the broker. It ignores commands
// that have expired, as Topics.Payload asks of devices.
type device struct {
	addr string

	mu       sync.Mutex
	client   paho.Client
	gone     bool
	outcome  gatehouse.Outcome
	after    time.Duration
	commands []string
	expired  int
}

const (
	cmdTopic, sensorTopic = "site/door/command", "site/door/sensor"
	stateTopic, availTop  = "site/door/state", "site/door/availability"
)

func newDevice(t *testing.T, addr string) *device {
	t.Helper()
	d := &device{addr: addr}
	if !d.connect() {
		t.Fatal("the test's device cannot connect")
	}
	t.Cleanup(func() {
		d.mu.Lock()
		d.gone = true
		c := d.client
		d.mu.Unlock()
		c.Disconnect(0)
	})
	return d
}

// connect makes a client for one connection; the session, and what the broker kept
// for it, stays. (paho's own way to reconnect races with what is published then.)
func (d *device) connect() bool {
	o := paho.NewClientOptions().AddBroker("tcp://"+d.addr).SetClientID("device").SetCleanSession(false).
		SetAutoReconnect(false).SetConnectTimeout(time.Second).SetWill(availTop, "offline", 1, true).
		SetConnectionLostHandler(func(paho.Client, error) {
			go func() {
				for !d.left() && !d.connect() {
					time.Sleep(100 * time.Millisecond)
				}
			}()
		})
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { go d.command(m) })
	c := paho.NewClient(o)
	if t := c.Connect(); !t.WaitTimeout(2*time.Second) || t.Error() != nil {
		return false
	}
	d.mu.Lock()
	d.client = c
	d.mu.Unlock()
	c.Subscribe(cmdTopic, 1, nil).WaitTimeout(time.Second)
	d.say(stateTopic, true, `{"state":"closed"}`)
	d.say(availTop, true, "online")
	return true
}

func (d *device) left() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.gone }

// say publishes and waits until the broker has it.
func (d *device) say(topic string, retained bool, payload string) {
	d.mu.Lock()
	c := d.client
	d.mu.Unlock()
	c.Publish(topic, 1, retained, payload).WaitTimeout(2 * time.Second)
}

func (d *device) command(m paho.Message) {
	var c struct {
		Command, Passage string
		Hold             int64 `json:"hold_ms"`
		Expires          int64 `json:"expires_ms"`
	}
	if err := json.Unmarshal(m.Payload(), &c); err != nil || c.Command != "open" || m.Retained() {
		return
	}
	d.mu.Lock()
	if time.Now().UnixMilli() > c.Expires {
		d.expired++
		d.mu.Unlock()
		return
	}
	d.commands = append(d.commands, c.Passage)
	outcome, after := d.outcome, d.after
	d.mu.Unlock()
	if outcome == gatehouse.Unconfirmed {
		return
	}
	time.Sleep(after)
	d.say(sensorTopic, false, fmt.Sprintf(`{"outcome":%q,"passage":%q}`, outcome, c.Passage))
}

func (d *device) count() int { d.mu.Lock(); defer d.mu.Unlock(); return len(d.commands) }

func (d *device) answer(o gatehouse.Outcome, after time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outcome, d.after = o, after
}
