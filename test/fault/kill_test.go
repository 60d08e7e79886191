package fault_test

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestKill kills a process that commits with SIGKILL at a random moment, opens what
// it left and looks at everything, round after round on the same files. (What a
// power cut may add, losing what the disk was not told to keep, a kill cannot show:
// the kernel's cache survives it.)
//
// GATEHOUSE_FAULT_ROUNDS sets the number of rounds.
func TestKill(t *testing.T) {
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	if v := os.Getenv("GATEHOUSE_FAULT_ROUNDS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal("GATEHOUSE_FAULT_ROUNDS is a number")
		}
		rounds = n
	}
	const fresh = 10 // rounds until new files, so that a round stays short
	var dir string
	var keys fileKeys
	var acknowledged []ack
	total := 0
	for round := range rounds {
		if round%fresh == 0 {
			dir, keys, acknowledged = t.TempDir(), newKeys(), nil
		}
		got := killOne(t, dir, keys, time.Duration(rand.IntN(300))*time.Millisecond)
		acknowledged = append(acknowledged, got...)
		total += len(got)
		s, err := openStores(t.Context(), dir, filepath.Join(dir, "blobs"), keys)
		if err != nil {
			t.Fatalf("round %d: what was left does not open: %v", round, err)
		}
		s.verify(t, acknowledged)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d rounds, %d acknowledgements, none lost", rounds, total)
}

// killOne runs the child, kills it a while after its first acknowledgement, and
// returns every acknowledgement.
func killOne(t *testing.T, dir string, keys fileKeys, after time.Duration) (acknowledged []ack) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), childEnv+"="+dir)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(in).Encode(keys); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a ack
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			continue // the last line, cut
		}
		if len(acknowledged) == 0 {
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		acknowledged = append(acknowledged, a)
	}
	if err := child.Wait(); err == nil || len(acknowledged) == 0 {
		t.Fatalf("the child ended by itself (%v) after %d commits", err, len(acknowledged))
	}
	return acknowledged
}
