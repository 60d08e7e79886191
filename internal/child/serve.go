package child

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"gatehouse"
)

// Request is what a handler is asked.
type Request struct {
	Method string
	Header json.RawMessage
	Blobs  [][]byte // the handler's own; they share one buffer
}

// Decode reads the header into v. It fails with request.malformed.
func (r *Request) Decode(v any) error {
	if err := json.Unmarshal(r.Header, v); err != nil {
		return gatehouse.Errorf("request.malformed", "this is a fault of the program", "the request %s cannot be read: %w", r.Method, err)
	}
	return nil
}

// Handler answers one method. It runs in a goroutine of its own, with the caller's
// deadline in ctx, which ends when the caller gives up. header is encoded as JSON
// (nil for none). An error that is a gatehouse.Error reaches the caller with its
// code, message and hint; ctx's own error as NAME.timeout; any other as NAME.failed,
// with its text. A
// panic ends the process, and the supervisor starts another.
type Handler func(ctx context.Context, r *Request) (header any, blobs [][]byte, err error)

// concurrent is how many requests one child works on at a time; more wait in the
// socket.
const concurrent = 256

// Serve answers the parent's requests until the parent closes its end of the
// socket, then waits for what is under way and returns nil; the process should
// exit. It also returns when ctx ends. Errors: child.alone where the process was
// not started by a supervisor.
func Serve(ctx context.Context, handlers map[string]Handler) error {
	const inheritedFD = 3
	alone := func(err error) error {
		return gatehouse.Errorf("child.alone", "gatehouse starts this process by itself", "this command is not for use by hand: %w", err)
	}
	limit, err := strconv.Atoi(os.Getenv(maxFrameEnv))
	if err != nil || limit <= 0 {
		return alone(errors.New("no supervisor"))
	}
	syscall.CloseOnExec(inheritedFD)
	file := os.NewFile(inheritedFD, "parent")
	sock, err := unixConn(file)
	file.Close()
	if err != nil {
		return alone(err)
	}
	return serve(ctx, sock, byMethod(handlers), Limits{MaxFrame: limit, Concurrent: concurrent})
}

// server is the answering end of a socket.
type server struct {
	sock    net.Conn
	limits  Limits
	handler Handler
	slots   chan struct{}
	memory  *allowance // nil without a limit
	running sync.WaitGroup

	writing sync.Mutex

	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc
}

func serve(ctx context.Context, sock net.Conn, handler Handler, limits Limits) error {
	s := &server{sock: sock, limits: limits, handler: handler, slots: make(chan struct{}, limits.Concurrent), cancels: map[uint64]context.CancelFunc{}}
	if limits.Memory > 0 {
		s.memory = newAllowance(limits.Memory)
	}
	defer sock.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = sock.SetReadDeadline(time.Now()) })()
	for {
		f, size, err := s.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			s.running.Wait()
			return nil
		case err != nil && ctx.Err() != nil:
			s.running.Wait()
			return ctx.Err()
		case err != nil:
			return err
		case f.kind == requestFrame:
			select {
			case s.slots <- struct{}{}:
			case <-ctx.Done():
				s.running.Wait()
				return ctx.Err()
			}
			s.running.Add(1)
			go s.answer(ctx, f, size)
			continue
		case f.kind == cancelFrame:
			s.cancel(f.id)
		default:
			return errFrameMalformed
		}
		s.memory.give(size)
	}
}

// next reads one frame within the limits: its body only once there is memory for it.
func (s *server) next(ctx context.Context) (*frame, int, error) {
	if err := s.readBy(ctx, s.limits.Idle); err != nil {
		return nil, 0, err
	}
	n, err := readLength(s.sock, s.limits.MaxFrame)
	if err != nil {
		return nil, 0, err
	}
	if err := s.memory.take(ctx, n); err != nil {
		return nil, 0, err
	}
	if err := s.readBy(ctx, s.limits.Stall); err != nil {
		return nil, 0, err
	}
	body, err := readBody(s.sock, n)
	if err != nil {
		return nil, 0, err
	}
	f, err := parseFrame(body)
	return f, n, err
}

// readBy gives the other side so long; 0 for ever.
func (s *server) readBy(ctx context.Context, limit time.Duration) error {
	if limit == 0 {
		return nil
	}
	if err := s.sock.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	return ctx.Err() // whose end may just have been overwritten
}

func (s *server) answer(ctx context.Context, f *frame, size int) {
	defer func() { s.memory.give(size); <-s.slots; s.running.Done() }()
	var cancel context.CancelFunc
	if f.timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(f.timeout)*time.Millisecond)
	} else {
		ctx, cancel = context.WithCancel(ctx)
	}
	s.mu.Lock()
	s.cancels[f.id] = cancel
	s.mu.Unlock()
	defer s.cancel(f.id)

	header, blobs, err := s.handler(ctx, &Request{Method: f.method, Header: f.header, Blobs: f.blobs})
	reply := &frame{kind: replyFrame, id: f.id, blobs: blobs}
	if err == nil {
		reply.header, err = encodeHeader(header)
	}
	if err != nil {
		reply = failure(f.id, err)
	}
	if err := s.write(reply); errors.Is(err, errFrameTooLong) {
		_ = s.write(failure(f.id, gatehouse.Errorf("child.too_large", "ask for less at a time", "the answer is larger than %d bytes", s.limits.MaxFrame)))
	}
}

// byMethod answers with the handler of each method, and readyMethod by itself.
func byMethod(handlers map[string]Handler) Handler {
	return func(ctx context.Context, r *Request) (any, [][]byte, error) {
		if r.Method == readyMethod {
			return nil, nil, nil
		}
		h := handlers[r.Method]
		if h == nil {
			return nil, nil, gatehouse.Errorf("request.unknown", "this is a fault of the program", "there is no method %q", r.Method)
		}
		return h(ctx, r)
	}
}

// write's errors other than the limit mean that the other side is gone, which the
// read side sees too: a half-written frame ends the connection.
func (s *server) write(f *frame) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.limits.Stall > 0 {
		_ = s.sock.SetWriteDeadline(time.Now().Add(s.limits.Stall)) // a closed socket fails below
	}
	err := writeFrame(s.sock, f, s.limits.MaxFrame)
	if err != nil && !errors.Is(err, errFrameTooLong) {
		_ = s.sock.Close()
	}
	return err
}

func (s *server) cancel(id uint64) {
	s.mu.Lock()
	cancel := s.cancels[id]
	delete(s.cancels, id)
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// failure encodes an error for the parent. A cause may hold what must not travel,
// so only code, message and hint do.
func failure(id uint64, err error) *frame {
	w := wireError{Code: "child.failed", Message: err.Error()}
	var e *gatehouse.Error
	switch {
	case errors.As(err, &e):
		w = wireError{Code: e.Code, Message: e.Message, Hint: e.Hint}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		w.Code = timeoutCode
	}
	header, err := json.Marshal(w)
	if err != nil {
		panic(err) // three strings always encode
	}
	return &frame{kind: failureFrame, id: id, header: header}
}
