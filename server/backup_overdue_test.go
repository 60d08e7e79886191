package server

import (
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/backup"
)

// A key bundle that its storage has not dropped in time is found, and no certificate is
// called final while it is there.
func TestAnOverdueBundleIsFound(t *testing.T) {
	c := withTargets(t)
	s := open(t, c)
	addDevice(t, s, "cam")
	gone := enrol(t, s, "B-1", "Ana", nil)
	f, err := s.backupFlow()
	if err != nil {
		t.Fatal(err)
	}
	f.Now = func() time.Time { return time.Now().AddDate(0, 0, -40) }
	report, err := f.Run(t.Context(), func(backup.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	if days := time.Until(report.Expires).Hours() / 24; days > -6.9 || days < -7.1 {
		t.Errorf("a bundle from 40 days ago is to be gone in %.1f days, want 33 after its upload", days)
	}
	cert, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: gone})
	if err != nil || !cert.Certificate.FinalAt.Equal(cert.Certificate.ErasedAt) {
		t.Fatalf("%+v, %v", cert.Certificate, err)
	}
	overdue := func() bool {
		t.Helper()
		checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(checked.Findings, func(f backup.Finding) bool { return f.Code == "bundle.overdue" && f.Object == report.Bundle })
	}
	if !overdue() {
		t.Error("the bundle was not found")
	}
	again, err := s.Admin().Erasure(t.Context(), cert.Certificate.ID)
	if left := time.Until(again.Certificate.FinalAt); err != nil || left < backup.DropMargin-time.Minute {
		t.Errorf("%v: final in %v, and the bundle is there", err, left)
	}
	if dropped, _, err := PruneBundles(t.Context(), c.Backup.Keys, time.Now()); err != nil || len(dropped) != 1 {
		t.Errorf("dropped %v, %v", dropped, err)
	}
	if overdue() {
		t.Error("it was dropped, and is found")
	}
}
