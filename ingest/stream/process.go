package stream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"gatehouse"
)

// process is one run of ffmpeg.
type process struct {
	stdout *bufio.Reader
	infos  chan info     // of the frames, in order; closed with stderr
	ended  chan struct{} // closed by end
	reaped chan struct{} // closed once ffmpeg is gone and waited for

	mu   sync.Mutex
	cmd  *exec.Cmd // nil once reaped, so that no other process is killed
	wait error
	once sync.Once
}

// start runs ffmpeg in a process group of its own, dying with this process where
// the system can do that. script, where there is one, is what it reads at fd 3.
// Lines on stderr that are no showinfo and no mere information go to line.
func start(ffmpeg string, args []string, script []byte, line func(string)) (*process, error) {
	failed := func(err error) error {
		return gatehouse.Errorf("source.failed", "check the system's limits on processes and open files", "ffmpeg cannot be started (%w)", err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, failed(err)
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		_ = outR.Close()
		_ = outW.Close()
		return nil, failed(err)
	}
	cmd := exec.Command(ffmpeg, args...)
	// Nothing of our environment is its business.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "AV_LOG_FORCE_NOCOLOR=1"}
	cmd.Stdout, cmd.Stderr = outW, errW
	cmd.SysProcAttr = ownGroup()
	var scriptR *os.File
	if script != nil {
		var scriptW *os.File
		if scriptR, scriptW, err = os.Pipe(); err != nil {
			closeAll(outR, outW, errR, errW)
			return nil, failed(err)
		}
		// A pipe holds 64 KiB, an address far less.
		_, _ = scriptW.Write(script)
		_ = scriptW.Close()
		cmd.ExtraFiles = []*os.File{scriptR}
	}
	p := &process{
		stdout: bufio.NewReaderSize(outR, 64<<10), infos: make(chan info, 1024),
		ended: make(chan struct{}), reaped: make(chan struct{}), cmd: cmd,
	}
	drained := make(chan struct{})
	started := make(chan error)
	go func() {
		// Linux sends the parent's death when the thread that started the child
		// ends, so this one stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		closeAll(outW, errW, scriptR)
		started <- err
		if err != nil {
			return
		}
		// Not before stderr is read, which ffmpeg's death closes.
		<-drained
		err = cmd.Wait()
		p.mu.Lock()
		p.cmd, p.wait = nil, err
		p.mu.Unlock()
		close(p.reaped)
	}()
	if err := <-started; err != nil {
		closeAll(outR, errR)
		return nil, failed(err)
	}
	go func() {
		defer close(drained)
		defer errR.Close()
		p.stderr(errR, line)
	}()
	go func() {
		<-p.reaped
		<-p.ended
		_ = outR.Close()
	}()
	return p, nil
}

// stderr sorts ffmpeg's lines until it closes them.
func (p *process) stderr(r io.Reader, line func(string)) {
	defer close(p.infos)
	sc := bufio.NewReaderSize(r, 8<<10)
	for {
		b, err := sc.ReadSlice('\n')
		if i, ok := parseInfo(b); ok {
			select {
			case p.infos <- i:
			case <-p.ended:
			}
		} else if text := bytes.TrimSpace(b); worthKeeping(text) {
			line(string(text))
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line too long to keep
			_, err = sc.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// worthKeeping tells warnings and errors from the rest.
func worthKeeping(line []byte) bool {
	return len(line) > 0 && !bytes.Contains(line, []byte("[info]")) &&
		(bytes.Contains(line, []byte("[warning]")) || bytes.Contains(line, []byte("[error]")) || bytes.Contains(line, []byte("[fatal]")) || bytes.Contains(line, []byte("[panic]")))
}

// next reads the next frame.
func (p *process) next(buffer func(int) []byte) (frame, error) {
	return readFrame(p.stdout, p.infos, buffer)
}

// grace is how long ffmpeg may take to exit once it has closed its output.
const grace = 2 * time.Second

// exit waits for ffmpeg, which has closed its output, and returns how it went.
func (p *process) exit() error {
	select {
	case <-p.reaped:
	case <-time.After(grace):
		p.kill()
		<-p.reaped
	}
	return p.wait
}

// end kills ffmpeg's process group and waits for it.
func (p *process) end() {
	p.once.Do(func() { close(p.ended) })
	p.kill()
	<-p.reaped
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		killGroup(p.cmd.Process)
	}
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
