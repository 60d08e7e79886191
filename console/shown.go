package console

import (
	"context"
	"sync"
	"time"

	"gatehouse"
)

// shown remembers which passages a session was shown with a disclosure, for as
// long as the memory ring may hold their pictures. A picture is served only behind
// an entry: a link that somebody guessed makes a disclosure of its own first.
type shown struct {
	now func() time.Time
	mu  sync.Mutex
	at  map[shownKey]time.Time
}

type shownKey struct {
	session string
	passage gatehouse.ID // zero: the gates' stills, which an entry of their own covers
}

// shownFor is how long a mark holds; then the next view is written again.
const shownFor = 10 * time.Minute

// maxShown bounds the memory: more than this many marks are swept.
const maxShown = 100_000

func newShown(now func() time.Time) *shown {
	return &shown{now: now, at: map[shownKey]time.Time{}}
}

func (s *shown) mark(session string, passage gatehouse.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.at) >= maxShown {
		for k, t := range s.at {
			if now.Sub(t) >= shownFor {
				delete(s.at, k)
			}
		}
		if len(s.at) >= maxShown {
			clear(s.at) // costs repeated disclosures, never a missing one
		}
	}
	s.at[shownKey{session, passage}] = now
}

func (s *shown) has(session string, passage gatehouse.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.at[shownKey{session, passage}]
	return ok && s.now().Sub(t) < shownFor
}

// disclosed makes sure that a disclosure covers these passages for the session;
// none stands for the gates' latest stills.
func (c *Console) disclosed(ctx context.Context, who Who, passages ...gatehouse.Passage) error {
	id := gatehouse.ID{}
	if len(passages) > 0 {
		id = passages[0].ID
	}
	if c.shown.has(who.Session, id) {
		return nil
	}
	if _, err := c.o.Lender.Live(ctx, who, passages); err != nil {
		return err
	}
	c.shown.mark(who.Session, id)
	return nil
}

// archive holds pictures that the vault opened, for the page that asked for them.
type archive struct {
	now   func() time.Time
	mu    sync.Mutex
	items map[shownKey]opened
}

type opened struct {
	pictures [][]byte
	at       time.Time
}

// archivedFor is how long opened pictures stay in memory; maxArchived how many
// passages' at a time.
const (
	archivedFor = 2 * time.Minute
	maxArchived = 32
)

func newArchive(now func() time.Time) *archive {
	return &archive{now: now, items: map[shownKey]opened{}}
}

func (a *archive) put(session string, passage gatehouse.ID, pictures [][]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	for len(a.items) >= maxArchived {
		var oldest shownKey
		var at time.Time
		for k, o := range a.items {
			if at.IsZero() || o.at.Before(at) {
				oldest, at = k, o.at
			}
		}
		delete(a.items, oldest)
	}
	a.items[shownKey{session, passage}] = opened{pictures, a.now()}
}

// get returns nil where nothing was opened or its time is over.
func (a *archive) get(session string, passage gatehouse.ID) [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	return a.items[shownKey{session, passage}].pictures
}

// clear forgets everything: the vault was sealed.
func (a *archive) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.items)
}

func (a *archive) sweep() {
	for k, o := range a.items {
		if a.now().Sub(o.at) >= archivedFor {
			delete(a.items, k)
		}
	}
}
