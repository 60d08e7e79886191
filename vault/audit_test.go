package vault

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/auditlog"
)

// gateLeaves are leaves as the gate's files hold them, with gaps in their positions.
func gateLeaves(from, n int) (all []FollowedLeaf) {
	for i := range n {
		leaf := gatehouse.EventLeaf(gatehouse.DeviceLeafKind, time.UnixMilli(1_800_000_000_000), fmt.Sprint("leaf ", from+i), strings.Repeat("x", 150))
		all = append(all, FollowedLeaf{Position: uint64(3 * (from + i + 1)), Leaf: leaf})
	}
	return all
}

// verified verifies the log of an installation whose vault is closed.
func (in *installation) verified(t testing.TB, witnesses ...string) auditlog.Report {
	t.Helper()
	var r auditlog.Report
	var checks AuditChecks
	for _, path := range witnesses {
		if list, ok := ReadWitnessFile(path, &r); ok {
			checks.Lists = append(checks.Lists, list)
		}
	}
	f, err := VerifyAuditFile(t.Context(), in.options.Dir, in.gate, &r)
	must(t, err)
	if f != nil {
		result, err := f.AuditVerify(t.Context(), checks)
		must(t, err)
		result.Report.Findings = append(result.Report.Findings, r.Findings...)
		r = result.Report
		r.AddError(f.Inspect())
	}
	r.Close()
	return r
}

// events are the vault's own leaves, the oldest first, as "event part part".
func (in *installation) events(t testing.TB) (all []string) {
	t.Helper()
	leaves, _, err := in.vault.AuditLeaves(t.Context(), LeafQuery{Kind: gatehouse.VaultLeafKind, Limit: 1000})
	must(t, err)
	slices.Reverse(leaves)
	for _, l := range leaves {
		_, _, parts, err := gatehouse.LeafParts(l.Leaf)
		must(t, err)
		text := string(parts[0])
		if len(parts) > 1 && text != eventBegun {
			text += " " + string(parts[1])
		}
		all = append(all, text)
	}
	return all
}

func TestFollowedLeavesStandInTheLogOnce(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	leaves := gateLeaves(0, 700)
	must(t, in.vault.AuditFollow(ctx, leaves[:300]))
	must(t, in.vault.AuditFollow(ctx, leaves[200:500])) // its answer was lost, and the gate asks again
	in.reopen(t)
	cursor, err := in.vault.AuditCursor(ctx)
	must(t, err)
	if cursor != leaves[499].Position {
		t.Fatalf("the cursor is at %d", cursor)
	}
	must(t, in.vault.AuditFollow(ctx, leaves[500:]))
	wantCode(t, in.vault.AuditFollow(ctx, []FollowedLeaf{{9000, leaves[0].Leaf}, {8999, leaves[1].Leaf}}), "request.malformed")
	wantCode(t, in.vault.AuditFollow(ctx, []FollowedLeaf{{9000, nil}}), "request.malformed")
	found, _, err := in.vault.AuditLeaves(ctx, LeafQuery{Kind: gatehouse.DeviceLeafKind, Limit: 1000})
	must(t, err)
	if len(found) != len(leaves) {
		t.Fatalf("%d leaves are in the log, of %d", len(found), len(leaves))
	}
	for i, l := range found {
		if string(l.Leaf) != string(leaves[len(leaves)-1-i].Leaf) {
			t.Fatalf("leaf %d is not where it was committed", i)
		}
	}
	must(t, in.vault.Close())
	if r := in.verified(t); !r.OK || r.GateLeaves != int64(len(leaves)) || r.Unsigned != 0 || r.Checkpoints < 2 {
		t.Errorf("%+v", r)
	}
}

func TestProofsHoldWithFilesAlone(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	must(t, in.vault.AuditFollow(ctx, gateLeaves(0, 37)))
	old, err := in.vault.Checkpoint(ctx)
	must(t, err)
	early, err := in.vault.Prove(ctx, 5)
	must(t, err)
	_, err = in.vault.RotateSigner(ctx)
	must(t, err)
	must(t, in.vault.AuditFollow(ctx, gateLeaves(37, 20)))
	keys, err := in.vault.VerifierKey(ctx)
	must(t, err)
	if strings.Count(keys, "\n") != 2 || !strings.HasPrefix(keys, "gatehouse/acme/north/") {
		t.Fatalf("the keys are %q", keys)
	}
	must(t, auditlog.Verify(keys, early, early.Leaf))
	last, err := in.vault.Checkpoint(ctx)
	must(t, err)
	c, err := auditlog.Peek(last)
	must(t, err)
	for i := range c.Size {
		p, err := in.vault.Prove(ctx, i)
		must(t, err)
		must(t, auditlog.Verify(strings.Split(keys, "\n")[0], p, nil)) // the newest key alone
	}
	_, err = in.vault.Prove(ctx, c.Size)
	wantCode(t, err, "audit.not_found")
	older, err := auditlog.Peek(old)
	must(t, err)
	proof, err := in.vault.Consistency(ctx, older.Size, c.Size)
	must(t, err)
	must(t, auditlog.Consistent(older, c, proof))
	published, err := os.ReadFile(filepath.Join(in.options.Dir, verifierKeyFile))
	must(t, err)
	if string(published) != keys {
		t.Errorf("%s holds %q", verifierKeyFile, published)
	}
	must(t, in.vault.Close())
	if r := in.verified(t); !r.OK {
		t.Errorf("%+v", r)
	}
	in.open(t)
}

