package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

func TestRoundTrip(t *testing.T) {
	in := install(t)
	enrolled := gatehouse.RandomID()
	stranger, err := in.vault.OneOff(t.Context(), place)
	must(t, err)
	picture := bytes.Repeat([]byte("picture"), 9000)
	var refs []gatehouse.SealedRef
	var want [][]byte
	add := func(subject gatehouse.SubjectID, class gatehouse.RetentionClass, plain []byte, pad gatehouse.Padding) {
		where := someplace("field")
		sealed, err := in.vault.Seal(t.Context(), subject, class, where, plain, pad)
		must(t, err)
		if len(plain) > 8 && bytes.Contains(sealed, plain[:8]) {
			t.Error("the plaintext stands in the sealed value")
		}
		refs, want = append(refs, gatehouse.SealedRef{Where: where, Sealed: sealed}), append(want, plain)
	}
	add(enrolled, gatehouse.RecordClass, []byte("a record"), gatehouse.PadRecord)
	add(enrolled, gatehouse.PassageClass, []byte{}, gatehouse.PadField)
	add(stranger, gatehouse.StrangerClass, picture, gatehouse.PadImage)
	add(gatehouse.SubjectID{}, gatehouse.FrameClass, picture, gatehouse.PadImage)
	add(enrolled, gatehouse.PassageClass, append([]byte("ends like padding"), 0x80, 0, 0), gatehouse.PadField)

	for i, got := range in.opened(t, refs...) {
		if got == nil || !bytes.Equal(got, want[i]) {
			t.Errorf("value %d: %d bytes came back, want %d", i, len(got), len(want[i]))
		}
	}
	if _, err := in.vault.Seal(t.Context(), enrolled, "forever", someplace("field"), nil, gatehouse.PadField); gatehouse.ErrorCode(err) != "sealing.class" {
		t.Errorf("a class that does not exist: %v", err)
	}
}

// TestMovedOrAltered: a value opens in its own place, whole, and nowhere else.
func TestMovedOrAltered(t *testing.T) {
	in := install(t)
	subject := gatehouse.RandomID()
	good := in.sealOne(t, subject, "LS15EBC")
	other := in.sealOne(t, subject, "AB12CDE")
	change := func(f func(*gatehouse.SealedRef)) gatehouse.SealedRef {
		r := gatehouse.SealedRef{Where: good.Where, Sealed: bytes.Clone(good.Sealed)}
		f(&r)
		return r
	}
	refs := map[string]gatehouse.SealedRef{
		"another organization": change(func(r *gatehouse.SealedRef) { r.Where.Org = "evil" }),
		"another site":         change(func(r *gatehouse.SealedRef) { r.Where.Site = "south" }),
		"org and site shifted": change(func(r *gatehouse.SealedRef) { r.Where.Org, r.Where.Site = "acmen", "orth" }),
		"another table":        change(func(r *gatehouse.SealedRef) { r.Where.Table = "subject" }),
		"another row":          change(func(r *gatehouse.SealedRef) { r.Where.Row = other.Where.Row }),
		"another field":        change(func(r *gatehouse.SealedRef) { r.Where.Field = "name" }),
		"another revision":     change(func(r *gatehouse.SealedRef) { r.Where.Revision++ }),
		"swapped":              change(func(r *gatehouse.SealedRef) { r.Sealed = other.Sealed }),
		"other chain id":       change(func(r *gatehouse.SealedRef) { r.Sealed[5] ^= 1 }),
		"other position":       change(func(r *gatehouse.SealedRef) { r.Sealed[2+17]++ }),
		"day link only":        change(func(r *gatehouse.SealedRef) { r.Sealed = append([]byte{1, 1}, r.Sealed[2+linkSize:]...) }),
		"nonce":                change(func(r *gatehouse.SealedRef) { r.Sealed[2+2*linkSize] ^= 1 }),
		"ciphertext":           change(func(r *gatehouse.SealedRef) { r.Sealed[len(r.Sealed)-tagSize-1] ^= 1 }),
		"tag":                  change(func(r *gatehouse.SealedRef) { r.Sealed[len(r.Sealed)-1] ^= 1 }),
		"cut":                  change(func(r *gatehouse.SealedRef) { r.Sealed = r.Sealed[:len(r.Sealed)-1] }),
		"empty":                change(func(r *gatehouse.SealedRef) { r.Sealed = nil }),
		"as it was":            good,
	}
	var names []string
	var list []gatehouse.SealedRef
	for name, r := range refs {
		names, list = append(names, name), append(list, r)
	}
	for i, plain := range in.opened(t, list...) {
		if (plain != nil) != (names[i] == "as it was") {
			t.Errorf("%s: opened %v", names[i], plain != nil)
		}
	}
}

