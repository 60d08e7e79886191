package doctor

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gatehouse/vault"

	"golang.org/x/sys/unix"
)

// Little space is less than lowSpace or, at the growth so far, less than lowDays.
const (
	lowSpace = 1 << 30
	noSpace  = 64 << 20
	lowDays  = 30
)

func (d *doctor) disk(context.Context) {
	var st unix.Statfs_t
	if err := unix.Statfs(d.config.Data, &st); err != nil {
		d.add("space", Skipped, "", "the data directory is not there yet")
		return
	}
	free := int64(st.Bavail) * st.Bsize
	used, since := d.used()
	days := -1.0
	if age := d.o.Now().Sub(since).Hours() / 24; age >= 1 && used > 0 {
		days = float64(free) / (float64(used) / age)
	}
	reason, args := "%.1f GiB are free, %.1f MiB are used", []any{float64(free) / (1 << 30), float64(used) / (1 << 20)}
	if days >= 0 {
		reason, args = "%.1f GiB are free, %.1f MiB are used; at the growth so far it is full in %.0f days", append(args, days)
	}
	do := "make room, or shorten `retention`; a gate whose passages cannot be recorded follows its `fail` policy"
	switch {
	case free < noSpace:
		d.add("space", Fail, do, reason, args...)
	case free < lowSpace || days >= 0 && days < lowDays:
		d.add("space", Warn, do, reason, args...)
	default:
		d.add("space", OK, "", reason, args...)
	}
	d.judge("writable", st.Flags&unix.ST_RDONLY == 0, Fail, "mount it for writing; a damaged disk is often made read-only by the kernel: see dmesg", "the data directory's file system is %s", said(st.Flags&unix.ST_RDONLY == 0, "writable", "read-only"))
	d.sameDisk()
	d.swap()
	d.encrypted()
}

// used is the data directory's size, and the time of its oldest file.
func (d *doctor) used() (bytes int64, since time.Time) {
	since = d.o.Now()
	walked := 0
	_ = filepath.WalkDir(d.config.Data, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		if walked++; walked > maxWalked {
			return fs.SkipAll
		}
		if i, err := entry.Info(); err == nil {
			bytes += i.Size()
			if i.ModTime().Before(since) {
				since = i.ModTime()
			}
		}
		return nil
	})
	return bytes, since
}

func deviceOf(path string) (uint64, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Sys().(*syscall.Stat_t).Dev, true
}

func (d *doctor) sameDisk() {
	if !vault.ParseGateSource(d.config.GateKey).IsFile() {
		d.add("gate key", OK, "", "it is no file on a disk")
		return
	}
	a, ok1 := deviceOf(d.config.Data)
	b, ok2 := deviceOf(d.config.GateKey)
	if !ok1 || !ok2 {
		d.add("gate key", Skipped, "", "where it lies cannot be told")
		return
	}
	d.judge("gate key", a != b, Warn, "put it on other media, or into a token, TPM or systemd credential (docs/keys.md)", "the gate key lies on %s disk as the data", said(a != b, "another", "the same"))
}

// swap matters where the vault's memory is not locked: a key could get onto a disk.
func (d *doctor) swap() {
	f, err := os.Open("/proc/swaps")
	if err != nil {
		d.add("swap", Skipped, "", "the kernel does not say")
		return
	}
	defer f.Close()
	on := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), " ")
		if strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "/dev/zram") {
			on = name
		}
	}
	switch {
	case on == "":
		d.add("swap", OK, "", "nothing is swapped to a disk")
	case d.live != nil && d.health.Vault.Memory == "locked":
		d.add("swap", OK, "", "%s is in use, and the vault's memory is locked", on)
	default:
		d.add("swap", Warn, "switch it off or encrypt it, and set LimitMEMLOCK=infinity: the server's memory holds the gate key and templates", "%s is in use", on)
	}
}

// encrypted looks for dm-crypt below the file system.
func (d *doctor) encrypted() {
	dev, _ := deviceOf(d.config.Data)
	uuid, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/dm/uuid", unix.Major(dev), unix.Minor(dev)))
	if err == nil && strings.HasPrefix(string(uuid), "CRYPT-") {
		d.add("encryption", OK, "", "the disk is encrypted (dm-crypt)")
		return
	}
	d.add("encryption", Skipped, "", "whether the disk is encrypted cannot be told; what is stored is sealed either way")
}
