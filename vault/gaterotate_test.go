package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
)

// keyed is a data directory with some databases' keys and working-set values.
type keyed struct {
	data, file string
	keys       map[string][32]byte
	values     map[gatehouse.SealContext][]byte // sealed
}

func newKeyed(t *testing.T) (*keyed, *GateKey) {
	t.Helper()
	return newKeyedIn(t, filepath.Join(t.TempDir(), "gate.key"))
}

// newKeyedIn is newKeyed with the gate key of another source.
func newKeyedIn(t *testing.T, source string) (*keyed, *GateKey) {
	t.Helper()
	k := &keyed{data: t.TempDir(), file: source, keys: map[string][32]byte{}, values: map[gatehouse.SealContext][]byte{}}
	if ParseGateSource(source).kind != CustodyCredential {
		must(t, CreateGateKey(k.data, k.file))
	}
	g, err := OpenGateKey(k.data, k.file)
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(k.data, "db"), 0o700))
	for _, file := range []string{"db/site.db", "db/2026-11.db", "vault.db", "authority"} {
		if k.keys[file], err = g.FileKey(file); err != nil {
			t.Fatal(err)
		}
	}
	must(t, os.WriteFile(filepath.Join(k.data, "vault.key"), []byte("age-encryption.org/v1, no wrapped key"), 0o600))
	k.seal(t, g)
	return k, g
}

// medium is the file that the gate key, or what wraps it, lies in.
func (k *keyed) medium(t *testing.T) string {
	t.Helper()
	path, err := ParseGateSource(k.file).path(k.data)
	must(t, err)
	return path
}

// layReady gives the service, where systemd keeps the gate key, the credentials old and
// next; nil is none.
func layReady(t *testing.T, old, next []byte) {
	t.Helper()
	for name, b := range map[string][]byte{"gate": old, "gate.next": next} {
		path := filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), name)
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if b != nil {
			must(t, os.WriteFile(path, b, 0o400))
		}
	}
}

func (k *keyed) seal(t *testing.T, g *GateKey) {
	t.Helper()
	where := gatehouse.SealContext{Place: place, Table: "working/badge", Row: gatehouse.NewID(time.Now())}
	sealed, err := g.SealWorking(where, where.Row[:])
	must(t, err)
	k.values[where] = sealed
}

// reseal is what the store does.
func (k *keyed) reseal(t *testing.T, g *GateKey) {
	t.Helper()
	for where, sealed := range k.values {
		fresh, err := g.Reseal(where, sealed)
		must(t, err)
		if (fresh != nil) != g.Stale(sealed) {
			t.Error("what is stale is sealed anew, and nothing else")
		}
		if fresh != nil {
			k.values[where] = fresh
		}
	}
}

// check opens everything.
func (k *keyed) check(t *testing.T, when string, g *GateKey) {
	t.Helper()
	for file, want := range k.keys {
		if got, err := g.FileKey(file); err != nil || got != want {
			t.Fatalf("%s: the key of %s: %v", when, file, err)
		}
	}
	for where, sealed := range k.values {
		if plain, err := g.OpenWorking(where, sealed); err != nil || !bytes.Equal(plain, where.Row[:]) {
			t.Fatalf("%s: a value of the working set: %v", when, err)
		}
	}
}

func (k *keyed) reopen(t *testing.T) *GateKey {
	t.Helper()
	g, err := OpenGateKey(k.data, k.file)
	must(t, err)
	return g
}

func ignore(int, int) {}

// TestGateKeyRotation stops a rotation behind each of its steps, as a kill does, and
// opens the data directory anew: everything opens at every moment, what is sealed then
// as well, and the rotation goes on to its end, after which the old key opens nothing.
// It does so wherever the gate key is kept.
func TestGateKeyRotation(t *testing.T) {
	for source, custody := range gateSources(t) {
		t.Run(string(custody), func(t *testing.T) {
			for stop := range rotationSteps {
				stopRotation(t, source, stop)
				if custody == CustodySameDisk {
					must(t, os.Remove(source)) // for the next one
				}
			}
		})
	}
}