func TestSealedVaultRefuses(t *testing.T) {
	in := install(t)
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	ask := func(operator string, proof []byte) error {
		plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "passage", Refs: []gatehouse.SealedRef{ref}})
		if err != nil && plain != nil {
			t.Error("an error, and a plaintext")
		}
		return err
	}
	wantCode(t, ask(operator, make([]byte, proofSize)), "vault.sealed")
	_, _, err := in.vault.Unseal(t.Context(), operator, "correct horse batterz", time.Hour)
	wantCode(t, err, "vault.passphrase")
	_, _, err = in.vault.Unseal(t.Context(), operator, "", time.Hour)
	wantCode(t, err, "vault.passphrase")
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, 25*time.Hour)
	wantCode(t, err, "vault.duration")
	wantCode(t, ask(operator, nil), "vault.sealed")

	proof := in.unseal(t)
	must(t, ask(operator, proof))
	wrong := bytes.Clone(proof)
	wrong[31] ^= 1
	wantCode(t, ask(operator, wrong), "vault.forbidden")
	wantCode(t, ask(operator, nil), "vault.forbidden")
	wantCode(t, ask("op-2", proof), "vault.forbidden")
	s, err := in.vault.Status(t.Context())
	must(t, err)
	if s.Sealed || len(s.Operators) != 1 || s.WrongUnseals != 2 || time.Until(s.Until) > time.Hour || s.PublicKey == "" {
		t.Errorf("status %+v", s)
	}

	must(t, in.vault.SealVault(t.Context()))
	wantCode(t, ask(operator, proof), "vault.sealed")
	in.unseal(t)
	wantCode(t, ask(operator, proof), "vault.forbidden") // an old proof stays worthless
}

func TestVaultSealsItself(t *testing.T) {
	in := install(t)
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	var r gatehouse.OpenRequest
	var until time.Time
	for lasts := 300 * time.Millisecond; ; lasts *= 3 { // a busy machine may take longer than that to open something
		proof, at, err := in.vault.Unseal(t.Context(), operator, passphrase, lasts)
		must(t, err)
		if d := time.Until(at); d > lasts {
			t.Errorf("it says that it stays open for %v, not %v", d, lasts)
		}
		until, r = at, gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "passage", Refs: []gatehouse.SealedRef{ref}}
		if _, err = in.vault.Open(t.Context(), r); err == nil {
			break
		}
		if time.Now().Before(until) || lasts > time.Minute {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Until(until) + 20*time.Millisecond)
	_, err := in.vault.Open(t.Context(), r)
	wantCode(t, err, "vault.sealed")
	if s, err := in.vault.Status(t.Context()); err != nil || !s.Sealed || !s.Until.IsZero() {
		t.Errorf("status %+v, %v", s, err)
	}
}

func TestOpenLimits(t *testing.T) {
	in := install(t)
	proof := in.unseal(t)
	ask := func(r gatehouse.OpenRequest) error {
		r.Operator, r.Proof = operator, proof
		_, err := in.vault.Open(t.Context(), r)
		return err
	}
	wantCode(t, ask(gatehouse.OpenRequest{Purpose: "live", Refs: make([]gatehouse.SealedRef, 201)}), "vault.too_many")
	wantCode(t, ask(gatehouse.OpenRequest{Purpose: "curiosity"}), "vault.purpose")
	wantCode(t, ask(gatehouse.OpenRequest{Purpose: "live", Reason: string(make([]byte, 501))}), "vault.reason")
	must(t, ask(gatehouse.OpenRequest{Purpose: "live", Refs: make([]gatehouse.SealedRef, 200)}))
}

// reason opens the sealed reason of a disclosure.
func (in *installation) reason(t testing.TB, proof []byte, d gatehouse.Disclosure) string {
	t.Helper()
	plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "audit", Refs: []gatehouse.SealedRef{{Where: gatehouse.ReasonContext(place, d.ID), Sealed: d.SealedReason}}})
	must(t, err)
	return string(plain[0])
}

