package vault

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"
)

// verification is the one that runs in the vault process, in the background, since it
// may take longer than a call may.
type verification struct {
	mu        sync.Mutex
	running   bool
	done, all int64
	result    *AuditResult
	err       error
	stop      context.CancelFunc
}

type verifyReply struct {
	Finished  bool
	Done, All int64
}

// beginVerify starts verifying and returns once the state that is verified is fixed.
func (s *service) beginVerify(checks AuditChecks) error {
	v := &s.verification
	ctx, stop := context.WithCancel(context.Background())
	if !v.start(stop) {
		stop()
		return gatehouse.Errorf("audit.verifying", "wait until it has finished", "the log is being verified already")
	}
	checks.Progress = func(done, all int64) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.done, v.all = done, all
	}
	fixed := make(chan struct{})
	once := sync.OnceFunc(func() { close(fixed) })
	s.reports.Go(func() {
		defer stop()
		result, err := s.audit.verify(ctx, s.keys, s.audit.signer.dir, checks, once)
		once()
		v.mu.Lock()
		defer v.mu.Unlock()
		v.running, v.result, v.err = false, &result, err
	})
	<-fixed
	return nil
}

// start reports whether nobody is verifying already.
func (v *verification) start(stop context.CancelFunc) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.running {
		return false
	}
	v.running, v.done, v.all, v.result, v.err, v.stop = true, 0, 0, nil, nil, stop
	return true
}

func (v *verification) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stop != nil {
		v.stop()
	}
}

func (s *service) handleAuditVerify(_ context.Context, r *child.Request) (any, [][]byte, error) {
	if len(r.Blobs) == 1 {
		var lists []WitnessList
		if err := json.Unmarshal(r.Blobs[0], &lists); err != nil {
			return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the witness lists cannot be read")
		}
		return verifyReply{}, nil, s.beginVerify(AuditChecks{Lists: lists})
	}
	v := &s.verification
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.err != nil:
		return nil, nil, v.err
	case v.running:
		return verifyReply{Done: v.done, All: v.all}, nil, nil
	case v.result == nil:
		return nil, nil, gatehouse.Errorf("audit.not_verified", "begin again", "the log is not being verified")
	}
	b, err := json.Marshal(v.result)
	return verifyReply{Finished: true, Done: v.done, All: v.all}, [][]byte{b}, err
}

// AuditVerify recomputes the log as it is now, while it goes on growing. Errors:
// audit.verifying (somebody else does), and the process's.
func (v *Vault) AuditVerify(ctx context.Context, checks AuditChecks) (result AuditResult, err error) {
	if checks.Lists == nil {
		checks.Lists = []WitnessList{}
	}
	lists, err := json.Marshal(checks.Lists)
	if err != nil {
		return result, err
	}
	if _, err := v.process.Call(ctx, methodAuditVerify, nil, [][]byte{lists}, nil); err != nil {
		return result, err
	}
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for {
		var reply verifyReply
		blobs, err := v.process.Call(ctx, methodAuditVerify, nil, nil, &reply)
		if err != nil {
			return result, err
		}
		if checks.Progress != nil && reply.All > 0 {
			checks.Progress(reply.Done, reply.All)
		}
		if reply.Finished && len(blobs) == 1 {
			err := json.Unmarshal(blobs[0], &result)
			return result, err
		}
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-beat.C:
		}
	}
}

// gate lists leaves of the gate's own files behind a position, in order.
func (a *auditDB) gate(ctx context.Context, after uint64) (all []FollowedLeaf, err error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT position, leaf FROM leaves WHERE position > ? ORDER BY position LIMIT ?`, int64(min(after, 1<<62)), pageSize)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var l FollowedLeaf
		if err := rows.Scan(&l.Position, &l.Leaf); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		all = append(all, l)
	}
	return all, sealeddb.Wrap(auditFile, rows.Err())
}

func (s *service) handleAuditGate(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var after uint64
	if err := r.Decode(&after); err != nil {
		return nil, nil, err
	}
	all, err := s.audit.gate(ctx, after)
	positions, blobs := make([]uint64, len(all)), make([][]byte, len(all))
	for i, l := range all {
		positions[i], blobs[i] = l.Position, l.Leaf
	}
	return positions, blobs, err
}

// AuditGate lists the leaves of the gate's own files that the log has behind a
// position, up to 1,000, in order.
func (v *Vault) AuditGate(ctx context.Context, after uint64) (all []FollowedLeaf, err error) {
	var positions []uint64
	blobs, err := v.process.Call(ctx, methodAuditGate, after, nil, &positions)
	if err != nil {
		return nil, err
	}
	if len(blobs) != len(positions) {
		return nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process answered with %d leaves of %d", len(blobs), len(positions))
	}
	for i, p := range positions {
		all = append(all, FollowedLeaf{p, blobs[i]})
	}
	return all, nil
}

// ReadWitnessFile reads a witness file for AuditChecks; what is wrong with it is a
// finding.
func ReadWitnessFile(path string, report *auditlog.Report) (list WitnessList, ok bool) {
	notes, err := auditlog.List{Path: path}.Read()
	report.AddError(err)
	return WitnessList{Name: WitnessFileName(path), Notes: notes}, err == nil
}
