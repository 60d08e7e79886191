package vault

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/shares"
)

// rotate carries a rotation to its end.
func (in *installation) rotate(t testing.TB, with gatehouse.Credential) (Rotation, RotationProgress) {
	t.Helper()
	r, proof, err := in.vault.Rotate(t.Context(), operator, with)
	must(t, err)
	for {
		p, err := in.vault.RotateBatch(t.Context(), proof)
		must(t, err)
		if p.Done {
			return r, p
		}
	}
}

// store opens the key store of a vault that is closed.
func (in *installation) store(t testing.TB) *keyStore {
	t.Helper()
	public, err := readPublicKey(in.options.Dir)
	must(t, err)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, keyStoreFile))
	must(t, err)
	keys, err := openKeyStore(t.Context(), in.options.Dir, key, public)
	must(t, err)
	return keys
}

// After a rotation everything opens with the new key, and nothing with the old one,
// while the gate went on sealing.
func TestRotateVaultKey(t *testing.T) {
	in := install(t)
	second := phrase("another horse battery")
	_, err := in.vault.AddSlot(t.Context(), operator, phrase(passphrase), second, "")
	must(t, err)
	texts, err := in.vault.Split(t.Context(), operator, phrase(passphrase), 2, 2)
	must(t, err)
	bundle, err := in.vault.Export(t.Context())
	must(t, err)
	before, err := in.vault.KeysStatus(t.Context())
	must(t, err)

	var mu sync.Mutex
	var refs []gatehouse.SealedRef
	var stop atomic.Bool
	var gates sync.WaitGroup
	for range 2 {
		gates.Go(func() {
			for !stop.Load() {
				where := someplace("detail")
				sealed, err := in.vault.Seal(t.Context(), gatehouse.RandomID(), gatehouse.PassageClass, where, where.Row[:], gatehouse.PadField)
				if err != nil {
					t.Error("the gate cannot seal during a rotation:", err)
					return
				}
				mu.Lock()
				refs = append(refs, gatehouse.SealedRef{Where: where, Sealed: sealed})
				mu.Unlock()
			}
		})
	}
	sealed := func() int { mu.Lock(); defer mu.Unlock(); return len(refs) }
	for sealed() < 400 {
		time.Sleep(time.Millisecond)
	}
	proof := in.unseal(t) // whoever has it open reads on
	r, batch, err := in.vault.Rotate(t.Context(), operator, phrase(passphrase))
	must(t, err)
	if r.Resumed || r.Left < 400 || r.OtherSlots != 1 || r.From != before.Current {
		t.Errorf("%+v", r)
	}
	half := refs[0] // opens before it is moved, and after
	if plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "drill", Refs: []gatehouse.SealedRef{half}}); err != nil || plain[0] == nil {
		t.Errorf("before it is moved: %v", err)
	}
	moved := 0
	for {
		p, err := in.vault.RotateBatch(t.Context(), batch)
		must(t, err)
		moved += p.Moved
		if p.Done {
			if p.Left != 0 || p.Damaged != 0 {
				t.Errorf("%+v", p)
			}
			break
		}
	}
	if moved < r.Left {
		t.Errorf("%d rows were moved, of %d", moved, r.Left)
	}
	for n := sealed(); sealed() < n+50; {
		time.Sleep(time.Millisecond)
	}
	stop.Store(true)
	gates.Wait()
	if plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "drill", Refs: []gatehouse.SealedRef{half}}); err != nil || plain[0] == nil {
		t.Errorf("after it is moved: %v", err)
	}

	in.reopen(t)
	for i, plain := range in.opened(t, refs...) {
		if string(plain) != string(refs[i].Where.Row[:]) {
			t.Fatalf("value %d of %d does not open after the rotation", i, len(refs))
		}
	}
	_, _, err = in.vault.UnsealWith(t.Context(), operator, second, time.Hour)
	wantCode(t, err, "vault.passphrase") // its slot was the old key's
	after, err := in.vault.KeysStatus(t.Context())
	must(t, err)
	if len(after.Keys) != 2 || after.Current != r.To || after.Keys[0].Retired.IsZero() || len(after.Keys[0].Slots) != 0 || after.Keys[0].Chains != 0 || after.Keys[1].Chains < moved {
		t.Errorf("%+v", after)
	}

	// The old key's shares and copies are worth nothing here any more.
	var all []shares.Share
	for _, text := range texts {
		s, err := shares.Parse(text.Reveal())
		must(t, err)
		all = append(all, s)
	}
	_, err = Recover(t.Context(), in.options.Dir, all, second, "")
	wantCode(t, err, "shares.other_key")
	must(t, in.vault.Close())
	keys, err := os.ReadFile(filepath.Join(in.options.Dir, publicKeyFile))
	must(t, err)
	ring, err := os.ReadFile(filepath.Join(in.options.Dir, privateKeyFile))
	must(t, err)
	must(t, os.Remove(filepath.Join(in.options.Dir, publicKeyFile)))
	must(t, os.Remove(filepath.Join(in.options.Dir, privateKeyFile)))
	_, err = ImportKeyring(in.options.Dir, bundle)
	must(t, err)
	_, err = Open(t.Context(), in.options)
	wantCode(t, err, "vault.key_changed")
	must(t, os.WriteFile(filepath.Join(in.options.Dir, publicKeyFile), keys, 0o600))
	must(t, os.WriteFile(filepath.Join(in.options.Dir, privateKeyFile), ring, 0o600))
	in.open(t)
	if got, want := in.keyEvents(t), []string{"slot added", "split", "exported", "rotation begun", "retired"}; !slices.Equal(got, want) {
		t.Errorf("the log says %q, want %q", got, want)
	}
	t.Logf("%d rows", moved)
}

