package workingset

import (
	"context"
	"crypto/rand"
	"encoding/binary"

	"gatehouse"
)

// Templates lie turned by the gallery's secret seed, so that what is stolen of one
// gallery compares with no other, and with no later state of itself. The seeds are an
// item of their own, sealed like every other:
//
//	offset  size  what
//	0       4     generation, big-endian, from 1
//	4       32    seed
//
// once, or twice while a rekey is under way: the older first.
//
// A template is
//
//	0       1     1
//	1       4     generation of the seed it is turned by
//	5       4·n   float32, little-endian
//
// or, from before there were seeds, the numbers alone. Its length tells the two apart.
const (
	galleryItem  gatehouse.WorkingKind = "gallery"
	seedSize                           = 4 + 32
	templateHead                       = 1 + 4
)

var galleryRow = gatehouse.ID{0: 2}

// seed is one generation of the gallery's secret; generation 0 turns nothing.
type seed struct {
	generation uint32
	secret     [32]byte
}

// rekeyBatch is how many templates are written in one transaction.
const rekeyBatch = 256

func newSeed(generation uint32) seed {
	s := seed{generation: generation}
	_, _ = rand.Read(s.secret[:]) // never fails since Go 1.24
	return s
}

// Rekey gives the gallery a new secret seed and turns every stored template from the
// old one to it, without new photos. Doors go on working; only what adds or removes a
// template waits. A call that was interrupted is finished by the next start, or by the
// next call, which then begins another rekey. It returns how many templates were
// turned. No enrolment may be under way that made its items before: see
// enroll.Enroller.Alone.
func (s *Set) Rekey(ctx context.Context) (int, error) {
	s.templates.Lock()
	defer s.templates.Unlock()
	if _, err := s.finishRekey(ctx); err != nil {
		return 0, err
	}
	old := s.current
	next := newSeed(old.generation + 1)
	if err := s.putSeeds(ctx, old, next); err != nil {
		return 0, err
	}
	s.gallery.Rotate(s.place, next.secret)
	s.setSeeds(next, old)
	return s.finishRekey(ctx)
}

// finishRekey turns on disk what is not under the current seed yet, and forgets the
// older one. The caller holds s.templates.
func (s *Set) finishRekey(ctx context.Context) (int, error) {
	if s.previous.generation == 0 {
		return 0, nil
	}
	var stale []gatehouse.WorkingItem
	err := s.store.Working(ctx, func(item gatehouse.WorkingItem) error {
		if item.Place != s.place || item.Kind != gatehouse.TemplateItem {
			return nil
		}
		turned, _, changed, err := s.turned(item)
		if changed {
			stale = append(stale, turned)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(stale), s.settle(ctx, stale)
}

// settle replaces templates by their turned form and then keeps the current seed alone.
func (s *Set) settle(ctx context.Context, stale []gatehouse.WorkingItem) error {
	for rest := stale; len(rest) > 0; {
		n := min(len(rest), rekeyBatch)
		// Replace: what was erased meanwhile must not come back.
		if err := s.store.ReplaceWorking(ctx, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if s.previous.generation != 0 {
		if err := s.putSeeds(ctx, s.current); err != nil {
			return err
		}
		s.setSeeds(s.current, seed{})
	}
	return nil
}

// turned opens a template's item and gives it, and its numbers, under the current
// seed; changed says whether it was under another.
func (s *Set) turned(item gatehouse.WorkingItem) (_ gatehouse.WorkingItem, template []float32, changed bool, err error) {
	plain, err := s.open(item)
	if err != nil {
		return item, nil, false, err
	}
	generation, template, ok := decodeTemplate(plain)
	if !ok {
		return item, nil, false, malformed(item.Kind)
	}
	current, previous := s.seeds()
	from := seed{}
	switch generation {
	case current.generation:
		return item, template, false, nil
	case previous.generation:
		from = previous
	case 0:
	default:
		return item, nil, false, gatehouse.Errorf("workingset.damaged", "enrol the person again", "the gallery's secret that a template was turned by is not there")
	}
	template = s.gallery.Turn(template, from.secret, current.secret)
	item.Sealed, err = s.sealer.SealWorking(item.Context(), encodeTemplate(current.generation, template))
	return item, template, true, err
}

// openGallery takes the site's templates into the gallery under its seed, which is
// made where there is none. Templates from before there were seeds, and those that an
// interrupted rekey left, are turned and stored.
func (s *Set) openGallery(ctx context.Context, sealed []gatehouse.WorkingItem) error {
	if current, _ := s.seeds(); current.generation == 0 {
		first := newSeed(1)
		if err := s.putSeeds(ctx, first); err != nil {
			return err
		}
		s.setSeeds(first, seed{})
	}
	s.gallery.Rotate(s.place, s.current.secret)
	var stale []gatehouse.WorkingItem
	for _, item := range sealed {
		turned, template, changed, err := s.turned(item)
		if err != nil {
			return err
		}
		if err := s.gallery.Add(s.place, item.Subject, item.Row, template); err != nil {
			return err
		}
		if changed {
			stale = append(stale, turned)
		}
	}
	return s.settle(ctx, stale)
}

// putTemplates stores items of which some are templates, under the current seed: they
// may have been made before a rekey, or by an earlier version.
func (s *Set) putTemplates(ctx context.Context, items []gatehouse.WorkingItem) error {
	s.templates.Lock()
	defer s.templates.Unlock()
	current := make([]gatehouse.WorkingItem, len(items))
	templates := make([][]float32, len(items))
	for i, item := range items {
		current[i] = item
		if item.Kind != gatehouse.TemplateItem {
			continue
		}
		var err error
		if current[i], templates[i], _, err = s.turned(item); err != nil {
			return err
		}
	}
	if err := s.store.PutWorking(ctx, current); err != nil {
		return err
	}
	for i, item := range current {
		if item.Kind == gatehouse.TemplateItem {
			if err := s.gallery.Add(s.place, item.Subject, item.Row, templates[i]); err != nil {
				return err
			}
			continue
		}
		if err := s.take(item); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) seeds() (current, previous seed) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current, s.previous
}

func (s *Set) setSeeds(current, previous seed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.previous = current, previous
}

func (s *Set) putSeeds(ctx context.Context, seeds ...seed) error {
	var plain []byte
	for _, one := range seeds {
		plain = binary.BigEndian.AppendUint32(plain, one.generation)
		plain = append(plain, one.secret[:]...)
	}
	item, err := s.Item(galleryItem, gatehouse.SubjectID{}, galleryRow, plain)
	if err != nil {
		return err
	}
	return s.store.PutWorking(ctx, []gatehouse.WorkingItem{item})
}

// decodeSeeds undoes putSeeds; the older of two is previous.
func decodeSeeds(b []byte) (current, previous seed, ok bool) {
	if len(b) != seedSize && len(b) != 2*seedSize {
		return seed{}, seed{}, false
	}
	for ; len(b) > 0; b = b[seedSize:] {
		previous, current = current, seed{binary.BigEndian.Uint32(b), [32]byte(b[4:seedSize])}
	}
	return current, previous, current.generation > previous.generation
}
