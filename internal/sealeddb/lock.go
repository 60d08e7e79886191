package sealeddb

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"gatehouse"
)

// lockName is the lock file in a data directory.
const lockName = "gatehouse.lock"

// Lock keeps every other process away from a data directory until release is
// called or this process ends, however it ends. It fails with store.locked, naming
// the holder's process id, and with store.full or store.failed where the lock file
// cannot be written. SQLite itself keeps no second process out.
func Lock(dir string) (release func() error, err error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Wrap(path, err)
	}
	if err := flock(f); err != nil {
		holder := holderOf(path)
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, gatehouse.Errorf("store.locked", "stop that process, or use another data directory",
				"the data directory is in use by process %s", holder)
		}
		return nil, Wrap(path, err)
	}
	// The file stays when it is released: removing it would let two processes each
	// hold a lock, one of them on a file that is no longer there.
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, Wrap(path, errors.Join(err, f.Close()))
	}
	// A process that is being started somewhere else in this one shares the file until it
	// closes what is not its own; closing it here alone would leave the lock with it.
	return func() error { return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close()) }, nil
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func holderOf(path string) string {
	b, err := os.ReadFile(path)
	pid := strings.TrimSpace(string(b))
	if _, bad := strconv.Atoi(pid); err != nil || bad != nil {
		return "(unknown)"
	}
	return pid
}
