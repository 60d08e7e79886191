package main

import (
	"io"
	"syscall"
	"testing"
)

func TestNoCoreDumps(t *testing.T) {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 4096, Max: 4096}); err != nil {
		t.Skip("core dumps are off here for good:", err)
	}
	if got := Main(t.Context(), []string{"version"}, nil, io.Discard, io.Discard); got != 0 {
		t.Fatalf("status %d", got)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("core dumps of up to %d bytes, %v", limit.Max, err)
	}
}
