// Package childtest lets a test binary be its own child processes, as gatehouse is.
package childtest

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// Main runs the child that the first argument names, or else the tests and then
// after, and exits. Call it from TestMain.
func Main(m *testing.M, children map[string]func(context.Context) error, after ...func()) {
	if len(os.Args) > 1 {
		if run, ok := children[os.Args[1]]; ok {
			if err := run(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	code := m.Run()
	for _, f := range after {
		f()
	}
	os.Exit(code)
}
