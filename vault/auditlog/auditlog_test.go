package auditlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const origin = "gatehouse/acme/north/0badcafe"

var (
	logKey     = NewLogSigner(origin, [32]byte{1})
	otherKey   = NewLogSigner(origin, [32]byte{2})
	witnessKey = NewWitnessSigner("gatehouse/acme/south/1/witness", [32]byte{3})
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}

// fixture is a log of n leaves with its stored hashes.
type fixture struct {
	tree   *Tree
	hashes []tlog.Hash
}

func grow(n int, salt string) *fixture {
	f := &fixture{tree: &Tree{}}
	for i := range n {
		f.hashes = append(f.hashes, f.tree.Append(fmt.Appendf(nil, "leaf %d%s", i, salt))...)
	}
	return f
}

func (f *fixture) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, f.hashes[i])
	}
	return out, nil
}

func (f *fixture) checkpoint(t testing.TB, key *Signer) string {
	t.Helper()
	signed, err := Sign(Checkpoint{Origin: origin, Size: f.tree.Size(), Root: f.tree.Root(), At: time.UnixMilli(1_800_000_000_123), Removals: NewRemovalList().Removals()}, key)
	must(t, err)
	return signed
}

// The tree is RFC 6962's, as the Go checksum database computes it.
func TestTreeIsTheStandardOne(t *testing.T) {
	for n := range 70 {
		f := grow(n, "")
		if int64(len(f.hashes)) != tlog.StoredHashCount(int64(n)) {
			t.Fatalf("%d leaves store %d hashes", n, len(f.hashes))
		}
		want, err := tlog.TreeHash(int64(n), f)
		must(t, err)
		if f.tree.Root() != want {
			t.Fatalf("the root of %d leaves is wrong", n)
		}
		again, err := Resume(int64(n), f)
		must(t, err)
		again.Append([]byte("more"))
		f.tree.Append([]byte("more"))
		if again.Root() != f.tree.Root() {
			t.Fatalf("a tree of %d leaves that is read again grows otherwise", n)
		}
	}
}

func TestCheckpointText(t *testing.T) {
	f := grow(5, "")
	signed := f.checkpoint(t, logKey)
	c, err := Open(signed, note.VerifierList(mustKey(t, logKey)))
	must(t, err)
	if c.Origin != origin || c.Size != 5 || c.Root != f.tree.Root() || c.At.UnixMilli() != 1_800_000_000_123 || c.Text()+"\n" != signed[:strings.Index(signed, "— ")] {
		t.Errorf("%+v\n%s", c, signed)
	}
	_, err = Open(signed, note.VerifierList(mustKey(t, otherKey)))
	wantCode(t, err, "audit.signature")
	_, err = Open(strings.Replace(signed, "\n5\n", "\n6\n", 1), note.VerifierList(mustKey(t, logKey)))
	wantCode(t, err, "audit.signature")
	for _, bad := range []string{"", "a\n", "a\n1\n", "a\n-1\nx\n", "a\n01\n" + c.Root.String() + "\n", "a\n1\nnot base64\n", "a\n1\n" + c.Root.String(), "\n1\n" + c.Root.String() + "\n",
		"a\n1\n" + c.Root.String() + "\n\nb\n", "a\n1\n" + c.Root.String() + "\ntime x\n", "a\n1\n" + c.Root.String() + "\nremovals 1 x\n"} {
		_, err := ParseCheckpoint(bad)
		wantCode(t, err, "audit.checkpoint")
	}
	// What other programs write behind the three lines is passed over.
	if _, err := ParseCheckpoint("a\n1\n" + c.Root.String() + "\nsomething of their own\n"); err != nil {
		t.Error(err)
	}
}

func mustKey(t testing.TB, s *Signer) Key {
	t.Helper()
	k, err := ParseKey(s.VerifierKey())
	must(t, err)
	return k
}

