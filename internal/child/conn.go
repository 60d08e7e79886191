package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// readyMethod is answered by Serve itself as soon as it runs.
const readyMethod = "__ready"

// timeoutCode marks a handler that ended because its deadline did, which is counted
// in whole milliseconds and so may pass a moment before the caller's.
const timeoutCode = "child.timeout"

// wireError is how an error crosses the socket: what people and programs may see of
// it, never its cause.
type wireError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// conn is the caller's end of one socket. It lives as long as the child at the other
// end, or the connection to the other machine.
type conn struct {
	name      string
	called    string
	limit     int
	callLimit time.Duration
	sock      net.Conn
	writing   chan struct{} // holds one token: one frame is written at a time
	broken    chan struct{} // closed by fail

	mu      sync.Mutex
	pending map[uint64]*pending
	next    uint64
	err     error // why it broke
}

// pending is a call that was not answered yet. It outlives a caller that gave up,
// so that a hung child is found out even when every caller is impatient.
type pending struct {
	reply chan *frame // holds one
	hung  *time.Timer
}

func newConn(name, called string, limit int, callLimit time.Duration, sock net.Conn) *conn {
	c := &conn{name: name, called: called, limit: limit, callLimit: callLimit, sock: sock,
		writing: make(chan struct{}, 1), broken: make(chan struct{}), pending: map[uint64]*pending{}}
	go c.read()
	return c
}

func (c *conn) errorf(code, hint, format string, args ...any) *gatehouse.Error {
	return gatehouse.Errorf(c.name+"."+code, hint, format, args...)
}

// read delivers replies until the socket ends.
func (c *conn) read() {
	for {
		f, err := readFrame(c.sock, c.limit)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("it ended")
			}
			c.fail(err)
			return
		}
		if f.kind != replyFrame && f.kind != failureFrame {
			c.fail(errFrameMalformed)
			return
		}
		if p := c.take(f.id); p != nil {
			p.reply <- f
		}
	}
}

// take removes a call from the table; nil where it is not there.
func (c *conn) take(id uint64) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pending[id]
	if p != nil {
		p.hung.Stop()
		delete(c.pending, id)
	}
	return p
}

// fail breaks the connection once; every call that waits returns.
func (c *conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	for _, p := range c.pending {
		p.hung.Stop()
	}
	c.pending = nil
	close(c.broken)
}

func (c *conn) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *conn) unavailable() error {
	return c.errorf("unavailable", "it is tried again by itself; try in a moment", "%s went away during the call: %w", c.called, c.failure())
}

func (c *conn) gaveUp(err error) error {
	return c.errorf("timeout", "it may be overloaded; try again", "%s did not answer in time: %w", c.called, err)
}

func (c *conn) call(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, c.gaveUp(err)
	}
	encoded, err := encodeHeader(header)
	if err != nil {
		return nil, c.errorf("protocol", "this is a fault of the program", "the request %s cannot be encoded: %w", method, err)
	}
	id, p, err := c.begin()
	if err != nil {
		return nil, err
	}
	f := &frame{kind: requestFrame, id: id, timeout: remaining(ctx), method: method, header: encoded, blobs: blobs}
	if err := c.send(ctx, f); err != nil {
		c.take(id)
		return nil, err
	}
	select {
	case f := <-p.reply:
		return c.decode(f, reply)
	case <-c.broken:
		// The reply may have come just before the end.
		select {
		case f := <-p.reply:
			return c.decode(f, reply)
		default:
			return nil, c.unavailable()
		}
	case <-ctx.Done():
		go c.send(context.Background(), &frame{kind: cancelFrame, id: id}) //nolint:errcheck // the call is over either way
		return nil, c.gaveUp(ctx.Err())
	}
}

func (c *conn) begin() (uint64, *pending, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, nil, c.errorf("unavailable", "it is tried again by itself; try in a moment", "%s is not there", c.called)
	}
	c.next++
	p := &pending{reply: make(chan *frame, 1), hung: time.AfterFunc(c.callLimit, func() {
		c.fail(fmt.Errorf("it did not answer within %v", c.callLimit))
	})}
	c.pending[c.next] = p
	return c.next, p, nil
}

// send writes one frame. A frame that was begun is finished whatever ctx says, or
// the stream would be lost; a child that does not read is found out by callLimit.
func (c *conn) send(ctx context.Context, f *frame) error {
	select {
	case c.writing <- struct{}{}:
	case <-ctx.Done():
		return c.gaveUp(ctx.Err())
	case <-c.broken:
		return c.unavailable()
	}
	err := writeFrame(c.sock, f, c.limit)
	<-c.writing
	switch {
	case errors.Is(err, errFrameTooLong):
		return c.errorf("too_large", "send less at a time", "the request is larger than the %d bytes that %s takes", c.limit, c.called)
	case err != nil:
		c.fail(err)
		return c.unavailable()
	}
	return nil
}

func (c *conn) decode(f *frame, reply any) ([][]byte, error) {
	if f.kind == failureFrame {
		var w wireError
		if err := json.Unmarshal(f.header, &w); err != nil || w.Code == "" {
			return nil, c.errorf("protocol", "this is a fault of the program", "%s answered with an error that cannot be read", c.called)
		}
		if w.Code == timeoutCode {
			return nil, c.gaveUp(context.DeadlineExceeded)
		}
		if own, ok := strings.CutPrefix(w.Code, "child."); ok {
			w.Code = c.name + "." + own
		}
		return nil, &gatehouse.Error{Code: w.Code, Message: w.Message, Hint: w.Hint}
	}
	if raw, ok := reply.(*json.RawMessage); ok { // whoever passes it on does not look into it
		*raw = f.header
		return f.blobs, nil
	}
	if reply != nil {
		if err := json.Unmarshal(f.header, reply); err != nil {
			return nil, c.errorf("protocol", "this is a fault of the program", "the answer of %s cannot be read: %w", c.called, err)
		}
	}
	return f.blobs, nil
}

// remaining gives the milliseconds until ctx's deadline, at least 1; 0 for none.
func remaining(ctx context.Context) uint32 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	ms := time.Until(deadline).Milliseconds()
	return uint32(max(1, min(ms, math.MaxUint32)))
}