func TestWhatTheVaultDoesIsInTheLog(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	_, _, err := in.vault.Unseal(ctx, operator, "wrong "+passphrase, time.Hour)
	wantCode(t, err, "vault.passphrase")
	in.unseal(t)
	must(t, in.vault.SealVault(ctx))
	must(t, in.vault.SealVault(ctx)) // it is sealed: nothing happens
	_, _, err = in.vault.Unseal(ctx, operator, passphrase, 30*time.Millisecond)
	must(t, err)
	want := []string{"begun", "wrong passphrase " + operator, "unsealed " + operator, "sealed command", "unsealed " + operator, "sealed time"}
	for deadline := time.Now().Add(20 * time.Second); !slices.Equal(in.events(t), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log holds %q", in.events(t))
		}
	}
	in.unseal(t)
	in.kill() // the key goes with the process, and its next start says so
	in.awaitRestart(t, 1)
	in.unseal(t)
	in.reopen(t)
	want = append(want, "unsealed "+operator, "sealed ended", "unsealed "+operator, "sealed stopped")
	if got := in.events(t); !slices.Equal(got, want) {
		t.Errorf("the log holds %q", got)
	}
}

func TestALeafIsFoundByItsID(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	known, _, err := in.vault.AuditLeaves(ctx, LeafQuery{Limit: 1})
	must(t, err)
	before := known[0].Index + 1
	must(t, in.vault.Record(ctx, gatehouse.Disclosure{Operator: operator, Purpose: "live", Items: []string{"ring/1/picture"}}))
	p := gatehouse.Passage{Place: place, ID: gatehouse.NewID(time.Now()), At: time.Now()}
	must(t, in.vault.AuditFollow(ctx, []FollowedLeaf{{7, gatehouse.PassageLeaf(p, []byte("sealed"), nil)}}))
	list, err := in.vault.Disclosures(ctx, gatehouse.ID{}, 1)
	must(t, err)
	for id, want := range map[gatehouse.ID]int64{list[0].ID: before, p.ID: before + 1} {
		if n, err := in.vault.FindLeaf(ctx, id); err != nil || n != want {
			t.Errorf("%v stands at %d (%v), want %d", id, n, err, want)
		}
	}
	_, err = in.vault.FindLeaf(ctx, gatehouse.RandomID())
	wantCode(t, err, "audit.not_found")
}

// TestKilledWhileFollowing kills the vault process again and again under a gate that
// follows: nothing is missing and nothing is there twice.
func TestKilledWhileFollowing(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	leaves := gateLeaves(0, 6000)
	kills := 3
	for cursor := uint64(0); cursor < leaves[len(leaves)-1].Position; {
		at, _ := slices.BinarySearchFunc(leaves, cursor+1, func(l FollowedLeaf, p uint64) int { return int(l.Position) - int(p) })
		batch := leaves[at:min(at+64, len(leaves))]
		if at/64 >= 20*(4-kills) && kills > 0 {
			kills--
			go in.kill()
		}
		if err := in.vault.AuditFollow(ctx, batch); gatehouse.ErrorCode(err) == "vault.unavailable" {
			must(t, in.vault.process.Wait(ctx))
		} else {
			must(t, err)
		}
		var err error
		for cursor, err = in.vault.AuditCursor(ctx); gatehouse.ErrorCode(err) == "vault.unavailable"; cursor, err = in.vault.AuditCursor(ctx) {
			must(t, in.vault.process.Wait(ctx))
		}
		must(t, err)
	}
	if kills > 0 || in.vault.Process().Restarts < 3 {
		t.Errorf("the process was killed %d times", in.vault.Process().Restarts)
	}
	must(t, in.vault.Close())
	if r := in.verified(t); !r.OK || r.GateLeaves != int64(len(leaves)) {
		t.Errorf("%+v", r)
	}
	in.open(t)
	at := 0
	for page, after := []FollowedLeaf{{}}, uint64(0); len(page) > 0; {
		var err error
		page, err = in.vault.AuditGate(ctx, after)
		must(t, err)
		for _, l := range page {
			if at >= len(leaves) || l.Position != leaves[at].Position || string(l.Leaf) != string(leaves[at].Leaf) {
				t.Fatalf("leaf %d of the log is not leaf %d of the gate", at, at)
			}
			at++
			after = l.Position
		}
	}
	if at != len(leaves) {
		t.Errorf("%d leaves of %d", at, len(leaves))
	}
}

