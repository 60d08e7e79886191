package vault

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// bundled is a bundle of the installation, and the log's snapshot before it.
func (in *installation) bundled(t testing.TB, c gatehouse.BundleContent) (bundle, log []byte, state gatehouse.LogState) {
	t.Helper()
	must(t, in.vault.FreezeLog(t.Context(), func(s gatehouse.Snapshot, st gatehouse.LogState) (err error) {
		state = st
		log, err = io.ReadAll(s)
		if err == nil && int64(len(log)) != s.Size {
			err = fmt.Errorf("%d bytes of %d", len(log), s.Size)
		}
		return err
	}))
	must(t, in.vault.SealBundle(t.Context(), c, func(r io.Reader) (err error) {
		bundle, err = io.ReadAll(r)
		return err
	}))
	return bundle, log, state
}

// beside copies the vault's two key files, as they lie beside a bundle.
func (in *installation) beside(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	private, public, err := KeyFiles(in.options.Dir)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, privateKeyFile), private, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, publicKeyFile), public, 0o600))
	return dir
}

// The key of the log's copy is known to the process that made it alone: one that was
// started anew in the middle of a backup says so, and the next backup is whole.
func TestABundleOfAProcessThatWasStartedAnew(t *testing.T) {
	in := install(t)
	now := time.Now().UTC()
	content := gatehouse.BundleContent{ID: gatehouse.NewID(now), At: now, Expires: now.AddDate(0, 0, 30)}
	must(t, in.vault.FreezeLog(t.Context(), func(gatehouse.Snapshot, gatehouse.LogState) error { return nil }))
	in.kill()
	in.awaitRestart(t, 1)
	wantCode(t, in.vault.SealBundle(t.Context(), content, func(io.Reader) error { return nil }), "vault.unavailable")
	if bundle, _, _ := in.bundled(t, content); len(bundle) == 0 {
		t.Error("no bundle afterwards")
	}
}

