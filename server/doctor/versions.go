package doctor

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"gatehouse/server"
	"gatehouse/vision/models"

	"golang.org/x/sys/unix"
)

func (d *doctor) versions(ctx context.Context) {
	d.add("gatehouse", OK, "", "%s, built with %s for %s/%s", server.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if d.live != nil {
		d.judge("server", d.status.Version == server.Version, Warn, "start the server again", "the running server is %s", d.status.Version)
		d.add("schema", OK, "", "the running server opened every database, and brings each to its own schema")
	} else {
		d.notRunning("server", "schema")
	}
	bad, seen := "", 0
	for _, m := range models.Registry {
		if len(m.Inputs) == 0 {
			continue // it is no model
		}
		if _, err := models.Load(m.Name); err != nil {
			bad = m.Name
		} else {
			seen++
		}
	}
	if bad == "" {
		d.add("models", OK, "", "%d models have the hashes of the registry", seen)
	} else {
		d.add("models", Fail, "run `make assets`, or set vision.assets", "the model %s is missing or is another file", bad)
	}
	d.ffmpeg(ctx)
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		d.add("kernel", OK, "", "%s %s", unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]))
	}
}

func (d *doctor) ffmpeg(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(within, "ffmpeg", "-version").Output()
	first, _, _ := bytes.Cut(out, []byte("\n"))
	text, _, _ := strings.Cut(string(first), " Copyright")
	d.judge("ffmpeg", err == nil, worse(d.readsStreams()), "install ffmpeg: camera streams and video files are read through it", "%s", said(err == nil, text, "ffmpeg is not here"))
}

func worse(needed bool) Verdict {
	if needed {
		return Fail
	}
	return Warn
}

func (d *doctor) readsStreams() bool {
	for _, c := range d.config.Devices {
		info, err := os.Stat(filepath.Clean(c.Source))
		if c.Source != "" && (err != nil || !info.IsDir()) {
			return true
		}
	}
	return len(d.health.Cameras) > 0
}
