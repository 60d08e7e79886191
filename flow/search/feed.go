package search

import (
	"context"
	"crypto/sha256"
	"sync/atomic"

	"gatehouse"
	"gatehouse/flow/follow"
)

var _ follow.Sink = (*Feeder)(nil)

// Feeder is the follower of the committed log that fills the archive's index. The
// server never opens what it feeds.
type Feeder struct {
	Place gatehouse.Place
	Index gatehouse.Indexer
	Store Store

	cursor uint64 // of the catching up that is under way
	// Leaves of subjects name a record by its digest only, so subjects are looked up by
	// it. What is not among them after a look that began after the leaf was committed
	// has been replaced or erased since.
	byDigest map[[sha256.Size]byte]gatehouse.SubjectID
	looked   bool // during this catching up

	asked   bool // the cursor, for a catching up that nothing has stopped
	dealt   bool // something, during this catching up
	current atomic.Bool
}

// Current reports whether the last catching up left nothing to be indexed, and the vault was
// not sealed then. How current an answer is, it says itself (Answer.Current).
func (f *Feeder) Current() bool { return f.current.Load() }

// Cursor implements follow.Sink; it fails with follow.ErrLater while the vault is sealed.
func (f *Feeder) Cursor(ctx context.Context) (uint64, error) {
	st, err := f.Index.IndexState(ctx)
	if err != nil {
		f.asked = false
		f.current.Store(false)
		return 0, later(err)
	}
	if f.asked && st.Position == f.cursor && !f.dealt {
		f.current.Store(true) // the catching up before found nothing new
	}
	f.cursor, f.asked, f.looked, f.dealt = st.Position, true, false, false
	return st.Position, nil
}

func later(err error) error {
	switch gatehouse.ErrorCode(err) {
	case "vault.sealed", "vault.unavailable", "index.opening", "index.damaged", "index.position": // the last two: from the next cursor
		return follow.ErrLater
	}
	return err
}

// Deal implements follow.Sink.
func (f *Feeder) Deal(ctx context.Context, leaves []follow.Leaf) error {
	b := gatehouse.IndexBatch{From: f.cursor, To: leaves[len(leaves)-1].Position}
	subjects := map[gatehouse.SubjectID]bool{}
	for _, l := range leaves {
		kind, at, parts, err := gatehouse.LeafParts(l.Leaf)
		if err != nil {
			return err
		}
		b.Until = at
		switch {
		case kind == gatehouse.PassageLeafKind && len(parts) > 2 && len(parts[2]) == len(gatehouse.ID{}) && f.here(parts):
			stored, err := f.Store.Passage(ctx, f.Place, gatehouse.ID(parts[2]))
			if gatehouse.ErrorCode(err) == "store.not_found" {
				continue // its month has expired
			}
			if err != nil {
				return err
			}
			b.Passages = append(b.Passages, stored)
		case kind == gatehouse.SubjectLeafKind && len(parts) > 3 && len(parts[3]) == sha256.Size && f.here(parts):
			s, found, err := f.subject(ctx, [sha256.Size]byte(parts[3]))
			if err != nil {
				return err
			}
			if found && !subjects[s.ID] {
				subjects[s.ID] = true
				b.Subjects = append(b.Subjects, s)
			}
		}
	}
	f.dealt = true
	if err := f.Index.Index(ctx, b); err != nil {
		f.current.Store(false)
		return later(err)
	}
	f.cursor = b.To
	f.current.Store(len(leaves) < follow.Batch) // behind a full batch there may be more
	return nil
}

// here reports whether the leaf is this site's.
func (f *Feeder) here(parts [][]byte) bool {
	return string(parts[0]) == string(f.Place.Org) && string(parts[1]) == string(f.Place.Site)
}

// subject finds the subject whose record has the digest.
func (f *Feeder) subject(ctx context.Context, digest [sha256.Size]byte) (s gatehouse.Subject, found bool, err error) {
	id, known := f.byDigest[digest]
	if !known && !f.looked {
		if err := f.look(ctx); err != nil {
			return s, false, err
		}
		id, known = f.byDigest[digest]
	}
	if !known {
		return s, false, nil
	}
	s, err = f.Store.Subject(ctx, f.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		return s, false, nil
	}
	return s, err == nil, err
}

// subjectsAtOnce is how many subjects one question to the store asks for.
const subjectsAtOnce = 500

func (f *Feeder) look(ctx context.Context) error {
	all := map[[sha256.Size]byte]gatehouse.SubjectID{}
	var after gatehouse.SubjectID
	for {
		page, err := f.Store.Subjects(ctx, f.Place, after, subjectsAtOnce)
		if err != nil {
			return err
		}
		for _, s := range page {
			all[sha256.Sum256(s.Record)] = s.ID
			after = s.ID
		}
		if len(page) < subjectsAtOnce {
			f.byDigest, f.looked = all, true
			return nil
		}
	}
}
