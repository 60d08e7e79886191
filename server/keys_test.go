package server

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/vault"
	"gatehouse/vault/auditlog"
)

// The vault key is exchanged while people pass; passages of before, of meanwhile and of
// after open with the new key, also after a restart.
func TestTheGatesGoOnWhileTheVaultKeyIsRotated(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
	s := open(t, c)
	enrol(t, s, "B-1", "Ana Silva", nil)
	if _, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: "reader", Kind: gatehouse.Reader, Gate: "front-door"}); err != nil {
		t.Fatal(err)
	}
	var passages []gatehouse.ID
	var passed atomic.Int64
	stop, gate := make(chan struct{}), sync.WaitGroup{}
	gate.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			got, err := s.Post(t.Context(), gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: "card B-1"})
			if err != nil || len(got) != 1 {
				t.Errorf("a passage during the rotation: %d, %v", len(got), err)
				return
			}
			passages = append(passages, got[0].ID)
			passed.Add(1)
		}
	})
	more := func(n int64) {
		t.Helper()
		for want := passed.Load() + n; passed.Load() < want && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
	}
	more(5)
	with := wire.Shown(gatehouse.Passphrase([]byte(passphrase)))
	r, err := s.Admin().RotateVaultKey(t.Context(), wire.RotateRequest{With: with})
	if err != nil {
		t.Fatal(err)
	}
	more(5)
	for done := false; !done; {
		p, err := s.Admin().RotateVaultBatch(t.Context(), wire.RotateBatchRequest{Ticket: r.Ticket})
		if err != nil {
			t.Fatal(err)
		}
		done = p.Done
	}
	more(5)
	close(stop)
	gate.Wait()
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	st, err := s.Admin().KeysStatus(t.Context())
	if err != nil || st.Current != r.To || len(st.Keys) != 2 || st.Keys[0].Retired.IsZero() || st.GateCustody != string(vault.CustodySameDisk) {
		t.Errorf("%+v, %v", st, err)
	}
	if err := s.UnsealWith(t.Context(), gatehouse.Passphrase([]byte(passphrase))); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(passages); i += len(passages)/20 + 1 { // as many as an operator may open in an hour
		stored, err := s.store.Passage(t.Context(), s.Place(), passages[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, detail, err := s.lend.Detail(t.Context(), "test", stored); err != nil || detail == nil {
			t.Fatalf("a passage does not open after the rotation: %v", err)
		}
	}
	t.Logf("%d passages", len(passages))
}

// A systemd credential as the gate key: the first start makes the vault, and no gate key.
func TestGateKeyAsACredential(t *testing.T) {
	c := testConfig(t)
	c.GateKey = "credential:gate"
	if _, err := Open(t.Context(), c, Options{NewPassphrase: []byte(passphrase), Stderr: testLog{t}}); gatehouse.ErrorCode(err) != "custody.missing" {
		t.Fatalf("outside a service: %v", err)
	}
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if _, err := Open(t.Context(), c, Options{NewPassphrase: []byte(passphrase), Stderr: testLog{t}}); gatehouse.ErrorCode(err) != "gatekey.credential" {
		t.Fatalf("without the credential: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gate"), make([]byte, 32), 0o400); err != nil {
		t.Fatal(err)
	}
	s := open(t, c)
	st, err := s.Admin().Status(t.Context())
	if err != nil || st.Custody != "systemd credential" || st.CustodyMeans == "" {
		t.Errorf("%+v, %v", st, err)
	}
}

// Secrets survive a restart, and are what others look up by name.
func TestSecretsAreKept(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	if err := s.Admin().SetSecret(t.Context(), "smtp", "hunter2"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	var secrets gatehouse.Secrets = s.working
	if got, ok := secrets.Secret("smtp"); !ok || got != "hunter2" {
		t.Error("the secret is gone")
	}
	if list, err := s.Admin().Secrets(t.Context()); err != nil || len(list.Secrets) != 1 || list.Secrets[0].Name != "smtp" {
		t.Errorf("%+v, %v", list, err)
	}
}

// What is done to a key or a secret is a leaf; what was refused is none.
func TestChangesOfKeysAreInTheLog(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	a, ctx := s.Admin(), t.Context()
	if err := a.SetSecret(ctx, "webhook", ""); gatehouse.ErrorCode(err) != "secret.malformed" {
		t.Fatal(err)
	}
	if err := a.SetSecret(ctx, "smtp", "hunter2"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.RotateGallery(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := a.RewriteDatabase(ctx, wire.RewriteRequest{File: "vault/audit.db"}); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		p, err := a.RotateGateKey(ctx)
		if err != nil {
			t.Fatal(err)
		}
		done = p.Finished
	}
	list, _, err := s.vault.AuditLeaves(ctx, vault.LeafQuery{Kind: gatehouse.KeyLeafKind, Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, l := range list {
		e, err := auditlog.Describe(l.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, e.String())
	}
	slices.Reverse(said) // the newest come first
	want := []string{"event secret set  with smtp", "event gallery rotated  with gallery", "event file rekeyed  with vault-audit-db", "event gate key rotated  with gate"}
	if !slices.Equal(said, want) {
		t.Errorf("the log says %q", said)
	}
}

// What a killed check of backups left goes at the next start, and nobody else's.
func TestAKilledChecksFilesAreSwept(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	beside, _, name, err := s.checkPlaces()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	left, others := filepath.Join(beside, name+"1"), filepath.Join(beside, ".gatehouse-verify-0123456789ab-1")
	for _, dir := range []string{left, others} {
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	open(t, c)
	if _, err := os.Stat(left); err == nil {
		t.Error("it is still there")
	}
	if _, err := os.Stat(others); err != nil {
		t.Error("another site's is gone")
	}
}
