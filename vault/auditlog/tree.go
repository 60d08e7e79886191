package auditlog

import (
	"crypto/sha256"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the right edge of a Merkle tree: the hashes of its complete subtrees, the
// largest first. It is all that is needed to add leaves. The zero Tree is empty.
type Tree struct {
	size int64
	edge []tlog.Hash
}

// Resume reads the edge of a tree of the given size.
func Resume(size int64, hashes tlog.HashReader) (*Tree, error) {
	t := &Tree{size: size}
	var need []int64
	for start, rest := int64(0), size; rest > 0; {
		level := 0
		for int64(2)<<level <= rest {
			level++
		}
		need = append(need, tlog.StoredHashIndex(level, start>>level))
		start, rest = start+int64(1)<<level, rest-int64(1)<<level
	}
	if len(need) == 0 {
		return t, nil
	}
	var err error
	t.edge, err = hashes.ReadHashes(need)
	return t, err
}

// Clone returns a copy that grows on its own.
func (t *Tree) Clone() *Tree { return &Tree{t.size, slices.Clone(t.edge)} }

// Size is how many leaves the tree has.
func (t *Tree) Size() int64 { return t.size }

// Append adds the next leaf and returns the hashes to be stored for it, the first of
// them at tlog.StoredHashIndex(0, n), n being the leaf's number.
func (t *Tree) Append(leaf []byte) []tlog.Hash {
	h := tlog.RecordHash(leaf)
	stored := []tlog.Hash{h}
	for n := t.size; n&1 == 1; n >>= 1 {
		h = tlog.NodeHash(t.edge[len(t.edge)-1], h)
		t.edge = t.edge[:len(t.edge)-1]
		stored = append(stored, h)
	}
	t.edge = append(t.edge, h)
	t.size++
	return stored
}

// Root is the tree's hash; of an empty tree it is SHA-256 of nothing.
func (t *Tree) Root() tlog.Hash {
	if len(t.edge) == 0 {
		return sha256.Sum256(nil)
	}
	root := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.edge[i], root)
	}
	return root
}
