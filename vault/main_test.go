package vault

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/budget"
	"gatehouse/vault/custody"
)

const (
	passphrase = "correct horse battery"
	operator   = "op-1"
)

var place = gatehouse.Place{Org: "acme", Site: "north"}

// TestMain is also the vault process of the tests.
func TestMain(m *testing.M) {
	custody.QuickForTests() // in the vault process too
	if len(os.Args) > 1 && os.Args[1] == "__vault" {
		if len(os.Args) > 3 && os.Args[2] == "seasoned-after" {
			seasonedAfter, _ = time.ParseDuration(os.Args[3])
		}
		var afterLogging func()
		if len(os.Args) > 2 && os.Args[2] == "kill-after-logging" {
			afterLogging = func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
		}
		if err := runChild(context.Background(), afterLogging, testPayroll{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 3 && os.Args[1] == "__gate" {
		sealForever(os.Args[2], os.Args[3])
	}
	// Or every child that ends waits a second for reports, under the race detector.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// installation is a data directory, its gate key and its vault.
type installation struct {
	data, gateFile string
	gate           *GateKey
	vault          *Vault
	options        Options
}

func install(t testing.TB, change ...func(*Options)) *installation {
	t.Helper()
	in := &installation{data: t.TempDir(), gateFile: filepath.Join(t.TempDir(), "gate.key")}
	must(t, CreateGateKey(in.data, in.gateFile))
	var err error
	in.gate, err = OpenGateKey(in.data, in.gateFile)
	must(t, err)
	in.options = Options{Dir: filepath.Join(in.data, "vault"), Place: place, Gate: in.gate, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&in.options)
	}
	must(t, Init(in.options.Dir, passphrase))
	in.open(t)
	t.Cleanup(func() { must(t, in.vault.Close()) })
	in.limit(t, plenty) // what most tests are not about
	return in
}

var plenty = budget.Limits{Operator: budget.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}, Role: budget.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit},
	Organization: budget.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}, Live: budget.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}}

// right and wrong are credentials that open the vault, and do not.
func right() gatehouse.Credential { return gatehouse.Passphrase([]byte(passphrase)) }
func wrong() gatehouse.Credential { return gatehouse.Passphrase([]byte("not the passphrase")) }

func (in *installation) limit(t testing.TB, l budget.Limits) {
	t.Helper()
	must(t, in.vault.SetLimits(t.Context(), operator, right(), l, false))
}

func (in *installation) open(t testing.TB) {
	t.Helper()
	var err error
	in.vault, err = Open(context.Background(), in.options)
	must(t, err)
}

func (in *installation) reopen(t testing.TB) {
	t.Helper()
	must(t, in.vault.Close())
	in.open(t)
}

func (in *installation) unseal(t testing.TB) []byte {
	t.Helper()
	proof, _, err := in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	must(t, err)
	return proof
}

// opened opens refs as the operator, unsealing first.
func (in *installation) opened(t testing.TB, refs ...gatehouse.SealedRef) [][]byte {
	t.Helper()
	proof := in.unseal(t)
	var all [][]byte
	for len(refs) > 0 {
		n := min(len(refs), maxRefs)
		plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "drill", Reason: "test", Refs: refs[:n]})
		must(t, err)
		all, refs = append(all, plain...), refs[n:]
	}
	return all
}

func (in *installation) sealOne(t testing.TB, subject gatehouse.SubjectID, text string) gatehouse.SealedRef {
	t.Helper()
	where := someplace("detail")
	sealed, err := in.vault.Seal(t.Context(), subject, gatehouse.PassageClass, where, []byte(text), gatehouse.PadField)
	must(t, err)
	return gatehouse.SealedRef{Where: where, Sealed: sealed}
}

func someplace(field string) gatehouse.SealContext {
	return gatehouse.SealContext{Place: place, Table: "passage", Row: gatehouse.NewID(time.Now()), Field: field}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}
