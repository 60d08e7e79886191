package vault

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

func eraseOf(subject gatehouse.SubjectID) gatehouse.EraseRequest {
	return gatehouse.EraseRequest{Place: place, ID: gatehouse.RandomID(), Subject: subject, Operator: operator, Reason: "asked for it"}
}

// gateTime lets a test choose the gate's day; the vault process keeps the real time.
func gateTime(now *time.Time) func(*Options) {
	return func(o *Options) { o.Now = func() time.Time { return *now } }
}

func TestErase(t *testing.T) {
	now := time.Now().AddDate(0, -2, 0)
	in := install(t, gateTime(&now))
	alice, bob := gatehouse.RandomID(), gatehouse.RandomID()
	refs := []gatehouse.SealedRef{in.sealOne(t, alice, "alice"), in.sealOne(t, bob, "bob")}
	now = now.AddDate(0, 1, 0) // another month: another chain of each
	refs = append(refs, in.sealOne(t, alice, "alice again"), in.sealOne(t, bob, "bob again"))

	before, err := in.vault.Erasable(t.Context(), place, alice)
	must(t, err)
	r := eraseOf(alice)
	n, err := in.vault.Erase(t.Context(), r)
	must(t, err)
	if before.Chains != 2 || before.Erased || n != 2 {
		t.Errorf("%d chains were there and %d were erased, want one for each month", before.Chains, n)
	}
	refs = append(refs, in.sealOne(t, alice, "sealed after the erasure")) // on its way at that moment
	if n, err := in.vault.Erase(t.Context(), r); err != nil || n != 0 {
		t.Errorf("carried on, it found %d more (%v)", n, err)
	}
	in.reopen(t)
	got := in.opened(t, refs...)
	if got[0] != nil || got[2] != nil || got[4] != nil || string(got[1]) != "bob" || string(got[3]) != "bob again" {
		t.Errorf("after the erasure: %q", got)
	}
	if after, err := in.vault.Erasable(t.Context(), place, alice); err != nil || after.Chains != 0 || !after.Erased {
		t.Errorf("%+v, %v", after, err)
	}

	c, index, err := in.vault.Certify(t.Context(), r.ID, 7)
	must(t, err)
	if c.Chains != 2 || c.Passages != 7 || c.Subject != alice || c.Org != place.Org || !c.FinalAt.Equal(c.ErasedAt) || time.Since(c.ErasedAt) > time.Minute {
		t.Errorf("the certificate says %+v", c)
	}
	again, index2, err := in.vault.Certify(t.Context(), r.ID, 9)
	must(t, err)
	if again != c || index2 != index {
		t.Errorf("certified twice: %+v at %d, then %+v at %d", c, index, again, index2)
	}
	_, _, err = in.vault.Certify(t.Context(), gatehouse.RandomID(), 0)
	wantCode(t, err, "erase.unknown")
	other := r
	other.Subject = bob
	_, err = in.vault.Erase(t.Context(), other)
	wantCode(t, err, "request.malformed") // the same id for somebody else
	list, err := in.vault.Removals(t.Context(), 0, 10)
	must(t, err)
	if len(list) != 1 || list[0].Subject != alice || list[0].Place != place {
		t.Errorf("the list of removals is %+v", list)
	}
	must(t, in.vault.Close())
	audit := in.auditDB(t)
	var leaf []byte
	must(t, audit.QueryRow(`SELECT leaf FROM leaves WHERE n = ?`, index).Scan(&leaf))
	if !bytes.Equal(leaf, c.Leaf()) {
		t.Error("the log's leaf is not the certificate's")
	}
	in.open(t)
}

// auditDB opens the audit file of a closed vault; it is closed at the test's end.
func (in *installation) auditDB(t testing.TB) *sql.DB {
	t.Helper()
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	t.Cleanup(func() { must(t, a.db.Close()) })
	return a.db.Readers()
}

