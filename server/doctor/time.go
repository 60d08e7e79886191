package doctor

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ahead is how far the newest commit may lie in the future.
const ahead = 10 * time.Second

// The kernel's word for a clock that nothing sets (adjtimex(2)).
const (
	timeError = 5
	staUnsync = 0x40
)

func (d *doctor) time(context.Context) {
	now := d.o.Now()
	newest, file := time.Time{}, ""
	_ = filepath.WalkDir(filepath.Join(d.config.Data, "db"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if i, err := entry.Info(); err == nil && i.ModTime().After(newest) {
				newest, file = i.ModTime(), filepath.Base(path)
			}
		}
		return nil
	})
	if c := d.health.LastCommit; c.After(newest) {
		newest, file = c, "the last passage"
	}
	switch {
	case newest.IsZero():
		d.add("clock", Skipped, "", "nothing was committed yet that it could be compared with")
	case newest.After(now.Add(ahead)):
		d.add("clock", Fail, "set the clock; passages get times that are over already, and retention counts wrongly", "the clock says %s, and %s was written at %s", now.Format(time.DateTime), file, newest.Format(time.DateTime))
	default:
		d.add("clock", OK, "", "the newest commit is %s old", now.Sub(newest).Round(time.Second))
	}
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		d.add("synchronized", Skipped, "", "the kernel does not say")
	} else {
		synced := state != timeError && t.Status&staUnsync == 0
		d.judge("synchronized", synced, Warn, "run systemd-timesyncd, chrony or another NTP client; signatures of devices count within a minute", "the kernel says that the clock is %s", said(synced, "set by a time server", "set by nothing"))
	}
	_, err = time.LoadLocation(d.config.Site.TimeZone)
	d.judge("time zone", err == nil, Fail, "install tzdata", "the site's time zone is %s", d.config.Site.TimeZone)
}
