package vault

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// A rebuilding opens what the gate knew, faces too, and costs no budget. So it is no
// right of a lease, which a server holds for its operators: it takes the vault's
// credential itself, and what that gives serves for nothing else.
const (
	methodBeginRebuild = "begin-rebuild" // header keyRequest, attachment: the credential's secret; reply unsealReply, attachment: a proof
	methodRebuild      = "rebuild"       // header openRequest, attachments: that proof, sealed values; reply openReply, plaintexts
)

// MaxRebuild is how many items one call of Rebuild opens.
const MaxRebuild = 2000

// rebuildLasts is how long a rebuilding may take.
const rebuildLasts = time.Hour

// rebuilding is one that somebody began with the vault's credential. Its keys lie on a
// page of their own: the vault may be sealed.
type rebuilding struct {
	lease
	page  *keyPage
	names []string
	timer *time.Timer
}

func (r *rebuilding) end() {
	if r != nil {
		r.timer.Stop()
		r.page.free()
	}
}

func (s *service) rebuildHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodBeginRebuild: s.handleBeginRebuild, methodRebuild: s.handleRebuild}
}

// BeginRebuild gives the proof that Rebuild asks for, good for an hour or until the
// vault is sealed by a command; one that was begun before ends. It is an entry of the
// audit log. Errors: vault.canary, vault.operator, and UnsealWith's about the credential.
func (d Desk) BeginRebuild(ctx context.Context, operator string, with gatehouse.Credential) (proof []byte, until time.Time, err error) {
	var reply unsealReply
	blobs, err := d.with(ctx, methodBeginRebuild, request(operator, with), with, &reply)
	if err == nil && (len(blobs) != 1 || len(blobs[0]) != proofSize) {
		err = gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault gave no proof")
	}
	if err != nil {
		return nil, until, err
	}
	return blobs[0], reply.Until, nil
}

// Rebuild opens escrow items, and nothing else: what the gate knew and must know again.
// It costs no budget, since the gate has all of it from boot on; it needs BeginRebuild's
// proof (a lease's is none), and every call is an entry of the audit log. One that cannot
// be opened (erased since, or its consent withdrawn) is nil. Errors: vault.forbidden,
// vault.too_many, vault.purpose, vault.operator, vault.unavailable, vault.timeout, and
// the store's.
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

func (s *service) handleBeginRebuild(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in keyRequest
	if err := withSecrets(r, &in, 1); err != nil {
		return nil, nil, err
	}
	with, err := s.credential(in.With, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	defer clear(with.Secret)
	if err := checkOperator(in.Operator); err != nil {
		return nil, nil, err
	}
	if err := s.guard.shut(); err != nil {
		return nil, nil, err
	}
	var proof []byte
	var until time.Time
	err = s.room.withKeys(ctx, in.Operator, with, func(keys openKeys) error {
		leaf := gatehouse.EventLeaf(gatehouse.BackupLeafKind, time.Now(), "rebuild begun", in.Operator)
		if _, err := s.audit.record(context.WithoutCancel(ctx), leaf, nil); err != nil {
			return err
		}
		var err error
		proof, until, err = s.room.beginRebuild(in.Operator, keys)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return unsealReply{Until: until}, [][]byte{proof}, nil
}

// beginRebuild keeps the keys for a rebuilding, in the place of an earlier one's.
func (s *strongroom) beginRebuild(operator string, keys openKeys) (proof []byte, until time.Time, err error) {
	page, err := newKeyPage()
	if err != nil {
		return nil, until, err
	}
	r := &rebuilding{page: page}
	for _, k := range keys {
		page.add(k.seed[:])
		r.names = append(r.names, k.name)
	}
	proof = make([]byte, proofSize)
	random(proof)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.lease = lease{operator: operator, proof: sha256.Sum256(proof), until: s.now().Add(rebuildLasts)}
	r.timer = time.AfterFunc(rebuildLasts, func() { s.endRebuild(r) })
	s.rebuilding.end()
	s.rebuilding = r
	return proof, r.until, nil
}

func (s *strongroom) endRebuild(r *rebuilding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rebuilding == r {
		r.end()
		s.rebuilding = nil
	}
}

// rebuilds gives the keys to a rebuilding that was begun. It fails with vault.forbidden.
func (s *strongroom) rebuilds(operator string, proof []byte) (privateKeys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := sha256.Sum256(proof)
	r := s.rebuilding
	if r == nil || r.ended(s.now()) || subtle.ConstantTimeCompare(r.proof[:], got[:]) != 1 || !covers(r.operator, operator) {
		return nil, gatehouse.Errorf("vault.forbidden", "give the vault's credential: `gatehouse keys rebuild-working-set`, or `gatehouse vault unseal --rebuild` on the vault's machine",
			"nobody began a rebuilding of the working set with the vault's credential, or its time is over")
	}
	return privateKeysOn(r.page, slices.Clone(r.names))
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
	if err := s.guard.shut(); err != nil {
		return nil, nil, err
	}
	private, err := s.room.rebuilds(in.Operator, r.Blobs[0])
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
