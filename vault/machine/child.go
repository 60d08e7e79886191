package machine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/vault"
)

// childArg is the argument with which the program starts itself as a vault's machine.
const childArg = "__machine"

// Children is this package's entry in a program's list of child processes.
func Children() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{childArg: runChild}
}

// runChild serves the directory of the second argument at the address of the third, and
// says the address that it listens at. It ends with its standard input: with whoever
// started it.
func runChild(ctx context.Context) error {
	if len(os.Args) != 4 {
		return gatehouse.Errorf("child.alone", "run `gatehouse vault serve`", "this is started by the program itself")
	}
	if err := vault.Harden(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is what counts
	}()
	m, err := Open(Options{Dir: os.Args[2], Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	err = m.Serve(ctx, os.Args[3], func(a net.Addr) { fmt.Println(a) })
	if closed := m.Close(); err == nil {
		err = closed
	}
	return err
}

// Child is a vault's machine as a process of its own beside this one, for drills.
type Child struct {
	Address string // HOST:PORT

	cmd   *exec.Cmd
	stdin io.Closer
}

// startLimit is how long a machine may take to serve.
const startLimit = time.Minute

// StartChild runs the machine of dir at address until Stop. tmp is its directory for
// temporary files. Errors: machine.failed.
func StartChild(dir, address, tmp string) (*Child, error) {
	// The program itself; it is not asked of a shell.
	cmd := exec.Command("/proc/self/exe", childArg, dir, address)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, failed(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, failed(err)
	}
	if err := cmd.Start(); err != nil {
		return nil, failed(err)
	}
	c := &Child{cmd: cmd, stdin: stdin}
	timer := time.AfterFunc(startLimit, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var line strings.Builder
	for b := make([]byte, 1); ; {
		if n, err := stdout.Read(b); n == 0 || err != nil {
			_ = c.Stop() // why it ended stands on stderr
			return nil, gatehouse.Errorf("machine.failed", "see what it said", "the vault's machine did not start")
		}
		if b[0] == '\n' {
			c.Address = line.String()
			return c, nil
		}
		line.WriteByte(b[0])
	}
}

// Stop ends the process and waits for it. More than once is fine.
func (c *Child) Stop() error {
	if c.cmd == nil {
		return nil
	}
	cmd := c.cmd
	c.cmd = nil
	_ = c.stdin.Close()
	timer := time.AfterFunc(startLimit, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		return failed(err)
	}
	return nil
}
