package vault

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No thread of the vault process may gain privileges by executing a file.
func TestNoThreadGainsPrivileges(t *testing.T) {
	in := install(t)
	in.unseal(t) // what it does starts threads
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", in.vault.Process().PID))
	must(t, err)
	if len(tasks) < 3 {
		t.Fatalf("only %d threads were found", len(tasks))
	}
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		must(t, err)
		if !strings.Contains(string(b), "\nNoNewPrivs:\t1\n") {
			t.Errorf("%s may", task)
		}
	}
}
