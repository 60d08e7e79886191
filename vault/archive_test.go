package vault

import (
	"bytes"
	"crypto/hpke"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/index"
)

// Whoever is erased is found no more: at once, after the index was closed, and in an
// older copy of it that somebody put back.
func TestErasedIsNeverFoundAgain(t *testing.T) {
	f := newFeeder(t)
	ana, bo := f.person(t, gatehouse.PersonRecord{Name: "Ana Silva", Phone: "5550100"}), f.person(t, gatehouse.PersonRecord{Name: "Bo Silva"})
	hers := f.passage(t, ana.ID, "ANA111")
	f.index(t, []gatehouse.Subject{ana, bo}, hers)
	if len(f.search(t, gatehouse.SearchQuery{Name: "silva"})) != 3 {
		t.Fatal("the three are not found")
	}
	file := filepath.Join(f.options.Dir, indexFile)
	must(t, f.vault.Close())
	older := map[string][]byte{}
	for _, name := range []string{indexFile, indexKeyFile} {
		b, err := os.ReadFile(filepath.Join(f.options.Dir, name))
		must(t, err)
		older[name] = b
	}
	f.open(t)
	f.proof = f.unseal(t)
	f.search(t, gatehouse.SearchQuery{Name: "silva"}) // the index is open
	_, err := f.vault.Erase(t.Context(), eraseOf(ana.ID))
	must(t, err)
	check := func(when string) {
		t.Helper()
		for _, q := range []gatehouse.SearchQuery{{Name: "ana"}, {PhoneEnd: "0100"}, {Plate: "ANA111"}, {Plate: "ANA112", PlateMatch: gatehouse.PlateNear}} {
			if hits := f.search(t, q); len(hits) != 0 {
				t.Errorf("%s: %d rows of the erased are found", when, len(hits))
			}
		}
		if hits := f.search(t, gatehouse.SearchQuery{Name: "silva"}); len(hits) != 1 || hits[0].ID != bo.ID {
			t.Errorf("%s: the other is found as %+v", when, hits)
		}
	}
	check("at once")
	// The gate may feed them once more, from a batch that it had read before.
	f.index(t, []gatehouse.Subject{ana}, hers)
	check("fed again")
	f.index(t, nil, f.passage(t, ana.ID, "ANA111")) // sealed by a gate that knew nothing of the erasure
	check("sealed again")
	must(t, f.vault.SealVault(t.Context()))
	before, err := os.ReadFile(filepath.Join(f.options.Dir, indexKeyFile))
	must(t, err)
	f.proof = f.unseal(t)
	check("opened again")
	if after, err := os.ReadFile(filepath.Join(f.options.Dir, indexKeyFile)); err != nil || bytes.Equal(before, after) {
		t.Error("the file was not written anew under a fresh key")
	}
	must(t, f.vault.Close())
	for name, b := range older {
		must(t, os.WriteFile(filepath.Join(f.options.Dir, name), b, 0o600))
	}
	_ = os.Remove(file + "-wal")
	f.open(t)
	f.proof = f.unseal(t)
	check("an older file")
}

// Whoever feeds the index cannot have somebody's content indexed under another's id,
// where erasing them would not reach it.
func TestContentIsIndexedUnderItsOwnSubject(t *testing.T) {
	f := newFeeder(t)
	ana, bo := f.person(t, gatehouse.PersonRecord{Name: "Ana Silva"}), f.person(t, gatehouse.PersonRecord{Name: "Bo Nordmann"})
	hers := f.passage(t, ana.ID, "ANA111")
	hers.Passage.Subject = bo.ID
	f.index(t, []gatehouse.Subject{bo}, hers)
	if hits := f.search(t, gatehouse.SearchQuery{Plate: "ANA111"}); len(hits) != 1 || hits[0].Subject != ana.ID {
		t.Errorf("found %+v", hits)
	}
	_, err := f.vault.Erase(t.Context(), eraseOf(ana.ID))
	must(t, err)
	if hits := f.search(t, gatehouse.SearchQuery{Plate: "ANA111"}); len(hits) != 0 {
		t.Error("the erased is found")
	}
}

