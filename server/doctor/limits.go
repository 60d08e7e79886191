package doctor

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
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
		hardened := strings.Contains(string(status), "NoNewPrivs:\t1")
		if own, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", v.PID)); err == nil {
			hardened = hardened && limit(string(own), "Max core file size") == 0
		}
		d.judge("vault process", hardened, Fail, "see the server's log", "the vault process %s", said(hardened, "makes no core dumps and gains no privileges; it starts only where it cannot be debugged either", "is not hardened"))
	}
	d.judge("vault memory", v.Memory != "not locked", Warn, "set LimitMEMLOCK=infinity in the systemd unit", "what is locked of the vault's memory: %s", said(v.Memory == "locked", "all", said(v.Memory == "key page", "the keys' page", "nothing (its keys' page is locked while it is unsealed)")))
}

// limit is the soft limit of a line of /proc/PID/limits; -1 for unlimited.
func limit(text, name string) int {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if field := strings.Fields(rest); len(field) > 0 {
				n, err := strconv.Atoi(field[0])
				if err != nil {
					return -1
				}
				return n
			}
		}
	}
	return -1
}