// What was sealed opens on another machine from the bundle, except what its erasure
// list names; and a bundle says nothing to whoever has no credential.
func TestBundleOpensOnABareMachine(t *testing.T) {
	in := install(t)
	kept, erased, later := gatehouse.RandomID(), gatehouse.RandomID(), gatehouse.RandomID()
	refs := []gatehouse.SealedRef{in.sealOne(t, kept, "kept"), in.sealOne(t, erased, "erased"), in.sealOne(t, later, "erased after the backup")}
	_, err := in.vault.Erase(t.Context(), eraseOf(erased))
	must(t, err)
	now := time.Now().UTC().Truncate(time.Millisecond)
	for range 9 { // leaves
		must(t, in.vault.Record(t.Context(), gatehouse.Disclosure{Operator: operator, Purpose: "live"}))
	}
	content := gatehouse.BundleContent{ID: gatehouse.NewID(now), At: now, Expires: now.AddDate(0, 0, 30), Manifest: sha256.Sum256([]byte("m")),
		Files: map[string][32]byte{"db/site.db": {1, 2, 3}}}
	bundle, log, state := in.bundled(t, content)
	_, err = in.vault.Erase(t.Context(), eraseOf(later))
	must(t, err)
	list, err := in.vault.ErasureList(t.Context())
	must(t, err)
	for _, needle := range [][]byte{kept[:], erased[:], []byte(place.Site), []byte("SQLite format")} {
		if bytes.Contains(bundle, needle) || bytes.Contains(log, needle) {
			t.Errorf("the bundle shows %x", needle)
		}
	}

	beside := in.beside(t)
	_, err = OpenBundle(t.Context(), BundleOptions{Dir: beside, With: phrase("not this one, no")}, bytes.NewReader(bundle))
	wantCode(t, err, "vault.passphrase")
	open, err := OpenBundle(t.Context(), BundleOptions{Dir: beside, With: phrase(passphrase)}, bytes.NewReader(bundle))
	must(t, err)
	if open.ID != content.ID || !open.At.Equal(now) || !open.Expires.Equal(content.Expires) || open.Manifest != content.Manifest || open.Files["db/site.db"] != content.Files["db/site.db"] {
		t.Errorf("the bundle says %+v", open.BundleContent)
	}

	// The other machine.
	data, gateFile := t.TempDir(), filepath.Join(t.TempDir(), "gate.key")
	dir := filepath.Join(data, "vault")
	must(t, os.Mkdir(dir, 0o700))
	for _, f := range []string{privateKeyFile, publicKeyFile} {
		b, err := os.ReadFile(filepath.Join(beside, f))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, f), b, 0o600))
	}
	must(t, CreateGateKey(data, gateFile))
	gate, err := OpenGateKey(data, gateFile)
	must(t, err)
	must(t, open.Restore(dir, gate))
	key, err := gate.FileKey(filepath.Join(dir, auditFile))
	must(t, err)
	must(t, sealeddb.Import(filepath.Join(dir, auditFile), key, bytes.NewReader(log), open.Files["vault/"+auditFile], int64(len(log))))
	restored, err := Removals(t.Context(), dir, gate)
	must(t, err)
	if len(restored) != 1 || restored[0].Subject != erased {
		t.Fatalf("the bundle's erasure list is %v", restored)
	}
	newest := append(restored, gatehouse.Removal{Place: place, At: now, Subject: later})
	for range 2 {
		must(t, Replay(t.Context(), dir, gate, newest))
	}
	other := &installation{data: data, gateFile: gateFile, gate: gate, options: Options{Dir: dir, Gate: gate}}
	other.open(t)
	t.Cleanup(func() { must(t, other.vault.Close()) })
	got := other.opened(t, refs...)
	if string(got[0]) != "kept" || got[1] != nil || got[2] != nil {
		t.Errorf("opened %q", got)
	}
	if now, err := other.vault.ErasureList(t.Context()); err != nil || now.Count != list.Count {
		t.Errorf("the restored list has %d entries of %d, %v", now.Count, list.Count, err)
	}
	root, err := other.vault.LogRoot(t.Context(), state.Size)
	must(t, err)
	if root != state.Root {
		t.Error("the restored log has another root")
	}
	for n := range state.Size + 1 {
		want, err := in.vault.LogRoot(t.Context(), n)
		must(t, err)
		if got, err := other.vault.RecomputeLogRoot(t.Context(), n); err != nil || got != want {
			t.Errorf("the root of %d leaves is %x, want %x, %v", n, got, want, err)
		}
	}
	_, err = other.vault.LogRoot(t.Context(), state.Size+1000)
	wantCode(t, err, "audit.rolled_back")
	// The installation's signature goes on.
	digest := sha256.Sum256([]byte("manifest"))
	before, signature, err := in.vault.SignBackup(t.Context(), digest)
	must(t, err)
	if !VerifyBackup(before, digest[:], signature) || VerifyBackup(before, make([]byte, 32), signature) {
		t.Error("the signature does not tell digests apart")
	}
}

func TestBundleFaults(t *testing.T) {
	in, stranger := install(t), install(t)
	in.sealOne(t, gatehouse.RandomID(), "x")
	bundle, _, _ := in.bundled(t, gatehouse.BundleContent{ID: gatehouse.RandomID()})
	_, err := OpenBundle(t.Context(), BundleOptions{Dir: stranger.beside(t), With: phrase(passphrase)}, bytes.NewReader(bundle))
	wantCode(t, err, "backup.other_vault")
	beside := in.beside(t)
	data, gateFile := t.TempDir(), filepath.Join(t.TempDir(), "gate.key")
	must(t, CreateGateKey(data, gateFile))
	gate, err := OpenGateKey(data, gateFile)
	must(t, err)
	for i, at := range []int{5, 100, 1300, 1700, len(bundle) / 2, len(bundle) - 1} {
		flipped := bytes.Clone(bundle)
		flipped[at] ^= 1
		open, err := OpenBundle(t.Context(), BundleOptions{Dir: beside, With: phrase(passphrase)}, bytes.NewReader(flipped))
		if err == nil {
			dir := filepath.Join(data, fmt.Sprint(i))
			must(t, os.Mkdir(dir, 0o700))
			err = open.Restore(dir, gate)
		}
		if err == nil {
			t.Errorf("a flipped byte at %d was not found", at)
		}
	}
}

