package vault

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// manyChains is a closed vault whose key store has a row of each of some subjects, whose
// items' references it gives.
func manyChains(t *testing.T, n int) (in *installation, subjects []gatehouse.SubjectID, refs []gatehouse.SealedRef) {
	t.Helper()
	in = install(t)
	for range n {
		id := gatehouse.RandomID()
		subjects, refs = append(subjects, id), append(refs, in.sealOne(t, id, "LS15EBC"))
	}
	must(t, in.vault.Close())
	return in, subjects, refs
}

// checkedKeys opens the vault, unsealed or not, and checks its whole key store.
func (in *installation) checkedKeys(t *testing.T, unseal bool) (all KeyStoreCheck) {
	t.Helper()
	in.open(t)
	if unseal {
		in.unseal(t)
	}
	for {
		c, err := in.vault.CheckKeyStore(t.Context(), all.Next)
		must(t, err)
		all.Rows, all.Opened, all.Pages, all.Next = all.Rows+c.Rows, c.Opened, all.Pages+c.Pages, c.Next
		if all.Damaged = append(all.Damaged, c.Damaged...); all.Next == 0 {
			return all
		}
	}
}

// Somebody has changed single rows: each is named, with whose it is, and all others open.
func TestDamagedRowsAreNamed(t *testing.T) {
	in, subjects, refs := manyChains(t, 5)
	if c := in.checkedKeys(t, true); len(c.Damaged) != 0 || !c.Opened || c.Pages != "" || c.Rows < 6 {
		t.Fatalf("of a sound key store: %+v", c)
	}
	must(t, in.vault.Close())
	of := func(i int) string { return fmt.Sprintf(`subject = x'%x'`, subjects[i][:]) }
	in.alter(t, keyStoreFile, "keys", `UPDATE chains SET sealed = substr(sealed, 1, 47) || x'00' WHERE `+of(0)+`;
		UPDATE chains SET enc = x'00' WHERE `+of(1)+`; UPDATE chains SET recipient = 'nobody' WHERE `+of(2)+`;
		UPDATE chains SET day = 'yesterday' WHERE kind = 'day' AND class = 'passage'`)
	for _, unseal := range []bool{true, false} {
		c := in.checkedKeys(t, unseal)
		found := map[string]DamagedKey{}
		for _, d := range c.Damaged {
			found[d.What] = d
		}
		want := 3
		if altered, named := found["does not open: it was altered"]; unseal {
			want++
			if !named || altered.Subject != subjects[0] {
				t.Errorf("the altered row: %+v", altered)
			}
		}
		if d := found["is sealed to a key that is not the vault's"]; d.Subject != subjects[2] || len(c.Damaged) != want || c.Opened != unseal {
			t.Errorf("unsealed %t: %+v", unseal, c)
		}
		must(t, in.vault.Close())
	}
	// Put right again, the others' items open.
	in.alter(t, keyStoreFile, "keys", `UPDATE chains SET day = strftime('%Y-%m-%d', created / 1000, 'unixepoch') WHERE day = 'yesterday'`)
	in.open(t)
	for i, b := range in.opened(t, refs...) {
		if (b != nil) != (i > 2) {
			t.Errorf("subject %d opens: %t", i, b != nil)
		}
	}
}

// A page of the file has become noise: the rows in it are named by their numbers, and
// all others are read and open.
func TestADamagedPageHidesNoOtherRows(t *testing.T) {
	in, subjects, refs := manyChains(t, 60)
	path := filepath.Join(in.options.Dir, keyStoreFile)
	key, err := in.gate.FileKey(path)
	must(t, err)
	page := -1
	must(t, sealeddb.Pages(path, key, func(plain []byte) error {
		for at := 4096; at < len(plain); at += 4096 {
			// A leaf of the table's tree, and not of an index, that holds the 30th's row.
			if plain[at] == 13 && bytes.Contains(plain[at:at+4096], subjects[30][:]) {
				page = at
			}
		}
		return nil
	}))
	b, err := os.ReadFile(path)
	must(t, err)
	b[page+99] ^= 1
	must(t, os.WriteFile(path, b, 0o600))

	c := in.checkedKeys(t, true)
	if len(c.Damaged) != 1 || c.Damaged[0].Last-c.Damaged[0].First > 4 || c.Damaged[0].What != "cannot be read: its page is damaged" || c.Pages == "" || c.Rows < 60 {
		t.Fatalf("%+v", c)
	}
	lost := int(c.Damaged[0].Last - c.Damaged[0].First + 1)
	readable, proof := 0, in.unseal(t)
	for i, ref := range refs {
		plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "drill", Reason: "test", Refs: []gatehouse.SealedRef{ref}})
		opened := err == nil && plain[0] != nil
		if opened {
			readable++
		} else if i == 0 || i == 59 {
			t.Errorf("subject %d is lost as well", i)
		}
	}
	if readable < 60-lost {
		t.Errorf("%d of 60 can be read, with %d rows lost", readable, lost)
	}
}
