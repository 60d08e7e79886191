package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault"
	"gatehouse/vault/budget"
)

// gateOf is a gate of another site of the machine, with a directory of its own.
func (s *site) gateOf(t *testing.T, place gatehouse.Place) *neighbour {
	t.Helper()
	n := &neighbour{place: place, data: t.TempDir(), key: filepath.Join(t.TempDir(), "gate.key")}
	must(t, vault.CreateGateKey(n.data, n.key))
	n.identity = s.pair(t, place, time.Hour)
	n.open(t)
	t.Cleanup(func() { must(t, n.gate.Close()) })
	return n
}

type neighbour struct {
	place               gatehouse.Place
	data, key, identity string
	gate                *vault.Vault
}

func (n *neighbour) open(t *testing.T) {
	t.Helper()
	key, err := vault.OpenGateKey(n.data, n.key)
	must(t, err)
	id, err := vault.ReadIdentity(n.identity, n.data)
	must(t, err)
	n.gate, err = vault.Open(t.Context(), vault.Options{Dir: filepath.Join(n.data, "vault"), Gate: key, Remote: &vault.Remote{Identity: id}, Log: quiet})
	must(t, err)
}

// sealFor seals the row's own id for somebody new.
func sealFor(t *testing.T, v *vault.Vault, place gatehouse.Place) gatehouse.SealedRef {
	t.Helper()
	where := gatehouse.SealContext{Place: place, Table: "passage", Row: gatehouse.NewID(time.Now()), Field: "detail"}
	sealed, err := v.Seal(t.Context(), gatehouse.RandomID(), gatehouse.PassageClass, where, where.Row[:], gatehouse.PadField)
	must(t, err)
	return gatehouse.SealedRef{Where: where, Sealed: sealed}
}

// allOpen claims the lease and opens everything, of one site.
func (s *site) allOpen(t *testing.T, v *vault.Vault, refs []gatehouse.SealedRef) {
	t.Helper()
	most := budget.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}
	must(t, s.admin(t, func(a Admin) error {
		return a.Desk(refs[0].Where.Place).SetLimits(t.Context(), "test", s.with, budget.Limits{Operator: most, Role: most, Organization: most, Live: most}, false)
	}))
	eventually(t, func() error { _, _, err := v.Claim(t.Context()); return err })
	proof, _, err := v.Claim(t.Context())
	must(t, err)
	for some := range slices.Chunk(refs, 100) {
		plain, err := v.Open(t.Context(), gatehouse.OpenRequest{Operator: "site/guard", Proof: proof, Purpose: "drill", Reason: "test", Refs: some})
		must(t, err)
		for i, p := range plain {
			if string(p) != string(some[i].Where.Row[:]) {
				t.Fatalf("a value of %s does not open", some[i].Where.Site)
			}
		}
	}
}

func (s *site) rotate(t *testing.T) (all KeyRotation, err error) {
	t.Helper()
	err = s.admin(t, func(a Admin) error {
		all, err = a.RotateKey(t.Context(), s.with, func(RotationStep) {})
		return err
	})
	return all, err
}

// keys are what the keyring says at a site.
func (s *site) keys(t *testing.T, place gatehouse.Place) (st vault.KeysStatus) {
	t.Helper()
	must(t, s.admin(t, func(a Admin) (err error) { st, err = a.Desk(place).KeysStatus(t.Context()); return err }))
	return st
}

