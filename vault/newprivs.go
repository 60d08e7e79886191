package vault

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// noNewPrivileges forbids all threads of this process, and what they start, to gain
// privileges by executing a file. prctl does so for the calling thread alone, and the Go
// runtime has others by then. The kernel has one call that reaches all of them, also
// those of cgo: a seccomp filter that is synchronized takes the property along (seccomp(2),
// SECCOMP_FILTER_FLAG_TSYNC; kernel/seccomp.c, seccomp_sync_threads). The filter itself
// permits everything. A kernel without such filters leaves the other threads as they are.
func noNewPrivileges() error {
	runtime.LockOSThread() // both calls are about one thread
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	allow := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	program := unix.SockFprog{Len: 1, Filter: &allow}
	thread, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, uintptr(unsafe.Pointer(&program)))
	switch {
	case errors.Is(errno, unix.ENOSYS) || errors.Is(errno, unix.EINVAL):
		return nil
	case errno != 0:
		return errno
	case thread != 0:
		return fmt.Errorf("the thread %d has filters of its own", thread)
	}
	return nil
}
