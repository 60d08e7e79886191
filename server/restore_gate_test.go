package server

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/follow"
	"gatehouse/vault/machine"
)

// A gate's machine is lost, and its vault lives on another one: with a new pairing and
// one grant there, the gate comes back from its backup. Its doors know everybody but who
// was erased since, what it recorded opens, and the log goes on where it was and says what
// was lost.
func TestALostGateIsRestored(t *testing.T) {
	c := withTargets(t)
	there := newAway(t, gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: bytes.Repeat([]byte{5}, 32)})
	there.pair(t, &c)
	s := openElsewhere(t, c)
	s.AwaitVault(t.Context())
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	grant := func() {
		t.Helper()
		there.command(t, func(m machine.Admin) error {
			return m.Unseal(ctx, machine.UnsealRequest{Lasts: time.Hour, Rebuild: true}, there.with)
		})
	}
	addDevice(t, s, "reader")
	ana, ben := enrol(t, s, "B-1", "Ana Silva", nil), enrol(t, s, "B-2", "Ben Okafor", nil)
	kept := card(t, s, "reader", "card B-1")
	card(t, s, "reader", "card B-2")
	_, err := follow.CatchUp(ctx, s.store, auditSink{s.vault})
	must(err)

	// A backup, verified with a grant, which is used up by it.
	backUp(t, s)
	if checked, err := s.VerifyBackups(ctx, gatehouse.Credential{}); err != nil || !checked.OK || checked.Restored {
		t.Errorf("without a grant: %+v, %v", checked, err)
	}
	grant()
	if checked, err := s.VerifyBackups(ctx, gatehouse.Credential{}); err != nil || !checked.OK || !checked.Restored {
		t.Errorf("with a grant: %+v, %v", checked, err)
	}
	if checked, err := s.VerifyBackups(ctx, gatehouse.Credential{}); err != nil || checked.Restored {
		t.Errorf("the grant was good twice: %+v, %v", checked, err)
	}

	// What comes after it is lost with the machine, but for an erasure. It was started again
	// meanwhile, so that its leaves stand far behind those in the backup.
	must(s.Close(ctx))
	s = openElsewhere(t, c)
	s.AwaitVault(ctx)
	zoe := enrol(t, s, "B-3", "Zoe Park", nil)
	lost := card(t, s, "reader", "card B-3")
	doc, err := s.Admin().Erase(ctx, wire.EraseRequest{Subject: ben, Reason: "asked for it"})
	must(err)
	_, err = follow.CatchUp(ctx, s.store, auditSink{s.vault})
	must(err)
	must(s.Close(ctx))

	// The bare machine, with a new identity; the lost one's is refused from now on.
	fresh := bare(t, c)
	there.pair(t, &fresh)
	o := restoreOptions(fresh)
	_, err = Restore(ctx, fresh, o)
	wantCode(t, err, "restore.elsewhere") // with a credential
	o.With = gatehouse.Credential{}
	_, err = Restore(ctx, fresh, o)
	wantCode(t, err, "vault.sealed") // nobody has granted it
	there.unseal(t)
	_, err = Restore(ctx, fresh, o)
	wantCode(t, err, "vault.sealed") // a lease is no grant
	_, err = Open(ctx, fresh, Options{Stderr: &bytes.Buffer{}})
	wantCode(t, err, "restore.unfinished")
	grant()
	got, err := Restore(ctx, fresh, o)
	if err != nil || got.Items == 0 || got.Erased != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	must(filepath.WalkDir(fresh.Data, func(path string, d fs.DirEntry, err error) error {
		switch d.Name() {
		case "vault.key", "keys.db", "audit.db":
			t.Errorf("the restored gate holds %s", d.Name())
		}
		return err
	}))

	s = openElsewhere(t, fresh)
	s.AwaitVault(ctx)
	_, stop := audited(t, s)
	defer stop()
	if p := card(t, s, "reader", "card B-1"); !p.Decision.Grant {
		t.Errorf("Ana: %+v", p.Decision)
	}
	for _, who := range []gatehouse.Secret{"card B-2", "card B-3"} { // erased; enrolled after the backup
		if p := card(t, s, "reader", who); p.Decision.Grant {
			t.Errorf("%s opens the door", who.Reveal())
		}
	}
	awaitStatus(t, s, func(st wire.Status) bool { return st.Vault.Unsealed })
	s.claimLease(ctx)
	names, err := s.lend.Names(ctx, "test", []gatehouse.SubjectID{ana, ben, zoe})
	if err != nil || names[ana] != "Ana Silva" || names[ben] != "" {
		t.Errorf("names %v, %v", names, err)
	}
	stored, err := s.store.Passage(ctx, s.Place(), kept.ID)
	must(err)
	if _, detail, err := s.lend.Detail(ctx, "test", stored); err != nil || detail == nil {
		t.Errorf("what a restored passage says cannot be opened: %v", err)
	}
	if _, err := s.store.Passage(ctx, s.Place(), lost.ID); err == nil {
		t.Error("the lost passage is there: this test says nothing")
	}
	if f, err := s.Admin().CheckErasure(ctx, doc); err != nil || len(f.Findings) != 0 {
		t.Errorf("of the erased subject is left: %v, %v", f.Findings, err)
	}
	_, err = follow.CatchUp(ctx, s.store, auditSink{s.vault})
	must(err)
	report, err := s.VerifyAudit(ctx, VerifyOptions{Deep: true})
	if err != nil || !report.OK || report.Lost == 0 || report.Passages < 4 {
		t.Errorf("the audit log: %+v, %v", report, err)
	}
	if _, err := os.Stat(filepath.Join(fresh.Data, restoreMarker)); err == nil {
		t.Error("the restore's mark is there still")
	}
}
