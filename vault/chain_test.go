package vault

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"

	"gatehouse"
)

// TestTheGateCannotReopen: with everything that the gate keeps after sealing, a
// value does not open; with what it had before, it does (the control).
func TestTheGateCannotReopen(t *testing.T) {
	in := install(t)
	subject := gatehouse.RandomID()
	in.sealOne(t, subject, "the chains exist now")
	before := states(in.vault)
	ref := in.sealOne(t, subject, "LS15EBC")
	after := states(in.vault)

	if opensWith(ref, before, 2) == nil {
		t.Fatal("the control fails: the states before sealing do not open the value")
	}
	for id, state := range after {
		if bytes.Equal(state[:], new([32]byte)[:]) {
			t.Fatalf("the state of chain %v is zero: the test looks at nothing", id)
		}
	}
	if opensWith(ref, after, 2*chainLength) != nil {
		t.Error("what the gate keeps opens what it sealed")
	}
}

// states copies all that the gate keeps of its live chains.
func states(v *Vault) map[gatehouse.ID][32]byte {
	v.live.mu.Lock()
	defer v.live.mu.Unlock()
	m := map[gatehouse.ID][32]byte{}
	for _, s := range v.live.slots {
		<-s.ready
		m[s.chain.id] = s.chain.state
	}
	return m
}

// opensWith tries every pair of secrets that follow from the states within steps.
func opensWith(ref gatehouse.SealedRef, states map[gatehouse.ID][32]byte, steps int) []byte {
	e, err := parseEnvelope(ref.Sealed)
	if err != nil {
		return nil
	}
	var candidates [2][][32]byte
	for i := range candidates {
		state := states[e.links[i].chain]
		for range steps {
			candidates[i] = append(candidates[i], itemSecretAt(&state), state)
			nextState(&state)
		}
	}
	// Both chains stepped together, as sealing does, and each against the other's
	// first few, which covers a chain that ran ahead.
	for i := range candidates[0] {
		for j := range candidates[1] {
			if i != j && i > 8 && j > 8 {
				continue
			}
			if plain, ok := openEnvelope(ref.Where, e, [][32]byte{candidates[0][i], candidates[1][j]}); ok {
				return plain
			}
		}
	}
	return nil
}

func TestChainSteps(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	c := newChain(gatehouse.RandomID(), seed)
	seen := map[[32]byte]bool{[32]byte(seed): true}
	for i := range chainLength {
		l, secret, ok := c.take()
		if !ok || int(l.position) != i || l.chain != c.id {
			t.Fatalf("item %d: %v, %v", i, l, ok)
		}
		if seen[secret] || seen[c.state] {
			t.Fatalf("item %d: a secret or a state came twice", i)
		}
		seen[secret], seen[c.state] = true, true
	}
	if _, _, ok := c.take(); ok {
		t.Error("a spent chain goes on")
	}
	if c.state != [32]byte{} {
		t.Error("a spent chain keeps its state")
	}
}

// TestChainsRollOver: 2,500 items of one subject use three chains, each from its
// first position on, and all of them open.
func TestChainsRollOver(t *testing.T) {
	in := install(t)
	subject := gatehouse.RandomID()
	var refs []gatehouse.SealedRef
	chains := map[gatehouse.ID]int{}
	for range 2500 {
		ref := in.sealOne(t, subject, "x")
		e, err := parseEnvelope(ref.Sealed)
		must(t, err)
		if chains[e.links[0].chain] != int(e.links[0].position) {
			t.Fatalf("position %d came when %d was due", e.links[0].position, chains[e.links[0].chain])
		}
		chains[e.links[0].chain]++
		refs = append(refs, ref)
	}
	if len(chains) != 3 {
		t.Errorf("%d chains were used, want 3", len(chains))
	}
	for i, plain := range in.opened(t, refs...) {
		if string(plain) != "x" {
			t.Fatalf("item %d does not open", i)
		}
	}
}

// TestRowIsBound: a row that is given another subject, class, day or place does
// not open.
func TestRowIsBound(t *testing.T) {
	private, err := kem().GenerateKey()
	must(t, err)
	keys := privateKeys{publicKeyName(private.PublicKey()): private}
	seed := bytes.Repeat([]byte{9}, 32)
	row := chainRow{Recipient: publicKeyName(private.PublicKey()), Place: place, ID: gatehouse.RandomID(), Kind: subjectChain, Subject: gatehouse.RandomID()}
	must(t, row.sealSeed(private.PublicKey(), seed))
	if got, err := row.openSeed(keys); err != nil || !bytes.Equal(got, seed) {
		t.Fatalf("the row itself: %v", err)
	}
	if len(row.Enc) != 1120 || len(row.Sealed) != 48 {
		t.Errorf("a row holds %d and %d bytes", len(row.Enc), len(row.Sealed))
	}
	for name, change := range map[string]func(*chainRow){
		"org":     func(r *chainRow) { r.Org = "evil" },
		"site":    func(r *chainRow) { r.Site = "south" },
		"id":      func(r *chainRow) { r.ID[3] ^= 1 },
		"kind":    func(r *chainRow) { r.Kind = dayChain },
		"subject": func(r *chainRow) { r.Subject[0] ^= 1 },
		"class":   func(r *chainRow) { r.Class = gatehouse.FrameClass },
		"day":     func(r *chainRow) { r.Day = "2026-11-22" },
	} {
		changed := row
		change(&changed)
		if _, err := changed.openSeed(keys); err == nil {
			t.Errorf("a row with another %s opens", name)
		}
	}
}

// TestBindIsInjective: no part can borrow bytes of its neighbour.
func TestBindIsInjective(t *testing.T) {
	lists := [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {}, {""}}
	seen := map[string]int{}
	for i, l := range lists {
		var parts [][]byte
		for _, p := range l {
			parts = append(parts, []byte(p))
		}
		b := string(bind(parts...))
		if j, ok := seen[b]; ok {
			t.Errorf("%q and %q give the same bytes", l, lists[j])
		}
		seen[b] = i
	}
}

// TestAppendsShareOneTransaction: what waits while a batch is written goes into the
// next one.
func TestAppendsShareOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var batches []int
		a := newAppender(func(_ context.Context, rows []chainRow) error {
			<-release
			batches = append(batches, len(rows))
			return nil
		})
		done := make(chan error, 50)
		for range 50 {
			go func() { done <- a.append(chainRow{}) }()
		}
		synctest.Wait() // a first batch is being written, the others wait
		close(release)
		for range 50 {
			must(t, <-done)
		}
		a.close()
		if len(batches) != 2 || batches[0]+batches[1] != 50 {
			t.Errorf("batches of %v rows", batches)
		}
		wantCode(t, a.append(chainRow{}), "sealing.unavailable")
	})
}