func TestDisclosures(t *testing.T) {
	in := install(t)
	refs := []gatehouse.SealedRef{in.sealOne(t, gatehouse.RandomID(), "one"), in.sealOne(t, gatehouse.RandomID(), "two")}
	refs[1].Where.Field = "name" // moved: it will not open, and is disclosed all the same
	if got := in.opened(t, refs...); got[0] == nil || got[1] != nil {
		t.Fatalf("opened %q", got)
	}
	in.opened(t, refs[:1]...)
	must(t, in.vault.SealVault(t.Context()))
	in.reopen(t)
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 10)
	must(t, err)
	if len(list) != 2 || len(list[0].Items) != 1 || list[0].Units != 10 || list[1].Units != 11 {
		t.Fatalf("got %+v", list)
	}
	d := list[1]
	if d.Reason != "" || !d.ReasonSealed {
		t.Errorf("the sealed vault shows a reason: %+v", d)
	}
	proof := in.unseal(t)
	list, err = in.vault.Disclosures(t.Context(), gatehouse.ID{}, 10)
	must(t, err)
	d = list[1]
	if d.Reason != "" || !d.ReasonSealed {
		t.Errorf("the unsealed vault shows a reason that nobody asked for: %+v", d)
	}
	if d.Operator != operator || d.Purpose != "drill" || in.reason(t, proof, d) != "test" || time.Since(d.At) > time.Minute ||
		d.Items[0] != "passage/"+refs[0].Where.Row.String()+"/detail" || d.Items[1] != "passage/"+refs[1].Where.Row.String()+"/name" {
		t.Errorf("got %+v", d)
	}
	if again, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 1); err != nil || again[0].Purpose != "audit" || again[0].Units != 1 {
		t.Errorf("reading a reason is no disclosure: %+v, %v", again, err)
	}
	_, err = in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Purpose: "audit", Refs: []gatehouse.SealedRef{{Where: gatehouse.ReasonContext(place, d.ID), Sealed: d.SealedReason}}})
	wantCode(t, err, "vault.forbidden")
	_, err = in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "audit", Refs: refs[:1]})
	wantCode(t, err, "vault.purpose")
	older, err := in.vault.Disclosures(t.Context(), list[0].ID, 10)
	must(t, err)
	if len(older) != 1 || older[0].ID != d.ID {
		t.Errorf("before the newest: %+v", older)
	}
}

func TestRestartMeansNewChains(t *testing.T) {
	in := install(t)
	subject := gatehouse.RandomID()
	a := in.sealOne(t, subject, "before")
	in.reopen(t)
	b := in.sealOne(t, subject, "after")
	ea, _ := parseEnvelope(a.Sealed)
	eb, _ := parseEnvelope(b.Sealed)
	for i := range ea.links {
		if ea.links[i].chain == eb.links[i].chain || eb.links[i].position != 0 {
			t.Errorf("link %d goes on after a restart: %v, %v", i, ea.links[i], eb.links[i])
		}
	}
	if got := in.opened(t, a, b); string(got[0]) != "before" || string(got[1]) != "after" {
		t.Errorf("opened %q", got)
	}
}

func TestUnusedOneOffsKeepNothing(t *testing.T) {
	in := install(t)
	used, err := in.vault.OneOff(t.Context(), place)
	must(t, err)
	ref := in.sealOne(t, used, "stranger")
	must(t, in.vault.Close())
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, keyStoreFile))
	must(t, err)
	keys, err := openKeyStore(t.Context(), in.options.Dir, key, in.vault.sealsTo.Load().key)
	must(t, err)
	var rows int
	must(t, keys.db.Readers().QueryRow(`SELECT count(*) FROM chains`).Scan(&rows))
	must(t, keys.db.Close())
	if rows < 2 || rows > 2+2*oneOffsReady {
		t.Errorf("%d rows are left, want the stranger's, the day's and a pool's", rows)
	}
	for _, pool := range in.vault.strangers.pools {
		for _, one := range pool.ready {
			if one.chain.state != [32]byte{} {
				t.Error("a chain that nobody took can still be sealed under")
			}
		}
	}
	in.open(t)
	if got := in.opened(t, ref); string(got[0]) != "stranger" {
		t.Errorf("opened %q", got)
	}
}

