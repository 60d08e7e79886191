//go:build !linux

package stream

import (
	"os"
	"syscall"
)

// Elsewhere ffmpeg ends when its output is closed, a frame later.
func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) { _ = p.Kill() }
