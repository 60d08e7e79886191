package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
	"gatehouse/vault/custody"
)

const servingChild = "__serving"

// runServing serves the site of the configuration on standard input, whose keys are made.
func runServing(ctx context.Context) error {
	var c Config
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		return err
	}
	s, err := Open(ctx, c, Options{Stderr: io.Discard})
	if err != nil {
		return err
	}
	return s.Run(ctx, func(string) { fmt.Println("ready") })
}

// inMemory looks for the texts in the memory of a process, and says how often each is there.
func inMemory(t *testing.T, pid int, texts ...string) []int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skipf("a child's memory cannot be read here: %v", err)
	}
	defer mem.Close()
	found := make([]int, len(texts))
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") {
			continue
		}
		const step, overlap = 8 << 20, 256
		for at := from; at < to; at += step {
			b := make([]byte, min(to-at, step+overlap))
			n, _ := mem.ReadAt(b, int64(at)) // some mappings cannot be read, and hold nothing of ours
			for i, text := range texts {
				found[i] += bytes.Count(b[:n], []byte(text))
			}
		}
	}
	return found
}

// The passphrase that somebody gives over the socket is never in the server's memory: it
// comes sealed to the vault process, and goes there as it came.
func TestThePassphraseIsNotInTheServersMemory(t *testing.T) {
	c := testConfig(t)
	secret, key, label := rand.Text()+" "+rand.Text(), (rand.Text() + rand.Text())[:custody.SecretSize], rand.Text()
	file := gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: []byte(key)}
	s, err := Open(t.Context(), c, Options{NewCredential: file, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], servingChild)
	cmd.Stdin = bytes.NewReader(config)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	a := client.OverSocket(SocketPath(c))
	with := gatehouse.Passphrase([]byte(secret))
	if _, err := a.AddSlot(t.Context(), wire.AddSlotRequest{With: wire.Shown(file), New: wire.Shown(with), Label: label}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SetBudget(t.Context(), wire.BudgetSetRequest{With: wire.Shown(file)}); err != nil {
		t.Fatal(err)
	}
	if st, err := a.UnsealWith(t.Context(), with, time.Hour); err != nil || !st.Unsealed {
		t.Fatalf("%+v, %v", st, err)
	}
	found := inMemory(t, cmd.Process.Pid, secret, key, label)
	if found[0] != 0 || found[1] != 0 {
		t.Errorf("the passphrase is in the server's memory %d times, the key file %d times", found[0], found[1])
	}
	if found[2] == 0 {
		t.Error("a label that came the same way is not there: this search finds nothing")
	}
}
