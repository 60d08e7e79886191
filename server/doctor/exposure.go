package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// renewBefore is how much of a certificate's time must be left.
const renewBefore = 14 * 24 * time.Hour

func (d *doctor) exposure(context.Context) {
	d.listeners()
	d.certificate()
}

// listeners looks at what the running server listens at, as the kernel has it.
func (d *doctor) listeners() {
	if d.live == nil {
		d.notRunning("listeners")
		return
	}
	found, err := listening(d.pid)
	if err != nil || len(found) == 0 {
		d.add("listeners", Skipped, "", "what the server listens at cannot be seen: run it as the user that runs the server")
		return
	}
	redirect := portOf(d.config.TLS.Redirect)
	for _, a := range found {
		name := "listener " + a.String()
		switch {
		case a.IP.IsLoopback():
			d.add(name, OK, "", "this machine alone reaches it")
		case a.Port == redirect && redirect != 0:
			d.add(name, OK, "", "other machines reach it in clear, and are sent on to TLS")
		case speaksTLS(a):
			d.add(name, OK, "", "other machines reach it over TLS")
		default:
			d.add(name, Fail, "stop the server, and report this: it refuses such a configuration", "other machines reach it in clear")
		}
	}
}

// peer is the process that answers at a unix socket, 0 where it cannot be told.
func peer(socket string) int {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return 0
	}
	defer c.Close()
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}

// listening lists the TCP sockets that a process listens at (proc(5)).
func listening(pid int) ([]net.TCPAddr, error) {
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil, err
	}
	inodes := map[string]bool{}
	for _, fd := range fds {
		target, _ := os.Readlink(fd)
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var all []net.TCPAddr
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open("/proc/net/" + table)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			field := strings.Fields(lines.Text())
			if len(field) > 9 && field[3] == "0A" && inodes[field[9]] { // TCP_LISTEN
				if a, ok := address(field[1]); ok {
					all = append(all, a)
				}
			}
		}
		f.Close()
	}
	return all, nil
}

// address reads HEX:PORT of the kernel's table, 32-bit words in this machine's order,
// which is little-endian on all that Gatehouse is built for.
func address(text string) (a net.TCPAddr, ok bool) {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(raw)%4 != 0 {
		return a, false
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	return net.TCPAddr{IP: raw, Port: int(n)}, true
}

func portOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(port)
	return n
}

func speaksTLS(a net.TCPAddr) bool {
	if a.IP.IsUnspecified() {
		a.IP = net.IPv4(127, 0, 0, 1)
	}
	// What is asked is whether it is TLS; nothing is sent over it.
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", a.String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // see above
	if err != nil {
		return false
	}
	return c.Close() == nil
}

func (d *doctor) certificate() {
	if !d.config.TLS.On() {
		d.add("certificate", OK, "", "there is no TLS, and nothing that needs it")
		return
	}
	until := d.health.Certificate
	if d.live == nil {
		if d.config.TLS.Certificates != "files" {
			d.notRunning("certificate")
			return
		}
		var err error
		if until, err = fileUntil(d.config.TLS.Certificate); err != nil {
			d.add("certificate", Fail, "check tls.certificate in gatehouse.yml: a PEM file", "the TLS certificate cannot be read")
			return
		}
	}
	left := until.Sub(d.o.Now())
	do := "renew it; with tls.certificates acme or local it renews itself: see the server's log"
	switch {
	case until.IsZero():
		d.add("certificate", Fail, "see the server's log: an ACME authority must reach this server", "no TLS certificate is shown")
	case left <= 0:
		d.add("certificate", Fail, do, "the TLS certificate ended on %s", until.Format(time.DateOnly))
	case left < renewBefore:
		d.add("certificate", Warn, do, "the TLS certificate ends in %d days", int(left.Hours()/24))
	default:
		d.add("certificate", OK, "", "the TLS certificate is good for %d days", int(left.Hours()/24))
	}
}

func fileUntil(path string) (time.Time, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return time.Time{}, os.ErrInvalid
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, err
	}
	return c.NotAfter, nil
}
