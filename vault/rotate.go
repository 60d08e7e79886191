package vault

import (
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// The vault key is rotated in steps, each of them whole on disk, so that a kill at any
// moment leaves a vault that works and a rotation that can be gone on with:
//
//  1. The keyring gets a new key, with a slot for the credential that began it.
//  2. The key store pins the new public key: here the old key's private half is open,
//     which is its consent.
//  3. vault.pub becomes the new key; the gate seals new chains to it.
//  4. Row by row, the key store's seeds are sealed to the new key. Each row says which
//     key it is sealed to, and an unsealed vault holds both, so all of them open
//     meanwhile. What legal holds keep follows in the end. What the gate still sends for the old key is taken, and moved too.
//  5. When no row names the old key, its pin goes in the transaction that finds that
//     out: from then on the key store takes no row for it. It is retired, and its slots
//     are removed from the keyring.

// Where several sites' vault processes share the key pair, each of them does steps 2, 4
// and 5 for its own key store; steps 1 and 3, and taking the old key out of the keyring,
// are done once for all (rotate_shared.go), and each gate is told (successor.go).

// Rotation says how a rotation begins.
type Rotation struct {
	From, To string // names of the keys; From is the oldest that is not retired yet
	Resumed  bool   // it was begun before
	Left     int    // rows to be moved
	// OtherSlots is how many slots of the old key do not open the new one: their
	// credentials must be added again.
	OtherSlots int
}

// RotationProgress is how far a rotation is.
type RotationProgress struct {
	Moved   int // rows that this batch moved
	Left    int // rows that still name an old key; about, until Done
	Damaged int // of these, rows that do not open: nobody can move them
	Done    bool
	// Gate says that nothing is left but to hear that the gate elsewhere seals to the new
	// key: until then it may bring rows for the old one.
	Gate bool
}

// rotation is a rotation that this vault process carries out. Its keys lie on a page of
// their own, since it may outlast the lease of whoever began it.
type rotation struct {
	proof   [32]byte // SHA-256
	page    *keyPage
	from    []string // names of the keys on the page
	to      hpke.PublicKey
	after   int64 // the last row that was looked at
	left    int   // rows when it began, less those that were moved
	damaged int
	idle    *time.Timer // ends it; nil while a batch goes on
}

// rotationIdles is how long the old keys of a rotation are kept without a batch: the vault
// may be sealed meanwhile, and whoever began it may have gone. Calling Rotate goes on.
var rotationIdles = 2 * time.Minute

// end wipes the keys. The strongroom's lock is held.
func (r *rotation) end() {
	if r == nil {
		return
	}
	if r.idle != nil {
		r.idle.Stop()
	}
	r.page.free()
}

// waits lets the rotation end where no batch comes. The lock is held.
func (s *strongroom) waits(m *rotation) {
	m.idle = time.AfterFunc(rotationIdles, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.moving == m && m.idle != nil {
			m.end()
			s.moving = nil
		}
	})
}

// rotates reports whether the keys of a rotation are open.
func (s *strongroom) rotates() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moving != nil
}

// Rows of one transaction, and how long one call goes on.
const (
	rotateRows = 128
	rotateTime = 500 * time.Millisecond
)

func (s *service) handleRotate(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var reply Rotation
	var proof []byte
	var public []byte
	err := s.rotating(ctx, r, func(begun Rotation, to hpke.PublicKey, keys openKeys) error {
		if err := s.publish(to); err != nil {
			return err
		}
		var err error
		if proof, err = s.index.rekey(keys, to, func() ([]byte, error) { return s.room.move(keys, to, begun.Left) }); err != nil {
			return err
		}
		// What controls disclosures is sealed under the vault key, too.
		keys = keys.from(publicKeyName(to))
		defer keys.clear()
		if err := s.guard.rekey(ctx, keys); err != nil {
			return err
		}
		reply, public = begun, to.Bytes()
		return s.renewGenesis(keys)
	})
	if err != nil {
		return nil, nil, err
	}
	return reply, [][]byte{proof, public}, nil
}

