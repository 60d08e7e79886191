package vault

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
)

// A certificate is given when the search index has forgotten, too: of an unsealed vault
// it follows, of a sealed one it goes and is built again.
func TestACertificateMeansTheIndexToo(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		f := newFeeder(t)
		ana, bob := f.person(t, gatehouse.PersonRecord{Name: "Ana Silva", NationalID: "X4711"}), f.person(t, gatehouse.PersonRecord{Name: "Bob Silva"})
		f.index(t, []gatehouse.Subject{ana, bob}, f.passage(t, ana.ID, "ANA111"))
		if hits := f.search(t, gatehouse.SearchQuery{Name: "silva"}); len(hits) != 3 {
			t.Fatalf("%d hits", len(hits))
		}
		if sealed {
			must(t, f.vault.SealVault(t.Context()))
		}
		r := eraseOf(ana.ID)
		_, err := f.vault.Erase(t.Context(), r)
		must(t, err)
		_, _, err = f.vault.Certify(t.Context(), r.ID, 1)
		must(t, err)
		must(t, f.vault.Close())
		// Whoever has the vault key and the directory as it is now.
		private := privateKey(t, f.options.Dir)
		if _, err := os.Stat(filepath.Join(f.options.Dir, indexFile)); err == nil {
			x, _, err := openIndexFile(t.Context(), f.options.Dir, private)
			must(t, err)
			hits, _, err := x.Search(t.Context(), gatehouse.SearchQuery{Place: place, NationalID: "X4711", Limit: 10})
			must(t, err)
			must(t, x.Close())
			if len(hits) > 0 {
				t.Errorf("the certificate was given, and the index holds %q", hits[0].Text)
			}
		} else if !sealed {
			t.Errorf("an open index was thrown away: %v", err)
		}
		f.open(t)
		f.proof = f.unseal(t)
		st, err := f.vault.IndexState(t.Context())
		must(t, err)
		if f.at = st.Position; sealed != (st.Position == 0) {
			t.Errorf("sealed %v: the index is at %d", sealed, st.Position)
		}
		if sealed {
			f.index(t, []gatehouse.Subject{ana, bob})
		}
		if hits := f.search(t, gatehouse.SearchQuery{Name: "silva"}); len(hits) != 1 || hits[0].ID != bob.ID {
			t.Errorf("%d hits afterwards, want Bob's", len(hits))
		}
	}
}

// While a backup reads the key store, its log keeps the deleted rows: no certificate is
// given until they are gone.
func TestNoCertificateWhileACopyHoldsTheKeys(t *testing.T) {
	in := install(t)
	s := gatehouse.RandomID()
	in.sealOne(t, s, "x")
	must(t, in.vault.FreezeLog(t.Context(), func(gatehouse.Snapshot, gatehouse.LogState) error { return nil }))
	var reply frozenReply
	_, err := in.vault.process.Call(t.Context(), methodSealBundle, bundleRequest{Content: gatehouse.BundleContent{ID: gatehouse.RandomID()}}, nil, &reply)
	must(t, err)
	r := eraseOf(s)
	_, err = in.vault.Erase(t.Context(), r)
	must(t, err)
	_, _, err = in.vault.Certify(t.Context(), r.ID, 0)
	wantCode(t, err, "erase.waiting")
	_, err = in.vault.process.Call(t.Context(), methodEnd, streamRequest{reply.Stream}, nil, nil)
	must(t, err)
	_, _, err = in.vault.Certify(t.Context(), r.ID, 0)
	must(t, err)
	if left := in.rowsWithoutLog(t, s); left > 0 {
		t.Errorf("the certificate was given, and the key store's file without its log has %d rows", left)
	}
}

// rowsWithoutLog is how many rows of a subject the key store's file has by itself.
func (in *installation) rowsWithoutLog(t *testing.T, s gatehouse.SubjectID) (left int) {
	t.Helper()
	whole := in.files(t)
	must(t, in.vault.Close())
	now := in.files(t)
	delete(whole, keyStoreFile+"-wal")
	delete(whole, keyStoreFile+"-shm")
	in.restore(t, whole)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, keyStoreFile))
	must(t, err)
	db, err := openVaultDB(t.Context(), in.options.Dir, keyStoreFile, key, "keys")
	must(t, err)
	must(t, db.Readers().QueryRowContext(t.Context(), `SELECT count(*) FROM chains WHERE subject = ?`, s[:]).Scan(&left))
	must(t, db.Close())
	in.restore(t, now)
	in.open(t)
	return left
}
