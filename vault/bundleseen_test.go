package vault

import (
	"testing"
	"time"

	"gatehouse"
)

// A bundle that is seen at its target after its time makes nobody's erasure final who was
// erased since it was made; who was erased before has the certificate that was given.
func TestABundleThatIsSeenLateIsCounted(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	erased := func() (gatehouse.ID, gatehouse.ErasureCertificate) {
		s := gatehouse.RandomID()
		in.sealOne(t, s, "x")
		r := eraseOf(s)
		_, err := in.vault.Erase(ctx, r)
		must(t, err)
		c, _, err := in.vault.Certify(ctx, r.ID, 0)
		must(t, err)
		return r.ID, c
	}
	before, first := erased()
	time.Sleep(2 * time.Millisecond)
	now := time.Now().UTC().Truncate(time.Millisecond)
	b := gatehouse.KeyBundle{ID: gatehouse.NewID(now), At: now, Target: "x", Expires: now.Add(5 * time.Millisecond)}
	must(t, in.vault.RecordBundle(ctx, b))
	time.Sleep(10 * time.Millisecond)
	since, c := erased()
	if !c.FinalAt.Equal(c.ErasedAt) {
		t.Fatalf("final at %v, though the bundle is gone", c.FinalAt)
	}
	b.Expires = now.AddDate(0, 0, 3)
	must(t, in.vault.RecordBundle(ctx, b))
	again, index, err := in.vault.Certify(ctx, since, 0)
	must(t, err)
	if !again.FinalAt.Equal(b.Expires) {
		t.Errorf("final at %v, and the bundle is there until %v", again.FinalAt, b.Expires)
	}
	if p, err := in.vault.Prove(ctx, index); err != nil || string(p.Leaf) != string(again.Leaf()) {
		t.Errorf("entry %d is not the certificate's: %v", index, err)
	}
	if same, _, err := in.vault.Certify(ctx, before, 0); err != nil || same != first {
		t.Errorf("an erasure before the bundle: %+v, %v", same, err)
	}
	must(t, in.vault.Close())
	r := in.verified(t)
	in.open(t)
	if !r.OK {
		t.Errorf("%+v", r.Findings)
	}
}

// Somebody whose erasure began before a bundle was made and ended after it may be in it,
// also where the clock was set back meanwhile; a bundle that is kept longer postpones that.
func TestAnErasureThatEndsAfterABundleIsInIt(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	s := gatehouse.RandomID()
	in.sealOne(t, s, "x")
	r := eraseOf(s)
	_, err := in.vault.Erase(ctx, r)
	must(t, err)
	now := time.Now().UTC().Truncate(time.Millisecond).Add(time.Hour) // which the clock said then
	b := gatehouse.KeyBundle{ID: gatehouse.NewID(now), At: now, Target: "x", Expires: now.AddDate(0, 0, 1)}
	must(t, in.vault.RecordBundle(ctx, b))
	if c, _, err := in.vault.Certify(ctx, r.ID, 0); err != nil || !c.FinalAt.Equal(b.Expires) {
		t.Fatalf("final at %v, %v", c.FinalAt, err)
	}
	b.Expires = now.AddDate(0, 0, 3)
	must(t, in.vault.RecordBundle(ctx, b))
	if c, _, err := in.vault.Certify(ctx, r.ID, 0); err != nil || !c.FinalAt.Equal(b.Expires) {
		t.Errorf("final at %v, and the bundle is there until %v: %v", c.FinalAt, b.Expires, err)
	}
}

// Who was certified before a bundle is written down has no keys in it, though the bundle's
// own clock says that it began before; one that is found at its target may have them.
func TestABundleThatIsYetToBeWrittenPostponesNobody(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	began := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)
	s := gatehouse.RandomID()
	in.sealOne(t, s, "x")
	r := eraseOf(s)
	_, err := in.vault.Erase(ctx, r)
	must(t, err)
	given, _, err := in.vault.Certify(ctx, r.ID, 0)
	must(t, err)
	b := gatehouse.KeyBundle{ID: gatehouse.NewID(began), At: began, Target: "x", Expires: began.AddDate(0, 0, 30)}
	must(t, in.vault.RecordBundle(ctx, b))
	if c, _, err := in.vault.Certify(ctx, r.ID, 0); err != nil || c != given {
		t.Errorf("final at %v, and was to be at %v: %v", c.FinalAt, given.FinalAt, err)
	}
	found := gatehouse.KeyBundle{ID: gatehouse.RandomID(), At: began, Target: "x", Expires: began.AddDate(0, 0, 20), Seen: true}
	must(t, in.vault.RecordBundle(ctx, found))
	if c, _, err := in.vault.Certify(ctx, r.ID, 0); err != nil || !c.FinalAt.Equal(found.Expires) {
		t.Errorf("final at %v, with a bundle that is there until %v: %v", c.FinalAt, found.Expires, err)
	}
}