// A bundle that holds the keys postpones the day from which the erasure is final.
func TestErasureIsFinalWithTheLastBundle(t *testing.T) {
	in := install(t)
	at := time.Now().UTC().Truncate(time.Millisecond)
	first := gatehouse.KeyBundle{ID: gatehouse.RandomID(), At: at, Target: "disk", Expires: at.Add(24 * time.Hour)}
	last := gatehouse.KeyBundle{ID: gatehouse.RandomID(), At: at.Add(time.Second), Target: "s3", Expires: at.Add(30 * 24 * time.Hour)}
	for _, b := range []gatehouse.KeyBundle{last, first, first} {
		must(t, in.vault.RecordBundle(t.Context(), b))
	}
	wantCode(t, in.vault.RecordBundle(t.Context(), gatehouse.KeyBundle{ID: gatehouse.RandomID(), At: at, Expires: at}), "bundle.invalid")
	got, err := in.vault.Bundles(t.Context())
	must(t, err)
	if len(got) != 2 || got[0] != first || got[1] != last {
		t.Errorf("bundles %+v", got)
	}
	subject := gatehouse.RandomID()
	in.sealOne(t, subject, "somebody")
	r := eraseOf(subject)
	_, err = in.vault.Erase(t.Context(), r)
	must(t, err)
	c, _, err := in.vault.Certify(t.Context(), r.ID, 1)
	must(t, err)
	if !c.FinalAt.Equal(last.Expires) {
		t.Errorf("final at %v, want the end of the last bundle, %v", c.FinalAt, last.Expires)
	}
}

// What a server that somebody took over can destroy in an hour is bounded, over
// restarts of the vault process too; an operator with a proof gets further.
func TestErasuresAreBounded(t *testing.T) {
	in := install(t)
	for i := range erasedWithoutProof {
		_, err := in.vault.Erase(t.Context(), eraseOf(gatehouse.RandomID()))
		must(t, err)
		if i == erasedWithoutProof/2 {
			in.reopen(t)
		}
	}
	victim := gatehouse.RandomID()
	ref := in.sealOne(t, victim, "victim")
	for _, again := range []bool{false, true} {
		if again {
			in.reopen(t)
		}
		_, err := in.vault.Erase(t.Context(), eraseOf(victim))
		wantCode(t, err, "vault.erase_limit")
		invented := eraseOf(victim)
		invented.Operator, invented.Proof = "op-2", make([]byte, proofSize)
		_, err = in.vault.Erase(t.Context(), invented)
		wantCode(t, err, "vault.sealed")
	}
	if got := in.opened(t, ref); string(got[0]) != "victim" {
		t.Fatal("the victim is gone all the same")
	}
	r := eraseOf(victim)
	r.Proof = in.unseal(t)
	_, err := in.vault.Erase(t.Context(), r)
	must(t, err)
}

func TestExpireNeedsItsRetention(t *testing.T) {
	now := time.Now().UTC().AddDate(0, 0, -40)
	in := install(t, gateTime(&now))
	expire := func(class gatehouse.RetentionClass) error {
		_, err := in.vault.Expire(t.Context(), place, class, now)
		return err
	}
	set := func(keep time.Duration) error {
		return in.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.PassageClass: keep})
	}
	day := 24 * time.Hour
	old := in.sealOne(t, gatehouse.RandomID(), "40 days old")
	wantCode(t, expire(gatehouse.PassageClass), "vault.no_retention")
	wantCode(t, set(0), "vault.no_retention")
	wantCode(t, set(100*365*day), "vault.no_retention")
	must(t, set(90*day))
	wantCode(t, expire(gatehouse.PassageClass), "vault.too_young")
	must(t, set(1*day)) // counts in a week: a stolen server cannot forget everything now
	wantCode(t, expire(gatehouse.PassageClass), "vault.too_young")
	in.reopen(t)
	wantCode(t, expire(gatehouse.PassageClass), "vault.too_young")
	wantCode(t, expire(gatehouse.RecordClass), "vault.no_retention")
	wantCode(t, in.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.RecordClass: day}), "vault.no_retention")
	if got := in.opened(t, old); got[0] == nil {
		t.Fatal("it is gone")
	}
	// Another site has a retention of its own.
	here := place
	defer func() { place = here }()
	place.Site = "south"
	gone := in.sealOne(t, gatehouse.RandomID(), "old")
	must(t, set(30*day))
	oldDay := now
	now = now.AddDate(0, 0, 1)
	kept := in.sealOne(t, gatehouse.RandomID(), "a day younger")
	n, err := in.vault.Expire(t.Context(), place, gatehouse.PassageClass, oldDay)
	must(t, err)
	if n == 0 {
		t.Error("no chain expired")
	}
	if got := in.opened(t, gone, kept); got[0] != nil || string(got[1]) != "a day younger" {
		t.Errorf("after the day expired: %q", got)
	}
}