// The keys are those of other programs: x/mod reads a log's.
func TestKeysAreStandardOnes(t *testing.T) {
	v, err := note.NewVerifier(logKey.VerifierKey())
	must(t, err)
	if _, err := note.Open([]byte(grow(1, "").checkpoint(t, logKey)), note.VerifierList(v)); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "a", "a+1+b", strings.Replace(logKey.VerifierKey(), "north", "south", 1), logKey.VerifierKey()[:40]} {
		_, err := ParseKey(bad)
		wantCode(t, err, "audit.key")
	}
}

func TestProofs(t *testing.T) {
	f := grow(23, "")
	signed := f.checkpoint(t, logKey)
	keys := otherKey.VerifierKey() + "\n" + logKey.VerifierKey() + "\n"
	for i := range int64(23) {
		leaf := fmt.Appendf(nil, "leaf %d", i)
		p, err := Prove(leaf, i, 23, signed, f)
		must(t, err)
		b, err := json.Marshal(p)
		must(t, err)
		p = Proof{}
		must(t, json.Unmarshal(b, &p))
		must(t, Verify(keys, p, leaf))
		wantCode(t, Verify(keys, p, []byte("another")), "audit.proof")
		wantCode(t, Verify(otherKey.VerifierKey(), p, leaf), "audit.signature")
		for name, change := range map[string]func(*Proof){
			"leaf": func(p *Proof) { p.Leaf = []byte("another") }, "index": func(p *Proof) { p.Index = (p.Index + 1) % 23 },
			"size": func(p *Proof) { p.Size++ }, "negative": func(p *Proof) { p.Index = -1 }, "short": func(p *Proof) { p.Hashes = p.Hashes[1:] },
			"hash": func(p *Proof) { p.Hashes[0] = bytes.Repeat([]byte{1}, 32) }, "length": func(p *Proof) { p.Hashes[0] = p.Hashes[0][1:] },
			"many": func(p *Proof) { p.Hashes = make([][]byte, 1000) },
		} {
			q := p
			q.Hashes = append([][]byte(nil), p.Hashes...)
			change(&q)
			if err := Verify(keys, q, nil); gatehouse.ErrorCode(err) != "audit.proof" {
				t.Errorf("a proof with another %s: %v", name, err)
			}
		}
	}
}

