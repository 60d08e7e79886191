package listen

import (
	"net"
	"sync"

	"golang.org/x/net/netutil"
)

// MaxConnections is how many connections are served at a time; more wait unaccepted.
// perAddress is how many of them another machine may have, so that one of them does not
// keep the readers at the gates out; more are closed at once.
const (
	MaxConnections = 1024
	perAddress     = 128
)

// Limited returns l within those limits. This machine itself may have as many as there
// are.
func Limited(l net.Listener) net.Listener {
	return netutil.LimitListener(&fair{Listener: l, open: map[string]int{}}, MaxConnections)
}

// fair counts the open connections of each address.
type fair struct {
	net.Listener
	mu   sync.Mutex
	open map[string]int
}

// Accept implements net.Listener.
func (f *fair) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		if Loopback(host) {
			return c, nil
		}
		if f.take(host) {
			return &counted{Conn: c, give: sync.OnceFunc(func() { f.giveBack(host) })}, nil
		}
		c.Close()
	}
}

func (f *fair) take(host string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[host] >= perAddress {
		return false
	}
	f.open[host]++
	return true
}

func (f *fair) giveBack(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[host]--; f.open[host] == 0 {
		delete(f.open, host)
	}
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	give func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.give()
	return c.Conn.Close()
}
