package workingset

import (
	"context"
	"maps"

	"gatehouse"
)

// PutAccount keeps what flow/accounts made of an account, in the place of what it had. An
// account is the only item of its id, so that it is deleted as a subject's items are.
func (s *Set) PutAccount(ctx context.Context, id gatehouse.AccountID, plain []byte) error {
	return s.put(ctx, gatehouse.AccountItem, id, id, plain)
}

// Accounts are all that are kept.
func (s *Set) Accounts() map[gatehouse.AccountID][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.accounts)
}

// RemoveAccount forgets an account, on disk and in memory.
func (s *Set) RemoveAccount(ctx context.Context, id gatehouse.AccountID) error {
	if err := s.store.DeleteWorking(ctx, s.place, id, gatehouse.AccountItem); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, id)
	return nil
}