// rotating calls f when steps 1 and 2 are done, with all keys of the rotation.
func (s *service) rotating(ctx context.Context, r *child.Request, f func(begun Rotation, to hpke.PublicKey, keys openKeys) error) error {
	var in keyRequest
	if err := withSecrets(r, &in, 1); err != nil {
		return err
	}
	c, err := s.credential(in.With, r.Blobs[0])
	if err != nil {
		return err
	}
	defer clear(c.Secret)
	if err := checkNewCredential(c, ""); err != nil { // the new key gets a slot for it
		return err
	}
	keys, err := s.room.unwrap(ctx, in.Operator, c)
	if err != nil {
		return err
	}
	defer func() { keys.clear() }()
	begun, to, err := s.beginRotation(ctx, in.Operator, c, &keys)
	if err != nil {
		return err
	}
	return f(begun, to, keys)
}

// publish is step 3.
func (s *service) publish(to hpke.PublicKey) error {
	if s.shared {
		return s.published(to)
	}
	if publicKeyName(s.room.current()) == publicKeyName(to) {
		return nil
	}
	return publishKey(s.room.dir, to)
}

// beginRotation does steps 1 and 2, or what is left of them. keys are those that c
// opens; a new one is added to them.
func (s *service) beginRotation(ctx context.Context, operator string, c gatehouse.Credential, keys *openKeys) (reply Rotation, to hpke.PublicKey, err error) {
	var target *ringKey
	var old []*ringKey
	err = changeKeyring(s.room.dir, func(ring *keyring) error {
		active := ring.active()
		target = active[len(active)-1]
		if len(active) == 1 {
			seed, slot, err := target.open(ctx, c)
			clear(seed[:])
			if err != nil {
				return err
			}
			made, seed, err := newRingKey()
			if err != nil {
				return err
			}
			defer clear(seed[:])
			id, err := made.addSlot(ctx, seed, c, slot.Label)
			if err != nil {
				return err
			}
			if err := s.recordKey(ctx, "rotation begun", target.Name, made.Name, operator); err != nil {
				return err
			}
			if len(ring.Keys) >= maxRingKeys { // the oldest are retired: only their names go
				ring.Keys = slices.Delete(ring.Keys, 0, 1)
			}
			ring.Keys = append(ring.Keys, made)
			*keys = append(*keys, openKey{name: made.Name, slot: id, seed: seed})
			target, active = made, append(active, made)
		} else {
			reply.Resumed = true
		}
		old = active[:len(active)-1]
		for _, k := range append(slices.Clone(old), target) {
			if !slices.ContainsFunc(*keys, func(o openKey) bool { return o.name == k.Name }) {
				return gatehouse.Errorf("vault.credential", "give the credential with which the rotation was begun", "a rotation is under way, and this opens only one of its keys")
			}
		}
		return nil
	})
	if err != nil {
		return reply, nil, err
	}
	if to, err = kem().NewPublicKey(target.Public); err != nil {
		return reply, nil, err
	}
	if err := s.keys.pin(ctx, to); err != nil {
		return reply, nil, err
	}
	reply.From, reply.To = old[0].Name, target.Name
	for _, k := range old {
		n, err := s.keys.sealedTo(ctx, k.Name)
		if err != nil {
			return reply, nil, err
		}
		reply.Left += n
	}
	reply.OtherSlots = max(0, len(old[0].Slots)-len(target.Slots))
	return reply, to, nil
}

// move takes the keys of a rotation and the new public key into the strongroom, in the
// place of an earlier call's, and gives the proof that batches ask for.
func (s *strongroom) move(keys openKeys, to hpke.PublicKey, left int) (proof []byte, err error) {
	page, err := newKeyPage()
	if err != nil {
		return nil, err
	}
	name := publicKeyName(to)
	m := &rotation{page: page, to: to, left: left}
	for _, k := range keys {
		if k.name != name {
			m.page.add(k.seed[:])
			m.from = append(m.from, k.name)
		}
	}
	proof = make([]byte, proofSize)
	random(proof)
	m.proof = sha256.Sum256(proof)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moving.end()
	s.moving = m
	s.waits(m)
	s.public = to
	s.expire()
	if len(s.leases) > 0 {
		s.hold(keys) // who has the vault open goes on reading, under the new key too
	}
	return proof, nil
}

