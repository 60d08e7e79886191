package workingset

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"

	"gatehouse"
)

// What a device signs with, or that it may not come in any more, is one item, sealed
// like every other:
//
//	offset  size  what
//	0       1     length of the device's id
//	1       n     the id
//	1+n     1     keyNone, keyEd25519 or keyRevoked
//	2+n     32    the public key, where there is one
const deviceKeyItem gatehouse.WorkingKind = "device_key"

const (
	keyNone    = 0
	keyEd25519 = 1
	keyRevoked = 2
)

// deviceKey is that item's content; a revoked device has no key.
type deviceKey struct {
	key     ed25519.PublicKey
	revoked bool
}

func decodeDeviceKey(b []byte) (k deviceKey, ok bool) {
	switch {
	case len(b) == 1 && b[0] == keyNone:
		return k, true
	case len(b) == 1 && b[0] == keyRevoked:
		return deviceKey{revoked: true}, true
	case len(b) == 1+ed25519.PublicKeySize && b[0] == keyEd25519:
		return deviceKey{key: b[1:]}, true
	}
	return k, false
}

func (s *Set) putDeviceKey(ctx context.Context, id gatehouse.DeviceID, state byte, key []byte) error {
	return s.put(ctx, deviceKeyItem, gatehouse.SubjectID{}, deviceRow(deviceKeyItem, id), joinDevice(id, append([]byte{state}, key...)))
}

// EnrolDeviceKey stores the key that the device signs with. A token that it had stops
// working, and a device that was revoked may come in again.
func (s *Set) EnrolDeviceKey(ctx context.Context, id gatehouse.DeviceID, key ed25519.PublicKey) error {
	if err := s.putDeviceKey(ctx, id, keyEd25519, key); err != nil {
		return err
	}
	return s.dropToken(ctx, id)
}

// RevokeDevice lets the device in no more: its key and token stop working, and its
// source address is forgotten. It may be repeated.
func (s *Set) RevokeDevice(ctx context.Context, id gatehouse.DeviceID) error {
	if err := s.putDeviceKey(ctx, id, keyRevoked, nil); err != nil {
		return err
	}
	if _, ok := s.Source(id); ok {
		if err := s.put(ctx, gatehouse.SourceItem, gatehouse.SubjectID{}, deviceRow(gatehouse.SourceItem, id), joinDevice(id, nil)); err != nil {
			return err
		}
	}
	return s.dropToken(ctx, id)
}

// dropToken replaces the token's verifier, where there is one, by one that fits nothing.
func (s *Set) dropToken(ctx context.Context, id gatehouse.DeviceID) error {
	s.mu.RLock()
	_, ok := s.tokens[id]
	s.mu.RUnlock()
	if !ok {
		return nil
	}
	var nobody [32]byte
	_, _ = rand.Read(nobody[:]) // never fails since Go 1.24
	return s.put(ctx, gatehouse.TokenItem, gatehouse.SubjectID{}, deviceRow(gatehouse.TokenItem, id), joinDevice(id, nobody[:]))
}

// readmit ends the revocation of a device that is given a token or source anew, and
// the key that it had: whoever has that key is not who was enrolled now.
func (s *Set) readmit(ctx context.Context, id gatehouse.DeviceID) error {
	s.mu.RLock()
	_, ok := s.keys[id]
	s.mu.RUnlock()
	if !ok {
		return nil
	}
	return s.putDeviceKey(ctx, id, keyNone, nil)
}

// DeviceKey returns what the device signs with; false where it has no key.
func (s *Set) DeviceKey(id gatehouse.DeviceID) (ed25519.PublicKey, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[id]
	return k.key, k.key != nil
}

// Revoked reports whether the device was revoked and not enrolled again.
func (s *Set) Revoked(id gatehouse.DeviceID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[id].revoked
}

// HasToken reports whether the device was given a token, which may have been replaced
// by one that fits nothing.
func (s *Set) HasToken(id gatehouse.DeviceID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.tokens[id]
	return ok
}
