package workingset

import (
	"context"
	"maps"

	"gatehouse"
)

// RemoveSubject forgets a subject for good, on disk and in memory: badge, templates,
// plates and verifiers. Nothing can be put for it any more. It may be repeated.
func (s *Set) RemoveSubject(ctx context.Context, id gatehouse.SubjectID) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	if s.gone == nil {
		s.gone = map[gatehouse.SubjectID]struct{}{}
	}
	s.gone[id] = struct{}{}
	s.templates.Lock() // a rekey may hold one of them in its hands
	defer s.templates.Unlock()
	s.gallery.Remove(s.place, id)
	s.mu.Lock()
	delete(s.badges, id)
	maps.DeleteFunc(s.plates, func(_ string, of gatehouse.SubjectID) bool { return of == id })
	maps.DeleteFunc(s.credentials, func(_ [32]byte, of gatehouse.SubjectID) bool { return of == id })
	s.mu.Unlock()
	return s.store.DeleteWorking(ctx, s.place, id)
}
