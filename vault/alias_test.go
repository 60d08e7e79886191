package vault

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// While a person is there, who looked at their data can be told; once they are erased,
// nothing links the id that they had to what they were shown with.
func TestDisclosuresForgetWhomTheyWereAbout(t *testing.T) {
	in := install(t)
	s, other := gatehouse.RandomID(), gatehouse.RandomID()
	name, record, passage := in.part(t, s, "subjects", "name"), in.part(t, s, "subjects", "record"), in.part(t, s, "passages", "detail")
	proof := in.unseal(t)
	for _, purpose := range []string{"passage", "live"} {
		_, err := in.ask(t, operator, "", purpose, proof, passage, name)
		must(t, err)
	}
	_, err := in.ask(t, operator, "", "live", proof, record, in.part(t, other, "subjects", "name")) // within the window: beside it
	must(t, err)
	h := gatehouse.Hold{Place: place, ID: gatehouse.RandomID(), Subject: s, Operator: operator, Until: time.Now().Add(time.Hour)}
	must(t, in.vault.Hold(t.Context(), h, "case 7", proof))
	must(t, in.vault.LiftHold(t.Context(), place, h.ID, operator, proof))

	items := func() (all []string) {
		list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 10)
		must(t, err)
		for _, d := range list {
			all = append(all, d.Items...)
		}
		return all
	}
	before := items()
	for _, want := range []string{"subjects/" + s.String() + "/name", "subjects/" + s.String() + "/record", "subjects/" + other.String() + "/name", "passages/" + passage.Where.Row.String() + "/detail"} {
		if !slices.Contains(before, want) {
			t.Errorf("the list does not say that %s was opened: %v", want, before)
		}
	}
	named := func() bool {
		for _, kind := range []gatehouse.LeafKind{gatehouse.DisclosureLeafKind, gatehouse.LiveLeafKind, gatehouse.HoldLeafKind} {
			leaves := in.leaves(t, kind)
			if len(leaves) == 0 {
				t.Fatalf("there is no %s leaf", kind)
			}
			for _, l := range leaves {
				if strings.Contains(l, s.String()) || strings.Contains(l, string(s[:])) {
					return true
				}
			}
		}
		return false
	}
	if named() {
		t.Error("a leaf names the subject's id")
	}
	r := eraseOf(s)
	_, err = in.vault.Erase(t.Context(), r)
	must(t, err)
	_, _, err = in.vault.Certify(t.Context(), r.ID, 1)
	must(t, err)
	after := items()
	if len(after) != len(before) || slices.ContainsFunc(after, func(i string) bool { return strings.Contains(i, s.String()) }) || !slices.Contains(after, "subjects/"+other.String()+"/name") {
		t.Errorf("after the erasure the list says %v", after)
	}
	_, err = in.ask(t, operator, "", "person", in.unseal(t), name) // from an old copy
	must(t, err)
	if named() {
		t.Error("a leaf names the id that was erased")
	}
	must(t, in.vault.Close())
	if report := in.verified(t); !report.OK {
		t.Errorf("%+v", report.Findings)
	}
	var aliases int
	must(t, withKeyStore(t.Context(), in.options.Dir, in.gate, func(k *keyStore) error {
		return k.db.Readers().QueryRow(`SELECT count(*) FROM aliases`).Scan(&aliases)
	}))
	in.open(t)
	if aliases != 1 {
		t.Errorf("%d aliases are left, want the other subject's", aliases)
	}
}
