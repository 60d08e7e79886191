package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gatehouse"
)

// maxFrameEnv tells the child the parent's limit on a frame.
const maxFrameEnv = "GATEHOUSE_CHILD_MAX_FRAME"

// inherited are the variables of the parent's environment that a child keeps: how
// Go runs, the time zone, where temporary files go. Secrets in the environment of
// the server stay there.
var inherited = []string{"TZ", "LANG", "TMPDIR", "GODEBUG", "GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GOTRACEBACK", "GOCOVERDIR", "GORACE"}

func environ(spec Spec) []string {
	env := make([]string, 0, len(inherited)+len(spec.Env)+1)
	for _, key := range inherited {
		if v, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+v)
		}
	}
	env = append(env, spec.Env...)
	return append(env, maxFrameEnv+"="+strconv.Itoa(spec.MaxFrame))
}

func (s Spec) withDefaults() (Spec, error) {
	if err := gatehouse.CheckName(s.Name); err != nil {
		return s, err
	}
	if len(s.Exec) == 0 {
		self, err := os.Executable()
		if err != nil {
			return s, gatehouse.Errorf(s.Name+".unavailable", "start the program by its full path", "the program cannot find its own file: %w", err)
		}
		s.Exec = []string{self, "__" + s.Name}
	}
	orDuration := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	orDuration(&s.CallLimit, time.Minute)
	orDuration(&s.StartLimit, time.Minute)
	orDuration(&s.StopLimit, 5*time.Second)
	if s.MaxFrame <= 0 {
		s.MaxFrame = 64 << 20
	}
	if s.Log == nil {
		s.Log = defaultLog()
	}
	return s, nil
}

// runOnce runs one child from exec to its end. stopped says that Stop ended it;
// otherwise err says why it ended.
func (p *Process) runOnce(restarts int, up func()) (stopped bool, err error) {
	cmd, sock, err := p.spawn()
	if err != nil {
		return p.stopping(), err
	}
	c := newConn(p.name, p.called, p.spec.MaxFrame, p.spec.CallLimit, sock)
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	end := func(cause error) error {
		c.fail(cause) // before the kill, so that the calls say the cause and not what followed from it
		_ = cmd.Process.Kill()
		<-exited //nolint:errcheck // how it ended is known, or was our doing
		_ = sock.Close()
		return cause
	}

	p.set(Status{State: Starting, PID: cmd.Process.Pid, Restarts: restarts, Reason: p.Status().Reason}, nil)
	ctx, cancel := context.WithTimeout(context.Background(), p.spec.StartLimit)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- p.ready(ctx, c) }()
	for {
		select {
		case err := <-ready:
			if err != nil {
				if c.failure() != nil {
					err = p.brokenError(c, exited)
				}
				return p.stopping(), end(err)
			}
			ready = nil
			p.set(Status{State: Up, PID: cmd.Process.Pid, Restarts: restarts, Reason: p.Status().Reason}, c)
			up()
		case err := <-exited:
			exited <- err
			return p.stopping(), end(p.exitError(err))
		case <-c.broken:
			return p.stopping(), end(p.brokenError(c, exited))
		case <-p.stop:
			if ready != nil {
				return true, end(errStopped)
			}
			p.set(Status{State: Stopped, PID: cmd.Process.Pid, Restarts: restarts}, nil)
			_ = sock.CloseWrite() // the child answers what it has begun, and leaves
			select {
			case err := <-exited:
				exited <- err
				<-c.broken // its last answers are read
			case <-time.After(p.spec.StopLimit):
				p.spec.Log.Warn("a child process did not end by itself and is killed", "child", p.spec.Name)
			}
			_ = end(errStopped)
			return true, nil
		}
	}
}

var errStopped = errors.New("it was stopped")

func (p *Process) stopping() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// brokenError prefers how the child ended to what its socket showed of it.
func (p *Process) brokenError(c *conn, exited chan error) error {
	select {
	case err := <-exited:
		exited <- err
		return p.exitError(err)
	case <-time.After(100 * time.Millisecond):
		return c.failure()
	}
}

func (p *Process) exitError(err error) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	return p.errorf("unavailable", "see the log for what it wrote", "the %s process ended: %w", p.spec.Name, err)
}

// ready waits until the child serves, then lets Init send what it needs.
func (p *Process) ready(ctx context.Context, c *conn) error {
	if _, err := c.call(ctx, readyMethod, nil, nil, nil); err != nil {
		return err
	}
	if p.spec.Init == nil {
		return nil
	}
	return p.spec.Init(ctx, c.call)
}

// spawn executes the child with its end of the socket as descriptor 3.
func (p *Process) spawn() (*exec.Cmd, *net.UnixConn, error) {
	failed := func(err error) error {
		return p.errorf("unavailable", "check that the program's file is there and may be executed, and the limits on processes and open files",
			"the %s process cannot be started: %w", p.spec.Name, err)
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, failed(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "child"), os.NewFile(uintptr(pair[1]), "parent")
	defer ours.Close()
	defer theirs.Close()
	sock, err := unixConn(ours)
	if err != nil {
		return nil, nil, failed(err)
	}
	said, stderr, err := os.Pipe()
	if err != nil {
		_ = sock.Close()
		return nil, nil, failed(err)
	}
	defer stderr.Close()

	cmd := exec.Command(p.spec.Exec[0], p.spec.Exec[1:]...)
	cmd.Env = environ(p.spec)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.ExtraFiles = []*os.File{theirs}
	// A group of its own: Ctrl-C on a terminal reaches the parent only, which then
	// stops its children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		_ = sock.Close()
		_ = said.Close()
		return nil, nil, failed(err)
	}
	go p.passOn(said, cmd.Process.Pid)
	return cmd, sock, nil
}

func unixConn(f *os.File) (*net.UnixConn, error) {
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("%s is no unix socket", f.Name())
	}
	return u, nil
}

// passOn gives the child's output to the log, line by line.
func (p *Process) passOn(said *os.File, pid int) {
	defer said.Close()
	r := bufio.NewReaderSize(said, 8<<10) // a longer line comes in pieces
	for {
		line, err := r.ReadSlice('\n')
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			logLine(p.spec.Log, p.spec.Name, pid, text)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}