func (s *service) handleRotateBatch(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in rotateBatchRequest
	if err := withSecrets(r, &in, 1); err != nil {
		return nil, nil, err
	}
	// One batch at a time; sealing the vault ends the rotation between two of them.
	s.moves.Lock()
	defer s.moves.Unlock()
	m, private, err := s.room.moved(r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	defer s.room.batchDone(m)
	var p RotationProgress
	for began := time.Now(); time.Since(began) < rotateTime; {
		moved, last, damaged, err := s.keys.reseal(ctx, private, m.to, m.after, rotateRows)
		if err != nil {
			return nil, nil, err
		}
		p.Moved += moved
		m.left, m.damaged = max(0, m.left-moved), m.damaged+damaged
		if last == 0 {
			return s.endOfRotation(ctx, m, private, p, in.Gate)
		}
		m.after = last
	}
	p.Left, p.Damaged = m.left, m.damaged
	return p, nil, nil
}

// endOfRotation is step 5, once every row was looked at. gate says that a gate elsewhere
// is waited for.
func (s *service) endOfRotation(ctx context.Context, m *rotation, private privateKeys, p RotationProgress, gate bool) (any, [][]byte, error) {
	moved, damaged, err := s.keys.resealHeld(ctx, private, m.to, rotateRows)
	if err != nil {
		return nil, nil, err
	}
	p.Moved, m.damaged = p.Moved+moved, m.damaged+damaged
	gate = gate && !s.room.followedBy(publicKeyName(m.to))
	var left int
	if gate {
		left, err = s.keys.sealedToAny(ctx, m.from)
	} else {
		left, err = s.keys.unpin(ctx, m.from)
	}
	if err != nil {
		return nil, nil, err
	}
	p.Left, p.Damaged = left, m.damaged
	m.left, m.after, m.damaged = left, 0, 0
	if gate || left > 0 {
		// Either a row came from the gate meanwhile, and the next batch moves it, or it
		// does not open: then it keeps its key until it is restored, or expires.
		looked := left == p.Damaged
		p.Done, p.Gate = looked && !gate, looked && gate
		return p, nil, nil
	}
	if s.shared { // other sites may need the key still
		s.room.endMove(m)
		p.Done = true
		return p, nil, nil
	}
	for _, name := range m.from {
		if err := s.recordKey(ctx, "retired", name); err != nil {
			return nil, nil, err
		}
	}
	now := time.Now().UTC().Truncate(time.Second)
	err = changeKeyring(s.room.dir, func(ring *keyring) error {
		for _, name := range m.from {
			if k := ring.find(name); k != nil && k.Retired == nil {
				k.Retired, k.Slots = &now, []keySlot{}
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	s.room.endMove(m)
	p.Done = true
	return p, nil, nil
}

// moved returns the rotation that a proof belongs to. Errors: vault.rotation.
func (s *strongroom) moved(proof []byte) (*rotation, privateKeys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := sha256.Sum256(proof)
	if s.moving == nil || subtle.ConstantTimeCompare(s.moving.proof[:], got[:]) != 1 {
		return nil, nil, gatehouse.Errorf("vault.rotation", "begin it again: it goes on where it was", "no rotation is under way here; the vault was sealed or started again")
	}
	private, err := privateKeysOn(s.moving.page, s.moving.from)
	if err != nil {
		return nil, nil, err
	}
	s.moving.idle.Stop()
	s.moving.idle = nil // the batch's own time does not count
	return s.moving, private, nil
}

// batchDone begins to wait for the next batch.
func (s *strongroom) batchDone(m *rotation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moving == m {
		s.waits(m)
	}
}

// endMove forgets the keys of a finished rotation, and the old keys of open leases.
func (s *strongroom) endMove(m *rotation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moving == m {
		m.end()
		s.moving = nil
	}
	name := publicKeyName(s.public)
	var seed [seedSize]byte
	defer clear(seed[:])
	if i := slices.Index(s.names, name); i >= 0 {
		copy(seed[:], s.page.at(i))
		s.page.wipe() // the vault stays unsealed
		s.page.add(seed[:])
		s.names = []string{name}
	}
}
