package server

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// Whoever is erased is final with the last bundle. In a long outage an operator holds that
// bundle: it can be restored beyond its 30 days, and the certificate says the later end.
func TestAHeldBundlePostponesWhatIsFinal(t *testing.T) {
	c := withTargets(t)
	s := open(t, c)
	addDevice(t, s, "cam")
	gone, stays := enrol(t, s, "B-1", "Ana", nil), enrol(t, s, "B-2", "Ben", nil)
	early := enrol(t, s, "B-3", "Cleo", nil)
	admin := s.Admin()
	before, err := admin.Erase(t.Context(), wire.EraseRequest{Subject: early})
	if err != nil || !before.Certificate.FinalAt.Equal(before.Certificate.ErasedAt) {
		t.Fatalf("without any bundle it is final at once: %+v, %v", before.Certificate, err)
	}
	report := backUp(t, s)
	cert, err := admin.Erase(t.Context(), wire.EraseRequest{Subject: gone})
	if err != nil || !cert.Certificate.FinalAt.Equal(report.Expires.Truncate(time.Millisecond)) {
		t.Fatalf("%+v, %v; the bundle is there until %v", cert.Certificate, err, report.Expires)
	}
	until := time.Now().AddDate(0, 3, 0).UTC().Truncate(time.Second)
	hold := wire.BackupHoldRequest{Until: until, Reason: "the hall has burnt down"}
	_, err = admin.HoldBackup(t.Context(), hold)
	wantCode(t, err, "vault.sealed")
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	for code, bad := range map[string]wire.BackupHoldRequest{"vault.reason": {Until: until}, "hold.until": {Until: time.Now().AddDate(2, 0, 0), Reason: "x"}} {
		_, err = admin.HoldBackup(t.Context(), bad)
		wantCode(t, err, code)
	}
	// It was noted, and the target could not be written then: it is repeated.
	f, err := s.backupFlow()
	if err != nil {
		t.Fatal(err)
	}
	operator, proof, _ := s.lend.Lease("test")
	note := func(ctx context.Context, bundle gatehouse.ID, until time.Time) (int, error) {
		return s.vault.HoldBundle(ctx, bundle, until, operator, hold.Reason, proof)
	}
	_, err = f.Hold(t.Context(), until, func(ctx context.Context, bundle gatehouse.ID, until time.Time) (int, error) {
		_, err := note(ctx, bundle, until)
		return 0, errors.Join(err, errors.New("the power went"))
	})
	if err == nil {
		t.Fatal("it was not interrupted")
	}
	if held, err := admin.HoldBackup(t.Context(), hold); err != nil || held.Bundle != report.Bundle || !held.Until.Equal(until) {
		t.Fatalf("%+v, %v", held, err)
	}
	_, err = admin.HoldBackup(t.Context(), hold)
	wantCode(t, err, "hold.until") // not shorter, and not the same

	// The old certificate is told from the new one; what was erased before is as it was.
	found, err := admin.CheckErasure(t.Context(), cert)
	if err != nil || len(found.Findings) != 1 {
		t.Errorf("of the old certificate: %v, %v", found.Findings, err)
	}
	again, err := admin.Erasure(t.Context(), cert.Certificate.ID)
	if err != nil || !again.Certificate.FinalAt.Equal(until) || again.Leaf <= cert.Leaf {
		t.Errorf("the new certificate is %+v, %v", again, err)
	}
	if found, err := admin.CheckErasure(t.Context(), again); err != nil || len(found.Findings) != 0 {
		t.Errorf("of the new certificate: %v, %v", found.Findings, err)
	}
	if same, err := admin.Erasure(t.Context(), before.Certificate.ID); err != nil || same.Certificate != before.Certificate {
		t.Errorf("an erasure from before the bundle: %+v, %v", same.Certificate, err)
	}
	later, err := admin.Erase(t.Context(), wire.EraseRequest{Subject: stays})
	if err != nil || !later.Certificate.FinalAt.Equal(until) {
		t.Errorf("an erasure after the hold: %+v, %v", later.Certificate, err)
	}
	if list, err := admin.Backups(t.Context()); err != nil || !list.Backups[0].Expires.Equal(until) {
		t.Errorf("%+v, %v", list, err)
	}
	if checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{}); err != nil || !checked.OK {
		t.Errorf("%+v, %v", checked, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, e := range []wire.Erasure{again, later} {
		if err := VerifyErasureProof(e, filepath.Join(c.Data, "vault", "audit.vkey")); err != nil {
			t.Error(err)
		}
	}
	if r := verify(t, c, VerifyOptions{}); !r.OK {
		t.Errorf("%+v", r)
	}
	prune := func(after time.Duration, drops int) {
		t.Helper()
		if dropped, _, err := PruneBundles(t.Context(), c.Backup.Keys, time.Now().Add(after)); err != nil || len(dropped) != drops {
			t.Errorf("after %v: %v were dropped, %v", after, dropped, err)
		}
	}
	prune(31*24*time.Hour, 0)
	if _, err := Restore(t.Context(), bare(t, c), restoreOptions(c)); err != nil {
		t.Errorf("the held backup cannot be restored: %v", err)
	}
	prune(time.Until(until)+time.Hour, 1)
}
