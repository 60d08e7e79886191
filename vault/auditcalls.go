package vault

import (
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
)

// cursor is the position in the gate's files up to which the log has their leaves.
func (a *auditDB) cursor(ctx context.Context) (position uint64, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(position), 0) FROM leaves`).Scan(&position)
	return position, sealeddb.Wrap(auditFile, err)
}

// follow adds leaves of the gate's own files, in one transaction. Those up to the
// cursor are there already, and are left out.
func (a *auditDB) follow(ctx context.Context, entries []entry) error {
	// A call whose caller has given up may still be under way when the next one comes.
	a.following.Lock()
	defer a.following.Unlock()
	cursor, err := a.cursor(ctx)
	if err != nil {
		return err
	}
	var fresh []entry
	for _, e := range entries {
		switch {
		case e.position <= cursor:
			continue
		case e.position > math.MaxInt64 || len(fresh) > 0 && e.position <= fresh[len(fresh)-1].position:
			return gatehouse.Errorf("request.malformed", "this is a fault of the program", "positions must grow")
		case len(e.leaf) == 0 || len(e.leaf) > maxLeaf:
			return gatehouse.Errorf("request.malformed", "this is a fault of the program", "a leaf has 1 to %d bytes", maxLeaf)
		}
		fresh = append(fresh, e)
	}
	if len(fresh) == 0 {
		return nil
	}
	_, err = a.commit(ctx, fresh, nil)
	return err
}

func (a *auditDB) leaf(ctx context.Context, index int64) (leaf []byte, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT leaf FROM leaves WHERE n = ?`, index).Scan(&leaf)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notInLog()
	}
	return leaf, sealeddb.Wrap(auditFile, err)
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
