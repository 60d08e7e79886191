package vault

import (
	"context"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"

	"golang.org/x/mod/sumdb/tlog"
)

type rootRequest struct {
	Size int64
	// Leaves asks for the root of the leaves themselves, and not of the hashes that lie
	// beside them: from the one numbered From on, on top of the hashes of the complete
	// subtrees before it.
	Leaves   bool
	From     int64
	Subtrees []tlog.Hash
}

type rootReply struct {
	gatehouse.LogState
	Next     int64 // the first leaf that was not looked at
	Subtrees []tlog.Hash
}

// rootStep is how many leaves one call hashes: seconds.
const rootStep = 200_000

// LogRoot is the root that the log had at the size. It fails with audit.rolled_back
// where the log is shorter.
func (v *Vault) LogRoot(ctx context.Context, size int64) (root [32]byte, err error) {
	var reply rootReply
	_, err = v.process.Call(ctx, methodLogRoot, rootRequest{Size: size}, nil, &reply)
	return reply.Root, err
}

// RecomputeLogRoot is LogRoot from every leaf again (RFC 6962, 2.1). It fails with
// audit.damaged where the log has gaps.
func (v *Vault) RecomputeLogRoot(ctx context.Context, size int64) (root [32]byte, err error) {
	request := rootRequest{Size: size, Leaves: true}
	for request.From < size || size == 0 {
		var reply rootReply
		if _, err := v.process.Call(ctx, methodLogRoot, request, nil, &reply); err != nil {
			return root, err
		}
		if size == 0 {
			return reply.Root, nil
		}
		request.From, request.Subtrees = reply.Next, reply.Subtrees
	}
	hashes := request.Subtrees
	root = hashes[len(hashes)-1]
	for i := len(hashes) - 2; i >= 0; i-- {
		root = tlog.NodeHash(hashes[i], root)
	}
	return root, nil
}

// logState is the log's state at a size, -1 for now.
func logState(ctx context.Context, q queryer, size int64) (gatehouse.LogState, error) {
	var state gatehouse.LogState
	if err := q.QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM leaves`).Scan(&state.Size); err != nil {
		return state, sealeddb.Wrap(auditFile, err)
	}
	switch {
	case size > state.Size:
		return state, gatehouse.Errorf("audit.rolled_back", "somebody put an older log in its place; compare with the witness", "the audit log has %d entries, and had %d before", state.Size, size)
	case size >= 0:
		state.Size = size
	}
	root, err := tlog.TreeHash(state.Size, hashReader(ctx, q))
	state.Root = root
	return state, sealeddb.Wrap(auditFile, err)
}

func (s *service) handleLogRoot(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in rootRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	var reply rootReply
	var err error
	if reply.LogState, err = logState(ctx, s.audit.db.Readers(), max(0, in.Size)); err != nil {
		return nil, nil, err
	}
	if in.Leaves {
		reply.Next = min(reply.Size, in.From+rootStep)
		reply.Subtrees, err = s.audit.subtrees(ctx, in.From, reply.Next, in.Subtrees)
	}
	return reply, nil, err
}

// subtrees adds the leaves from one number to before another to the hashes of the
// complete subtrees before them, the largest first: one for every bit of from.
func (a *auditDB) subtrees(ctx context.Context, from, to int64, hashes []tlog.Hash) ([]tlog.Hash, error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT leaf FROM leaves WHERE n >= ? AND n < ? ORDER BY n`, from, to)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	n := from
	for ; rows.Next(); n++ {
		var leaf []byte
		if err := rows.Scan(&leaf); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		hashes = append(hashes, tlog.RecordHash(leaf))
		for bits := n; bits&1 == 1 && len(hashes) > 1; bits >>= 1 {
			last := len(hashes) - 1
			hashes = append(hashes[:last-1], tlog.NodeHash(hashes[last-1], hashes[last]))
		}
	}
	if err := rows.Err(); err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	if n != to {
		return nil, gatehouse.Errorf("audit.damaged", "restore the log from a backup", "the audit log has gaps")
	}
	return hashes, nil
}
