package vault

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disksOf names the disks that a device's blocks lie on, as sysfs knows them: the disk
// of a partition, and those below a logical or encrypted volume. It is empty for what
// has no blocks of its own (network and memory file systems).
func disksOf(device uint64) map[string]bool {
	disks := map[string]bool{}
	dir, err := filepath.EvalSymlinks(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(device), unix.Minor(device)))
	if err == nil {
		addDisks(disks, dir, 0)
	}
	return disks
}

// maxStack bounds how deep volumes are stacked.
const maxStack = 8

func addDisks(disks map[string]bool, dir string, depth int) {
	if _, err := os.Stat(filepath.Join(dir, "partition")); err == nil {
		dir = filepath.Dir(dir)
	}
	below, err := os.ReadDir(filepath.Join(dir, "slaves"))
	if err != nil || len(below) == 0 || depth == maxStack {
		disks[filepath.Base(dir)] = true
		return
	}
	for _, entry := range below {
		if next, err := filepath.EvalSymlinks(filepath.Join(dir, "slaves", entry.Name())); err == nil {
			addDisks(disks, next, depth+1)
		}
	}
}
