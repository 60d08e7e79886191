package listen

import (
	"errors"
	"net"
	"testing"
)

// queue hands out connections that come from addresses of our choice.
type queue chan net.Conn

func (q queue) Accept() (net.Conn, error) {
	c, ok := <-q
	if !ok {
		return nil, errors.New("closed")
	}
	return c, nil
}
func (q queue) Close() error   { return nil }
func (q queue) Addr() net.Addr { return nil }

type from struct {
	net.Conn
	address string
	closed  *int
}

func (f from) RemoteAddr() net.Addr { a, _ := net.ResolveTCPAddr("tcp", f.address); return a }
func (f from) Close() error         { *f.closed++; return nil }

func TestOneAddressLeavesRoom(t *testing.T) {
	q, closed := make(queue, 1000), 0
	add := func(n int, address string) {
		for range n {
			q <- from{address: address, closed: &closed}
		}
	}
	l := Limited(q)
	add(perAddress, "192.0.2.1:5")
	var first net.Conn
	for range perAddress {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		first = c
	}
	add(50, "192.0.2.1:5")
	add(1, "192.0.2.2:5")
	if c, err := l.Accept(); err != nil || c.RemoteAddr().String() != "192.0.2.2:5" || closed != 50 {
		t.Errorf("another address: %v, and %d were closed", err, closed)
	}
	add(200, "127.0.0.1:5")
	for range 200 {
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	first.Close()
	first.Close() // counts once
	add(2, "192.0.2.1:5")
	add(1, "192.0.2.3:5")
	if c, _ := l.Accept(); c.RemoteAddr().String() != "192.0.2.1:5" {
		t.Error("a place that was given back is not to be had")
	}
	if c, _ := l.Accept(); c.RemoteAddr().String() != "192.0.2.3:5" {
		t.Error("a place was given back twice")
	}
}
