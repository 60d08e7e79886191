package vault

import (
	"os"
	"strconv"
	"strings"

	"gatehouse"

	"golang.org/x/sys/unix"
)

// How well the vault process's memory is kept off disk.
const (
	memoryLocked  = "locked"     // all of it, as far as it is used
	memoryKeyPage = "key page"   // the page of the private key only: raise LimitMEMLOCK
	memoryOpen    = "not locked" // not even that
)

// hardenProcess forbids core dumps, reading by debuggers and new privileges, and keeps the memory out
// of swap where the system permits. It says how far that went.
func hardenProcess() (memory string, err error) {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return "", gatehouse.Errorf("vault.failed", "see the system's limits", "core dumps cannot be switched off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return "", gatehouse.Errorf("vault.failed", "see the system's limits", "reading by debuggers cannot be switched off: %w", err)
	}
	if err := noNewPrivileges(); err != nil {
		return "", gatehouse.Errorf("vault.failed", "see the system's limits", "gaining privileges cannot be switched off: %w", err)
	}
	// With a limit in force, locking what is mapped later would make the runtime's
	// own mappings fail, and end the process.
	if mayLockAll() && unix.Mlockall(unix.MCL_CURRENT|unix.MCL_FUTURE|unix.MCL_ONFAULT) == nil {
		return memoryLocked, nil
	}
	return memoryOpen, nil
}

func mayLockAll() bool {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil && limit.Cur == unix.RLIM_INFINITY {
		return true
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && caps&(1<<unix.CAP_IPC_LOCK) != 0
		}
	}
	return false
}

// keyPage is a page outside Go's heap that holds the private keys while the vault is
// unsealed: the collector neither moves nor copies it, it is not swapped where the
// system permits, and in no dump. It has room for 128 keys.
type keyPage struct {
	page   []byte
	used   int
	locked bool
}

func newKeyPage() (*keyPage, error) {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, gatehouse.Errorf("vault.failed", "free some memory", "there is no page for the key: %w", err)
	}
	// Both are improvements where the system has them; memory() reports the first.
	locked := unix.Mlock(page) == nil
	_ = unix.Madvise(page, unix.MADV_DONTDUMP)
	return &keyPage{page: page, locked: locked}, nil
}

func (k *keyPage) add(seed []byte) { k.used += copy(k.page[k.used:], seed) }
func (k *keyPage) at(i int) []byte { return k.page[i*seedSize : (i+1)*seedSize] }
func (k *keyPage) wipe()           { clear(k.page); k.used = 0 }
func (k *keyPage) empty() bool     { return k.used == 0 }

// free wipes the page and gives it back.
func (k *keyPage) free() {
	k.wipe()
	_ = unix.Munmap(k.page) // its keys are gone
}
