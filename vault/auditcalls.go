package vault

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"math"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/tlog"
)

// Limits of what is followed at once.
const (
	maxFollowed = 4096
	maxLeaf     = 64 << 10

	// maxGap is how far positions jump between two leaves of the gate. Its files reserve
	// 65,536 at a time and lose what is left of them at a restart, so this is 256 starts
	// that committed nothing.
	maxGap = 1 << 24
)

// cursor is the position in the gate's files up to which the log has their leaves.
func (a *auditDB) cursor(ctx context.Context) (position uint64, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(position), 0) FROM leaves`).Scan(&position)
	return position, sealeddb.Wrap(auditFile, err)
}

// follow adds leaves of the gate's own files, in one transaction. Those up to the
// cursor are there already, and are left out; one that is another than the log has, or
// that the log passed over, is an error. Errors: request.malformed, audit.foreign,
// audit.order, and the store's.
func (a *auditDB) follow(ctx context.Context, entries []entry) error {
	// A call whose caller has given up may still be under way when the next one comes.
	a.following.Lock()
	defer a.following.Unlock()
	cursor, err := a.cursor(ctx)
	if err != nil {
		return err
	}
	var fresh []entry
	before, newest := uint64(0), cursor
	for _, e := range entries {
		switch {
		case e.position <= before || e.position > math.MaxInt64:
			return gatehouse.Errorf("request.malformed", "this is a fault of the program", "positions must grow")
		case len(e.leaf) == 0 || len(e.leaf) > maxLeaf:
			return gatehouse.Errorf("request.malformed", "this is a fault of the program", "a leaf has 1 to %d bytes", maxLeaf)
		case !gatehouse.LeafOfGate(e.leaf):
			return gatehouse.Errorf("audit.foreign", "look for who controls the server: the gate's own program writes none", "the gate offered a leaf of a kind that the vault process alone writes")
		}
		before = e.position
		if e.position <= cursor {
			if err := a.followed(ctx, e); err != nil {
				return err
			}
			continue
		}
		if e.position-newest > maxGap {
			return errOrder("a leaf stands %d positions behind the one before", e.position-newest)
		}
		newest, fresh = e.position, append(fresh, e)
	}
	if len(fresh) == 0 {
		return nil
	}
	_, err = a.commit(ctx, fresh, nil)
	return err
}

// followed checks that the log has a leaf of the gate, at that position.
func (a *auditDB) followed(ctx context.Context, e entry) error {
	var leaf []byte
	err := a.db.Readers().QueryRowContext(ctx, `SELECT leaf FROM leaves WHERE position = ?`, int64(e.position)).Scan(&leaf)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errOrder("the log has passed over position %d", e.position)
	case err != nil:
		return sealeddb.Wrap(auditFile, err)
	case !bytes.Equal(leaf, e.leaf):
		return errOrder("the log has another leaf at position %d", e.position)
	}
	return nil
}

func errOrder(format string, args ...any) error {
	return gatehouse.Errorf("audit.order", "`gatehouse audit verify` says what the log and the gate's files hold; if nobody put back an older copy of either, somebody altered them",
		"the gate's leaves do not continue the log: "+format, args...)
}

// leaf reads one leaf. One that stands as the gate's and is of a kind that only the
// vault process writes, or the other way round, is proved to nobody.
func (a *auditDB) leaf(ctx context.Context, index int64) (leaf []byte, err error) {
	var ofGate bool
	err = a.db.Readers().QueryRowContext(ctx, `SELECT leaf, position IS NOT NULL FROM leaves WHERE n = ?`, index).Scan(&leaf, &ofGate)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, notInLog()
	case err != nil:
		return nil, sealeddb.Wrap(auditFile, err)
	case gatehouse.LeafOfGate(leaf) != ofGate:
		return nil, gatehouse.Errorf("audit.foreign", "`gatehouse audit verify` finds it too", "entry %d was not written by whom its kind names: it proves nothing", index)
	}
	return leaf, nil
}

func notInLog() error {
	return gatehouse.Errorf("audit.not_found", "check the id; what was committed a moment ago is in the log within a second", "there is no such entry in the audit log")
}

// prove proves a leaf in the newest checkpoint that holds it.
func (a *auditDB) prove(ctx context.Context, index int64) (auditlog.Proof, error) {
	leaf, err := a.leaf(ctx, index)
	if err != nil {
		return auditlog.Proof{}, err
	}
	signed, err := a.checkpoint(ctx)
	if err != nil {
		return auditlog.Proof{}, err
	}
	c, err := auditlog.Peek(signed)
	if err != nil {
		return auditlog.Proof{}, err
	}
	p, err := auditlog.Prove(leaf, index, c.Size, signed, hashReader(ctx, a.db.Readers()))
	return p, sealeddb.Wrap(auditFile, err)
}

// consistency proves that the tree of size newer holds that of size older.
func (a *auditDB) consistency(ctx context.Context, older, newer int64) ([]tlog.Hash, error) {
	a.mu.Lock()
	size := a.tree.Size()
	a.mu.Unlock()
	if older < 1 || older > newer || newer > size {
		return nil, gatehouse.Errorf("audit.not_found", "ask for sizes that the log has had", "the log has %d entries", size)
	}
	if older == newer {
		return nil, nil
	}
	p, err := tlog.ProveTree(newer, older, hashReader(ctx, a.db.Readers()))
	return p, sealeddb.Wrap(auditFile, err)
}

// scanLimit bounds how many leaves one query looks at.
const scanLimit = 20_000

// leaves lists leaves, the newest first; next is where to go on, 0 at the end.
func (a *auditDB) leaves(ctx context.Context, q LeafQuery) (found []NumberedLeaf, next int64, err error) {
	before := q.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	limit := max(1, min(q.Limit, maxListing))
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT n, leaf FROM leaves WHERE n < ? ORDER BY n DESC LIMIT ?`, before, scanLimit)
	if err != nil {
		return nil, 0, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var l NumberedLeaf
		if err := rows.Scan(&l.Index, &l.Leaf); err != nil {
			return nil, 0, sealeddb.Wrap(auditFile, err)
		}
		next = l.Index
		kind, at, _, err := gatehouse.LeafParts(l.Leaf)
		if err != nil {
			return nil, 0, err
		}
		if q.Kind != "" && kind != q.Kind || !q.Since.IsZero() && at.Before(q.Since) || !q.Until.IsZero() && !at.Before(q.Until) {
			continue
		}
		if found = append(found, l); len(found) == limit {
			break
		}
	}
	return found, next, sealeddb.Wrap(auditFile, rows.Err())
}