func TestCosignature(t *testing.T) {
	in, other := install(t), install(t)
	ctx := t.Context()
	keys, err := in.vault.AuditKeys(ctx)
	must(t, err)
	witness, err := other.vault.AuditKeys(ctx)
	must(t, err)
	witnessKey, err := auditlog.ParseKey(witness.Witness)
	must(t, err)
	known := []string{strings.TrimSpace(keys.Log)}
	ask := func(old int64) (CosignReply, string, error) {
		signed, err := in.vault.Checkpoint(ctx)
		must(t, err)
		c, err := auditlog.Peek(signed)
		must(t, err)
		r := auditlog.AddRequest{Old: old, Checkpoint: signed}
		if old > 0 && old < c.Size {
			r.Proof, err = in.vault.Consistency(ctx, old, c.Size)
			must(t, err)
		}
		reply, err := other.vault.Cosign(ctx, known, []byte(r.Encode()))
		return reply, signed, err
	}
	first, signed, err := ask(0)
	must(t, err)
	if _, err := auditlog.AddCosignature(signed, first.Line, witnessKey); err != nil {
		t.Fatal(err)
	}
	must(t, in.vault.AuditFollow(ctx, gateLeaves(0, 11)))
	if reply, _, err := ask(0); err != nil || !reply.Conflict || reply.Size != first.Size {
		t.Errorf("a wrong old size: %+v, %v", reply, err)
	}
	other.reopen(t) // its memory is on disk
	if reply, _, err := ask(first.Size); err != nil || reply.Conflict || reply.Size != first.Size+11 {
		t.Errorf("a proper one: %+v, %v", reply, err)
	}
	// A log that was restored from a backup begins anew once the witness's operator says so.
	origin := strings.SplitN(keys.Log, "+", 2)[0]
	must(t, other.vault.AuditForget(ctx, origin))
	if reply, _, err := ask(0); err != nil || reply.Conflict {
		t.Errorf("after it was forgotten: %+v, %v", reply, err)
	}
	wantCode(t, other.vault.AuditForget(ctx, "gatehouse/no/such/log"), "audit.unknown_log")
	if got := other.events(t); got[len(got)-1] != "witness forgot "+origin {
		t.Errorf("the witness's log holds %q", got)
	}
	// What is not this log's, or no request.
	stranger, err := other.vault.Checkpoint(ctx)
	must(t, err)
	for name, c := range map[string]struct{ body, code string }{
		"a log nobody configured": {auditlog.AddRequest{Checkpoint: stranger}.Encode(), "audit.unknown_log"},
		"no request":              {"hello", "request.malformed"},
		"no checkpoint":           {"old 0\n\nhello", "request.malformed"},
		"another's signature":     {auditlog.AddRequest{Checkpoint: strings.Replace(signed, "\ntime 1", "\ntime 2", 1)}.Encode(), "audit.signature"},
	} {
		_, err := other.vault.Cosign(ctx, known, []byte(c.body))
		if gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// A log that grows meanwhile is verified as it was at one moment.
func TestVerifyingWhileTheLogGrows(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	must(t, in.vault.AuditFollow(ctx, gateLeaves(0, 3000)))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 3000; ; n += 10 {
			select {
			case <-stop:
				return
			default:
			}
			if err := in.vault.AuditFollow(ctx, gateLeaves(n, 10)); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	last := int64(0)
	for range 5 {
		result, err := in.vault.AuditVerify(ctx, AuditChecks{})
		must(t, err)
		r := &result.Report
		if r.Close(); !r.OK || r.Size <= last {
			t.Errorf("%+v", r)
		}
		last = r.Size
	}
	close(stop)
	<-done
}

// Two that follow the same leaves at the same time (one whose caller gave up, and the
// next) add each of them once.
func TestFollowingTwiceAtOnce(t *testing.T) {
	in := install(t)
	leaves := gateLeaves(0, 400)
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for from := 0; from < len(leaves); from += 50 {
				if err := in.vault.AuditFollow(t.Context(), leaves[:from+50]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calls.Wait()
	must(t, in.vault.Close())
	if r := in.verified(t); !r.OK || r.GateLeaves != int64(len(leaves)) {
		t.Errorf("%+v", r)
	}
	in.open(t)
}