// The vault key that two sites share is rotated while both gates go on; then everything
// opens, the gates seal to the new key, and the old one has no slot left. A gate that was
// away keeps the old key until it came back; what it sealed meanwhile opens.
func TestRotateSharedKey(t *testing.T) {
	s := newSiteWith(t, keyFile)
	s.reopenGate(t)
	s.awaitVault(t)
	other := s.gateOf(t, south)
	later := s.gateOf(t, gatehouse.Place{Org: "acme", Site: "west"})
	before := s.keys(t, north).Current
	pub := func(data string) string {
		b, err := os.ReadFile(filepath.Join(data, "vault", "vault.pub"))
		must(t, err)
		return string(b)
	}
	old := pub(s.data)

	refs := map[*vault.Vault][]gatehouse.SealedRef{}
	var mu sync.Mutex
	var stop atomic.Bool
	var gates sync.WaitGroup
	defer gates.Wait()
	defer stop.Store(true)
	for v, place := range map[*vault.Vault]gatehouse.Place{s.gate: north, other.gate: south} {
		gates.Go(func() {
			for !stop.Load() {
				ref := sealFor(t, v, place)
				mu.Lock()
				refs[v] = append(refs[v], ref)
				mu.Unlock()
			}
		})
	}
	sealed := func(v *vault.Vault) int { mu.Lock(); defer mu.Unlock(); return len(refs[v]) }
	grown := func(n int) {
		for _, v := range []*vault.Vault{s.gate, other.gate} {
			for from := sealed(v); sealed(v) < from+n; {
				time.Sleep(time.Millisecond)
			}
		}
	}
	grown(200)
	third := []gatehouse.SealedRef{sealFor(t, later.gate, later.place)}
	eventually(t, func() error { return delivered(later.gate) })
	must(t, later.gate.Close())
	s.unseal(t)
	all, err := s.rotate(t)
	must(t, err)
	if all.Done || all.Resumed || len(all.Awaited) != 1 || all.Awaited[0] != later.place || all.Moved < 400 || all.From != before || all.Damaged != 0 {
		t.Fatalf("%+v", all)
	}
	for _, place := range []gatehouse.Place{north, south} {
		st := s.keys(t, place)
		if st.Current != all.To || len(st.Keys) != 2 || st.Keys[0].Chains != 0 || len(st.Keys[0].Slots) != 1 {
			t.Errorf("%s: %+v", place.Site, st)
		}
	}
	if now := pub(s.data); now == old || now != pub(other.data) || pub(later.data) != old {
		t.Error("the gates that are here do not seal to the new key, or the one that is away does")
	}
	grown(50)
	stop.Store(true)
	gates.Wait()

	// The third comes back with its old identity, and what it made for the old key.
	s.kill()
	later.open(t)
	third = append(third, sealFor(t, later.gate, later.place))
	if _, waiting := later.gate.Elsewhere(); waiting == 0 {
		t.Error("nothing waits for the machine")
	}
	s.start(t)
	eventually(t, func() error { return delivered(later.gate) })
	for _, v := range []*vault.Vault{s.gate, other.gate} {
		eventually(t, func() error { _, err := v.Status(t.Context()); return err })
	}
	again, err := s.rotate(t)
	must(t, err)
	if !again.Done || !again.Resumed || again.To != all.To || again.Moved == 0 {
		t.Errorf("%+v, then %+v", all, again)
	}
	third = append(third, sealFor(t, later.gate, later.place))
	if pub(later.data) != pub(s.data) {
		t.Error("the gate that came back does not seal to the new key")
	}
	for _, place := range []gatehouse.Place{north, south, later.place} {
		st := s.keys(t, place)
		if st.Current != all.To || st.Keys[0].Retired.IsZero() || len(st.Keys[0].Slots) != 0 || st.Keys[0].Chains != 0 || st.Keys[1].Chains == 0 {
			t.Errorf("%s: %+v", place.Site, st)
		}
	}

	// Everything opens, also after both sides were started again with their old identities.
	s.kill()
	ours := refs[s.gate]
	s.reopenGate(t)
	s.start(t)
	s.awaitVault(t)
	s.unseal(t)
	s.allOpen(t, s.gate, ours)
	s.allOpen(t, other.gate, refs[other.gate])
	s.allOpen(t, later.gate, third)

	// A site that is paired now was never unsealed, and is so under the new key.
	east := s.gateOf(t, gatehouse.Place{Org: "acme", Site: "east"})
	ref := sealFor(t, east.gate, east.place)
	s.unseal(t)
	s.allOpen(t, east.gate, []gatehouse.SealedRef{ref})
}

// delivered fails while rows wait in a gate's spool.
func delivered(v *vault.Vault) error {
	if _, waiting := v.Elsewhere(); waiting > 0 {
		return fmt.Errorf("%d rows wait", waiting)
	}
	return nil
}

