package vault

import (
	"context"

	"gatehouse"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/tlog"
)

// FollowedLeaf is an audit leaf of the gate's own files and its position in them.
type FollowedLeaf struct {
	Position uint64
	Leaf     []byte
}

// AuditCursor is the position in the gate's files up to which their leaves are in the
// audit log. Errors: vault.unavailable, vault.timeout, and the store's.
func (v *Vault) AuditCursor(ctx context.Context) (position uint64, err error) {
	_, err = v.process.Call(ctx, methodAuditCursor, nil, nil, &position)
	return position, err
}

// AuditFollow adds leaves of the gate's own files to the audit log, durably and in one
// transaction: at most 4,096, positions growing. What is there already is left out, so
// that a call whose answer was lost can be repeated. Errors: request.malformed,
// audit.foreign (a kind that only the vault process writes), audit.order (they do not
// continue what the log has), vault.unavailable, vault.timeout, and the store's.
func (v *Vault) AuditFollow(ctx context.Context, leaves []FollowedLeaf) error {
	positions, blobs := make([]uint64, len(leaves)), make([][]byte, len(leaves))
	for i, l := range leaves {
		positions[i], blobs[i] = l.Position, l.Leaf
	}
	_, err := v.process.Call(ctx, methodAuditFollow, positions, blobs, nil)
	return err
}

// Checkpoint returns a signed checkpoint of the audit log as it is now.
func (v *Vault) Checkpoint(ctx context.Context) (signed string, err error) {
	_, err = v.process.Call(ctx, methodAuditCheckpoint, nil, nil, &signed)
	return signed, err
}

// VerifierKey returns the audit log's verifier keys, one a line, the newest first:
// what auditlog.Verify takes.
func (v *Vault) VerifierKey(ctx context.Context) (string, error) {
	keys, err := v.AuditKeys(ctx)
	return keys.Log, err
}

// AuditKeys returns the public halves of the audit log's keys.
func (v *Vault) AuditKeys(ctx context.Context) (keys AuditKeys, err error) {
	_, err = v.process.Call(ctx, methodAuditKeys, nil, nil, &keys)
	return keys, err
}

// Prove proves that leaf number index stands in the log, in a checkpoint made now if
// need be. Errors: audit.not_found, and the process's.
func (v *Vault) Prove(ctx context.Context, index int64) (p auditlog.Proof, err error) {
	_, err = v.process.Call(ctx, methodAuditProve, index, nil, &p)
	return p, err
}

// Consistency proves that the log's tree of size newer holds its tree of size older
// (1 ≤ older ≤ newer). Errors: audit.not_found, and the process's.
func (v *Vault) Consistency(ctx context.Context, older, newer int64) (proof []tlog.Hash, err error) {
	_, err = v.process.Call(ctx, methodAuditConsistency, [2]int64{older, newer}, nil, &proof)
	return proof, err
}

// AuditLeaves lists leaves, the newest first; next goes into LeafQuery.Before, and is
// 0 at the end. A page may hold fewer than the limit, or none, though there are more.
func (v *Vault) AuditLeaves(ctx context.Context, q LeafQuery) (found []NumberedLeaf, next int64, err error) {
	var reply leavesReply
	blobs, err := v.process.Call(ctx, methodAuditLeaves, q, nil, &reply)
	if err != nil {
		return nil, 0, err
	}
	if len(blobs) != len(reply.Indexes) {
		return nil, 0, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process answered with %d leaves of %d", len(blobs), len(reply.Indexes))
	}
	for i, leaf := range blobs {
		found = append(found, NumberedLeaf{reply.Indexes[i], leaf})
	}
	return found, reply.Next, nil
}

// FindLeaf gives the number of the first leaf that names a passage, a disclosure or
// something else with an id. It fails with audit.not_found.
func (v *Vault) FindLeaf(ctx context.Context, id gatehouse.ID) (index int64, err error) {
	_, err = v.process.Call(ctx, methodAuditFind, id, nil, &index)
	return index, err
}

// RotateSigner gives the log a new key for its checkpoints, which the old one signs,
// and returns its verifier keys as VerifierKey does. Witnesses that know logs by their
// key must be told the new one.
func (v *Vault) RotateSigner(ctx context.Context) (keys string, err error) {
	_, err = v.process.Call(ctx, methodAuditRotate, nil, nil, &keys)
	return keys, err
}

// WitnessSize is the size of the newest checkpoint that the witness of this name has
// taken, 0 for none.
func (v *Vault) WitnessSize(ctx context.Context, name string) (size int64, err error) {
	_, err = v.process.Call(ctx, methodWitnessSize, name, nil, &size)
	return size, err
}

// WitnessTook keeps the checkpoint, with its cosignature if there is one, that the
// witness of this name has taken.
func (v *Vault) WitnessTook(ctx context.Context, name string, size int64, note string) error {
	_, err := v.process.Call(ctx, methodWitnessTook, witnessTook{Name: name, Note: note, Size: size}, nil, nil)
	return err
}

// Cosign answers another log as its witness; keys are the verifier keys of the logs
// that are known here, body the request. Errors: request.malformed, audit.unknown_log,
// audit.signature, audit.rolled_back, and the process's.
func (v *Vault) Cosign(ctx context.Context, keys []string, body []byte) (reply CosignReply, err error) {
	_, err = v.process.Call(ctx, methodWitnessCosign, keys, [][]byte{body}, &reply)
	return reply, err
}

// AuditForget drops what this vault has seen, as a witness, of another log, which may
// then begin anew with it. It fails with audit.unknown_log.
func (v *Vault) AuditForget(ctx context.Context, origin string) error {
	_, err := v.process.Call(ctx, methodWitnessForget, origin, nil, nil)
	return err
}
