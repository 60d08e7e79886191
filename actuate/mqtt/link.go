package mqtt

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"gatehouse"
)

// link is one connection to the broker. It is never used again once it is lost.
type link struct {
	cfg    Config
	client paho.Client
	tcp    atomic.Pointer[net.TCPConn]
	lost   chan struct{}
	once   sync.Once
}

// connectTimeout bounds the dialling, and the broker's answer.
const connectTimeout = 5 * time.Second

// dial connects, listens to the topics, and says online. receive is called for
// each message, one after the other. Errors: mqtt.unreachable, mqtt.refused.
func dial(ctx context.Context, c Config, topics []string, receive func(topic string, payload []byte, retained bool)) (*link, error) {
	l := &link{cfg: c, lost: make(chan struct{})}
	o := paho.NewClientOptions().
		AddBroker(c.Broker).SetClientID(c.ClientID).SetUsername(c.User).SetPassword(c.Password.Reveal()).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetResumeSubs(false).
		SetProtocolVersion(4). // without this, paho tries 3.1 as well
		SetKeepAlive(10 * time.Second).SetPingTimeout(5 * time.Second).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(c.Deliver).
		SetConnectionLostHandler(func(paho.Client, error) { l.end() }).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { receive(m.Topic(), m.Payload(), m.Retained()) }).
		SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (net.Conn, error) { return l.open(ctx, u) })
	if c.Availability != "" {
		o.SetWill(c.Availability, "offline", 1, true)
	}
	l.client = paho.NewClient(o)
	fail := func(t paho.Token) error {
		if t.WaitTimeout(connectTimeout) && t.Error() == nil {
			return nil
		}
		defer l.reset()
		if ct, ok := t.(*paho.ConnectToken); ok && ct.ReturnCode() > 0 && ct.ReturnCode() < 6 {
			return gatehouse.Errorf("mqtt.refused", "check the broker's user, password and access list", "the broker refused the connection (code %d)", ct.ReturnCode())
		}
		return gatehouse.Errorf("mqtt.unreachable", "check that the broker runs and its address is right", "the broker cannot be reached")
	}
	if err := fail(l.client.Connect()); err != nil {
		return nil, err
	}
	if len(topics) > 0 {
		filters := map[string]byte{}
		for _, t := range topics {
			filters[t] = 1
		}
		if err := fail(l.client.SubscribeMultiple(filters, nil)); err != nil {
			return nil, err
		}
	}
	if c.Availability != "" {
		if err := fail(l.client.Publish(c.Availability, 1, true, "online")); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *link) open(ctx context.Context, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c, err := (&net.Dialer{KeepAlive: 10 * time.Second}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	l.tcp.Store(c.(*net.TCPConn))
	if u.Scheme != "tls" {
		return c, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if l.cfg.TLS != nil {
		cfg = l.cfg.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = u.Hostname()
	}
	t := tls.Client(c, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return t, nil
}

// publish sends a message at QoS 1, not retained; the channel yields nil once the
// broker has it.
func (l *link) publish(topic, payload string) <-chan error {
	out := make(chan error, 1)
	go func() {
		t := l.client.Publish(topic, 1, false, payload)
		select {
		case <-t.Done():
			out <- t.Error()
		case <-l.lost:
			out <- gatehouse.Errorf("mqtt.lost", "it is being connected to again", "the connection to the broker was lost")
		}
	}()
	return out
}

func (l *link) end() { l.once.Do(func() { close(l.lost) }) }

// reset drops the connection and with it whatever was not sent: without lingering,
// the system's buffers are thrown away.
func (l *link) reset() {
	if c := l.tcp.Load(); c != nil {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
	l.end()
	go l.client.Disconnect(0)
}

// close says offline and goodbye.
func (l *link) close() {
	if l.cfg.Availability != "" {
		l.client.Publish(l.cfg.Availability, 1, true, "offline").WaitTimeout(time.Second)
	}
	l.client.Disconnect(100)
	l.end()
}
