package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/vault/machine"
)

// machineChild is the argument with which the test binary is a vault's machine; its
// directory and address follow.
const machineChild = "__machine"

func runMachine(ctx context.Context) error {
	m, err := machine.Open(machine.Options{Dir: os.Args[2], Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return m.Serve(ctx, os.Args[3], func(a net.Addr) { fmt.Println(a) })
}

// startMachine runs a vault's machine and says its address.
func startMachine(t *testing.T, dir, address string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], machineChild, dir, address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

// A site whose vault is on another machine enrols, opens its doors and shows names; while that
// machine is gone it goes on, and what it sealed meanwhile opens afterwards.
func TestSiteWithTheVaultElsewhere(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
	dir := filepath.Join(t.TempDir(), "m")
	if err := machine.Init(t.Context(), dir, filepath.Join(t.TempDir(), "service.key"), gatehouse.Passphrase([]byte(passphrase))); err != nil {
		t.Fatal(err)
	}
	process, address := startMachine(t, dir, "127.0.0.1:0")
	command := func(f func(machine.Admin) error) {
		t.Helper()
		a, done, err := machine.Dial(machine.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer done() //nolint:errcheck // a connection that is not needed any more
		if err := f(a); err != nil {
			t.Fatal(err)
		}
	}
	unseal := func() {
		t.Helper()
		command(func(a machine.Admin) error {
			return a.Unseal(t.Context(), machine.UnsealRequest{Lasts: time.Hour}, gatehouse.Passphrase([]byte(passphrase)))
		})
	}
	c.Vault.Identity = filepath.Join(t.TempDir(), "identity.json")
	command(func(a machine.Admin) error {
		b, err := a.Pair(t.Context(), machine.PairRequest{Place: gatehouse.Place{Org: gatehouse.OrgID(c.Organization), Site: gatehouse.SiteID(c.Site.ID)}, Address: address, Lasts: time.Hour})
		if err == nil {
			err = os.WriteFile(c.Vault.Identity, b, 0o600)
		}
		return err
	})

	// The first start: no passphrase is asked for here.
	s := openElsewhere(t, c)
	if _, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: "reader", Kind: gatehouse.Reader, Gate: "front-door"}); err != nil {
		t.Fatal(err)
	}
	ana := enrol(t, s, "A", "Ana", nil)
	var all []gatehouse.ID
	pass := func(card string) {
		t.Helper()
		got, err := s.Post(t.Context(), gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: gatehouse.Secret(card)})
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		all = append(all, got[0].ID)
	}
	pass("card A")
	pass("a stranger's card")
	if err := s.Unseal(t.Context(), []byte(passphrase)); gatehouse.ErrorCode(err) != "vault.elsewhere" {
		t.Errorf("the passphrase is taken here: %v", err)
	}

	// The machine goes. The site goes on, also over a restart of its own.
	_ = process.Process.Kill()
	_ = process.Wait()
	ben := enrol(t, s, "B", "Ben", nil)
	pass("card B")
	pass("another stranger's card")
	awaitStatus(t, s, func(st wire.Status) bool { return st.Vault.Away != "" && st.Vault.Elsewhere && st.Vault.Waiting > 0 })
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("closing without the vault: %v", err)
	}
	s = openElsewhere(t, c)
	pass("card A")

	// It comes back, and somebody opens it there: the site takes the lease up by itself.
	startMachine(t, dir, address)
	awaitStatus(t, s, func(st wire.Status) bool { return st.Vault.Away == "" && !st.Vault.Unsealed })
	unseal()
	awaitStatus(t, s, func(st wire.Status) bool { return st.Vault.Unsealed })
	s.claimLease(t.Context()) // as watchVault does every second
	names, err := s.lend.Names(t.Context(), "test", []gatehouse.SubjectID{ana, ben})
	if err != nil || names[ana] != "Ana" || names[ben] != "Ben" {
		t.Errorf("names %v, %v", names, err)
	}
	for _, id := range all {
		stored, err := s.store.Passage(t.Context(), s.Place(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, detail, err := s.lend.Detail(t.Context(), "test", stored); err != nil || detail == nil {
			t.Errorf("what a passage says cannot be opened: %v", err)
		}
	}
	for _, name := range []string{"vault.key", "keys.db", "audit.db"} {
		if _, err := os.Stat(filepath.Join(c.Data, "vault", name)); !os.IsNotExist(err) {
			t.Errorf("the site holds %s", name)
		}
	}

	// An identity of another site is refused before anything is opened.
	other := c
	other.Site.ID, other.Data, other.GateKey = "south", filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key")
	if _, err := Open(t.Context(), other, Options{Stderr: io.Discard}); gatehouse.ErrorCode(err) != "identity.place" {
		t.Errorf("another site's identity: %v", err)
	}
	if _, err := os.Stat(other.Data); !os.IsNotExist(err) {
		t.Error("it left a data directory behind")
	}
}

func openElsewhere(t *testing.T, c Config) *Server {
	t.Helper()
	s, err := Open(t.Context(), c, Options{Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// awaitStatus waits until the site's status is as it should be.
func awaitStatus(t *testing.T, s *Server, good func(wire.Status) bool) {
	t.Helper()
	var st wire.Status
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var err error
		if st, err = s.Admin().Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		if good(st) {
			return
		}
	}
	t.Fatalf("status %+v", st)
}