var rotationSteps = []struct {
	name string
	do   func(*testing.T, *keyed, *GateKey)
}{
	{"begun", func(t *testing.T, _ *keyed, g *GateKey) {
		resumed, err := g.BeginRotation()
		must(t, err)
		if resumed {
			t.Error("a first rotation is said to be resumed")
		}
	}},
	{"one file rewrapped", func(t *testing.T, _ *keyed, g *GateKey) {
		must(t, g.rewrap(filepath.Join(g.dataDir, "db/site.db.key")))
	}},
	{"files rewrapped", func(t *testing.T, _ *keyed, g *GateKey) { must(t, g.Rewrap(ignore)) }},
	{"one item resealed", func(t *testing.T, k *keyed, g *GateKey) { k.seal(t, g) }},
	{"items resealed", func(t *testing.T, k *keyed, g *GateKey) { k.reseal(t, g) }},
	{"check value replaced", func(t *testing.T, _ *keyed, g *GateKey) {
		must(t, writeDurably(filepath.Join(g.dataDir, CheckFile), []byte(g.current().checkValue()), true))
	}},
	{"finished", func(t *testing.T, _ *keyed, g *GateKey) { must(t, g.FinishRotation()) }},
}

func stopRotation(t *testing.T, source string, stop int) {
	t.Helper()
	systemd := ParseGateSource(source).kind == CustodyCredential
	first, second := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32)
	if systemd {
		layReady(t, first, nil)
	}
	k, g := newKeyedIn(t, source)
	old, err := os.ReadFile(k.medium(t))
	must(t, err)
	if systemd { // the credential is laid ready, and the service started again: nothing has begun
		layReady(t, first, second)
		if g = k.reopen(t); g.Rotating() {
			t.Fatal("a credential that was laid ready began a rotation by itself")
		}
	}
	for _, step := range rotationSteps[:stop+1] {
		step.do(t, k, g)
		k.check(t, step.name, g)
	}
	name := "killed: " + rotationSteps[stop].name
	g = k.reopen(t)
	k.check(t, name, g)
	k.seal(t, g) // life goes on
	fresh, err := g.FileKey("db/2026-12.db")
	must(t, err)
	k.keys["db/2026-12.db"] = fresh
	if done := stop >= len(rotationSteps)-2; g.Rotating() == done {
		t.Fatalf("%s: rotating is %v", name, !done)
	}
	if g.Rotating() {
		if systemd { // somebody takes the second credential away too early
			layReady(t, first, nil)
			_, err := OpenGateKey(k.data, k.file)
			wantCode(t, err, "gatekey.missing")
			layReady(t, first, second)
			g = k.reopen(t)
		}
		resumed, err := g.BeginRotation()
		must(t, err)
		if !resumed {
			t.Errorf("%s: begun a second time", name)
		}
		must(t, g.Rewrap(ignore))
		k.reseal(t, g)
		must(t, g.FinishRotation())
	}
	k.check(t, name, g)
	k.check(t, name, k.reopen(t))
	if systemd { // the service is changed: the new key has the name of the old one
		layReady(t, second, nil)
		k.check(t, name, k.reopen(t))
		layReady(t, second, second) // or that was done by halves
		k.check(t, name, k.reopen(t))
		third := bytes.Repeat([]byte{9}, 32) // the next rotation is laid ready, not begun
		layReady(t, second, third)
		if g = k.reopen(t); g.Rotating() {
			t.Errorf("%s: the next rotation has begun by itself", name)
		}
		k.check(t, name, g)
	}
	// The old key is another directory's now.
	if systemd {
		layReady(t, old, nil)
	} else {
		must(t, os.WriteFile(k.medium(t), old, 0o600))
	}
	_, err = OpenGateKey(k.data, k.file)
	wantCode(t, err, "gatekey.wrong")
	if len(k.keys) < 5 || len(k.values) < 2 {
		t.Fatal("there was nothing to rotate")
	}
}

