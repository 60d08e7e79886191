package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/vault/approval"
	"gatehouse/vault/auditlog"
	"gatehouse/vault/budget"
	"gatehouse/vault/machine"

	"filippo.io/age"
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

// away is a vault's machine, with a process and a directory of its own.
type away struct {
	dir, address string
	process      *exec.Cmd
	with         gatehouse.Credential // opens it
}

func newAway(t *testing.T, with gatehouse.Credential) *away {
	t.Helper()
	a := &away{dir: filepath.Join(t.TempDir(), "m"), with: with}
	if err := machine.Init(t.Context(), a.dir, filepath.Join(t.TempDir(), "service.key"), with); err != nil {
		t.Fatal(err)
	}
	a.process, a.address = startMachine(t, a.dir, "127.0.0.1:0")
	return a
}

// command runs a person's command there.
func (a *away) command(t *testing.T, f func(machine.Admin) error) {
	t.Helper()
	m, done, err := machine.Dial(machine.Options{Dir: a.dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if err := f(m); err != nil {
		t.Fatal(err)
	}
}

func (a *away) unseal(t *testing.T) {
	t.Helper()
	a.command(t, func(m machine.Admin) error {
		return m.Unseal(t.Context(), machine.UnsealRequest{Lasts: time.Hour}, a.with)
	})
}

// pair gives the site of c the vault there.
func (a *away) pair(t *testing.T, c *Config) {
	t.Helper()
	c.Vault.Identity = filepath.Join(t.TempDir(), "identity.json")
	a.command(t, func(m machine.Admin) error {
		b, err := m.Pair(t.Context(), machine.PairRequest{Place: c.place(), Address: a.address, Lasts: time.Hour})
		if err == nil {
			err = os.WriteFile(c.Vault.Identity, b, 0o600)
		}
		return err
	})
}

// A site whose vault is on another machine enrols, opens its doors and shows names; while that
// machine is gone it goes on, and what it sealed meanwhile opens afterwards.
func TestSiteWithTheVaultElsewhere(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
	there := newAway(t, gatehouse.Passphrase([]byte(passphrase)))
	there.pair(t, &c)

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
	_ = there.process.Process.Kill()
	_ = there.process.Wait()
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
	startMachine(t, there.dir, there.address)
	awaitStatus(t, s, func(st wire.Status) bool { return st.Vault.Away == "" && !st.Vault.Unsealed })
	there.unseal(t)
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

// What a site does with a vault on its own machine, it does with one elsewhere, over a
// second process: it erases with a certificate, rewrites, searches, verifies its log with
// a witness, backs up; a canary and a bulk release are controlled from both sides.
func TestAllWithTheVaultElsewhere(t *testing.T) {
	c := withTargets(t)
	key := gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: bytes.Repeat([]byte{5}, 32)}
	there := newAway(t, key)
	there.pair(t, &c)
	note := filepath.Join(t.TempDir(), "witness")
	c.Audit.Witness = []WitnessConfig{{File: note}}
	s := openElsewhere(t, c)
	s.AwaitVault(t.Context()) // as a command does that is over in a moment
	if _, err := s.vault.Status(t.Context()); err != nil {
		t.Errorf("the vault cannot be asked: %v", err)
	}
	_, stop := audited(t, s)
	a := s.Admin()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	desk := func(f func(api.Desk) error) {
		t.Helper()
		there.command(t, func(m machine.Admin) error { return f(MachineDesk(m.Desk(c.place()))) })
	}
	with := wire.Shown(key)

	// What takes the credential is refused here, and done there.
	_, err := a.SetBudget(ctx, wire.BudgetSetRequest{With: with})
	wantCode(t, err, "vault.elsewhere")
	_, err = a.AddOperator(ctx, wire.OperatorRequest{With: with})
	wantCode(t, err, "vault.elsewhere")
	_, err = a.PlantCanary(ctx, wire.CanaryPlantRequest{With: with})
	wantCode(t, err, "vault.elsewhere")
	_, err = a.ExportKeys(ctx)
	wantCode(t, err, "vault.elsewhere")
	_, err = a.RotateVaultKey(ctx, wire.RotateRequest{With: with})
	wantCode(t, err, "vault.elsewhere")
	_, err = s.VerifyBackups(ctx, key)
	wantCode(t, err, "vault.elsewhere")
	there.unseal(t)
	awaitStatus(t, s, func(st wire.Status) bool { return st.Vault.Unsealed })
	s.claimLease(ctx)
	var people map[string]approval.Operator
	bird, err := a.SpareCanary(ctx, wire.CanarySpareRequest{Kind: "person"})
	must(err)
	most := wire.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}
	desk(func(d api.Desk) error {
		people = staff(t, d, key)
		_, err := d.SetBudget(ctx, wire.BudgetSetRequest{With: with, Limits: wire.Limits{Operator: most, Role: most, Organization: most}})
		must(err)
		_, err = d.PlantCanary(ctx, wire.CanaryPlantRequest{With: with, Subjects: []gatehouse.SubjectID{bird.Subject}, Note: "third floor"})
		return err
	})
	if b, err := a.Budget(ctx); err != nil || b.Set.Operator != most {
		t.Errorf("the budget that was set there is %+v here, %v", b, err)
	}

	// People pass; one is erased, and the files are rewritten where they lie.
	addDevice(t, s, "reader")
	ana, ben := enrol(t, s, "B-1", "Ana Silva", nil), enrol(t, s, "B-2", "Ben Adeyemi", nil)
	for range 2 {
		card(t, s, "reader", "card B-1")
		card(t, s, "reader", "card B-2")
	}
	catchUp(t, s)
	found, err := a.Search(ctx, wire.SearchRequest{Name: "adeyemi", Reason: "test", Limit: 50})
	if err != nil || len(found.Hits) != 3 {
		t.Errorf("searched: %d rows, %v", len(found.Hits), err)
	}
	keys := filepath.Join(there.dir, "gates", c.Organization, c.Site.ID, "keys.db.key")
	old, err := os.ReadFile(keys)
	must(err)
	doc, err := a.Erase(ctx, wire.EraseRequest{Subject: ben, Reason: "asked for it"})
	must(err)
	if fresh, err := os.ReadFile(keys); err != nil || bytes.Equal(fresh, old) {
		t.Errorf("the key store is under the key that it had before the erasure (%v)", err)
	}
	if intents, err := s.store.Intents(ctx); err != nil || len(intents) != 0 {
		t.Errorf("%d intents are left, %v", len(intents), err)
	}
	if f, err := a.CheckErasure(ctx, doc); err != nil || len(f.Findings) != 0 {
		t.Errorf("of the erased subject is left: %v, %v", f.Findings, err)
	}
	found, err = a.Search(ctx, wire.SearchRequest{Name: "adeyemi", Reason: "test", Limit: 50})
	if err != nil || len(found.Hits) != 0 {
		t.Errorf("the erased are found: %d rows, %v", len(found.Hits), err)
	}
	list, err := a.Databases(ctx)
	if err != nil || len(list.Databases) != 6 {
		t.Errorf("%+v, %v", list, err)
	}
	for _, db := range list.Databases {
		if _, err := a.RewriteDatabase(ctx, wire.RewriteRequest{File: db.File}); err != nil || db.Bytes == 0 || db.Keyed.IsZero() {
			t.Errorf("%+v: %v", db, err)
		}
	}

	// A backup without the wrapped private key.
	backUp(t, s)
	if checked, err := s.VerifyBackups(ctx, gatehouse.Credential{}); err != nil || !checked.OK || checked.Backups != 1 {
		t.Errorf("the backup: %+v, %v", checked, err)
	}
	private, err := os.ReadFile(filepath.Join(there.dir, "vault.key"))
	must(err)

	// A release: operators sign here, and the vault there knows them.
	identity, err := age.GenerateX25519Identity()
	must(err)
	plan, err := a.PlanRelease(ctx, wire.ReleasePlanRequest{Subjects: []gatehouse.SubjectID{ana}, Fields: []string{"name"}})
	must(err)
	q := gatehouse.ReleaseRequest{Place: s.Place(), Salt: make([]byte, gatehouse.ReleaseSalt), ID: gatehouse.NewID(time.Now()), At: time.Now(), Operator: "ana-1", Purpose: "authority", Reason: "letter", Items: plan.Items, Recipients: []string{identity.Recipient().String()}}
	body, err := json.Marshal(q)
	must(err)
	_, err = a.RequestRelease(ctx, wire.ReleaseRequest{Body: body, Signature: sign(t, people["ana-1"], approval.RequestRelease, plan.Vault, q.ID, body)})
	must(err)
	_, err = a.ApproveRelease(ctx, wire.SignedRequest{ID: q.ID, Operator: "ben-2", Signature: sign(t, people["ben-2"], approval.ApproveRelease, plan.Vault, q.ID, body)})
	must(err)
	var file bytes.Buffer
	must(a.WriteRelease(ctx, q.ID, false, &file))
	plain, err := age.Decrypt(&file, identity)
	must(err)
	if b, err := io.ReadAll(plain); err != nil || !bytes.Contains(b, []byte("Ana Silva")) {
		t.Errorf("the release says %q, %v", b, err)
	}

	// The log there holds what happened on both machines, and the witness has seen it.
	deadline := time.Now().Add(30 * time.Second)
	var report auditlog.Report
	for time.Now().Before(deadline) {
		if report, err = s.VerifyAudit(ctx, VerifyOptions{Deep: true}); err != nil || report.Witnessed > 0 && report.Pending == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil || !report.OK || report.Witnessed == 0 || report.Passages != 4 || report.Removals != 1 {
		t.Errorf("the audit log: %+v, %v", report, err)
	}
	entries, err := a.AuditEntries(ctx, wire.AuditQuery{Kind: gatehouse.PolicyLeafKind, Limit: 10})
	if err != nil || len(entries.Entries) == 0 {
		t.Fatalf("%d entries about the control, %v", len(entries.Entries), err)
	}
	proof, err := a.AuditProve(ctx, fmt.Sprint(entries.Entries[0].Index))
	must(err)
	logKeys, err := a.AuditKeys(ctx)
	must(err)
	if _, err := VerifyProof(c, strings.Join(logKeys.Log, "\n"), proof); err != nil {
		t.Errorf("a proof does not hold: %v", err)
	}

	// The canary is opened: both sides are shut, and two people lift it here.
	row, err := s.store.Subject(ctx, s.Place(), bird.Subject)
	must(err)
	parts, err := gatehouse.UnpackRecord(row.Record)
	must(err)
	as, lease, _ := s.lend.Lease("link-7")
	_, err = s.vault.Open(ctx, gatehouse.OpenRequest{Operator: as, Proof: lease, Purpose: "person", Refs: []gatehouse.SealedRef{
		{Where: gatehouse.SealContext{Place: s.Place(), Table: "subjects", Row: bird.Subject, Field: "record"}, Sealed: parts.Rest}}})
	wantCode(t, err, "vault.canary")
	there.command(t, func(m machine.Admin) error {
		err := m.Unseal(ctx, machine.UnsealRequest{Lasts: time.Hour}, key)
		wantCode(t, err, "vault.canary")
		return nil
	})
	trip, err := a.CanaryStatus(ctx)
	if err != nil || !trip.Shut {
		t.Fatalf("%+v, %v", trip, err)
	}
	for _, o := range people {
		_, err = a.LiftCanary(ctx, wire.SignedRequest{ID: trip.Trip, Operator: o.Name, Signature: sign(t, o, approval.LiftCanary, trip.Vault, trip.Trip, nil)})
		must(err)
	}
	there.unseal(t)

	// Without the server, this machine says where the log and the keys are.
	stop()
	for _, dir := range []string{c.Backup.Data, c.Backup.Keys, c.Data} {
		for name, b := range filesOf(t, dir) {
			if strings.HasSuffix(name, "vault.key") || bytes.Contains(b, private[len(private)/2:]) {
				t.Errorf("%s holds the wrapped private key", name)
			}
		}
	}
	_, err = VerifyAudit(ctx, c, VerifyOptions{})
	wantCode(t, err, "audit.elsewhere")
	_, _, err = OpenAudit(ctx, c)
	wantCode(t, err, "audit.elsewhere")
	_, err = ImportKeyring(c, private)
	wantCode(t, err, "vault.elsewhere")
	_, err = RecoverVault(ctx, c, nil, key, "")
	wantCode(t, err, "vault.elsewhere")

	// The working set is lost, and made anew by what was granted there for it: a lease is
	// no right to it.
	working := filepath.Join(c.Data, "db", "working.db")
	must(os.Remove(working))
	_, err = RebuildWorkingSet(ctx, c, gatehouse.Credential{}, slog.New(slog.DiscardHandler), func(int) {})
	wantCode(t, err, "vault.sealed")
	there.command(t, func(m machine.Admin) error {
		return m.Unseal(t.Context(), machine.UnsealRequest{Lasts: time.Hour, Rebuild: true}, there.with)
	})
	if n, err := RebuildWorkingSet(ctx, c, gatehouse.Credential{}, slog.New(slog.DiscardHandler), func(int) {}); err != nil || n < 2 {
		t.Fatalf("%d items were rebuilt, %v", n, err)
	}
	s = openElsewhere(t, c)
	if p := card(t, s, "reader", "card B-1"); !p.Decision.Grant {
		t.Errorf("after the rebuilding: %+v", p.Decision)
	}
	if p := card(t, s, "reader", "card B-2"); p.Decision.Grant {
		t.Error("the erased came back with the working set")
	}
	awaitStatus(t, s, func(st wire.Status) bool { return st.Vault.Unsealed }) // for everybody still
	must(s.Close(ctx))

	// Both machines are lost: the backup comes back with the keyring that was exported.
	var bundle wire.ExportResponse
	desk(func(d api.Desk) (err error) { bundle, err = d.ExportKeys(ctx); return err })
	fresh := bare(t, c)
	o := restoreOptions(c)
	o.With = key
	_, err = Restore(ctx, fresh, o)
	wantCode(t, err, "restore.elsewhere")
	fresh.Vault.Identity = ""
	_, err = Restore(ctx, fresh, o)
	wantCode(t, err, "restore.keyring")
	o.Keyring = []byte("no keyring")
	_, err = Restore(ctx, fresh, o)
	wantCode(t, err, "vault.bundle")
	for name, keyring := range map[string][]byte{"what was exported": bundle.Bundle, "vault.key": private} {
		fresh := bare(t, fresh)
		o.Keyring = keyring
		if _, err := Restore(ctx, fresh, o); err != nil {
			t.Fatalf("with %s: %v", name, err)
		}
		back := open(t, fresh)
		must(back.UnsealWith(ctx, key))
		if got := nameOf(t, back, ana); got != "Ana Silva" {
			t.Errorf("with %s: the name is %q", name, got)
		}
		if p := card(t, back, "reader", "card B-1"); !p.Decision.Grant {
			t.Errorf("with %s: %+v", name, p.Decision)
		}
		must(back.Close(ctx))
	}
}
