package auditlog

import (
	"bytes"

	"gatehouse"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows, with the log's verifier key and nothing else, that a leaf stands in
// the log. As JSON, bytes are base64.
type Proof struct {
	Leaf       []byte   `json:"leaf"`
	Index      int64    `json:"index"`      // of the leaf, from 0
	Size       int64    `json:"size"`       // of the tree, greater than Index
	Hashes     [][]byte `json:"hashes"`     // RFC 6962's audit path, 32 bytes each
	Checkpoint string   `json:"checkpoint"` // of that size, a signed note
}

// Prove makes the proof of a leaf in the tree of a signed checkpoint.
func Prove(leaf []byte, index, size int64, checkpoint string, hashes tlog.HashReader) (Proof, error) {
	path, err := tlog.ProveRecord(size, index, hashes)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{Leaf: leaf, Index: index, Size: size, Hashes: make([][]byte, len(path)), Checkpoint: checkpoint}
	for i := range path {
		p.Hashes[i] = path[i][:]
	}
	return p, nil
}

// Verify checks that p proves leaf (nil for whatever leaf stands in p) under the log's
// verifier key; several keys of one log may be given, one a line. Errors: audit.key,
// audit.checkpoint, audit.signature, audit.proof.
func Verify(vkey string, p Proof, leaf []byte) error {
	wrong := func(why string) error {
		return gatehouse.Errorf("audit.proof", "ask for the proof again; if it stays so, the log or the proof was altered", "the proof does not hold: %s", why)
	}
	keys, err := ParseKeys(vkey)
	if err != nil {
		return err
	}
	c, err := Open(p.Checkpoint, keys)
	switch {
	case err != nil:
		return err
	case c.Size != p.Size || p.Index < 0 || p.Index >= p.Size:
		return wrong("its numbers do not fit its checkpoint")
	case leaf != nil && !bytes.Equal(leaf, p.Leaf):
		return wrong("it is the proof of another leaf")
	case len(p.Hashes) > 64:
		return wrong("it is too long")
	}
	path := make(tlog.RecordProof, len(p.Hashes))
	for i, h := range p.Hashes {
		if len(h) != tlog.HashSize {
			return wrong("a hash has the wrong length")
		}
		path[i] = tlog.Hash(h)
	}
	if tlog.CheckRecord(path, p.Size, c.Root, p.Index, tlog.RecordHash(p.Leaf)) != nil {
		return wrong("the leaf does not stand in the log at that place")
	}
	return nil
}

// Consistent checks that the newer checkpoint's log is the older one's with leaves
// added behind, by the proof that tlog.ProveTree makes (empty where they have the same
// size). It fails with audit.rolled_back.
func Consistent(older, newer Checkpoint, proof []tlog.Hash) error {
	back := func(format string, args ...any) error {
		return gatehouse.Errorf("audit.rolled_back", "compare the log with its witnesses and backups: `gatehouse audit verify --witness FILE`", format, args...)
	}
	switch {
	case older.Origin != newer.Origin:
		return back("the witness knows the log under another name: another log has taken its place")
	case newer.Size < older.Size:
		return back("the log has %d entries, and had %d before: it was rolled back or cut", newer.Size, older.Size)
	case newer.Size == older.Size && newer.Root != older.Root:
		return back("the log has another past than its witness saw, at %d entries", older.Size)
	case newer.Size == older.Size || older.Size == 0:
		return nil
	}
	if len(proof) > 64 || tlog.CheckTree(proof, newer.Size, newer.Root, older.Size, older.Root) != nil {
		return back("the log has another past than its witness saw, at %d entries", older.Size)
	}
	return nil
}