// inProcess is an archive without the process around it.
func inProcess(t *testing.T) (a *archive, unseal func() privateKeys, sealed func()) {
	in := install(t)
	must(t, in.vault.Close())
	public, err := readPublicKey(in.options.Dir)
	must(t, err)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, keyStoreFile))
	must(t, err)
	keys, err := openKeyStore(t.Context(), in.options.Dir, key, public)
	must(t, err)
	t.Cleanup(func() { must(t, keys.db.Close()) })
	room, err := newStrongroom(in.options.Dir, public)
	must(t, err)
	a = &archive{dir: in.options.Dir, room: room, keys: keys}
	closed := make(chan struct{})
	room.wiped = func() { go func() { a.sealed(); closed <- struct{}{} }() }
	return a, func() privateKeys {
		_, _, err := room.unseal(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), time.Hour)
		must(t, err)
		private, err := room.use()
		must(t, err)
		return private
	}, func() { room.seal(); <-closed }
}

// Sealing closes the index, and whoever has the private key of a moment ago does not
// open it again.
func TestSealingClosesTheIndex(t *testing.T) {
	a, unseal, seal := inProcess(t)
	private := unseal()
	must(t, a.use(t.Context(), private, func(*index.Index) error { return nil }))
	if a.open == nil {
		t.Fatal("the index is not open")
	}
	seal()
	if a.open != nil {
		t.Error("the index is open while the vault is sealed")
	}
	wantCode(t, a.use(t.Context(), private, func(*index.Index) error { t.Error("it was opened again"); return nil }), "vault.sealed")
}

// An older copy of the index that is put back while the vault is sealed follows every
// removal again, also those that this process had applied.
func TestOlderIndexFollowsRemovalsAgain(t *testing.T) {
	a, unseal, seal := inProcess(t)
	ana := gatehouse.RandomID()
	found := func() (n int) {
		must(t, a.use(t.Context(), unseal(), func(x *index.Index) error {
			hits, _, err := x.Search(t.Context(), gatehouse.SearchQuery{Place: place, Plate: "ANA111", Limit: 10})
			n = len(hits)
			return err
		}))
		return n
	}
	must(t, a.put(t.Context(), unseal(), func(x *index.Index) error {
		return x.Put(t.Context(), 0, 1, time.Now(), []index.Entry{{Place: place, Kind: gatehouse.PassageHit, ID: gatehouse.RandomID(), Subject: ana, At: time.Now(), Fields: index.Fields{Plate: "ANA111"}}})
	}))
	if found() != 1 {
		t.Fatal("the passage is not found")
	}
	seal()
	older := map[string][]byte{}
	for _, name := range []string{indexFile, indexKeyFile} {
		b, err := os.ReadFile(filepath.Join(a.dir, name))
		must(t, err)
		older[name] = b
	}
	found()
	_, err := a.keys.erase(t.Context(), gatehouse.RandomID(), place, ana, time.Now())
	must(t, err)
	if found() != 0 {
		t.Error("the erased is found at once")
	}
	seal()
	for name, b := range older {
		must(t, os.WriteFile(filepath.Join(a.dir, name), b, 0o600))
	}
	if found() != 0 {
		t.Error("the erased is found in the older copy")
	}
	seal()
}

// A day that has expired takes its passages out of the index.
func TestExpiredDayIsNotFound(t *testing.T) {
	day := time.Now().AddDate(0, 0, -40)
	f := newFeeder(t, gateTime(&day))
	ana := f.person(t, gatehouse.PersonRecord{Name: "Ana Silva"})
	f.index(t, []gatehouse.Subject{ana}, f.passage(t, ana.ID, "ANA111"))
	must(t, f.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.PassageClass: 24 * time.Hour}))
	_, err := f.vault.Expire(t.Context(), place, gatehouse.PassageClass, day)
	must(t, err)
	if hits := f.search(t, gatehouse.SearchQuery{Name: "ana"}); len(hits) != 1 || hits[0].Kind != gatehouse.RecordHit {
		t.Errorf("found %+v", hits)
	}
}

