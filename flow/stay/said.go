package stay

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// Says notes what a driver typed who found the stay by it and now begins to pay. It is kept
// with the stay's mark, sealed and as long, and counts for nothing until the stay is paid: then
// it is a second reading of the plate, beside the entry's.
func (s *Stays) Says(ctx context.Context, stay gatehouse.ID, plate string) error {
	text := gatehouse.NormalizePlate(plate)
	return s.changeMark(ctx, stay, func(k *kept) bool {
		if k.Saying == text || !pairing.Near(k.Mark.Plate, text) {
			return false
		}
		k.Saying = text
		return true
	})
}

// paidUntil notes that a stay that is inside is paid. What its driver typed counts from now on.
func (s *Stays) paidUntil(ctx context.Context, stay gatehouse.ID, until time.Time) error {
	return s.changeMark(ctx, stay, func(k *kept) bool {
		if k.PaidUntil.Equal(until) && k.Saying == "" {
			return false
		}
		k.PaidUntil = until
		if k.Saying != "" {
			k.Said, k.Saying = k.Saying, ""
		}
		return true
	})
}

// changeMark changes the entry's mark of a stay that is inside, where it is kept still and
// change says that it did something.
func (s *Stays) changeMark(ctx context.Context, stay gatehouse.ID, change func(*kept) bool) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	r, ok := s.stillInside(stay)
	if !ok {
		return nil
	}
	s.mu.RLock()
	k, there := s.marks[r.EntryPassage]
	s.mu.RUnlock()
	if !there || !change(&k) {
		return nil
	}
	return s.putMark(ctx, r.EntryPassage, k)
}