// The vault process is killed again and again during a rotation; each time it is begun
// again, and nothing that was sealed is lost.
func TestKilledWhileRotating(t *testing.T) {
	in := install(t)
	var refs []gatehouse.SealedRef
	for range 900 {
		where := someplace("detail")
		sealed, err := in.vault.Seal(t.Context(), gatehouse.RandomID(), gatehouse.PassageClass, where, where.Row[:], gatehouse.PadField)
		must(t, err)
		refs = append(refs, gatehouse.SealedRef{Where: where, Sealed: sealed})
	}
	kills := 0
	for done := false; !done; {
		must(t, in.vault.process.Wait(t.Context()))
		killed := make(chan struct{})
		timer := time.NewTimer(time.Hour)
		if kills < 4 { // the back-off doubles
			timer = time.AfterFunc(time.Duration(10+30*kills)*time.Millisecond, func() { in.kill(); close(killed) })
		}
		_, proof, err := in.vault.Rotate(t.Context(), operator, phrase(passphrase))
		for err == nil && !done {
			var p RotationProgress
			if p, err = in.vault.RotateBatch(t.Context(), proof); err == nil {
				done = p.Done
			}
		}
		if !timer.Stop() {
			<-killed // or it would hit what comes next
		}
		if err != nil {
			switch gatehouse.ErrorCode(err) {
			case "vault.unavailable", "vault.rotation":
				kills++
			default:
				t.Fatal(err)
			}
		}
	}
	in.reopen(t)
	for i, plain := range in.opened(t, refs...) {
		if string(plain) != string(refs[i].Where.Row[:]) {
			t.Fatalf("value %d of %d is lost after %d kills", i, len(refs), kills)
		}
	}
	st, err := in.vault.KeysStatus(t.Context())
	must(t, err)
	if n := len(st.Keys); n < 2 || st.Keys[n-1].Name != st.Current || st.Keys[n-1].Chains == 0 {
		t.Errorf("%+v", st)
	}
	for _, k := range st.Keys[:len(st.Keys)-1] {
		if k.Retired.IsZero() || k.Chains > 0 || len(k.Slots) > 0 {
			t.Errorf("after %d kills: %+v", kills, k)
		}
	}
	if kills == 0 {
		t.Error("nothing was killed: this test said nothing")
	}
	t.Logf("%d kills", kills)
}

// A rotation that was stopped after each of its first steps is gone on with.
func TestRotationIsResumed(t *testing.T) {
	in := install(t)
	subject := gatehouse.RandomID()
	refs := []gatehouse.SealedRef{in.sealOne(t, subject, "before")}
	r, proof, err := in.vault.Rotate(t.Context(), operator, phrase(passphrase))
	must(t, err)
	must(t, in.vault.SealVault(t.Context()))
	_, err = in.vault.RotateBatch(t.Context(), proof)
	wantCode(t, err, "vault.rotation") // sealing takes its keys too
	_, err = in.vault.RotateBatch(t.Context(), nil)
	wantCode(t, err, "vault.rotation")
	in.reopen(t)
	refs = append(refs, in.sealOne(t, subject, "between"))
	for i, plain := range in.opened(t, refs...) {
		if plain == nil {
			t.Errorf("value %d does not open in the middle of a rotation", i)
		}
	}
	// vault.pub is as it was before step 3.
	must(t, in.vault.Close())
	ring, err := readKeyring(in.options.Dir)
	must(t, err)
	must(t, ring.Keys[0].publish(in.options.Dir))
	in.open(t)
	refs = append(refs, in.sealOne(t, subject, "under the old key"))
	_, _, err = in.vault.Rotate(t.Context(), operator, phrase("wrong horse battery"))
	wantCode(t, err, "vault.passphrase")
	again, p := in.rotate(t, phrase(passphrase))
	if !again.Resumed || again.To != r.To || again.From != r.From || p.Left != 0 {
		t.Errorf("%+v, then %+v, %+v", r, again, p)
	}
	in.reopen(t)
	for i, plain := range in.opened(t, refs...) {
		if plain == nil {
			t.Errorf("value %d does not open", i)
		}
	}
}

