package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/backup"
	"gatehouse/vault"
)

// Whoever copies the targets finds nothing without the vault's passphrase; and in the
// data directory the same search finds nothing either, which is what the drill shows.
func TestTargetsShowNothing(t *testing.T) {
	c, s, id := smallSite(t)
	b, err := os.ReadFile(c.GateKey)
	if err != nil {
		t.Fatal(err)
	}
	marks := map[string][]byte{"name": []byte("MARK-Ana"), "number": []byte("ID-4711"), "card": []byte("card B-1"), "subject": id[:], "JPEG": []byte("JFIF"),
		"schema": []byte("CREATE TABLE"), "database": []byte("SQLite format"), "gate key": b, "label": []byte("B-1\"")}
	files := filesOf(t, c.Backup.Data, c.Backup.Keys)
	for path, content := range files {
		for what, mark := range marks {
			if bytes.Contains(content, mark) {
				t.Errorf("%s shows the %s", filepath.Base(path), what)
			}
		}
	}
	if len(files) < 8 {
		t.Errorf("only %d files were searched", len(files))
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := restoreOptions(c)
	o.With = gatehouse.Passphrase([]byte("not this passphrase"))
	_, err = Restore(t.Context(), bare(t, c), o)
	wantCode(t, err, "vault.passphrase")
}

// One flipped byte in any object is found, without a credential.
func TestAFlippedByteIsFound(t *testing.T) {
	c, s, _ := smallSite(t)
	card(t, s, "cam", "card B-1")
	backUp(t, s)
	if checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{}); err != nil || !checked.OK {
		t.Fatalf("%+v, %v", checked, err)
	}
	for path, content := range filesOf(t, c.Backup.Data, c.Backup.Keys) {
		for _, at := range []int{0, len(content) / 2, len(content) - 1} {
			flipped := bytes.Clone(content)
			flipped[at] ^= 1
			if err := os.Chmod(path, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, flipped, 0o600); err != nil {
				t.Fatal(err)
			}
			checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{})
			if err != nil || checked.OK || len(checked.Findings) == 0 {
				t.Errorf("a flipped byte at %d in %s is not found: %+v, %v", at, path, checked, err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{}); !strings.Contains(path, "bundle.json") && !strings.Contains(path, "manifests") && (err != nil || checked.OK) {
			t.Errorf("a lost %s is not found: %+v, %v", path, checked, err)
		}
		if err := os.WriteFile(path, content, 0o400); err != nil {
			t.Fatal(err)
		}
	}
}

// The newest erasure list is demanded: somebody who was erased must not come back
// because a target was rolled back.
func TestAnOlderErasureListIsRefused(t *testing.T) {
	c, s, id := smallSite(t)
	old := filesOf(t, c.Backup.Data, c.Backup.Keys)
	if _, err := s.vault.Erase(t.Context(), gatehouse.EraseRequest{Place: s.Place(), ID: gatehouse.RandomID(), Subject: id, Operator: "test"}); err != nil {
		t.Fatal(err)
	}
	newest, err := s.vault.ErasureList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	backUp(t, s)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	remove := func(dir string) {
		for path := range filesOf(t, dir) {
			if _, there := old[path]; !there {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	o := restoreOptions(c)
	remove(c.Backup.Keys) // the newest bundle
	_, err = Restore(t.Context(), bare(t, c), o)
	wantCode(t, err, "restore.bundle_missing")
	manifests, _, err := backup.Manifests(t.Context(), mustOpen(t, c.Backup.Data), vault.VerifyBackup)
	if err != nil {
		t.Fatal(err)
	}
	o.At = manifests[0].At
	_, err = Restore(t.Context(), bare(t, c), o)
	wantCode(t, err, "restore.erasure_list")
	remove(c.Backup.Data) // and the manifest: only the witness knows now
	o.Known = &newest
	_, err = Restore(t.Context(), bare(t, c), o)
	wantCode(t, err, "restore.erasure_list")
}

// A restore goes where nothing is, or not at all.
func TestRestoreRefusesUsedPlaces(t *testing.T) {
	c, s, _ := smallSite(t)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	to := bare(t, c)
	if err := os.MkdirAll(to.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to.Data, "something"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Restore(t.Context(), to, restoreOptions(c))
	wantCode(t, err, "restore.not_empty")
	to = bare(t, c)
	if err := os.WriteFile(to.GateKey, make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Restore(t.Context(), to, restoreOptions(c))
	wantCode(t, err, "gatekey.exists")
	o := restoreOptions(c)
	o.At = time.Now().Add(-time.Hour)
	_, err = Restore(t.Context(), bare(t, c), o)
	wantCode(t, err, "restore.nothing")
}

// A thief with the backup's credential can add, and so adds rubbish, and a backup of
// their own that is newer. Neither stands in the way of the next backup or of a
// restore, and neither is restored unasked.
func TestWhatAThiefAdds(t *testing.T) {
	c, s, id := smallSite(t)
	thief, _, _ := smallSite(t)
	signer, _, err := s.vault.SignBackup(t.Context(), [32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	add := func(path string, b []byte) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o400); err != nil && !os.IsPermission(err) {
			t.Fatal(err)
		}
	}
	add(filepath.Join(c.Backup.Data, "manifests", "99991123t093516z-01a207c27c3d000016b9c8acb8d422c5.json"), []byte(`{"body":{},"signer":"","signature":""}`))
	add(filepath.Join(c.Backup.Keys, "99991123t093516z-01a207c27c3d000145ba13c28e92fc70", "bundle.json"), []byte("rubbish"))
	backUp(t, s)
	if checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{}); err != nil || checked.OK || len(checked.Findings) != 2 || checked.Backups != 2 {
		t.Errorf("%+v, %v", checked, err)
	}
	for from, to := range map[string]string{thief.Backup.Data: c.Backup.Data, thief.Backup.Keys: c.Backup.Keys} {
		for path, content := range filesOf(t, from) {
			rel, err := filepath.Rel(from, path)
			if err != nil {
				t.Fatal(err)
			}
			add(filepath.Join(to, rel), content)
		}
	}
	last := backUp(t, s)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	to, o := bare(t, c), restoreOptions(c)
	_, err = Restore(t.Context(), to, o)
	wantCode(t, err, "restore.signers")
	o.Signer = signer
	got, err := Restore(t.Context(), to, o)
	if err != nil || got.Backup != last.ID {
		t.Fatalf("%+v, %v", got, err)
	}
	if p := card(t, open(t, to), "cam", "card B-1"); p.Subject != id {
		t.Error("it is not this site that was restored")
	}
}
