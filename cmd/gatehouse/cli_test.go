package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// What is stopped before its end has not succeeded.
func TestMainWhenInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"eval", "faces", dir}, {"eval", "plates", dir}, {"calibrate", "faces", dir}, {"bench", "match"}} {
		var stdout, stderr strings.Builder
		if got := Main(ctx, args, nil, &stdout, &stderr); got != interrupted || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
			t.Errorf("%v: status %d, %q, %q", args, got, stdout.String(), stderr.String())
		}
	}
	if got := Main(ctx, []string{"watch", "--source", dir}, nil, io.Discard, io.Discard); got != 0 {
		t.Errorf("watch: status %d", got)
	}
}

// An interruption is told from a failure by who caused it, not by the error's text.
func TestReport(t *testing.T) {
	if got := report(io.Discard, os.ErrNotExist); got != 1 {
		t.Errorf("a failure gives %d", got)
	}
	if got := report(io.Discard, errors.Join(context.Canceled)); got != 0 {
		t.Errorf("a child that was told to stop gives %d", got)
	}
}
