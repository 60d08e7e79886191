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
	return serve(ctx, sock, handlers, limit)
}

// server is the child's end of the socket.
type server struct {
	sock     net.Conn
	limit    int
	handlers map[string]Handler
	slots    chan struct{}
	running  sync.WaitGroup

	writing sync.Mutex

	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc
}

func serve(ctx context.Context, sock net.Conn, handlers map[string]Handler, limit int) error {
	s := &server{sock: sock, limit: limit, handlers: handlers, slots: make(chan struct{}, concurrent), cancels: map[uint64]context.CancelFunc{}}
	defer sock.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = sock.SetReadDeadline(time.Now()) })()
	for {
		f, err := readFrame(sock, limit)
		switch {
		case errors.Is(err, io.EOF):
			s.running.Wait()
			return nil
		case err != nil && ctx.Err() != nil:
			s.running.Wait()
			return ctx.Err()
		case err != nil:
			return err
		case f.kind == cancelFrame:
			s.cancel(f.id)
		case f.kind == requestFrame:
			s.slots <- struct{}{}
			s.running.Add(1)
			go s.answer(ctx, f)
		default:
			return errFrameMalformed
		}
	}
}

func (s *server) answer(ctx context.Context, f *frame) {
	defer func() { <-s.slots; s.running.Done() }()
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

	header, blobs, err := s.handle(ctx, f)
	reply := &frame{kind: replyFrame, id: f.id, blobs: blobs}
	if err == nil {
		reply.header, err = encodeHeader(header)
	}
	if err != nil {
		reply = failure(f.id, err)
	}
	if err := s.write(reply); errors.Is(err, errFrameTooLong) {
		_ = s.write(failure(f.id, gatehouse.Errorf("child.too_large", "ask for less at a time", "the answer is larger than %d bytes", s.limit)))
	}
}

func (s *server) handle(ctx context.Context, f *frame) (any, [][]byte, error) {
	if f.method == readyMethod {
		return nil, nil, nil
	}
	h := s.handlers[f.method]
	if h == nil {
		return nil, nil, gatehouse.Errorf("request.unknown", "this is a fault of the program", "there is no method %q", f.method)
	}
	return h(ctx, &Request{Method: f.method, Header: f.header, Blobs: f.blobs})
}

// write's errors other than the limit mean that the parent is gone, which the read
// side sees too.
func (s *server) write(f *frame) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return writeFrame(s.sock, f, s.limit)
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