// TestGateCredentialRefuses: without a second credential, or with the same key under
// both names, nothing begins.
func TestGateCredentialRefuses(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	first := bytes.Repeat([]byte{7}, 32)
	layReady(t, first, nil)
	k, g := newKeyedIn(t, "credential:gate")
	_, err := g.BeginRotation()
	wantCode(t, err, "gatekey.credential")
	layReady(t, first, first)
	_, err = g.BeginRotation()
	wantCode(t, err, "gatekey.exists")
	layReady(t, first, first[:20])
	_, err = g.BeginRotation()
	wantCode(t, err, "gatekey.malformed")
	if g.Rotating() {
		t.Error("a rotation was begun")
	}
	layReady(t, first, nil)
	k.check(t, "refused", k.reopen(t))
}

// TestGateKeyRotationTwice: a process that replaced the key replaces it again.
func TestGateKeyRotationTwice(t *testing.T) {
	k, g := newKeyed(t)
	seen := map[string]bool{}
	for range 3 {
		b, err := os.ReadFile(k.file)
		must(t, err)
		seen[string(b)] = true
		resumed, err := g.BeginRotation()
		if err != nil || resumed {
			t.Fatal(resumed, err)
		}
		must(t, g.Rewrap(ignore))
		k.reseal(t, g)
		must(t, g.FinishRotation())
		k.check(t, "rotated", g)
		k.check(t, "rotated", k.reopen(t))
	}
	if len(seen) != 3 {
		t.Errorf("%d different keys over three rotations", len(seen))
	}
}

// TestGateKeyRotationRefuses: nothing is left under a key that is going, and a new key
// that was not stored as it is does not replace the old one.
func TestGateKeyRotationRefuses(t *testing.T) {
	k, g := newKeyed(t)
	_, err := g.BeginRotation()
	must(t, err)
	wantCode(t, g.FinishRotation(), "gatekey.leftover")
	must(t, g.Rewrap(ignore))
	next := k.file + nextSuffix
	good, err := os.ReadFile(next)
	must(t, err)
	bad := bytes.Clone(good)
	bad[7] ^= 1
	must(t, os.WriteFile(next, bad, 0o600))
	wantCode(t, g.FinishRotation(), "gatekey.malformed")
	must(t, os.WriteFile(next, good[:20], 0o600))
	wantCode(t, g.FinishRotation(), "gatekey.malformed")
	_, err = OpenGateKey(k.data, k.file) // a next key that cannot be read is not passed over
	wantCode(t, err, "gatekey.malformed")
	must(t, os.WriteFile(next, good, 0o600))
	must(t, g.FinishRotation())

	// A database's key that is damaged stops it before anything depends on the new one.
	k, g = newKeyed(t)
	path := filepath.Join(k.data, "vault.db.key")
	b, err := os.ReadFile(path)
	must(t, err)
	b[40] ^= 1
	must(t, os.WriteFile(path, b, 0o600))
	_, err = g.BeginRotation()
	must(t, err)
	wantCode(t, g.Rewrap(ignore), "filekey.damaged")
	wantCode(t, g.FinishRotation(), "gatekey.leftover")
	delete(k.keys, "vault.db")
	k.check(t, "damaged", k.reopen(t))
}

// TestRewrapFindsWhatIsBeingExchanged: a database's next key lies beside its key while
// it is rewritten, and is wrapped anew as well.
func TestRewrapFindsWhatIsBeingExchanged(t *testing.T) {
	k, g := newKeyed(t)
	beside := filepath.Join(k.data, "db/site.db.key.new")
	aad, err := g.wrapAAD(filepath.Join(k.data, "db/site.db"))
	must(t, err)
	must(t, os.WriteFile(beside, g.wrap([32]byte{7}, aad), 0o600))
	_, err = g.BeginRotation()
	must(t, err)
	must(t, g.Rewrap(ignore))
	b, err := os.ReadFile(beside)
	must(t, err)
	if key, err := g.current().unwrap(b, aad); err != nil || key != [32]byte{7} || !g.sealsNow(b) {
		t.Errorf("the key beside: %v", err)
	}
	must(t, g.FinishRotation())
}
