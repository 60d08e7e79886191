package doctor

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// fewFiles is too small a limit for a busy site: connections, databases and their logs.
const fewFiles = 4096

func (d *doctor) limits(context.Context) {
	if d.live == nil {
		d.notRunning("open files", "core dumps", "vault process", "vault memory")
		return
	}
	server, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", d.pid))
	if err != nil {
		d.add("open files", Skipped, "", "the server's limits cannot be read: run it as the user that runs the server")
	} else {
		files := limit(string(server), "Max open files")
		d.judge("open files", files < 0 || files >= fewFiles, Warn, "set LimitNOFILE=65536 in the systemd unit", "the server may open %d files", files)
		d.judge("core dumps", limit(string(server), "Max core file size") == 0, Fail, "start it with the gatehouse program itself, which switches them off", "core dumps of the server are %s", said(limit(string(server), "Max core file size") == 0, "off", "on: one would hold the gate key"))
	}
	v := d.health.Vault
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.PID))
	switch {
	case d.config.Vault.Elsewhere():
		d.add("vault process", Skipped, "", "it is on another machine")
		return
	case v.PID == 0 || err != nil:
		d.add("vault process", Skipped, "", "the vault process cannot be looked at")
	default:
		own, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", v.PID))
		closed := err == nil && limit(string(own), "Max core file size") == 0
		// The kernel gives what belongs to a process that cannot be debugged to root.
		if uid := strings.Fields(after(string(status), "Uid:")); len(uid) > 0 && uid[0] != "0" {
			info, err := os.Stat(fmt.Sprintf("/proc/%d/environ", v.PID))
			closed = closed && err == nil && info.Sys().(*syscall.Stat_t).Uid == 0
		}
		d.judge("vault process", closed, Fail, "see the server's log", "the vault process %s", said(closed, "makes no core dumps and cannot be debugged by its own user", "could be dumped or debugged"))
	}
	d.judge("vault memory", v.Memory != "not locked", Warn, "set LimitMEMLOCK=infinity in the systemd unit", "what is locked of the vault's memory: %s", said(v.Memory == "locked", "all", said(v.Memory == "key page", "the keys' page", "nothing (its keys' page is locked while it is unsealed)")))
}

// after is what follows a word at the beginning of a line, to the line's end.
func after(text, word string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			return rest
		}
	}
	return ""
}

// limit is the soft limit of a line of /proc/PID/limits; -1 for unlimited.
func limit(text, name string) int {
	field := strings.Fields(after(text, name))
	if len(field) == 0 {
		return -1
	}
	n, err := strconv.Atoi(field[0])
	if err != nil {
		return -1
	}
	return n
}
