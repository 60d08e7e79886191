package vault

import (
	"testing"
	"time"

	"gatehouse"
)

// What legal holds keep beyond its retention stays readable when the vault key is
// replaced, and its old seals keep no old key alive.
func TestRotationTakesHoldsAlong(t *testing.T) {
	now := time.Now().UTC().AddDate(0, 0, -40)
	in := install(t, gateTime(&now))
	alice := gatehouse.RandomID()
	hers := in.sealOne(t, alice, "hers")
	day := now
	now = now.AddDate(0, 0, 1)
	theirs := in.sealOne(t, gatehouse.RandomID(), "of the day")
	proof := in.unseal(t)
	until := time.Now().Add(time.Hour)
	ofHers := gatehouse.Hold{Place: place, ID: gatehouse.RandomID(), Subject: alice, Operator: operator, Until: until}
	ofDay := gatehouse.Hold{Place: place, ID: gatehouse.RandomID(), Day: now.Format(time.DateOnly), Operator: operator, Until: until}
	must(t, in.vault.Hold(t.Context(), ofHers, "inquiry", proof))
	_, err := in.vault.HoldItems(t.Context(), place, ofHers.ID, operator, proof, [][]byte{hers.Sealed})
	must(t, err)
	must(t, in.vault.Hold(t.Context(), ofDay, "inquiry", proof))
	must(t, in.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.PassageClass: 24 * time.Hour}))
	for _, d := range []time.Time{day, now} {
		_, err := in.vault.Expire(t.Context(), place, gatehouse.PassageClass, d)
		must(t, err)
	}
	read := func(when string) {
		t.Helper()
		if got := in.opened(t, hers, theirs); string(got[0]) != "hers" || string(got[1]) != "of the day" {
			t.Errorf("%s: %q", when, got)
		}
	}
	read("before")
	r, p := in.rotate(t, phrase(passphrase))
	if p.Left != 0 || p.Damaged != 0 || !p.Done {
		t.Errorf("%+v", p)
	}
	read("after")
	must(t, in.vault.Close())
	in.open(t)
	read("after a restart")
	if st, err := in.vault.KeysStatus(t.Context()); err != nil || st.Keys[0].Name != r.From || st.Keys[0].Retired.IsZero() {
		t.Errorf("the old key is not retired: %+v, %v", st, err)
	}
	must(t, in.vault.LiftHold(t.Context(), place, ofHers.ID, operator, in.unseal(t)))
	if got := in.opened(t, hers, theirs); got[0] != nil || string(got[1]) != "of the day" {
		t.Errorf("after one was lifted: %q", got)
	}
}