func TestConsistent(t *testing.T) {
	old, grown, forked := grow(5, ""), grow(12, ""), grow(12, "!")
	at := func(f *fixture) Checkpoint {
		return Checkpoint{Origin: origin, Size: f.tree.Size(), Root: f.tree.Root()}
	}
	proof, err := tlog.ProveTree(12, 5, grown)
	must(t, err)
	must(t, Consistent(at(old), at(grown), proof))
	must(t, Consistent(at(grown), at(grown), nil))
	must(t, Consistent(Checkpoint{Origin: origin}, at(grown), nil))
	other, err := tlog.ProveTree(12, 5, forked)
	must(t, err)
	renamed := at(grown)
	renamed.Origin = "another"
	for name, err := range map[string]error{"forked": Consistent(at(old), at(forked), other), "no proof": Consistent(at(old), at(grown), nil), "shorter": Consistent(at(grown), at(old), proof),
		"same size": Consistent(at(forked), at(grown), nil), "renamed": Consistent(at(old), renamed, proof)} {
		if gatehouse.ErrorCode(err) != "audit.rolled_back" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWitnessRequest(t *testing.T) {
	f := grow(12, "")
	proof, err := tlog.ProveTree(12, 5, f)
	must(t, err)
	r := AddRequest{Old: 5, Proof: proof, Checkpoint: f.checkpoint(t, logKey)}
	got, err := ParseAddRequest(r.Encode())
	must(t, err)
	if got.Old != 5 || len(got.Proof) != len(proof) || got.Checkpoint != r.Checkpoint {
		t.Errorf("%+v", got)
	}
	line, cosigned, err := Cosign(r.Checkpoint, witnessKey)
	must(t, err)
	both := note.VerifierList(mustKey(t, logKey), mustKey(t, witnessKey))
	if _, err := Open(cosigned, both); err != nil {
		t.Error(err)
	}
	added, err := AddCosignature(r.Checkpoint, "— somebody else AAAAAAAA\n"+line, mustKey(t, witnessKey))
	if err != nil || added != cosigned {
		t.Errorf("%q, %v", added, err)
	}
	_, err = AddCosignature(f.checkpoint(t, otherKey), strings.Replace(line, "—", "-", 1), mustKey(t, witnessKey))
	wantCode(t, err, "audit.cosignature")
	for _, bad := range []string{"", "old 5\n", "old x\n\nc", "old -1\n\nc", "old 1\nzz\n\nc", "new 1\n\nc", "old 1\n" + strings.Repeat(proof[0].String()+"\n", 70) + "\nc"} {
		_, err := ParseAddRequest(bad)
		wantCode(t, err, "request.malformed")
	}
}

func TestListTakesOnlyWhatContinuesIt(t *testing.T) {
	l := List{filepath.Join(t.TempDir(), "witness")}
	keys := note.VerifierList(mustKey(t, logKey))
	grown := grow(9, "")
	add := func(f *fixture, known int64) error {
		return l.Add(f.checkpoint(t, logKey), keys, known, func(older, newer int64) ([]tlog.Hash, error) { return tlog.ProveTree(newer, older, f) })
	}
	wantCode(t, add(grow(4, ""), 4), "audit.witness_lost") // a medium that is not there is no new list
	must(t, add(grow(4, ""), 0))
	must(t, add(grown, 4))
	must(t, add(grown, 9)) // again: nothing to add
	wantCode(t, add(grow(5, ""), 0), "audit.rolled_back")
	wantCode(t, add(grow(20, "!"), 9), "audit.rolled_back")
	wantCode(t, add(grow(12, ""), 11), "audit.witness_lost")
	notes, err := l.Read()
	must(t, err)
	if len(notes) != 2 {
		t.Fatalf("%d checkpoints are in the file", len(notes))
	}
	// What a crash left of the next one is written over.
	b, err := os.ReadFile(l.Path)
	must(t, err)
	must(t, os.WriteFile(l.Path, append(b, b[:len(b)/3]...), 0o600))
	must(t, add(grow(12, ""), 9))
	if notes, err = l.Read(); err != nil || len(notes) != 3 {
		t.Fatalf("%d checkpoints, %v", len(notes), err)
	}
	must(t, os.WriteFile(l.Path, []byte("something\n\nelse\n\n"), 0o600))
	wantCode(t, add(grow(13, ""), 12), "audit.witness_damaged")
	l.Path = filepath.Join(t.TempDir(), "not", "there")
	wantCode(t, add(grown, 0), "audit.witness_unreachable")
}

// A list that is longer than what is read of its end.
func TestLongList(t *testing.T) {
	l := List{filepath.Join(t.TempDir(), "witness")}
	keys := note.VerifierList(mustKey(t, logKey))
	for n := 1; n <= 300; n++ {
		f := grow(n, "")
		must(t, l.Add(f.checkpoint(t, logKey), keys, int64(n-1), func(older, newer int64) ([]tlog.Hash, error) { return tlog.ProveTree(newer, older, f) }))
	}
	if info, err := os.Stat(l.Path); err != nil || info.Size() <= tail {
		t.Fatalf("%v: the file is no longer than its tail", err)
	}
	if notes, err := l.Read(); err != nil || len(notes) != 300 {
		t.Errorf("%d checkpoints, %v", len(notes), err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("old 5\n\nx", grow(3, "").checkpoint(f, logKey))
	keys := note.VerifierList(mustKey(f, logKey))
	f.Fuzz(func(t *testing.T, request, signed string) {
		_, _ = ParseAddRequest(request)
		_, _ = Peek(signed)
		_, _, _ = (List{}).split(signed)
		c, err := Open(signed, keys)
		if err == nil && (c.Size != 3 || c.Root != grow(3, "").tree.Root()) {
			t.Errorf("a checkpoint nobody signed: %+v", c)
		}
	})
}
