// Package escrow keeps, in the archive, a copy of everything that the gate must know,
// so that the working set, which is never backed up, can be rebuilt by the vault: after
// a restore, or where working.db or the gate key was lost.
package escrow

import (
	"context"
	"errors"
	"slices"

	"gatehouse"
)

// Store is a working store that writes the copy first, whoever puts an item: sealed
// under the subject's chain, so that erasing the subject erases the copy too. The day
// chain is of the record class, which does not expire by itself.
type Store struct {
	gatehouse.WorkingStore
	Gate   gatehouse.WorkingSealer
	Sealer gatehouse.Sealer
	Copies gatehouse.EscrowStore
	// Forget makes every copy of a subject's templates noise, old ones too. It may be
	// repeated.
	Forget func(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) error
}

var _ gatehouse.WorkingStore = (*Store)(nil)

// PutWorking implements gatehouse.WorkingStore. Where it fails between the two writes,
// the copy is newer than the item; putting again sets it right.
func (s *Store) PutWorking(ctx context.Context, items []gatehouse.WorkingItem) error {
	if err := s.copy(ctx, items, s.Copies.PutEscrow); err != nil {
		return err
	}
	return s.WorkingStore.PutWorking(ctx, items)
}

// ReplaceWorking implements gatehouse.WorkingStore: the copies of what was removed
// meanwhile do not come back either.
func (s *Store) ReplaceWorking(ctx context.Context, items []gatehouse.WorkingItem) error {
	if err := s.copy(ctx, items, s.Copies.ReplaceEscrow); err != nil {
		return err
	}
	return s.WorkingStore.ReplaceWorking(ctx, items)
}

// DeleteWorking implements gatehouse.WorkingStore. The item goes first, then what opens
// the copies of templates, whose consent was withdrawn, then the copies. Where it fails
// in between, deleting again sets it right.
func (s *Store) DeleteWorking(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID, kinds ...gatehouse.WorkingKind) error {
	if err := s.WorkingStore.DeleteWorking(ctx, place, subject, kinds...); err != nil {
		return err
	}
	if len(kinds) > 0 && !slices.ContainsFunc(kinds, escrowed) {
		return nil
	}
	if len(kinds) == 0 || slices.Contains(kinds, gatehouse.TemplateItem) {
		if err := s.Forget(ctx, place, subject); err != nil {
			return err
		}
	}
	return s.Copies.DeleteEscrow(ctx, place, subject, kinds...)
}

// escrowed reports whether an item of the kind has a copy. A vehicle's mark has none: the archive has its
// plate with the passage, for as long as that is kept, and a copy would outlast it.
func escrowed(kind gatehouse.WorkingKind) bool { return kind != gatehouse.MarkItem }

func (s *Store) copy(ctx context.Context, items []gatehouse.WorkingItem, write func(context.Context, []gatehouse.EscrowItem) error) error {
	items = slices.DeleteFunc(slices.Clone(items), func(i gatehouse.WorkingItem) bool { return !escrowed(i.Kind) })
	if len(items) == 0 {
		return nil
	}
	copies := make([]gatehouse.EscrowItem, len(items))
	for i, item := range items {
		plain, err := s.Gate.OpenWorking(item.Context(), item.Sealed)
		if err != nil {
			return err
		}
		e := gatehouse.EscrowItem{Place: item.Place, Kind: item.Kind, Subject: item.Subject, Row: item.Row}
		if e.Sealed, err = s.Sealer.Seal(ctx, item.Subject, gatehouse.RecordClass, e.Context(), plain, gatehouse.PadField); err != nil {
			return err
		}
		clear(plain)
		copies[i] = e
	}
	return write(ctx, copies)
}

// batch bounds what is sealed and written at once.
const batch = 256

// key names an item.
type key struct {
	gatehouse.Place
	kind gatehouse.WorkingKind
	row  gatehouse.ID
}

// Complete copies the items that have no copy yet, as those of a site that was made by
// an earlier version, and says how many there were. It may be repeated.
func (s *Store) Complete(ctx context.Context) (copied int, err error) {
	have := map[key]bool{}
	if err := s.Copies.Escrow(ctx, func(e gatehouse.EscrowItem) error { have[key{e.Place, e.Kind, e.Row}] = true; return nil }); err != nil {
		return 0, err
	}
	var missing []gatehouse.WorkingItem
	err = s.Working(ctx, func(item gatehouse.WorkingItem) error {
		if escrowed(item.Kind) && !have[key{item.Place, item.Kind, item.Row}] {
			missing = append(missing, item)
		}
		return nil
	})
	for err == nil && len(missing) > 0 {
		n := min(len(missing), batch)
		if err = s.copy(ctx, missing[:n], s.Copies.PutEscrow); err == nil {
			copied, missing = copied+n, missing[n:]
		}
	}
	return copied, err
}

// Lost reports whether there are copies and nothing that they are copies of: working.db
// is gone, and going on would begin a new working set over the copies of the old one.
func (s *Store) Lost(ctx context.Context) (lost bool, err error) {
	found := errors.New("there is one")
	err = s.Working(ctx, func(gatehouse.WorkingItem) error { return found })
	if !errors.Is(err, found) && err == nil {
		err = s.Copies.Escrow(ctx, func(gatehouse.EscrowItem) error { lost = true; return found })
	}
	if errors.Is(err, found) {
		err = nil
	}
	return lost, err
}

// Opener is the vault's call for rebuilding; what it cannot open is nil.
type Opener func(ctx context.Context, refs []gatehouse.SealedRef) ([][]byte, error)

// Rebuild makes the working set anew from its copies, sealed under the gate key that
// is in force now. open is given at most limit items at a time. lost counts the copies
// that do not open: their subjects were erased. It may be repeated.
func (s *Store) Rebuild(ctx context.Context, open Opener, limit int, progress func(done int)) (rebuilt, lost int, err error) {
	var waiting []gatehouse.EscrowItem
	flush := func() error {
		refs := make([]gatehouse.SealedRef, len(waiting))
		for i, e := range waiting {
			refs[i] = gatehouse.SealedRef{Where: e.Context(), Sealed: e.Sealed}
		}
		plain, err := open(ctx, refs)
		if err != nil {
			return err
		}
		items := make([]gatehouse.WorkingItem, 0, len(waiting))
		for i, e := range waiting {
			if plain[i] == nil {
				lost++
				continue
			}
			item := gatehouse.WorkingItem{Place: e.Place, Kind: e.Kind, Subject: e.Subject, Row: e.Row}
			if item.Sealed, err = s.Gate.SealWorking(item.Context(), plain[i]); err != nil {
				return err
			}
			clear(plain[i])
			items = append(items, item)
		}
		waiting = waiting[:0]
		if err := s.WorkingStore.PutWorking(ctx, items); err != nil {
			return err
		}
		rebuilt += len(items)
		progress(rebuilt + lost)
		return nil
	}
	// Read first: writing while a reader is open would keep the log from being emptied.
	var all []gatehouse.EscrowItem
	if err := s.Copies.Escrow(ctx, func(e gatehouse.EscrowItem) error { all = append(all, e); return nil }); err != nil {
		return 0, 0, err
	}
	for len(all) > 0 {
		n := min(len(all), limit)
		waiting, all = append(waiting, all[:n]...), all[n:]
		if err := flush(); err != nil {
			return rebuilt, lost, err
		}
	}
	return rebuilt, lost, nil
}