func TestConcurrentSealing(t *testing.T) {
	in := install(t, func(o *Options) { o.MaxLive = 8 }) // chains fall out all the time
	subjects := make([]gatehouse.SubjectID, 12)
	for i := range subjects {
		subjects[i] = gatehouse.RandomID()
	}
	var mu sync.Mutex
	var refs []gatehouse.SealedRef
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 100 {
				subject := subjects[(g*31+i)%len(subjects)]
				if i%10 == 0 {
					var err error
					if subject, err = in.vault.OneOff(t.Context(), place); err != nil {
						t.Error(err)
						return
					}
				}
				where := someplace("detail")
				sealed, err := in.vault.Seal(t.Context(), subject, gatehouse.PassageClass, where, where.Row[:], gatehouse.PadField)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				refs = append(refs, gatehouse.SealedRef{Where: where, Sealed: sealed})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	seen := map[link]bool{}
	for _, r := range refs {
		e, err := parseEnvelope(r.Sealed)
		must(t, err)
		for _, l := range e.links {
			if seen[l] {
				t.Fatal("one position of a chain was used twice")
			}
			seen[l] = true
		}
	}
	for i, plain := range in.opened(t, refs...) {
		if !bytes.Equal(plain, refs[i].Where.Row[:]) {
			t.Fatalf("value %d of %d does not open", i, len(refs))
		}
	}
}

func TestVaultFiles(t *testing.T) {
	in := install(t)
	wantCode(t, Init(in.options.Dir, passphrase), "vault.exists")
	wantCode(t, Init(t.TempDir(), "11 is short"), "vault.passphrase_short")
	_, err := Open(t.Context(), in.options)
	wantCode(t, err, "store.locked")

	must(t, in.vault.Close())
	path := func(name string) string { return filepath.Join(in.options.Dir, name) }
	for _, name := range []string{privateKeyFile, publicKeyFile, keyStoreFile, auditFile, keyStoreFile + ".key"} {
		info, err := os.Stat(path(name))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	// Somebody exchanges the key pair: nothing may be sealed to theirs.
	thiefs := t.TempDir()
	must(t, Init(thiefs, passphrase))
	saved, err := os.ReadFile(path(publicKeyFile))
	must(t, err)
	theirs, err := os.ReadFile(filepath.Join(thiefs, publicKeyFile))
	must(t, err)
	must(t, os.WriteFile(path(publicKeyFile), theirs, 0o600))
	_, err = Open(t.Context(), in.options)
	wantCode(t, err, "vault.key_changed")
	must(t, os.WriteFile(path(publicKeyFile), []byte("nonsense"), 0o600))
	_, err = Open(t.Context(), in.options)
	wantCode(t, err, "vault.key_damaged")
	must(t, os.Remove(path(publicKeyFile)))
	_, err = Open(t.Context(), in.options)
	wantCode(t, err, "vault.missing")
	must(t, os.WriteFile(path(publicKeyFile), saved, 0o600))
	// Nothing may be sealed to a key whose other half is not there.
	must(t, os.Rename(path(privateKeyFile), path("moved")))
	_, err = Open(t.Context(), in.options)
	wantCode(t, err, "vault.missing")
	wantCode(t, Init(in.options.Dir, passphrase), "vault.exists")
	must(t, os.Rename(path("moved"), path(privateKeyFile)))

	// A damaged or foreign private key.
	wrapped, err := os.ReadFile(path(privateKeyFile))
	must(t, err)
	foreign, err := os.ReadFile(filepath.Join(thiefs, privateKeyFile))
	must(t, err)
	in.open(t)
	for name, b := range map[string][]byte{"foreign": foreign, "cut": wrapped[:len(wrapped)-5], "empty": nil} {
		must(t, os.WriteFile(path(privateKeyFile), b, 0o600))
		_, _, err := in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
		if gatehouse.ErrorCode(err) != "vault.key_damaged" {
			t.Errorf("%s private key: %v", name, err)
		}
	}
	must(t, os.WriteFile(path(privateKeyFile), wrapped, 0o600))
	in.unseal(t)
	if ok, err := Exists(in.options.Dir); !ok || err != nil {
		t.Error("the vault is not found", err)
	}
	if ok, err := Exists(t.TempDir()); ok || err != nil {
		t.Error("a vault is found where none is", err)
	}
}

// A crash between the two files of Init leaves no vault, and the next Init makes one.
func TestInitAgainAfterACrash(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, publicKeyFile), []byte("of the first attempt\n"), 0o600))
	if exists, err := Exists(dir); exists || err != nil {
		t.Fatalf("exists %v, %v", exists, err)
	}
	must(t, Init(dir, passphrase))
	if _, err := readPublicKey(dir); err != nil {
		t.Error(err)
	}
	if exists, err := Exists(dir); !exists || err != nil {
		t.Errorf("exists %v, %v", exists, err)
	}
}
