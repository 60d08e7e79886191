package drill

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gatehouse"
)

// socket is a port at which a process of the copy listens.
type socket struct {
	network string
	ip      net.IP
	port    int
}

// tryPorts looks at where the copy's processes listen: at loopback only, and there at
// the console's port only.
func (d *drill) tryPorts() error {
	sockets, err := listening()
	if err != nil {
		return err
	}
	for _, s := range sockets {
		if slices.Contains(d.post.ports, s.port) {
			continue // the drill's own
		}
		d.report.Ports++
		if !s.ip.IsLoopback() {
			d.report.PortsOpen++
			d.report.find("open port", fmt.Sprintf("%s port %d is reachable from other machines", s.network, s.port))
		}
	}
	return nil
}

// listening lists the listening sockets of this process and its children, from the
// kernel's tables (proc(5)).
func listening() ([]socket, error) {
	inodes := map[string]bool{}
	for _, pid := range append(children(), os.Getpid()) {
		fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			return nil, err
		}
		for _, fd := range fds {
			target, err := os.Readlink(fd)
			if inode, ok := strings.CutPrefix(target, "socket:["); ok && err == nil {
				inodes[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	var all []socket
	for _, network := range []string{"tcp", "tcp6", "udp", "udp6"} {
		found, err := table(network, inodes)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// table reads one of the kernel's socket tables. States: 0A is a TCP socket that
// listens, 07 a UDP socket that is bound.
func table(network string, inodes map[string]bool) (all []socket, err error) {
	f, err := os.Open("/proc/net/" + network)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" && (fields[3] != "07" || !strings.HasPrefix(network, "udp")) || !inodes[fields[9]] {
			continue
		}
		if ip, port, ok := addressOf(fields[1]); ok {
			all = append(all, socket{network, ip, port})
		}
	}
	return all, lines.Err()
}

// addressOf reads an address as the kernel's tables write it: hexadecimal words, each in
// the machine's order (little-endian here), and the port.
func addressOf(text string) (ip net.IP, port int, ok bool) {
	host, portText, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(portText, 16, 16)
	raw, hexErr := hex.DecodeString(host)
	if err != nil || hexErr != nil {
		return nil, 0, false
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
	}
	return net.IP(raw), int(n), true
}

// children are the processes that this one started: the copy's vault and vision.
func children() (pids []int) {
	tasks, _ := filepath.Glob("/proc/self/task/*/children") // none where the kernel does not say
	for _, file := range tasks {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// crash aborts the copy's child processes, as a fault in them would: what they leave
// behind, in a core file or in the log, is searched.
func (d *drill) crash(ctx context.Context) error {
	aborted := map[int]bool{}
	for _, pid := range helpers() {
		if err := syscall.Kill(pid, syscall.SIGABRT); err == nil {
			aborted[pid] = true
		}
	}
	d.report.Crashed = len(aborted)
	return d.recovered(ctx, aborted)
}

// helpers are the vault and vision processes among the children.
func helpers() (pids []int) {
	for _, pid := range children() {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && (strings.Contains(string(line), "\x00__vision") || strings.Contains(string(line), "\x00__vault")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// recoverTries and recoverPause are how long the copy's processes may take to come back.
const (
	recoverTries = 300
	recoverPause = 100 * time.Millisecond
)

// recovered waits until others run in the place of the aborted processes, and work.
func (d *drill) recovered(ctx context.Context, aborted map[int]bool) error {
	for range recoverTries {
		started := 0
		for _, pid := range helpers() {
			if !aborted[pid] {
				started++
			}
		}
		if started >= len(aborted) {
			if status, err := d.server.Admin().Status(ctx); err == nil && status.Faces {
				return nil
			}
		}
		if err := wait(ctx, recoverPause); err != nil {
			return err
		}
	}
	return gatehouse.Errorf("drill.crashed", "see `gatehouse status` on a site whose vault or vision process is killed", "the copy's processes did not come back after a crash")
}

// probeOriginal asks a live installation for every route without a credential. That is
// all that it is ever sent.
func (d *drill) probeOriginal(ctx context.Context) error {
	if !d.report.Live {
		return nil
	}
	p, err := d.prober(d.server.Routes())
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(d.Config.Listen)
	if err != nil || port == "0" {
		d.report.note("the live server listens at a port of the system's choice, which the configuration does not say: it was not asked")
		return nil
	}
	p.base = "http://" + d.Config.Listen
	if d.Config.TLS.On() {
		p.through(host, port)
		p.base = "https://" + net.JoinHostPort(d.Config.TLS.Names[0], port)
	}
	d.say("asking the live server without a credential")
	// A server that is not the one, or that answers under other names, refuses everything.
	if status, _, _, err := p.ask(ctx, http.MethodGet, "/healthz", nobody); err != nil || status != http.StatusOK {
		d.report.note(fmt.Sprintf("the live server does not answer at %s under its first name: it was not asked", d.Config.Listen))
		return nil
	}
	for _, route := range d.server.Routes() {
		method, _, _ := strings.Cut(route.Pattern, " ")
		how, err := p.try(ctx, method, d.pathOf(route, ""), nobody)
		if err != nil {
			return err
		}
		if how != "" {
			d.report.RoutesOpen++
			d.report.find("open route", fmt.Sprintf("the live server answers %s with nothing: %s", route.Pattern, how))
		}
	}
	return nil
}