// The machine is killed again and again while the key of two sites is rotated; each time
// the same command goes on, and nothing that was sealed is lost.
func TestKilledWhileRotatingSharedKey(t *testing.T) {
	s := newSiteWith(t, keyFile)
	s.reopenGate(t)
	s.awaitVault(t)
	other := s.gateOf(t, south)
	var ours, theirs []gatehouse.SealedRef
	for range 300 {
		ours, theirs = append(ours, sealFor(t, s.gate, north)), append(theirs, sealFor(t, other.gate, south))
	}
	kills := 0
	for done := false; !done; {
		process, killed := s.machine.Process, make(chan struct{})
		timer := time.NewTimer(time.Hour)
		if kills < 6 {
			timer = time.AfterFunc(time.Duration(20+40*kills)*time.Millisecond, func() { _ = process.Kill(); close(killed) })
		}
		a, end, err := Dial(Options{Dir: s.dir, Log: quiet})
		if err == nil {
			var all KeyRotation
			all, err = a.RotateKey(t.Context(), s.with, func(RotationStep) {})
			must(t, end())
			done = err == nil && all.Done
		}
		hit := !timer.Stop() // a kill of this round hits none of the next
		if hit {
			<-killed
		}
		ours, theirs = append(ours, sealFor(t, s.gate, north)), append(theirs, sealFor(t, other.gate, south))
		if err == nil && !hit {
			continue
		}
		if code := gatehouse.ErrorCode(err); err != nil && !slices.Contains([]string{"vault.unavailable", "vault.rotation", "machine.unreachable", "store.locked"}, code) {
			t.Fatal(err)
		}
		if !hit { // it failed before its kill
			_ = process.Kill()
		}
		_ = s.machine.Wait()
		kills++
		s.start(t)
		for _, v := range []*vault.Vault{s.gate, other.gate} {
			eventually(t, func() error { _, err := v.Status(t.Context()); return err })
		}
	}
	if kills == 0 {
		t.Error("nothing was killed: this test said nothing")
	}
	s.unseal(t)
	s.allOpen(t, s.gate, ours)
	s.allOpen(t, other.gate, theirs)
	for _, place := range []gatehouse.Place{north, south} {
		st := s.keys(t, place)
		if n := len(st.Keys); n != 2 || st.Keys[1].Name != st.Current || !slices.ContainsFunc(st.Keys[:1], func(k vault.KeyStatus) bool {
			return !k.Retired.IsZero() && k.Chains == 0 && len(k.Slots) == 0
		}) {
			t.Errorf("%s after %d kills: %+v", place.Site, kills, st)
		}
	}
	t.Logf("%d kills", kills)
}

// A gate that was given up in a rotation learns that what waits with it is lost, and
// goes on when it is paired again.
func TestGivenUpInARotation(t *testing.T) {
	s := newSiteWith(t, keyFile)
	s.reopenGate(t)
	s.awaitVault(t)
	other := s.gateOf(t, south)
	kept := sealFor(t, other.gate, south)
	eventually(t, func() error { return delivered(other.gate) })
	must(t, other.gate.Close())
	must(t, s.admin(t, func(a Admin) error { return a.Revoke(t.Context(), south) }))
	all, err := s.rotate(t)
	if err != nil || !all.Done {
		t.Fatalf("%+v, %v", all, err)
	}
	other.open(t)
	lost := sealFor(t, other.gate, south) // to the old key: it has not heard of anything
	must(t, other.gate.Close())
	other.identity = s.pair(t, south, time.Hour)
	id, err := vault.ReadIdentity(other.identity, other.data)
	must(t, err)
	wantCode(t, id.Pin(filepath.Join(other.data, "vault")), "vault.key_changed")
	must(t, os.Remove(filepath.Join(other.data, "vault", "vault.pub"))) // as the hint says
	other.open(t)
	fresh := sealFor(t, other.gate, south)
	eventually(t, func() error { return delivered(other.gate) })
	s.unseal(t)
	s.allOpen(t, other.gate, []gatehouse.SealedRef{kept, fresh})
	proof, _, err := other.gate.Claim(t.Context())
	must(t, err)
	plain, err := other.gate.Open(t.Context(), gatehouse.OpenRequest{Operator: "site/guard", Proof: proof, Purpose: "drill", Reason: "test", Refs: []gatehouse.SealedRef{lost}})
	if err != nil || plain[0] != nil {
		t.Errorf("what was given up opens: %v", err)
	}
}
