package workingset

import (
	"context"
	"maps"
	"slices"

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
	maps.DeleteFunc(s.credentials, func(_ [32]byte, of holder) bool { return of.subject == id })
	s.mu.Unlock()
	return s.store.DeleteWorking(ctx, s.place, id)
}

// RemoveItems forgets a subject's templates, plates or credentials, on disk and in memory.
// It may be repeated.
func (s *Set) RemoveItems(ctx context.Context, id gatehouse.SubjectID, kinds ...gatehouse.WorkingKind) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	s.templates.Lock()
	defer s.templates.Unlock()
	if slices.Contains(kinds, gatehouse.TemplateItem) {
		s.gallery.Remove(s.place, id)
	}
	s.mu.Lock()
	if slices.Contains(kinds, gatehouse.PlateItem) {
		maps.DeleteFunc(s.plates, func(_ string, of gatehouse.SubjectID) bool { return of == id })
	}
	maps.DeleteFunc(s.credentials, func(_ [32]byte, of holder) bool { return of.subject == id && slices.Contains(kinds, of.kind) })
	s.mu.Unlock()
	return s.store.DeleteWorking(ctx, s.place, id, kinds...)
}
