package vault

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// methodRebuild opens escrow items, from which the gate's working set is rebuilt.
const methodRebuild = "rebuild" // header openRequest, attachments: proof, sealed values; reply openReply, plaintexts

// MaxRebuild is how many items one call of Rebuild opens.
const MaxRebuild = 2000

func (s *service) rebuildHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodRebuild: s.handleRebuild}
}

// Rebuild opens escrow items, and nothing else: what the gate knew and must know again.
// It costs no budget, since the gate has all of it from boot on; it needs an operator's
// proof, and every call is an entry of the audit log. One that cannot be opened (erased
// since) is nil. Errors: vault.sealed, vault.forbidden, vault.too_many, vault.purpose,
// vault.operator, vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Rebuild(ctx context.Context, operator string, proof []byte, refs []gatehouse.SealedRef) ([][]byte, error) {
	request := openRequest{Operator: operator, Refs: make([]gatehouse.SealContext, len(refs))}
	blobs := append(make([][]byte, 0, 1+len(refs)), proof)
	for i, ref := range refs {
		request.Refs[i] = ref.Where
		blobs = append(blobs, ref.Sealed)
	}
	var reply openReply
	plain, err := v.process.Call(ctx, methodRebuild, request, blobs, &reply)
	if err != nil {
		return nil, err
	}
	if len(plain) != len(refs) || len(reply.Opened) != len(refs) {
		return nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process answered with %d values to %d", len(plain), len(refs))
	}
	for i, opened := range reply.Opened {
		if !opened {
			plain[i] = nil
		}
	}
	return plain, nil
}

func (s *service) handleRebuild(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in openRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1+len(in.Refs) || len(in.Refs) > MaxRebuild {
		return nil, nil, gatehouse.Errorf("vault.too_many", "ask for less at a time", "at most %d values are opened at a time", MaxRebuild)
	}
	for _, where := range in.Refs {
		if !strings.HasPrefix(where.Table, gatehouse.EscrowTable) {
			return nil, nil, gatehouse.Errorf("vault.purpose", "ask for a disclosure", "nothing but the working set's copies is opened for a rebuilding")
		}
	}
	if err := checkOperator(in.Operator); err != nil {
		return nil, nil, err
	}
	private, err := s.room.admit(in.Operator, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	leaf := gatehouse.EventLeaf(gatehouse.BackupLeafKind, time.Now(), "rebuild", in.Operator, strconv.Itoa(len(in.Refs)))
	if _, err := s.audit.record(ctx, leaf, nil); err != nil {
		return nil, nil, err
	}
	plain, err := s.openAll(ctx, private, in.Refs, r.Blobs[1:])
	if err != nil {
		return nil, nil, err
	}
	reply := openReply{Opened: make([]bool, len(plain))}
	for i := range plain {
		reply.Opened[i] = plain[i] != nil
	}
	return reply, plain, nil
}