// A held subject's items outlive their day and nothing else of the day does; the
// subject is not erased meanwhile; when the hold ends they are noise too.
func TestHoldOnSubject(t *testing.T) {
	now := time.Now().UTC().AddDate(0, 0, -40)
	in := install(t, gateTime(&now))
	alice, bob := gatehouse.RandomID(), gatehouse.RandomID()
	hers, his := in.sealOne(t, alice, "hers"), in.sealOne(t, bob, "his")
	later := in.sealOne(t, alice, "hers, not named")
	h := gatehouse.Hold{Place: place, ID: gatehouse.RandomID(), Subject: alice, Operator: operator, Until: time.Now().Add(30 * 24 * time.Hour)}
	wantCode(t, in.vault.Hold(t.Context(), h, "court order 12", nil), "vault.sealed")
	proof := in.unseal(t)
	bad := h
	bad.Until = time.Now().AddDate(2, 0, 0)
	wantCode(t, in.vault.Hold(t.Context(), bad, "court order 12", proof), "hold.until")
	wantCode(t, in.vault.Hold(t.Context(), h, "", proof), "vault.reason")
	bad = h
	bad.Day = "2026-01-01"
	wantCode(t, in.vault.Hold(t.Context(), bad, "court order 12", proof), "hold.invalid")
	must(t, in.vault.Hold(t.Context(), h, "court order 12", proof))
	// His value is named too: the hold is on her, so it is not kept.
	n, err := in.vault.HoldItems(t.Context(), place, h.ID, operator, proof, [][]byte{hers.Sealed, his.Sealed, []byte("rubbish")})
	must(t, err)
	if n != 1 {
		t.Errorf("%d items are held, want hers", n)
	}
	must(t, in.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.PassageClass: 24 * time.Hour}))
	_, err = in.vault.Expire(t.Context(), place, gatehouse.PassageClass, now)
	must(t, err)
	in.reopen(t)
	if got := in.opened(t, hers, his, later); string(got[0]) != "hers" || got[1] != nil || got[2] != nil {
		t.Errorf("under the hold: %q", got)
	}
	_, err = in.vault.Erase(t.Context(), eraseOf(alice))
	wantCode(t, err, "vault.held")
	list, err := in.vault.Holds(t.Context(), place)
	must(t, err)
	if len(list) != 1 || list[0].ID != h.ID || list[0].Items != 1 || list[0].Operator != operator {
		t.Errorf("holds %+v", list)
	}
	proof = in.unseal(t)
	must(t, in.vault.HoldUntil(t.Context(), place, h.ID, operator, proof, time.Now().Add(300*24*time.Hour)))
	wantCode(t, in.vault.HoldUntil(t.Context(), place, gatehouse.RandomID(), operator, proof, time.Now().Add(time.Hour)), "hold.unknown")
	wantCode(t, in.vault.LiftHold(t.Context(), place, h.ID, "op-2", proof), "vault.forbidden")
	must(t, in.vault.LiftHold(t.Context(), place, h.ID, operator, proof))
	if got := in.opened(t, hers); got[0] != nil {
		t.Errorf("after the hold: %q", got)
	}
	_, err = in.vault.Erase(t.Context(), eraseOf(alice))
	must(t, err)
	again := h
	again.ID = gatehouse.RandomID()
	wantCode(t, in.vault.Hold(t.Context(), again, "too late", in.unseal(t)), "hold.invalid")
	if kinds := in.leafEvents(t); kinds["hold/made"] != 1 || kinds["hold/extended"] != 1 || kinds["hold/lifted"] != 1 || kinds["expire/expired"] != 1 || kinds["policy/retention"] != 1 || kinds["erase/erasing"] != 1 {
		t.Errorf("the log has %v", kinds)
	}
}

