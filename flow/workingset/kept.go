package workingset

import (
	"context"
	"maps"

	"gatehouse"
)

// PutKept keeps what another verb made of something with an id of its own: an access token
// (flow/tokens), a webhook, or the mark of a passage at a car park's lane (flow/stay). It takes the place of what the id had. Such an item is the
// only one of its id, so that it is deleted as a subject's items are.
func (s *Set) PutKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID, plain []byte) error {
	return s.put(ctx, kind, id, id, plain)
}

// Kept are all of a kind.
func (s *Set) Kept(kind gatehouse.WorkingKind) map[gatehouse.ID][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.kept[kind])
}

// RemoveKept forgets one, on disk and in memory.
func (s *Set) RemoveKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID) error {
	if err := s.store.DeleteWorking(ctx, s.place, id, kind); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept[kind], id)
	return nil
}

// keep is called with the lock held.
func (s *Set) keep(kind gatehouse.WorkingKind, id gatehouse.ID, plain []byte) {
	if s.kept[kind] == nil {
		s.kept[kind] = map[gatehouse.ID][]byte{}
	}
	s.kept[kind][id] = plain
}

// AccessVerifier is what is kept of an access token's text: HMAC-SHA256 under the site's
// random key, as of every other credential.
func (s *Set) AccessVerifier(token gatehouse.Secret) [32]byte {
	return s.verifier(string(gatehouse.AccessItem), token.Reveal())
}