// find gives the number of the leaf that records the passage, disclosure or other
// thing with this id: the first that names it in any part.
func (a *auditDB) find(ctx context.Context, id gatehouse.ID) (int64, error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT n, leaf FROM leaves WHERE instr(leaf, ?) > 0 OR instr(leaf, ?) > 0 ORDER BY n`, id[:], []byte(id.String()))
	if err != nil {
		return 0, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var leaf []byte
		if err := rows.Scan(&n, &leaf); err != nil {
			return 0, sealeddb.Wrap(auditFile, err)
		}
		_, _, parts, err := gatehouse.LeafParts(leaf)
		if err != nil {
			return 0, err
		}
		for _, p := range parts {
			if string(p) == string(id[:]) || string(p) == id.String() {
				return n, nil
			}
		}
	}
	if err := rows.Err(); err != nil {
		return 0, sealeddb.Wrap(auditFile, err)
	}
	return 0, notInLog()
}

func (s *service) handleAuditCursor(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	position, err := s.audit.cursor(ctx)
	return position, nil, err
}

func (s *service) handleAuditFollow(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var positions []uint64
	if err := r.Decode(&positions); err != nil {
		return nil, nil, err
	}
	if len(positions) != len(r.Blobs) || len(positions) > maxFollowed {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "every leaf needs its position, and at most %d are taken at once", maxFollowed)
	}
	entries := make([]entry, len(positions))
	for i, p := range positions {
		entries[i] = entry{p, r.Blobs[i]}
	}
	return nil, nil, s.audit.follow(ctx, entries)
}

func (s *service) handleAuditCheckpoint(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	signed, err := s.audit.checkpoint(ctx)
	return signed, nil, err
}

func (s *service) handleAuditKeys(context.Context, *child.Request) (any, [][]byte, error) {
	return s.audit.verifiers(), nil, nil
}

func (a *auditDB) verifiers() AuditKeys {
	a.mu.Lock()
	defer a.mu.Unlock()
	return AuditKeys{Log: a.signer.verifierKeys(), Witness: a.signer.witness.VerifierKey()}
}

func (s *service) handleAuditProve(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var index int64
	if err := r.Decode(&index); err != nil {
		return nil, nil, err
	}
	p, err := s.audit.prove(ctx, index)
	return p, nil, err
}

func (s *service) handleAuditConsistency(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var sizes [2]int64
	if err := r.Decode(&sizes); err != nil {
		return nil, nil, err
	}
	p, err := s.audit.consistency(ctx, sizes[0], sizes[1])
	return p, nil, err
}

func (s *service) handleAuditLeaves(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var q LeafQuery
	if err := r.Decode(&q); err != nil {
		return nil, nil, err
	}
	found, next, err := s.audit.leaves(ctx, q)
	reply := leavesReply{Next: next}
	blobs := make([][]byte, len(found))
	for i, l := range found {
		reply.Indexes = append(reply.Indexes, l.Index)
		blobs[i] = l.Leaf
	}
	return reply, blobs, err
}

func (s *service) handleAuditFind(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var id gatehouse.ID
	if err := r.Decode(&id); err != nil {
		return nil, nil, err
	}
	index, err := s.audit.find(ctx, id)
	return index, nil, err
}

func (s *service) handleAuditRotate(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	keys, err := s.audit.rotateSigner(context.WithoutCancel(ctx))
	return keys, nil, err
}
