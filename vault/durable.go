package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gatehouse"

	"golang.org/x/sys/unix"
)

// unfinished begins the name of a file that is being written. The name of the file that
// it is to become follows.
const unfinished = ".new-"

// SweepUnfinished removes what killed processes had begun to write in dir: keys, old and
// new, that nobody would ever look at again, and that a thief might. Where names are
// given the folder belongs to others as well, and only what was to become a file whose
// name begins so goes. Nobody may be writing there. A folder that is not there is empty.
func SweepUnfinished(dir string, names ...string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fileKeyFailed(err)
	}
	if len(names) == 0 {
		names = []string{""}
	}
	for _, e := range entries {
		for _, name := range names {
			if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), unfinished+name) {
				continue
			}
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fileKeyFailed(err)
			}
		}
	}
	return nil
}

// writeDurably puts b into a file of mode 0600 that appears whole or not at all,
// and that is on disk when it returns nil. A file that is there already is
// replaced, or with replace false is left as it is: then the error has
// fs.ErrExist in its chain.
func writeDurably(path string, b []byte, replace bool) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, unfinished+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if replace {
		err = os.Rename(f.Name(), path)
	} else {
		err = renameNew(f.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// renameNew renames, and fails with fs.ErrExist where the new name is taken. A link
// does the same where the file system knows no such rename (NFS), and the rename
// where it knows no links (the FAT of a memory stick).
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return os.Link(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

// fileKeyFailed gives a file system's error its code.
func fileKeyFailed(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return gatehouse.Errorf("store.full", "free some space; nothing was written", "the disk is full, a database's key could not be written: %w", err)
	}
	return gatehouse.Errorf("filekey.failed", "check that the data directory can be read and written", "a database's key could not be read or written: %w", err)
}