// The calls for a rebuilding open escrow items and nothing else, and only for whoever
// gave the vault's credential for it.
func TestRebuild(t *testing.T) {
	in := install(t)
	e := gatehouse.EscrowItem{Place: place, Kind: gatehouse.CardItem, Subject: gatehouse.RandomID(), Row: gatehouse.RandomID()}
	sealed, err := in.vault.Seal(t.Context(), e.Subject, gatehouse.RecordClass, e.Context(), []byte("verifier"), gatehouse.PadField)
	must(t, err)
	ref := gatehouse.SealedRef{Where: e.Context(), Sealed: sealed}
	_, err = in.vault.Rebuild(t.Context(), operator, in.unseal(t), []gatehouse.SealedRef{ref}) // a lease is no right to it
	wantCode(t, err, "vault.forbidden")
	_, _, err = in.vault.BeginRebuild(t.Context(), operator, gatehouse.Passphrase([]byte("a wrong passphrase")))
	wantCode(t, err, "vault.passphrase")
	proof, _, err := in.vault.BeginRebuild(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)))
	must(t, err)
	_, err = in.vault.Rebuild(t.Context(), operator, make([]byte, proofSize), []gatehouse.SealedRef{ref})
	wantCode(t, err, "vault.forbidden")
	_, err = in.vault.Rebuild(t.Context(), "another", proof, []gatehouse.SealedRef{ref})
	wantCode(t, err, "vault.forbidden")
	got, err := in.vault.Rebuild(t.Context(), operator, proof, []gatehouse.SealedRef{ref})
	if err != nil || string(got[0]) != "verifier" {
		t.Errorf("%q, %v", got, err)
	}
	_, err = in.vault.Rebuild(t.Context(), operator, proof, []gatehouse.SealedRef{ref, in.sealOne(t, e.Subject, "a record")})
	wantCode(t, err, "vault.purpose")
	_, err = in.ask(t, operator, "", "person", proof, ref) // nor is it a lease
	wantCode(t, err, "vault.forbidden")
	must(t, in.vault.SealVault(t.Context()))
	_, err = in.vault.Rebuild(t.Context(), operator, proof, []gatehouse.SealedRef{ref})
	wantCode(t, err, "vault.forbidden")
}

// A template whose consent was withdrawn opens from no copy any more, however old; one
// that is given anew does, and the subject's other copies too.
func TestWithdrawnTemplatesAreNoise(t *testing.T) {
	in := install(t)
	s := gatehouse.RandomID()
	seal := func(kind gatehouse.WorkingKind, plain string) gatehouse.SealedRef {
		e := gatehouse.EscrowItem{Place: place, Kind: kind, Subject: s, Row: gatehouse.RandomID()}
		sealed, err := in.vault.Seal(t.Context(), s, gatehouse.RecordClass, e.Context(), []byte(plain), gatehouse.PadField)
		must(t, err)
		return gatehouse.SealedRef{Where: e.Context(), Sealed: sealed}
	}
	refs := []gatehouse.SealedRef{seal(gatehouse.TemplateItem, "withdrawn"), seal(gatehouse.CardItem, "card")}
	opened := func() string {
		proof, _, err := in.vault.BeginRebuild(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)))
		must(t, err)
		plain, err := in.vault.Rebuild(t.Context(), operator, proof, refs)
		must(t, err)
		return fmt.Sprintf("%s", plain)
	}
	if got := opened(); got != "[withdrawn card]" {
		t.Errorf("before: %s", got)
	}
	must(t, in.vault.ForgetTemplates(t.Context(), place, s))
	must(t, in.vault.ForgetTemplates(t.Context(), place, s)) // again, after a crash
	refs = append(refs, seal(gatehouse.TemplateItem, "given anew"))
	if got := opened(); got != "[ card given anew]" {
		t.Errorf("after: %s", got)
	}
	_, err := in.vault.Erase(t.Context(), eraseOf(s))
	must(t, err)
	if got := opened(); got != "[  ]" {
		t.Errorf("erased: %s", got)
	}
	if left := in.rowsWithoutLog(t, s); left > 0 {
		t.Errorf("%d rows are left", left)
	}
}

func TestBundlesAreRecorded(t *testing.T) {
	in := install(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	b := gatehouse.KeyBundle{ID: gatehouse.NewID(now), At: now, Target: "somewhere", Expires: now.AddDate(0, 0, 30)}
	must(t, in.vault.RecordBundle(t.Context(), b))
	in.reopen(t)
	got, err := in.vault.Bundles(t.Context())
	if err != nil || len(got) != 1 || got[0] != b {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []gatehouse.KeyBundle{{}, {ID: b.ID, At: now, Expires: now}} {
		wantCode(t, in.vault.RecordBundle(t.Context(), bad), "bundle.invalid")
	}
}
