package vault

import (
	"testing"

	"gatehouse"
)

// The search index outlives a rotation of the vault key, sealed or unsealed: nothing is
// built again, and nothing that was there is not found.
func TestTheIndexOutlivesARotation(t *testing.T) {
	f := newFeeder(t)
	ana := f.person(t, gatehouse.PersonRecord{Name: "Ana Silva"})
	f.index(t, []gatehouse.Subject{ana}, f.passage(t, ana.ID, "ANA111"))
	old := privateKey(t, f.options.Dir)
	for _, sealed := range []bool{false, true} {
		if sealed {
			must(t, f.vault.SealVault(t.Context()))
		}
		_, proof, err := f.vault.Rotate(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)))
		must(t, err)
		for done := false; !done; {
			p, err := f.vault.RotateBatch(t.Context(), proof)
			must(t, err)
			done = p.Done
		}
		f.reopen(t)
		f.proof = f.unseal(t)
		st, err := f.vault.IndexState(t.Context())
		must(t, err)
		if hits := f.search(t, gatehouse.SearchQuery{Name: "silva"}); st.Position != f.at || len(hits) != 2 {
			t.Errorf("sealed %v: the index is at %d of %d and finds %d", sealed, st.Position, f.at, len(hits))
		}
	}
	if _, err := readIndexKeys(f.options.Dir, old); gatehouse.ErrorCode(err) != "index.key_damaged" {
		t.Errorf("the old vault key opens the index: %v", err)
	}
}
