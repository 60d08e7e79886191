package child

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "__test":
			testChild()
			os.Exit(0)
		case "__dies":
			os.Exit(7)
		case "__parent": // starts a child, says its pid, and waits to be killed
			p, err := Start(context.Background(), Spec{Name: "test"})
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			fmt.Println(p.Status().PID)
			select {}
		}
	}
	// Or every child that ends waits a second for reports, under the race detector.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// met is how many calls of "meet" a child answers together.
const met = 10

// testChild is the program that the tests supervise.
func testChild() {
	stuck := make(chan struct{})
	var meeting sync.WaitGroup
	meeting.Add(met)
	handlers := map[string]Handler{
		"sum": func(_ context.Context, r *Request) (any, [][]byte, error) {
			var sums [][]byte
			for _, b := range r.Blobs {
				s := sha256.Sum256(b)
				sums = append(sums, s[:])
			}
			return r.Header, sums, nil
		},
		"sleep": func(ctx context.Context, r *Request) (any, [][]byte, error) {
			var ms int
			if err := r.Decode(&ms); err != nil {
				return nil, nil, err
			}
			NewLog().Info("asleep")
			select {
			case <-time.After(time.Duration(ms) * time.Millisecond):
				return nil, nil, nil
			case <-ctx.Done():
				NewLog().Info("the caller left", "why", ctx.Err().Error())
				return nil, nil, ctx.Err()
			}
		},
		"meet": func(context.Context, *Request) (any, [][]byte, error) { // answers when as many are there
			meeting.Done()
			meeting.Wait()
			return nil, nil, nil
		},
		"refuse": func(context.Context, *Request) (any, [][]byte, error) {
			return nil, nil, fmt.Errorf("wrapped: %w", gatehouse.Errorf("test.refused", "do this", "not like that: %w", os.ErrInvalid))
		},
		"fail":  func(context.Context, *Request) (any, [][]byte, error) { return nil, nil, errors.New("plain") },
		"crash": func(context.Context, *Request) (any, [][]byte, error) { panic("told to") },
		"hang":  func(context.Context, *Request) (any, [][]byte, error) { <-stuck; return nil, nil, nil },
		"large": func(context.Context, *Request) (any, [][]byte, error) {
			return nil, [][]byte{make([]byte, 2<<20)}, nil
		},
		"environ": func(context.Context, *Request) (any, [][]byte, error) { return os.Environ(), nil, nil },
		"pid":     func(context.Context, *Request) (any, [][]byte, error) { return os.Getpid(), nil, nil },
	}
	if err := Serve(context.Background(), handlers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(t *testing.T, spec Spec) *Process {
	t.Helper()
	spec.Name = "test"
	if spec.Log == nil {
		spec.Log = slog.New(slog.DiscardHandler)
	}
	p, err := Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}

func TestCallsAreMultiplexed(t *testing.T) {
	p := start(t, Spec{})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			picture := bytes.Repeat([]byte{byte(i)}, 100_000*(i%5))
			var echoed int
			got, err := p.Call(t.Context(), "sum", i, [][]byte{picture, nil}, &echoed)
			want := sha256.Sum256(picture)
			if err != nil || echoed != i || len(got) != 2 || !bytes.Equal(got[0], want[:]) {
				t.Errorf("call %d: echoed %d, %d attachments, error %v", i, echoed, len(got), err)
			}
		})
	}
	for range met { // one after the other these would never be answered
		wg.Go(func() {
			if _, err := p.Call(t.Context(), "meet", nil, nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestErrorsCross(t *testing.T) {
	p := start(t, Spec{MaxFrame: 1 << 20})
	_, err := p.Call(t.Context(), "refuse", nil, nil, nil)
	var e *gatehouse.Error
	if !errors.As(err, &e) || e.Code != "test.refused" || e.Hint != "do this" || e.Err != nil || !strings.HasPrefix(e.Message, "not like that") {
		t.Errorf("got %#v", err)
	}
	_, err = p.Call(t.Context(), "fail", nil, nil, nil)
	wantCode(t, err, "test.failed")
	_, err = p.Call(t.Context(), "nothing", nil, nil, nil)
	wantCode(t, err, "request.unknown")
	_, err = p.Call(t.Context(), "sum", nil, [][]byte{make([]byte, 1<<20)}, nil)
	wantCode(t, err, "test.too_large")
	_, err = p.Call(t.Context(), "large", nil, nil, nil)
	wantCode(t, err, "test.too_large")
	if _, err = p.Call(t.Context(), "pid", nil, nil, nil); err != nil {
		t.Errorf("after the errors: %v", err)
	}
}

func TestDeadlineReachesTheChild(t *testing.T) {
	var log recorder
	p := start(t, Spec{Log: slog.New(&log)})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := p.Call(ctx, "sleep", 60_000, nil, nil)
	wantCode(t, err, "test.timeout")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the cause is lost: %v", err)
	}
	log.await(t, "the caller left")

	ctx, cancel = context.WithCancel(t.Context())
	began := log.count("asleep")
	go func() {
		for log.count("asleep") == began && t.Context().Err() == nil { // until it is under way there
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err = p.Call(ctx, "sleep", 60_000, nil, nil)
	wantCode(t, err, "test.timeout")
	log.await(t, "the caller left why=context canceled")
}

func TestCrashIsRestarted(t *testing.T) {
	var log recorder
	var inits atomic.Int32
	p := start(t, Spec{Log: slog.New(&log), Init: func(ctx context.Context, call CallFunc) error {
		inits.Add(1)
		_, err := call(ctx, "pid", nil, nil, nil)
		return err
	}})
	var before, after int
	if _, err := p.Call(t.Context(), "pid", nil, nil, &before); err != nil {
		t.Fatal(err)
	}
	_, err := p.Call(t.Context(), "crash", nil, nil, nil)
	wantCode(t, err, "test.unavailable")
	began := time.Now()
	_, err = p.Call(t.Context(), "pid", nil, nil, nil)
	if err != nil && time.Since(began) > 20*time.Second { // at once, however busy the machine is
		t.Errorf("a call while the child is down took %v", time.Since(began))
	}
	if err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Call(t.Context(), "pid", nil, nil, &after); err != nil {
		t.Fatal(err)
	}
	s := p.Status()
	if before == after || inits.Load() != 2 || s.Restarts != 1 || s.State != Up || s.PID != after || s.Reason == "" {
		t.Errorf("pids %d, %d; %d inits; status %+v", before, after, inits.Load(), s)
	}
	log.await(t, "panic: told to")
}

func TestHungChildIsKilled(t *testing.T) {
	p := start(t, Spec{CallLimit: 200 * time.Millisecond})
	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := p.Call(impatient, "hang", nil, nil, nil)
	wantCode(t, err, "test.timeout")
	// The caller has gone; the child is found out all the same.
	began := time.Now()
	_, err = p.Call(t.Context(), "hang", nil, nil, nil)
	wantCode(t, err, "test.unavailable")
	if d := time.Since(began); d > 20*time.Second { // soon, however busy the machine is
		t.Errorf("found out after %v", d)
	}
	if err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := p.Status(); !strings.Contains(s.Reason, "did not answer") {
		t.Errorf("reason %q", s.Reason)
	}
}

func TestStartFails(t *testing.T) {
	_, err := Start(t.Context(), Spec{Name: "test", Exec: []string{"/nowhere/gatehouse"}})
	wantCode(t, err, "test.unavailable")
	self, _ := os.Executable()
	_, err = Start(t.Context(), Spec{Name: "test", Exec: []string{self, "__dies"}, Log: slog.New(slog.DiscardHandler)})
	wantCode(t, err, "test.unavailable")
	if err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("%v does not say how it ended", err)
	}
	_, err = Start(t.Context(), Spec{Name: "test", Log: slog.New(slog.DiscardHandler), Init: func(context.Context, CallFunc) error {
		return gatehouse.Errorf("test.key", "", "wrong key")
	}})
	wantCode(t, err, "test.key")
}

func TestStop(t *testing.T) {
	var log recorder
	p := start(t, Spec{Log: slog.New(&log)})
	answered := make(chan error, 1)
	go func() {
		_, err := p.Call(context.Background(), "sleep", 300, nil, nil)
		answered <- err
	}()
	log.await(t, "asleep") // it is under way
	pid := p.Status().PID
	p.Stop()
	if err := <-answered; err != nil {
		t.Errorf("the call that was under way: %v", err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the child is still there: %v", err)
	}
	_, err := p.Call(t.Context(), "pid", nil, nil, nil)
	wantCode(t, err, "test.unavailable")
	wantCode(t, p.Wait(t.Context()), "test.unavailable")
	p.Stop()
}

func TestStopDoesNotWaitForever(t *testing.T) {
	p := start(t, Spec{StopLimit: 100 * time.Millisecond})
	go p.Call(context.Background(), "hang", nil, nil, nil) // it never answers
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	p.Stop()
	if d := time.Since(began); d > 20*time.Second { // as long as its limit, however busy the machine is
		t.Errorf("Stop took %v", d)
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	self, _ := os.Executable()
	parent := exec.Command(self, "__parent")
	said, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(said, &pid); err != nil {
		t.Fatal(err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for range 2000 {
		if !alive(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Error("the child outlived its parent")
}

// alive takes a zombie that nobody reaps for dead.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestEnvironmentIsReduced(t *testing.T) {
	t.Setenv("GATEHOUSE_SECRET", "not for children")
	t.Setenv("TZ", "UTC")
	p := start(t, Spec{Env: []string{"EXTRA=1"}})
	var env []string
	if _, err := p.Call(t.Context(), "environ", nil, nil, &env); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(env, "\n")
	if strings.Contains(all, "SECRET") || strings.Contains(all, "HOME=") || !strings.Contains(all, "TZ=UTC") || !strings.Contains(all, "EXTRA=1") {
		t.Errorf("the child's environment:\n%s", all)
	}
}

func TestServeAlone(t *testing.T) {
	wantCode(t, Serve(t.Context(), nil), "child.alone")
}

// recorder is a slog handler that keeps what it is given as text.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }
func (r *recorder) Handle(_ context.Context, rec slog.Record) error {
	line := rec.Message
	rec.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	r.mu.Lock()
	r.lines = append(r.lines, rec.Level.String()+" "+line)
	r.mu.Unlock()
	return nil
}

// count is how many lines say something.
func (r *recorder) count(what string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		if strings.Contains(l, what) {
			n++
		}
	}
	return n
}

// await waits until every word of want's parts stands in one line.
func (r *recorder) await(t *testing.T, want string) {
	t.Helper()
	for range 2000 {
		r.mu.Lock()
		for _, l := range r.lines {
			before, after, _ := strings.Cut(want, " why=")
			if strings.Contains(l, before) && strings.Contains(l, after) {
				r.mu.Unlock()
				return
			}
		}
		r.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%q did not come; the log: %q", want, r.lines)
}

func TestLogLine(t *testing.T) {
	var log recorder
	line, _ := json.Marshal(map[string]any{"level": "ERROR", "msg": "no memory", "bytes": 5})
	logLine(slog.New(&log), "vision", 4, string(line))
	logLine(slog.New(&log), "vision", 4, "{not json")
	logLine(slog.New(&log), "vision", 4, "fatal error: stack overflow")
	want := []string{"ERROR no memory child=vision pid=4 bytes=5", "WARN {not json child=vision pid=4", "WARN fatal error: stack overflow child=vision pid=4"}
	if fmt.Sprint(log.lines) != fmt.Sprint(want) {
		t.Errorf("got %q", log.lines)
	}
}

func BenchmarkCall(b *testing.B) {
	p, err := Start(b.Context(), Spec{Name: "test"})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Stop()
	for _, size := range []int{0, 60 << 10, 3 << 20} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			blob := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := p.Call(b.Context(), "pid", nil, [][]byte{blob}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