// A lost or damaged index, or key, is begun anew.
func TestLostIndexIsBuiltAgain(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"the file is lost": func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, indexFile))) },
		"the key is lost":  func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, indexKeyFile))) },
		"the key is damaged": func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, indexKeyFile), []byte("\x01 not a key at all, though long enough to be one of those that we know"), 0o600))
		},
		"the file is noise": func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, indexFile), bytes.Repeat([]byte("noise"), 9000), 0o600))
		},
		"the file is cut": func(t *testing.T, dir string) { must(t, os.Truncate(filepath.Join(dir, indexFile), 8192)) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeeder(t)
			ana := f.person(t, gatehouse.PersonRecord{Name: "Ana Silva"})
			f.index(t, []gatehouse.Subject{ana})
			must(t, f.vault.Close())
			spoil(t, f.options.Dir)
			path := filepath.Join(f.options.Dir, indexFile)
			for _, file := range sealeddb.CopyFiles(path) { // a rewriting was killed before
				must(t, os.WriteFile(file, []byte("half"), 0o600))
			}
			f.open(t)
			f.proof = f.unseal(t)
			var st gatehouse.IndexState
			var err error
			for range 2 { // damage may be found by the first use only
				if st, err = f.vault.IndexState(t.Context()); err == nil {
					break
				}
				wantCode(t, err, "index.damaged")
			}
			if err != nil || st.Position != 0 {
				t.Fatalf("state %+v, %v", st, err)
			}
			f.at = 0
			f.index(t, []gatehouse.Subject{ana})
			if len(f.search(t, gatehouse.SearchQuery{Name: "ana"})) != 1 {
				t.Error("the rebuilt index finds nothing")
			}
			if name != "the file is lost" { // the key was sound then, and nothing had to be dropped
				noCopy(t, path)
			}
		})
	}
}

// A rewriting that was interrupted before or after the swap is settled at the opening.
func TestInterruptedRewriting(t *testing.T) {
	for _, swapped := range []bool{false, true} {
		f := newFeeder(t)
		f.index(t, []gatehouse.Subject{f.person(t, gatehouse.PersonRecord{Name: "Ana Silva"})})
		must(t, f.vault.Close())
		private := privateKey(t, f.options.Dir)
		keys, err := readIndexKeys(f.options.Dir, private)
		must(t, err)
		fresh := [32]byte{7}
		must(t, writeIndexKeys(f.options.Dir, private, keys[0], fresh))
		path := filepath.Join(f.options.Dir, indexFile)
		if swapped {
			must(t, sealeddb.Rewrite(t.Context(), path, keys[0], fresh))
		} else {
			for _, file := range sealeddb.CopyFiles(path) {
				must(t, os.WriteFile(file, []byte("half"), 0o600))
			}
		}
		f.open(t)
		f.proof = f.unseal(t)
		if len(f.search(t, gatehouse.SearchQuery{Name: "ana"})) != 1 {
			t.Errorf("swapped %t: the index is empty", swapped)
		}
		if keys, err := readIndexKeys(f.options.Dir, private); err != nil || len(keys) != 1 {
			t.Errorf("swapped %t: %d keys are kept, %v", swapped, len(keys), err)
		}
		noCopy(t, path)
	}
}

// noCopy sees that nothing is left of a rewriting.
func noCopy(t *testing.T, path string) {
	t.Helper()
	left, err := filepath.Glob(path + "-rewrite*")
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left of a rewriting: %v", left)
	}
}

// privateKey is what the unsealed vault holds.
func privateKey(t testing.TB, dir string) hpke.PrivateKey {
	t.Helper()
	public, err := readPublicKey(dir)
	must(t, err)
	keys, err := unwrapKeys(t.Context(), dir, publicKeyName(public), gatehouse.Passphrase([]byte(passphrase)))
	must(t, err)
	private, err := kem().NewPrivateKey(keys.seed())
	must(t, err)
	return private
}