func TestHoldOnDayEndsByItself(t *testing.T) {
	began, now := time.Now(), time.Now().UTC().AddDate(0, 0, -40)
	in := install(t, gateTime(&now))
	held := in.sealOne(t, gatehouse.RandomID(), "held")
	proof := in.unseal(t)
	lasts := time.Second + 5*time.Since(began) // longer than what is done under it, on a busy machine too
	h := gatehouse.Hold{Place: place, ID: gatehouse.RandomID(), Day: now.Format(time.DateOnly), Operator: operator, Until: time.Now().Add(lasts)}
	must(t, in.vault.Hold(t.Context(), h, "inquiry", proof))
	oldDay := now
	now = now.AddDate(0, 0, 1)
	other := in.sealOne(t, gatehouse.RandomID(), "the day after")
	must(t, in.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.PassageClass: 24 * time.Hour}))
	for _, day := range []time.Time{oldDay, now} {
		_, err := in.vault.Expire(t.Context(), place, gatehouse.PassageClass, day)
		must(t, err)
	}
	if got := in.opened(t, held, other); string(got[0]) != "held" || got[1] != nil {
		t.Errorf("under the hold: %q", got)
	}
	time.Sleep(time.Until(h.Until) + 10*time.Millisecond)
	if got := in.opened(t, held); got[0] != nil {
		t.Errorf("after the hold's time, before anybody ended it: %q", got)
	}
	if n, err := in.vault.EndHolds(t.Context()); err != nil || n != 1 {
		t.Errorf("%d holds ended, %v", n, err)
	}
	if got := in.opened(t, held); got[0] != nil {
		t.Errorf("after the hold's end: %q", got)
	}
}

// leafEvents counts the log's leaves as "kind/event", of a vault that it closes and opens.
func (in *installation) leafEvents(t testing.TB) map[string]int {
	t.Helper()
	must(t, in.vault.Close())
	defer in.open(t)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(context.Background(), in.options.Dir, key)
	must(t, err)
	defer a.db.Close()
	rows, err := a.db.Readers().Query(`SELECT leaf FROM leaves`)
	must(t, err)
	defer rows.Close()
	events := map[string]int{}
	for rows.Next() {
		var leaf []byte
		must(t, rows.Scan(&leaf))
		kind, _, parts, err := gatehouse.LeafParts(leaf)
		must(t, err)
		events[fmt.Sprintf("%s/%s", kind, parts[0])]++
	}
	return events
}

// The key store is rewritten under fresh keys while values are sealed and the vault
// process is killed: whatever was acknowledged opens, and nothing is left under two
// keys.
func TestRewriteWhileSealing(t *testing.T) {
	in := install(t)
	var mu sync.Mutex
	var refs []gatehouse.SealedRef
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				where := someplace("detail")
				sealed, err := in.vault.Seal(context.Background(), gatehouse.RandomID(), gatehouse.PassageClass, where, where.Row[:], gatehouse.PadField)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				refs = append(refs, gatehouse.SealedRef{Where: where, Sealed: sealed})
				mu.Unlock()
			}
		})
	}
	kills := 0
	for round := range 6 {
		for _, file := range databases {
			if round%2 == 1 { // killed in the middle, or just before or behind it
				kills++
				time.AfterFunc(time.Duration(round*3)*time.Millisecond, in.kill)
			}
			held, err := in.vault.Rewrite(t.Context(), file)
			if err != nil && round%2 == 0 {
				t.Fatal(err)
			}
			t.Logf("%s: commits waited %v (%v)", file, held, err)
			in.awaitRestart(t, kills) // no kill of this round hits the next one
		}
	}
	close(stop)
	wg.Wait()
	in.reopen(t)
	for i, plain := range in.opened(t, refs...) {
		if !bytes.Equal(plain, refs[i].Where.Row[:]) {
			t.Fatalf("value %d of %d does not open", i, len(refs))
		}
	}
	if len(refs) < 20 {
		t.Errorf("only %d values were sealed meanwhile", len(refs))
	}
	_, err := in.vault.Rewrite(t.Context(), "vault.key")
	if err == nil {
		t.Error("what is no database was rewritten")
	}
}