// Rows that do not open keep their key, and are counted.
func TestRotationOverDamagedRows(t *testing.T) {
	in := install(t)
	good, bad := gatehouse.RandomID(), gatehouse.RandomID()
	refs := []gatehouse.SealedRef{in.sealOne(t, good, "good"), in.sealOne(t, bad, "bad")}
	must(t, in.vault.Close())
	keys := in.store(t)
	must(t, keys.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE chains SET sealed = zeroblob(48) WHERE subject = ?`, bad[:])
		return err
	}))
	must(t, keys.db.Close())
	in.open(t)
	r, p := in.rotate(t, phrase(passphrase))
	if p.Damaged != 1 || p.Left != 1 {
		t.Errorf("%+v", p)
	}
	if got := in.opened(t, refs...); string(got[0]) != "good" || got[1] != nil {
		t.Errorf("opened %q", got)
	}
	if st, err := in.vault.KeysStatus(t.Context()); err != nil || !st.Keys[0].Retired.IsZero() || len(st.Keys[0].Slots) == 0 {
		t.Errorf("the old key is gone, with a row left: %+v, %v", st, err)
	}
	_, err := in.vault.Erase(t.Context(), eraseOf(bad))
	must(t, err)
	again, p := in.rotate(t, phrase(passphrase))
	if !again.Resumed || again.To != r.To || p.Left != 0 {
		t.Errorf("%+v %+v", again, p)
	}
}

// The key store takes no row for a key that is retired: nobody could open it.
func TestRetiredKeyIsRefused(t *testing.T) {
	in := install(t)
	old := in.vault.sealsTo.Load()
	in.rotate(t, phrase(passphrase))
	in.vault.sealsTo.Store(old) // a gate that heard of nothing
	row, _, err := in.vault.newRow(subjectKey(place, gatehouse.RandomID(), time.Now()))
	must(t, err)
	err = in.vault.appends.append(row)
	wantCode(t, err, "vault.key_retired")
}

// The old keys of a rotation that nobody goes on with are wiped, whatever the leases do.
func TestARotationThatIdlesEnds(t *testing.T) {
	defer func(d time.Duration) { rotationIdles = d }(rotationIdles)
	rotationIdles = 300 * time.Millisecond
	key, seed, err := newRingKey()
	must(t, err)
	next, _, err := newRingKey()
	must(t, err)
	public, err := kem().NewPublicKey(next.Public)
	must(t, err)
	room, err := newStrongroom(t.TempDir(), public)
	must(t, err)
	proof, err := room.move(openKeys{{name: key.Name, seed: seed}}, public, 1)
	must(t, err)
	m, _, err := room.moved(proof)
	must(t, err)
	time.Sleep(4 * rotationIdles) // a batch may take long
	if !room.rotates() {
		t.Fatal("the rotation ended during a batch")
	}
	room.batchDone(m)
	for deadline := time.Now().Add(10 * time.Second); room.rotates(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the old key is kept")
		}
	}
	_, _, err = room.moved(proof)
	wantCode(t, err, "vault.rotation")
}

func TestStatusTellsOfARotation(t *testing.T) {
	in := install(t)
	in.sealOne(t, gatehouse.RandomID(), "x")
	_, proof, err := in.vault.Rotate(t.Context(), operator, right())
	must(t, err)
	for _, want := range []bool{true, false} {
		st, err := in.vault.Status(t.Context())
		must(t, err)
		if !st.Sealed || st.Rotating != want {
			t.Errorf("%+v", st)
		}
		p, err := in.vault.RotateBatch(t.Context(), proof)
		if want && (err != nil || !p.Done) {
			t.Fatalf("%+v, %v", p, err)
		}
	}
}

// No call destroys a subject's chains without an entry in the log.
func TestNothingIsDiscarded(t *testing.T) {
	in := install(t)
	ref := in.sealOne(t, gatehouse.RandomID(), "evidence")
	if _, err := in.vault.process.Call(t.Context(), "discard", map[string]any{"Place": place, "Subjects": []gatehouse.SubjectID{ref.Where.Row}}, nil, nil); gatehouse.ErrorCode(err) != "request.unknown" {
		t.Error(err)
	}
	in.reopen(t)
	if got := in.opened(t, ref); string(got[0]) != "evidence" {
		t.Errorf("%q", got[0])
	}
}
